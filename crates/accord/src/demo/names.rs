//! Invented companies and people. Every domain ends with `.example`, which nobody can own.

use accord_domain::{Country, certificate::PersonInput, customer::Company};

use crate::demo::random::Random;

const COUNTRIES: [(&str, &str); 10] = [
    ("DE", "GmbH"),
    ("IT", "S.r.l."),
    ("FR", "SAS"),
    ("ES", "S.L."),
    ("AT", "GmbH"),
    ("NL", "B.V."),
    ("BE", "BV"),
    ("CH", "AG"),
    ("GB", "Ltd"),
    ("US", "Inc."),
];

const BEGINNINGS: [&str; 24] = [
    "Abru", "Belka", "Cindra", "Dorva", "Elmi", "Fennu", "Gorli", "Hespa", "Ilvo", "Jorda",
    "Kelmu", "Lorvi", "Mirka", "Nuspe", "Orlu", "Pelva", "Quondi", "Rasmu", "Sirvo", "Tolbe",
    "Umbri", "Velko", "Wistra", "Zendu",
];
const MIDDLES: [&str; 12] =
    ["ban", "cor", "dal", "fen", "gar", "lim", "mor", "nis", "pol", "rek", "sul", "tav"];
const ENDINGS: [&str; 8] = ["ax", "ello", "ique", "on", "ora", "um", "ys", "ista"];

const PARTNER_TRADES: [&str; 8] = [
    "Systems",
    "Networks",
    "IT Services",
    "Cloud",
    "Consulting",
    "Data Centres",
    "Software House",
    "Hosting",
];
const CUSTOMER_TRADES: [&str; 12] = [
    "Logistics",
    "Clinics",
    "Energy",
    "Textiles",
    "Insurance",
    "Printing",
    "Foods",
    "Public Works",
    "Schools",
    "Machinery",
    "Shipping",
    "Furniture",
];

const FIRST_NAMES: [&str; 24] = [
    "Ada", "Bruno", "Clara", "David", "Elena", "Fabio", "Greta", "Hugo", "Irene", "Jonas", "Karla",
    "Luca", "Marta", "Nils", "Olga", "Pablo", "Rosa", "Simon", "Tessa", "Ugo", "Vera", "Walter",
    "Yara", "Zeno",
];
const LAST_NAMES: [&str; 20] = [
    "Albrin", "Bardeck", "Corvolan", "Dellmar", "Engstra", "Fiorvan", "Grendahl", "Hollvik",
    "Istrup", "Jandeck", "Kolvino", "Lindmar", "Morvelli", "Nordane", "Ostrell", "Pravini",
    "Quistad", "Rendova", "Solvino", "Tarvelle",
];

/// A partner company; `number` makes it another one.
pub(crate) fn partner(number: u32, random: &mut Random) -> Company {
    company(number, &PARTNER_TRADES, random)
}

/// An end customer.
pub(crate) fn customer(number: u32, random: &mut Random) -> Company {
    company(number, &CUSTOMER_TRADES, random)
}

fn company(number: u32, trades: &[&str], random: &mut Random) -> Company {
    // Neighbouring numbers are to look different: 2,287 has no factor in common with the counts.
    let mut rest = (number as usize).wrapping_mul(2_287);
    let mut part = |parts: &[&'static str]| {
        let part = parts[rest % parts.len()];
        rest /= parts.len();
        part
    };
    let word = [part(&BEGINNINGS), part(&MIDDLES), part(&ENDINGS)].concat();
    let trade = trades[number as usize % trades.len()];
    let (country, form) = COUNTRIES[random.between(0, 9) as usize];
    let domain = format!("{}-{}.example", word, trade.replace(' ', "-")).to_lowercase();
    Company {
        name: format!("{word} {trade} {form}"),
        country: country.parse().expect("the list has country codes"),
        domain: Some(domain),
        tax_id: random.percent(40).then(|| format!("{country}{}", 100_000_000 + number)),
    }
}

/// Somebody at a company.
pub(crate) fn person(company: &Company, random: &mut Random) -> PersonInput {
    let first = FIRST_NAMES[random.between(0, 23) as usize];
    let last = LAST_NAMES[random.between(0, 19) as usize];
    let host = company.domain.as_deref().unwrap_or("mail.example");
    let phone = random.percent(50).then(|| format!("+99 555 {:06}", random.between(0, 999_999)));
    PersonInput {
        person: None,
        name: format!("{first} {last}"),
        email: format!("{first}.{last}@{host}").to_lowercase(),
        phone,
    }
}

/// Where most business is done, for agreed scopes.
pub(crate) fn countries() -> impl Iterator<Item = Country> {
    COUNTRIES.iter().map(|(code, _)| code.parse().expect("the list has country codes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_companies_can_be_partners_and_customers() {
        let mut random = Random::new(1, 1);
        for number in 0..500 {
            assert_eq!(partner(number, &mut random).check(), Ok(()));
            assert_eq!(customer(number, &mut random).check(), Ok(()));
        }
    }

    #[test]
    fn a_thousand_customers_have_a_thousand_names() {
        let mut random = Random::new(1, 1);
        let names = (0..1_000).map(|number| customer(number, &mut random).name);
        assert_eq!(names.collect::<std::collections::HashSet<_>>().len(), 1_000);
    }
}
