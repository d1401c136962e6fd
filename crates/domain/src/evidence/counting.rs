//! What a predicate counts, and how long what it counted lasts.

use std::collections::BTreeMap;

use super::{Evidence, Fact};
use crate::rulebook::Predicate;
use crate::{CertificationCode, Day, EventId, PersonId};

/// Something that counts towards a requirement, with a weight (1, seats, servers, minor units) and
/// the last day on which it does.
pub(super) struct Counted {
    pub(super) events: Vec<EventId>,
    pub(super) weight: i128,
    /// Absent for what never ends.
    pub(super) ends_on: Option<Day>,
}

/// What counts on the evidence's day.
pub(super) fn counted(predicate: &Predicate, evidence: &Evidence) -> Vec<Counted> {
    if let Predicate::Certificates { any_of, .. } = predicate {
        return certified_persons(any_of, evidence);
    }
    let in_force = |item: &Counted| item.ends_on.is_none_or(|day| evidence.day <= day);
    evidence.facts.iter().filter_map(|fact| weigh(predicate, fact)).filter(in_force).collect()
}

/// Persons with a valid certificate of these entries; each counts once, as long as its last one.
fn certified_persons(any_of: &[CertificationCode], evidence: &Evidence) -> Vec<Counted> {
    let mut persons: BTreeMap<PersonId, Counted> = BTreeMap::new();
    for fact in &evidence.facts {
        let Fact::Certificate { event, person, certification, expires_on, .. } = fact else {
            continue;
        };
        if !any_of.contains(certification) || *expires_on < evidence.day {
            continue;
        }
        let nobody = || Counted { events: Vec::new(), weight: 1, ends_on: None };
        let item = persons.entry(*person).or_insert_with(nobody);
        item.events.push(*event);
        item.ends_on = item.ends_on.max(Some(*expires_on));
    }
    persons.into_values().collect()
}

pub(super) fn total(counted: &[Counted]) -> i128 {
    counted.iter().map(|item| item.weight).sum()
}

/// Whether a total satisfies the predicate; `None` where only a person can tell.
pub(super) fn holds(predicate: &Predicate, total: i128) -> Option<bool> {
    match predicate {
        Predicate::Certificates { persons_at_least: at_least, .. }
        | Predicate::Licences { at_least }
        | Predicate::References { at_least } => Some(total >= (*at_least).into()),
        Predicate::Seats { more_than } => Some(total > (*more_than).into()),
        Predicate::Servers { at_least } => Some(total >= (*at_least).into()),
        Predicate::AnnualRevenue { at_least } => Some(total >= at_least.minor.into()),
        Predicate::Obligation { .. } | Predicate::Acknowledged { .. } => Some(total > 0),
        Predicate::Judged { .. } => None,
    }
}

/// The first day at whose end so much of the counted ends that the predicate no longer holds.
pub(super) fn met_until(predicate: &Predicate, counted: &[Counted]) -> Option<Day> {
    let mut remaining = total(counted);
    if holds(predicate, remaining) != Some(true) {
        return None;
    }
    let mut ends: BTreeMap<Day, i128> = BTreeMap::new();
    for item in counted {
        if let Some(day) = item.ends_on {
            *ends.entry(day).or_default() += item.weight;
        }
    }
    let ends_it = |(day, weight): (Day, i128)| {
        remaining -= weight;
        (holds(predicate, remaining) == Some(false)).then_some(day)
    };
    ends.into_iter().find_map(ends_it)
}

/// The weight of one fact, if the predicate is about its kind. Certificates count by person.
fn weigh(predicate: &Predicate, fact: &Fact) -> Option<Counted> {
    let counts = |event: &EventId, weight: i128, ends_on: Option<Day>| {
        Some(Counted { events: vec![*event], weight, ends_on })
    };
    match (predicate, fact) {
        (Predicate::Licences { .. }, Fact::Licence { event, ends_on, .. }) => {
            counts(event, 1, Some(*ends_on))
        }
        (Predicate::Seats { .. }, Fact::Licence { event, seats, ends_on, .. }) => {
            counts(event, (*seats).into(), Some(*ends_on))
        }
        (Predicate::Servers { .. }, Fact::Licence { event, servers, ends_on, .. }) => {
            counts(event, (*servers).into(), Some(*ends_on))
        }
        (Predicate::AnnualRevenue { at_least }, Fact::Licence { event, mrr, ends_on, .. })
            if mrr.currency == at_least.currency =>
        {
            counts(event, i128::from(mrr.minor) * 12, Some(*ends_on))
        }
        (Predicate::References { .. }, Fact::Reference { event }) => counts(event, 1, None),
        (
            Predicate::Obligation { obligation: wanted },
            Fact::Obligation { event, obligation, fulfilled_until },
        ) if obligation == wanted => counts(event, 1, Some(*fulfilled_until)),
        (
            Predicate::Acknowledged { document: wanted },
            Fact::Acknowledgement { event, document },
        ) if document == wanted => counts(event, 1, None),
        _ => None,
    }
}
