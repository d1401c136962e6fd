//! The table of commands against the aggregates: nothing is forgotten, nothing is invented.

use std::collections::BTreeSet;

use accord_domain::{
    Aggregate, certificate::Certificate, deal::Deal, level_review::LevelReview, licence::Licence,
    opportunity::Opportunity, order::Order, partner::Partner, program::Program,
};
use accord_http::commands::commands;
use schemars::SchemaGenerator;
use serde_json::Value;

/// Commands that only Accord itself sends: timers, policies, and steps inside other commands.
const ACCORDS_OWN: &[(&str, &[&str])] = &[
    ("partner", &["apply-review-decision", "lapse-technical-gap"]),
    ("certificate", &["expire"]),
    (
        "deal",
        &[
            "confirm-claim",
            "contest",
            "expire",
            "win-conflict",
            "lose-conflict",
            "reserve",
            "release-reservation",
        ],
    ),
    ("opportunity", &["claim", "protect", "release"]),
    ("order", &["mark-renewed", "refuse"]),
    ("licence", &["issue", "renew", "upgrade", "reserve", "release-reservation", "expire"]),
];

/// Names of an aggregate's commands, as its type has them.
fn names_of<A: Aggregate>() -> BTreeSet<String> {
    let schema: Value = SchemaGenerator::default().into_root_schema_for::<A::Command>().into();
    let variants = schema["oneOf"].as_array().unwrap().iter();
    let tag = |variant: &Value| match variant["const"].as_str() {
        Some(name) => name.to_owned(),
        None => variant["required"][0].as_str().unwrap().to_owned(),
    };
    variants.map(tag).collect()
}

fn check<A: Aggregate>(collection: &str) {
    let known = names_of::<A>();
    // Only here do the two names differ: `rulebooks/1/approve` is `approve-rulebook`.
    let suffix = if A::CATEGORY == Program::CATEGORY { "-rulebook" } else { "" };
    let rows = commands().iter().filter(|row| row.collection == collection);
    let offered: BTreeSet<String> = rows.map(|row| format!("{}{suffix}", row.name)).collect();
    let own = ACCORDS_OWN.iter().find(|(category, _)| *category == A::CATEGORY);
    let own = own.map_or(&[][..], |(_, names)| names).iter().map(|name| (*name).to_owned());
    let own: BTreeSet<String> = own.collect();
    assert!(offered.is_disjoint(&own), "{}: both offered and Accord's own", A::CATEGORY);
    let all: BTreeSet<String> = offered.union(&own).cloned().collect();
    assert_eq!(all, known, "commands of {}", A::CATEGORY);
}

#[test]
fn every_command_is_offered_over_http_or_named_as_accords_own() {
    check::<Program>("rulebooks");
    check::<Partner>("partners");
    check::<Certificate>("certificates");
    check::<LevelReview>("level-reviews");
    check::<Deal>("deals");
    check::<Opportunity>("conflicts");
    check::<Order>("orders");
    check::<Licence>("licences");
}

#[test]
fn no_two_rows_of_the_table_answer_to_the_same_name() {
    let mut seen = BTreeSet::new();
    for row in commands() {
        let name = (row.collection, row.creates, row.name);
        assert!(seen.insert(name), "{name:?} is there twice");
    }
}
