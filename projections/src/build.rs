//! Building a generation from the log: reading, decoding, folding and writing overlap on threads of
//! their own; chunks are committed with their checkpoint, so that a build can be resumed.

use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use accord_eventlog::{Direction, EventLog, Filter, LogError, Position, RecordedEvent};
use rusqlite::Connection;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{
    event::{Decoded, decode},
    fold::{Batch, Folder},
    generation,
};

/// Events read from the log at once.
const PAGE_EVENTS: usize = 4_096;
/// Pages that wait between two threads.
const PAGES_WAITING_MAX: usize = 2;
/// Rows that wait in memory before they are written within one transaction, with the checkpoint.
const CHUNK_ROWS: usize = if cfg!(test) { 16 } else { 65_536 };

/// How far a build is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Progress {
    /// Events folded so far, those of an interrupted build included.
    pub done: u64,
    /// Position of the last event folded.
    pub position: u64,
    /// Where the log ended when the build began.
    pub head: u64,
    /// Events per second of this build.
    pub rate: u64,
    /// Estimated time to the head in milliseconds; absent before it can be told.
    pub eta_ms: Option<u64>,
}

/// Why a generation could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("the event log cannot be read")]
    Log(#[from] LogError),
    #[error("the read models cannot be stored")]
    Store(#[from] rusqlite::Error),
    #[error("the directory of the read models cannot be used")]
    Directory(#[from] std::io::Error),
    /// Another process builds in the same directory.
    #[error("another build is running")]
    AlreadyRunning,
    #[error("the building thread ended unexpectedly")]
    Died,
}

/// How far a build came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Built {
    pub(crate) position: Option<Position>,
    pub(crate) folded: u64,
    pub(crate) quarantined: u64,
    pub(crate) cancelled: bool,
}

/// What to build.
pub(crate) struct Build {
    pub(crate) path: PathBuf,
    /// The last event to fold; `None`: all there is.
    pub(crate) until: Option<Position>,
    /// Whether it will be queried, and must outlive the machine.
    pub(crate) finish: bool,
}

impl Build {
    /// Builds, or goes on with what is at the path.
    pub(crate) async fn run(
        self,
        log: &dyn EventLog,
        progress: impl Fn(Progress) + Send + 'static,
        cancel: &CancellationToken,
    ) -> Result<Built, BuildError> {
        let Some(head) = self.until.or(log.head().await?) else {
            return nothing_to_fold(&self.path, self.finish);
        };
        let (pages, undecoded) = mpsc::channel(PAGES_WAITING_MAX);
        let (decoded, chunks) = mpsc::channel(PAGES_WAITING_MAX);
        let (started, start) = oneshot::channel();
        let (ended, end) = oneshot::channel();
        let (began, path) = (Instant::now(), self.path.clone());
        thread::Builder::new()
            .name("views-decode".into())
            .spawn(move || decode_pages(undecoded, &decoded))?;
        thread::Builder::new().name("views-fold".into()).spawn(move || {
            let mut meter = None;
            let mut report = |folder: &Folder| {
                let meter = meter.get_or_insert_with(|| Meter::start(head, began, folder));
                progress(meter.progress(folder));
            };
            // Nobody waits any more: the build is resumed another time.
            let _ = ended.send(fold_all(&path, chunks, started, &mut report));
        })?;
        // Without a start the end tells why.
        let complete = match start.await {
            Ok(from) => self.read(log, from, &pages, cancel).await?,
            Err(_) => false,
        };
        drop(pages);
        let built = end.await.map_err(|_| BuildError::Died)??;
        if complete && self.finish {
            finish(self.path).await?;
        }
        Ok(Built { cancelled: !complete, ..built })
    }

    /// Reads the log page by page; true when everything was read.
    async fn read(
        &self,
        log: &dyn EventLog,
        mut from: Option<Position>,
        pages: &mpsc::Sender<Vec<RecordedEvent>>,
        cancel: &CancellationToken,
    ) -> Result<bool, BuildError> {
        let all = Filter::default();
        while self.until.is_none() || from < self.until {
            let read = log.read_all(Direction::Forward, from, &all, PAGE_EVENTS);
            let mut page = tokio::select! {
                page = read => page?,
                () = cancel.cancelled() => return Ok(false),
            };
            if let Some(until) = self.until {
                page.retain(|event| event.position <= until);
            }
            let Some(last) = page.last() else { break };
            from = Some(last.position);
            // A closed channel means that the fold has failed; its outcome tells why.
            if pages.send(page).await.is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn nothing_to_fold(path: &Path, finish: bool) -> Result<Built, BuildError> {
    drop(generation::open_builder(path)?);
    if finish {
        generation::finish(path)?;
    }
    Ok(Built { position: None, folded: 0, quarantined: 0, cancelled: false })
}

async fn finish(path: PathBuf) -> Result<(), BuildError> {
    let finished = tokio::task::spawn_blocking(move || generation::finish(&path));
    finished.await.map_err(|_| BuildError::Died)?
}

fn decode_pages(
    mut pages: mpsc::Receiver<Vec<RecordedEvent>>,
    decoded: &mpsc::Sender<Vec<Decoded>>,
) {
    while let Some(page) = pages.blocking_recv() {
        if decoded.blocking_send(page.iter().map(decode).collect()).is_err() {
            return;
        }
    }
}

fn fold_all(
    path: &Path,
    chunks: mpsc::Receiver<Vec<Decoded>>,
    started: oneshot::Sender<Option<Position>>,
    report: &mut dyn FnMut(&Folder),
) -> Result<Built, BuildError> {
    let writer = Writer::start(generation::open_builder(path)?)?;
    let mut folder = Folder::building(generation::open_reader(path)?)?;
    report(&folder);
    // A build that nobody waits for finds its pages closed.
    let _ = started.send(folder.position);
    fold_chunks(&mut folder, chunks, writer, report)?;
    let Folder { position, folded, quarantined, .. } = folder;
    Ok(Built { position, folded, quarantined, cancelled: false })
}

fn fold_chunks(
    folder: &mut Folder,
    mut chunks: mpsc::Receiver<Vec<Decoded>>,
    mut writer: Writer,
    report: &mut dyn FnMut(&Folder),
) -> Result<(), BuildError> {
    while let Some(chunk) = chunks.blocking_recv() {
        folder.fold_more(&chunk)?;
        if folder.dirty_rows() >= CHUNK_ROWS {
            writer.settle()?;
            writer.write(folder.take_batch())?;
            report(folder);
        }
    }
    writer.settle()?;
    writer.write(folder.take_batch())?;
    writer.settle()?;
    report(folder);
    Ok(())
}

/// The thread that commits one batch while the next one is folded.
struct Writer {
    batches: std::sync::mpsc::Sender<Batch>,
    committed: std::sync::mpsc::Receiver<rusqlite::Result<()>>,
    at_work: bool,
}

impl Writer {
    fn start(connection: Connection) -> std::io::Result<Self> {
        let (batches, queue) = std::sync::mpsc::channel::<Batch>();
        let (done, committed) = std::sync::mpsc::channel();
        thread::Builder::new().name("views-write".into()).spawn(move || {
            for batch in queue {
                // A build that has failed asks no more.
                let _ = done.send(batch.commit(&connection));
            }
        })?;
        Ok(Self { batches, committed, at_work: false })
    }

    fn write(&mut self, batch: Option<Batch>) -> Result<(), BuildError> {
        if let Some(batch) = batch {
            self.batches.send(batch).map_err(|_| BuildError::Died)?;
            self.at_work = true;
        }
        Ok(())
    }

    /// Waits until everything is committed.
    fn settle(&mut self) -> Result<(), BuildError> {
        if std::mem::take(&mut self.at_work) {
            self.committed.recv().map_err(|_| BuildError::Died)??;
        }
        Ok(())
    }
}

/// Tells rate and remaining time.
struct Meter {
    head: Position,
    began: Instant,
    /// Events folded before, and the position reached by them.
    start: (u64, u64),
}

impl Meter {
    fn start(head: Position, began: Instant, folder: &Folder) -> Self {
        Self { head, began, start: (folder.folded, folder.position.unwrap_or_default().0) }
    }

    fn progress(&self, folder: &Folder) -> Progress {
        let position = folder.position.unwrap_or_default().0;
        let elapsed_ms = self.began.elapsed().max(Duration::from_millis(1)).as_millis();
        let rate = u128::from(folder.folded - self.start.0) * 1000 / elapsed_ms;
        // Positions are sparse, but their share of the way is a fair estimate.
        let passed = u128::from(position.saturating_sub(self.start.1));
        let left = u128::from(self.head.0.saturating_sub(position));
        let eta_ms = (left * elapsed_ms).checked_div(passed);
        Progress {
            done: folder.folded,
            position,
            head: self.head.0,
            rate: u64::try_from(rate).unwrap_or(u64::MAX),
            eta_ms: eta_ms.and_then(|eta| u64::try_from(eta).ok()),
        }
    }
}
