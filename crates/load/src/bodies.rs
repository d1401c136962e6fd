//! Bodies of the commands, as JSON text. Each function replaces `body`.

use std::fmt::Write;

use accord_domain::Day;
use uuid::Uuid;

use crate::random::Random;

/// The rulebook that a new program gets: Quazzar's, under the program's own id. Its deals are
/// protected as soon as they are submitted, and partners are added by the vendor.
const RULEBOOK: &str = include_str!("../../../ops/programs/quazzar.toml");
const RULEBOOK_PROGRAM: &str = "program = \"quazzar\"";

const SCOPES: [&str; 4] = ["cloud-os", "fleet-management", "kubernetes", "msp"];
const CERTIFICATIONS: [&str; 4] =
    ["cloud-os-administration", "fleet-management", "kubernetes-operations", "msp-operations"];
const COUNTRIES: [&str; 8] = ["DE", "FR", "IT", "ES", "NL", "PL", "SE", "AT"];
const LEVELS: [&str; 3] = ["silver", "gold", "platinum"];

/// Persons that stand as contacts. A program has far fewer partner managers
/// than cases, and every new person costs a key on disk, which is not what is measured.
const PERSONS: u64 = 200;
/// Certificate holders per partner; who has the same address there is the same person.
const HOLDERS: u64 = 2;
const PERSON_ID_BASE: u128 = 0x10ad_0000_0000_8000_8000_0000_0000_0000;

pub(crate) fn rulebook(program: &str) -> String {
    RULEBOOK.replacen(RULEBOOK_PROGRAM, &format!("program = \"{program}\""), 1)
}

/// Two letters that names of partners begin with.
pub(crate) fn name_prefix(random: &mut Random) -> String {
    const FIRST: &[u8] = b"bcdfghjklmnprstvw";
    const SECOND: &[u8] = b"aeiou";
    let letters = [FIRST[random.index(FIRST.len())], SECOND[random.index(SECOND.len())]];
    letters.iter().map(|letter| char::from(*letter)).collect()
}

pub(crate) fn partner_name(random: &mut Random, number: u64) -> String {
    format!("{}{} Systems {number}", name_prefix(random), name_prefix(random))
}

pub(crate) fn country(number: u64) -> &'static str {
    of(&COUNTRIES, number)
}

pub(crate) fn level(number: u64) -> &'static str {
    of(&LEVELS, number)
}

pub(crate) fn product_scope(number: u64) -> &'static str {
    of(&SCOPES, number)
}

pub(crate) fn certification(number: u64) -> &'static str {
    of(&CERTIFICATIONS, number)
}

fn of(texts: &[&'static str], number: u64) -> &'static str {
    texts[usize::try_from(number % texts.len() as u64).unwrap_or(0)]
}

/// The n-th partner: the same in every run, so that a later run finds it again.
pub(crate) fn add_partner(body: &mut String, number: u64) {
    let mut random = Random::new(number);
    let name = partner_name(&mut random, number);
    let (country, level) = (country(random.next()), level(random.next()));
    let person = Person(random.below(PERSONS));
    replace(
        body,
        format_args!(
            r#"{{"command":"add","company":{{"name":"{name}","country":"{country}","domain":"partner-{number}.example"}},"track":"partner","level":"{level}","contacts":[{{"role":"sales","person":{person}}}]}}"#
        ),
    );
}

/// A deal with a customer that no other deal has: `unique` tells them apart.
pub(crate) fn draft_deal(
    body: &mut String,
    (partner, unique): (Uuid, &str),
    today: Day,
    random: &mut Random,
) {
    let (country, scope) = (country(random.next()), product_scope(random.next()));
    let (minor, expected_close) = (100_000 + random.below(10_000_000), today.plus_days(60));
    replace(
        body,
        format_args!(
            r#"{{"partner":"{partner}","customer":{{"name":"Customer {unique} GmbH","country":"{country}","domain":"c-{unique}.example"}},"product_scope":"{scope}","value":{{"minor":{minor},"currency":"EUR"}},"expected_close":"{expected_close}"}}"#
        ),
    );
}

pub(crate) fn record_activity(body: &mut String, number: u64, on: Day) {
    replace(
        body,
        format_args!(
            r#"{{"activity":"Call {number} with the client's operations team: scope and schedule of the rollout agreed","on":"{on}"}}"#
        ),
    );
}

pub(crate) fn issue_certificate(
    body: &mut String,
    partner: Uuid,
    (issued_on, expires_on): (Day, Day),
    random: &mut Random,
) {
    let certification = certification(random.next());
    let holder = random.below(HOLDERS);
    replace(
        body,
        format_args!(
            r#"{{"partner":"{partner}","holder":{{"name":"Person {holder}","email":"person-{holder}@partner.example"}},"certification":"{certification}","issued_on":"{issued_on}","expires_on":"{expires_on}"}}"#,
        ),
    );
}

pub(crate) fn renew_certificate(body: &mut String, renewed_on: Day, expires_on: Day) {
    replace(body, format_args!(r#"{{"renewed_on":"{renewed_on}","expires_on":"{expires_on}"}}"#));
}

pub(crate) fn record_reference(body: &mut String, number: u64) {
    replace(
        body,
        format_args!(
            r#"{{"customer":"Reference customer {number}","statement":"We run {number} servers with them and would do it again."}}"#
        ),
    );
}

fn replace(body: &mut String, text: std::fmt::Arguments<'_>) {
    body.clear();
    body.write_fmt(text).expect("a string takes everything");
}

/// A person of the pool, as JSON.
struct Person(u64);

impl std::fmt::Display for Person {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = self.0;
        let id = Uuid::from_u128(PERSON_ID_BASE | u128::from(number));
        write!(
            formatter,
            r#"{{"person":"{id}","name":"Person {number}","email":"person-{number}@partner.example"}}"#
        )
    }
}

#[cfg(test)]
mod tests {
    use accord_domain::{certificate::CertificateCommand, deal::DealCommand};
    use accord_domain::{partner::PartnerCommand, rulebook::Rulebook};
    use serde_json::{Value, json};

    use super::*;

    fn day() -> Day {
        "2026-03-01".parse().unwrap()
    }

    fn fields(body: &str) -> Value {
        serde_json::from_str(body).unwrap()
    }

    fn reads<C: serde::de::DeserializeOwned>(command: &str, body: &str) {
        serde_json::from_value::<C>(json!({ command: fields(body) })).unwrap();
    }

    /// The same for a command to which the application adds how the partner stands.
    fn reads_by_standing<C: serde::de::DeserializeOwned>(command: &str, body: &str) {
        let mut fields = fields(body);
        fields["standing"] = json!({
            "partner": Uuid::nil(), "status": "active", "tracks": {}, "scope": [],
            "withheld_benefits": [], "discount_adjustment": null,
        });
        reads::<C>(command, &fields.to_string());
    }

    #[test]
    fn the_rulebook_is_valid_under_any_program() {
        let rulebook = Rulebook::from_toml(&super::rulebook("load")).unwrap();
        assert_eq!(rulebook.identity.program.as_str(), "load");
    }

    #[test]
    fn the_commands_are_what_the_domain_reads() {
        let (mut body, mut random) = (String::new(), Random::new(1));
        draft_deal(&mut body, (Uuid::nil(), "r1-2-3"), day(), &mut random);
        serde_json::from_str::<accord_app::DealDraft>(&body).unwrap();
        record_activity(&mut body, 1, day());
        reads_by_standing::<DealCommand>("record-activity", &body);
        issue_certificate(&mut body, Uuid::nil(), (day(), day()), &mut random);
        serde_json::from_str::<accord_app::CertificateDraft>(&body).unwrap();
        renew_certificate(&mut body, day(), day());
        reads_by_standing::<CertificateCommand>("renew", &body);
        record_reference(&mut body, 1);
        reads::<PartnerCommand>("record-reference", &body);
    }

    #[test]
    fn a_partner_is_added_by_the_command_that_its_body_names() {
        let mut body = String::new();
        add_partner(&mut body, 7);
        let mut fields = fields(&body);
        assert_eq!(fields.as_object_mut().unwrap().remove("command"), Some(json!("add")));
        serde_json::from_value::<PartnerCommand>(json!({ "add": fields })).unwrap();
    }
}
