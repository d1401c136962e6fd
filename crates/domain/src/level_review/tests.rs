//! Level reviews: opening, judging, recommending, deciding, appealing.

mod appealing;
mod deciding;
mod opening;

use std::collections::BTreeSet;

use uuid::Uuid;

use super::*;
use crate::aggregate::testing::{QUAZZAR, ZEXTRAS, context, given};
use crate::evidence::{Fact, Outcome, evaluate_level};
use crate::rulebook::Predicate;
use crate::{CertificateId, Currency, EventId, LicenceId, Money, PersonId};

const PARTNER: PartnerId = PartnerId(Uuid::from_u128(0xb1));

// Who acts in the samples: one person opens, judges and recommends, another one decides, a third
// one decides the appeal.
const RECOMMENDER: &str = "alice";
const DECIDER: &str = "bob";
const APPEAL_DECIDER: &str = "carol";

/// Zextras on the day of the samples: every level is decided by a review.
fn by(subject: &str) -> Context {
    context(ZEXTRAS, "2026-03-01", subject)
}

fn when(
    past: impl IntoIterator<Item = LevelReviewEvent>,
    command: LevelReviewCommand,
    subject: &str,
) -> Result<Vec<LevelReviewEvent>, LevelReviewError> {
    given::<LevelReview>(past).when(command, &by(subject))
}

/// Evidence with which every measured requirement of gold is met, or all but the seats.
fn evidence(seats: u64) -> Evidence {
    let id = Uuid::from_u128;
    let certificate = Fact::Certificate {
        event: EventId(id(1)),
        certificate: CertificateId(id(1)),
        person: PersonId(id(1)),
        certification: "C3".parse().unwrap(),
        expires_on: day("2027-03-01"),
    };
    let licence = |number: u128, seats| Fact::Licence {
        event: EventId(id(number)),
        licence: LicenceId(id(number)),
        seats,
        servers: 0,
        mrr: Money::new(100_000, Currency::EUR),
        ends_on: day("2027-03-01"),
    };
    let facts = vec![certificate, licence(2, 1), licence(3, 1), licence(4, seats - 2)];
    Evidence { position: 1, day: day("2026-03-01"), facts }
}

fn open(current: Option<&str>, target: &str) -> LevelReviewCommand {
    LevelReviewCommand::Open {
        standing: standing(current),
        other: None,
        track: track(),
        target: level(target),
        evidence: evidence(5001),
        reason: "yearly review".to_owned(),
    }
}

fn opened(current: Option<&str>, target: &str, seats: u64) -> LevelReviewEvent {
    let context = by(RECOMMENDER);
    let rules = context.rules.level(&track(), &level(target)).unwrap();
    LevelReviewEvent::Opened {
        partner: PARTNER,
        track: track(),
        current: current.map(level),
        target: level(target),
        rulebook_version: context.rulebook_version,
        evaluations: evaluate_level(rules, &evidence(seats)),
        evidence: evidence(seats),
        reason: "yearly review".to_owned(),
        opened_by: Subject(RECOMMENDER.to_owned()),
    }
}

fn judge(requirement: &str, met: bool) -> LevelReviewCommand {
    LevelReviewCommand::Judge { requirement: id(requirement), met, note: "seen".to_owned() }
}

fn judged(requirement: &RequirementId, met: bool) -> LevelReviewEvent {
    LevelReviewEvent::Judged {
        requirement: requirement.clone(),
        met,
        note: "seen".to_owned(),
        judged_by: Subject(RECOMMENDER.to_owned()),
    }
}

/// Gold's judged requirements, as the rulebook has them.
fn judged_requirements() -> Vec<RequirementId> {
    let rules = by(RECOMMENDER).rules;
    let gold = rules.level(&track(), &level("gold")).unwrap();
    let is_judged =
        |it: &&crate::rulebook::Requirement| matches!(it.predicate, Predicate::Judged { .. });
    gold.requirements.iter().filter(is_judged).map(|it| it.id.clone()).collect()
}

/// A review whose judged requirements are all met.
fn all_judged(opened: LevelReviewEvent) -> Vec<LevelReviewEvent> {
    let answers = judged_requirements().into_iter().map(|requirement| judged(&requirement, true));
    [opened].into_iter().chain(answers).collect()
}

/// A review of whether the silver partner becomes gold, ready to be decided.
fn recommended(seats: u64) -> Vec<LevelReviewEvent> {
    let mut past = all_judged(opened(Some("silver"), "gold", seats));
    past.push(recommendation());
    past
}

fn recommend(outcome: ReviewOutcome) -> LevelReviewCommand {
    LevelReviewCommand::Recommend { outcome, reason: "grown".to_owned() }
}

fn recommendation() -> LevelReviewEvent {
    LevelReviewEvent::Recommended {
        outcome: ReviewOutcome::Promote,
        reason: "grown".to_owned(),
        recommended_by: Subject(RECOMMENDER.to_owned()),
    }
}

fn decide(outcome: ReviewOutcome) -> LevelReviewCommand {
    overriding(outcome, &[])
}

fn overriding(outcome: ReviewOutcome, reasons: &[(&str, &str)]) -> LevelReviewCommand {
    let overrides =
        reasons.iter().map(|(requirement, reason)| (id(requirement), reason.to_string()));
    let overrides = overrides.collect();
    let (reason, standing) = ("agreed".to_owned(), standing(Some("silver")));
    LevelReviewCommand::Decide { outcome, reason, overrides, standing }
}

/// An active partner that holds a level.
fn standing(held: Option<&str>) -> PartnerStanding {
    PartnerStanding {
        partner: PARTNER,
        status: PartnerStatus::Active,
        tracks: BTreeMap::from([(track(), held.map(level))]),
        scope: BTreeSet::new(),
        withheld_benefits: BTreeSet::new(),
        discount_adjustment: None,
    }
}

/// The same command to a partner that stands otherwise.
fn of(mut command: LevelReviewCommand, by: PartnerStanding) -> LevelReviewCommand {
    use LevelReviewCommand as C;
    if let C::Open { standing, .. }
    | C::Decide { standing, .. }
    | C::DecideAppeal { standing, .. } = &mut command
    {
        *standing = by;
    }
    command
}

fn decided(outcome: ReviewOutcome, to: Option<&str>) -> LevelReviewEvent {
    LevelReviewEvent::Decided {
        partner: PARTNER,
        track: track(),
        outcome,
        level: to.map(level),
        reason: "agreed".to_owned(),
        overrides: BTreeMap::new(),
        decided_by: Subject(DECIDER.to_owned()),
    }
}

fn withdraw(reason: &str) -> LevelReviewCommand {
    LevelReviewCommand::Withdraw { reason: reason.to_owned() }
}

fn withdrawn() -> LevelReviewEvent {
    LevelReviewEvent::Withdrawn { reason: "opened by mistake".to_owned() }
}

fn downgrade(to: Option<&str>) -> ReviewOutcome {
    ReviewOutcome::Downgrade { to: to.map(level) }
}

fn track() -> TrackId {
    "partner".parse().unwrap()
}

fn level(text: &str) -> LevelId {
    text.parse().unwrap()
}

fn id(text: &str) -> RequirementId {
    text.parse().unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}
