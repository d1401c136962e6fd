//! Opening connections: the file's format, durability, and how much memory a connection may take.

use std::{fs::File, path::Path, time::Duration};

use accord_eventlog::LogError;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::{from_io, from_sqlite, unavailable};

/// "ACLG": tells an Accord event log from any other SQLite file.
const APPLICATION_ID: i32 = 0x4143_4C47;
/// Raised when the tables change.
const FORMAT_VERSION: i32 = 1;
/// `PRAGMA synchronous` reads back as this number when it is `FULL`.
const SYNCHRONOUS_FULL: i32 = 2;

const WRITER_CACHE_KIB: i32 = 16 * 1024;
const READER_CACHE_KIB: i32 = 4 * 1024;
/// Only a foreign process, such as a database shell, ever makes a connection wait.
pub(crate) const BUSY_WAIT_MAX: Duration = Duration::from_secs(5);

/// Opens the connection of the writer, creating the log where there is none.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, LogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(from_sqlite)?;
    configure_writer(&connection).map_err(from_sqlite)?;
    assert_durable(&connection)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(from_sqlite)?;
    if tables == 0 {
        create(&mut connection).map_err(from_sqlite)?;
        sync_directory(path)?;
    }
    check_format(&connection)?;
    Ok(connection)
}

/// Opens a connection that cannot write.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, LogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(from_sqlite)?;
    configure_shared(&connection, READER_CACHE_KIB).map_err(from_sqlite)?;
    check_format(&connection)?;
    Ok(connection)
}

/// Opens the connection that moves pages from the write-ahead log into the file.
pub(crate) fn open_checkpointer(path: &Path) -> Result<Connection, LogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(from_sqlite)?;
    configure_writer(&connection).map_err(from_sqlite)?;
    assert_durable(&connection)?;
    Ok(connection)
}

fn configure_writer(connection: &Connection) -> rusqlite::Result<()> {
    configure_shared(connection, WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Where the disk's own cache must be told to flush (macOS); without effect elsewhere.
    connection.pragma_update(None, "fullfsync", true)?;
    // Checkpoints run on a thread of their own, see `checkpointing`.
    connection.pragma_update(None, "wal_autocheckpoint", 0)
}

fn configure_shared(connection: &Connection, cache_kib: i32) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_WAIT_MAX)?;
    connection.set_prepared_statement_cache_capacity(32);
    // Negative means KiB rather than pages. Mapped pages would count as memory of the process.
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "mmap_size", 0)
}

/// Refuses to run where SQLite would acknowledge a commit that is not on disk.
fn assert_durable(connection: &Connection) -> Result<(), LogError> {
    let synchronous: i32 = pragma(connection, "synchronous").map_err(from_sqlite)?;
    if synchronous != SYNCHRONOUS_FULL {
        return Err(unavailable("SQLite does not accept synchronous=FULL"));
    }
    let journal_mode: String = pragma(connection, "journal_mode").map_err(from_sqlite)?;
    if journal_mode != "wal" {
        return Err(unavailable("SQLite cannot keep a write-ahead log on this file system"));
    }
    Ok(())
}

fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(include_str!("schema.sql"))?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT_VERSION)?;
    transaction.commit()
}

fn check_format(connection: &Connection) -> Result<(), LogError> {
    let application_id: i32 = pragma(connection, "application_id").map_err(from_sqlite)?;
    if application_id != APPLICATION_ID {
        return Err(LogError::Corrupt("the file is not an Accord event log".to_owned()));
    }
    let version: i32 = pragma(connection, "user_version").map_err(from_sqlite)?;
    if version != FORMAT_VERSION {
        return Err(LogError::Corrupt(format!(
            "the log has format {version}, this program reads format {FORMAT_VERSION}"
        )));
    }
    Ok(())
}

fn pragma<T: rusqlite::types::FromSql>(connection: &Connection, name: &str) -> rusqlite::Result<T> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

/// A new file is only there for good once its directory is on disk.
pub(crate) fn sync_directory(file: &Path) -> Result<(), LogError> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    if cfg!(unix) {
        File::open(parent.unwrap_or(Path::new("."))).and_then(|d| d.sync_all()).map_err(from_io)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_opens_durable_and_without_automatic_checkpoints() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_writer(&directory.path().join("log.db")).unwrap();
        assert_eq!(pragma::<i32>(&connection, "synchronous").unwrap(), SYNCHRONOUS_FULL);
        assert_eq!(pragma::<String>(&connection, "journal_mode").unwrap(), "wal");
        assert_eq!(pragma::<i32>(&connection, "wal_autocheckpoint").unwrap(), 0);
    }

    #[test]
    fn less_than_full_synchronous_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_writer(&directory.path().join("log.db")).unwrap();
        for weaker in ["NORMAL", "OFF"] {
            connection.pragma_update(None, "synchronous", weaker).unwrap();
            assert!(assert_durable(&connection).is_err(), "{weaker}");
        }
    }

    #[test]
    fn a_log_without_a_write_ahead_log_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        configure_writer(&connection).unwrap();
        assert!(assert_durable(&connection).is_err());
    }

    #[test]
    fn another_sqlite_file_and_another_format_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("other.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (c)").unwrap();
        assert!(matches!(open_writer(&path), Err(LogError::Corrupt(_))));
        assert!(matches!(open_reader(&path), Err(LogError::Corrupt(_))));

        let path = directory.path().join("newer.db");
        open_writer(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(open_writer(&path), Err(LogError::Corrupt(_))));
    }

    #[test]
    fn a_file_that_is_no_database_is_corrupt() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.db");
        std::fs::write(&path, [b'x'; 8192]).unwrap();
        assert!(matches!(open_writer(&path), Err(LogError::Corrupt(_))));
    }
}
