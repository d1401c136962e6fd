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
/// characters is accepted; names that start with `$` belong to the log itself and are refused.
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
        if text.is_empty() {
            return Err(StreamNameError::Empty);
        }
        if text.len() > STREAM_NAME_BYTES_MAX {
            return Err(StreamNameError::TooLong { bytes: text.len() });
        }
        if text.chars().any(char::is_control) {
            return Err(StreamNameError::ControlCharacter);
        }
        if text.starts_with('$') {
            return Err(StreamNameError::Reserved);
        }
        Ok(Self(text.into()))
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
