//! From domain events to stored bytes and back.

use accord_domain::aggregate::Event;
use accord_domain::metadata::{ActorRecord, CommandRecord, Metadata};
use accord_domain::personal::SealedPerson;
use accord_domain::{CommandId, DecodeError, DomainEvent, EventId, PartnerId, Timestamp, event};
use accord_eventlog::{EventHash, NewEvent, RecordedEvent, StreamName, event_hash};
use uuid::Uuid;

use crate::{AppError, Call};

/// Every event type is at its first schema version so far.
const SCHEMA_VERSION: u32 = 1;

/// A stored event, read.
#[derive(Debug, Clone)]
pub struct DecodedEvent {
    pub id: EventId,
    pub event: DomainEvent,
    pub metadata: Metadata,
}

impl DecodedEvent {
    /// Reads a stored event; persons' data stays sealed.
    pub fn read(recorded: &RecordedEvent) -> Result<Self, AppError> {
        let category = recorded.stream.category();
        Ok(Self {
            id: EventId(recorded.id),
            event: DomainEvent::decode(category, &recorded.kind, &recorded.data)?,
            metadata: serde_json::from_slice(&recorded.metadata)?,
        })
    }
}

/// The id of a command's n-th event: a retry of the command appends the same ids.
pub(crate) fn event_id(command: CommandId, index: usize) -> Uuid {
    Uuid::new_v5(&command.0, &(index as u64).to_be_bytes())
}

/// Hash of a stored event, as its successor's metadata names it.
pub(crate) fn hash_of(recorded: &RecordedEvent) -> EventHash {
    event_hash(
        (recorded.id, &recorded.stream, recorded.revision),
        &recorded.kind,
        &recorded.data,
        &recorded.metadata,
    )
}

/// What is the same for all events of one decision.
pub(crate) struct Envelope<'a> {
    pub(crate) call: &'a Call,
    pub(crate) stream: &'a StreamName,
    pub(crate) partner: Option<PartnerId>,
    pub(crate) actor_name: Option<SealedPerson>,
    pub(crate) recorded_at: Timestamp,
    pub(crate) rulebook_version: u32,
}

impl Envelope<'_> {
    /// Packs sealed events for an append after `revision`, chained to the hash of the last event.
    /// Returns the hash of the new last event as well.
    pub(crate) fn pack<E: Event>(
        &self,
        events: &[E],
        first_revision: u64,
        mut previous: Option<EventHash>,
    ) -> Result<(Vec<NewEvent>, Option<EventHash>), AppError> {
        let mut packed = Vec::with_capacity(events.len());
        for (index, event) in events.iter().enumerate() {
            let (kind, data) = event::encode(event);
            let metadata = serde_json::to_vec(&self.metadata(previous))?;
            let id = event_id(self.call.command_id, index);
            let revision = first_revision + index as u64;
            previous = Some(event_hash((id, self.stream, revision), &kind, &data, &metadata));
            packed.push(NewEvent {
                id,
                kind: kind.into(),
                data: data.into(),
                metadata: metadata.into(),
            });
        }
        Ok((packed, previous))
    }

    fn metadata(&self, previous: Option<EventHash>) -> Metadata {
        let call = self.call;
        Metadata {
            correlation: call.correlation,
            causation: call.causation,
            program: call.program.clone(),
            partner: self.partner,
            actor: ActorRecord {
                subject: call.actor.subject.clone(),
                role: call.actor.role,
                acting_for: call.actor.acting_for,
                name: self.actor_name.clone(),
            },
            command: CommandRecord {
                id: call.command_id,
                name: call.command.clone(),
                digest: hex::encode(call.digest),
            },
            recorded_at: self.recorded_at,
            rulebook_version: self.rulebook_version,
            reason: call.reason.clone(),
            schema_version: SCHEMA_VERSION,
            previous: previous.map(hex::encode),
        }
    }
}

/// Reads one aggregate's event without its metadata.
pub(crate) fn decode_event<E: Event>(recorded: &RecordedEvent) -> Result<E, DecodeError> {
    event::decode(&recorded.kind, &recorded.data)
}
