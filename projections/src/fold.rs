//! The fold: batches of events in, changed rows and the checkpoint out, in one transaction.

use std::{rc::Rc, time::SystemTime};

use accord_eventlog::Position;
use rusqlite::Connection;
use uuid::Uuid;

use crate::{
    event::Decoded,
    generation,
    table::Store,
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
    /// Of the last commit.
    pub(crate) position: Option<Position>,
    /// Events folded since the generation began.
    pub(crate) folded: u64,
    pub(crate) quarantined: u64,
    /// Events folded since the last commit: the last one's position and how many, with those
    /// quarantined among them.
    pending: Option<Pending>,
}

#[derive(Default)]
struct Pending {
    last: Position,
    events: u64,
    quarantined: u64,
}

impl Folder {
    /// Goes on where the generation's checkpoint stands, event by event as they come.
    pub(crate) fn following(connection: Connection) -> rusqlite::Result<Self> {
        Self::open(connection, ROWS_KEPT_FOLLOWING)
    }

    /// Goes on where the generation's checkpoint stands, through the whole log.
    pub(crate) fn building(connection: Connection) -> rusqlite::Result<Self> {
        Self::open(connection, ROWS_KEPT_BUILDING)
    }

    fn open(connection: Connection, rows_kept_max: usize) -> rusqlite::Result<Self> {
        let (position, folded) = match generation::progress(&connection)? {
            Some((position, folded)) => (Some(position), folded),
            None => (None, 0),
        };
        let quarantined = generation::quarantined(&connection)?;
        let store = Store { connection: Rc::new(connection), rows_kept_max };
        let tables = Tables::open(Some(&store))?;
        Ok(Self { store, tables, position, folded, quarantined, pending: None })
    }

    /// Folds events that follow the last ones and commits. After an error everything stands as at
    /// the last commit.
    pub(crate) fn fold(&mut self, events: &[Decoded]) -> rusqlite::Result<()> {
        self.fold_more(events)?;
        self.commit()
    }

    /// Folds events that follow the last ones; [`commit`](Self::commit) stores what has changed.
    pub(crate) fn fold_more(&mut self, events: &[Decoded]) -> rusqlite::Result<()> {
        let outcome = self.apply_all(events);
        self.or_back_to_commit(outcome)
    }

    /// Stores what has changed, with the checkpoint, in one transaction.
    pub(crate) fn commit(&mut self) -> rusqlite::Result<()> {
        let outcome = self.store_pending();
        self.or_back_to_commit(outcome)
    }

    /// Rows that wait for the commit.
    pub(crate) fn dirty_rows(&self) -> usize {
        self.tables.dirty_rows()
    }

    fn or_back_to_commit(&mut self, outcome: rusqlite::Result<()>) -> rusqlite::Result<()> {
        if outcome.is_err() {
            self.pending = None;
            if !self.store.connection.is_autocommit() {
                self.store.connection.execute_batch("ROLLBACK")?;
            }
            self.tables = Tables::open(Some(&self.store))?;
        }
        outcome
    }

    fn apply_all(&mut self, events: &[Decoded]) -> rusqlite::Result<()> {
        for event in events {
            if self.pending.is_none() {
                self.store.connection.execute_batch("BEGIN IMMEDIATE")?;
            }
            let problem = self.apply(event)?;
            let pending = self.pending.get_or_insert_default();
            pending.last = Position(event.recorded.position);
            pending.events += 1;
            if let Some(problem) = problem {
                pending.quarantined += 1;
                quarantine(&self.store.connection, event, &problem)?;
            }
        }
        Ok(())
    }

    fn store_pending(&mut self) -> rusqlite::Result<()> {
        let Some(pending) = &self.pending else { return Ok(()) };
        self.tables.flush()?;
        let (last, folded) = (pending.last, self.folded + pending.events);
        let checkpoint = [last.0, folded].map(|number| i64::try_from(number).unwrap_or(i64::MAX));
        let connection = &self.store.connection;
        connection
            .prepare_cached(
                "INSERT INTO checkpoint (id, position, folded) VALUES (1, ?1, ?2) ON CONFLICT (id)
                 DO UPDATE SET position = excluded.position, folded = excluded.folded",
            )?
            .execute(checkpoint)?;
        connection.execute_batch("COMMIT")?;
        self.position = Some(last);
        self.folded = folded;
        self.quarantined += pending.quarantined;
        self.pending = None;
        Ok(())
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

fn quarantine(connection: &Connection, event: &Decoded, error: &str) -> rusqlite::Result<()> {
    let envelope = &event.recorded;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    tracing::error!(
        position = envelope.position,
        event = %envelope.id,
        stream = %envelope.stream,
        kind = %envelope.kind,
        error,
        "an event is quarantined: no read model shows it"
    );
    connection
        .prepare_cached(
            "INSERT INTO quarantine (position, event, stream, kind, error, quarantined_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            i64::try_from(envelope.position).unwrap_or(i64::MAX),
            Uuid::as_bytes(&envelope.id.0),
            envelope.stream.as_str(),
            &*envelope.kind,
            error,
            i64::try_from(now.as_micros()).unwrap_or(i64::MAX),
        ))?;
    Ok(())
}

#[cfg(test)]
mod tests;
