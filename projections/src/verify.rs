//! Verification: the log is folded afresh and every table's digest compared with the live one's.

use std::path::Path;

use accord_eventlog::{EventLog, Position};
use rusqlite::{Connection, types::ValueRef};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::{
    build::{Build, BuildError},
    generation,
    row::column_list,
    tables::TABLES,
};

/// One table, live and folded afresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableReport {
    pub table: &'static str,
    pub rows_live: u64,
    pub rows_fresh: u64,
    /// SHA-256 over all rows in the order of their keys.
    pub digest_live: [u8; 32],
    pub digest_fresh: [u8; 32],
}

impl TableReport {
    /// Whether the live table is what the log makes of it.
    pub fn agrees(&self) -> bool {
        self.digest_live == self.digest_fresh
    }
}

/// Why nothing could be compared.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("there are no read models of this program version to verify")]
    NothingToVerify,
    #[error("the log could not be folded afresh")]
    Build(#[from] BuildError),
}

impl From<rusqlite::Error> for VerifyError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Build(error.into())
    }
}

impl From<std::io::Error> for VerifyError {
    fn from(error: std::io::Error) -> Self {
        Self::Build(error.into())
    }
}

/// A table's number of rows and digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TableDigest {
    pub(crate) table: &'static str,
    pub(crate) rows: u64,
    pub(crate) digest: [u8; 32],
}

/// Folds the log afresh up to the live read models' checkpoint and compares table by table. Works
/// while a server writes the live ones.
pub async fn verify(log: &dyn EventLog, data_dir: &Path) -> Result<Vec<TableReport>, VerifyError> {
    let directory = generation::directory(data_dir)?;
    let (checkpoint, digests_live) = live(&directory)?;
    let path = directory.join(format!("verify-{}.db", std::process::id()));
    generation::delete(&path)?;
    let digests_fresh = fresh(log, &path, checkpoint).await;
    generation::delete(&path)?;
    let pairs = digests_live.into_iter().zip(digests_fresh?);
    Ok(pairs
        .map(|(live, fresh)| TableReport {
            table: live.table,
            rows_live: live.rows,
            rows_fresh: fresh.rows,
            digest_live: live.digest,
            digest_fresh: fresh.digest,
        })
        .collect())
}

/// Checkpoint and digests of the live read models, as of one moment.
fn live(directory: &Path) -> Result<(Option<Position>, Vec<TableDigest>), VerifyError> {
    let number = generation::current(directory)?.ok_or(VerifyError::NothingToVerify)?;
    let live = generation::open_reader(&generation::file(directory, number))?;
    if !generation::fits(&live)? {
        return Err(VerifyError::NothingToVerify);
    }
    let snapshot = live.unchecked_transaction()?;
    Ok((generation::checkpoint(&snapshot)?, digests(&snapshot)?))
}

async fn fresh(
    log: &dyn EventLog,
    path: &Path,
    until: Option<Position>,
) -> Result<Vec<TableDigest>, VerifyError> {
    // Position 0 comes before every event: nothing is folded where nothing was.
    let until = Some(until.unwrap_or_default());
    let build = Build { path: path.to_owned(), until, finish: false };
    build.run(log, |_| {}, &CancellationToken::new()).await?;
    Ok(digests(&generation::open_reader(path)?)?)
}

/// The digests of all tables.
pub(crate) fn digests(connection: &Connection) -> rusqlite::Result<Vec<TableDigest>> {
    TABLES.iter().map(|(table, key)| digest(connection, table, key)).collect()
}

fn digest(
    connection: &Connection,
    table: &'static str,
    key: &[&str],
) -> rusqlite::Result<TableDigest> {
    let sql = format!("SELECT * FROM {table} ORDER BY {}", column_list(key));
    let mut select = connection.prepare(&sql)?;
    let columns = select.column_count();
    let mut found = select.query([])?;
    let (mut rows, mut hasher) = (0, Sha256::new());
    while let Some(row) = found.next()? {
        rows += 1;
        for column in 0..columns {
            hash(&mut hasher, row.get_ref(column)?);
        }
    }
    Ok(TableDigest { table, rows, digest: hasher.finalize().into() })
}

/// Every value with its type and length, so that no two different rows share an input.
fn hash(hasher: &mut Sha256, value: ValueRef<'_>) {
    let (tag, bytes): (u8, &[u8]) = match value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(number) => return hash_parts(hasher, 1, &number.to_be_bytes()),
        ValueRef::Real(number) => return hash_parts(hasher, 2, &number.to_be_bytes()),
        ValueRef::Text(text) => (3, text),
        ValueRef::Blob(blob) => (4, blob),
    };
    hash_parts(hasher, tag, bytes);
}

fn hash_parts(hasher: &mut Sha256, tag: u8, bytes: &[u8]) {
    hasher.update([tag]);
    hasher.update((bytes.len() as u64).to_be_bytes());
    hasher.update(bytes);
}

#[cfg(test)]
mod tests;
