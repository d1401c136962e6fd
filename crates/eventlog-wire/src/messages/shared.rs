//! Shapes that occur in messages of several services.

use bytes::Bytes;
use prost::{Message, Oneof};
use uuid::Uuid;

/// A stream's name, as bytes of UTF-8.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct StreamIdentifier {
    #[prost(bytes = "bytes", tag = "3")]
    pub(crate) name: Bytes,
}

/// An id in either of two forms.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct WireUuid {
    #[prost(oneof = "WireUuidValue", tags = "1, 2")]
    pub(crate) value: Option<WireUuidValue>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum WireUuidValue {
    #[prost(message, tag = "1")]
    Structured(StructuredUuid),
    #[prost(string, tag = "2")]
    Text(String),
}

/// The two halves of an id, big-endian.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct StructuredUuid {
    #[prost(int64, tag = "1")]
    pub(crate) most_significant_bits: i64,
    #[prost(int64, tag = "2")]
    pub(crate) least_significant_bits: i64,
}

impl WireUuid {
    /// As two numbers.
    pub(crate) fn structured(id: Uuid) -> Self {
        let (most, least) = id.as_u64_pair();
        let halves = StructuredUuid {
            most_significant_bits: most.cast_signed(),
            least_significant_bits: least.cast_signed(),
        };
        Self { value: Some(WireUuidValue::Structured(halves)) }
    }

    /// As a text with hyphens.
    pub(crate) fn text(id: Uuid) -> Self {
        Self { value: Some(WireUuidValue::Text(id.to_string())) }
    }

    /// The id; `None` where it is missing or no id at all.
    pub(crate) fn id(&self) -> Option<Uuid> {
        match self.value.as_ref()? {
            WireUuidValue::Text(text) => Uuid::parse_str(text).ok(),
            WireUuidValue::Structured(halves) => Some(Uuid::from_u64_pair(
                halves.most_significant_bits.cast_unsigned(),
                halves.least_significant_bits.cast_unsigned(),
            )),
        }
    }
}

/// A position as the protocol gives it. Both numbers are ours, see [`PositionPair::new`].
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct PositionPair {
    #[prost(uint64, tag = "1")]
    pub(crate) commit: u64,
    #[prost(uint64, tag = "2")]
    pub(crate) prepare: u64,
}

impl PositionPair {
    /// We know of no transaction that is prepared before it is committed.
    pub(crate) fn new(position: accord_eventlog::Position) -> Self {
        Self { commit: position.0, prepare: position.0 }
    }
}

/// One entry of a map from text to text.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Property {
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
}

/// The revision a writer expects. Appends, deletes and tombstones all number it alike.
#[derive(Clone, Copy, PartialEq, Oneof)]
pub(crate) enum Expected {
    #[prost(uint64, tag = "2")]
    Revision(u64),
    #[prost(message, tag = "3")]
    NoStream(()),
    #[prost(message, tag = "4")]
    Any(()),
    #[prost(message, tag = "5")]
    StreamExists(()),
}

/// A moment since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(crate) nanos: i32,
}

/// A length of time.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Span {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(crate) nanos: i32,
}

/// A message of a type that stands beside it.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Any {
    #[prost(string, tag = "1")]
    pub(crate) type_url: String,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) value: Bytes,
}

impl Any {
    /// Packs a message of the package `event_store.client`.
    pub(crate) fn pack(name: &str, message: &impl Message) -> Self {
        Self {
            type_url: format!("type.googleapis.com/event_store.client.{name}"),
            value: message.encode_to_vec().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_from_either_form() {
        let id = Uuid::from_u128(0xf123_4567_89ab_4def_8123_4567_89ab_cdef);
        for form in [WireUuid::structured(id), WireUuid::text(id)] {
            let bytes = form.encode_to_vec();
            assert_eq!(WireUuid::decode(bytes.as_slice()).unwrap().id(), Some(id));
        }
        let wrong = WireUuid { value: Some(WireUuidValue::Text("7".to_owned())) };
        assert_eq!((wrong.id(), WireUuid::default().id()), (None, None));
    }
}
