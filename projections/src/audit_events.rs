//! Read model `audit_events`: where every event of the log stands, for auditors to find it.
//!
//! One row per event at the log's full speed, hence narrow: texts are interned, payloads stay in
//! the log.

use std::mem;

use accord_domain::{EventId, PartnerId, Timestamp};
use accord_eventlog::StreamName;
use foldhash::{HashMap, HashMapExt};
use rusqlite::OptionalExtension;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Page, QueryError, Scope, Views,
    event::Event,
    page::{Conditions, cursor, limit, page},
    row::{record, select},
    table::{Store, Write},
    tables::{ApplyError, Projection, Tables},
};

pub(crate) const AUDIT_EVENTS: Projection = Projection {
    name: "audit_events",
    version: 1,
    tables: include_str!("audit_events.sql"),
    apply,
};

/// Names kept in memory; beyond twice as many the longest unused are looked up again. Tests keep
/// few.
const NAMES_KEPT_MAX: usize = if cfg!(test) { 4 } else { 4_096 };
const MICROS_PER_HOUR: i64 = 3_600_000_000;

record! {
    /// An event in the index; its texts are names.
    pub(crate) struct IndexedEvent in "events" key(position: u64) {
        pub(crate) position: u64,
        pub(crate) event: EventId,
        pub(crate) category: i64,
        pub(crate) aggregate: Uuid,
        pub(crate) revision: u64,
        pub(crate) program: i64,
        pub(crate) partner: Option<PartnerId>,
        pub(crate) actor: i64,
        pub(crate) kind: i64,
        pub(crate) command: i64,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub(crate) recorded_at: Timestamp,
    }
}

record! {
    /// The positions recorded within one hour since the epoch.
    pub(crate) struct EventHour in "event_hours" key(hour: i64) {
        pub(crate) hour: i64,
        pub(crate) first_position: u64,
        pub(crate) last_position: u64,
    }
}

/// Where an event stands; its payload is in the log at `stream` and `revision`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuditEvent {
    pub position: u64,
    pub id: EventId,
    pub stream: String,
    pub revision: u64,
    #[serde(rename = "type")]
    pub kind: String,
    pub partner: Option<PartnerId>,
    /// Subject of the actor's token.
    pub actor: String,
    pub command: String,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub recorded_at: Timestamp,
}

record! {
    /// An indexed event with its names spelled out.
    pub(crate) struct SpelledOut {
        pub(crate) position: u64,
        pub(crate) id: EventId,
        pub(crate) category: String,
        pub(crate) aggregate: Uuid,
        pub(crate) revision: u64,
        pub(crate) kind: String,
        pub(crate) partner: Option<PartnerId>,
        pub(crate) actor: String,
        pub(crate) command: String,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub(crate) recorded_at: Timestamp,
    }
}

impl From<SpelledOut> for AuditEvent {
    fn from(event: SpelledOut) -> Self {
        Self {
            position: event.position,
            id: event.id,
            stream: StreamName::of(&event.category, event.aggregate).to_string(),
            revision: event.revision,
            kind: event.kind,
            partner: event.partner,
            actor: event.actor,
            command: event.command,
            recorded_at: event.recorded_at,
        }
    }
}

/// Which events; every given field must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditEventFilter {
    /// The stream's whole name.
    pub stream: Option<String>,
    pub partner: Option<PartnerId>,
    /// Subject of the actor's token.
    pub actor: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Recorded at this time or later.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub from: Option<Timestamp>,
    /// Recorded before this time.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub to: Option<Timestamp>,
    /// 1 to 200; 50 where absent.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

fn apply(tables: &mut Tables, event: &Event) -> Result<(), ApplyError> {
    let names = &mut tables.names;
    let row = IndexedEvent {
        position: event.position,
        event: event.id,
        category: names.id(event.stream.category())?,
        aggregate: event.aggregate,
        revision: event.revision,
        program: names.id(event.program.as_str())?,
        partner: event.partner,
        actor: names.id(&event.actor.0)?,
        kind: names.id(&event.kind)?,
        command: names.id(&event.command)?,
        recorded_at: event.recorded_at,
    };
    tables.events.push(row);
    let (hour, position) = (hour(event.recorded_at), event.position);
    match tables.event_hours.edit(&(hour,))? {
        Some(row) => row.last_position = position,
        None => tables.event_hours.put(EventHour {
            hour,
            first_position: position,
            last_position: position,
        }),
    }
    Ok(())
}

fn hour(time: Timestamp) -> i64 {
    time.timestamp_micros().div_euclid(MICROS_PER_HOUR)
}

/// Texts interned to integers, given out in the order in which the log first names them.
pub(crate) struct Names {
    store: Option<Store>,
    recent: HashMap<String, i64>,
    older: HashMap<String, i64>,
    unsaved: Vec<(i64, String)>,
    next: i64,
}

impl Names {
    pub(crate) fn open(store: Option<Store>) -> rusqlite::Result<Self> {
        let last: i64 = match &store {
            Some(Store { connection, .. }) => {
                connection
                    .query_row("SELECT coalesce(max(id), 0) FROM names", [], |row| row.get(0))?
            }
            None => 0,
        };
        let (recent, older) = (HashMap::new(), HashMap::new());
        Ok(Self { store, recent, older, unsaved: Vec::new(), next: last + 1 })
    }

    /// The text's number.
    fn id(&mut self, text: &str) -> rusqlite::Result<i64> {
        if let Some(id) = self.recent.get(text) {
            return Ok(*id);
        }
        let known = match self.older.remove(text) {
            None => self.stored(text)?,
            known => known,
        };
        let id = known.unwrap_or_else(|| {
            let id = self.next;
            self.next += 1;
            self.unsaved.push((id, text.to_owned()));
            id
        });
        self.recent.insert(text.to_owned(), id);
        Ok(id)
    }

    fn stored(&self, text: &str) -> rusqlite::Result<Option<i64>> {
        let Some(Store { connection, .. }) = &self.store else { return Ok(None) };
        let mut select = connection.prepare_cached("SELECT id FROM names WHERE text = ?1")?;
        select.query_row([text], |row| row.get(0)).optional()
    }

    /// Hands over the new names; see [`Table::take_changes`](crate::table::Table::take_changes).
    pub(crate) fn take_changes(&mut self) -> Write {
        let unsaved = mem::take(&mut self.unsaved);
        if self.recent.len() > NAMES_KEPT_MAX {
            self.older = mem::take(&mut self.recent);
        }
        Box::new(move |connection| {
            let mut insert =
                connection.prepare_cached("INSERT INTO names (id, text) VALUES (?1, ?2)")?;
            for (id, text) in unsaved {
                insert.execute((id, text))?;
            }
            Ok(())
        })
    }
}

/// The index with its names spelled out. Scalar selects instead of joins keep the planner from
/// starting anywhere but at the events.
const SPELLED_OUT: &str = "(SELECT position, event AS id, revision, recorded_at,
        aggregate, partner, category AS category_name, program AS program_name,
        actor AS actor_name, kind AS kind_name,
        (SELECT text FROM names WHERE names.id = category) AS category,
        (SELECT text FROM names WHERE names.id = kind) AS kind,
        (SELECT text FROM names WHERE names.id = actor) AS actor,
        (SELECT text FROM names WHERE names.id = command) AS command
    FROM events)";

impl Views {
    /// Events of a program in log order.
    pub async fn audit_events(
        &self,
        scope: Scope,
        filter: AuditEventFilter,
    ) -> Result<Page<AuditEvent>, QueryError> {
        let limit = limit(filter.limit)?;
        let after: Option<u64> = cursor(filter.cursor.as_deref())?;
        self.query(move |connection| {
            let stream = filter.stream.as_ref().map(|name| name.parse::<StreamName>());
            // What is no stream's name has no events.
            let Ok(stream) = stream.transpose() else {
                return Ok(Page { items: Vec::new(), next: None });
            };
            let category = stream.as_ref().map(|stream| stream.category().to_owned());
            let aggregate = stream.as_ref().map(|stream| stream.id().unwrap_or_default());
            let from_hour = filter.from.map(hour);
            let to_hour = filter.to.map(hour);
            let named = |column| format!("{column} = (SELECT id FROM names WHERE text = ?)");
            let mut conditions = Conditions::of(&named("program_name"), &scope.program);
            conditions.and_some("partner = ?", scope.partner.as_ref());
            conditions.and_some("partner = ?", filter.partner.as_ref());
            conditions.and_some(&named("category_name"), category.as_ref());
            conditions.and_some("aggregate = ?", aggregate.as_ref());
            conditions.and_some(&named("actor_name"), filter.actor.as_ref());
            conditions.and_some(&named("kind_name"), filter.kind.as_ref());
            conditions.and_some("position > ?", after.as_ref());
            let since = "position >= (SELECT min(first_position) FROM event_hours WHERE hour >= ?)";
            conditions.and_some(since, from_hour.as_ref());
            let until = "position <= (SELECT max(last_position) FROM event_hours WHERE hour <= ?)";
            conditions.and_some(until, to_hour.as_ref());
            conditions.and_some("recorded_at >= ?", filter.from.as_ref());
            conditions.and_some("recorded_at < ?", filter.to.as_ref());
            let tail = conditions.ordered("position", limit);
            let rows: Vec<SpelledOut> = select(connection, SPELLED_OUT, &tail, &conditions.values)?;
            let rows = rows.into_iter().map(AuditEvent::from).collect();
            Ok(page(rows, limit, |row: &AuditEvent| row.position))
        })
        .await
    }
}

#[cfg(test)]
mod tests;
