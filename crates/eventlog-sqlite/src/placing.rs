//! Where an append goes: the check of its expected revision, the recognition of retries, and the
//! inserts. Everything here happens within the writer's transaction.
//!
//! Retries need no index over all ids. With a revision given, the events after it either carry
//! these ids or they do not. Without one (`Any`, `StreamExists`) the first id must be looked up in
//! the whole stream; `stream_ids` serves that lookup, and only streams that were ever appended to
//! in this way have rows in it: the first such append indexes what the stream holds, once, and
//! later appends keep the index complete. Streams written at exact revisions, which are nearly
//! all, pay nothing.

use std::sync::Arc;

use accord_eventlog::{
    Appended, ExpectedRevision, LogError, NewEvent, Position, RecordedEvent, StreamName,
};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::recent::Recent;

/// Streams whose end the writer remembers: about 10 MB when full.
pub(crate) const HEADS_MAX: usize = 64 * 1024;
const KINDS_MAX: usize = 1024;

/// What the writer knows about a stream's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    stream: i64,
    last: u64,
    ids_indexed: bool,
}

/// An append as the writer sees it.
pub(crate) struct Wish {
    pub(crate) stream: StreamName,
    pub(crate) expected: ExpectedRevision,
    pub(crate) events: Vec<NewEvent>,
}

/// The writer's memory of the log: the next position, and the ends of streams used recently.
pub(crate) struct Placing {
    next_position: u64,
    heads: Recent<StreamName, Head>,
    kinds: Recent<Arc<str>, i64>,
}

/// Refusals concern one append, failures of SQLite the whole batch.
type Placed<T> = rusqlite::Result<Result<T, LogError>>;

impl Placing {
    /// Reads where the log ends. Remembers the ends of at most `heads_max` streams.
    pub(crate) fn load(connection: &Connection, heads_max: usize) -> rusqlite::Result<Self> {
        let mut placing =
            Self { next_position: 0, heads: Recent::new(heads_max), kinds: Recent::new(KINDS_MAX) };
        placing.forget(connection)?;
        Ok(placing)
    }

    /// After a rollback nothing that was remembered can be trusted.
    pub(crate) fn forget(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.heads.clear();
        self.kinds.clear();
        let last: Option<u64> =
            connection.query_row("SELECT max(position) FROM events", [], |row| row.get(0))?;
        self.next_position = last.map_or(1, |last| last + 1);
        Ok(())
    }

    /// Checks and inserts one append; what was inserted is added to `recorded`.
    pub(crate) fn place(
        &mut self,
        connection: &Connection,
        wish: Wish,
        now_micros: i64,
        recorded: &mut Vec<RecordedEvent>,
    ) -> Placed<Appended> {
        let mut head = self.head(connection, &wish.stream)?;
        let by_id = matches!(wish.expected, ExpectedRevision::Any | ExpectedRevision::StreamExists);
        if let Some(head) = head.as_mut().filter(|head| by_id && !head.ids_indexed) {
            index_ids(connection, head.stream)?;
            head.ids_indexed = true;
            self.heads.insert(wish.stream.clone(), *head);
        }
        match judge(connection, head, wish.expected, &wish.events)? {
            Verdict::Append => self.insert(connection, (wish, head), now_micros, recorded).map(Ok),
            Verdict::Repeated(place) => Ok(Ok(place)),
            Verdict::Refuse => Ok(Err(LogError::WrongExpectedVersion {
                expected: wish.expected,
                actual: head.map(|head| head.last),
            })),
        }
    }

    fn head(
        &mut self,
        connection: &Connection,
        stream: &StreamName,
    ) -> rusqlite::Result<Option<Head>> {
        if let Some(head) = self.heads.get(stream) {
            return Ok(Some(head));
        }
        let found = connection
            .prepare_cached(
                "SELECT s.id, s.ids_indexed,
                        (SELECT max(revision) FROM events WHERE stream = s.id)
                 FROM streams s WHERE s.name = ?1",
            )?
            .query_row([stream.as_str()], |row| {
                Ok(Head { stream: row.get(0)?, ids_indexed: row.get(1)?, last: row.get(2)? })
            })
            .optional()?;
        if let Some(head) = found {
            self.heads.insert(stream.clone(), head);
        }
        Ok(found)
    }

    fn insert(
        &mut self,
        connection: &Connection,
        (wish, head): (Wish, Option<Head>),
        now_micros: i64,
        recorded: &mut Vec<RecordedEvent>,
    ) -> rusqlite::Result<Appended> {
        let (stream, ids_indexed) = match head {
            Some(head) => (head.stream, head.ids_indexed),
            None => {
                let by_id = wish.expected == ExpectedRevision::Any;
                (create_stream(connection, &wish.stream, by_id)?, by_id)
            }
        };
        let first = head.map_or(0, |head| head.last + 1);
        let mut placed = Appended { revision: first, position: Position(self.next_position) };
        let mut insert = connection
            .prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
        for (revision, event) in (first..).zip(wish.events) {
            let position = self.next_position;
            let kind = self.kind(connection, &event.kind)?;
            insert.execute(params![
                position,
                stream,
                revision,
                kind,
                now_micros,
                event.id.as_bytes(),
                &*event.data,
                &*event.metadata
            ])?;
            if ids_indexed {
                index_id(connection, stream, event.id, revision)?;
            }
            placed = Appended { revision, position: Position(position) };
            recorded.push(RecordedEvent {
                id: event.id,
                stream: wish.stream.clone(),
                revision,
                position: Position(position),
                kind: event.kind,
                data: event.data,
                metadata: event.metadata,
                created_micros: now_micros,
            });
            self.next_position += 1;
        }
        let head = Head { stream, last: placed.revision, ids_indexed };
        self.heads.insert(wish.stream, head);
        Ok(placed)
    }

    fn kind(&mut self, connection: &Connection, name: &Arc<str>) -> rusqlite::Result<i64> {
        if let Some(id) = self.kinds.get(name) {
            return Ok(id);
        }
        let found = connection
            .prepare_cached("SELECT id FROM kinds WHERE name = ?1")?
            .query_row([&**name], |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => connection
                .prepare_cached("INSERT INTO kinds (name) VALUES (?1)")?
                .insert([&**name])?,
        };
        self.kinds.insert(Arc::clone(name), id);
        Ok(id)
    }
}

enum Verdict {
    Append,
    Repeated(Appended),
    Refuse,
}

/// The table in the documentation of `EventLog`.
fn judge(
    connection: &Connection,
    head: Option<Head>,
    expected: ExpectedRevision,
    events: &[NewEvent],
) -> rusqlite::Result<Verdict> {
    match (expected, head) {
        (ExpectedRevision::Any | ExpectedRevision::NoStream, None) => Ok(Verdict::Append),
        (ExpectedRevision::StreamExists | ExpectedRevision::Exact(_), None) => Ok(Verdict::Refuse),
        (ExpectedRevision::Exact(revision), Some(head)) if revision == head.last => {
            Ok(Verdict::Append)
        }
        (ExpectedRevision::Exact(revision), Some(head)) if revision > head.last => {
            Ok(Verdict::Refuse)
        }
        (ExpectedRevision::Exact(revision), Some(head)) => {
            repeated_at(connection, head, revision + 1, events)
        }
        (ExpectedRevision::NoStream, Some(head)) => repeated_at(connection, head, 0, events),
        (ExpectedRevision::Any | ExpectedRevision::StreamExists, Some(head)) => {
            repeated_anywhere(connection, head.stream, events)
        }
    }
}

fn repeated_at(
    connection: &Connection,
    head: Head,
    first: u64,
    events: &[NewEvent],
) -> rusqlite::Result<Verdict> {
    let last = first + events.len() as u64 - 1;
    if last > head.last {
        return Ok(Verdict::Refuse);
    }
    let mut select = connection.prepare_cached(
        "SELECT id, position FROM events WHERE stream = ?1 AND revision BETWEEN ?2 AND ?3
         ORDER BY revision",
    )?;
    let mut rows = select.query(params![head.stream, first, last])?;
    let mut position = Position::default();
    for event in events {
        let Some(row) = rows.next()? else { return Ok(Verdict::Refuse) };
        if row.get::<_, [u8; 16]>(0)? != *event.id.as_bytes() {
            return Ok(Verdict::Refuse);
        }
        position = Position(row.get(1)?);
    }
    Ok(Verdict::Repeated(Appended { revision: last, position }))
}

fn repeated_anywhere(
    connection: &Connection,
    stream: i64,
    events: &[NewEvent],
) -> rusqlite::Result<Verdict> {
    let mut select = connection
        .prepare_cached("SELECT revision FROM stream_ids WHERE stream = ?1 AND id = ?2")?;
    let mut last: Option<u64> = None;
    for (index, event) in events.iter().enumerate() {
        let found = select.query_row(params![stream, event.id.as_bytes()], |row| row.get(0));
        match found.optional()? {
            Some(revision) => last = Some(revision),
            None if index == 0 => return Ok(Verdict::Append),
            None => return Ok(Verdict::Refuse),
        }
    }
    let Some(revision) = last else { return Ok(Verdict::Append) };
    let position = connection
        .prepare_cached("SELECT position FROM events WHERE stream = ?1 AND revision = ?2")?
        .query_row(params![stream, revision], |row| row.get(0))?;
    Ok(Verdict::Repeated(Appended { revision, position: Position(position) }))
}

fn create_stream(
    connection: &Connection,
    name: &StreamName,
    ids_indexed: bool,
) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("INSERT INTO streams (name, ids_indexed) VALUES (?1, ?2)")?
        .insert(params![name.as_str(), ids_indexed])
}

/// Indexes what a stream holds. Costs as much as the stream is long, once in its life.
fn index_ids(connection: &Connection, stream: i64) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT OR REPLACE INTO stream_ids
         SELECT stream, id, revision FROM events WHERE stream = ?1 ORDER BY revision",
        [stream],
    )?;
    connection.execute("UPDATE streams SET ids_indexed = 1 WHERE id = ?1", [stream])?;
    Ok(())
}

/// An id that stands twice in a stream, which only a careless writer does, is found at its last
/// place.
fn index_id(connection: &Connection, stream: i64, id: Uuid, revision: u64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO stream_ids VALUES (?1, ?2, ?3)")?
        .execute(params![stream, id.as_bytes(), revision])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::schema::open_writer;

    fn event() -> NewEvent {
        let id = Uuid::new_v4();
        NewEvent { id, kind: "Placed".into(), data: Bytes::new(), metadata: Bytes::new() }
    }

    fn rows_in_stream_ids(connection: &Connection) -> u64 {
        connection.query_row("SELECT count(*) FROM stream_ids", [], |row| row.get(0)).unwrap()
    }

    fn place(
        placing: &mut Placing,
        connection: &Connection,
        (stream, expected): (&str, ExpectedRevision),
        events: Vec<NewEvent>,
    ) -> Result<Appended, LogError> {
        let wish = Wish { stream: stream.parse().unwrap(), expected, events };
        placing.place(connection, wish, 1, &mut Vec::new()).unwrap()
    }

    #[test]
    fn a_stream_whose_end_was_forgotten_is_looked_up_again() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_writer(&directory.path().join("log.db")).unwrap();
        let mut placing = Placing::load(&connection, 2).unwrap();
        for round in 0..5 {
            for stream in ["a", "b", "c", "d", "e"] {
                let expected = match round {
                    0 => ExpectedRevision::NoStream,
                    _ => ExpectedRevision::Exact(round - 1),
                };
                let wish = (stream, expected);
                let placed = place(&mut placing, &connection, wish, vec![event()]).unwrap();
                assert_eq!(placed.revision, round);
            }
        }
    }

    #[test]
    fn only_streams_appended_to_without_a_revision_are_indexed_by_id() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_writer(&directory.path().join("log.db")).unwrap();
        let mut placing = Placing::load(&connection, 10).unwrap();
        let exact = ("exact", ExpectedRevision::NoStream);
        place(&mut placing, &connection, exact, vec![event(), event()]).unwrap();
        assert_eq!(rows_in_stream_ids(&connection), 0);

        let mixed = ("mixed", ExpectedRevision::NoStream);
        let first = event();
        place(&mut placing, &connection, mixed, vec![first.clone(), event()]).unwrap();
        for expected in [ExpectedRevision::StreamExists, ExpectedRevision::Exact(2)] {
            place(&mut placing, &connection, ("mixed", expected), vec![event()]).unwrap();
        }
        assert_eq!(rows_in_stream_ids(&connection), 4);

        let mut reloaded = Placing::load(&connection, 10).unwrap();
        let again = ("mixed", ExpectedRevision::Any);
        let place = place(&mut reloaded, &connection, again, vec![first]).unwrap();
        assert_eq!(place.revision, 0);
    }

    #[test]
    fn an_expected_revision_beyond_all_numbers_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_writer(&directory.path().join("log.db")).unwrap();
        let mut placing = Placing::load(&connection, 10).unwrap();
        place(&mut placing, &connection, ("s", ExpectedRevision::Any), vec![event()]).unwrap();
        let beyond = ("s", ExpectedRevision::Exact(u64::MAX));
        let refused = place(&mut placing, &connection, beyond, vec![event()]);
        assert!(matches!(refused, Err(LogError::WrongExpectedVersion { actual: Some(0), .. })));
    }
}
