//! What stands beside every event: who, by which command, under which rules, after which event.
//!
//! Complete from the first event on, because metadata is as immutable as the event itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::personal::SealedPerson;
use crate::{CommandId, PartnerId, ProgramId, Role, Subject, Timestamp};

/// An event's metadata as stored (JSON). The `$` names are EventStoreDB's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Metadata {
    /// The first command of the chain that this event belongs to.
    #[serde(rename = "$correlationId")]
    pub correlation: Uuid,
    /// The event that a policy reacted to, or the command itself.
    #[serde(rename = "$causationId")]
    pub causation: Uuid,
    pub program: ProgramId,
    /// The partner whose history the event belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner: Option<PartnerId>,
    pub actor: ActorRecord,
    pub command: CommandRecord,
    /// By Accord's clock, UTC, microseconds.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub recorded_at: Timestamp,
    /// The rulebook version that decided; 0 before a program's first rulebook.
    pub rulebook_version: u32,
    /// The reason that the caller gave, where the command has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Version of the event type's schema.
    pub schema_version: u32,
    /// Hash of the stream's previous event, hexadecimal; absent for a stream's first event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActorRecord {
    pub subject: Subject,
    pub role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<PartnerId>,
    /// The actor's name, sealed; absent for Accord itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<SealedPerson>,
}

/// The command that was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandRecord {
    pub id: CommandId,
    /// In kebab-case, for example `record-activity`.
    pub name: String,
    /// SHA-256 over the command's target and body, hexadecimal: tells a retry from a reused key.
    pub digest: String,
}
