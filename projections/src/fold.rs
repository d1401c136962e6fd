//! The fold: batches of events in, changed rows and the checkpoint out, in one transaction.

use std::{rc::Rc, time::SystemTime};

use accord_eventlog::Position;
use rusqlite::Connection;
use uuid::Uuid;

use crate::{
    event::Decoded,
    generation,
    tables::{ApplyError, PROJECTIONS, Tables},
};

/// Folds events into one generation.
pub(crate) struct Folder {
    connection: Rc<Connection>,
    tables: Tables,
    pub(crate) position: Option<Position>,
    /// Events folded since the generation began.
    pub(crate) folded: u64,
    pub(crate) quarantined: u64,
}

impl Folder {
    /// Goes on where the generation's checkpoint stands.
    pub(crate) fn open(connection: Connection) -> rusqlite::Result<Self> {
        let connection = Rc::new(connection);
        let (position, folded) = match generation::progress(&connection)? {
            Some((position, folded)) => (Some(position), folded),
            None => (None, 0),
        };
        let quarantined = generation::quarantined(&connection)?;
        let tables = Tables::open(Some(&connection))?;
        Ok(Self { connection, tables, position, folded, quarantined })
    }

    /// Folds events that follow the checkpoint and commits. After an error the rows in memory are
    /// those of the last commit.
    pub(crate) fn fold(&mut self, events: &[Decoded]) -> rusqlite::Result<()> {
        let Some(last) = events.last() else { return Ok(()) };
        let outcome = self.fold_within(events, Position(last.recorded.position));
        if outcome.is_err() {
            if !self.connection.is_autocommit() {
                self.connection.execute_batch("ROLLBACK")?;
            }
            self.tables = Tables::open(Some(&self.connection))?;
        }
        outcome
    }

    fn fold_within(&mut self, events: &[Decoded], last: Position) -> rusqlite::Result<()> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut quarantined = 0;
        for event in events {
            if let Some(error) = self.apply(event)? {
                quarantine(&self.connection, event, &error)?;
                quarantined += 1;
            }
        }
        self.tables.flush()?;
        let folded = self.folded + events.len() as u64;
        let checkpoint = [last.0, folded].map(|number| i64::try_from(number).unwrap_or(i64::MAX));
        self.connection
            .prepare_cached(
                "INSERT INTO checkpoint (id, position, folded) VALUES (1, ?1, ?2) ON CONFLICT (id)
                 DO UPDATE SET position = excluded.position, folded = excluded.folded",
            )?
            .execute(checkpoint)?;
        self.connection.execute_batch("COMMIT")?;
        self.position = Some(last);
        self.folded = folded;
        self.quarantined += quarantined;
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
