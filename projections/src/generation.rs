//! Generations: all read models in one SQLite file, `gen-<n>.db`. A file `CURRENT` names the live
//! one; changing it is one atomic rename.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use accord_eventlog::Position;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::{build::BuildError, tables::PROJECTIONS};

const CURRENT: &str = "CURRENT";
const TABLES: &str = include_str!("generation.sql");
/// How long a connection waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Every statement of the fold and of the queries stays prepared.
const STATEMENTS_KEPT_MAX: usize = 128;
/// Pages in the write-ahead log before it is copied into the file (64 MiB). Every copy syncs the
/// disk that the event log needs for its own syncs.
const CHECKPOINT_PAGES: u32 = 16 * 1024;
/// Pages that a batch touches stay in memory until it commits; written earlier they cost twice.
const WRITER_CACHE_KIB: i64 = 48 * 1024;
/// Also the size of the runs that are sorted one by one.
const SORTER_CACHE_KIB: i64 = 8 * 1024;
const READER_CACHE_KIB: i64 = 4 * 1024;

/// The directory of the generations below a data directory, made where it is missing.
pub(crate) fn directory(data_dir: &Path) -> io::Result<PathBuf> {
    let directory = data_dir.join("views");
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

/// The file of a generation.
pub(crate) fn file(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("gen-{number}.db"))
}

/// The live generation's number; `None` before the first.
pub(crate) fn current(directory: &Path) -> io::Result<Option<u64>> {
    match fs::read_to_string(directory.join(CURRENT)) {
        Ok(text) => Ok(number(text.trim())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn number(file_name: &str) -> Option<u64> {
    file_name.strip_prefix("gen-")?.strip_suffix(".db")?.parse().ok()
}

/// Makes a generation the live one.
pub(crate) fn make_current(directory: &Path, number: u64) -> io::Result<()> {
    let waiting = directory.join("CURRENT.new");
    let mut file = File::create(&waiting)?;
    writeln!(file, "gen-{number}.db")?;
    file.sync_all()?;
    fs::rename(&waiting, directory.join(CURRENT))?;
    File::open(directory)?.sync_all()
}

/// The numbers of all generations on disk, ascending.
pub(crate) fn numbers(directory: &Path) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        found.extend(entry?.file_name().to_str().and_then(number));
    }
    found.sort_unstable();
    Ok(found)
}

/// Deletes a database and what SQLite keeps beside it.
pub(crate) fn delete(path: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Opens a generation for folding, making its tables where the file is new. Secondary indexes come
/// with [`add_indexes`].
pub(crate) fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT_MAX);
    // Rows that a power loss takes come back from the log.
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
         PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};
         PRAGMA cache_size = -{WRITER_CACHE_KIB}; PRAGMA temp_store = MEMORY;"
    ))?;
    let empty: bool =
        connection
            .query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))?;
    if empty {
        let transaction = connection.unchecked_transaction()?;
        transaction.execute_batch(TABLES)?;
        for projection in PROJECTIONS {
            for statement in statements(projection.tables, false) {
                transaction.execute_batch(statement)?;
            }
            transaction.execute(
                "INSERT INTO projection_versions (name, version) VALUES (?1, ?2)",
                (projection.name, projection.version),
            )?;
        }
        transaction.commit()?;
    }
    Ok(connection)
}

/// Opens a generation for building it. It reaches the disk for sure with [`finish`] only; before,
/// it outlives the process, but perhaps not the machine: see [`boot`].
pub(crate) fn open_builder(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open_writer(path)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    Ok(connection)
}

/// What tells one start of this machine from another, where the system says so.
pub(crate) fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Makes a built generation fast to query and brings it to the disk.
pub(crate) fn finish(path: &Path) -> Result<(), BuildError> {
    let connection = open_builder(path)?;
    // With temporary files SQLite sorts on a second thread while it reads on.
    connection.execute_batch(&format!(
        "PRAGMA temp_store = FILE; PRAGMA threads = 2; PRAGMA cache_size = -{SORTER_CACHE_KIB};"
    ))?;
    if add_indexes(&connection).is_err() {
        // Perhaps there is no place for temporary files.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        add_indexes(&connection)?;
    }
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    drop(connection);
    Ok(File::open(path)?.sync_all()?)
}

/// Opens a generation for queries.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT_MAX);
    connection.execute_batch(&format!("PRAGMA cache_size = -{READER_CACHE_KIB};"))?;
    Ok(connection)
}

/// Makes the secondary indexes: cheaper once, over all rows, than with every row.
pub(crate) fn add_indexes(connection: &Connection) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for projection in PROJECTIONS {
        for statement in statements(projection.tables, true) {
            let statement = statement.replacen("CREATE INDEX", "CREATE INDEX IF NOT EXISTS", 1);
            transaction.execute_batch(&statement)?;
        }
    }
    // A few rows tell the planner enough.
    transaction.execute_batch("PRAGMA analysis_limit = 400; ANALYZE")?;
    transaction.commit()
}

/// The statements of a slice's SQL: those that make indexes, or the others.
fn statements(sql: &str, indexes: bool) -> impl Iterator<Item = &str> {
    sql.split_inclusive(";\n")
        .filter(move |statement| statement.contains("CREATE INDEX") == indexes)
        .filter(|statement| !statement.trim().is_empty())
}

/// Whether a generation holds the tables that this program knows.
pub(crate) fn fits(connection: &Connection) -> rusqlite::Result<bool> {
    let mut select =
        connection.prepare("SELECT name, version FROM projection_versions ORDER BY name")?;
    let stored: Vec<(String, u32)> =
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let mut known = PROJECTIONS.map(|projection| (projection.name.to_owned(), projection.version));
    known.sort_unstable();
    Ok(stored == known)
}

/// The position of the last event folded; `None` before the first.
pub(crate) fn checkpoint(connection: &Connection) -> rusqlite::Result<Option<Position>> {
    Ok(progress(connection)?.map(|(position, _)| position))
}

/// The checkpoint and the number of events folded up to it.
pub(crate) fn progress(connection: &Connection) -> rusqlite::Result<Option<(Position, u64)>> {
    let mut select = connection.prepare_cached("SELECT position, folded FROM checkpoint")?;
    let found: Option<(i64, i64)> =
        select.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(found.map(|(position, folded)| (Position(position.unsigned_abs()), folded.unsigned_abs())))
}

/// How many events are quarantined.
pub(crate) fn quarantined(connection: &Connection) -> rusqlite::Result<u64> {
    let count: i64 = connection
        .prepare_cached("SELECT count(*) FROM quarantine")?
        .query_row([], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}
