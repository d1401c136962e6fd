//! Moving pages from the write-ahead log (WAL) into the data file, off the writer's path.
//!
//! A thread with a connection of its own copies pages (`PASSIVE`) once the WAL has grown a little.
//! That alone never lets the WAL start over while appends keep coming, so past a second bound the
//! writer is asked to restart it between two batches, when there is hardly anything left to copy.
//! Past a third bound the writer does so unasked, and thereby waits for the copying to keep up.
//! The restarted WAL is overwritten in place: its file keeps its size, and a commit then costs no
//! allocation of blocks.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use accord_eventlog::LogError;
use rusqlite::Connection;

use crate::{
    error::from_io,
    schema::{BUSY_WAIT_MAX, open_checkpointer},
};

/// Rounds of copying before the writer is asked to restart the WAL. SQLite syncs the data file at
/// the end of a round only if nothing was committed during it. The first rounds leave little to
/// copy, the later ones are short enough to fit between two commits, so that the costly sync most
/// likely happens here and not while the writer restarts the WAL.
const ROUNDS: usize = 8;
/// How long a restart waits for readers that still use the old part of the WAL.
const RESTART_WAIT_MAX: Duration = Duration::from_millis(20);

/// Sizes of the WAL at which something happens. A page has 4 KiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The WAL is measured after so many bytes of events.
    pub(crate) look_bytes: usize,
    /// Pages that are worth copying.
    pub(crate) copy_pages: u32,
    /// Pages at which the WAL should start over.
    pub(crate) restart_pages: u32,
    /// Pages at which the writer stops until the WAL has started over, or a reader is in the way.
    pub(crate) hard_pages: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            look_bytes: 1024 * 1024,
            copy_pages: 4 * 1024,
            restart_pages: 16 * 1024,
            hard_pages: 64 * 1024,
        }
    }
}

/// The writer's end: it reports commits and restarts the WAL when asked to.
pub(crate) struct Checkpointer {
    wake: Option<SyncSender<()>>,
    restart_wanted: Arc<AtomicBool>,
    restarted: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    bounds: Bounds,
    bytes_since_look: usize,
}

impl Checkpointer {
    pub(crate) fn start(path: &Path, bounds: Bounds) -> Result<Self, LogError> {
        let connection = open_checkpointer(path)?;
        let (wake, woken) = sync_channel(1);
        let (restarted, restart_done) = channel();
        let restart_wanted = Arc::new(AtomicBool::new(false));
        let mut copier = Copier {
            connection,
            restart_wanted: Arc::clone(&restart_wanted),
            restart_done,
            bounds,
            restart_pages: bounds.restart_pages,
        };
        let thread = std::thread::Builder::new()
            .name("log-checkpoint".to_owned())
            .spawn(move || copier.run(&woken))
            .map_err(from_io)?;
        Ok(Self {
            wake: Some(wake),
            restart_wanted,
            restarted: Some(restarted),
            thread: Some(thread),
            bounds,
            // What a crash left in the WAL is looked at after the first commit.
            bytes_since_look: bounds.look_bytes,
        })
    }

    /// Called by the writer between two batches. A failure here fails no append: the WAL holds
    /// everything, and the next look tries again.
    pub(crate) fn after_commit(&mut self, connection: &Connection, bytes: usize) {
        if self.restart_wanted.swap(false, Ordering::AcqRel) {
            restart(connection);
            if let Some(restarted) = &self.restarted {
                let _ = restarted.send(());
            }
        }
        self.bytes_since_look += bytes;
        if self.bytes_since_look < self.bounds.look_bytes {
            return;
        }
        self.bytes_since_look = 0;
        // Full: the thread will look anyway.
        let _ = self.wake.as_ref().map(|wake| wake.try_send(()));
        match checkpoint(connection, "NOOP") {
            Ok(pages) if pages < self.bounds.hard_pages => {}
            _ => restart(connection),
        }
    }

    /// Ends the thread and leaves a data file that needs no WAL, unless somebody still reads it.
    pub(crate) fn finish(&mut self, connection: &Connection) {
        self.wake = None;
        self.restarted = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if let Err(error) = checkpoint(connection, "TRUNCATE") {
            tracing::warn!(%error, "the write-ahead log stays; the next start reads it");
        }
    }
}

/// The thread's end.
struct Copier {
    connection: Connection,
    restart_wanted: Arc<AtomicBool>,
    restart_done: Receiver<()>,
    bounds: Bounds,
    /// Grows while a reader keeps the WAL from starting over.
    restart_pages: u32,
}

impl Copier {
    fn run(&mut self, woken: &Receiver<()>) {
        while woken.recv().is_ok() {
            if let Err(error) = self.look() {
                tracing::warn!(%error, "a checkpoint failed; the next one tries again");
            }
        }
    }

    fn look(&mut self) -> rusqlite::Result<()> {
        if checkpoint(&self.connection, "NOOP")? < self.bounds.copy_pages {
            self.restart_pages = self.bounds.restart_pages;
            return Ok(());
        }
        if checkpoint(&self.connection, "PASSIVE")? < self.restart_pages {
            return Ok(());
        }
        for _ in 1..ROUNDS {
            checkpoint(&self.connection, "PASSIVE")?;
        }
        self.restart_wanted.store(true, Ordering::Release);
        // An error here means that the writer is closing, which empties the WAL too.
        if self.restart_done.recv().is_ok() {
            let pages = checkpoint(&self.connection, "NOOP")?;
            // A reader held it up: ask again later, not at every look, for asking costs a wait.
            self.restart_pages = self.bounds.restart_pages.max(pages + pages / 2);
        }
        Ok(())
    }
}

/// Copies what is left and lets the next commit begin at the WAL's start. Readers of old pages may
/// prevent it; then nothing is lost but time.
fn restart(connection: &Connection) {
    let outcome = connection
        .busy_timeout(RESTART_WAIT_MAX)
        .and_then(|()| checkpoint(connection, "RESTART"))
        .and_then(|_| connection.busy_timeout(BUSY_WAIT_MAX));
    if let Err(error) = outcome {
        tracing::warn!(%error, "the write-ahead log could not start over");
    }
}

/// Runs a checkpoint (`NOOP` only looks) and tells how many pages the WAL holds.
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<u32> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    let pages: i64 = connection.query_row(&sql, [], |row| row.get(1))?;
    Ok(u32::try_from(pages).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{open_reader, open_writer};

    const SMALL: Bounds =
        Bounds { look_bytes: 1, copy_pages: 16, restart_pages: 64, hard_pages: 512 };

    fn write(connection: &Connection, checkpointer: &mut Checkpointer, commits: usize) {
        for commit in 0..commits {
            connection
                .execute(
                    "INSERT INTO streams (name, ids_indexed) VALUES (?1 || hex(zeroblob(4000)), 0)",
                    [commit],
                )
                .unwrap();
            checkpointer.after_commit(connection, 1);
        }
    }

    fn wal_pages(path: &Path) -> u64 {
        std::fs::metadata(path.with_extension("db-wal")).unwrap().len() / 4096
    }

    #[test]
    fn the_write_ahead_log_stays_within_its_bound_however_much_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.db");
        let connection = open_writer(&path).unwrap();
        let mut checkpointer = Checkpointer::start(&path, SMALL).unwrap();

        write(&connection, &mut checkpointer, 1_000);

        assert!(std::fs::metadata(&path).unwrap().len() / 4096 > 3 * u64::from(SMALL.hard_pages));
        // While the other thread copies, a restart has to wait: some commits pass the bound.
        assert!(wal_pages(&path) < 2 * u64::from(SMALL.hard_pages), "{}", wal_pages(&path));
    }

    #[test]
    fn a_reader_of_old_pages_delays_the_restart_and_loses_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.db");
        let connection = open_writer(&path).unwrap();
        let mut checkpointer =
            Checkpointer::start(&path, Bounds { hard_pages: u32::MAX, ..SMALL }).unwrap();
        let reader = open_reader(&path).unwrap();
        let count = || {
            let sql = "SELECT count(*) FROM streams";
            reader.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
        };

        reader.execute_batch("BEGIN").unwrap();
        assert_eq!(count(), 0);
        write(&connection, &mut checkpointer, 100);
        assert_eq!(count(), 0);
        reader.execute_batch("COMMIT").unwrap();
        assert_eq!(count(), 100);
        drop(reader);

        checkpointer.finish(&connection);
        assert_eq!(wal_pages(&path), 0);
    }
}
