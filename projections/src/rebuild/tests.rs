//! Tests of `rebuild`.

use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    PartnerFilter, Runner, Views,
    testing::{History, acme, log_in},
    verify::verify,
};

fn partners(from: u128, to: u128) -> History {
    let mut history = History::new();
    for id in from..to {
        history.partner(id, &format!("Partner {id}"), "silver");
    }
    history
}

async fn count(views: &Views) -> usize {
    let filter = PartnerFilter { limit: Some(200), ..PartnerFilter::default() };
    views.partners(acme(), filter).await.unwrap().items.len()
}

async fn rebuild_now(log: &dyn EventLog, data_dir: &Path) -> Rebuilt {
    rebuild(log, data_dir, |_| {}, &CancellationToken::new()).await.unwrap()
}

#[tokio::test]
async fn a_rebuild_makes_the_same_tables_as_following() {
    let directory = tempfile::tempdir().unwrap();
    let log = log_in(directory.path());
    partners(0, 30).append_to(&*log, 0).await;
    let rebuilt = rebuild_now(&*log, directory.path()).await;
    assert!(matches!(rebuilt, Rebuilt::Swapped { generation: 1, folded: 60, quarantined: 0, .. }));
    let reports = verify(&*log, directory.path()).await.unwrap();
    assert!(reports.iter().all(crate::TableReport::agrees));
    assert_eq!(count(&Views::open(directory.path()).unwrap()).await, 30);
}

#[tokio::test]
async fn a_rebuild_of_an_empty_log_is_live_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let log = log_in(directory.path());
    let rebuilt = rebuild_now(&*log, directory.path()).await;
    assert!(matches!(rebuilt, Rebuilt::Swapped { position: None, .. }));
    assert_eq!(count(&Views::open(directory.path()).unwrap()).await, 0);
}

#[tokio::test]
async fn a_running_server_takes_the_new_generation_over_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let log = log_in(directory.path());
    let position = partners(0, 10).append_to(&*log, 0).await;
    let views = Views::open(directory.path()).unwrap();
    let runner = Runner::start(log.clone(), Arc::clone(&views));
    views.wait_for(position, Duration::from_secs(60)).await.unwrap();
    let rebuilt = rebuild_now(&*log, directory.path()).await;
    assert!(matches!(rebuilt, Rebuilt::Swapped { generation: 2, .. }));
    let old = generation::file(views.directory(), 1);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    while old.exists() {
        assert!(tokio::time::Instant::now() < deadline, "the old generation is still there");
        assert_eq!(count(&views).await, 10);
        looks.tick().await;
    }
    let position = partners(10, 12).append_to(&*log, 0).await;
    views.wait_for(position, Duration::from_secs(60)).await.unwrap();
    assert_eq!(count(&views).await, 12);
    runner.stop().await;
}

#[tokio::test]
async fn a_cancelled_rebuild_leaves_the_live_one_alone_and_is_resumed() {
    let directory = tempfile::tempdir().unwrap();
    let log = log_in(directory.path());
    partners(0, 10).append_to(&*log, 0).await;
    rebuild_now(&*log, directory.path()).await;
    // What an interrupted rebuild leaves: a part of the log with its checkpoint.
    let views = generation::directory(directory.path()).unwrap();
    let (forward, all) = (accord_eventlog::Direction::Forward, Default::default());
    let events = log.read_all(forward, None, &all, 7);
    let decoded: Vec<_> = events.await.unwrap().iter().map(crate::event::decode).collect();
    let writer = generation::open_writer(&generation::file(&views, 2)).unwrap();
    crate::fold::Folder::following(writer).unwrap().fold(&decoded).unwrap();

    let cancel = CancellationToken::new();
    cancel.cancel();
    let cancelled = rebuild(&*log, directory.path(), |_| {}, &cancel).await.unwrap();
    assert!(matches!(cancelled, Rebuilt::Cancelled { position: Some(_) }));
    assert_eq!(generation::current(&views).unwrap(), Some(1));

    let resumed = rebuild_now(&*log, directory.path()).await;
    assert!(matches!(resumed, Rebuilt::Swapped { generation: 2, folded: 20, .. }));
    let reports = verify(&*log, directory.path()).await.unwrap();
    assert!(reports.iter().all(crate::TableReport::agrees));
}

#[tokio::test]
async fn what_was_built_before_the_machine_went_down_is_not_trusted() {
    let directory = tempfile::tempdir().unwrap();
    let log = log_in(directory.path());
    partners(0, 3).append_to(&*log, 0).await;
    let views = generation::directory(directory.path()).unwrap();
    std::fs::write(views.join("rebuild.lock"), "another start of the machine").unwrap();
    drop(generation::open_builder(&generation::file(&views, 1)).unwrap());
    let rebuilt = rebuild_now(&*log, directory.path()).await;
    assert!(matches!(rebuilt, Rebuilt::Swapped { generation: 2, folded: 6, .. }));
    assert_eq!(generation::numbers(&views).unwrap(), [2]);
}

#[tokio::test]
async fn a_half_made_file_is_begun_again() {
    let directory = tempfile::tempdir().unwrap();
    let log = log_in(directory.path());
    partners(0, 3).append_to(&*log, 0).await;
    let views = generation::directory(directory.path()).unwrap();
    std::fs::write(generation::file(&views, 1), b"not a database").unwrap();
    let rebuilt = rebuild_now(&*log, directory.path()).await;
    assert!(matches!(rebuilt, Rebuilt::Swapped { folded: 6, .. }));
}

#[tokio::test]
async fn two_rebuilds_do_not_run_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let log = log_in(directory.path());
    let views = generation::directory(directory.path()).unwrap();
    let lock = File::create(views.join("rebuild.lock")).unwrap();
    lock.lock().unwrap();
    let outcome = rebuild(&*log, directory.path(), |_| {}, &CancellationToken::new()).await;
    assert!(matches!(outcome, Err(BuildError::AlreadyRunning)));
}

#[tokio::test]
async fn progress_ends_at_the_head() {
    let directory = tempfile::tempdir().unwrap();
    let log = log_in(directory.path());
    let head = partners(0, 5).append_to(&*log, 0).await;
    let (tell, told) = std::sync::mpsc::channel();
    let progress = move |progress| tell.send(progress).unwrap();
    rebuild(&*log, directory.path(), progress, &CancellationToken::new()).await.unwrap();
    let last = told.iter().last().unwrap();
    assert_eq!((last.done, last.position, last.head, last.eta_ms), (10, head.0, head.0, Some(0)));
}
