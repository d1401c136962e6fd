//! Reads: a few connections of their own, each used by one blocking task at a time.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use accord_eventlog::{Direction, Filter, LogError, Position, RecordedEvent, StreamName};
use bytes::{Bytes, BytesMut};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::{
    error::{from_sqlite, unavailable},
    recent::Recent,
    schema::open_reader,
};

/// More blocking threads than this make small reads slower, not faster.
const READERS_MAX: usize = 3;
/// Rows considered under one snapshot: a long read must not keep the write-ahead log from starting
/// over.
const SCAN_ROWS_MAX: usize = 16 * 1024;
/// Room for so many events is made at once.
const PAGE_EVENTS_EXPECTED: usize = 1024;
const PIECE_BYTES_MIN: usize = 2 * 1024;
const PIECE_BYTES_MAX: usize = 64 * 1024;
const STREAM_NAMES_MAX: usize = 32 * 1024;
const KIND_NAMES_MAX: usize = 1024;

/// The pool. Connections are opened on first use.
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Reader>>,
    free: Arc<Semaphore>,
}

impl Readers {
    /// Opens one connection at once, to find out whether the log is readable.
    pub(crate) fn open(path: &Path) -> Result<Self, LogError> {
        let first = Reader::open(path)?;
        Ok(Self {
            path: path.to_owned(),
            idle: Mutex::new(vec![first]),
            free: Arc::new(Semaphore::new(READERS_MAX)),
        })
    }

    /// Runs the work on a blocking thread as soon as a connection is free.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Reader) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let permit = Arc::clone(&self.free)
            .acquire_owned()
            .await
            .map_err(|_| unavailable("the readers are closed"))?;
        let pool = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let mut reader = pool.take()?;
            let outcome = work(&mut reader);
            pool.lock().push(reader);
            outcome
        });
        task.await.unwrap_or_else(|error| Err(LogError::Unavailable(Box::new(error))))
    }

    fn take(&self) -> Result<Reader, LogError> {
        let idle = self.lock().pop();
        idle.map_or_else(|| Reader::open(&self.path), Ok)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A part of the log to look at.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    pub(crate) direction: Direction,
    /// Strictly after (forward) or before (backward) this position.
    pub(crate) from: Option<Position>,
    pub(crate) filter: Arc<Filter>,
    pub(crate) events_max: usize,
    /// Stop early after so many bytes of events.
    pub(crate) bytes_max: usize,
}

/// What a scan saw.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) events: Vec<RecordedEvent>,
    /// The last position considered, whether or not it passed the filter.
    pub(crate) considered: Option<Position>,
    /// Whether the scan came to the end of the log.
    pub(crate) at_end: bool,
}

/// One connection and the names it has read.
pub(crate) struct Reader {
    connection: Connection,
    names: Names,
}

const COLUMNS: &str = "position, stream, revision, kind, created_micros, id, data, metadata";

impl Reader {
    fn open(path: &Path) -> Result<Self, LogError> {
        Ok(Self { connection: open_reader(path)?, names: Names::new() })
    }

    /// The connection, for a backup.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Position of the last event.
    pub(crate) fn head(&mut self) -> Result<Option<Position>, LogError> {
        // Nearly always the very last event.
        let head: Option<u64> = self
            .connection
            .prepare_cached(
                "SELECT position FROM events
                 WHERE kind NOT IN (SELECT id FROM kinds WHERE name GLOB '$*')
                 ORDER BY position DESC LIMIT 1",
            )
            .and_then(|mut select| select.query_row([], |row| row.get(0)).optional())
            .map_err(from_sqlite)?;
        Ok(head.map(Position))
    }

    /// A part of one stream, `from` inclusive.
    pub(crate) fn stream(
        &mut self,
        stream: &StreamName,
        direction: Direction,
        from: Option<u64>,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        let id: Option<i64> = self
            .connection
            .prepare_cached("SELECT id FROM streams WHERE name = ?1")
            .and_then(|mut select| select.query_row([stream.as_str()], |row| row.get(0)).optional())
            .map_err(from_sqlite)?;
        let Some(id) = id else { return Ok(Vec::new()) };
        self.names.streams.insert(id, stream.clone());
        let (comparison, order, open_end) = match direction {
            Direction::Forward => (">=", "ASC", 0),
            Direction::Backward => ("<=", "DESC", u64::MAX),
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM events WHERE stream = ?1 AND revision {comparison} ?2
             ORDER BY revision {order} LIMIT ?3"
        );
        let Self { connection, names } = self;
        let mut select = connection.prepare_cached(&sql).map_err(from_sqlite)?;
        let from = signed(from.unwrap_or(open_end));
        let mut rows = select.query(params![id, from, signed(max as u64)]).map_err(from_sqlite)?;
        let (mut events, mut arena) = (Vec::new(), Arena::default());
        while let Some(row) = rows.next().map_err(from_sqlite)? {
            let of = names.of(connection, row)?;
            events.push(decode(row, of, &mut arena).map_err(from_sqlite)?);
        }
        Ok(events)
    }

    /// A part of the whole log.
    pub(crate) fn scan(&mut self, scan: &Scan) -> Result<Page, LogError> {
        let (comparison, order, open_end) = match scan.direction {
            Direction::Forward => (">", "ASC", 0),
            Direction::Backward => ("<", "DESC", u64::MAX),
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM events WHERE position {comparison} ?1
             ORDER BY position {order} LIMIT ?2"
        );
        let Filter { stream_prefixes, kind_prefixes, system: _ } = &*scan.filter;
        // System events are few: without a prefix nearly every row passes.
        let wide = stream_prefixes.is_empty() && kind_prefixes.is_empty();
        let rows_max = if wide { scan.events_max.min(SCAN_ROWS_MAX) } else { SCAN_ROWS_MAX };
        let Self { connection, names } = self;
        let mut select = connection.prepare_cached(&sql).map_err(from_sqlite)?;
        let from = signed(scan.from.map_or(open_end, |position| position.0));
        let mut rows = select.query(params![from, signed(rows_max as u64)]).map_err(from_sqlite)?;
        let expected = if wide { rows_max.min(PAGE_EVENTS_EXPECTED) } else { 0 };
        let events = Vec::with_capacity(expected);
        let mut page = Page { events, considered: scan.from, at_end: false };
        let (mut considered, mut bytes, mut arena) = (0, 0, Arena::default());
        while let Some(row) = rows.next().map_err(from_sqlite)? {
            considered += 1;
            page.considered = Some(Position(row.get(0).map_err(from_sqlite)?));
            let of = names.of(connection, row)?;
            if scan.filter.matches(of.0.as_str(), &of.1) {
                let event = decode(row, of, &mut arena).map_err(from_sqlite)?;
                bytes += event.data.len() + event.metadata.len();
                page.events.push(event);
                if page.events.len() >= scan.events_max || bytes >= scan.bytes_max {
                    return Ok(page);
                }
            }
        }
        page.at_end = considered < rows_max;
        Ok(page)
    }
}

/// SQLite's integers are signed; no revision, position or count ever comes near the difference.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn decode(
    row: &Row<'_>,
    (stream, kind): (StreamName, Arc<str>),
    arena: &mut Arena,
) -> rusqlite::Result<RecordedEvent> {
    Ok(RecordedEvent {
        id: Uuid::from_bytes(row.get(5)?),
        stream,
        revision: row.get(2)?,
        position: Position(row.get(0)?),
        kind,
        data: arena.copy(row, 6)?,
        metadata: arena.copy(row, 7)?,
        created_micros: row.get(4)?,
    })
}

/// Memory for the bytes of neighbouring events, which a replay takes and gives back by the million.
/// An event that is kept keeps at most one such piece alive. Pieces grow with the number of events,
/// so that a read of a few takes little.
#[derive(Default)]
struct Arena {
    piece: BytesMut,
    piece_bytes: usize,
}

impl Arena {
    fn copy(&mut self, row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
        let blob = row.get_ref(column)?.as_blob().map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, Box::new(error))
        })?;
        if self.piece.capacity() < blob.len() {
            self.piece_bytes = (2 * self.piece_bytes).clamp(PIECE_BYTES_MIN, PIECE_BYTES_MAX);
            self.piece = BytesMut::with_capacity(self.piece_bytes.max(blob.len()));
        }
        self.piece.extend_from_slice(blob);
        Ok(self.piece.split().freeze())
    }
}

/// Interned names never change, so that what was read once stays true.
struct Names {
    streams: Recent<i64, StreamName>,
    kinds: Recent<i64, Arc<str>>,
}

impl Names {
    fn new() -> Self {
        Self { streams: Recent::new(STREAM_NAMES_MAX), kinds: Recent::new(KIND_NAMES_MAX) }
    }

    /// Stream and type of an event's row.
    fn of(
        &mut self,
        connection: &Connection,
        row: &Row<'_>,
    ) -> Result<(StreamName, Arc<str>), LogError> {
        let stream = row.get(1).map_err(from_sqlite)?;
        let kind = row.get(3).map_err(from_sqlite)?;
        Ok((self.stream(connection, stream)?, self.kind(connection, kind)?))
    }

    fn stream(&mut self, connection: &Connection, id: i64) -> Result<StreamName, LogError> {
        if let Some(name) = self.streams.get(&id) {
            return Ok(name);
        }
        let name = read_name(connection, "SELECT name FROM streams WHERE id = ?1", id)?;
        let name = StreamName::including_system(&name).map_err(|error| {
            LogError::Corrupt(format!("the name of stream {id} is stored wrongly: {error}"))
        })?;
        self.streams.insert(id, name.clone());
        Ok(name)
    }

    fn kind(&mut self, connection: &Connection, id: i64) -> Result<Arc<str>, LogError> {
        if let Some(name) = self.kinds.get(&id) {
            return Ok(name);
        }
        let name: Arc<str> =
            read_name(connection, "SELECT name FROM kinds WHERE id = ?1", id)?.into();
        self.kinds.insert(id, Arc::clone(&name));
        Ok(name)
    }
}

fn read_name(connection: &Connection, sql: &str, id: i64) -> Result<String, LogError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut select| select.query_row([id], |row| row.get(0)).optional())
        .map_err(from_sqlite)?
        .ok_or_else(|| LogError::Corrupt(format!("an event refers to the missing name {id}")))
}
