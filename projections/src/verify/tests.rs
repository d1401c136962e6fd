//! Tests of `verify`.

use super::*;
use crate::{
    rebuild::rebuild,
    testing::{History, log_in},
};

#[tokio::test]
async fn a_tampered_row_is_found_in_its_table() {
    let directory = tempfile::tempdir().unwrap();
    let log = log_in(directory.path());
    let mut history = History::new();
    history.partner(1, "Alpha", "silver").protected_deal(2, 1, "2026-06-30");
    history.append_to(&*log, 0).await;
    rebuild(&*log, directory.path(), |_| {}, &CancellationToken::new()).await.unwrap();
    let path = generation::file(&generation::directory(directory.path()).unwrap(), 1);
    let writer = generation::open_writer(&path).unwrap();
    writer.execute("UPDATE levels SET level = 'platinum'", []).unwrap();
    writer.execute("DELETE FROM due WHERE kind = 'deal-activity'", []).unwrap();
    drop(writer);
    let reports = verify(&*log, directory.path()).await.unwrap();
    let differing: Vec<_> = reports.iter().filter(|report| !report.agrees()).collect();
    assert_eq!(differing.iter().map(|report| report.table).collect::<Vec<_>>(), ["levels", "due"]);
    assert_eq!((differing[1].rows_live, differing[1].rows_fresh), (1, 2));
}

#[tokio::test]
async fn events_after_the_live_checkpoint_are_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let log = log_in(directory.path());
    let mut history = History::new();
    history.partner(1, "Alpha", "silver");
    history.append_to(&*log, 0).await;
    rebuild(&*log, directory.path(), |_| {}, &CancellationToken::new()).await.unwrap();
    history.partner(2, "Beta", "silver").append_to(&*log, 2).await;
    let reports = verify(&*log, directory.path()).await.unwrap();
    assert!(reports.iter().all(TableReport::agrees));
    let partners = reports.iter().find(|report| report.table == "partners").unwrap();
    assert_eq!(partners.rows_live, 1);
}

#[tokio::test]
async fn without_read_models_there_is_nothing_to_verify() {
    let directory = tempfile::tempdir().unwrap();
    let log = log_in(directory.path());
    let outcome = verify(&*log, directory.path()).await;
    assert!(matches!(outcome, Err(VerifyError::NothingToVerify)));
}

#[tokio::test]
async fn nothing_is_left_of_a_verification() {
    let directory = tempfile::tempdir().unwrap();
    let log = log_in(directory.path());
    rebuild(&*log, directory.path(), |_| {}, &CancellationToken::new()).await.unwrap();
    verify(&*log, directory.path()).await.unwrap();
    let views = generation::directory(directory.path()).unwrap();
    let left = std::fs::read_dir(views).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().starts_with("verify")));
}
