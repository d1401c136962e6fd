//! A command's circumstances, and the answer to it.

use accord_domain::{Actor, CommandId, EventId, ProgramId};
use accord_eventlog::{Position, StreamName};
use uuid::Uuid;

/// Namespace of everything that Accord derives by name (UUIDv5).
pub(crate) const NAMESPACE: Uuid = Uuid::from_u128(0x8f3c_5f0e_6b1d_4a57_9d3e_2c61_a1c0_4d01);

/// Who sends a command, and under which conditions.
#[derive(Debug, Clone)]
pub struct Call {
    pub program: ProgramId,
    pub actor: Actor,
    /// See [`command_id`].
    pub command_id: CommandId,
    /// The command's name in kebab-case.
    pub command: String,
    /// SHA-256 over the command's target and body: tells a retry from a reused key.
    pub digest: [u8; 32],
    /// The first command of this chain.
    pub correlation: Uuid,
    /// The event that a policy reacts to, or the command itself.
    pub causation: Uuid,
    /// The revision that the caller saw (`If-Match`).
    pub if_match: Option<u64>,
    /// The reason inside the command, where there is one.
    pub reason: Option<String>,
}

impl Call {
    /// The id of whatever the command creates: the same on every retry.
    pub fn created_id(&self) -> Uuid {
        Uuid::new_v5(&self.command_id.0, b"created")
    }
}

/// The id of a command: a function of the program, the caller and the caller's key, so that a
/// retry, also years later, is the same command.
pub fn command_id(program: &ProgramId, subject: &str, key: &str) -> CommandId {
    let scope = Uuid::new_v5(&NAMESPACE, format!("{program}\n{subject}").as_bytes());
    CommandId(Uuid::new_v5(&scope, key.as_bytes()))
}

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The aggregate.
    pub id: Uuid,
    pub stream: StreamName,
    /// The aggregate's revision after the command.
    pub revision: u64,
    /// Reads at this position see everything that the command did, policies included.
    pub position: Position,
    /// Events appended to this stream; empty when the wish already held.
    pub events: Vec<EventRef>,
    /// Whether the answer repeats that of an earlier request with the same key.
    pub replayed: bool,
}

/// A stored event in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRef {
    pub id: EventId,
    pub kind: std::sync::Arc<str>,
    pub revision: u64,
}
