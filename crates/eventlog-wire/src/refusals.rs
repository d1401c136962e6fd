//! How a refusal reaches the client: a gRPC status, and beside it the trailers that the official
//! clients look at (`exception` first of all).

use accord_eventlog::{ExpectedRevision, LogError, StreamName};
use tonic::{
    Code, Status,
    metadata::{AsciiMetadataValue, MetadataMap},
};

/// Why a change of a stream was refused or failed, before it is known how the answer is given.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The stream is not where the writer believed; `current` is its last revision.
    Conflict { expected: ExpectedRevision, current: Option<u64> },
    /// The stream was deleted for good, or deleted and expected to exist.
    Deleted,
    /// An event, or all of them together, take too many bytes.
    TooLarge { bytes_max: usize },
    /// The request itself is wrong, or the log failed.
    Other(Status),
}

impl From<LogError> for Refusal {
    fn from(error: LogError) -> Self {
        match error {
            LogError::WrongExpectedVersion { expected, actual } => {
                Self::Conflict { expected, current: actual }
            }
            LogError::TooLarge { bytes_max, .. } => Self::TooLarge { bytes_max },
            other => Self::Other(failed(&other)),
        }
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self::Other(status)
    }
}

impl Refusal {
    /// The status of a call that was refused so.
    pub(crate) fn into_status(self, stream: &StreamName) -> Status {
        match self {
            Self::Conflict { expected, current } => wrong_version(stream, expected, current),
            Self::Deleted => deleted(stream),
            Self::TooLarge { bytes_max } => too_large(bytes_max),
            Self::Other(status) => status,
        }
    }
}

/// The log's own failures. A log that is only unavailable for a while is worth another try.
pub(crate) fn failed(error: &LogError) -> Status {
    match error {
        LogError::Unavailable(_) => Status::unavailable(error.to_string()),
        LogError::Corrupt(_) => {
            tracing::error!(error = error as &dyn std::error::Error, "the event log is corrupt");
            Status::data_loss("the event log is corrupt")
        }
        other => Status::internal(other.to_string()),
    }
}

/// The text is what the Python client reads the numbers from.
fn wrong_version(stream: &StreamName, expected: ExpectedRevision, current: Option<u64>) -> Status {
    let expected = number(expected);
    let actual = current.map_or_else(|| "-1".to_owned(), |revision| revision.to_string());
    let message = format!(
        "Append failed due to WrongExpectedVersion. Stream: {stream}, \
         Expected version: {expected}, Actual version: {actual}"
    );
    let trailers = [
        ("stream-name", printable(stream.as_str())),
        ("expected-version", expected),
        ("actual-version", actual),
    ];
    refusal(Code::FailedPrecondition, "wrong-expected-version", message, &trailers)
}

/// The protocol's numbers for expectations that are no revision.
fn number(expected: ExpectedRevision) -> String {
    match expected {
        ExpectedRevision::NoStream => "-1".to_owned(),
        ExpectedRevision::Any => "-2".to_owned(),
        ExpectedRevision::StreamExists => "-4".to_owned(),
        ExpectedRevision::Exact(revision) => revision.to_string(),
    }
}

/// A stream that is gone.
pub(crate) fn deleted(stream: &StreamName) -> Status {
    let message = format!("Event stream '{stream}' is deleted.");
    let trailers = [("stream-name", printable(stream.as_str()))];
    refusal(Code::FailedPrecondition, "stream-deleted", message, &trailers)
}

/// An append over the limit.
pub(crate) fn too_large(bytes_max: usize) -> Status {
    let message = format!("Maximum Append Size of {bytes_max} Exceeded.");
    let trailers = [("maximum-append-size", bytes_max.to_string())];
    refusal(Code::InvalidArgument, "maximum-append-size-exceeded", message, &trailers)
}

/// An event that lacks what every event has.
pub(crate) fn property_missing(property: &str) -> Status {
    let message = format!("Required Metadata Property '{property}' is missing");
    let trailers = [("required-metadata-properties", property.to_owned())];
    refusal(Code::InvalidArgument, "missing-required-metadata-property", message, &trailers)
}

/// A write to a listener that only lets read.
pub(crate) fn read_only() -> Status {
    let message = "Access Denied: this listener only serves reads".to_owned();
    refusal(Code::PermissionDenied, "access-denied", message, &[])
}

/// A call without the right user and password.
pub(crate) fn unauthenticated() -> Status {
    Status::unauthenticated("user and password are needed")
}

fn refusal(
    code: Code,
    exception: &'static str,
    message: String,
    trailers: &[(&'static str, String)],
) -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert("exception", AsciiMetadataValue::from_static(exception));
    for (key, value) in trailers {
        // What no trailer can hold stands in the message all the same.
        if let Ok(value) = value.parse() {
            metadata.insert(*key, value);
        }
    }
    Status::with_metadata(code, message, metadata)
}

/// Trailers hold printable ASCII only; everything else is escaped as in a URL.
fn printable(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => escaped.push(char::from(byte)),
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(name: &str) -> StreamName {
        name.parse().unwrap()
    }

    fn trailer<'a>(status: &'a Status, key: &str) -> &'a str {
        status.metadata().get(key).unwrap().to_str().unwrap()
    }

    #[test]
    fn a_conflict_tells_its_numbers_in_the_text_and_in_the_trailers() {
        let refusal = Refusal::Conflict { expected: ExpectedRevision::Exact(7), current: Some(3) };
        let status = refusal.into_status(&stream("deal-1"));
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert!(
            status.message().ends_with(
                "WrongExpectedVersion. Stream: deal-1, Expected version: 7, Actual version: 3"
            ),
            "{}",
            status.message()
        );
        assert_eq!(trailer(&status, "exception"), "wrong-expected-version");
        assert_eq!(trailer(&status, "expected-version"), "7");
        assert_eq!(trailer(&status, "actual-version"), "3");
    }

    #[test]
    fn a_name_beyond_ascii_is_escaped_in_trailers() {
        let status = deleted(&stream("straße 100%"));
        assert_eq!(trailer(&status, "stream-name"), "stra%C3%9Fe 100%25");
        assert!(status.message().contains("straße 100%"));
    }

    #[test]
    fn an_unavailable_log_is_worth_another_try_and_a_corrupt_one_is_not() {
        assert_eq!(failed(&LogError::Unavailable("gone".into())).code(), Code::Unavailable);
        assert_eq!(failed(&LogError::Corrupt("x".to_owned())).code(), Code::DataLoss);
    }
}
