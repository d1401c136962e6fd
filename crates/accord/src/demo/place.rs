//! Where a demo lives: a directory that is empty, or that an earlier demo has made.

use std::fs;
use std::path::{Path, PathBuf};

use accord_domain::{PartnerId, ProgramId, Timestamp};
use accord_eventlog_sqlite::SqliteEventLog;
use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::own_log;
use crate::wiring::LOG_FILE;

/// Marks a directory as a demo's.
const MARK: &str = "demo.json";

/// What a demo leaves about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) made_at: Timestamp,
    /// False until the history is complete.
    pub(crate) complete: bool,
    pub(crate) flagships: Vec<(ProgramId, PartnerId)>,
}

/// What is at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nothing that would be lost.
    Free,
    /// A complete demo from before.
    Demo(Mark),
}

/// Looks at a directory, clearing away what an unfinished demo has left. With `force` a complete
/// demo goes, too. Anything else in the directory is never touched, and an error.
pub(crate) fn prepare(data: &Path, force: bool) -> anyhow::Result<Place> {
    let mark = read_mark(data)?;
    match mark {
        Some(mark) if mark.complete && !force => Ok(Place::Demo(mark)),
        Some(_) => {
            clear(data)?;
            Ok(Place::Free)
        }
        None if is_empty(data)? => Ok(Place::Free),
        None => bail!(
            "{} is not empty and holds no demo; name another directory with --data",
            data.display()
        ),
    }
}

/// Writes the mark.
pub(crate) fn mark(data: &Path, mark: &Mark) -> anyhow::Result<()> {
    let path = data.join(MARK);
    let text = serde_json::to_string_pretty(mark)?;
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn read_mark(data: &Path) -> anyhow::Result<Option<Mark>> {
    let path = data.join(MARK);
    match fs::read_to_string(&path) {
        Ok(text) => {
            let mark = serde_json::from_str(&text);
            mark.map(Some).with_context(|| format!("{} is not a demo's mark", path.display()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn is_empty(data: &Path) -> anyhow::Result<bool> {
    match fs::read_dir(data) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", data.display())),
    }
}

/// Deletes exactly what a data directory of a demo consists of.
fn clear(data: &Path) -> anyhow::Result<()> {
    let log = data.join(LOG_FILE);
    if log.exists() {
        // Fails while a server has it; and what nobody has open can go.
        drop(SqliteEventLog::open(&log).context("the demo is in use; stop its server first")?);
    }
    let files = ["log.db", "keys.db"]
        .iter()
        .flat_map(|name| {
            ["", "-wal", "-shm", "-journal", ".lock"].map(|end| format!("{name}{end}"))
        })
        .chain(
            ["issuer.pem", "policies.position", own_log::FILE_NAME, "tokens.env", MARK]
                .map(str::to_owned),
        );
    for file in files {
        remove(&data.join(file), |path| fs::remove_file(path))?;
    }
    remove(&data.join("views"), |path| fs::remove_dir_all(path))
}

fn remove(path: &Path, how: impl Fn(&PathBuf) -> std::io::Result<()>) -> anyhow::Result<()> {
    match how(&path.to_owned()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot delete {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(data: &Path, complete: bool) -> Mark {
        let made_at = "2026-01-01T00:00:00Z".parse().unwrap();
        let left = Mark { made_at, complete, flagships: Vec::new() };
        mark(data, &left).unwrap();
        left
    }

    #[test]
    fn a_missing_or_empty_directory_is_free() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(prepare(folder.path(), false).unwrap(), Place::Free);
        assert_eq!(prepare(&folder.path().join("new"), false).unwrap(), Place::Free);
    }

    #[test]
    fn a_directory_with_anything_else_is_refused_even_by_force() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
        assert!(prepare(folder.path(), true).is_err());
        assert!(folder.path().join("thesis.txt").exists());
    }

    #[test]
    fn a_complete_demo_is_kept_unless_forced() {
        let folder = tempfile::tempdir().unwrap();
        let left = marked(folder.path(), true);
        assert_eq!(prepare(folder.path(), false).unwrap(), Place::Demo(left));
        fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        assert_eq!(prepare(folder.path(), true).unwrap(), Place::Free);
        assert!(folder.path().join("notes.txt").exists());
        assert!(!folder.path().join(MARK).exists());
    }

    #[test]
    fn what_an_interrupted_demo_left_is_cleared_away() {
        let folder = tempfile::tempdir().unwrap();
        marked(folder.path(), false);
        fs::write(folder.path().join("issuer.pem"), "old").unwrap();
        assert_eq!(prepare(folder.path(), false).unwrap(), Place::Free);
        assert!(!folder.path().join("issuer.pem").exists());
    }
}
