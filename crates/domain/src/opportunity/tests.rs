//! One holder per opportunity, conflicts, and their resolution.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::aggregate::testing::{QUAZZAR, context, given};

const HOLDER: DealId = DealId(Uuid::from_u128(0xa1));
const CONTENDER: DealId = DealId(Uuid::from_u128(0xa2));
const BYSTANDER: DealId = DealId(Uuid::from_u128(0xa3));

#[test]
fn a_free_key_is_claimed() {
    let outcome = given::<Opportunity>([]).when(claim(HOLDER), &today());
    assert_eq!(outcome, Ok(vec![claimed(HOLDER)]));
}

#[test]
fn claiming_again_changes_nothing() {
    let outcome = given::<Opportunity>([claimed(HOLDER)]).when(claim(HOLDER), &today());
    assert_eq!(outcome, Ok(vec![]));
}

#[test]
fn a_second_deal_opens_a_conflict_until_the_day_after_the_protection() {
    let until = day("2026-05-10");
    let held = [claimed(HOLDER), OpportunityEvent::Protected { deal: HOLDER, until }];
    let events = given::<Opportunity>(held).when(claim(CONTENDER), &today()).unwrap();
    let [
        OpportunityEvent::ConflictOpened {
            holder,
            holder_partner,
            contender,
            contender_partner,
            opened_on,
            earliest_free_day,
            ..
        },
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!((*holder, *holder_partner), (HOLDER, partner_of(HOLDER)));
    assert_eq!((*contender, *contender_partner), (CONTENDER, partner_of(CONTENDER)));
    assert_eq!((*opened_on, *earliest_free_day), (day("2026-03-01"), day("2026-05-11")));
}

#[test]
fn a_partner_is_never_in_conflict_with_itself() {
    let command = OpportunityCommand::Claim { deal: CONTENDER, partner: partner_of(HOLDER) };
    let outcome = given::<Opportunity>([claimed(HOLDER)]).when(command, &today());
    assert_eq!(outcome, Err(OpportunityError::HeldByOwnDeal { deal: HOLDER }));
}

#[test]
fn before_validation_the_earliest_free_day_assumes_a_whole_protection_from_today() {
    let context = today();
    let events = given::<Opportunity>([claimed(HOLDER)]).when(claim(CONTENDER), &context).unwrap();
    let expected = context.today.plus_days(context.rules.deals.protection_days + 1);
    let [OpportunityEvent::ConflictOpened { earliest_free_day, .. }] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(*earliest_free_day, expected);
}

#[test]
fn a_contender_with_an_open_conflict_opens_no_second_one() {
    let outcome = given::<Opportunity>(contested()).when(claim(CONTENDER), &today());
    assert_eq!(outcome, Ok(vec![]));
}

#[test]
fn a_retried_claim_opens_the_same_conflict() {
    let open = || given::<Opportunity>([claimed(HOLDER)]).when(claim(CONTENDER), &today());
    let retried = Context { command_id: crate::CommandId(Uuid::from_u128(99)), ..today() };
    let other = given::<Opportunity>([claimed(HOLDER)]).when(claim(CONTENDER), &retried);
    assert_eq!(open(), other);
}

#[test]
fn every_contender_has_a_conflict_of_its_own() {
    let mut state = folded(&contested());
    state = apply(state, claim(BYSTANDER));
    assert_eq!(state.conflicts.len(), 2);
}

#[test]
fn after_a_resolution_the_same_deals_can_come_into_a_new_conflict() {
    let mut state = folded(&contested());
    state = apply(state, resolve(CONTENDER));
    state = apply(state, claim(HOLDER));
    assert_eq!(state.conflicts.len(), 2);
    assert!(state.conflict_for(HOLDER).is_some_and(|(id, _)| id != conflict_id()));
}

#[test]
fn the_holder_is_protected_until_a_day() {
    let until = day("2026-05-30");
    let protect = OpportunityCommand::Protect { deal: HOLDER, until };
    let outcome = given::<Opportunity>([claimed(HOLDER)]).when(protect.clone(), &today());
    let protected = OpportunityEvent::Protected { deal: HOLDER, until };
    assert_eq!(outcome, Ok(vec![protected.clone()]));

    let again = given::<Opportunity>([claimed(HOLDER), protected]).when(protect, &today());
    assert_eq!(again, Ok(vec![]));
}

#[test]
fn a_protection_can_be_prolonged() {
    let first = OpportunityEvent::Protected { deal: HOLDER, until: day("2026-05-30") };
    let until = day("2026-07-30");
    let protect = OpportunityCommand::Protect { deal: HOLDER, until };
    let outcome = given::<Opportunity>([claimed(HOLDER), first]).when(protect, &today());
    assert_eq!(outcome, Ok(vec![OpportunityEvent::Protected { deal: HOLDER, until }]));
}

#[test]
fn only_the_holder_can_be_protected() {
    let protect = OpportunityCommand::Protect { deal: CONTENDER, until: day("2026-05-30") };
    let refusal = Err(OpportunityError::NotTheHolder { deal: CONTENDER });
    assert_eq!(given::<Opportunity>([claimed(HOLDER)]).when(protect.clone(), &today()), refusal);
    assert_eq!(given::<Opportunity>([]).when(protect, &today()), refusal);
}

#[test]
fn a_released_key_is_free_for_the_next_deal() {
    let release = OpportunityCommand::Release { deal: HOLDER };
    let released = OpportunityEvent::Released { deal: HOLDER };
    let outcome = given::<Opportunity>([claimed(HOLDER)]).when(release, &today());
    assert_eq!(outcome, Ok(vec![released.clone()]));

    let next = given::<Opportunity>([claimed(HOLDER), released]).when(claim(CONTENDER), &today());
    assert_eq!(next, Ok(vec![claimed(CONTENDER)]));
}

#[test]
fn releasing_what_another_deal_holds_changes_nothing() {
    let release = OpportunityCommand::Release { deal: CONTENDER };
    let outcome = given::<Opportunity>([claimed(HOLDER)]).when(release, &today());
    assert_eq!(outcome, Ok(vec![]));
}

#[test]
fn a_holder_that_ends_hands_the_key_to_the_contender_that_has_waited_longest() {
    let mut state = folded(&contested());
    state = apply(state, claim(BYSTANDER));
    let events = state.decide(release(HOLDER), &today()).unwrap();
    let (conflict, cause) = (conflict_id(), ConflictEnd::HolderEnded);
    let closed = OpportunityEvent::ConflictClosed { conflict, contender: CONTENDER, cause };
    assert_eq!(events, [OpportunityEvent::Released { deal: HOLDER }, closed]);
    state = events.iter().fold(state, Opportunity::evolve);
    assert!(state.is_held_by(CONTENDER));
    assert_eq!(state.decide(claim(CONTENDER), &today()), Ok(vec![]));

    state = apply(state, release(CONTENDER));
    assert!(state.is_held_by(BYSTANDER), "the next in line is the next one to have it");
}

#[test]
fn a_third_deal_does_not_come_between_a_holder_that_ends_and_its_contender() {
    let state = apply(folded(&contested()), release(HOLDER));
    let events = state.decide(claim(BYSTANDER), &today()).unwrap();
    let opened = |event: &OpportunityEvent| {
        matches!(event, OpportunityEvent::ConflictOpened { holder: CONTENDER, .. })
    };
    assert!(events.len() == 1 && opened(&events[0]), "{events:?}");
}

#[test]
fn a_contender_that_ends_closes_its_conflict() {
    let mut state = folded(&contested());
    let (conflict, cause) = (conflict_id(), ConflictEnd::ContenderEnded);
    let closed = OpportunityEvent::ConflictClosed { conflict, contender: CONTENDER, cause };
    assert_eq!(state.decide(release(CONTENDER), &today()), Ok(vec![closed]));
    state = apply(state, release(CONTENDER));
    assert!(state.is_held_by(HOLDER));
    assert_eq!(state.decide(resolve(CONTENDER), &today()), already_resolved());
    assert_eq!(state.decide(release(CONTENDER), &today()), Ok(vec![]));
}

#[test]
fn a_conflict_is_escalated_with_a_reason() {
    let outcome = given::<Opportunity>(contested()).when(escalate("director", "large"), &today());
    let expected = OpportunityEvent::ConflictEscalated {
        conflict: conflict_id(),
        to: "director".into(),
        reason: "large".into(),
    };
    assert_eq!(outcome, Ok(vec![expected]));
}

#[test]
fn escalating_to_the_same_instance_again_changes_nothing() {
    let state = apply(folded(&contested()), escalate("director", "large"));
    assert_eq!(state.decide(escalate("director", "still"), &today()), Ok(vec![]));
    assert_eq!(
        state.decide(escalate("board", "stuck"), &today()).map(|events| events.len()),
        Ok(1)
    );
}

#[test]
fn an_escalation_needs_a_recipient_and_a_reason() {
    let refusal = |to, reason| {
        given::<Opportunity>(contested()).when(escalate(to, reason), &today()).unwrap_err()
    };
    assert_eq!(refusal(" ", "large"), OpportunityError::EscalationWithoutRecipient);
    assert_eq!(refusal("director", " "), OpportunityError::ReasonMissing);
}

#[test]
fn a_conflict_that_does_not_exist_is_neither_escalated_nor_resolved() {
    let state = folded(&[claimed(HOLDER)]);
    let not_found = Err(OpportunityError::ConflictNotFound);
    assert_eq!(state.decide(escalate("director", "large"), &today()), not_found);
    assert_eq!(state.decide(resolve(HOLDER), &today()), not_found);
}

#[test]
fn a_resolved_conflict_is_neither_escalated_nor_resolved_again() {
    let state = apply(folded(&contested()), resolve(HOLDER));
    assert_eq!(state.decide(escalate("director", "large"), &today()), already_resolved());
    assert_eq!(state.decide(resolve(HOLDER), &today()), already_resolved());
}

#[test]
fn a_resolution_names_winner_loser_rule_and_resolver() {
    let outcome = given::<Opportunity>(contested()).when(resolve(CONTENDER), &today());
    let expected = OpportunityEvent::ConflictResolved {
        conflict: conflict_id(),
        winner: CONTENDER,
        loser: HOLDER,
        rule: rule(),
        reason: "visited the customer".into(),
        resolved_by: Subject("alice".into()),
    };
    assert_eq!(outcome, Ok(vec![expected]));
}

#[test]
fn a_holder_that_wins_keeps_the_key() {
    let state = apply(folded(&contested()), resolve(HOLDER));
    assert!(state.is_held_by(HOLDER));
    assert_eq!(state.conflict_for(CONTENDER), None);
}

#[test]
fn a_contender_that_wins_has_the_key_at_once() {
    let state = apply(folded(&contested()), resolve(CONTENDER));
    assert!(state.is_held_by(CONTENDER));
    assert_eq!(state.decide(claim(CONTENDER), &today()), Ok(vec![]));
}

#[test]
fn a_resolution_takes_nothing_from_a_third_deal() {
    let mut state = apply(folded(&contested()), claim(BYSTANDER));
    let (conflict, _) = state.conflict_for(BYSTANDER).unwrap();
    state = apply(state, release(HOLDER));
    let (rule, reason) = (rule(), "late".to_owned());
    let (winner, involved) = (BYSTANDER, vec![]);
    state = apply(state, OpportunityCommand::Resolve { conflict, winner, rule, reason, involved });
    assert!(state.is_held_by(CONTENDER));
}

#[test]
fn nobody_who_acts_for_a_partner_resolves_a_conflict() {
    let mut context = today();
    context.actor.acting_for = Some(partner_of(BYSTANDER));
    let outcome = given::<Opportunity>(contested()).when(resolve(HOLDER), &context);
    assert_eq!(outcome, Err(OpportunityError::ResolverNotNeutral));
}

#[test]
fn nobody_who_acted_on_one_of_the_deals_resolves_their_conflict() {
    let context = context(QUAZZAR, "2026-03-01", "carol");
    let outcome = given::<Opportunity>(contested()).when(resolve(HOLDER), &context);
    assert_eq!(outcome, Err(OpportunityError::ResolverNotNeutral));
}

#[test]
fn only_one_of_the_two_deals_can_win() {
    let outcome = given::<Opportunity>(contested()).when(resolve(BYSTANDER), &today());
    assert_eq!(outcome, Err(OpportunityError::WinnerNotInConflict));
}

#[test]
fn a_conflict_is_resolved_under_a_rule_of_the_rulebook_only() {
    let rule: ReasonCode = "coin-toss".parse().unwrap();
    let command = OpportunityCommand::Resolve {
        conflict: conflict_id(),
        winner: HOLDER,
        rule: rule.clone(),
        reason: "heads".into(),
        involved: vec![],
    };
    let outcome = given::<Opportunity>(contested()).when(command, &today());
    assert_eq!(outcome, Err(OpportunityError::UnknownConflictRule { rule }));
}

#[test]
fn a_resolution_needs_a_reason() {
    let command = OpportunityCommand::Resolve {
        conflict: conflict_id(),
        winner: HOLDER,
        rule: rule(),
        reason: " ".into(),
        involved: vec![],
    };
    let outcome = given::<Opportunity>(contested()).when(command, &today());
    assert_eq!(outcome, Err(OpportunityError::ReasonMissing));
}

#[test]
fn texts_about_a_conflict_are_bounded() {
    let long = "x".repeat(4_001);
    let mut resolution = resolve(HOLDER);
    if let OpportunityCommand::Resolve { reason, .. } = &mut resolution {
        reason.clone_from(&long);
    }
    for command in [escalate("director", &long), escalate(&long, "both insist"), resolution] {
        let outcome = given::<Opportunity>(contested()).when(command, &today());
        assert!(matches!(outcome, Err(OpportunityError::InvalidField { .. })), "{outcome:?}");
    }
}

#[test]
fn an_opportunity_belongs_to_no_partner() {
    assert_eq!(folded(&[claimed(HOLDER)]).partner(), None);
}

/// A step of a random history: which kind, which deal, which of the conflicts.
fn steps() -> impl Strategy<Value = Vec<(u8, u128, usize)>> {
    prop::collection::vec((0..4u8, 0..4u128, 0..4usize), 1..60)
}

fn command_of(
    state: &Opportunity,
    (kind, deal, conflict): (u8, u128, usize),
) -> OpportunityCommand {
    let deal = DealId(Uuid::from_u128(deal));
    let nth = state.conflicts.iter().nth(conflict);
    match (kind, nth) {
        (0, _) => claim(deal),
        (1, _) => OpportunityCommand::Protect { deal, until: day("2026-05-30") },
        (2, Some((id, conflict))) => OpportunityCommand::Resolve {
            conflict: *id,
            winner: if deal.0.as_u128() < 2 { conflict.holder } else { conflict.contender },
            rule: rule(),
            reason: "fair".into(),
            involved: vec![],
        },
        _ => OpportunityCommand::Release { deal },
    }
}

proptest! {
    #[test]
    fn the_holder_changes_by_release_or_resolution_only(steps in steps()) {
        let context = today();
        let mut state = Opportunity::default();
        let mut holder = None;
        for step in steps {
            let Ok(events) = state.decide(command_of(&state, step), &context) else { continue };
            for event in &events {
                // A model of its own: who may hold the key after each event.
                match event {
                    OpportunityEvent::Claimed { deal, .. } => {
                        prop_assert_eq!(holder, None, "claimed while held");
                        holder = Some(*deal);
                    }
                    OpportunityEvent::Released { deal } => {
                        prop_assert_eq!(holder, Some(*deal), "released by another deal");
                        holder = None;
                    }
                    OpportunityEvent::ConflictResolved { conflict, winner, loser, .. } => {
                        holder = holder.filter(|deal| deal != loser);
                        if state.conflicts[conflict].contender == *winner {
                            holder = holder.or(Some(*winner));
                        }
                    }
                    OpportunityEvent::ConflictClosed { contender, cause, .. }
                        if *cause == ConflictEnd::HolderEnded =>
                    {
                        prop_assert_eq!(holder, None, "handed on while held");
                        holder = Some(*contender);
                    }
                    _ => {}
                }
                state = state.evolve(event);
                prop_assert_eq!(state.holder.as_ref().map(|holder| holder.deal), holder);
            }
        }
    }

    #[test]
    fn a_deal_has_one_open_conflict_at_most(steps in steps()) {
        let context = today();
        let mut state = Opportunity::default();
        for step in steps {
            let events = state.decide(command_of(&state, step), &context).unwrap_or_default();
            state = events.iter().fold(state, Opportunity::evolve);
            let open = state.conflicts.values().filter(|conflict| !conflict.resolved);
            let mut contenders: Vec<DealId> = open.map(|conflict| conflict.contender).collect();
            let count = contenders.len();
            contenders.sort_unstable();
            contenders.dedup();
            prop_assert_eq!(contenders.len(), count);
        }
    }
}

fn today() -> Context {
    context(QUAZZAR, "2026-03-01", "alice")
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn rule() -> ReasonCode {
    today().rules.deals.conflict_rules[0].clone()
}

/// Every deal is of a partner of its own.
fn partner_of(deal: DealId) -> PartnerId {
    PartnerId(Uuid::from_u128(deal.0.as_u128() + 0x1000))
}

fn claim(deal: DealId) -> OpportunityCommand {
    OpportunityCommand::Claim { deal, partner: partner_of(deal) }
}

fn claimed(deal: DealId) -> OpportunityEvent {
    let claimed_on = day("2026-03-01");
    OpportunityEvent::Claimed { deal, partner: partner_of(deal), claimed_on }
}

fn escalate(to: &str, reason: &str) -> OpportunityCommand {
    let (to, reason) = (to.to_owned(), reason.to_owned());
    OpportunityCommand::Escalate { conflict: conflict_id(), to, reason }
}

fn resolve(winner: DealId) -> OpportunityCommand {
    OpportunityCommand::Resolve {
        conflict: conflict_id(),
        winner,
        rule: rule(),
        reason: "visited the customer".into(),
        involved: vec![Subject("bob".into()), Subject("carol".into())],
    }
}

fn release(deal: DealId) -> OpportunityCommand {
    OpportunityCommand::Release { deal }
}

fn already_resolved<T>() -> Result<T, OpportunityError> {
    Err(OpportunityError::ConflictAlreadyResolved)
}

/// Claimed by the holder, then contested by the contender.
fn contested() -> Vec<OpportunityEvent> {
    let mut events = vec![claimed(HOLDER)];
    events.extend(folded(&events).decide(claim(CONTENDER), &today()).unwrap());
    events
}

fn conflict_id() -> ConflictId {
    *folded(&contested()).conflicts.keys().next().unwrap()
}

fn folded(events: &[OpportunityEvent]) -> Opportunity {
    events.iter().fold(Opportunity::default(), Opportunity::evolve)
}

fn apply(state: Opportunity, command: OpportunityCommand) -> Opportunity {
    let events = state.decide(command, &today()).unwrap();
    events.iter().fold(state, Opportunity::evolve)
}
