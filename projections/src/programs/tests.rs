//! Tests of `programs`.

use serde_json::json;

use super::*;
use crate::testing::{History, ZEXTRAS, day};

fn two_versions() -> History {
    let mut history = History::new();
    history.rulebook(ZEXTRAS);
    let document: serde_json::Value = toml::from_str(ZEXTRAS).unwrap();
    let drafted =
        json!({"program": "acme", "version": 2, "document": document, "drafted_by": "ada"});
    let announced =
        json!({"version": 2, "announced_on": "2026-02-01", "effective_on": "2026-04-01"});
    history
        .add("program", 1, "RulebookDrafted", drafted)
        .add("program", 1, "RulebookApproved", json!({"version": 2, "approved_by": "bob"}))
        .add("program", 1, "RulebookAnnounced", announced);
    history
}

async fn statuses(history: &History, today: &str) -> Vec<(u32, RulebookStatus)> {
    let folded = history.folded();
    let rows = folded.views.rulebooks("acme".parse().unwrap(), day(today)).await.unwrap();
    rows.into_iter().map(|row| (row.version, row.status)).collect()
}

#[tokio::test]
async fn an_announced_version_is_in_force_from_its_day_on() {
    let history = two_versions();
    let (announced, in_force) = (RulebookStatus::Announced, RulebookStatus::InForce);
    assert_eq!(statuses(&history, "2026-03-31").await, [(2, announced), (1, in_force)]);
    assert_eq!(
        statuses(&history, "2026-04-01").await,
        [(2, in_force), (1, RulebookStatus::Superseded)]
    );
}

#[tokio::test]
async fn the_rulebook_in_force_is_that_of_the_day() {
    let folded = two_versions().folded();
    let program: ProgramId = "acme".parse().unwrap();
    let version = async |today: &str| {
        let found = folded.views.rulebook_in_force(program.clone(), day(today)).await.unwrap();
        found.map(|(version, _)| version)
    };
    assert_eq!(version("2025-12-31").await, None);
    assert_eq!(version("2026-03-31").await, Some(1));
    assert_eq!(version("2026-04-01").await, Some(2));
}

#[tokio::test]
async fn a_withdrawn_version_never_comes_into_force() {
    let mut history = two_versions();
    let withdrawn = json!({"version": 2, "reason": "a mistake"});
    history.add("program", 1, "RulebookWithdrawn", withdrawn);
    let expected = [(2, RulebookStatus::Withdrawn), (1, RulebookStatus::InForce)];
    assert_eq!(statuses(&history, "2026-04-02").await, expected);
}

#[tokio::test]
async fn a_program_is_listed_with_its_version_in_force() {
    let folded = two_versions().folded();
    let programs = folded.views.programs(day("2026-05-01")).await.unwrap();
    assert_eq!(programs.len(), 1);
    assert_eq!((programs[0].id.as_str(), programs[0].rulebook_version), ("acme", Some(2)));
}

#[tokio::test]
async fn a_single_version_carries_its_document() {
    let folded = two_versions().folded();
    let program: ProgramId = "acme".parse().unwrap();
    let row = folded.views.rulebook(program, 1, day("2026-01-01")).await.unwrap().unwrap();
    let document: Rulebook = serde_json::from_str(row.document.as_str()).unwrap();
    assert_eq!(document, Rulebook::from_toml(ZEXTRAS).unwrap());
}
