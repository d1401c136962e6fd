//! Tests of `conflicts`.

use serde_json::json;

use super::*;
use crate::testing::{History, acme, acme_partner, partner, uuid};

/// Deals 1 and 2 of partners 1 and 2 claim one opportunity.
fn contested() -> History {
    let mut history = History::new();
    history.protected_deal(1, 1, "2026-06-30").deal(2, 2, "CUSTOMER S.p.A.").add(
        "opportunity",
        77,
        "ConflictOpened",
        json!({"conflict": uuid(5), "holder": uuid(1), "holder_partner": uuid(1),
            "contender": uuid(2), "contender_partner": uuid(2), "opened_on": "2026-01-02",
            "earliest_free_day": "2026-07-01"}),
    );
    history
}

#[tokio::test]
async fn the_dossier_shows_both_registrations_and_what_they_share() {
    let folded = contested().folded();
    let dossier = folded.views.conflict(acme(), ConflictId(uuid(5))).await.unwrap().unwrap();
    assert_eq!(dossier.conflict.status, ConflictStatus::Open);
    assert_eq!(dossier.holder.unwrap().partner, partner(1));
    assert_eq!(dossier.contender.unwrap().partner, partner(2));
    assert_eq!(dossier.matches, [CustomerMatch::Name]);
}

#[tokio::test]
async fn a_resolution_names_winner_rule_and_person() {
    let mut history = contested();
    let escalated = json!({"conflict": uuid(5), "to": "director", "reason": "equal claims"});
    let resolved = json!({"conflict": uuid(5), "winner": uuid(2), "loser": uuid(1),
        "rule": "first-come", "reason": "earlier contact", "resolved_by": "carl"});
    history.add("opportunity", 77, "ConflictEscalated", escalated);
    history.add("opportunity", 77, "ConflictResolved", resolved);
    let folded = history.folded();
    let dossier = folded.views.conflict(acme(), ConflictId(uuid(5))).await.unwrap().unwrap();
    assert_eq!(dossier.conflict.status, ConflictStatus::Resolved);
    assert_eq!(dossier.conflict.winner, Some(DealId(uuid(2))));
    assert_eq!(dossier.conflict.escalated_to.as_deref(), Some("director"));
    assert_eq!(dossier.conflict.resolved_by.unwrap().0, "carl");
}

#[tokio::test]
async fn both_sides_see_the_conflict_and_nobody_else() {
    let folded = contested().folded();
    let count = async |scope| {
        folded.views.conflicts(scope, ConflictFilter::default()).await.unwrap().items.len()
    };
    assert_eq!(count(acme_partner(1)).await, 1);
    assert_eq!(count(acme_partner(2)).await, 1);
    assert_eq!(count(acme_partner(3)).await, 0);
}
