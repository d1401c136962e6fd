//! As of: a partner or a deal as it was, folded from its own stream alone by the same `apply`.

use accord_domain::{DealId, PartnerId};
use accord_eventlog::RecordedEvent;

use crate::{
    deals::{self, DealRow},
    event::{Event, decode},
    partners::{self, PartnerRow},
    tables::{ApplyError, Tables},
};

/// Why a past state cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum AsOfError {
    /// An event of the stream cannot be read or folded.
    #[error("event {revision} of stream `{stream}` cannot be folded: {problem}")]
    Unreadable { stream: String, revision: u64, problem: String },
    #[error("no state can be folded in memory")]
    Store(#[from] rusqlite::Error),
}

/// The partner after these events, the first ones of its stream; `None` without any.
pub fn partner_as_of(events: &[RecordedEvent]) -> Result<Option<PartnerRow>, AsOfError> {
    let mut tables = fold(events, partners::apply)?;
    let Some(id) = events.first().and_then(|event| event.stream.id()) else { return Ok(None) };
    Ok(tables.partners.get(&(PartnerId(id),))?.cloned())
}

/// The deal after these events, the first ones of its stream; `None` without any.
pub fn deal_as_of(events: &[RecordedEvent]) -> Result<Option<DealRow>, AsOfError> {
    let mut tables = fold(events, deals::apply)?;
    let Some(id) = events.first().and_then(|event| event.stream.id()) else { return Ok(None) };
    Ok(tables.deals.get(&(DealId(id),))?.cloned())
}

fn fold(
    events: &[RecordedEvent],
    apply: fn(&mut Tables, &Event) -> Result<(), ApplyError>,
) -> Result<Tables, AsOfError> {
    let mut tables = Tables::open(None)?;
    for recorded in events {
        let unreadable = |problem: String| AsOfError::Unreadable {
            stream: recorded.stream.to_string(),
            revision: recorded.revision,
            problem,
        };
        let decoded = decode(recorded);
        if let Some(problem) = decoded.error {
            return Err(unreadable(problem));
        }
        if let Some(event) = &decoded.event {
            apply(&mut tables, event).map_err(|error| unreadable(error.to_string()))?;
        }
    }
    Ok(tables)
}

#[cfg(test)]
mod tests;
