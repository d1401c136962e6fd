//! Tests of `deals`.

use serde_json::json;

use super::*;
use crate::{
    DealFilter,
    testing::{Folded, History, acme, acme_partner, company, day, partner, uuid},
};

async fn row(history: &History) -> DealRow {
    history.folded().views.deal(acme(), DealId(uuid(1))).await.unwrap().unwrap()
}

async fn ids(folded: &Folded, filter: DealFilter) -> Vec<u128> {
    let page = folded.views.deals(acme(), filter).await.unwrap();
    page.items.iter().map(|row| row.id.0.as_u128()).collect()
}

fn three() -> History {
    let mut history = History::new();
    history.protected_deal(1, 1, "2026-06-30").deal(2, 1, "Other").deal(3, 2, "Third");
    history
}

#[tokio::test]
async fn a_protected_deal_shows_its_end_and_its_next_activity() {
    let row = row(&three()).await;
    assert_eq!(row.status, DealStatus::Protected);
    assert_eq!(row.protected_until, Some(day("2026-06-30")));
    assert_eq!(row.activity_due, Some(day("2026-02-01")));
}

#[tokio::test]
async fn activity_and_extension_move_the_ends() {
    let mut history = three();
    let activity = json!({"activity": "visit", "on": "2026-01-20", "activity_due": "2026-02-20"});
    let extended = json!({"extended_on": "2026-01-25", "until": "2026-09-30", "extension": 1, "reason": "progress"});
    history.add("deal", 1, "DealActivityRecorded", activity);
    history.add("deal", 1, "DealProtectionExtended", extended);
    let row = row(&history).await;
    assert_eq!((row.activities, row.extensions), (1, 1));
    assert_eq!(row.activity_due, Some(day("2026-02-20")));
    assert_eq!(row.protected_until, Some(day("2026-09-30")));
}

#[tokio::test]
async fn a_won_deal_keeps_its_final_value() {
    let mut history = three();
    let won = json!({"closed_on": "2026-03-01", "value": {"minor": 999, "currency": "EUR"}});
    history.add("deal", 1, "DealWon", won);
    let row = row(&history).await;
    assert_eq!((row.status, row.value.minor), (DealStatus::Won, 999));
    assert_eq!(row.closed_on, Some(day("2026-03-01")));
}

#[tokio::test]
async fn an_expired_deal_says_why() {
    let mut history = three();
    let expired = json!({"cause": "inactive", "ended_on": "2026-02-02"});
    history.add("deal", 1, "DealExpired", expired);
    assert_eq!(row(&history).await.outcome_reason.as_deref(), Some("inactive"));
}

#[tokio::test]
async fn the_board_counts_deals_by_status_and_lists_the_newest_first() {
    let folded = three().folded();
    let counts = folded.views.deal_counts(acme()).await.unwrap();
    let counts: Vec<_> = counts.iter().map(|column| (column.status, column.count)).collect();
    assert_eq!(counts, [(DealStatus::Draft, 2), (DealStatus::Protected, 1)]);
    assert_eq!(ids(&folded, DealFilter::default()).await, [3, 2, 1]);
    let drafts = DealFilter { status: Some(DealStatus::Draft), ..DealFilter::default() };
    assert_eq!(ids(&folded, drafts).await, [3, 2]);
}

#[tokio::test]
async fn protections_that_end_soon_are_found_by_the_earlier_end() {
    let folded = three().folded();
    let ending = |by| DealFilter { ending_by: Some(day(by)), ..DealFilter::default() };
    assert_eq!(ids(&folded, ending("2026-02-01")).await, [1]);
    assert!(ids(&folded, ending("2026-01-31")).await.is_empty());
}

#[tokio::test]
async fn a_partner_sees_its_own_deals_only() {
    let folded = three().folded();
    let page = folded.views.deals(acme_partner(2), DealFilter::default()).await.unwrap();
    assert!(page.items.iter().all(|row| row.partner == partner(2)));
    assert_eq!(folded.views.deal(acme_partner(2), DealId(uuid(1))).await.unwrap(), None);
}

#[tokio::test]
async fn customers_of_similar_names_are_near_matches() {
    let mut history = three();
    history.deal(4, 3, "CUSTOMER s.p.a. Holding").deal(5, 3, "Cust");
    let folded = history.folded();
    let program = "acme".parse().unwrap();
    let found =
        folded.views.near_matches(program, DealId(uuid(1)), "Customer SpA".into()).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id.0, uuid(4));
}

#[tokio::test]
async fn the_report_and_the_reporting_view_agree() {
    let mut history = three();
    history.partner(1, "Alpha", "silver");
    let folded = history.folded();
    let rows = folded.views.report_deals(acme(), DealFilter::default()).await.unwrap().items;
    assert_eq!(rows[2].company.as_deref(), Some("Alpha"));
    assert_eq!((rows[2].customer_name.as_str(), rows[2].value_minor), ("Customer SpA", 100));
    let count = folded.views.query(|connection| {
        let sql = "SELECT count(*) FROM report_deals WHERE company = 'Alpha' AND currency = 'EUR'";
        connection.query_row(sql, [], |row| row.get::<_, i64>(0))
    });
    assert_eq!(count.await.unwrap(), 2);
}

#[tokio::test]
async fn a_revised_draft_is_found_under_its_new_customer() {
    let mut history = three();
    let revised = json!({"customer": company("Renamed"), "product_scope": "suite",
        "value": {"minor": 5, "currency": "EUR"}, "expected_close": "2026-12-01"});
    history.add("deal", 2, "DealRevised", revised);
    let folded = history.folded();
    let program = "acme".parse().unwrap();
    let found =
        folded.views.near_matches(program, DealId(uuid(1)), "renamed".into()).await.unwrap();
    assert_eq!(found.len(), 1);
}
