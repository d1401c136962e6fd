//! A table while events are folded: rows are loaded on first touch, changed in memory, and written
//! once per batch in the order of their keys.

use std::{mem, rc::Rc, sync::Arc};

use foldhash::{HashMap, HashMapExt};
use rusqlite::Connection;

use crate::row::{Row, column_list};

/// What a table asks to be written within a transaction, perhaps on another thread.
pub(crate) type Write = Box<dyn FnOnce(&Connection) -> rusqlite::Result<()> + Send>;

/// Where a table's rows are loaded from, and how many of them may stay in memory between two
/// batches.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) connection: Rc<Connection>,
    /// Beyond twice as many the longest untouched are forgotten.
    pub(crate) rows_kept_max: usize,
}

struct Slot<R: Row> {
    /// `None`: there is no such row. Shared with a batch that is being written.
    row: Option<Arc<R>>,
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
    sql: Arc<Statements>,
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
            sql: Arc::new(Statements::of::<R>()),
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
        Ok(self.recent.get_mut(key).and_then(|slot| slot.row.as_mut()).map(Arc::make_mut))
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
        let slot = Slot { row: row.map(Arc::new), stored: None, dirty: true };
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
                    let row = self.load(key)?.map(Arc::new);
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

    /// Hands over what has changed, in key order, and forgets rows that have not been touched for
    /// long. What was handed over the time before must be committed by now: a row that is forgotten
    /// was handed over then at the latest, and is loaded again where it is needed.
    pub(crate) fn take_changes(&mut self) -> Option<Write> {
        let store = self.store.as_ref()?;
        let stored_empty = self.stored_empty;
        let mut keys = mem::take(&mut self.dirty);
        keys.sort_unstable();
        let mut changes = Vec::with_capacity(keys.len());
        for key in keys {
            let Some(slot) = self.recent.get_mut(&key) else { continue };
            slot.dirty = false;
            match &slot.row {
                Some(row) => {
                    let indexed = Some(row.indexed());
                    let light = slot.stored == indexed;
                    slot.stored = indexed;
                    self.stored_empty = false;
                    changes.push(Change::Put { row: Arc::clone(row), light });
                }
                None if stored_empty => {}
                None => changes.push(Change::Delete(key)),
            }
        }
        if self.recent.len() > store.rows_kept_max {
            self.older = mem::take(&mut self.recent);
        }
        let sql = Arc::clone(&self.sql);
        Some(Box::new(move |connection| sql.write(connection, &changes)))
    }
}

enum Change<R: Row> {
    /// `light`: the row is stored, and none of its fixed or indexed columns differs.
    Put {
        row: Arc<R>,
        light: bool,
    },
    Delete(R::Key),
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

impl Statements {
    fn write<R: Row>(
        &self,
        connection: &Connection,
        changes: &[Change<R>],
    ) -> rusqlite::Result<()> {
        let mut upsert = connection.prepare_cached(&self.upsert)?;
        let mut update = connection.prepare_cached(&self.update)?;
        let mut delete = connection.prepare_cached(&self.delete)?;
        for change in changes {
            match change {
                Change::Put { row, light: true } => {
                    row.bind(&mut update, &self.updated)?;
                    update.raw_execute()?;
                }
                Change::Put { row, light: false } => {
                    row.bind(&mut upsert, &self.all)?;
                    upsert.raw_execute()?;
                }
                Change::Delete(key) => {
                    R::bind_key(key, &mut delete)?;
                    delete.raw_execute()?;
                }
            }
        }
        Ok(())
    }
}

/// A table that only grows: rows are written once and never read while folding.
pub(crate) struct Appends<R: Row> {
    rows: Vec<R>,
    insert: Arc<str>,
}

impl<R: Row> Appends<R> {
    pub(crate) fn open(_: Option<Store>) -> rusqlite::Result<Self> {
        let places: Vec<String> = (1..=R::COLUMNS.len()).map(|n| format!("?{n}")).collect();
        let (columns, places) = (column_list(R::COLUMNS), places.join(", "));
        let insert = format!("INSERT INTO {} ({columns}) VALUES ({places})", R::TABLE);
        Ok(Self { rows: Vec::new(), insert: insert.into() })
    }

    pub(crate) fn push(&mut self, row: R) {
        self.rows.push(row);
    }

    /// Rows that wait to be written.
    pub(crate) fn dirty_rows(&self) -> usize {
        self.rows.len()
    }

    /// Hands over the new rows.
    pub(crate) fn take_changes(&mut self) -> Option<Write> {
        let (rows, insert) = (mem::take(&mut self.rows), Arc::clone(&self.insert));
        Some(Box::new(move |connection| {
            let mut insert = connection.prepare_cached(&insert)?;
            let all = vec![true; R::COLUMNS.len()];
            for row in &rows {
                row.bind(&mut insert, &all)?;
                insert.raw_execute()?;
            }
            Ok(())
        }))
    }
}
