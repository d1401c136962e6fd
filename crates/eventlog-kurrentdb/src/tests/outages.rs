//! A server that is away, comes late, or never answers.

use std::{sync::Arc, time::Duration};

use accord_eventlog::{
    Direction, EventLog, ExpectedRevision, Filter, LogError, NewEvent, StreamName,
    SubscriptionMessage,
};
use tokio::{net::TcpListener, time::Instant};
use uuid::Uuid;

use super::server::Place;
use crate::{Address, KurrentLog};

const TIME_MAX: Duration = Duration::from_secs(30);
/// What people are promised.
const HEALING_TIME_MAX: Duration = Duration::from_secs(10);

fn event() -> NewEvent {
    let id = Uuid::new_v4();
    NewEvent { id, kind: "Tested".into(), data: "{}".into(), metadata: "{}".into() }
}

fn stream() -> StreamName {
    "test-1".parse().unwrap()
}

async fn append(log: &KurrentLog) -> Result<u64, LogError> {
    let appended = log.append(&stream(), ExpectedRevision::Any, vec![event()]).await;
    appended.map(|appended| appended.revision)
}

#[tokio::test]
async fn every_call_fails_within_its_time_while_the_server_is_away_and_then_at_once() {
    let log = Place::new().log();
    let began = Instant::now();
    assert!(matches!(append(&log).await, Err(LogError::Unavailable(_))));
    assert!(began.elapsed() < Duration::from_secs(5), "took {:?}", began.elapsed());

    let began = Instant::now();
    let (forward, all) = (Direction::Forward, Filter::default());
    assert!(matches!(log.head().await, Err(LogError::Unavailable(_))));
    assert!(matches!(log.read_all(forward, None, &all, 1).await, Err(LogError::Unavailable(_))));
    let read = log.read_stream(&stream(), forward, None, 1).await;
    assert!(matches!(read, Err(LogError::Unavailable(_))));
    assert!(began.elapsed() < Duration::from_secs(2), "took {:?}", began.elapsed());
}

#[tokio::test]
async fn a_server_that_accepts_and_never_answers_is_unavailable_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let accepting = tokio::spawn(async move {
        let mut kept = Vec::new();
        loop {
            kept.push(silent.accept().await.unwrap());
        }
    });
    let log = KurrentLog::new(Address::parse(&format!("esdb://{address}?tls=false")).unwrap());
    let outcome = tokio::time::timeout(TIME_MAX, log.head()).await.expect("the call ends");
    assert!(matches!(outcome, Err(LogError::Unavailable(_))));
    accepting.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_and_its_subscription_begin_to_work_when_the_server_comes() {
    let place = Place::new();
    let log = place.log();
    let mut subscription = log.subscribe(None, Filter::default()).await.unwrap();
    assert!(append(&log).await.is_err());

    place.start().await;
    let began = Instant::now();
    while append(&log).await.is_err() {
        assert!(began.elapsed() < HEALING_TIME_MAX);
    }
    let told = loop {
        let next = tokio::time::timeout(HEALING_TIME_MAX, subscription.next()).await;
        if let SubscriptionMessage::Events(events) = next.expect("it heals in time").unwrap() {
            break events;
        }
    };
    assert_eq!(told.len(), 1);
    assert!(began.elapsed() < HEALING_TIME_MAX);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_catches_up_again_after_the_server_was_away() {
    let place = Place::running().await;
    let log = place.log();
    append(&log).await.unwrap();
    let mut subscription = log.subscribe(None, Filter::default()).await.unwrap();
    let mut next = async || tokio::time::timeout(TIME_MAX, subscription.next()).await.unwrap();
    assert!(matches!(next().await, Ok(SubscriptionMessage::Events(events)) if events.len() == 1));
    let head = log.head().await.unwrap();
    assert_eq!(next().await.unwrap(), SubscriptionMessage::CaughtUp(head));
    append(&log).await.unwrap();
    assert!(matches!(next().await, Ok(SubscriptionMessage::Events(events)) if events.len() == 1));

    let head = log.head().await.unwrap();
    place.kill().await;
    place.start().await;
    assert_eq!(next().await.unwrap(), SubscriptionMessage::CaughtUp(head));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_that_never_read_do_not_hold_up_anybody_else() {
    let place = Place::running().await;
    let log = Arc::new(place.log());
    let mut idle = Vec::new();
    for _ in 0..16 {
        idle.push(log.subscribe(None, Filter::default()).await.unwrap());
    }
    let large = NewEvent { data: vec![b'x'; 256 * 1024].into(), ..event() };
    for _ in 0..100 {
        let event = NewEvent { id: Uuid::new_v4(), ..large.clone() };
        let stream = stream();
        let appended = log.append(&stream, ExpectedRevision::Any, vec![event]);
        tokio::time::timeout(TIME_MAX, appended).await.expect("appends go on").unwrap();
    }
    let mut reader = log.subscribe(None, Filter::default()).await.unwrap();
    let mut seen = 0;
    while seen < 100 {
        let next = tokio::time::timeout(TIME_MAX, reader.next()).await;
        if let SubscriptionMessage::Events(events) = next.expect("reads go on").unwrap() {
            seen += events.len();
        }
    }
}
