//! Rebuild: a new generation beside the live one, swapped in once it has reached the log's head.

use std::{fs::File, path::Path};

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
    let lock = File::create(directory.join("rebuild.lock"))?;
    lock.try_lock().map_err(|_| BuildError::AlreadyRunning)?;
    let number = next_generation(directory)?;
    let path = generation::file(directory, number);
    let build = Build { path, until: None, with_indexes: true };
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

/// The number of the generation to build: an interrupted one's, where its tables still fit, or a
/// new one. Other leftovers of interrupted rebuilds are deleted.
fn next_generation(directory: &Path) -> Result<u64, BuildError> {
    let live = generation::current(directory)?;
    let mut next = live.map_or(1, |live| live + 1);
    for number in generation::numbers(directory)? {
        if Some(number) <= live {
            continue;
        }
        let path = generation::file(directory, number);
        let fits = generation::open_reader(&path).and_then(|found| generation::fits(&found));
        // A file that was not even begun properly cannot be read, and is begun again.
        if fits.unwrap_or(false) {
            return Ok(number);
        }
        generation::delete(&path)?;
        next = next.max(number + 1);
    }
    Ok(next)
}

#[cfg(test)]
mod tests;
