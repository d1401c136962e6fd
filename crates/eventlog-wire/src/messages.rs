//! The protocol's messages, written by hand: field numbers and shapes are facts of the protocol
//! (package `event_store.client`), names are ours.
//!
//! Several messages of the protocol have the same shape, and then one struct serves them all: what
//! matters on the wire is the number of a field and its type.

mod append;
mod cluster;
mod read;
mod shared;

pub(crate) use append::{
    AppendReply, AppendRequest, AppendResult, BatchOptions, BatchReply, BatchRequest, BatchResult,
    ChangeReply, ChangeRequest, Conflict, ConflictDetail, Deadline, ErrorStatus, Placed, Proposed,
    StreamDeletedDetail, TooLargeDetail,
};
pub(crate) use cluster::{ClusterInfo, Endpoint, Member, SupportedMethod, SupportedMethods};
pub(crate) use read::{
    AllFrom, CaughtUp, Checkpoint, Confirmation, Content, CountOption, Expression, FilterOn,
    FilterOption, FilterOptions, NotFound, ReadEvent, ReadOptions, ReadReply, ReadRequest,
    Recorded, StreamFrom, StreamOption, UuidForm, Window,
};
pub(crate) use shared::{
    Any, Expected, PositionPair, Property, Span, StreamIdentifier, Timestamp, WireUuid,
};

// Only a client names these; the listener takes them out of what it decodes.
#[cfg(test)]
pub(crate) use append::AppendTarget;
#[cfg(test)]
pub(crate) use read::{AllOptions, StreamOptions, UuidOption};
