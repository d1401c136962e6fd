//! [`Views`]: the read side as the rest of the process sees it.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use accord_domain::{Day, EventId, ProgramId, Timestamp, rulebook::Rulebook};
use accord_eventlog::Position;
use rusqlite::Connection;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::watch;

use crate::{
    Progress, generation,
    programs::version_in_force,
    readers::Readers,
    row::{record, select},
};

/// Why a query has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum QueryError {
    /// The read models are being built for the first time, or anew for this program version.
    #[error("the read models are being built")]
    Building,
    /// The cursor is not one that this list gave out.
    #[error("the cursor is not valid for this list")]
    InvalidCursor,
    #[error("a page has 1 to {limit_max} items")]
    InvalidLimit { limit_max: u32 },
    #[error("the months are out of order or more than {months_max}")]
    InvalidMonths { months_max: i64 },
    #[error("the read models are closed")]
    Closed,
    #[error("a reader could not be started")]
    Start(#[source] Arc<io::Error>),
    #[error("the read models cannot be read")]
    Store(#[source] Arc<rusqlite::Error>),
}

impl From<rusqlite::Error> for QueryError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// The read models have not reached a position in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the read models have not reached position {wanted}")]
pub struct Behind {
    pub wanted: Position,
    /// How far they are; `None` before the first event.
    pub reached: Option<Position>,
}

/// Why the read models cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the directory of the read models cannot be used")]
    Directory(#[from] io::Error),
    #[error("the read models cannot be opened")]
    Open(#[from] QueryError),
}

/// How the read models stand.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Status {
    /// Position of the last event folded; absent before the first.
    pub checkpoint: Option<u64>,
    /// Events folded since the live generation began.
    pub folded: u64,
    /// Events that could not be folded: not zero is an alarm.
    pub quarantined: u64,
    /// Age of the oldest event that waits to be folded, in milliseconds; 0 when none does.
    pub lag_ms: u64,
    /// Whether history is read and what comes is live.
    pub caught_up: bool,
    /// Present while the read models are built and no query is answered.
    pub building: Option<Progress>,
}

record! {
    /// An event that could not be folded.
    pub struct QuarantinedEvent {
        pub position: u64,
        pub event: EventId,
        pub stream: String,
        #[serde(rename = "type")]
        pub kind: String,
        pub error: String,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub quarantined_at: Timestamp,
    }
}

/// The live read models: queries, their position and their state. Kept up to date by a
/// [`Runner`](crate::Runner), in this process or another.
#[derive(Debug)]
pub struct Views {
    directory: PathBuf,
    readers: RwLock<Option<Arc<Readers>>>,
    rulebooks: Arc<RulebookCache>,
    position: watch::Sender<Option<Position>>,
    state: Mutex<State>,
}

/// What the runner tells.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) folded: u64,
    pub(crate) quarantined: u64,
    pub(crate) caught_up: bool,
    pub(crate) oldest_waiting_micros: Option<i64>,
    pub(crate) building: Option<Progress>,
}

impl Views {
    /// Opens the read models below a data directory. Where there are none, or those of another
    /// program version, queries answer [`QueryError::Building`] until the runner has built them.
    pub fn open(data_dir: &Path) -> Result<Arc<Self>, OpenError> {
        let views = Self {
            directory: generation::directory(data_dir)?,
            readers: RwLock::default(),
            rulebooks: Arc::default(),
            position: watch::Sender::new(None),
            state: Mutex::default(),
        };
        if let Some(number) = views.usable()? {
            views.serve(number)?;
        }
        Ok(Arc::new(views))
    }

    /// The live generation, where its tables are those that this program knows.
    pub(crate) fn usable(&self) -> Result<Option<u64>, OpenError> {
        let Some(number) = generation::current(&self.directory)? else { return Ok(None) };
        let path = generation::file(&self.directory, number);
        if !path.exists() {
            return Ok(None);
        }
        let connection = generation::open_reader(&path).map_err(QueryError::from)?;
        let fits = generation::fits(&connection).map_err(QueryError::from)?;
        Ok(fits.then_some(number))
    }

    /// Answers queries from a generation from now on.
    pub(crate) fn serve(&self, number: u64) -> Result<(), QueryError> {
        let path = generation::file(&self.directory, number);
        let connection = generation::open_reader(&path)?;
        let progress = generation::progress(&connection)?;
        let readers = Readers::open(&path)?;
        *self.readers.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(readers));
        let mut state = self.state();
        state.folded = progress.map_or(0, |(_, folded)| folded);
        state.quarantined = generation::quarantined(&connection)?;
        state.building = None;
        drop(state);
        self.publish(progress.map(|(position, _)| position));
        Ok(())
    }

    /// Tells everybody who waits how far the read models are.
    pub(crate) fn publish(&self, position: Option<Position>) {
        self.position.send_replace(position);
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn rulebook_cache(&self) -> Arc<RulebookCache> {
        Arc::clone(&self.rulebooks)
    }

    /// Runs a query on a reader thread. Every statement sees the rows of one commit; open a
    /// transaction to have several see the same.
    pub async fn query<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, QueryError> {
        let readers = self.readers.read().unwrap_or_else(PoisonError::into_inner).clone();
        readers.ok_or(QueryError::Building)?.query(query).await
    }

    /// Waits until the read models have reached a position.
    pub async fn wait_for(&self, wanted: Position, timeout: Duration) -> Result<(), Behind> {
        let mut position = self.position.subscribe();
        // Position 0 comes before every event: an empty log's read models have reached it.
        let reached = position.wait_for(|position| position.unwrap_or_default() >= wanted);
        match tokio::time::timeout(timeout, reached).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Behind { wanted, reached: *self.position.borrow() }),
        }
    }

    /// Follows the position of the read models.
    pub fn positions(&self) -> watch::Receiver<Option<Position>> {
        self.position.subscribe()
    }

    /// How the read models stand.
    pub fn status(&self) -> Status {
        let checkpoint = self.position.borrow().map(|position| position.0);
        let state = self.state();
        Status {
            checkpoint,
            folded: state.folded,
            quarantined: state.quarantined,
            lag_ms: state.oldest_waiting_micros.map_or(0, age_ms),
            caught_up: state.caught_up,
            building: state.building.clone(),
        }
    }

    /// The events that could not be folded, the oldest first, at most 1,000.
    pub async fn quarantine(&self) -> Result<Vec<QuarantinedEvent>, QueryError> {
        self.query(|connection| {
            select(connection, "quarantine", "ORDER BY position LIMIT 1000", &[] as &[i64])
        })
        .await
    }
}

fn age_ms(micros: i64) -> u64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX);
    now.saturating_sub(micros).max(0).unsigned_abs() / 1000
}

/// Rulebooks that have been read from their documents; a version's document never changes.
#[derive(Debug, Default)]
pub(crate) struct RulebookCache {
    known: Mutex<HashMap<(ProgramId, u32), Arc<Rulebook>>>,
}

impl RulebookCache {
    /// The rulebook in force on a day and its version.
    pub(crate) fn in_force(
        &self,
        connection: &Connection,
        program: &ProgramId,
        day: Day,
    ) -> rusqlite::Result<Option<(u32, Arc<Rulebook>)>> {
        let Some(version) = version_in_force(connection, program, day)? else { return Ok(None) };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (program.clone(), version);
        if let Some(rulebook) = known.get(&key) {
            return Ok(Some((version, Arc::clone(rulebook))));
        }
        let document: String = connection.query_row(
            "SELECT document FROM rulebooks WHERE program = ?1 AND version = ?2",
            (program.as_str(), version),
            |row| row.get(0),
        )?;
        let rulebook: Rulebook = serde_json::from_str(&document).map_err(|error| {
            let text = rusqlite::types::Type::Text;
            rusqlite::Error::FromSqlConversionFailure(0, text, Box::new(error))
        })?;
        let rulebook = Arc::new(rulebook);
        known.insert(key, Arc::clone(&rulebook));
        Ok(Some((version, rulebook)))
    }
}

#[cfg(test)]
mod tests;
