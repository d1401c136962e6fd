//! The contract suite over this adapter, and what is special to it as a whole.

use std::{fs, path::PathBuf, sync::Arc};

use accord_eventlog::{
    Direction, EventLog, ExpectedRevision, Filter, LogError, NewEvent, Position, RecordedEvent,
    StreamName, Subscription, SubscriptionMessage, contract::Subject, event_log_contract,
};
use async_trait::async_trait;
use tempfile::TempDir;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::SqliteEventLog;

/// A log in a directory of its own.
struct Scratch {
    directory: TempDir,
}

impl Scratch {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    fn log(&self) -> SqliteEventLog {
        SqliteEventLog::open(&self.path("log.db")).unwrap()
    }
}

#[async_trait]
impl Subject for Scratch {
    async fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(self.log())
    }
}

event_log_contract!(Scratch::new());

fn events(count: usize) -> Vec<NewEvent> {
    let event = |_| NewEvent {
        id: Uuid::new_v4(),
        kind: "Tested".into(),
        data: vec![b'd'; 300].into(),
        metadata: vec![b'm'; 500].into(),
    };
    (0..count).map(event).collect()
}

fn stream(id: usize) -> StreamName {
    format!("test-{id}").parse().unwrap()
}

async fn read_all(log: &SqliteEventLog) -> Vec<RecordedEvent> {
    log.read_all(Direction::Forward, None, &Filter::default(), usize::MAX).await.unwrap()
}

async fn take(subscription: &mut Subscription, count: usize) -> Vec<RecordedEvent> {
    let mut seen = Vec::new();
    while seen.len() < count {
        if let SubscriptionMessage::Events(events) = subscription.next().await.unwrap() {
            seen.extend(events);
        }
    }
    seen
}

#[tokio::test]
async fn an_empty_log_has_no_head_and_is_caught_up() {
    let scratch = Scratch::new();
    let log = scratch.log();
    assert_eq!(log.head().await.unwrap(), None);
    let mut subscription = log.subscribe(None, Filter::default()).await.unwrap();
    assert_eq!(subscription.next().await.unwrap(), SubscriptionMessage::CaughtUp(None));
}

#[tokio::test]
async fn a_live_batch_too_large_to_pass_on_is_read_from_disk() {
    let scratch = Scratch::new();
    let log = scratch.log();
    let mut subscription = log.subscribe(None, Filter::default()).await.unwrap();
    assert_eq!(subscription.next().await.unwrap(), SubscriptionMessage::CaughtUp(None));

    for id in 0..3 {
        let data: bytes::Bytes = vec![b'd'; 600_000].into();
        let large = events(2).into_iter().map(|e| NewEvent { data: data.clone(), ..e }).collect();
        log.append(&stream(id), ExpectedRevision::Any, large).await.unwrap();
        log.append(&stream(id), ExpectedRevision::Any, events(1)).await.unwrap();
    }
    assert_eq!(take(&mut subscription, 9).await, read_all(&log).await);
}

#[tokio::test]
async fn positions_have_no_gap_even_after_refusals() {
    let scratch = Scratch::new();
    let log = scratch.log();
    for round in 0..20 {
        log.append(&stream(round), ExpectedRevision::NoStream, events(2)).await.unwrap();
        log.append(&stream(round), ExpectedRevision::NoStream, events(2)).await.unwrap_err();
    }
    let positions: Vec<u64> = read_all(&log).await.iter().map(|event| event.position.0).collect();
    assert_eq!(positions, (1..=40).collect::<Vec<_>>());
}

#[tokio::test]
async fn reads_beyond_all_numbers_are_empty_or_from_the_end() {
    let scratch = Scratch::new();
    let log = scratch.log();
    log.append(&stream(1), ExpectedRevision::Any, events(3)).await.unwrap();
    let (far, max) = (u64::MAX, usize::MAX);
    for (direction, expected) in [(Direction::Forward, 0), (Direction::Backward, 3)] {
        let page = log.read_stream(&stream(1), direction, Some(far), max).await.unwrap();
        assert_eq!(page.len(), expected);
        let filter = Filter::default();
        let page = log.read_all(direction, Some(Position(far)), &filter, max).await.unwrap();
        assert_eq!(page.len(), expected);
    }
}

#[tokio::test]
async fn a_second_writer_is_refused_until_the_first_has_closed() {
    let scratch = Scratch::new();
    let first = scratch.log();
    let refused = SqliteEventLog::open(&scratch.path("log.db")).err().unwrap();
    let LogError::Unavailable(reason) = refused else { panic!("a lock is not a corruption") };
    assert!(reason.to_string().contains("another process is writing"));

    first.close().await;
    let second = scratch.log();
    second.append(&stream(1), ExpectedRevision::Any, events(1)).await.unwrap();
}

#[tokio::test]
async fn a_read_only_log_follows_the_writer_and_never_writes() {
    let scratch = Scratch::new();
    let writer = scratch.log();
    writer.append(&stream(1), ExpectedRevision::Any, events(3)).await.unwrap();

    let reader = SqliteEventLog::open_read_only(&scratch.path("log.db")).unwrap();
    assert_eq!(read_all(&reader).await, read_all(&writer).await);
    let refused = reader.append(&stream(1), ExpectedRevision::Any, events(1)).await;
    assert!(matches!(refused, Err(LogError::Unavailable(_))));

    let mut subscription = reader.subscribe(None, Filter::default()).await.unwrap();
    assert_eq!(take(&mut subscription, 3).await.len(), 3);
    writer.append(&stream(2), ExpectedRevision::Any, events(2)).await.unwrap();
    assert_eq!(take(&mut subscription, 2).await, read_all(&writer).await[3..]);
}

#[tokio::test]
async fn a_closed_log_can_be_read_without_a_writer() {
    let scratch = Scratch::new();
    let writer = scratch.log();
    writer.append(&stream(1), ExpectedRevision::Any, events(3)).await.unwrap();
    drop(writer);
    assert!(!scratch.path("log.db-wal").exists(), "a clean close leaves one file");

    let reader = SqliteEventLog::open_read_only(&scratch.path("log.db")).unwrap();
    assert_eq!(read_all(&reader).await.len(), 3);
}

#[tokio::test]
async fn a_missing_log_is_not_created_by_reading_it() {
    let scratch = Scratch::new();
    assert!(SqliteEventLog::open_read_only(&scratch.path("missing.db")).is_err());
    assert!(!scratch.path("missing.db").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_commits_what_is_queued_and_ends_the_rest() {
    let scratch = Scratch::new();
    let log = Arc::new(scratch.log());
    let mut subscription = log.subscribe(None, Filter::default()).await.unwrap();
    let mut tasks = JoinSet::new();
    for id in 0..200 {
        let log = Arc::clone(&log);
        tasks.spawn(async move { log.append(&stream(id), ExpectedRevision::Any, events(1)).await });
    }
    log.close().await;
    log.close().await;

    let outcomes = tasks.join_all().await;
    let acknowledged = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    for outcome in outcomes {
        assert!(matches!(outcome, Ok(_) | Err(LogError::Unavailable(_))), "got {outcome:?}");
    }
    while subscription.next().await.is_ok() {}
    assert!(log.subscribe(None, Filter::default()).await.is_err());
    let late = log.append(&stream(1), ExpectedRevision::Any, events(1)).await;
    assert!(matches!(late, Err(LogError::Unavailable(_))));
    assert_eq!(read_all(&scratch.log()).await.len(), acknowledged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_among_appends_is_a_whole_log() {
    let scratch = Scratch::new();
    let log = Arc::new(scratch.log());
    log.append(&stream(0), ExpectedRevision::Any, events(500)).await.unwrap();
    let before = read_all(&log).await;
    let mut tasks = JoinSet::new();
    for id in 0..8 {
        let log = Arc::clone(&log);
        tasks.spawn(async move {
            for _ in 0..50 {
                log.append(&stream(id), ExpectedRevision::Any, events(3)).await.unwrap();
            }
        });
    }
    log.backup(&scratch.path("copy.db")).await.unwrap();
    tasks.join_all().await;

    assert!(log.backup(&scratch.path("copy.db")).await.is_err(), "never overwritten");
    assert!(!scratch.path("copy.db.part").exists());
    let all = read_all(&log).await;
    let copy = SqliteEventLog::open(&scratch.path("copy.db")).unwrap();
    let copied = read_all(&copy).await;
    assert!(copied.len() >= before.len());
    assert_eq!(copied, all[..copied.len()]);
    assert_eq!(copied.len() % 3, 500 % 3, "no append is cut in two");
    copy.append(&stream(1), ExpectedRevision::Any, events(1)).await.unwrap();
}

/// Until the first checkpoint the data file stays as it is and the write-ahead log only grows, so
/// that copies of both, made one after the other, are what a killed process leaves behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_left_by_a_kill_amid_appends_hold_everything_acknowledged() {
    let scratch = Scratch::new();
    let log = Arc::new(scratch.log());
    let mut acknowledged = Vec::new();
    for id in 0..50 {
        let appended = log.append(&stream(id), ExpectedRevision::Any, events(2)).await.unwrap();
        acknowledged.push(appended.position);
    }
    let mut tasks = JoinSet::new();
    for id in 0..8 {
        let log = Arc::clone(&log);
        tasks.spawn(async move {
            for _ in 0..20 {
                log.append(&stream(id), ExpectedRevision::Any, events(2)).await.unwrap();
            }
        });
    }
    for suffix in ["", "-wal"] {
        let from = scratch.path(&format!("log.db{suffix}"));
        fs::copy(from, scratch.path(&format!("killed.db{suffix}"))).unwrap();
    }
    tasks.join_all().await;

    let all = read_all(&log).await;
    let killed = SqliteEventLog::open(&scratch.path("killed.db")).unwrap();
    let left = read_all(&killed).await;
    assert!(left.last().map(|event| event.position) >= acknowledged.last().copied());
    assert_eq!(left, all[..left.len()]);
    assert_eq!(left.len() % 2, 0, "no append is cut in two");
    killed.append(&stream(1), ExpectedRevision::StreamExists, events(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_nobody_waits_for_still_lands_once() {
    let scratch = Scratch::new();
    let log = Arc::new(scratch.log());
    let batch = events(2);
    let task = tokio::spawn({
        let (log, batch) = (Arc::clone(&log), batch.clone());
        async move { log.append(&stream(1), ExpectedRevision::NoStream, batch).await }
    });
    task.abort();
    let _ = task.await;

    let appended = log.append(&stream(1), ExpectedRevision::NoStream, batch).await.unwrap();
    assert_eq!((appended.revision, appended.position), (1, Position(2)));
    assert_eq!(read_all(&log).await.len(), 2);
}
