//! The fold: batches of events in, changed rows and the checkpoint out, in one transaction.

use std::{mem, rc::Rc, sync::Arc, time::SystemTime};

use accord_domain::{EventId, Timestamp};
use accord_eventlog::{Position, StreamName};
use rusqlite::Connection;

use crate::{
    column::Column,
    event::Decoded,
    generation,
    table::{Store, Write},
    tables::{ApplyError, PROJECTIONS, Tables},
};

/// Rows of a table that stay in memory while following. Tests keep few, so that they load rows
/// again.
const ROWS_KEPT_FOLLOWING: usize = if cfg!(test) { 4 } else { 8_192 };
/// A build does nothing else, and touches everything there ever was.
const ROWS_KEPT_BUILDING: usize = if cfg!(test) { 4 } else { 16_384 };

/// Folds events into one generation.
pub(crate) struct Folder {
    store: Store,
    tables: Tables,
    /// The last event folded, or since the last failure stored.
    pub(crate) position: Option<Position>,
    /// Events folded since the generation began.
    pub(crate) folded: u64,
    pub(crate) quarantined: u64,
    /// Quarantined since the last batch was taken.
    unsaved: Vec<Quarantined>,
}

/// What some events have changed: to be written within one transaction.
pub(crate) struct Batch {
    writes: Vec<Write>,
    quarantined: Vec<Quarantined>,
    position: Position,
    folded: u64,
}

impl Folder {
    /// Goes on where the generation's checkpoint stands, with the events as they come.
    pub(crate) fn following(connection: Connection) -> rusqlite::Result<Self> {
        Self::open(Store { connection: Rc::new(connection), rows_kept_max: ROWS_KEPT_FOLLOWING })
    }

    /// Goes on where the generation's checkpoint stands, through the whole log. The connection only
    /// loads rows.
    pub(crate) fn building(connection: Connection) -> rusqlite::Result<Self> {
        Self::open(Store { connection: Rc::new(connection), rows_kept_max: ROWS_KEPT_BUILDING })
    }

    fn open(store: Store) -> rusqlite::Result<Self> {
        let progress = generation::progress(&store.connection)?;
        Ok(Self {
            tables: Tables::open(Some(&store))?,
            position: progress.map(|(position, _)| position),
            folded: progress.map_or(0, |(_, folded)| folded),
            quarantined: generation::quarantined(&store.connection)?,
            unsaved: Vec::new(),
            store,
        })
    }

    /// Folds events that follow the last ones and commits. After an error everything stands as at
    /// the last commit.
    pub(crate) fn fold(&mut self, events: &[Decoded]) -> rusqlite::Result<()> {
        let outcome = self.fold_and_commit(events);
        if outcome.is_err() {
            let store = self.store.clone();
            if !store.connection.is_autocommit() {
                store.connection.execute_batch("ROLLBACK")?;
            }
            *self = Self::open(store)?;
        }
        outcome
    }

    fn fold_and_commit(&mut self, events: &[Decoded]) -> rusqlite::Result<()> {
        // One transaction also spares every load its own.
        self.store.connection.execute_batch("BEGIN IMMEDIATE")?;
        self.fold_more(events)?;
        if let Some(batch) = self.take_batch() {
            batch.write(&self.store.connection)?;
        }
        self.store.connection.execute_batch("COMMIT")
    }

    /// Folds events that follow the last ones, in memory.
    pub(crate) fn fold_more(&mut self, events: &[Decoded]) -> rusqlite::Result<()> {
        for event in events {
            if let Some(error) = self.apply(event)? {
                self.quarantined += 1;
                self.unsaved.push(Quarantined::because(event, error));
            }
            self.position = Some(Position(event.recorded.position));
            self.folded += 1;
        }
        Ok(())
    }

    /// Rows that wait to be written.
    pub(crate) fn dirty_rows(&self) -> usize {
        self.tables.dirty_rows()
    }

    /// Takes what has changed since the last batch, which must be committed by now.
    pub(crate) fn take_batch(&mut self) -> Option<Batch> {
        Some(Batch {
            writes: self.tables.take_changes(),
            quarantined: mem::take(&mut self.unsaved),
            position: self.position?,
            folded: self.folded,
        })
    }

    /// What is wrong with the event, if anything. An event that one read model cannot fold is still
    /// seen by the others.
    fn apply(&mut self, decoded: &Decoded) -> rusqlite::Result<Option<String>> {
        let mut problem = decoded.error.clone();
        let Some(event) = &decoded.event else { return Ok(problem) };
        for projection in PROJECTIONS {
            match (projection.apply)(&mut self.tables, event) {
                Ok(()) => {}
                Err(ApplyError::Store(error)) => return Err(error),
                Err(error) => problem = Some(format!("{}: {error}", projection.name)),
            }
        }
        Ok(problem)
    }
}

impl Batch {
    /// Commits the batch.
    pub(crate) fn commit(self, connection: &Connection) -> rusqlite::Result<()> {
        let transaction = connection.unchecked_transaction()?;
        self.write(&transaction)?;
        transaction.commit()
    }

    /// Writes rows and checkpoint, within a transaction of the caller's.
    fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        for write in self.writes {
            write(connection)?;
        }
        for quarantined in &self.quarantined {
            quarantined.write(connection)?;
        }
        connection
            .prepare_cached(
                "INSERT INTO checkpoint (id, position, folded) VALUES (1, ?1, ?2) ON CONFLICT (id)
                 DO UPDATE SET position = excluded.position, folded = excluded.folded",
            )?
            .execute([self.position.0.to_column(), self.folded.to_column()])?;
        Ok(())
    }
}

/// An event that could not be folded.
struct Quarantined {
    position: u64,
    event: EventId,
    stream: StreamName,
    kind: Arc<str>,
    error: String,
    quarantined_at: Timestamp,
}

impl Quarantined {
    fn because(event: &Decoded, error: String) -> Self {
        let envelope = &event.recorded;
        tracing::error!(
            position = envelope.position,
            event = %envelope.id,
            stream = %envelope.stream,
            kind = %envelope.kind,
            error,
            "an event is quarantined: no read model shows it"
        );
        Self {
            position: envelope.position,
            event: envelope.id,
            stream: envelope.stream.clone(),
            kind: Arc::clone(&envelope.kind),
            error,
            quarantined_at: Timestamp::from(SystemTime::now()),
        }
    }

    fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let insert = "INSERT INTO quarantine (position, event, stream, kind, error, quarantined_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let (position, event) = (self.position.to_column(), self.event.to_column());
        let (stream, kind) = (self.stream.as_str(), &*self.kind);
        let at = self.quarantined_at.to_column();
        connection.prepare_cached(insert)?.execute((
            position,
            event,
            stream,
            kind,
            &self.error,
            at,
        ))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
