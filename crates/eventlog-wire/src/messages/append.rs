//! `streams.Streams/Append`, `BatchAppend`, `Delete` and `Tombstone`.

use bytes::Bytes;
use prost::{Message, Oneof};

use super::shared::{
    Any, Expected, PositionPair, Property, Span, StreamIdentifier, Timestamp, WireUuid,
};

/// First the target, then any number of events.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct AppendRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) target: Option<AppendTarget>,
    #[prost(message, optional, tag = "2")]
    pub(crate) proposed: Option<Proposed>,
}

/// The stream that is to be changed and what is expected of it.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct AppendTarget {
    #[prost(message, optional, tag = "1")]
    pub(crate) stream: Option<StreamIdentifier>,
    #[prost(oneof = "Expected", tags = "2, 3, 4, 5")]
    pub(crate) expected: Option<Expected>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Proposed {
    #[prost(message, optional, tag = "1")]
    pub(crate) id: Option<WireUuid>,
    /// At least `type` and `content-type`.
    #[prost(message, repeated, tag = "2")]
    pub(crate) properties: Vec<Property>,
    #[prost(bytes = "bytes", tag = "3")]
    pub(crate) metadata: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    pub(crate) data: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AppendReply {
    #[prost(oneof = "AppendResult", tags = "1, 2")]
    pub(crate) result: Option<AppendResult>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum AppendResult {
    #[prost(message, tag = "1")]
    Success(Placed),
    #[prost(message, tag = "2")]
    Conflict(Conflict),
}

/// Where an append landed. One without events lands nowhere: then the stream's revision is told.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Placed {
    #[prost(uint64, optional, tag = "1")]
    pub(crate) revision: Option<u64>,
    #[prost(message, optional, tag = "2")]
    pub(crate) no_stream: Option<()>,
    #[prost(message, optional, tag = "3")]
    pub(crate) position: Option<PositionPair>,
    #[prost(message, optional, tag = "4")]
    pub(crate) no_position: Option<()>,
}

/// The answer of a single append to a wrong expected revision, in the fields of servers up to
/// 20.6.0 (which could not say that no stream was expected) and in those of later ones.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Conflict {
    #[prost(uint64, optional, tag = "1")]
    pub(crate) current_revision_old: Option<u64>,
    #[prost(message, optional, tag = "2")]
    pub(crate) current_no_stream_old: Option<()>,
    #[prost(uint64, optional, tag = "3")]
    pub(crate) expected_revision_old: Option<u64>,
    #[prost(message, optional, tag = "4")]
    pub(crate) expected_any_old: Option<()>,
    #[prost(message, optional, tag = "5")]
    pub(crate) expected_stream_exists_old: Option<()>,
    #[prost(uint64, optional, tag = "6")]
    pub(crate) current_revision: Option<u64>,
    #[prost(message, optional, tag = "7")]
    pub(crate) current_no_stream: Option<()>,
    #[prost(uint64, optional, tag = "8")]
    pub(crate) expected_revision: Option<u64>,
    #[prost(message, optional, tag = "9")]
    pub(crate) expected_any: Option<()>,
    #[prost(message, optional, tag = "10")]
    pub(crate) expected_stream_exists: Option<()>,
    #[prost(message, optional, tag = "11")]
    pub(crate) expected_no_stream: Option<()>,
}

/// A part of one append; `complete` marks the last part. Only the first part needs options.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BatchRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) correlation: Option<WireUuid>,
    #[prost(message, optional, tag = "2")]
    pub(crate) options: Option<BatchOptions>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) proposed: Vec<Proposed>,
    #[prost(bool, tag = "4")]
    pub(crate) complete: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct BatchOptions {
    #[prost(message, optional, tag = "1")]
    pub(crate) stream: Option<StreamIdentifier>,
    #[prost(oneof = "Expected", tags = "2, 3, 4, 5")]
    pub(crate) expected: Option<Expected>,
    #[prost(oneof = "Deadline", tags = "6, 7")]
    pub(crate) deadline: Option<Deadline>,
}

/// Until when, or for how long, the client waits.
#[derive(Clone, Copy, PartialEq, Oneof)]
pub(crate) enum Deadline {
    #[prost(message, tag = "6")]
    At(Timestamp),
    #[prost(message, tag = "7")]
    Within(Span),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct BatchReply {
    #[prost(message, optional, tag = "1")]
    pub(crate) correlation: Option<WireUuid>,
    #[prost(oneof = "BatchResult", tags = "2, 3")]
    pub(crate) result: Option<BatchResult>,
    #[prost(message, optional, tag = "4")]
    pub(crate) stream: Option<StreamIdentifier>,
    #[prost(uint64, optional, tag = "5")]
    pub(crate) expected_revision: Option<u64>,
    #[prost(message, optional, tag = "6")]
    pub(crate) expected_no_stream: Option<()>,
    #[prost(message, optional, tag = "7")]
    pub(crate) expected_any: Option<()>,
    #[prost(message, optional, tag = "8")]
    pub(crate) expected_stream_exists: Option<()>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum BatchResult {
    #[prost(message, tag = "2")]
    Error(ErrorStatus),
    #[prost(message, tag = "3")]
    Success(Placed),
}

/// An error within a reply. Differs from the usual status message in that it has one detail only.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ErrorStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) detail: Option<Any>,
}

/// Detail `WrongExpectedVersion`.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct ConflictDetail {
    #[prost(uint64, optional, tag = "1")]
    pub(crate) current_revision: Option<u64>,
    #[prost(message, optional, tag = "2")]
    pub(crate) current_no_stream: Option<()>,
    #[prost(uint64, optional, tag = "3")]
    pub(crate) expected_revision: Option<u64>,
    #[prost(message, optional, tag = "4")]
    pub(crate) expected_any: Option<()>,
    #[prost(message, optional, tag = "5")]
    pub(crate) expected_stream_exists: Option<()>,
    #[prost(message, optional, tag = "6")]
    pub(crate) expected_no_stream: Option<()>,
}

/// Detail `StreamDeleted`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct StreamDeletedDetail {
    #[prost(message, optional, tag = "1")]
    pub(crate) stream: Option<StreamIdentifier>,
}

/// Detail `MaximumAppendSizeExceeded`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct TooLargeDetail {
    #[prost(uint32, tag = "1")]
    pub(crate) bytes_max: u32,
}

/// Asks for a delete or a tombstone.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ChangeRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) target: Option<AppendTarget>,
}

/// Answers a delete or a tombstone.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ChangeReply {
    #[prost(message, optional, tag = "1")]
    pub(crate) position: Option<PositionPair>,
}
