//! Tests of `due`.

use serde_json::json;

use super::*;
use crate::testing::{History, day, terms, uuid};

async fn due_on(history: &History, today: &str) -> Vec<(DueKind, u128, String)> {
    let page = history.folded().views.due(day(today), 100, None).await.unwrap();
    page.items
        .into_iter()
        .map(|row| (row.kind, row.aggregate.as_u128(), row.due_on.to_string()))
        .collect()
}

#[tokio::test]
async fn a_timer_is_due_on_the_day_after_the_last() {
    let mut history = History::new();
    history.certificate(1, 1, "2026-03-31");
    assert!(due_on(&history, "2026-03-31").await.is_empty());
    let expected = [(DueKind::CertificateExpiry, 1, "2026-04-01".to_owned())];
    assert_eq!(due_on(&history, "2026-04-01").await, expected);
}

#[tokio::test]
async fn a_deal_has_a_timer_for_its_protection_and_one_for_its_activity() {
    let mut history = History::new();
    history.protected_deal(1, 1, "2026-06-30");
    let kinds: Vec<_> = due_on(&history, "2026-07-01").await.into_iter().map(|due| due.0).collect();
    assert_eq!(kinds, [DueKind::DealActivity, DueKind::DealProtection]);
    history.add("deal", 1, "DealLost", json!({"reason": "price"}));
    assert!(due_on(&history, "2026-07-01").await.is_empty());
}

#[tokio::test]
async fn activity_puts_its_timer_off_but_starts_none_without_protection() {
    let activity = json!({"activity": "call", "on": "2026-01-20", "activity_due": "2026-03-15"});
    let mut history = History::new();
    history.protected_deal(1, 1, "2026-06-30").deal(2, 1, "Other");
    history.add("deal", 1, "DealActivityRecorded", activity.clone());
    history.add("deal", 2, "DealActivityRecorded", activity);
    let expected = [(DueKind::DealActivity, 1, "2026-03-16".to_owned())];
    assert_eq!(due_on(&history, "2026-03-31").await, expected);
}

#[tokio::test]
async fn a_renewed_licence_is_due_later() {
    let mut history = History::new();
    history.licence(1, 1, terms("2026-01-01", "2026-03-31"));
    let renewed = json!({"order": uuid(2), "terms": terms("2026-04-01", "2026-06-30")});
    history.add("licence", 1, "LicenceRenewed", renewed);
    assert!(due_on(&history, "2026-06-30").await.is_empty());
    assert_eq!(due_on(&history, "2026-07-01").await.len(), 1);
    history.add("licence", 1, "LicenceExpired", json!({"ends_on": "2026-06-30"}));
    assert!(due_on(&history, "2026-07-01").await.is_empty());
}

#[tokio::test]
async fn termination_ends_the_timers_of_a_partner() {
    let mut history = History::new();
    history.partner(1, "Alpha", "silver");
    let gap = json!({"certificate": uuid(3), "reason": "left", "restore_by": "2026-02-28"});
    let probation = json!({"track": "partner", "until": "2026-02-28", "review": uuid(4)});
    history.add("partner", 1, "TechnicalGapOpened", gap);
    history.add("partner", 1, "ProbationSet", probation);
    assert_eq!(due_on(&history, "2026-03-01").await.len(), 2);
    history.add("partner", 1, "PartnerTerminated", json!({"reason": "breach"}));
    assert!(due_on(&history, "2026-03-01").await.is_empty());
}

#[tokio::test]
async fn the_list_goes_on_behind_its_cursor() {
    let mut history = History::new();
    for id in 1..=5 {
        history.certificate(id, 1, "2026-03-31");
    }
    let folded = history.folded();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = folded.views.due(day("2026-05-01"), 2, after).await.unwrap();
        seen.extend(page.items.into_iter().map(|row| row.aggregate.as_u128()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
}
