//! The client's errors, as the port tells them.

use std::sync::Arc;

use accord_eventlog::{EVENT_BYTES_MAX, ExpectedRevision, LogError};
use eventstore::{CurrentRevision, Error};

/// Code numbers of gRPC, as `tonic::Code` has them; the client does not export its own.
const CANCELLED: i32 = 1;
const INVALID_ARGUMENT: i32 = 3;
const RESOURCE_EXHAUSTED: i32 = 8;
const ABORTED: i32 = 10;

/// Why a call did not come to an answer of the log.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CallError {
    /// There is no connection, and it is not yet time to try again.
    #[error("{0}")]
    NotConnected(Arc<str>),
    /// The server, or the way to it, failed.
    #[error(transparent)]
    Client(#[from] Error),
}

impl CallError {
    /// Whether the same call may succeed once the server, or the way to it, has recovered.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::NotConnected(_) => true,
            Self::Client(error) => match error {
                Error::ServerError(_)
                | Error::NotLeaderException(_)
                | Error::ConnectionClosed
                | Error::GrpcConnectionError(_)
                | Error::DeadlineExceeded
                | Error::InternalClientError
                | Error::InitializationError(_) => true,
                Error::Grpc { code, .. } => {
                    matches!(*code as i32, CANCELLED | RESOURCE_EXHAUSTED | ABORTED)
                }
                _ => false,
            },
        }
    }
}

/// Anything but a refused append.
pub(crate) fn from_call(error: CallError) -> LogError {
    let outage = error.is_outage();
    match error {
        CallError::Client(Error::AccessDenied) => {
            LogError::Unavailable("the server refuses this user and password".into())
        }
        CallError::Client(Error::ResourceDeleted) => {
            LogError::Corrupt("a stream was deleted for good on the server".to_owned())
        }
        CallError::Client(Error::InternalParsingError(why) | Error::IllegalStateError(why)) => {
            LogError::Corrupt(why)
        }
        CallError::Client(Error::Grpc { code, message })
            if !outage && code as i32 == INVALID_ARGUMENT =>
        {
            LogError::Corrupt(message)
        }
        error => LogError::Unavailable(Box::new(error)),
    }
}

/// A refused append of so many bytes.
pub(crate) fn from_append(error: CallError, expected: ExpectedRevision, bytes: usize) -> LogError {
    match error {
        CallError::Client(Error::WrongExpectedVersion { current, .. }) => {
            let actual = match current {
                CurrentRevision::Current(revision) => Some(revision),
                CurrentRevision::NoStream => None,
            };
            LogError::WrongExpectedVersion { expected, actual }
        }
        CallError::Client(Error::Grpc { code, message })
            if code as i32 == INVALID_ARGUMENT && is_about_size(&message) =>
        {
            let bytes_max = number_in(&message).unwrap_or(EVENT_BYTES_MAX);
            LogError::TooLarge { bytes, bytes_max }
        }
        error => from_call(error),
    }
}

/// The client keeps the sentence and drops the exception's name.
fn is_about_size(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("append size") || message.contains("append-size")
}

fn number_in(message: &str) -> Option<usize> {
    let digits = |letter: char| !letter.is_ascii_digit();
    message.split(digits).find(|part| !part.is_empty())?.parse().ok()
}
