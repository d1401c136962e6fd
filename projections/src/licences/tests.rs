//! Tests of `licences`.

use serde_json::json;

use super::*;
use crate::testing::{History, acme, acme_partner, day, terms, uuid};

fn issued() -> History {
    let mut history = History::new();
    history.licence(1, 1, terms("2026-01-01", "2026-12-31"));
    history
}

async fn row(history: &History) -> LicenceRow {
    history.folded().views.licence(acme(), LicenceId(uuid(1))).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_renewed_licence_shows_its_current_terms() {
    let mut history = issued();
    let renewed = json!({"order": uuid(8), "terms": terms("2027-01-01", "2027-12-31")});
    history.add("licence", 1, "LicenceRenewed", renewed);
    let row = row(&history).await;
    assert_eq!((row.order, row.ends_on), (OrderId(uuid(8)), day("2027-12-31")));
    assert_eq!((row.starts_on, row.term_starts_on), (day("2026-01-01"), day("2027-01-01")));
    assert_eq!(row.revision, 1);
}

#[tokio::test]
async fn an_expired_licence_says_so() {
    let mut history = issued();
    history.add("licence", 1, "LicenceExpired", json!({"ends_on": "2026-12-31"}));
    assert_eq!(row(&history).await.status, LicenceStatus::Expired);
}

#[tokio::test]
async fn licences_that_end_by_a_day_are_found() {
    let folded = issued().folded();
    let count = async |scope, by| {
        let filter = LicenceFilter { ending_by: Some(day(by)), ..LicenceFilter::default() };
        folded.views.licences(scope, filter).await.unwrap().items.len()
    };
    assert_eq!(count(acme(), "2026-12-31").await, 1);
    assert_eq!(count(acme(), "2026-12-30").await, 0);
    assert_eq!(count(acme_partner(2), "2026-12-31").await, 0);
}
