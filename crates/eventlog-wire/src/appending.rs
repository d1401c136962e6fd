//! Appends: what a request must hold, and the rules of the server that the log does not know:
//! deleted streams, and appends without events.

use std::sync::Arc;

use accord_eventlog::{
    Appended, EVENT_BYTES_MAX, ExpectedRevision, NewEvent, Position, StreamName,
};
use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use crate::{
    messages::{
        AppendReply, AppendRequest, AppendResult, Conflict, Expected, Placed, PositionPair,
        Proposed,
    },
    refusals::{self, Refusal},
    standing::{METADATA_KIND, Standing, TOMBSTONE_KIND, TRUNCATE_BEFORE, last_event},
    wire::{Wire, stream_name},
};

/// All events of one append together, in bytes.
pub(crate) const APPEND_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Events of one append. An event without a byte takes memory too.
const APPEND_EVENTS_MAX: usize = 64 * 1024;

/// An append as a client wants it.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) stream: StreamName,
    pub(crate) expected: ExpectedRevision,
    pub(crate) events: Vec<NewEvent>,
}

/// Where an append ended: for one without events only the stream's revision is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Landed {
    pub(crate) revision: Option<u64>,
    pub(crate) position: Option<Position>,
}

impl From<Appended> for Landed {
    fn from(appended: Appended) -> Self {
        Self { revision: Some(appended.revision), position: Some(appended.position) }
    }
}

impl From<Landed> for Placed {
    fn from(landed: Landed) -> Self {
        Self {
            revision: landed.revision,
            no_stream: landed.revision.is_none().then_some(()),
            position: landed.position.map(PositionPair::new),
            no_position: landed.position.is_none().then_some(()),
        }
    }
}

/// `Append`: the target, then the events, each in a message of its own.
pub(crate) async fn append(
    wire: Arc<Wire>,
    request: Request<Streaming<AppendRequest>>,
) -> Result<Response<AppendReply>, Status> {
    wire.check_writable()?;
    let mut messages = request.into_inner();
    let target = messages.message().await?.and_then(|first| first.target);
    let target = target.ok_or_else(|| Status::invalid_argument("the target must come first"))?;
    let (stream, expected) =
        (stream_name(target.stream.as_ref())?, expected_revision(target.expected)?);
    let mut events = Events::default();
    while let Some(message) = messages.message().await? {
        let proposed = message.proposed;
        let proposed =
            proposed.ok_or_else(|| Status::invalid_argument("a message without an event"))?;
        events.add(&wire, proposed).map_err(|refusal| refusal.into_status(&stream))?;
    }
    let Events { all, room: _room, .. } = events;
    let wish = Wish { stream: stream.clone(), expected, events: all };
    let result = match wire.append(wish).await {
        Ok(landed) => AppendResult::Success(landed.into()),
        Err(Refusal::Conflict { current, .. }) => {
            AppendResult::Conflict(conflict(expected, current))
        }
        Err(refusal) => return Err(refusal.into_status(&stream)),
    };
    Ok(Response::new(AppendReply { result: Some(result) }))
}

fn conflict(expected: ExpectedRevision, current: Option<u64>) -> Conflict {
    let revision = match expected {
        ExpectedRevision::Exact(revision) => Some(revision),
        _ => None,
    };
    let is = |other: ExpectedRevision| (expected == other).then_some(());
    Conflict {
        current_revision_old: current,
        current_no_stream_old: current.is_none().then_some(()),
        expected_revision_old: revision,
        expected_any_old: is(ExpectedRevision::Any),
        expected_stream_exists_old: is(ExpectedRevision::StreamExists),
        current_revision: current,
        current_no_stream: current.is_none().then_some(()),
        expected_revision: revision,
        expected_any: is(ExpectedRevision::Any),
        expected_stream_exists: is(ExpectedRevision::StreamExists),
        expected_no_stream: is(ExpectedRevision::NoStream),
    }
}

/// What a client expects of a stream. It must say so.
pub(crate) fn expected_revision(expected: Option<Expected>) -> Result<ExpectedRevision, Status> {
    match expected {
        Some(Expected::Any(())) => Ok(ExpectedRevision::Any),
        Some(Expected::NoStream(())) => Ok(ExpectedRevision::NoStream),
        Some(Expected::StreamExists(())) => Ok(ExpectedRevision::StreamExists),
        Some(Expected::Revision(revision)) => Ok(ExpectedRevision::Exact(revision)),
        None => Err(Status::invalid_argument("no revision is expected, not even any")),
    }
}

/// The events of one append, collected up to the bounds.
#[derive(Debug, Default)]
pub(crate) struct Events {
    pub(crate) all: Vec<NewEvent>,
    pub(crate) bytes: usize,
    /// Held until the append is done.
    pub(crate) room: Option<OwnedSemaphorePermit>,
}

impl Events {
    pub(crate) fn add(&mut self, wire: &Wire, proposed: Proposed) -> Result<(), Refusal> {
        let event = new_event(proposed)?;
        let bytes = event.data.len() + event.metadata.len();
        if bytes > EVENT_BYTES_MAX {
            return Err(Refusal::TooLarge { bytes_max: EVENT_BYTES_MAX });
        }
        self.bytes += bytes;
        if self.bytes > APPEND_BYTES_MAX || self.all.len() >= APPEND_EVENTS_MAX {
            return Err(Refusal::TooLarge { bytes_max: APPEND_BYTES_MAX });
        }
        let room = wire.admit_event(bytes)?;
        match &mut self.room {
            Some(held) => held.merge(room),
            none => *none = Some(room),
        }
        self.all.push(event);
        Ok(())
    }
}

fn new_event(proposed: Proposed) -> Result<NewEvent, Status> {
    let id = proposed.id.as_ref().and_then(|id| id.id());
    let id = id.ok_or_else(|| Status::invalid_argument("an event has no id"))?;
    let property = |key: &str| {
        let found = proposed.properties.iter().find(|property| property.key == key);
        found.map(|property| &*property.value).ok_or_else(|| refusals::property_missing(key))
    };
    let kind = property("type")?;
    if kind == TOMBSTONE_KIND {
        // It would end the stream, which is what `Tombstone` is for.
        return Err(Status::invalid_argument("events of this type are the server's own"));
    }
    // The port knows bytes only; a reader is told the type that the bytes show.
    property("content-type")?;
    Ok(NewEvent { id, kind: kind.into(), data: proposed.data, metadata: proposed.metadata })
}

impl Wire {
    /// Appends by the server's rules.
    pub(crate) async fn append(self: &Arc<Self>, wish: Wish) -> Result<Landed, Refusal> {
        let gate = self.standings.share(&wish.stream).await;
        let standing = gate.standing(&wish.stream).await?;
        if standing.tombstoned {
            return Err(Refusal::Deleted);
        }
        if standing.is_deleted() || wish.stream.is_system() {
            drop(gate);
            return self.append_alone(wish).await;
        }
        let expected = after_truncation(wish.expected, standing);
        self.append_to_log(wish, expected).await
    }

    async fn append_to_log(
        &self,
        wish: Wish,
        expected: ExpectedRevision,
    ) -> Result<Landed, Refusal> {
        if wish.events.is_empty() {
            return self.look(&wish).await;
        }
        match self.log.append(&wish.stream, expected, wish.events).await {
            Ok(appended) => Ok(appended.into()),
            Err(error) => match Refusal::from(error) {
                Refusal::Conflict { current, .. } => {
                    Err(Refusal::Conflict { expected: wish.expected, current })
                }
                other => Err(other),
            },
        }
    }

    /// An append without events only asks whether the stream is as expected.
    async fn look(&self, wish: &Wish) -> Result<Landed, Refusal> {
        let current = last_event(&*self.log, &wish.stream).await?.map(|event| event.revision);
        check_expected(wish.expected, current)?;
        Ok(Landed { revision: current, position: None })
    }

    /// An append that changes what is known about a stream: to its metadata, or to a stream that it
    /// brings back. Runs to its end even when the client goes away: what is remembered must not
    /// part from what is stored.
    async fn append_alone(self: &Arc<Self>, wish: Wish) -> Result<Landed, Refusal> {
        let wire = Arc::clone(self);
        let task = tokio::spawn(async move {
            let described = wish.stream.described().unwrap_or_else(|| wish.stream.clone());
            let gate = wire.standings.hold(&described).await;
            let standing = gate.standing(&wish.stream).await?;
            let outcome = if standing.tombstoned {
                Err(Refusal::Deleted)
            } else if standing.is_deleted() {
                wire.bring_back(wish).await
            } else {
                let expected = after_truncation(wish.expected, standing);
                wire.append_to_log(wish, expected).await
            };
            gate.forget(&described);
            outcome
        });
        task.await.unwrap_or_else(|_| Err(Status::internal("an append failed").into()))
    }

    /// The first append to a deleted stream: what was deleted stays out of sight, what is appended
    /// can be read. The metadata comes first: were the process to end between the two, the stream
    /// would be there without an event, and nothing would be lost or doubled.
    async fn bring_back(&self, wish: Wish) -> Result<Landed, Refusal> {
        let last = last_event(&*self.log, &wish.stream).await?.map(|event| event.revision);
        let at_end = last.map_or(ExpectedRevision::NoStream, ExpectedRevision::Exact);
        let appends = match wish.expected {
            ExpectedRevision::Any | ExpectedRevision::NoStream => true,
            ExpectedRevision::StreamExists => return Err(Refusal::Deleted),
            ExpectedRevision::Exact(revision) => Some(revision) == last,
        };
        if !appends || wish.events.is_empty() {
            let expected = wish.expected;
            return self.append_to_log(wish, expected).await;
        }
        let first = last.map_or(0, |revision| revision + 1);
        self.truncate(&wish.stream, first).await?;
        self.append_to_log(wish, at_end).await
    }

    /// Hides all events before this revision; the stream's other metadata stays as it is.
    pub(crate) async fn truncate(
        &self,
        stream: &StreamName,
        before: u64,
    ) -> Result<Appended, Refusal> {
        let metadata = stream.metadata();
        let last = last_event(&*self.log, &metadata).await?;
        let old = last.as_ref().and_then(|event| serde_json::from_slice(&event.data).ok());
        let mut properties: serde_json::Map<String, serde_json::Value> = old.unwrap_or_default();
        properties.insert(TRUNCATE_BEFORE.to_owned(), before.into());
        let event = NewEvent {
            id: Uuid::now_v7(),
            kind: METADATA_KIND.into(),
            data: serde_json::Value::Object(properties).to_string().into(),
            metadata: Bytes::new(),
        };
        Ok(self.log.append(&metadata, ExpectedRevision::Any, vec![event]).await?)
    }
}

/// Whether a stream at `current` is as expected, where no event ids can tell a retry.
pub(crate) fn check_expected(
    expected: ExpectedRevision,
    current: Option<u64>,
) -> Result<(), Refusal> {
    let holds = match expected {
        ExpectedRevision::Any => true,
        ExpectedRevision::NoStream => current.is_none(),
        ExpectedRevision::StreamExists => current.is_some(),
        ExpectedRevision::Exact(revision) => current == Some(revision),
    };
    if holds { Ok(()) } else { Err(Refusal::Conflict { expected, current }) }
}

/// A stream that was brought back begins where its deleted part ended, and whoever expects no
/// stream means that place. So a retry of the append that brought it back is recognised.
fn after_truncation(expected: ExpectedRevision, standing: Standing) -> ExpectedRevision {
    let hidden = standing.truncate_before.and_then(|before| before.checked_sub(1));
    match (expected, hidden) {
        (ExpectedRevision::NoStream, Some(last)) => ExpectedRevision::Exact(last),
        (expected, _) => expected,
    }
}
