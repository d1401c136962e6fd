//! A table while events are folded: rows are loaded on first touch, changed in memory, and written
//! once per batch in the order of their keys.

use std::{mem, rc::Rc};

use foldhash::{HashMap, HashMapExt};
use rusqlite::Connection;

use crate::row::{Row, column_list};

/// Where a table's rows are stored, and how many of them may stay in memory between two batches.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) connection: Rc<Connection>,
    /// Beyond twice as many the longest untouched are forgotten.
    pub(crate) rows_kept_max: usize,
}

struct Slot<R: Row> {
    /// `None`: there is no such row. Boxed, because slots move when the map grows.
    row: Option<Box<R>>,
    /// What the stored row's indexes hold; `None` where no row is stored.
    stored: Option<R::Indexed>,
    dirty: bool,
}

/// A write-back cache over one table. Without a store it is the table itself.
pub(crate) struct Table<R: Row> {
    store: Option<Store>,
    recent: HashMap<R::Key, Slot<R>>,
    older: HashMap<R::Key, Slot<R>>,
    dirty: Vec<R::Key>,
    /// Whether the stored table is known to be empty: nothing to load then.
    stored_empty: bool,
    sql: Statements,
}

struct Statements {
    select: String,
    /// Writes the whole row.
    upsert: String,
    /// Writes the columns of a stored row that change and that no secondary index holds.
    update: String,
    delete: String,
    /// Of each column whether `upsert` has it: all.
    all: Vec<bool>,
    /// Of each column whether `update` has it.
    updated: Vec<bool>,
}

impl<R: Row> Table<R> {
    pub(crate) fn open(store: Option<Store>) -> rusqlite::Result<Self> {
        let stored_empty = match &store {
            Some(store) => store.connection.query_row(
                &format!("SELECT NOT EXISTS (SELECT 1 FROM {})", R::TABLE),
                [],
                |row| row.get(0),
            )?,
            None => true,
        };
        Ok(Self {
            store,
            recent: HashMap::new(),
            older: HashMap::new(),
            dirty: Vec::new(),
            stored_empty,
            sql: Statements::of::<R>(),
        })
    }

    /// The row of a key.
    pub(crate) fn get(&mut self, key: &R::Key) -> rusqlite::Result<Option<&R>> {
        Ok(self.slot(key)?.row.as_deref())
    }

    /// The row of a key, to be changed.
    pub(crate) fn edit(&mut self, key: &R::Key) -> rusqlite::Result<Option<&mut R>> {
        let slot = self.slot(key)?;
        let newly_dirty = slot.row.is_some() && !mem::replace(&mut slot.dirty, true);
        if newly_dirty {
            self.dirty.push(key.clone());
        }
        Ok(self.recent.get_mut(key).and_then(|slot| slot.row.as_deref_mut()))
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
        let slot = Slot { row: row.map(Box::new), stored: None, dirty: true };
        let before = self.recent.insert(key.clone(), slot);
        if !before.is_some_and(|slot| slot.dirty) {
            self.dirty.push(key);
        }
    }

    fn slot(&mut self, key: &R::Key) -> rusqlite::Result<&mut Slot<R>> {
        if !self.recent.contains_key(key) {
            let slot = match self.older.remove(key) {
                Some(slot) => slot,
                None => {
                    let row = self.load(key)?.map(Box::new);
                    let stored = row.as_deref().map(R::indexed);
                    Slot { row, stored, dirty: false }
                }
            };
            self.recent.insert(key.clone(), slot);
        }
        Ok(self.recent.get_mut(key).expect("the slot was just filled"))
    }

    fn load(&self, key: &R::Key) -> rusqlite::Result<Option<R>> {
        let Some(store) = self.store.as_ref().filter(|_| !self.stored_empty) else {
            return Ok(None);
        };
        let mut select = store.connection.prepare_cached(&self.sql.select)?;
        R::bind_key(key, &mut select)?;
        let mut rows = select.raw_query();
        rows.next()?.map(R::read).transpose()
    }

    /// Rows that wait to be written.
    pub(crate) fn dirty_rows(&self) -> usize {
        self.dirty.len()
    }

    /// Writes what has changed, in key order, and forgets rows that have not been touched for long.
    pub(crate) fn flush(&mut self) -> rusqlite::Result<()> {
        let Some(store) = &self.store else { return Ok(()) };
        let mut dirty = mem::take(&mut self.dirty);
        dirty.sort_unstable();
        let mut upsert = store.connection.prepare_cached(&self.sql.upsert)?;
        let mut update = store.connection.prepare_cached(&self.sql.update)?;
        let mut delete = store.connection.prepare_cached(&self.sql.delete)?;
        for key in &dirty {
            let Some(slot) = self.recent.get_mut(key) else { continue };
            slot.dirty = false;
            let Some(row) = &slot.row else {
                if !self.stored_empty {
                    R::bind_key(key, &mut delete)?;
                    delete.raw_execute()?;
                }
                continue;
            };
            let indexed = Some(row.indexed());
            if slot.stored == indexed {
                row.bind(&mut update, &self.sql.updated)?;
                update.raw_execute()?;
            } else {
                row.bind(&mut upsert, &self.sql.all)?;
                upsert.raw_execute()?;
            }
            slot.stored = indexed;
            self.stored_empty = false;
        }
        if self.recent.len() > store.rows_kept_max {
            self.older = mem::take(&mut self.recent);
        }
        Ok(())
    }
}

impl Statements {
    fn of<R: Row>() -> Self {
        let (table, columns) = (R::TABLE, column_list(R::COLUMNS));
        let key = column_list(R::KEY);
        let found: Vec<String> =
            (1..).zip(R::KEY).map(|(n, key)| format!("\"{key}\" = ?{n}")).collect();
        let found = found.join(" AND ");
        let places: Vec<String> = (1..=R::COLUMNS.len()).map(|n| format!("?{n}")).collect();
        let places = places.join(", ");
        let changes = |skipped: &[&str]| {
            let changed = (1..).zip(R::COLUMNS).filter(|(_, column)| !skipped.contains(column));
            changed.map(|(n, column)| format!("\"{column}\" = ?{n}")).collect::<Vec<_>>().join(", ")
        };
        // Keys are the first columns, so that `found` fits all statements.
        let skipped = [R::KEY, R::FIXED, R::INDEXED].concat();
        let updated = |column: &&str| R::KEY.contains(column) || !skipped.contains(column);
        Self {
            select: format!("SELECT {columns} FROM {table} WHERE {found}"),
            upsert: format!(
                "INSERT INTO {table} ({columns}) VALUES ({places})
                 ON CONFLICT ({key}) DO UPDATE SET {}",
                changes(R::KEY)
            ),
            update: format!("UPDATE {table} SET {} WHERE {found}", changes(&skipped)),
            delete: format!("DELETE FROM {table} WHERE {found}"),
            all: vec![true; R::COLUMNS.len()],
            updated: R::COLUMNS.iter().map(updated).collect(),
        }
    }
}

/// A table that only grows: rows are written once and never read while folding.
pub(crate) struct Appends<R: Row> {
    store: Option<Store>,
    rows: Vec<R>,
    insert: String,
    all: Vec<bool>,
}

impl<R: Row> Appends<R> {
    pub(crate) fn open(store: Option<Store>) -> rusqlite::Result<Self> {
        let places: Vec<String> = (1..=R::COLUMNS.len()).map(|n| format!("?{n}")).collect();
        let insert = format!(
            "INSERT INTO {} ({}) VALUES ({})",
            R::TABLE,
            column_list(R::COLUMNS),
            places.join(", ")
        );
        Ok(Self { store, rows: Vec::new(), insert, all: vec![true; R::COLUMNS.len()] })
    }

    pub(crate) fn push(&mut self, row: R) {
        self.rows.push(row);
    }

    /// Rows that wait to be written.
    pub(crate) fn dirty_rows(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn flush(&mut self) -> rusqlite::Result<()> {
        let Some(store) = &self.store else { return Ok(()) };
        let mut insert = store.connection.prepare_cached(&self.insert)?;
        for row in self.rows.drain(..) {
            row.bind(&mut insert, &self.all)?;
            insert.raw_execute()?;
        }
        Ok(())
    }
}
