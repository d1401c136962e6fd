//! Tests of `runner`.

use std::sync::atomic::{AtomicU32, Ordering};

use accord_eventlog::{Appended, Direction, ExpectedRevision, NewEvent, StreamName, Subscription};
use async_trait::async_trait;

use super::*;
use crate::{
    DealFilter, Rebuilt, rebuild,
    testing::{History, acme, log_in},
    verify,
};

const PATIENCE: Duration = Duration::from_secs(60);

fn deals(count: u128) -> History {
    let mut history = History::new();
    for id in 0..count {
        history.protected_deal(id, 1, "2026-06-30");
    }
    history
}

#[tokio::test]
async fn the_read_models_follow_what_is_appended() {
    let directory = tempfile::tempdir().unwrap();
    let log = log_in(directory.path());
    let views = Views::open(directory.path()).unwrap();
    let runner = Runner::start(log.clone(), Arc::clone(&views));
    let position = deals(5).append_to(&*log, 0).await;
    views.wait_for(position, PATIENCE).await.unwrap();
    assert_eq!(views.deals(acme(), DealFilter::default()).await.unwrap().items.len(), 5);
    let status = views.status();
    assert_eq!((status.checkpoint, status.folded), (Some(position.0), 15));
    runner.stop().await;
}

#[tokio::test]
async fn after_a_restart_the_fold_goes_on_at_its_checkpoint() {
    let directory = tempfile::tempdir().unwrap();
    let log = log_in(directory.path());
    let history = deals(10);
    for part in [0, 12, 20] {
        let views = Views::open(directory.path()).unwrap();
        let runner = Runner::start(log.clone(), Arc::clone(&views));
        let position = history.append_to(&*log, part).await;
        views.wait_for(position, PATIENCE).await.unwrap();
        runner.stop().await;
    }
    let reports = verify(&*log, directory.path()).await.unwrap();
    assert!(reports.iter().all(crate::TableReport::agrees));
    let status = Views::open(directory.path()).unwrap().status();
    assert_eq!(Some(status.folded), log.head().await.unwrap().map(|head| head.0));
}

#[tokio::test]
async fn a_quarantined_event_is_counted_and_what_follows_is_folded() {
    let directory = tempfile::tempdir().unwrap();
    let log = log_in(directory.path());
    let mut history = History::new();
    history.add("deal", 9, "DealTeleported", serde_json::json!({}));
    history.protected_deal(1, 1, "2026-06-30");
    let views = Views::open(directory.path()).unwrap();
    let runner = Runner::start(log.clone(), Arc::clone(&views));
    let position = history.append_to(&*log, 0).await;
    views.wait_for(position, PATIENCE).await.unwrap();
    assert_eq!(views.status().quarantined, 1);
    assert_eq!(views.deals(acme(), DealFilter::default()).await.unwrap().items.len(), 1);
    runner.stop().await;
}

#[tokio::test]
async fn read_models_of_another_version_are_built_anew_before_they_are_served() {
    let directory = tempfile::tempdir().unwrap();
    let log = log_in(directory.path());
    let position = deals(3).append_to(&*log, 0).await;
    let rebuilt = rebuild(&*log, directory.path(), |_| {}, &CancellationToken::new()).await;
    assert!(matches!(rebuilt, Ok(Rebuilt::Swapped { generation: 1, .. })));
    let path = generation::file(&generation::directory(directory.path()).unwrap(), 1);
    let writer = generation::open_writer(&path).unwrap();
    writer.execute("UPDATE projection_versions SET version = 99", []).unwrap();
    drop(writer);
    let views = Views::open(directory.path()).unwrap();
    let runner = Runner::start(log.clone(), Arc::clone(&views));
    views.wait_for(position, PATIENCE).await.unwrap();
    assert_eq!(views.deals(acme(), DealFilter::default()).await.unwrap().items.len(), 3);
    assert_eq!(generation::current(views.directory()).unwrap(), Some(2));
    runner.stop().await;
}

#[tokio::test]
async fn a_log_that_fails_is_subscribed_to_again() {
    let directory = tempfile::tempdir().unwrap();
    let inner = log_in(directory.path());
    let position = deals(2).append_to(&*inner, 0).await;
    let log = Arc::new(Unreliable { inner, failures_left: AtomicU32::new(1) });
    let views = Views::open(directory.path()).unwrap();
    let runner = Runner::start(log.clone(), Arc::clone(&views));
    views.wait_for(position, PATIENCE).await.unwrap();
    let last = deals(3).append_to(&*log, 6).await;
    views.wait_for(last, PATIENCE).await.unwrap();
    assert_eq!(log.failures_left.load(Ordering::Relaxed), 0);
    runner.stop().await;
}

/// A log whose first subscriptions fail.
struct Unreliable {
    inner: Arc<dyn EventLog>,
    failures_left: AtomicU32,
}

#[async_trait]
impl EventLog for Unreliable {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, LogError> {
        self.inner.append(stream, expected, events).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        direction: Direction,
        from: Option<u64>,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        self.inner.read_stream(stream, direction, from, max).await
    }

    async fn read_all(
        &self,
        direction: Direction,
        from: Option<Position>,
        filter: &Filter,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        self.inner.read_all(direction, from, filter, max).await
    }

    async fn subscribe(
        &self,
        from: Option<Position>,
        filter: Filter,
    ) -> Result<Subscription, LogError> {
        let left = self.failures_left.load(Ordering::Relaxed);
        if left > 0 {
            self.failures_left.store(left - 1, Ordering::Relaxed);
            return Err(LogError::Unavailable("on purpose".into()));
        }
        self.inner.subscribe(from, filter).await
    }

    async fn head(&self) -> Result<Option<Position>, LogError> {
        self.inner.head().await
    }
}
