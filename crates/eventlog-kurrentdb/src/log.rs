//! [`KurrentLog`]: the port, put together from the links, the reads and the follower.

use std::sync::Arc;

use accord_eventlog::{
    Appended, Direction, EventLog, ExpectedRevision, Filter, LogError, NewEvent, Position,
    RecordedEvent, StreamName, Subscription,
};
use async_trait::async_trait;

use crate::{
    Address,
    appending::{Turns, append},
    following::follow,
    link::Link,
    reading::{read_all, read_stream},
};

/// An event log on a server that speaks the EventStoreDB protocol.
///
/// Making one does not connect and cannot fail; calls fail with [`LogError::Unavailable`] while the
/// server is away, after a few seconds of trying, and at once while an outage goes on. A running
/// subscription waits for the server instead. Dropping the log closes its connections once its
/// subscriptions are dropped too.
pub struct KurrentLog {
    calls: Arc<Link>,
    /// For live events, see the module `following`.
    live: Arc<Link>,
    turns: Turns,
}

impl KurrentLog {
    /// The log at an address.
    pub fn new(address: Address) -> Self {
        if address.tells_login_in_clear() {
            tracing::warn!(%address, "the event log's password goes over the network in clear");
        }
        Self {
            calls: Arc::new(Link::new(address.clone())),
            live: Arc::new(Link::new(address)),
            turns: Turns::new(),
        }
    }
}

#[async_trait]
impl EventLog for KurrentLog {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, LogError> {
        append(&self.calls, &self.turns, stream, expected, &events).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        direction: Direction,
        from: Option<u64>,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        read_stream(&self.calls, stream, (direction, from), max).await
    }

    async fn read_all(
        &self,
        direction: Direction,
        from: Option<Position>,
        filter: &Filter,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        read_all(&self.calls, (direction, from), filter, max).await
    }

    async fn subscribe(
        &self,
        from: Option<Position>,
        filter: Filter,
    ) -> Result<Subscription, LogError> {
        Ok(follow((Arc::clone(&self.calls), Arc::clone(&self.live)), from, filter))
    }

    async fn head(&self) -> Result<Option<Position>, LogError> {
        let backward = (Direction::Backward, None);
        let last = read_all(&self.calls, backward, &Filter::default(), 1).await?;
        Ok(last.first().map(|event| event.position))
    }
}
