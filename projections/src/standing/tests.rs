//! Tests of `standing`.

use serde_json::json;

use super::*;
use crate::testing::{History, ZEXTRAS, acme, acme_partner, day, partner, uuid};

/// A silver partner with a C2 until the end of June and a licence until the end of the year.
fn silver() -> History {
    let mut history = History::new();
    history.rulebook(ZEXTRAS);
    history.partner(1, "Alpha", "silver");
    for id in 0..3 {
        let terms = json!({"items": [], "seats": 400, "servers": 0,
            "mrr": {"minor": 100, "currency": "EUR"},
            "starts_on": "2026-01-01", "ends_on": "2026-12-31"});
        history.licence(10 + id, 1, terms);
    }
    history.certificate(20, 1, "2026-06-30");
    history
}

async fn standing_on(history: &History, today: &str) -> LevelStanding {
    let folded = history.folded();
    let mut tracks = folded.views.level_standing(acme(), partner(1), day(today)).await.unwrap();
    assert_eq!(tracks.len(), 1);
    tracks.remove(0)
}

#[tokio::test]
async fn the_gap_to_the_next_level_is_visible() {
    let standing = standing_on(&silver(), "2026-03-01").await;
    let next = standing.next.unwrap();
    assert_eq!(next.level.as_str(), "gold");
    assert!(!next.gap.is_empty());
    assert!(next.gap.len() <= next.progress.len());
}

#[tokio::test]
async fn the_day_on_which_a_certificate_would_cost_the_level_is_named() {
    let standing = standing_on(&silver(), "2026-03-01").await;
    let risk = standing.at_risk.unwrap();
    assert_eq!(risk.lost_on, day("2026-07-01"));
    assert!(matches!(&risk.ending[..], [Fact::Certificate { certificate, .. }]
        if certificate.0 == uuid(20)));
}

#[tokio::test]
async fn a_renewed_certificate_puts_the_risk_off() {
    let mut history = silver();
    let renewed = json!({"renewed_on": "2026-02-01", "expires_on": "2028-01-01"});
    history.add("certificate", 20, "CertificateRenewed", renewed);
    let risk = standing_on(&history, "2026-03-01").await.at_risk.unwrap();
    assert_eq!(risk.lost_on, day("2027-01-01"));
    assert!(risk.ending.iter().all(|fact| matches!(fact, Fact::Licence { .. })));
}

#[tokio::test]
async fn a_revoked_certificate_no_longer_counts() {
    let mut history = silver();
    let revoked = json!({"revoked_on": "2026-02-01", "reason": "left"});
    history.add("certificate", 20, "CertificateRevoked", revoked);
    let standing = standing_on(&history, "2026-03-01").await;
    assert!(standing.current.iter().any(|evaluation| evaluation.outcome == Outcome::NotMet));
}

#[tokio::test]
async fn evidence_stands_at_the_position_of_the_read_models() {
    let history = silver();
    let folded = history.folded();
    let evidence = folded.views.evidence(acme(), partner(1), day("2026-03-01")).await.unwrap();
    assert_eq!(evidence.position, history.events.last().unwrap().position.0);
    assert_eq!(evidence.facts.len(), 4);
}

#[tokio::test]
async fn another_partner_gets_no_evidence() {
    let folded = silver().folded();
    let scope = acme_partner(2);
    let evidence = folded.views.evidence(scope, partner(1), day("2026-03-01")).await.unwrap();
    assert!(evidence.facts.is_empty());
}

#[tokio::test]
async fn a_licence_that_starts_later_is_no_evidence_yet() {
    let mut history = silver();
    history.licence(15, 1, crate::testing::terms("2026-09-01", "2027-08-31"));
    let folded = history.folded();
    let count = async |today| {
        folded.views.evidence(acme(), partner(1), day(today)).await.unwrap().facts.len()
    };
    assert_eq!(count("2026-08-31").await, 4);
    assert_eq!(count("2026-09-01").await, 5);
}
