//! Read model `revenue`: recurring revenue by partner, month and currency.
//!
//! A licence counts in a month when its terms cover any day of it; of two terms within one month
//! the later ones count.

use accord_domain::{
    Currency, Day, DomainEvent, LicenceId, PartnerId, ProgramId,
    licence::{LicenceEvent, LicenceTerms},
};
use chrono::Datelike;

use crate::{
    event::Event,
    row::record,
    tables::{ApplyError, Projection, Tables},
};

mod queries;

pub use queries::{Managed, RevenueFilter, RevenueRow};

pub(crate) const REVENUE: Projection =
    Projection { name: "revenue", version: 1, tables: include_str!("revenue.sql"), apply };

record! {
    /// The terms of a licence for a stretch of time.
    pub(crate) struct SegmentRow in "segments" key(licence: LicenceId, seq: u64) {
        pub licence: LicenceId,
        /// Revision of the event that the terms came from.
        pub seq: u64,
        pub program: ProgramId,
        pub partner: Option<PartnerId>,
        #[serde(skip)]
        pub(crate) customer_key: String,
        #[schemars(with = "String")]
        pub currency: Currency,
        pub from_day: Day,
        /// Last day, included.
        pub to_day: Day,
        #[serde(skip)]
        pub(crate) first_month: i64,
        #[serde(skip)]
        pub(crate) last_month: i64,
        pub mrr_minor: i64,
        pub seats: u64,
        pub servers: u64,
    }
}

/// Months since year 0, as they stand in the tables.
pub(crate) fn month_index(day: Day) -> i64 {
    i64::from(day.0.year()) * 12 + i64::from(day.0.month0())
}

fn apply(tables: &mut Tables, event: &Event) -> Result<(), ApplyError> {
    let Some(DomainEvent::Licence(body)) = &event.body else { return Ok(()) };
    match body {
        LicenceEvent::Issued { terms, .. }
        | LicenceEvent::Renewed { terms, .. }
        | LicenceEvent::Upgraded { terms, .. } => {
            cut_earlier(tables, event, terms)?;
            let segment = segment(tables, event, terms)?;
            tables.segments.put(segment);
            Ok(())
        }
        // The terms name their last day from the beginning.
        LicenceEvent::Expired { .. }
        | LicenceEvent::Reserved { .. }
        | LicenceEvent::ReservationReleased { .. } => Ok(()),
    }
}

/// The licence's own row, which `licences` has already brought up to this event, knows its owner.
fn segment(
    tables: &mut Tables,
    event: &Event,
    terms: &LicenceTerms,
) -> Result<SegmentRow, ApplyError> {
    let licence = LicenceId(event.aggregate);
    let row = tables.licences.get(&(licence,))?.ok_or(ApplyError::Missing("licence"))?;
    Ok(SegmentRow {
        licence,
        seq: event.revision,
        program: row.program.clone(),
        partner: row.partner,
        customer_key: row.customer_key.clone(),
        currency: terms.mrr.currency,
        from_day: terms.starts_on,
        to_day: terms.ends_on,
        first_month: month_index(terms.starts_on),
        last_month: month_index(terms.ends_on),
        mrr_minor: terms.mrr.minor,
        seats: terms.seats,
        servers: terms.servers,
    })
}

/// Ends the earlier terms the day, and the month, before the new ones start.
fn cut_earlier(tables: &mut Tables, event: &Event, terms: &LicenceTerms) -> Result<(), ApplyError> {
    let licence = LicenceId(event.aggregate);
    let (starts_on, first_month) = (terms.starts_on, month_index(terms.starts_on));
    for seq in (0..event.revision).rev() {
        let key = (licence, seq);
        let Some(from_day) = tables.segments.get(&key)?.map(|row| row.from_day) else { continue };
        if from_day >= starts_on {
            tables.segments.remove(&key);
            continue;
        }
        if let Some(row) = tables.segments.edit(&key)? {
            row.to_day = row.to_day.min(starts_on.minus_days(1));
            row.last_month = row.last_month.min(first_month - 1);
        }
        // Those before were cut where this one starts.
        break;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
