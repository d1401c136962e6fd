//! What a case works with: an open log, stream names that nobody else uses, and sample events.

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use uuid::Uuid;

use super::Subject;
use crate::{
    Appended, Direction, EventLog, ExpectedRevision, Filter, LogError, NewEvent, Position,
    RecordedEvent, StreamName, Subscription, SubscriptionMessage,
};

/// Longer than any case needs on a busy machine; only a broken adapter waits so long.
const DEADLINE: Duration = Duration::from_secs(120);

/// One case's part of the log.
pub(super) struct Scene {
    pub(super) log: Arc<dyn EventLog>,
    /// The head before the case began: reads and subscriptions start here.
    pub(super) start: Option<Position>,
    category: String,
}

impl Scene {
    pub(super) async fn open(subject: &dyn Subject) -> Self {
        let log = subject.open().await;
        let start = log.head().await.expect("the head is readable");
        Self { log, start, category: format!("case{}", Uuid::new_v4().simple()) }
    }

    /// Closes the log and opens it again.
    pub(super) async fn restarted(self, subject: &dyn Subject) -> Self {
        let Self { log, start, category } = self;
        Self { log: subject.reopen(log).await, start, category }
    }

    /// A stream of this case.
    pub(super) fn stream(&self, id: impl std::fmt::Display) -> StreamName {
        format!("{}-{id}", self.category).parse().expect("a valid stream name")
    }

    /// Lets through what this case wrote.
    pub(super) fn filter(&self) -> Filter {
        Filter { stream_prefixes: vec![format!("{}-", self.category)], ..Filter::default() }
    }

    /// Appends, where the case expects success.
    pub(super) async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Appended {
        self.log.append(stream, expected, events).await.expect("the append is accepted")
    }

    /// The whole stream, oldest first.
    pub(super) async fn read(&self, stream: &StreamName) -> Vec<RecordedEvent> {
        self.log.read_stream(stream, Direction::Forward, None, 10_000).await.expect("readable")
    }

    /// Everything this case wrote, in the log's order.
    pub(super) async fn read_all(&self) -> Vec<RecordedEvent> {
        self.log
            .read_all(Direction::Forward, self.start, &self.filter(), 100_000)
            .await
            .expect("readable")
    }

    /// Subscribes to what this case writes.
    pub(super) async fn subscribe(&self, from: Option<Position>) -> Subscription {
        self.log.subscribe(from, self.filter()).await.expect("a subscription")
    }
}

/// A small event with a fresh id.
pub(super) fn event() -> NewEvent {
    event_of_kind("ContractTested")
}

/// A small event of this type with a fresh id.
pub(super) fn event_of_kind(kind: &str) -> NewEvent {
    let id = Uuid::new_v4();
    NewEvent {
        id,
        kind: kind.into(),
        data: Bytes::from(format!(r#"{{"of":"{id}"}}"#)),
        metadata: Bytes::from_static(br#"{"actor":"contract"}"#),
    }
}

/// Small events with fresh ids.
pub(super) fn events(count: usize) -> Vec<NewEvent> {
    (0..count).map(|_| event()).collect()
}

/// Ids in order, to compare what was written with what came back.
pub(super) fn ids(events: &[RecordedEvent]) -> Vec<Uuid> {
    events.iter().map(|event| event.id).collect()
}

/// Ids in order of events not yet recorded.
pub(super) fn new_ids(events: &[NewEvent]) -> Vec<Uuid> {
    events.iter().map(|event| event.id).collect()
}

/// Asserts that an append was refused because the stream is at `actual`.
#[track_caller]
pub(super) fn assert_wrong_version<T: std::fmt::Debug>(
    outcome: Result<T, LogError>,
    expected_actual: Option<u64>,
) {
    match outcome {
        Err(LogError::WrongExpectedVersion { actual, .. }) => {
            assert_eq!(actual, expected_actual, "the refusal names the actual revision");
        }
        other => panic!("expected WrongExpectedVersion at {expected_actual:?}, got {other:?}"),
    }
}

/// Fails the case instead of waiting for ever.
pub(super) async fn within_deadline<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("the log answers before the deadline")
}

/// The next message of a healthy subscription.
pub(super) async fn next(subscription: &mut Subscription) -> SubscriptionMessage {
    within_deadline(subscription.next()).await.expect("the subscription runs")
}

/// Events until the subscription has caught up, and the position it then tells.
pub(super) async fn until_caught_up(
    subscription: &mut Subscription,
) -> (Vec<RecordedEvent>, Option<Position>) {
    let mut seen = Vec::new();
    loop {
        match next(subscription).await {
            SubscriptionMessage::Events(events) => {
                assert!(!events.is_empty(), "a message of events is never empty");
                seen.extend(events);
            }
            SubscriptionMessage::CaughtUp(position) => return (seen, position),
        }
    }
}

/// At least `count` events, whether historical or live.
pub(super) async fn take(subscription: &mut Subscription, count: usize) -> Vec<RecordedEvent> {
    let mut seen = Vec::new();
    while seen.len() < count {
        if let SubscriptionMessage::Events(events) = next(subscription).await {
            assert!(!events.is_empty(), "a message of events is never empty");
            seen.extend(events);
        }
    }
    seen
}
