//! How far the policy runner has come: a small file in the data directory.
//!
//! It is only a shortcut. Lost or old, the runner looks at events again and finds nothing to do.

use std::path::{Path, PathBuf};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::Duration;

use accord_eventlog::Position;
use anyhow::Context;
use tokio::sync::watch;

const FILE_NAME: &str = "policies.position";

/// Shortest time between two writes.
const WRITE_INTERVAL: Duration = Duration::from_secs(1);

/// The checkpoint in memory and its file. Zero stands for none: positions start later.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoint {
    data: PathBuf,
    position: Arc<AtomicU64>,
}

impl Checkpoint {
    /// Reads the checkpoint of a data directory; what cannot be understood counts as none.
    pub(crate) fn open(data: &Path) -> anyhow::Result<Self> {
        let path = data.join(FILE_NAME);
        let position = match std::fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().unwrap_or(0),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        Ok(Self { data: data.to_owned(), position: Arc::new(AtomicU64::new(position)) })
    }

    pub(crate) fn position(&self) -> Option<Position> {
        Some(self.position.load(Ordering::Acquire)).filter(|at| *at > 0).map(Position)
    }

    pub(crate) fn set(&self, position: Position) {
        self.position.store(position.0, Ordering::Release);
    }

    /// Writes what has changed, at most once per second, until it is stopped.
    pub(crate) async fn keep(self, mut stop: watch::Receiver<bool>) {
        let mut written = self.position();
        let mut stopped = false;
        while !stopped {
            tokio::select! {
                () = tokio::time::sleep(WRITE_INTERVAL) => {}
                _ = stop.wait_for(|stop| *stop) => stopped = true,
            }
            let position = self.position();
            let Some(reached) = position.filter(|_| position != written) else { continue };
            match write(&self.data, reached) {
                Ok(()) => written = position,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "the policies' checkpoint was not written");
                }
            }
        }
    }
}

/// Writes a checkpoint; a few bytes beside the old file, then in its place.
pub(crate) fn write(data: &Path, position: Position) -> std::io::Result<()> {
    let fresh = data.join(format!("{FILE_NAME}.new"));
    std::fs::write(&fresh, position.to_string())?;
    std::fs::rename(fresh, data.join(FILE_NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_checkpoint_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Checkpoint::open(folder.path()).unwrap().position(), None);
        write(folder.path(), Position(7)).unwrap();
        assert_eq!(Checkpoint::open(folder.path()).unwrap().position(), Some(Position(7)));
    }

    #[test]
    fn a_broken_checkpoint_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), "seven").unwrap();
        assert_eq!(Checkpoint::open(folder.path()).unwrap().position(), None);
    }
}
