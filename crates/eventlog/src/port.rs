//! The [`EventLog`] trait and its vocabulary.

use std::fmt;

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::{NewEvent, Position, RecordedEvent, StreamName};

/// Largest event accepted: data and metadata together, in bytes (1 MiB, as EventStoreDB's default).
pub const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// What the writer believes about the stream's last revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedRevision {
    /// Nothing: append whatever is there.
    Any,
    /// The stream has no event yet.
    NoStream,
    /// The stream has at least one event.
    StreamExists,
    /// The stream's last event has exactly this revision.
    Exact(u64),
}

impl fmt::Display for ExpectedRevision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("any"),
            Self::NoStream => formatter.write_str("no stream"),
            Self::StreamExists => formatter.write_str("an existing stream"),
            Self::Exact(revision) => write!(formatter, "revision {revision}"),
        }
    }
}

/// Where an append landed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Revision of the last event of the append.
    pub revision: u64,
    /// Position of the last event of the append.
    pub position: Position,
}

/// Reading order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Oldest first.
    Forward,
    /// Newest first.
    Backward,
}

/// Which events a read of the whole log returns. Empty lists let everything through; both lists
/// given must both match. The default lets everything through but system events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Prefixes of stream names, any of which may match.
    pub stream_prefixes: Vec<String>,
    /// Prefixes of event types, any of which may match.
    pub kind_prefixes: Vec<String>,
    /// Whether system events pass, which are those whose type starts with `$`: a stream's metadata,
    /// its end, whatever else the log writes about itself. Reads of one stream always return them.
    pub system: bool,
}

impl Filter {
    /// Whether an event of this stream and type passes.
    pub fn matches(&self, stream: &str, kind: &str) -> bool {
        let any = |prefixes: &[String], text: &str| {
            prefixes.is_empty() || prefixes.iter().any(|prefix| text.starts_with(prefix))
        };
        (self.system || !kind.starts_with('$'))
            && any(&self.stream_prefixes, stream)
            && any(&self.kind_prefixes, kind)
    }
}

/// Why the log refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The stream is not where the writer believed. Nothing was appended.
    #[error("expected {expected}, but the stream {}", at(*.actual))]
    WrongExpectedVersion {
        /// What the writer expected.
        expected: ExpectedRevision,
        /// The stream's actual last revision; `None` when it has no event.
        actual: Option<u64>,
    },
    /// One event is larger than [`EVENT_BYTES_MAX`]. Nothing was appended.
    #[error("an event of {bytes} bytes exceeds the limit of {bytes_max}")]
    TooLarge {
        /// Size of the event's data and metadata.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The log cannot be reached or is shutting down; the same call may succeed later. An append
    /// that ended so may or may not have happened: retry it with the same event ids.
    #[error("the event log is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Stored data contradicts itself; retrying does not help.
    #[error("the event log is corrupt: {0}")]
    Corrupt(String),
}

fn at(actual: Option<u64>) -> String {
    actual.map_or_else(|| "has no event".to_owned(), |revision| format!("is at {revision}"))
}

/// What a subscription delivers, in order: history, [`CaughtUp`](Self::CaughtUp), live events.
/// `CaughtUp` comes once after history, and again after every time that it fell behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriptionMessage {
    /// Events in log order, never empty.
    Events(Vec<RecordedEvent>),
    /// Everything up to now was delivered, what follows is live. Carries the position up to which
    /// the log was considered, even where a filter let nothing through.
    CaughtUp(Option<Position>),
}

/// A running subscription. Dropping it ends it.
#[derive(Debug)]
pub struct Subscription {
    receiver: mpsc::Receiver<Result<SubscriptionMessage, LogError>>,
}

impl Subscription {
    /// Wraps the receiving end that an adapter feeds. Adapters stop feeding when it is closed.
    pub fn new(receiver: mpsc::Receiver<Result<SubscriptionMessage, LogError>>) -> Self {
        Self { receiver }
    }

    /// The next message. An error ends the subscription: subscribe again from the last position
    /// seen. A closed log ends with [`LogError::Unavailable`].
    pub async fn next(&mut self) -> Result<SubscriptionMessage, LogError> {
        self.receiver
            .recv()
            .await
            .unwrap_or_else(|| Err(LogError::Unavailable("the subscription ended".into())))
    }
}

/// A durable, ordered log of events.
///
/// Laws, held by the contract suite: an acknowledged append is on disk; all events of one append
/// stand together or not at all; every reader sees the same order; a subscription has no gap and
/// no double. An append is idempotent by its event ids:
///
/// | expected | outcome when the ids were appended before |
/// |---|---|
/// | `Exact(n)`, `NoStream` | the events after `n` (from 0) have exactly these ids: success with the original place; otherwise `WrongExpectedVersion` |
/// | `Any`, `StreamExists` | all ids are already in this stream: success with the original place of the last; the first known but a later one unknown: `WrongExpectedVersion` |
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Appends the events at the end of the stream, all or none. At least one event.
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, LogError>;

    /// Up to `max` events of one stream, starting at `from` inclusive (`None`: at the beginning for
    /// forward, at the end for backward). A missing stream reads as empty.
    async fn read_stream(
        &self,
        stream: &StreamName,
        direction: Direction,
        from: Option<u64>,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, LogError>;

    /// Up to `max` events of the whole log, strictly after `from` (forward) or strictly before it
    /// (backward); `None` starts at the beginning or at the end.
    async fn read_all(
        &self,
        direction: Direction,
        from: Option<Position>,
        filter: &Filter,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, LogError>;

    /// Follows the log strictly after `from` (`None`: from the beginning), through history to live.
    async fn subscribe(
        &self,
        from: Option<Position>,
        filter: Filter,
    ) -> Result<Subscription, LogError>;

    /// Position of the log's last event, the system's own left out; `None` where there is none.
    async fn head(&self) -> Result<Option<Position>, LogError>;
}
