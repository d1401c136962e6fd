//! Pages by key: a page names where the next one starts; rows that come and go in between neither
//! repeat nor hide others.

use accord_domain::{PartnerId, ProgramId};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rusqlite::types::ToSqlOutput;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{QueryError, column::Column};

const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 200;

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The cursor of the next page; absent on the last one.
    pub next: Option<String>,
}

/// What a caller may see: one program, and where a partner is named nothing but this partner's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub program: ProgramId,
    pub partner: Option<PartnerId>,
}

impl Scope {
    /// Everything of a program.
    pub fn program(program: ProgramId) -> Self {
        Self { program, partner: None }
    }

    /// What belongs to one partner.
    pub fn partner(program: ProgramId, partner: PartnerId) -> Self {
        Self { program, partner: Some(partner) }
    }
}

/// The size of a page: 50 where none is asked for, 1 to 200.
pub(crate) fn limit(asked: Option<u32>) -> Result<usize, QueryError> {
    match asked.unwrap_or(LIMIT_DEFAULT) {
        limit @ 1..=LIMIT_MAX => Ok(limit as usize),
        _ => Err(QueryError::InvalidLimit { limit_max: LIMIT_MAX }),
    }
}

/// Reads a cursor that [`page`] has made of the same kind of key.
pub(crate) fn cursor<K: DeserializeOwned>(text: Option<&str>) -> Result<Option<K>, QueryError> {
    let Some(text) = text else { return Ok(None) };
    let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| QueryError::InvalidCursor)?;
    serde_json::from_slice(&json).map(Some).map_err(|_| QueryError::InvalidCursor)
}

/// Makes a page of up to `limit + 1` rows: the one too many only tells that there is a next page.
pub(crate) fn page<R, K: Serialize>(
    mut items: Vec<R>,
    limit: usize,
    key: impl Fn(&R) -> K,
) -> Page<R> {
    let more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().filter(|_| more);
    let next = last.map(|last| {
        let json = serde_json::to_vec(&key(last)).expect("keys serialise without failing");
        URL_SAFE_NO_PAD.encode(json)
    });
    Page { items, next }
}

/// A column's value, whatever its type.
pub(crate) trait ToColumn {
    fn value(&self) -> ToSqlOutput<'_>;
}

impl<C: Column> ToColumn for C {
    fn value(&self) -> ToSqlOutput<'_> {
        self.to_column()
    }
}

/// Conditions that are put together one by one, with their values.
pub(crate) struct Conditions<'a> {
    sql: String,
    pub(crate) values: Vec<ToSqlOutput<'a>>,
}

impl<'a> Conditions<'a> {
    /// Rows of a program and, where the scope names one, of its partner.
    pub(crate) fn within(scope: &'a Scope) -> Self {
        let mut conditions = Self::of("program = ?", &scope.program);
        conditions.and_some("partner = ?", scope.partner.as_ref());
        conditions
    }

    /// A first condition.
    pub(crate) fn of(condition: &str, value: &'a impl Column) -> Self {
        let mut conditions = Self { sql: "WHERE true".to_owned(), values: Vec::new() };
        conditions.and(condition, value);
        conditions
    }

    /// One more condition; its only `?` is the value's place.
    pub(crate) fn and(&mut self, condition: &str, value: &'a impl Column) {
        self.values.push(value.to_column());
        let place = format!("?{}", self.values.len());
        self.sql += " AND ";
        self.sql += &condition.replacen('?', &place, 1);
    }

    /// One more condition where there is a value.
    pub(crate) fn and_some(&mut self, condition: &str, value: Option<&'a impl Column>) {
        if let Some(value) = value {
            self.and(condition, value);
        }
    }

    /// Rows whose columns are past a cursor's: `columns` is for example `(a, b) >`.
    pub(crate) fn past(&mut self, columns: &str, key: &[&'a dyn ToColumn]) {
        let first = self.values.len() + 1;
        self.values.extend(key.iter().map(|value| value.value()));
        let places: Vec<String> = (first..=self.values.len()).map(|n| format!("?{n}")).collect();
        self.sql += &format!(" AND {columns} ({})", places.join(", "));
    }

    /// The clause from `WHERE` on, in an order, with one row more than the limit.
    pub(crate) fn ordered(&self, order: &str, limit: usize) -> String {
        format!("{} ORDER BY {order} LIMIT {}", self.sql, limit + 1)
    }

    /// The clause from `WHERE` on.
    pub(crate) fn sql(&self) -> &str {
        &self.sql
    }
}

/// A name as it is searched and sorted: lower case, single spaces.
pub(crate) fn search_key(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
