//! Samples of deals, and which command each status allows.

mod contests;
mod protection;
mod registration;
mod review;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::aggregate::testing::{QUAZZAR, ZEXTRAS, context, given};
use crate::rulebook::Rulebook;
use crate::{BenefitId, LevelId, Subject, TrackId};

const PARTNER: PartnerId = PartnerId(Uuid::from_u128(0xb1));
const ORDER: OrderId = OrderId(Uuid::from_u128(0xe1));
const CONFLICT: ConflictId = ConflictId(Uuid::from_u128(0xc1));
const OTHER_CONFLICT: ConflictId = ConflictId(Uuid::from_u128(0xc2));
const OPPORTUNITY: OpportunityId = OpportunityId(Uuid::from_u128(0xd1));
/// The day of all samples that name no other.
const TODAY: &str = "2026-03-01";

#[test]
fn every_status_but_the_right_ones_refuses_a_command() {
    use DealStatus as S;
    for (name, command, allowed, unchanged) in commands() {
        for (status, events) in histories() {
            let outcome = given::<Deal>(events).when(command.clone(), &at(TODAY));
            let case = format!("{name} while {status:?}: {outcome:?}");
            match status {
                status if allowed.contains(&status) => {
                    let decided = !matches!(outcome, Err(DealError::DealWrongStatus { .. }));
                    assert!(decided && outcome != Ok(vec![]), "{case}");
                }
                status if unchanged.contains(&status) => assert_eq!(outcome, Ok(vec![]), "{case}"),
                S::Unknown => assert_eq!(outcome, Err(DealError::DealNotFound), "{case}"),
                _ if name == "draft" => {
                    assert_eq!(outcome, Err(DealError::DealAlreadyExists), "{case}");
                }
                status => assert_eq!(outcome, Err(DealError::DealWrongStatus { status }), "{case}"),
            }
        }
    }
}

type Case = (&'static str, DealCommand, Vec<DealStatus>, Vec<DealStatus>);

/// Every command, the statuses in which it decides something, and those in which its wish already
/// holds.
#[rustfmt::skip]
fn commands() -> Vec<Case> {
    use DealStatus::*;
    let text = || "as agreed".to_owned();
    let held = vec![InReview, InformationRequested, Protected];
    let pending = vec![Submitted, InReview, InformationRequested, Contested, Protected];
    let settled = vec![Draft, Won, Lost, Expired, Revoked, Released, Rejected, Withdrawn];
    let contested = DealCommand::Contest {
        conflict: CONFLICT, opportunity: OPPORTUNITY, earliest_free_day: day("2026-06-01"),
    };
    let lose = DealCommand::LoseConflict { conflict: CONFLICT, rule: code("first-registered") };
    vec![
        ("draft", draft(), vec![Unknown], vec![]),
        ("revise", revise(), vec![Draft], vec![]),
        ("submit", submit(), vec![Draft], pending.clone()),
        ("confirm-claim", DealCommand::ConfirmClaim {}, vec![Submitted], held),
        ("contest", contested, vec![Submitted], vec![Contested]),
        ("request-information", DealCommand::RequestInformation { question: text() }, vec![InReview], vec![]),
        ("provide-information", DealCommand::ProvideInformation { answer: text(), standing: standing() }, vec![InformationRequested], vec![]),
        ("approve", DealCommand::Approve {}, vec![InReview], vec![Protected]),
        ("reject", reject(), vec![InReview, InformationRequested, Contested], vec![Rejected]),
        ("withdraw", DealCommand::Withdraw { reason: text() }, [vec![Draft], pending.clone()].concat(), vec![Withdrawn]),
        ("record-activity", activity(TODAY), vec![InReview, Protected], vec![]),
        ("extend", DealCommand::Extend { reason: text(), standing: standing() }, vec![Protected], vec![]),
        ("mark-won", won(TODAY), vec![Protected], vec![Won]),
        ("mark-lost", DealCommand::MarkLost { reason: text() }, vec![InReview, Protected], vec![Lost]),
        ("revoke", DealCommand::Revoke { reason: text() }, vec![Protected], vec![Revoked]),
        ("release", DealCommand::Release { statement: text() }, vec![Protected], vec![Released]),
        ("reserve", DealCommand::Reserve { order: ORDER }, vec![Protected, Won], vec![]),
        ("expire", DealCommand::Expire {}, vec![Protected], vec![Expired]),
        ("win-conflict", DealCommand::WinConflict { conflict: CONFLICT }, vec![Contested],
            [vec![Submitted, InReview, InformationRequested, Protected], settled.clone()].concat()),
        ("lose-conflict", lose, pending, settled),
    ]
}

/// For every status a history that leads to it.
fn histories() -> Vec<(DealStatus, Vec<DealEvent>)> {
    let text = || "as agreed".to_owned();
    let asked = DealEvent::InformationRequested { question: text() };
    let cause = ExpiryCause::Inactive;
    let expired = DealEvent::Expired { cause, ended_on: day(TODAY) };
    let after = |mut events: Vec<DealEvent>, event| {
        events.push(event);
        events
    };
    let won = DealEvent::Won { closed_on: day(TODAY), value: value() };
    let rejected = DealEvent::Rejected { reason: code("no-real-opportunity"), note: text() };
    vec![
        (DealStatus::Unknown, vec![]),
        (DealStatus::Draft, vec![drafted()]),
        (DealStatus::Submitted, submitted()),
        (DealStatus::InReview, in_review()),
        (DealStatus::InformationRequested, after(in_review(), asked)),
        (DealStatus::Contested, contested()),
        (DealStatus::Protected, protected()),
        (DealStatus::Won, after(protected(), won)),
        (DealStatus::Lost, after(protected(), DealEvent::Lost { reason: text() })),
        (DealStatus::Expired, after(protected(), expired)),
        (DealStatus::Revoked, after(protected(), DealEvent::Revoked { reason: text() })),
        (DealStatus::Released, after(protected(), DealEvent::Released { statement: text() })),
        (DealStatus::Rejected, after(in_review(), rejected)),
        (DealStatus::Withdrawn, after(in_review(), DealEvent::Withdrawn { reason: text() })),
    ]
}

#[test]
fn every_history_leads_to_its_status() {
    for (status, events) in histories() {
        assert_eq!(given::<Deal>(events).0.status, status);
    }
}

#[test]
fn a_deal_is_open_until_something_settles_it() {
    let open: Vec<DealStatus> = histories().into_iter().map(|(status, _)| status).collect();
    let open: Vec<DealStatus> = open.into_iter().filter(|status| status.is_open()).collect();
    use DealStatus::*;
    assert_eq!(open, [Draft, Submitted, InReview, InformationRequested, Contested, Protected]);
}

#[test]
fn a_deal_belongs_to_the_partner_that_drafted_it_and_keeps_its_rulebook_version() {
    let deal = given::<Deal>([drafted()]).0;
    assert_eq!((deal.partner(), deal.rulebook_version()), (Some(PARTNER), Some(1)));
    assert_eq!((Deal::default().partner(), Deal::default().rulebook_version()), (None, None));
}

/// A program in which a person validates.
fn at(today: &str) -> Context {
    context(ZEXTRAS, today, "alice")
}

/// The same with other rules.
fn at_with(today: &str, change: impl FnOnce(&mut Rulebook)) -> Context {
    let mut context = at(today);
    change(Arc::make_mut(&mut context.rules));
    context
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn code(text: &str) -> ReasonCode {
    text.parse().unwrap()
}

fn value() -> Money {
    Money::new(500_000, crate::Currency::EUR)
}

fn customer() -> Company {
    Company {
        name: "Comune di Esempio".into(),
        country: "IT".parse().unwrap(),
        domain: Some("comune.example".into()),
        tax_id: None,
    }
}

fn scope() -> ProductScope {
    at(TODAY).rules.deals.product_scopes[0].clone()
}

fn standing() -> PartnerStanding {
    PartnerStanding {
        partner: PARTNER,
        status: PartnerStatus::Active,
        tracks: BTreeMap::from([(track("partner"), Some(level("gold")))]),
        scope: BTreeSet::new(),
        withheld_benefits: BTreeSet::new(),
        discount_adjustment: None,
    }
}

fn track(text: &str) -> TrackId {
    text.parse().unwrap()
}

fn level(text: &str) -> LevelId {
    text.parse().unwrap()
}

fn draft() -> DealCommand {
    draft_by(standing(), customer())
}

fn draft_by(standing: PartnerStanding, customer: Company) -> DealCommand {
    DealCommand::Draft {
        customer,
        product_scope: scope(),
        value: value(),
        expected_close: day("2026-09-30"),
        standing,
    }
}

fn revise() -> DealCommand {
    DealCommand::Revise {
        customer: Company { name: "Regione di Esempio".into(), ..customer() },
        product_scope: scope(),
        value: Money::new(700_000, crate::Currency::EUR),
        expected_close: day("2026-10-31"),
    }
}

fn submit() -> DealCommand {
    DealCommand::Submit { standing: standing(), own: None }
}

fn reject() -> DealCommand {
    let reason = at(TODAY).rules.deals.rejection_reasons[0].clone();
    DealCommand::Reject { reason, note: String::new() }
}

fn activity(on: &str) -> DealCommand {
    DealCommand::RecordActivity { activity: "Visit".into(), on: day(on), standing: standing() }
}

fn won(closed_on: &str) -> DealCommand {
    DealCommand::MarkWon { closed_on: day(closed_on), value: value() }
}

fn drafted() -> DealEvent {
    DealEvent::Drafted {
        partner: PARTNER,
        customer: customer(),
        product_scope: scope(),
        value: value(),
        expected_close: day("2026-09-30"),
        rulebook_version: 1,
    }
}

fn submitted_event() -> DealEvent {
    DealEvent::Submitted {
        submitted_on: day(TODAY),
        submitted_by: Subject("bob".into()),
        opportunities: customer().opportunity_keys(&at(TODAY).rules.identity.program, &scope()),
    }
}

/// Submitted by bob.
fn submitted() -> Vec<DealEvent> {
    vec![drafted(), submitted_event()]
}

fn in_review() -> Vec<DealEvent> {
    [submitted(), vec![DealEvent::ReviewStarted {}]].concat()
}

fn contested() -> Vec<DealEvent> {
    let earliest_free_day = day("2026-06-01");
    let (conflict, opportunity) = (CONFLICT, OPPORTUNITY);
    [submitted(), vec![DealEvent::Contested { conflict, opportunity, earliest_free_day }]].concat()
}

/// Protected from 1 March to 30 May, with an activity due by 31 March.
fn protected() -> Vec<DealEvent> {
    let (from, until, activity_due) = (day(TODAY), day("2026-05-30"), day("2026-03-31"));
    [in_review(), vec![DealEvent::Protected { from, until, activity_due }]].concat()
}
