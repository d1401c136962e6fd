//! A partner from prospect to termination. Two programs serve as samples: Zextras, where partners
//! apply and sign an agreement, and Quazzar, where an administrator adds them and sets levels.

mod admission;
mod contacts;
mod duties;
mod entry;
mod levels;
mod membership;
mod statuses;
mod technical;

use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::aggregate::testing::{QUAZZAR, ZEXTRAS, context, given};
use crate::certificate::PersonInput;
use crate::personal::PersonDetails;
use crate::rulebook::{DecisionMode, EntryMode, Rulebook};
use crate::{CertificationCode, PersonalData};

const TECHNICIAN: PersonId = PersonId(Uuid::from_u128(0xc1));
const SELLER: PersonId = PersonId(Uuid::from_u128(0xc2));
const NEWCOMER: PersonId = PersonId(Uuid::from_u128(0xc3));

fn zextras() -> Context {
    context(ZEXTRAS, "2026-03-01", "alice")
}

fn quazzar() -> Context {
    context(QUAZZAR, "2026-03-01", "alice")
}

/// The same program with other rules.
fn varied(mut context: Context, vary: impl FnOnce(&mut Rulebook)) -> Context {
    vary(Arc::make_mut(&mut context.rules));
    context
}

/// A program where registering is enough and gives the lowest level.
fn registration() -> Context {
    varied(zextras(), |rules| {
        rules.entry.mode = EntryMode::Registration;
        rules.tracks[0].levels[0].decision = DecisionMode::Automatic;
    })
}

/// A program with a second track, whose lowest level is automatic or set by an administrator.
fn two_tracks(decision: DecisionMode) -> Context {
    varied(quazzar(), |rules| {
        let mut second = rules.tracks[0].clone();
        second.id = "reseller".parse().unwrap();
        second.levels[0].decision = decision;
        rules.tracks.push(second);
    })
}

fn when(
    past: impl IntoIterator<Item = PartnerEvent>,
    command: PartnerCommand,
    context: &Context,
) -> Result<Vec<PartnerEvent>, PartnerError> {
    given::<Partner>(past).when(command, context)
}

/// The past and what came after it.
fn and(
    mut past: Vec<PartnerEvent>,
    more: impl IntoIterator<Item = PartnerEvent>,
) -> Vec<PartnerEvent> {
    past.extend(more);
    past
}

fn company() -> Company {
    Company {
        name: "Example GmbH".to_owned(),
        country: "DE".parse().unwrap(),
        domain: Some("example.org".to_owned()),
        tax_id: None,
    }
}

fn person(person: PersonId, name: &str) -> PersonInput {
    let email = "someone@example.org".to_owned();
    PersonInput { person: Some(person), name: name.to_owned(), email, phone: None }
}

fn contact_inputs() -> Vec<ContactInput> {
    vec![
        ContactInput { role: ContactRole::Technical, person: person(TECHNICIAN, "Ada") },
        ContactInput { role: ContactRole::Sales, person: person(SELLER, "Grace") },
    ]
}

fn contact(role: ContactRole, person: PersonId, name: &str) -> Contact {
    let (name, email) = (name.to_owned(), "someone@example.org".to_owned());
    Contact {
        role,
        person: PersonalData::Clear(PersonDetails { person, name, email, phone: None }),
    }
}

fn stored_contacts() -> Vec<Contact> {
    vec![
        contact(ContactRole::Technical, TECHNICIAN, "Ada"),
        contact(ContactRole::Sales, SELLER, "Grace"),
    ]
}

fn mou_signed() -> PartnerEvent {
    PartnerEvent::MouSigned {
        company: company(),
        signed_on: day("2026-02-01"),
        until: day("2026-05-01"),
        resources: set(&["training"]),
    }
}

fn apply() -> PartnerCommand {
    PartnerCommand::Apply { company: company(), track: track(), contacts: contact_inputs() }
}

fn applied() -> PartnerEvent {
    PartnerEvent::Applied { company: company(), track: track(), contacts: stored_contacts() }
}

fn registered(mode: EntryMode) -> PartnerEvent {
    let contacts = stored_contacts();
    PartnerEvent::Registered { company: company(), track: track(), contacts, mode }
}

fn evaluated(criterion: &str, met: bool) -> PartnerEvent {
    let criterion = criterion.parse().unwrap();
    PartnerEvent::Evaluated { criterion, met, note: "seen".to_owned() }
}

/// Every criterion of Zextras.
fn all_evaluated(met: bool) -> Vec<PartnerEvent> {
    let rules = zextras().rules;
    let criteria = rules.entry.evaluation_criteria.iter();
    criteria.map(|criterion| evaluated(criterion.as_str(), met)).collect()
}

/// An applicant of Zextras whose agreement waits for its signature.
fn approved() -> Vec<PartnerEvent> {
    let past = and(vec![applied()], all_evaluated(true));
    and(past, [PartnerEvent::Approved {}])
}

fn agreement_signed() -> PartnerEvent {
    let term_months = zextras().rules.entry.agreement.as_ref().unwrap().term_months;
    PartnerEvent::AgreementSigned {
        signed_on: day("2026-02-15"),
        ends_on: day("2026-02-15").plus_months(term_months),
        scope: BTreeSet::new(),
        annexes: BTreeSet::new(),
        deviations: Vec::new(),
    }
}

/// An active partner of Zextras, without a level.
fn signed() -> Vec<PartnerEvent> {
    and(approved(), [agreement_signed()])
}

/// An active silver partner of Quazzar.
fn silver() -> Vec<PartnerEvent> {
    vec![registered(EntryMode::Administrator), level_set(None, "silver", "initial level")]
}

fn level_set(from: Option<&str>, to: &str, reason: &str) -> PartnerEvent {
    let cause = LevelCause::Administrator;
    level_changed((track(), from, Some(to)), cause, reason)
}

fn level_changed(
    (track, from, to): (TrackId, Option<&str>, Option<&str>),
    cause: LevelCause,
    reason: &str,
) -> PartnerEvent {
    let (from, to) = (from.map(level), to.map(level));
    PartnerEvent::LevelChanged { track, from, to, cause, reason: reason.to_owned() }
}

fn restricted(benefits: &[&str]) -> PartnerEvent {
    PartnerEvent::Restricted { benefits: set(benefits), reason: why() }
}

fn suspended() -> PartnerEvent {
    PartnerEvent::Suspended { reason: why() }
}

fn terminated() -> PartnerEvent {
    PartnerEvent::Terminated { reason: why() }
}

fn why() -> String {
    "agreed with the partner".to_owned()
}

fn track() -> TrackId {
    "partner".parse().unwrap()
}

fn level(text: &str) -> LevelId {
    text.parse().unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn set<T: std::str::FromStr<Err: std::fmt::Debug> + Ord>(codes: &[&str]) -> BTreeSet<T> {
    codes.iter().map(|code| code.parse().unwrap()).collect()
}
