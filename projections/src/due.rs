//! Read model `due`: everything that time will do, for the scheduler.
//!
//! Days named in events are last days (of protection, validity, a deadline); a timer is due on the
//! day after.

use accord_domain::{
    Day, DomainEvent, PartnerId, ProgramId, certificate::CertificateEvent, deal::DealEvent,
    licence::LicenceEvent, partner::PartnerEvent,
};
use rusqlite::Connection;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Page, QueryError, Views,
    column::word_columns,
    event::Event,
    page::{Conditions, cursor, limit, page},
    row::{record, select},
    tables::{ApplyError, Projection, Tables},
};

pub(crate) const DUE: Projection =
    Projection { name: "due", version: 1, tables: include_str!("due.sql"), apply };

/// What a timer is about.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DueKind {
    /// A deal's protection has run out.
    DealProtection,
    /// A deal's next activity is overdue.
    DealActivity,
    CertificateExpiry,
    LicenceExpiry,
    /// The deadline to restore a technical resource has passed.
    TechnicalGap,
    /// A partner's probation on a track is over.
    ProbationEnd,
}

word_columns!(DueKind);

record! {
    /// A timer as stored.
    pub(crate) struct TimerRow in "due" key(kind: DueKind, aggregate: Uuid, subject: String) {
        pub(crate) kind: DueKind,
        pub(crate) aggregate: Uuid,
        pub(crate) subject: String,
        pub(crate) program: ProgramId,
        pub(crate) category: String,
        pub(crate) earliest: Day,
    }
}

record! {
    /// A timer that is due.
    pub struct DueRow {
        pub kind: DueKind,
        /// The stream's aggregate.
        pub aggregate: Uuid,
        /// The track of a probation; otherwise empty.
        pub subject: String,
        pub program: ProgramId,
        /// The stream's category.
        pub category: String,
        #[serde(skip)]
        pub(crate) earliest: Day,
        /// The first day on which the timer may fire.
        pub due_on: Day,
    }
}

/// Which timers; every given field must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DueFilter {
    pub kind: Option<DueKind>,
    /// Timers that may fire on this day or before; today where absent.
    pub by: Option<Day>,
    /// 1 to 200; 50 where absent.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl DueRow {
    /// What makes this occasion unique: the same timer put off to another day is another occasion.
    pub fn occasion(&self) -> String {
        if self.subject.is_empty() {
            self.due_on.to_string()
        } else {
            format!("{}/{}", self.subject, self.due_on)
        }
    }
}

fn apply(tables: &mut Tables, event: &Event) -> Result<(), ApplyError> {
    match &event.body {
        Some(DomainEvent::Deal(body)) => {
            deal(tables, event, body);
            Ok(())
        }
        Some(DomainEvent::Certificate(body)) => {
            certificate(tables, event, body);
            Ok(())
        }
        Some(DomainEvent::Licence(body)) => {
            licence(tables, event, body);
            Ok(())
        }
        Some(DomainEvent::Partner(body)) => partner(tables, event, body),
        _ => Ok(()),
    }
}

/// A timer that fires once the last day is over.
fn after(event: &Event, kind: DueKind, subject: &str, last_day: Day) -> TimerRow {
    TimerRow {
        kind,
        aggregate: event.aggregate,
        subject: subject.to_owned(),
        program: event.program.clone(),
        category: event.stream.category().to_owned(),
        earliest: last_day.plus_days(1),
    }
}

fn done(tables: &mut Tables, event: &Event, kind: DueKind, subject: &str) {
    tables.due.remove(&(kind, event.aggregate, subject.to_owned()));
}

fn deal(tables: &mut Tables, event: &Event, body: &DealEvent) {
    match body {
        DealEvent::Protected { until, activity_due, .. } => {
            tables.due.put(after(event, DueKind::DealProtection, "", *until));
            tables.due.put(after(event, DueKind::DealActivity, "", *activity_due));
        }
        DealEvent::Extended { until, .. } => {
            tables.due.put(after(event, DueKind::DealProtection, "", *until));
        }
        DealEvent::Won { .. }
        | DealEvent::Lost { .. }
        | DealEvent::Revoked { .. }
        | DealEvent::Released { .. }
        | DealEvent::Withdrawn { .. }
        | DealEvent::Rejected { .. }
        | DealEvent::Expired { .. } => {
            done(tables, event, DueKind::DealProtection, "");
            done(tables, event, DueKind::DealActivity, "");
        }
        DealEvent::Drafted { .. }
        | DealEvent::Reserved { .. }
        | DealEvent::ReservationReleased { .. }
        | DealEvent::Revised { .. }
        | DealEvent::Submitted { .. }
        | DealEvent::ReviewStarted {}
        | DealEvent::Contested { .. }
        | DealEvent::InformationRequested { .. }
        | DealEvent::InformationProvided { .. }
        // Never brings the day forward; the query looks at the deal.
        | DealEvent::ActivityRecorded { .. } => {}
    }
}

fn certificate(tables: &mut Tables, event: &Event, body: &CertificateEvent) {
    match body {
        CertificateEvent::Issued { expires_on, .. }
        | CertificateEvent::Renewed { expires_on, .. } => {
            tables.due.put(after(event, DueKind::CertificateExpiry, "", *expires_on));
        }
        CertificateEvent::Revoked { .. } | CertificateEvent::Expired { .. } => {
            done(tables, event, DueKind::CertificateExpiry, "");
        }
    }
}

fn licence(tables: &mut Tables, event: &Event, body: &LicenceEvent) {
    match body {
        LicenceEvent::Issued { terms, .. }
        | LicenceEvent::Renewed { terms, .. }
        | LicenceEvent::Upgraded { terms, .. } => {
            tables.due.put(after(event, DueKind::LicenceExpiry, "", terms.ends_on));
        }
        LicenceEvent::Expired { .. } => done(tables, event, DueKind::LicenceExpiry, ""),
        LicenceEvent::Reserved { .. } | LicenceEvent::ReservationReleased { .. } => {}
    }
}

fn partner(tables: &mut Tables, event: &Event, body: &PartnerEvent) -> Result<(), ApplyError> {
    match body {
        PartnerEvent::TechnicalGapOpened { restore_by, .. } => {
            tables.due.put(after(event, DueKind::TechnicalGap, "", *restore_by));
        }
        PartnerEvent::TechnicalResourceDesignated { .. }
        | PartnerEvent::TechnicalGapLapsed { .. } => done(tables, event, DueKind::TechnicalGap, ""),
        PartnerEvent::ProbationSet { track, until, .. } => {
            tables.due.put(after(event, DueKind::ProbationEnd, track.as_str(), *until));
        }
        PartnerEvent::LevelChanged { track, .. } | PartnerEvent::TrackLeft { track } => {
            done(tables, event, DueKind::ProbationEnd, track.as_str());
        }
        PartnerEvent::Terminated { .. } => {
            done(tables, event, DueKind::TechnicalGap, "");
            let row = tables.partners.get(&(PartnerId(event.aggregate),))?;
            let tracks = row.map(|row| row.tracks.keys().cloned().collect::<Vec<_>>());
            for track in tracks.unwrap_or_default() {
                done(tables, event, DueKind::ProbationEnd, track.as_str());
            }
        }
        _ => {}
    }
    Ok(())
}

/// Where a page ended.
type Place = (Day, DueKind, Uuid, String);

/// Timers with the day on which they are due.
const TIMERS: &str = "(SELECT due.*, CASE kind
        WHEN 'deal-activity' THEN
            (SELECT date(activity_due, '+1 day') FROM deals WHERE deals.id = aggregate)
        ELSE earliest END AS due_on
    FROM due)";

impl Views {
    /// Timers of all programs that are due on a day, the longest overdue first. A timer stays on
    /// the list until an event ends it: go on with the page's cursor to get past those that are
    /// refused.
    pub async fn due(
        &self,
        today: Day,
        limit: usize,
        after: Option<String>,
    ) -> Result<Page<DueRow>, QueryError> {
        let after = cursor(after.as_deref())?;
        self.query(move |connection| timers(connection, Conditions::due(&today), limit, &after))
            .await
    }

    /// What time will do in a program, the earliest first.
    pub async fn due_in(
        &self,
        program: ProgramId,
        today: Day,
        filter: DueFilter,
    ) -> Result<Page<DueRow>, QueryError> {
        let limit = limit(filter.limit)?;
        let after = cursor(filter.cursor.as_deref())?;
        let by = filter.by.unwrap_or(today);
        self.query(move |connection| {
            let mut conditions = Conditions::due(&by);
            conditions.and("program = ?", &program);
            conditions.and_some("kind = ?", filter.kind.as_ref());
            timers(connection, conditions, limit, &after)
        })
        .await
    }
}

impl<'a> Conditions<'a> {
    /// The first one may use the index.
    fn due(by: &'a Day) -> Self {
        let mut conditions = Self::of("earliest <= ?", by);
        conditions.and("due_on <= ?", by);
        conditions
    }
}

fn timers<'a>(
    connection: &Connection,
    mut conditions: Conditions<'a>,
    limit: usize,
    after: &'a Option<Place>,
) -> rusqlite::Result<Page<DueRow>> {
    if let Some((day, kind, aggregate, subject)) = after {
        conditions.past("(earliest, kind, aggregate, subject) >", &[day, kind, aggregate, subject]);
    }
    let tail = conditions.ordered("earliest, kind, aggregate, subject", limit);
    let rows = select(connection, TIMERS, &tail, &conditions.values)?;
    Ok(page(rows, limit, |row: &DueRow| {
        (row.earliest, row.kind, row.aggregate, row.subject.clone())
    }))
}

#[cfg(test)]
mod tests;
