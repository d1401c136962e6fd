//! [`SqliteEventLog`]: the port, put together from the writer, the readers and the follower.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use accord_eventlog::{
    Appended, Direction, EVENT_BYTES_MAX, EventLog, ExpectedRevision, Filter, LogError, NewEvent,
    Position, RecordedEvent, StreamName, Subscription,
};
use async_trait::async_trait;

use crate::{
    backup,
    checkpointing::{Bounds, Checkpointer},
    error::unavailable,
    following::{Source, follow},
    locking::WriterLock,
    reading::{Readers, Scan},
    schema::open_writer,
    writer::{CLOSED, Writer},
};

/// An event log in one SQLite file (and, while it is open, its `-wal`, `-shm` and `.lock`).
///
/// Dropping it commits what is queued, empties the write-ahead log and releases the lock, which
/// blocks for as long as that takes; [`close`](Self::close) does the same without blocking.
pub struct SqliteEventLog {
    readers: Arc<Readers>,
    /// `None` where the log was opened read-only.
    writer: Option<Writer>,
}

impl SqliteEventLog {
    /// Opens the log for reading and writing, creating it where the file is missing. Fails at once
    /// with [`LogError::Unavailable`] while another process has it open for writing.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        let lock = WriterLock::acquire(path)?;
        let connection = open_writer(path)?;
        let checkpointer = Checkpointer::start(path, Bounds::default())?;
        let writer = Writer::start(connection, lock, checkpointer)?;
        let readers = Arc::new(Readers::open(path)?);
        Ok(Self { readers, writer: Some(writer) })
    }

    /// Opens an existing log for reading only, also while another process writes it. Appends are
    /// refused; subscriptions look for new events ten times per second.
    pub fn open_read_only(path: &Path) -> Result<Self, LogError> {
        Ok(Self { readers: Arc::new(Readers::open(path)?), writer: None })
    }

    /// Commits what is queued and closes the log: later appends fail with
    /// [`LogError::Unavailable`], running subscriptions end, the lock is released.
    pub async fn close(&self) {
        if let Some(thread) = self.writer.as_ref().and_then(Writer::close) {
            // A panic of the writer was reported on its own thread.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }

    /// Writes a complete copy of the log, as of one moment, to a file that must not exist yet.
    /// Appends go on meanwhile; the write-ahead log cannot start over until the copy is done.
    pub async fn backup(&self, to: &Path) -> Result<(), LogError> {
        let to: PathBuf = to.to_owned();
        self.readers.run(move |reader| backup::copy(reader.connection(), &to)).await
    }
}

#[async_trait]
impl EventLog for SqliteEventLog {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, LogError> {
        let writer =
            self.writer.as_ref().ok_or_else(|| unavailable("the log was opened read-only"))?;
        if events.is_empty() {
            return Err(unavailable("an append needs at least one event"));
        }
        for event in &events {
            let bytes = event.data.len() + event.metadata.len();
            if bytes > EVENT_BYTES_MAX {
                return Err(LogError::TooLarge { bytes, bytes_max: EVENT_BYTES_MAX });
            }
        }
        writer.append(stream.clone(), expected, events).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        direction: Direction,
        from: Option<u64>,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        let stream = stream.clone();
        self.readers.run(move |reader| reader.stream(&stream, direction, from, max)).await
    }

    async fn read_all(
        &self,
        direction: Direction,
        from: Option<Position>,
        filter: &Filter,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        let filter = Arc::new(filter.clone());
        let (mut events, mut from) = (Vec::new(), from);
        while events.len() < max {
            let scan = Scan {
                direction,
                from,
                filter: Arc::clone(&filter),
                events_max: max - events.len(),
                bytes_max: usize::MAX,
            };
            let page = self.readers.run(move |reader| reader.scan(&scan)).await?;
            from = page.considered;
            events.extend(page.events);
            if page.at_end {
                break;
            }
        }
        Ok(events)
    }

    async fn subscribe(
        &self,
        from: Option<Position>,
        filter: Filter,
    ) -> Result<Subscription, LogError> {
        let source = match &self.writer {
            Some(writer) => Source::Writer(writer.live().ok_or_else(|| unavailable(CLOSED))?),
            None => Source::File,
        };
        Ok(follow(Arc::clone(&self.readers), source, from, filter))
    }

    async fn head(&self) -> Result<Option<Position>, LogError> {
        self.readers.run(|reader| reader.head()).await
    }
}
