//! One writer per log: a lock file beside the data file.
//!
//! The lock lies on a file of its own, because SQLite loses its own locks on the data file as soon
//! as the same process opens and closes that file by other means.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use accord_eventlog::LogError;

use crate::error::from_io;

/// Held for as long as this process may write. The operating system releases it when the process
/// ends, however it ends.
#[derive(Debug)]
pub(crate) struct WriterLock {
    _file: File,
}

#[derive(Debug, thiserror::Error)]
#[error("another process is writing {}; open it read-only, or stop that process", .0.display())]
struct HeldElsewhere(PathBuf);

impl WriterLock {
    /// Takes the lock or tells at once that somebody else holds it.
    pub(crate) fn acquire(data_file: &Path) -> Result<Self, LogError> {
        let mut name = data_file.as_os_str().to_owned();
        name.push(".lock");
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(PathBuf::from(name))
            .map_err(from_io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                Err(LogError::Unavailable(Box::new(HeldElsewhere(data_file.to_owned()))))
            }
            Err(TryLockError::Error(error)) => Err(from_io(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_writer_is_told_who_is_in_its_way() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.db");
        let held = WriterLock::acquire(&path).unwrap();

        let LogError::Unavailable(refused) = WriterLock::acquire(&path).unwrap_err() else {
            panic!("a held lock may be released later")
        };
        assert!(refused.to_string().contains("another process is writing"));

        drop(held);
        WriterLock::acquire(&path).unwrap();
    }
}
