//! The server killed again and again under writers and a reader.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use accord_eventlog::{
    Appended, Direction, EventLog, ExpectedRevision, Filter, LogError, NewEvent, Position,
    RecordedEvent, StreamName, SubscriptionMessage,
};
use tokio::{sync::watch, task::JoinSet};
use uuid::Uuid;

use super::server::Place;
use crate::KurrentLog;

const KILLS: usize = 50;
const WRITERS: usize = 64;
/// Appends acknowledged between two kills, so that every life of the server is one of work.
const APPENDS_PER_LIFE: u64 = 200;
const TIME_MAX: Duration = Duration::from_secs(60);

struct Work {
    log: KurrentLog,
    acknowledged: AtomicU64,
    done: AtomicBool,
}

/// Appends to a stream of its own until the work is done, each event until it is acknowledged.
async fn write(work: Arc<Work>, writer: usize) -> (StreamName, Vec<(Uuid, Appended)>) {
    let stream: StreamName = format!("writer-{writer}").parse().unwrap();
    let mut acknowledged = Vec::new();
    let mut expected = ExpectedRevision::NoStream;
    while !work.done.load(Ordering::Relaxed) {
        let id = Uuid::new_v4();
        let (data, metadata) = (id.as_bytes().to_vec().into(), writer.to_string().into());
        let event = NewEvent { id, kind: "Written".into(), data, metadata };
        let appended = loop {
            match work.log.append(&stream, expected, vec![event.clone()]).await {
                Ok(appended) => break appended,
                Err(LogError::Unavailable(_)) => {}
                Err(error) => panic!("a retry at {expected} must find itself: {error}"),
            }
        };
        acknowledged.push((id, appended));
        expected = ExpectedRevision::Exact(appended.revision);
        work.acknowledged.fetch_add(1, Ordering::Relaxed);
    }
    (stream, acknowledged)
}

/// Reads everything from the beginning, telling how far it is.
async fn read(
    work: Arc<Work>,
    reached: watch::Sender<Position>,
    mut enough: watch::Receiver<Position>,
) -> Vec<RecordedEvent> {
    let mut subscription = work.log.subscribe(None, Filter::default()).await.unwrap();
    let mut seen: Vec<RecordedEvent> = Vec::new();
    loop {
        let message = tokio::select! {
            message = subscription.next() => message.unwrap(),
            _ = enough.wait_for(|enough| *enough <= *reached.borrow()) => return seen,
        };
        if let SubscriptionMessage::Events(events) = message {
            let last = events.last().unwrap().position;
            seen.extend(events);
            reached.send_replace(last);
        }
    }
}

async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(TIME_MAX, waiting).await.expect("the work goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_lose_nothing_that_was_acknowledged_and_deliver_everything_once() {
    let place = Place::running().await;
    let (acknowledged, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let work = Arc::new(Work { log: place.log(), acknowledged, done });
    let (enough, all) = watch::channel(Position(u64::MAX));
    let (reached, _) = watch::channel(Position(0));
    let reader = tokio::spawn(read(Arc::clone(&work), reached, all));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(Arc::clone(&work), writer));
    }

    for _ in 0..KILLS {
        let before = work.acknowledged.load(Ordering::Relaxed);
        until(|| work.acknowledged.load(Ordering::Relaxed) >= before + APPENDS_PER_LIFE).await;
        place.kill().await;
        place.start().await;
    }
    work.done.store(true, Ordering::Relaxed);
    let written = writers.join_all().await;
    let head = work.log.head().await.unwrap().unwrap();
    enough.send_replace(head);
    let seen =
        tokio::time::timeout(TIME_MAX, reader).await.expect("the reader catches up").unwrap();

    let forward = Direction::Forward;
    let stored = work.log.read_all(forward, None, &Filter::default(), usize::MAX).await.unwrap();
    assert!(seen == stored, "{} events were delivered, {} stored", seen.len(), stored.len());
    let places: HashMap<Uuid, &RecordedEvent> =
        stored.iter().map(|event| (event.id, event)).collect();
    assert_eq!(places.len(), stored.len(), "an event is stored twice");
    let mut acknowledged = 0;
    for (stream, events) in written {
        for (index, (id, appended)) in events.iter().enumerate() {
            let event = places.get(id).expect("what was acknowledged is stored");
            assert_eq!((&event.stream, event.revision), (&stream, index as u64));
            assert_eq!((appended.revision, appended.position), (event.revision, event.position));
        }
        acknowledged += events.len();
    }
    assert_eq!(acknowledged, stored.len(), "something was stored that nobody wrote");
    assert!(acknowledged as u64 >= KILLS as u64 * APPENDS_PER_LIFE);
}
