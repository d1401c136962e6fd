//! The envelope: an event before and after it is recorded, and the names and numbers around it.

use std::{fmt, str::FromStr, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Longest stream name accepted, in bytes.
const STREAM_NAME_BYTES_MAX: usize = 256;

/// A place in the whole log: increasing, sparse and opaque. Compare positions, never count them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(pub u64);

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The name of a stream, `{category}-{id}`. Any UTF-8 text of 1 to 256 bytes without control
/// characters is accepted. Names that start with `$` belong to the log itself: [`FromStr`] refuses
/// them, so that no name that comes from outside ever reaches a system stream by accident.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct StreamName(Arc<str>);

/// Why a text is not a stream name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamNameError {
    /// The text is empty.
    #[error("a stream name must not be empty")]
    Empty,
    /// The text is longer than 256 bytes.
    #[error("a stream name of {bytes} bytes exceeds {STREAM_NAME_BYTES_MAX}")]
    TooLong {
        /// Length of the refused text in bytes.
        bytes: usize,
    },
    /// The text holds a control character.
    #[error("a stream name must not hold control characters")]
    ControlCharacter,
    /// The text starts with `$`.
    #[error("stream names that start with `$` are reserved for the log itself")]
    Reserved,
}

impl StreamName {
    /// The stream of one aggregate: `{category}-{id}`.
    pub fn of(category: &str, id: Uuid) -> Self {
        Self(format!("{category}-{id}").into())
    }

    /// Any stream's name, those of the log itself included: `$$deal-1` (the metadata of `deal-1`)
    /// or `$settings`. For whoever passes names on rather than giving them: an adapter that reads
    /// what is stored, a listener that serves a whole log. The leading `$$` does not count into the
    /// 256 bytes, so that every stream can have metadata.
    pub fn including_system(text: &str) -> Result<Self, StreamNameError> {
        let own = text.strip_prefix("$$").unwrap_or(text);
        if own.is_empty() {
            return Err(StreamNameError::Empty);
        }
        if own.len() > STREAM_NAME_BYTES_MAX {
            return Err(StreamNameError::TooLong { bytes: own.len() });
        }
        if own.chars().any(char::is_control) {
            return Err(StreamNameError::ControlCharacter);
        }
        Ok(Self(text.into()))
    }

    /// Whether the name belongs to the log itself, which is when it starts with `$`.
    pub fn is_system(&self) -> bool {
        self.0.starts_with('$')
    }

    /// The stream that holds this stream's metadata: `$$` and the name.
    pub fn metadata(&self) -> Self {
        Self(format!("$${}", self.0).into())
    }

    /// The stream whose metadata this stream holds; `None` where it is no metadata stream.
    pub fn described(&self) -> Option<Self> {
        self.0.strip_prefix("$$").map(|name| Self(name.into()))
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first `-`; the whole name where there is none.
    pub fn category(&self) -> &str {
        self.0.split_once('-').map_or(&*self.0, |(category, _)| category)
    }

    /// The aggregate's id, where the name has the form `{category}-{uuid}`.
    pub fn id(&self) -> Option<Uuid> {
        self.0.split_once('-').and_then(|(_, id)| Uuid::parse_str(id).ok())
    }
}

impl FromStr for StreamName {
    type Err = StreamNameError;

    fn from_str(text: &str) -> Result<Self, StreamNameError> {
        if text.starts_with('$') {
            return Err(StreamNameError::Reserved);
        }
        Self::including_system(text)
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// An event on its way into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Unique in the log; a function of the command's id, so that a retry carries the same id.
    pub id: Uuid,
    /// The event type's stored name, for example `DealSubmitted`.
    pub kind: Arc<str>,
    /// The payload. Stored and returned byte for byte.
    pub data: Bytes,
    /// The metadata. Stored and returned byte for byte.
    pub metadata: Bytes,
}

/// An event as the log returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The id given at the append.
    pub id: Uuid,
    /// The stream it belongs to.
    pub stream: StreamName,
    /// Its place in the stream, gapless from 0.
    pub revision: u64,
    /// Its place in the whole log.
    pub position: Position,
    /// The event type's stored name.
    pub kind: Arc<str>,
    /// The payload, byte for byte.
    pub data: Bytes,
    /// The metadata, byte for byte.
    pub metadata: Bytes,
    /// When the log stored it: microseconds since the Unix epoch, by the log's own clock.
    pub created_micros: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_constructor_for_it_makes_the_name_of_a_system_stream() {
        for name in ["$$deal-1", "$settings", "$"] {
            assert_eq!(name.parse::<StreamName>(), Err(StreamNameError::Reserved), "{name}");
            let system = StreamName::including_system(name).unwrap();
            assert_eq!((system.as_str(), system.is_system()), (name, true));
        }
        assert!(!StreamName::including_system("deal-$1").unwrap().is_system());
    }

    #[test]
    fn the_longest_stream_has_metadata_too() {
        let stream: StreamName = "x".repeat(256).parse().unwrap();
        let metadata = StreamName::including_system(stream.metadata().as_str()).unwrap();
        assert_eq!(metadata.described(), Some(stream));
        for refused in ["", "$$", &"x".repeat(257), "$\n"] {
            assert!(StreamName::including_system(refused).is_err(), "{refused:?}");
        }
    }
}
