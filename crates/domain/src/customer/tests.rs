//! Which companies are the same, and which fields cannot be right.

use proptest::prelude::*;

use super::*;

fn company(name: &str) -> Company {
    Company { name: name.into(), country: "IT".parse().unwrap(), domain: None, tax_id: None }
}

fn with_domain(domain: &str) -> Company {
    Company { domain: Some(domain.into()), ..company("Acme") }
}

fn with_tax_id(tax_id: &str) -> Company {
    Company { tax_id: Some(tax_id.into()), ..company("Acme") }
}

fn keys(company: &Company) -> Vec<OpportunityId> {
    company.opportunity_keys(&"one".parse().unwrap(), &"mail".parse().unwrap())
}

fn problem_field(company: &Company) -> Option<&'static str> {
    company.check().err().map(|problem| problem.field)
}

#[test]
fn a_complete_company_passes_the_check() {
    let company = Company { domain: Some("acme.it".into()), ..with_tax_id("IT 0123.4567-890/1") };
    assert_eq!(company.check(), Ok(()));
}

#[test]
fn a_name_without_letters_or_digits_is_refused() {
    for name in ["", "   ", "!?", "\u{200b}"] {
        assert_eq!(problem_field(&company(name)), Some("name"), "{name:?}");
    }
}

#[test]
fn a_name_has_at_most_200_characters() {
    assert_eq!(problem_field(&company(&"é".repeat(200))), None);
    assert_eq!(problem_field(&company(&"é".repeat(201))), Some("name"));
}

#[test]
fn what_cannot_be_a_registered_domain_is_refused() {
    let wrong = [
        "",
        "acme",
        "https://acme.it",
        "a b.it",
        "192.0.2.1",
        "acme..it",
        "-a.it",
        "www.",
        "a@b.it",
    ];
    for domain in wrong {
        assert_eq!(problem_field(&with_domain(domain)), Some("domain"), "{domain:?}");
    }
    let label = "a".repeat(64);
    assert_eq!(problem_field(&with_domain(&format!("{label}.it"))), Some("domain"));
}

#[test]
fn a_domain_may_be_international() {
    assert_eq!(problem_field(&with_domain("müller.example")), None);
    assert_eq!(normalised_domain("MÜLLER.example").as_deref(), Some("xn--mller-kva.example"));
}

#[test]
fn a_tax_id_has_4_to_32_letters_digits_and_separators() {
    for tax_id in ["", "123", "-----", "12345_6", &"1".repeat(33), "١٢٣٤٥"] {
        assert_eq!(problem_field(&with_tax_id(tax_id)), Some("tax_id"), "{tax_id:?}");
    }
    assert_eq!(problem_field(&with_tax_id(&"1".repeat(32))), None);
}

#[test]
fn ways_to_write_a_name_are_the_same_name() {
    let same = [
        "Müller & Söhne GmbH",
        "MÜLLER & SÖHNE gmbh",
        "Müller Söhne",
        "  müller -  söhne, GmbH.  ",
        "Mu\u{308}ller & So\u{308}hne GmbH & Co. KG",
    ];
    for name in same {
        assert_eq!(normalised_name(name), "müller söhne", "{name:?}");
    }
}

#[test]
fn a_legal_form_is_known_with_and_without_dots_and_spaces() {
    for name in
        ["Acme S.r.l.", "Acme SRL", "Acme s. r. l.", "Acme S.p.A.", "Acme Inc.", "Acme Co., Ltd."]
    {
        assert_eq!(normalised_name(name), "acme", "{name:?}");
    }
}

#[test]
fn a_name_that_is_nothing_but_legal_forms_keeps_its_first_word() {
    assert_eq!(normalised_name("AG"), "ag");
    assert_eq!(normalised_name("SE Ltd."), "se");
}

#[test]
fn a_legal_form_inside_a_name_belongs_to_the_name() {
    assert_eq!(normalised_name("AG Neo GmbH"), "ag neo");
}

#[test]
fn letters_with_several_lower_case_forms_are_equal() {
    assert_eq!(normalised_name("Straße"), normalised_name("STRASSE"));
    assert_eq!(normalised_name("Οδος"), normalised_name("ΟΔΟΣ"));
}

#[test]
fn a_domain_is_compared_without_www_case_and_trailing_dot() {
    for domain in ["acme.it", "ACME.it", "www.acme.it", "www.acme.it.", " acme.it "] {
        assert_eq!(normalised_domain(domain).as_deref(), Some("acme.it"), "{domain:?}");
    }
}

#[test]
fn www_may_be_a_registered_name() {
    assert_eq!(normalised_domain("www.it").as_deref(), Some("www.it"));
}

#[test]
fn there_is_one_key_for_each_way_to_tell_a_company() {
    let full = Company { domain: Some("acme.it".into()), ..with_tax_id("0123456789") };
    assert_eq!(keys(&company("Acme")).len(), 1);
    assert_eq!(keys(&full).len(), 3);
    for part in [company("ACME srl"), with_domain("www.acme.it"), with_tax_id("01-23456789")] {
        assert!(keys(&part).iter().all(|key| keys(&full).contains(key)), "{part:?}");
    }
}

#[test]
fn keys_come_in_ascending_order() {
    let full = Company { domain: Some("acme.it".into()), ..with_tax_id("0123456789") };
    assert!(keys(&full).is_sorted());
}

#[test]
fn name_and_tax_id_are_told_apart_by_country_and_a_domain_is_not() {
    let elsewhere = |company: Company| Company { country: "DE".parse().unwrap(), ..company };
    let shared = |company: Company| {
        let here = keys(&company);
        keys(&elsewhere(company)).iter().filter(|key| here.contains(key)).count()
    };
    assert_eq!(shared(with_tax_id("0123456789")), 0);
    assert_eq!(shared(with_domain("acme.it")), 1);
}

#[test]
fn programs_and_product_scopes_share_no_keys() {
    let acme = company("Acme");
    let of = |program: &str, scope: &str| {
        acme.opportunity_keys(&program.parse().unwrap(), &scope.parse().unwrap())
    };
    assert_ne!(of("one", "mail"), of("two", "mail"));
    assert_ne!(of("one", "mail"), of("one", "chat"));
}

// Streams are named by these keys: this value may never change.
#[test]
fn keys_stay_what_they_were() {
    let keys = keys(&company("Acme S.r.l."));
    assert_eq!(keys[0].to_string(), "53eb9626-210d-5ea5-badd-9429bd47bcec");
}

proptest! {
    #[test]
    fn normalising_a_name_twice_changes_nothing(name in "\\PC{0,40}") {
        let once = normalised_name(&name);
        prop_assert_eq!(normalised_name(&once), once);
    }

    #[test]
    fn normalising_a_domain_twice_changes_nothing(
        domain in "(www\\.){0,2}[a-zA-Zäöüß0-9-]{1,12}\\.[a-zA-Z]{2,6}\\.?",
    ) {
        if let Some(once) = normalised_domain(&domain) {
            prop_assert_eq!(normalised_domain(&once), Some(once.clone()));
        }
    }

    #[test]
    fn normalising_a_tax_id_twice_changes_nothing(tax_id in "\\PC{0,40}") {
        let once = normalised_tax_id(&tax_id);
        prop_assert_eq!(normalised_tax_id(&once), once);
    }

    #[test]
    fn case_punctuation_and_legal_form_do_not_change_keys(
        words in prop::collection::vec("[a-zäöüßçñа-я]{2,8}[0-9]", 1..4),
        gap in prop::sample::select(vec![" ", "  ", " - ", ", ", " & ", "/"]),
        form in prop::sample::select(vec![
            "", " GmbH", " S.r.l.", ", Inc.", " ltd", " S. p. A.", " & Co. KG",
        ]),
    ) {
        let plain = words.join(" ");
        let written = format!("{}{form}", words.join(gap).to_uppercase());
        prop_assert_eq!(keys(&company(&written)), keys(&company(&plain)));
    }

    #[test]
    fn a_company_that_passes_the_check_has_a_key(name in "\\PC{0,40}") {
        let company = company(&name);
        prop_assert_eq!(company.check().is_ok(), !keys(&company).is_empty());
    }
}
