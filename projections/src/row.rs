//! Rows: a struct, its table, its primary key and its columns, said once.

use std::hash::Hash;

use rusqlite::{Connection, Statement, ToSql, params_from_iter};

/// Something that reads as a list of columns.
pub(crate) trait Record: Sized {
    const COLUMNS: &'static [&'static str];

    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self>;
}

/// A record with a table of its own and a primary key.
pub(crate) trait Row: Record + Clone + Send + Sync + 'static {
    const TABLE: &'static str;
    const KEY: &'static [&'static str];

    /// The primary key's columns. Its order is the table's.
    type Key: Clone + Eq + Hash + Ord + Send;

    /// Columns that no event changes once the row is there.
    const FIXED: &'static [&'static str];

    /// Other columns of secondary indexes. A row in which none of them has changed is written
    /// without touching an index, which spares most of the pages that an update costs.
    const INDEXED: &'static [&'static str];
    type Indexed: PartialEq;

    fn key(&self) -> Self::Key;
    fn indexed(&self) -> Self::Indexed;
    /// Binds column `n` (from 0) to parameter `n + 1` where `wanted[n]`.
    fn bind(&self, statement: &mut Statement<'_>, wanted: &[bool]) -> rusqlite::Result<()>;
    fn bind_key(key: &Self::Key, statement: &mut Statement<'_>) -> rusqlite::Result<()>;
}

/// Defines a row: `record! { pub struct DealRow in "deals" key(id: DealId) { ... } }`. The key's
/// columns come first; `fixed(...)` and `indexed(...)` may follow it, see [`Row`]. Without
/// `in ... key(...)` it is a selection of another table's columns.
macro_rules! record {
    (
        $(#[$meta:meta])*
        $vis:vis struct $row:ident in $table:literal key($($key:ident: $key_type:ty),+)
            $(fixed($($fixed:ident),+))?
            $(indexed($($indexed:ident: $indexed_type:ty),+))?
        {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty,)*
        }
    ) => {
        $crate::row::record! {
            $(#[$meta])*
            $vis struct $row { $($(#[$field_meta])* $field_vis $field: $type,)* }
        }

        impl $crate::row::Row for $row {
            const TABLE: &'static str = $table;
            const KEY: &'static [&'static str] = &[$(stringify!($key)),+];
            type Key = ($($key_type,)+);

            const FIXED: &'static [&'static str] = &[$($(stringify!($fixed)),+)?];
            const INDEXED: &'static [&'static str] = &[$($(stringify!($indexed)),+)?];
            type Indexed = ($($($indexed_type,)+)?);

            fn key(&self) -> Self::Key {
                ($(self.$key.clone(),)+)
            }

            #[allow(clippy::unused_unit)]
            fn indexed(&self) -> Self::Indexed {
                ($($(self.$indexed.clone(),)+)?)
            }

            fn bind(
                &self,
                statement: &mut rusqlite::Statement<'_>,
                wanted: &[bool],
            ) -> rusqlite::Result<()> {
                let mut index = 0;
                $(
                    index += 1;
                    if wanted[index - 1] {
                        let value = $crate::column::Column::to_column(&self.$field);
                        statement.raw_bind_parameter(index, value)?;
                    }
                )*
                Ok(())
            }

            fn bind_key(
                key: &Self::Key,
                statement: &mut rusqlite::Statement<'_>,
            ) -> rusqlite::Result<()> {
                let ($($key,)+) = key;
                let mut index = 0;
                $(
                    index += 1;
                    let value = $crate::column::Column::to_column($key);
                    statement.raw_bind_parameter(index, value)?;
                )+
                Ok(())
            }
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis struct $row:ident {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, schemars::JsonSchema)]
        $vis struct $row { $($(#[$field_meta])* $field_vis $field: $type,)* }

        impl $crate::row::Record for $row {
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
                let mut index = 0;
                Ok(Self { $($field: $crate::column::read(row, &mut index)?,)* })
            }
        }
    };
}
pub(crate) use record;

/// `"a", "b", "c"`: quoted, because `order` and `current` are words of SQL.
pub(crate) fn column_list(columns: &[&str]) -> String {
    format!("\"{}\"", columns.join("\", \""))
}

/// Selects records; `tail` is everything from `WHERE` on.
pub(crate) fn select<R: Record, P: ToSql>(
    connection: &Connection,
    table: &str,
    tail: &str,
    values: &[P],
) -> rusqlite::Result<Vec<R>> {
    let sql = format!("SELECT {} FROM {table} {tail}", column_list(R::COLUMNS));
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| R::read(row))?;
    rows.collect()
}
