//! Read model `levels`: the level of every partner on every track, and how it came to it.

use accord_domain::{
    Country, Day, DomainEvent, EventId, LevelId, LevelReviewId, PartnerId, ProgramId, Timestamp,
    TrackId,
    partner::{LevelCause, PartnerEvent, PartnerStatus},
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    Page, QueryError, Scope, Views,
    event::Event,
    page::{Conditions, cursor, limit, page},
    row::{record, select},
    tables::{ApplyError, Projection, Tables},
};

pub(crate) const LEVELS: Projection =
    Projection { name: "levels", version: 1, tables: include_str!("levels.sql"), apply };

record! {
    /// A partner's level on one track.
    pub struct LevelRow in "levels" key(partner: PartnerId, track: TrackId) {
        pub partner: PartnerId,
        pub track: TrackId,
        pub program: ProgramId,
        /// Absent while the partner has none.
        pub level: Option<LevelId>,
        /// The day of the last change; absent before the first.
        pub since: Option<Day>,
        pub cause: Option<LevelCause>,
        pub reason: Option<String>,
        pub rulebook_version: u32,
        /// The event that says so.
        pub event: EventId,
    }
}

record! {
    /// One change of a level.
    pub struct LevelChange in "level_history" key(position: u64) {
        pub position: u64,
        pub event: EventId,
        pub program: ProgramId,
        pub partner: PartnerId,
        pub track: TrackId,
        pub from_level: Option<LevelId>,
        pub to_level: Option<LevelId>,
        pub cause: LevelCause,
        pub reason: String,
        pub review: Option<LevelReviewId>,
        pub rulebook_version: u32,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub changed_at: Timestamp,
    }
}

record! {
    /// A line of the report `levels`: a partner's level on one track, with its company.
    pub struct LevelReportRow {
        #[serde(skip)]
        pub(crate) id: PartnerId,
        pub program: ProgramId,
        pub partner: PartnerId,
        pub company: String,
        pub country: Country,
        pub status: PartnerStatus,
        pub track: TrackId,
        pub level: Option<LevelId>,
        pub since: Option<Day>,
        pub rulebook_version: u32,
    }
}

/// Which levels; every given field must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelFilter {
    pub track: Option<TrackId>,
    pub level: Option<LevelId>,
    /// 1 to 200; 50 where absent.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

fn apply(tables: &mut Tables, event: &Event) -> Result<(), ApplyError> {
    let Some(DomainEvent::Partner(body)) = &event.body else { return Ok(()) };
    let partner = PartnerId(event.aggregate);
    match body {
        PartnerEvent::Applied { track, .. } | PartnerEvent::Registered { track, .. } => {
            leave_all(tables, partner)?;
            tables.levels.put(without_level(event, track));
        }
        PartnerEvent::TrackJoined { track } => {
            let key = (partner, track.clone());
            let already = tables.levels.get(&key)?.is_some();
            if !already {
                tables.levels.put(without_level(event, track));
            }
        }
        PartnerEvent::TrackLeft { track } => tables.levels.remove(&(partner, track.clone())),
        PartnerEvent::LevelChanged { track, from, to, cause, reason } => {
            tables.levels.put(LevelRow {
                level: to.clone(),
                since: Some(event.day()),
                cause: Some(cause.clone()),
                reason: Some(reason.clone()),
                ..without_level(event, track)
            });
            tables.level_history.push(LevelChange {
                position: event.position,
                event: event.id,
                program: event.program.clone(),
                partner,
                track: track.clone(),
                from_level: from.clone(),
                to_level: to.clone(),
                cause: cause.clone(),
                reason: reason.clone(),
                review: match cause {
                    LevelCause::Review { review } => Some(*review),
                    _ => None,
                },
                rulebook_version: event.rulebook_version,
                changed_at: event.recorded_at,
            });
        }
        _ => {}
    }
    Ok(())
}

/// A new application replaces an earlier one that was declined or withdrawn, with its track.
fn leave_all(tables: &mut Tables, partner: PartnerId) -> Result<(), ApplyError> {
    let row = tables.partners.get(&(partner,))?;
    let tracks: Vec<TrackId> =
        row.map(|row| row.tracks.keys().cloned().collect()).unwrap_or_default();
    for track in tracks {
        tables.levels.remove(&(partner, track));
    }
    Ok(())
}

fn without_level(event: &Event, track: &TrackId) -> LevelRow {
    LevelRow {
        partner: PartnerId(event.aggregate),
        track: track.clone(),
        program: event.program.clone(),
        level: None,
        since: None,
        cause: None,
        reason: None,
        rulebook_version: event.rulebook_version,
        event: event.id,
    }
}

impl Views {
    /// Levels by partner and track.
    pub async fn levels(
        &self,
        scope: Scope,
        filter: LevelFilter,
    ) -> Result<Page<LevelRow>, QueryError> {
        let limit = limit(filter.limit)?;
        let after: Option<(PartnerId, TrackId)> = cursor(filter.cursor.as_deref())?;
        self.query(move |connection| {
            let mut conditions = Conditions::within(&scope);
            conditions.and_some("track = ?", filter.track.as_ref());
            conditions.and_some("level = ?", filter.level.as_ref());
            if let Some((first, second)) = &after {
                conditions.past("(partner, track) >", &[first, second]);
            }
            let tail = conditions.ordered("partner, track", limit);
            let rows = select(connection, "levels", &tail, &conditions.values)?;
            Ok(page(rows, limit, |row: &LevelRow| (row.partner, row.track.clone())))
        })
        .await
    }

    /// The changes of one partner's levels, the oldest first.
    pub async fn level_history(
        &self,
        scope: Scope,
        partner: PartnerId,
    ) -> Result<Vec<LevelChange>, QueryError> {
        self.query(move |connection| {
            let mut conditions = Conditions::within(&scope);
            conditions.and("partner = ?", &partner);
            let tail = format!("{} ORDER BY position", conditions.sql());
            select(connection, "level_history", &tail, &conditions.values)
        })
        .await
    }

    /// The report `levels`, by partner and track.
    pub async fn report_levels(
        &self,
        scope: Scope,
        filter: LevelFilter,
    ) -> Result<Page<LevelReportRow>, QueryError> {
        let limit = limit(filter.limit)?;
        let after: Option<(PartnerId, TrackId)> = cursor(filter.cursor.as_deref())?;
        self.query(move |connection| {
            let mut conditions = Conditions::within(&scope);
            conditions.and_some("track = ?", filter.track.as_ref());
            conditions.and_some("level = ?", filter.level.as_ref());
            if let Some((first, second)) = &after {
                conditions.past("(partner, track) >", &[first, second]);
            }
            let tail = conditions.ordered("partner, track", limit);
            let table = "(SELECT l.*, p.id, p.name AS company, p.country, p.status
                          FROM levels AS l JOIN partners AS p ON p.id = l.partner)";
            let rows = select(connection, table, &tail, &conditions.values)?;
            Ok(page(rows, limit, |row: &LevelReportRow| (row.partner, row.track.clone())))
        })
        .await
    }
}

#[cfg(test)]
mod tests;
