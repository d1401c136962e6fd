//! Tests of `levels`.

use serde_json::json;

use super::*;
use crate::testing::{History, acme, acme_partner, day, partner};

fn promoted() -> History {
    let mut history = History::new();
    history.partner(1, "Alpha", "silver").partner(2, "Beta", "silver").on("2026-05-02").add(
        "partner",
        1,
        "LevelChanged",
        json!({"track": "partner", "from": "silver", "to": "gold",
            "cause": {"kind": "review", "review": uuid::Uuid::from_u128(9)}, "reason": "earned"}),
    );
    history
}

#[tokio::test]
async fn a_level_tells_since_when_and_why() {
    let folded = promoted().folded();
    let page = folded.views.levels(acme_partner(1), LevelFilter::default()).await.unwrap();
    let row = &page.items[0];
    assert_eq!(row.level, "gold".parse().ok());
    assert_eq!(row.since, Some(day("2026-05-02")));
    assert_eq!(row.reason.as_deref(), Some("earned"));
}

#[tokio::test]
async fn the_history_names_every_change_and_its_review() {
    let folded = promoted().folded();
    let history = folded.views.level_history(acme(), partner(1)).await.unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(history[0].to_level, "silver".parse().ok());
    assert_eq!(history[1].from_level, "silver".parse().ok());
    assert_eq!(history[1].review, Some(LevelReviewId(uuid::Uuid::from_u128(9))));
}

#[tokio::test]
async fn leaving_a_track_takes_its_level_off_the_list() {
    let mut history = promoted();
    history.add("partner", 1, "TrackLeft", json!({"track": "partner"}));
    let folded = history.folded();
    let page = folded.views.levels(acme(), LevelFilter::default()).await.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].partner, partner(2));
}

#[tokio::test]
async fn the_report_names_the_company() {
    let folded = promoted().folded();
    let filter = LevelFilter { level: "gold".parse().ok(), ..LevelFilter::default() };
    let page = folded.views.report_levels(acme(), filter).await.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].company, "Alpha");
}

#[tokio::test]
async fn the_reporting_view_is_there_for_sql() {
    let folded = promoted().folded();
    let rows = folded.views.query(|connection| {
        let sql = "SELECT company, level, since FROM report_levels ORDER BY company";
        let mut select = connection.prepare(sql)?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect::<Result<Vec<(String, String, String)>, _>>()
    });
    let expected = [("Alpha", "gold", "2026-05-02"), ("Beta", "silver", "2026-01-01")];
    let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
    assert_eq!(rows.await.unwrap(), expected);
}

#[tokio::test]
async fn a_new_application_replaces_the_track_of_a_declined_one() {
    let applied = |track: &str| {
        let company = crate::testing::company("Alpha");
        json!({"company": company, "track": track, "contacts": []})
    };
    let mut history = History::new();
    history
        .add("partner", 1, "PartnerApplied", applied("reseller"))
        .add("partner", 1, "PartnerDeclined", json!({"reason": "too early"}))
        .add("partner", 1, "PartnerApplied", applied("partner"));
    let folded = history.folded();
    let page = folded.views.levels(acme(), LevelFilter::default()).await.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].track.as_str(), "partner");
}
