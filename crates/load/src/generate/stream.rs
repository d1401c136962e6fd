//! One stream while it is written: its aggregate's state, its revision, its last hash.

use accord_domain::Aggregate;
use accord_eventlog::{EventHash, ExpectedRevision, NewEvent, StreamName};
use uuid::Uuid;

/// Events for the log, at the stream's exact revision.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) stream: StreamName,
    pub(crate) expected: ExpectedRevision,
    pub(crate) events: Vec<NewEvent>,
}

/// A stream as its writer knows it.
#[derive(Debug)]
pub(crate) struct Stream<A> {
    pub(crate) id: Uuid,
    pub(crate) state: A,
    /// Events so far; also the next revision.
    pub(crate) length: u64,
    pub(crate) last_hash: Option<EventHash>,
}

impl<A: Aggregate> Stream<A> {
    pub(crate) fn new(id: Uuid) -> Self {
        Self { id, state: A::default(), length: 0, last_hash: None }
    }

    pub(crate) fn name(&self) -> StreamName {
        StreamName::of(A::CATEGORY, self.id)
    }

    pub(crate) fn expected(&self) -> ExpectedRevision {
        self.length.checked_sub(1).map_or(ExpectedRevision::NoStream, ExpectedRevision::Exact)
    }
}
