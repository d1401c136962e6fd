//! A copy of the log, taken while it is written.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use accord_eventlog::LogError;
use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};

use crate::{
    error::{from_io, from_sqlite, unavailable},
    schema::sync_directory,
};

/// Copies the log in one step, which sees one moment of it and does not hold up the writer. A copy
/// in several steps would begin anew at every append. The file appears under its name only when it
/// is complete and on disk; an existing file is never overwritten.
pub(crate) fn copy(source: &Connection, to: &Path) -> Result<(), LogError> {
    if to.exists() {
        return Err(unavailable("the backup's file already exists"));
    }
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let outcome = copy_all_pages(source, &part).and_then(|()| publish(&part, to));
    if outcome.is_err() {
        // The reason of the failure matters more than a file that could not be removed.
        let _ = fs::remove_file(&part);
    }
    outcome
}

fn copy_all_pages(source: &Connection, part: &Path) -> Result<(), LogError> {
    match fs::remove_file(part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(from_io(error)),
        _ => {}
    }
    let mut target = Connection::open(part).map_err(from_sqlite)?;
    let step = Backup::new(source, &mut target).and_then(|backup| backup.step(-1));
    match step.map_err(from_sqlite)? {
        StepResult::Done => target.close().map_err(|(_, error)| from_sqlite(error)),
        _ => Err(unavailable("the log is locked by a foreign process")),
    }
}

fn publish(part: &Path, to: &Path) -> Result<(), LogError> {
    File::open(part).and_then(|file| file.sync_all()).map_err(from_io)?;
    fs::rename(part, to).map_err(from_io)?;
    sync_directory(to)
}
