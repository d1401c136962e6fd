//! All read models: their tables, the order in which they see an event, and what may go wrong.

use crate::{
    audit_events::{AUDIT_EVENTS, EventHour, IndexedEvent, Names},
    certificates::{CERTIFICATES, CertificateRow},
    conflicts::{CONFLICTS, ConflictRow},
    deals::{DEALS, DealRow},
    due::{DUE, TimerRow},
    event::Event,
    evidence::{EVIDENCE, FactRow},
    level_reviews::{LEVEL_REVIEWS, LevelReviewRow},
    levels::{LEVELS, LevelChange, LevelRow},
    licences::{LICENCES, LicenceRow},
    orders::{ORDERS, OrderRow},
    partners::{PARTNERS, PartnerRow},
    programs::{PROGRAMS, RulebookRow},
    revenue::{REVENUE, SegmentRow},
    row::Row,
    table::{Appends, Store, Table, Write},
};

/// One read model.
pub(crate) struct Projection {
    pub(crate) name: &'static str,
    /// Raised whenever the tables or `apply` change: the next start then rebuilds.
    pub(crate) version: u32,
    /// `CREATE` statements, each ending with `;` at the end of a line.
    pub(crate) tables: &'static str,
    /// Folds one event. What fails is quarantined; what cannot be stored stops the batch.
    pub(crate) apply: fn(&mut Tables, &Event) -> Result<(), ApplyError>,
}

/// Every read model, in the order in which they see an event. [`AUDIT_EVENTS`] comes first, because
/// it lists also what no other can read. [`LEVELS`] looks at the partner's row as it was before the
/// event, [`REVENUE`] at the licence's and [`DUE`] at the partner's as they are after it.
pub(crate) const PROJECTIONS: [&Projection; 13] = [
    &AUDIT_EVENTS,
    &PROGRAMS,
    &LEVELS,
    &PARTNERS,
    &EVIDENCE,
    &CERTIFICATES,
    &LEVEL_REVIEWS,
    &DEALS,
    &CONFLICTS,
    &ORDERS,
    &LICENCES,
    &REVENUE,
    &DUE,
];

/// Why an event was not folded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// The event speaks of something that no earlier event has made.
    #[error("there is no such {0}")]
    Missing(&'static str),
    #[error("the read models cannot be stored")]
    Store(#[from] rusqlite::Error),
}

macro_rules! tables {
    ($($name:ident: $kind:ident<$row:ty>,)*) => {
        /// The rows of all read models while events are folded.
        pub(crate) struct Tables {
            $(pub(crate) $name: $kind<$row>,)*
            pub(crate) names: Names,
        }

        impl Tables {
            /// Over a database, or in memory alone.
            pub(crate) fn open(store: Option<&Store>) -> rusqlite::Result<Self> {
                Ok(Self {
                    $($name: $kind::open(store.cloned())?,)*
                    names: Names::open(store.cloned())?,
                })
            }

            /// Rows that wait to be written.
            pub(crate) fn dirty_rows(&self) -> usize {
                0 $(+ self.$name.dirty_rows())*
            }

            /// Hands over everything that has changed since the last time, which must be
            /// committed by now.
            pub(crate) fn take_changes(&mut self) -> Vec<Write> {
                let mut writes = vec![self.names.take_changes()];
                $(writes.extend(self.$name.take_changes());)*
                writes
            }
        }

        /// Name and primary key of every table.
        pub(crate) const TABLES: &[(&str, &[&str])] =
            &[$((<$row as Row>::TABLE, <$row as Row>::KEY),)* ("names", &["id"])];
    };
}

tables! {
    events: Appends<IndexedEvent>,
    event_hours: Table<EventHour>,
    rulebooks: Table<RulebookRow>,
    partners: Table<PartnerRow>,
    levels: Table<LevelRow>,
    level_history: Appends<LevelChange>,
    facts: Table<FactRow>,
    certificates: Table<CertificateRow>,
    level_reviews: Table<LevelReviewRow>,
    deals: Table<DealRow>,
    conflicts: Table<ConflictRow>,
    orders: Table<OrderRow>,
    licences: Table<LicenceRow>,
    segments: Table<SegmentRow>,
    due: Table<TimerRow>,
}
