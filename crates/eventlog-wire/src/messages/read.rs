//! `streams.Streams/Read`: reads and subscriptions, of one stream and of the whole log.

use bytes::Bytes;
use prost::{Message, Oneof};

use super::shared::{PositionPair, Property, StreamIdentifier, Timestamp, WireUuid};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReadRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) options: Option<ReadOptions>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReadOptions {
    #[prost(oneof = "StreamOption", tags = "1, 2")]
    pub(crate) stream: Option<StreamOption>,
    /// 0 is forwards, 1 is backwards.
    #[prost(int32, tag = "3")]
    pub(crate) direction: i32,
    #[prost(oneof = "CountOption", tags = "5, 6")]
    pub(crate) count: Option<CountOption>,
    #[prost(oneof = "FilterOption", tags = "7, 8")]
    pub(crate) filter: Option<FilterOption>,
    #[prost(message, optional, tag = "9")]
    pub(crate) uuid: Option<UuidOption>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum StreamOption {
    #[prost(message, tag = "1")]
    Stream(StreamOptions),
    #[prost(message, tag = "2")]
    All(AllOptions),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct StreamOptions {
    #[prost(message, optional, tag = "1")]
    pub(crate) stream: Option<StreamIdentifier>,
    #[prost(oneof = "StreamFrom", tags = "2, 3, 4")]
    pub(crate) from: Option<StreamFrom>,
}

#[derive(Clone, Copy, PartialEq, Oneof)]
pub(crate) enum StreamFrom {
    #[prost(uint64, tag = "2")]
    Revision(u64),
    #[prost(message, tag = "3")]
    Start(()),
    #[prost(message, tag = "4")]
    End(()),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AllOptions {
    #[prost(oneof = "AllFrom", tags = "1, 2, 3")]
    pub(crate) from: Option<AllFrom>,
}

#[derive(Clone, Copy, PartialEq, Oneof)]
pub(crate) enum AllFrom {
    #[prost(message, tag = "1")]
    Position(PositionPair),
    #[prost(message, tag = "2")]
    Start(()),
    #[prost(message, tag = "3")]
    End(()),
}

#[derive(Clone, Copy, PartialEq, Oneof)]
pub(crate) enum CountOption {
    #[prost(uint64, tag = "5")]
    Count(u64),
    #[prost(message, tag = "6")]
    Subscription(()),
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum FilterOption {
    #[prost(message, tag = "7")]
    Filter(FilterOptions),
    #[prost(message, tag = "8")]
    None(()),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct FilterOptions {
    #[prost(oneof = "FilterOn", tags = "1, 2")]
    pub(crate) on: Option<FilterOn>,
    #[prost(oneof = "Window", tags = "3, 4")]
    pub(crate) window: Option<Window>,
    #[prost(uint32, tag = "5")]
    pub(crate) checkpoint_multiplier: u32,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum FilterOn {
    #[prost(message, tag = "1")]
    Stream(Expression),
    #[prost(message, tag = "2")]
    Kind(Expression),
}

#[derive(Clone, Copy, PartialEq, Oneof)]
pub(crate) enum Window {
    #[prost(uint32, tag = "3")]
    Max(u32),
    #[prost(message, tag = "4")]
    Count(()),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Expression {
    #[prost(string, tag = "1")]
    pub(crate) regex: String,
    #[prost(string, repeated, tag = "2")]
    pub(crate) prefixes: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct UuidOption {
    #[prost(oneof = "UuidForm", tags = "1, 2")]
    pub(crate) form: Option<UuidForm>,
}

/// How the client wants to get ids.
#[derive(Clone, Copy, PartialEq, Oneof)]
pub(crate) enum UuidForm {
    #[prost(message, tag = "1")]
    Structured(()),
    #[prost(message, tag = "2")]
    Text(()),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReadReply {
    #[prost(oneof = "Content", tags = "1, 2, 3, 4, 8")]
    pub(crate) content: Option<Content>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Content {
    #[prost(message, tag = "1")]
    Event(ReadEvent),
    #[prost(message, tag = "2")]
    Confirmation(Confirmation),
    #[prost(message, tag = "3")]
    Checkpoint(Checkpoint),
    #[prost(message, tag = "4")]
    NotFound(NotFound),
    #[prost(message, tag = "8")]
    CaughtUp(CaughtUp),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReadEvent {
    #[prost(message, optional, tag = "1")]
    pub(crate) event: Option<Recorded>,
    #[prost(uint64, optional, tag = "3")]
    pub(crate) commit: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Recorded {
    #[prost(message, optional, tag = "1")]
    pub(crate) id: Option<WireUuid>,
    #[prost(message, optional, tag = "2")]
    pub(crate) stream: Option<StreamIdentifier>,
    #[prost(uint64, tag = "3")]
    pub(crate) revision: u64,
    #[prost(uint64, tag = "4")]
    pub(crate) prepare: u64,
    #[prost(uint64, tag = "5")]
    pub(crate) commit: u64,
    /// `type`, `content-type` and `created` (in 100 ns since the Unix epoch).
    #[prost(message, repeated, tag = "6")]
    pub(crate) properties: Vec<Property>,
    #[prost(bytes = "bytes", tag = "7")]
    pub(crate) metadata: Bytes,
    #[prost(bytes = "bytes", tag = "8")]
    pub(crate) data: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Confirmation {
    #[prost(string, tag = "1")]
    pub(crate) subscription_id: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Checkpoint {
    #[prost(uint64, tag = "1")]
    pub(crate) commit: u64,
    #[prost(uint64, tag = "2")]
    pub(crate) prepare: u64,
    #[prost(message, optional, tag = "3")]
    pub(crate) at: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct NotFound {
    #[prost(message, optional, tag = "1")]
    pub(crate) stream: Option<StreamIdentifier>,
}

/// Carries a revision for a stream, a position for the whole log; neither where there is no event.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct CaughtUp {
    #[prost(message, optional, tag = "1")]
    pub(crate) at: Option<Timestamp>,
    #[prost(int64, optional, tag = "2")]
    pub(crate) revision: Option<i64>,
    #[prost(message, optional, tag = "3")]
    pub(crate) position: Option<PositionPair>,
}
