//! An event as read models see it: the domain event and the few parts of its metadata that they
//! use.

use std::sync::Arc;

use accord_domain::{Day, DomainEvent, EventId, PartnerId, ProgramId, Subject, Timestamp};
use accord_eventlog::{RecordedEvent, StreamName};
use serde::Deserialize;
use uuid::Uuid;

/// A recorded event, decoded.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) id: EventId,
    pub(crate) position: u64,
    pub(crate) stream: StreamName,
    /// The stream's aggregate.
    pub(crate) aggregate: Uuid,
    pub(crate) revision: u64,
    pub(crate) kind: Arc<str>,
    pub(crate) program: ProgramId,
    pub(crate) partner: Option<PartnerId>,
    pub(crate) actor: Subject,
    pub(crate) command: String,
    pub(crate) recorded_at: Timestamp,
    pub(crate) rulebook_version: u32,
    /// `None` where the payload cannot be read; such an event is still listed for auditors.
    pub(crate) body: Option<DomainEvent>,
}

impl Event {
    /// The day on which it was recorded.
    pub(crate) fn day(&self) -> Day {
        Day::of_instant(self.recorded_at)
    }
}

/// The parts of the metadata that are used here; the others are skipped for speed.
#[derive(Deserialize)]
struct Metadata {
    program: ProgramId,
    #[serde(default)]
    partner: Option<PartnerId>,
    actor: Actor,
    command: Command,
    recorded_at: Timestamp,
    rulebook_version: u32,
}

#[derive(Deserialize)]
struct Actor {
    subject: Subject,
}

#[derive(Deserialize)]
struct Command {
    name: String,
}

/// An event and what is wrong with it, if anything.
pub(crate) struct Decoded {
    pub(crate) recorded: Envelope,
    /// `None` where not even the metadata can be read.
    pub(crate) event: Option<Event>,
    pub(crate) error: Option<String>,
}

/// What is known of every event, readable or not.
pub(crate) struct Envelope {
    pub(crate) id: EventId,
    pub(crate) position: u64,
    pub(crate) stream: StreamName,
    pub(crate) kind: Arc<str>,
}

/// Decodes a recorded event. Never fails: what cannot be read is said in `error`.
pub(crate) fn decode(recorded: &RecordedEvent) -> Decoded {
    let envelope = Envelope {
        id: EventId(recorded.id),
        position: recorded.position.0,
        stream: recorded.stream.clone(),
        kind: Arc::clone(&recorded.kind),
    };
    let metadata: Metadata = match serde_json::from_slice(&recorded.metadata) {
        Ok(metadata) => metadata,
        Err(error) => {
            let error = format!("the metadata cannot be read: {error}");
            return Decoded { recorded: envelope, event: None, error: Some(error) };
        }
    };
    let (body, error) = match body(recorded) {
        Ok(body) => (Some(body), None),
        Err(error) => (None, Some(error)),
    };
    let event = Event {
        id: envelope.id,
        position: envelope.position,
        stream: envelope.stream.clone(),
        aggregate: recorded.stream.id().unwrap_or_default(),
        revision: recorded.revision,
        kind: Arc::clone(&recorded.kind),
        program: metadata.program,
        partner: metadata.partner,
        actor: metadata.actor.subject,
        command: metadata.command.name,
        recorded_at: metadata.recorded_at,
        rulebook_version: metadata.rulebook_version,
        body,
    };
    Decoded { recorded: envelope, event: Some(event), error }
}

fn body(recorded: &RecordedEvent) -> Result<DomainEvent, String> {
    if recorded.stream.id().is_none() {
        return Err(format!("`{}` is no stream of an aggregate", recorded.stream));
    }
    DomainEvent::decode(recorded.stream.category(), &recorded.kind, &recorded.data).map_err(
        |error| match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    )
}
