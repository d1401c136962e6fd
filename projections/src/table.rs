//! A table while events are folded: rows are loaded on first touch, changed in memory, and written
//! once per batch in the order of their keys.

use std::{collections::HashMap, mem, rc::Rc};

use rusqlite::Connection;

use crate::row::{Row, column_list};

/// Rows kept for the next batches; beyond twice as many the longest untouched are forgotten. Tests
/// keep few, so that they load rows again.
const ROWS_KEPT_MAX: usize = if cfg!(test) { 4 } else { 8_192 };

struct Slot<R> {
    /// `None`: there is no such row.
    row: Option<R>,
    dirty: bool,
}

/// A write-back cache over one table. Without a connection it is the table itself.
pub(crate) struct Table<R: Row> {
    connection: Option<Rc<Connection>>,
    recent: HashMap<R::Key, Slot<R>>,
    older: HashMap<R::Key, Slot<R>>,
    dirty: Vec<R::Key>,
    /// Whether the stored table is known to be empty: nothing to load then.
    stored_empty: bool,
    select: String,
    upsert: String,
    delete: String,
}

impl<R: Row> Table<R> {
    pub(crate) fn open(connection: Option<Rc<Connection>>) -> rusqlite::Result<Self> {
        let table = R::TABLE;
        let stored_empty = match &connection {
            Some(connection) => connection.query_row(
                &format!("SELECT NOT EXISTS (SELECT 1 FROM {table})"),
                [],
                |row| row.get(0),
            )?,
            None => true,
        };
        let keys: Vec<String> =
            (1..).zip(R::KEY).map(|(n, key)| format!("\"{key}\" = ?{n}")).collect();
        let found = keys.join(" AND ");
        let columns = column_list(R::COLUMNS);
        Ok(Self {
            connection,
            recent: HashMap::new(),
            older: HashMap::new(),
            dirty: Vec::new(),
            stored_empty,
            select: format!("SELECT {columns} FROM {table} WHERE {found}"),
            upsert: upsert::<R>(),
            delete: format!("DELETE FROM {table} WHERE {found}"),
        })
    }

    /// The row of a key.
    pub(crate) fn get(&mut self, key: &R::Key) -> rusqlite::Result<Option<&R>> {
        Ok(self.slot(key)?.row.as_ref())
    }

    /// The row of a key, to be changed.
    pub(crate) fn edit(&mut self, key: &R::Key) -> rusqlite::Result<Option<&mut R>> {
        let slot = self.slot(key)?;
        let newly_dirty = slot.row.is_some() && !mem::replace(&mut slot.dirty, true);
        if newly_dirty {
            self.dirty.push(key.clone());
        }
        Ok(self.recent.get_mut(key).and_then(|slot| slot.row.as_mut()))
    }

    /// Sets a row, whether it was there or not.
    pub(crate) fn put(&mut self, row: R) {
        self.set(row.key(), Some(row));
    }

    /// Takes a row away, where there is one.
    pub(crate) fn remove(&mut self, key: &R::Key) {
        self.set(key.clone(), None);
    }

    fn set(&mut self, key: R::Key, row: Option<R>) {
        self.older.remove(&key);
        let before = self.recent.insert(key.clone(), Slot { row, dirty: true });
        if !before.is_some_and(|slot| slot.dirty) {
            self.dirty.push(key);
        }
    }

    fn slot(&mut self, key: &R::Key) -> rusqlite::Result<&mut Slot<R>> {
        if !self.recent.contains_key(key) {
            let slot = match self.older.remove(key) {
                Some(slot) => slot,
                None => Slot { row: self.load(key)?, dirty: false },
            };
            self.recent.insert(key.clone(), slot);
        }
        Ok(self.recent.get_mut(key).expect("the slot was just filled"))
    }

    fn load(&self, key: &R::Key) -> rusqlite::Result<Option<R>> {
        let Some(connection) = self.connection.as_ref().filter(|_| !self.stored_empty) else {
            return Ok(None);
        };
        let mut select = connection.prepare_cached(&self.select)?;
        R::bind_key(key, &mut select)?;
        let mut rows = select.raw_query();
        rows.next()?.map(R::read).transpose()
    }

    /// Writes what has changed, in key order, and forgets rows that have not been touched for long.
    pub(crate) fn flush(&mut self) -> rusqlite::Result<()> {
        let Some(connection) = &self.connection else { return Ok(()) };
        let mut dirty = mem::take(&mut self.dirty);
        dirty.sort_unstable();
        {
            let mut upsert = connection.prepare_cached(&self.upsert)?;
            let mut delete = connection.prepare_cached(&self.delete)?;
            for key in &dirty {
                let Some(slot) = self.recent.get_mut(key) else { continue };
                slot.dirty = false;
                if let Some(row) = &slot.row {
                    row.bind(&mut upsert)?;
                    upsert.raw_execute()?;
                    self.stored_empty = false;
                } else if !self.stored_empty {
                    R::bind_key(key, &mut delete)?;
                    delete.raw_execute()?;
                }
            }
        }
        if self.recent.len() > ROWS_KEPT_MAX {
            self.older = mem::take(&mut self.recent);
        }
        Ok(())
    }
}

fn upsert<R: Row>() -> String {
    let places: Vec<String> = (1..=R::COLUMNS.len()).map(|n| format!("?{n}")).collect();
    let changes: Vec<String> = R::COLUMNS
        .iter()
        .filter(|column| !R::KEY.contains(column))
        .map(|column| format!("\"{column}\" = excluded.\"{column}\""))
        .collect();
    format!(
        "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}",
        R::TABLE,
        column_list(R::COLUMNS),
        places.join(", "),
        column_list(R::KEY),
        changes.join(", "),
    )
}

/// A table that only grows: rows are written once and never read while folding.
pub(crate) struct Appends<R: Row> {
    connection: Option<Rc<Connection>>,
    rows: Vec<R>,
    insert: String,
}

impl<R: Row> Appends<R> {
    pub(crate) fn open(connection: Option<Rc<Connection>>) -> rusqlite::Result<Self> {
        let places: Vec<String> = (1..=R::COLUMNS.len()).map(|n| format!("?{n}")).collect();
        let insert = format!(
            "INSERT INTO {} ({}) VALUES ({})",
            R::TABLE,
            column_list(R::COLUMNS),
            places.join(", ")
        );
        Ok(Self { connection, rows: Vec::new(), insert })
    }

    pub(crate) fn push(&mut self, row: R) {
        self.rows.push(row);
    }

    pub(crate) fn flush(&mut self) -> rusqlite::Result<()> {
        let Some(connection) = &self.connection else { return Ok(()) };
        let mut insert = connection.prepare_cached(&self.insert)?;
        for row in self.rows.drain(..) {
            row.bind(&mut insert)?;
            insert.raw_execute()?;
        }
        Ok(())
    }
}
