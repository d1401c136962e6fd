//! How failures below the log become a [`LogError`].

use std::sync::Arc;

use accord_eventlog::LogError;
use rusqlite::ErrorCode;

/// A file that contradicts itself is corrupt; whatever else SQLite says may pass.
pub(crate) fn from_sqlite(error: rusqlite::Error) -> LogError {
    if is_corrupt(&error) {
        LogError::Corrupt(error.to_string())
    } else {
        LogError::Unavailable(Box::new(error))
    }
}

/// An error of the file system.
pub(crate) fn from_io(error: std::io::Error) -> LogError {
    LogError::Unavailable(Box::new(error))
}

/// A reason in words.
pub(crate) fn unavailable(reason: &'static str) -> LogError {
    LogError::Unavailable(reason.into())
}

fn is_corrupt(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
    match error {
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) => true,
        other => matches!(
            other.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        ),
    }
}

/// Why a whole batch was rolled back; every append in it gets a copy.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the batch was rolled back")]
pub(crate) struct BatchFailed(#[source] pub(crate) Arc<rusqlite::Error>);

impl From<BatchFailed> for LogError {
    fn from(failed: BatchFailed) -> Self {
        if is_corrupt(&failed.0) {
            Self::Corrupt(failed.0.to_string())
        } else {
            Self::Unavailable(Box::new(failed))
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn sqlite(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn only_contradictions_in_the_file_are_corruption() {
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB, ffi::SQLITE_CORRUPT_INDEX] {
            assert!(matches!(from_sqlite(sqlite(code)), LogError::Corrupt(_)), "{code}");
        }
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY, ffi::SQLITE_IOERR, ffi::SQLITE_CANTOPEN] {
            assert!(matches!(from_sqlite(sqlite(code)), LogError::Unavailable(_)), "{code}");
        }
    }

    #[test]
    fn a_failed_batch_keeps_its_cause() {
        let failed = BatchFailed(Arc::new(sqlite(ffi::SQLITE_FULL)));
        let LogError::Unavailable(source) = LogError::from(failed) else { panic!("unavailable") };
        assert!(source.source().is_some_and(|cause| cause.to_string().contains("full")));
    }
}
