//! Tests of `views`.

use super::*;
use crate::{
    PartnerFilter,
    testing::{History, acme},
};

#[tokio::test]
async fn without_read_models_a_query_says_that_they_are_being_built() {
    let directory = tempfile::tempdir().unwrap();
    let views = Views::open(directory.path()).unwrap();
    let outcome = views.partners(acme(), PartnerFilter::default()).await;
    assert!(matches!(outcome, Err(QueryError::Building)));
}

#[tokio::test]
async fn read_models_of_another_program_version_are_not_answered_from() {
    let mut history = History::new();
    history.partner(1, "Alpha", "silver");
    let folded = history.folded();
    let path = generation::file(folded.views.directory(), 1);
    let writer = generation::open_writer(&path).unwrap();
    writer.execute("UPDATE projection_versions SET version = 99 WHERE name = 'deals'", []).unwrap();
    let views = Views::open(folded.directory.path()).unwrap();
    let outcome = views.partners(acme(), PartnerFilter::default()).await;
    assert!(matches!(outcome, Err(QueryError::Building)));
}

#[tokio::test]
async fn a_position_that_is_reached_needs_no_waiting() {
    let mut history = History::new();
    history.partner(1, "Alpha", "silver");
    let folded = history.folded();
    let views = &folded.views;
    assert_eq!(views.wait_for(Position(20), Duration::ZERO).await, Ok(()));
}

#[tokio::test]
async fn waiting_for_a_position_that_never_comes_ends_in_time() {
    let mut history = History::new();
    history.partner(1, "Alpha", "silver");
    let folded = history.folded();
    let views = &folded.views;
    let outcome = views.wait_for(Position(21), Duration::from_millis(5)).await;
    let expected = Behind { wanted: Position(21), reached: Some(Position(20)) };
    assert_eq!(outcome, Err(expected));
}

#[tokio::test]
async fn a_position_that_comes_ends_the_waiting() {
    let folded = History::new().folded();
    let views = &folded.views;
    let waiting = Arc::clone(views);
    let waiting =
        tokio::spawn(async move { waiting.wait_for(Position(7), Duration::from_secs(60)).await });
    views.publish(Some(Position(7)));
    assert_eq!(waiting.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_foreign_cursor_and_a_wrong_limit_are_refused() {
    let folded = History::new().folded();
    let views = &folded.views;
    let ask = |limit, cursor: Option<&str>| {
        let cursor = cursor.map(str::to_owned);
        views.partners(acme(), PartnerFilter { limit, cursor, ..PartnerFilter::default() })
    };
    assert!(matches!(ask(Some(0), None).await, Err(QueryError::InvalidLimit { limit_max: 200 })));
    assert!(matches!(ask(Some(201), None).await, Err(QueryError::InvalidLimit { .. })));
    for cursor in ["!", "e30", "WzEsMl0"] {
        let outcome = ask(None, Some(cursor)).await;
        assert!(matches!(outcome, Err(QueryError::InvalidCursor)), "{cursor}");
    }
}

#[tokio::test]
async fn a_query_that_panics_does_not_take_its_reader_with_it() {
    let folded = History::new().folded();
    let views = &folded.views;
    for _ in 0..5 {
        let outcome = views.query::<()>(|_| panic!("on purpose")).await;
        assert!(matches!(outcome, Err(QueryError::Closed)));
    }
    assert_eq!(views.query(|_| Ok(7)).await.unwrap(), 7);
}

#[tokio::test]
async fn the_quarantine_can_be_looked_at() {
    let mut history = History::new();
    history.add("deal", 1, "DealTeleported", serde_json::json!({}));
    let folded = history.folded();
    let views = &folded.views;
    assert_eq!(views.status().quarantined, 1);
    let quarantined = views.quarantine().await.unwrap();
    assert_eq!((quarantined[0].position, quarantined[0].kind.as_str()), (10, "DealTeleported"));
    assert!(quarantined[0].error.contains("DealTeleported"), "{}", quarantined[0].error);
}
