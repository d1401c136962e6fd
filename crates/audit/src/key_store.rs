//! The key store on disk: a small SQLite file beside the event log.

use std::{path::Path, sync::Mutex};

use accord_eventlog::{KeyStore, KeyStoreError, PersonKey};
use moka::sync::Cache;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

/// Keys kept in memory to spare the file a read.
const CACHED_KEYS_MAX: u64 = 10_000;

/// Keys of persons in one SQLite file; every change is on disk before it is acknowledged.
///
/// An erased person's row stays, without its key, so that no new key is ever made in its place.
/// `secure_delete` overwrites the old key in the file.
pub struct SqliteKeyStore {
    connection: Mutex<Connection>,
    cache: Cache<Uuid, PersonKey>,
}

impl SqliteKeyStore {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> Result<Self, KeyStoreError> {
        let connection = Connection::open(path).map_err(unavailable)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = DELETE;
                 PRAGMA synchronous = FULL;
                 PRAGMA secure_delete = ON;
                 CREATE TABLE IF NOT EXISTS person_keys (
                     person BLOB PRIMARY KEY,
                     key    BLOB
                 ) WITHOUT ROWID;",
            )
            .map_err(unavailable)?;
        Ok(Self { connection: Mutex::new(connection), cache: Cache::new(CACHED_KEYS_MAX) })
    }

    /// `None`: no row; `Some(None)`: erased.
    fn stored(
        connection: &Connection,
        person: Uuid,
    ) -> Result<Option<Option<PersonKey>>, KeyStoreError> {
        connection
            .prepare_cached("SELECT key FROM person_keys WHERE person = ?1")
            .and_then(|mut statement| {
                statement.query_row([person.as_bytes()], |row| row.get(0)).optional()
            })
            .map_err(unavailable)
    }

    fn connection(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl KeyStore for SqliteKeyStore {
    fn key_or_create(&self, person: Uuid) -> Result<PersonKey, KeyStoreError> {
        if let Some(key) = self.cache.get(&person) {
            return Ok(key);
        }
        let connection = self.connection();
        let key = match Self::stored(&connection, person)? {
            Some(Some(key)) => key,
            Some(None) => return Err(KeyStoreError::Erased),
            None => {
                let mut key = PersonKey::default();
                getrandom::fill(&mut key)
                    .map_err(|error| KeyStoreError::Unavailable(error.to_string().into()))?;
                connection
                    .execute(
                        "INSERT INTO person_keys (person, key) VALUES (?1, ?2)",
                        params![person.as_bytes(), key],
                    )
                    .map_err(unavailable)?;
                key
            }
        };
        self.cache.insert(person, key);
        Ok(key)
    }

    fn key(&self, person: Uuid) -> Result<Option<PersonKey>, KeyStoreError> {
        if let Some(key) = self.cache.get(&person) {
            return Ok(Some(key));
        }
        let connection = self.connection();
        let key = Self::stored(&connection, person)?.flatten();
        if let Some(key) = key {
            self.cache.insert(person, key);
        }
        Ok(key)
    }

    fn erase(&self, person: Uuid) -> Result<(), KeyStoreError> {
        let connection = self.connection();
        connection
            .execute(
                "INSERT INTO person_keys (person, key) VALUES (?1, NULL)
                 ON CONFLICT (person) DO UPDATE SET key = NULL",
                [person.as_bytes()],
            )
            .map_err(unavailable)?;
        self.cache.invalidate(&person);
        Ok(())
    }
}

fn unavailable(error: rusqlite::Error) -> KeyStoreError {
    KeyStoreError::Unavailable(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.db");
        let person = Uuid::from_u128(1);
        let key = SqliteKeyStore::open(&path).unwrap().key_or_create(person).unwrap();
        assert_eq!(SqliteKeyStore::open(&path).unwrap().key(person).unwrap(), Some(key));
    }

    #[test]
    fn an_erased_person_never_gets_a_key_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteKeyStore::open(&folder.path().join("keys.db")).unwrap();
        let person = Uuid::from_u128(1);
        store.key_or_create(person).unwrap();
        store.erase(person).unwrap();
        store.erase(person).unwrap();
        assert_eq!(store.key(person).unwrap(), None);
        assert!(matches!(store.key_or_create(person), Err(KeyStoreError::Erased)));
    }
}
