//! Rebuild: a new generation beside the live one, swapped in once it has reached the log's head.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
};

use accord_eventlog::{EventLog, Position};
use tokio_util::sync::CancellationToken;

use crate::{
    build::{Build, BuildError, Progress},
    generation,
};

/// What a rebuild came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebuilt {
    /// The new generation is the live one.
    Swapped {
        generation: u64,
        /// The last event in it; a running server goes on from there.
        position: Option<Position>,
        /// Events folded, those before an interruption included.
        folded: u64,
        quarantined: u64,
    },
    /// Cancelled; the next rebuild goes on from here.
    Cancelled { position: Option<Position> },
}

/// Builds all read models afresh while the live ones are served, by this process or another, and
/// swaps them in. `progress` is called on another thread, about every 20,000 events. An interrupted
/// rebuild, by `cancel` or by a crash, is resumed.
pub async fn rebuild(
    log: &dyn EventLog,
    data_dir: &Path,
    progress: impl Fn(Progress) + Send + 'static,
    cancel: &CancellationToken,
) -> Result<Rebuilt, BuildError> {
    rebuild_in(log, &generation::directory(data_dir)?, progress, cancel).await
}

pub(crate) async fn rebuild_in(
    log: &dyn EventLog,
    directory: &Path,
    progress: impl Fn(Progress) + Send + 'static,
    cancel: &CancellationToken,
) -> Result<Rebuilt, BuildError> {
    let mut lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(directory.join("rebuild.lock"))?;
    lock.try_lock().map_err(|_| BuildError::AlreadyRunning)?;
    let resumable = same_boot(&mut lock)?;
    let number = next_generation(directory, resumable)?;
    let path = generation::file(directory, number);
    let build = Build { path, until: None, finish: true };
    let built = build.run(log, progress, cancel).await?;
    if built.cancelled {
        return Ok(Rebuilt::Cancelled { position: built.position });
    }
    generation::make_current(directory, number)?;
    drop(lock);
    Ok(Rebuilt::Swapped {
        generation: number,
        position: built.position,
        folded: built.folded,
        quarantined: built.quarantined,
    })
}

/// Whether the last rebuild ran since this machine started: what it left is then as it wrote it.
/// The lock's file remembers.
fn same_boot(lock: &mut File) -> std::io::Result<bool> {
    let (now, mut last) = (generation::boot(), String::new());
    lock.read_to_string(&mut last)?;
    if last == now {
        return Ok(true);
    }
    lock.set_len(0)?;
    lock.seek(SeekFrom::Start(0))?;
    lock.write_all(now.as_bytes())?;
    Ok(false)
}

/// The number of the generation to build: an interrupted one's, where it can be resumed and its
/// tables still fit, or a new one. Other leftovers of interrupted rebuilds are deleted.
fn next_generation(directory: &Path, resumable: bool) -> Result<u64, BuildError> {
    let live = generation::current(directory)?;
    let mut next = live.map_or(1, |live| live + 1);
    for number in generation::numbers(directory)? {
        if Some(number) <= live {
            continue;
        }
        let path = generation::file(directory, number);
        let fits = || generation::open_reader(&path).and_then(|found| generation::fits(&found));
        // A file that was not even begun properly cannot be read, and is begun again.
        if resumable && fits().unwrap_or(false) {
            return Ok(number);
        }
        generation::delete(&path)?;
        next = next.max(number + 1);
    }
    Ok(next)
}

#[cfg(test)]
mod tests;
