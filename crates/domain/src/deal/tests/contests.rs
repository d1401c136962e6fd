//! Claims confirmed and contested, conflicts won and lost.

use super::*;

#[test]
fn with_all_keys_claimed_a_deal_waits_for_its_review() {
    let outcome = given::<Deal>(submitted()).when(DealCommand::ConfirmClaim {}, &at(TODAY));
    assert_eq!(outcome, Ok(vec![DealEvent::ReviewStarted {}]));
}

#[test]
fn where_validation_is_automatic_a_claimed_deal_is_protected_at_once() {
    let context = context(QUAZZAR, TODAY, "alice");
    let outcome = given::<Deal>(submitted()).when(DealCommand::ConfirmClaim {}, &context);
    let rules = &context.rules.deals;
    let protected = DealEvent::Protected {
        from: day(TODAY),
        until: day(TODAY).plus_days(rules.protection_days),
        activity_due: day(TODAY).plus_days(rules.activity_interval_days),
    };
    assert_eq!(outcome, Ok(vec![DealEvent::ReviewStarted {}, protected]));
}

#[test]
fn a_deal_whose_key_is_taken_is_contested() {
    let earliest_free_day = day("2026-06-01");
    let (conflict, opportunity) = (CONFLICT, OPPORTUNITY);
    let command = DealCommand::Contest { conflict, opportunity, earliest_free_day };
    let outcome = given::<Deal>(submitted()).when(command, &at(TODAY));
    let expected = DealEvent::Contested { conflict, opportunity, earliest_free_day };
    assert_eq!(outcome, Ok(vec![expected]));
}

#[test]
fn a_contested_deal_is_not_contested_again_by_another_conflict() {
    let command = DealCommand::Contest {
        conflict: OTHER_CONFLICT,
        opportunity: OPPORTUNITY,
        earliest_free_day: day("2026-06-01"),
    };
    let outcome = given::<Deal>(contested()).when(command, &at(TODAY));
    let status = DealStatus::Contested;
    assert_eq!(outcome, Err(DealError::DealWrongStatus { status }));
}

#[test]
fn the_winner_of_a_conflict_is_submitted_anew_with_the_same_keys_and_registrant() {
    let win = DealCommand::WinConflict { conflict: CONFLICT };
    let outcome = given::<Deal>(contested()).when(win, &at("2026-03-09")).unwrap();
    let DealEvent::Submitted { opportunities, .. } = submitted_event() else { unreachable!() };
    let expected = DealEvent::Submitted {
        submitted_on: day("2026-03-09"),
        submitted_by: Subject("bob".into()),
        opportunities,
    };
    assert_eq!(outcome, std::slice::from_ref(&expected));
    let again = given::<Deal>([contested(), vec![expected]].concat()).0;
    assert_eq!((again.status, again.case.unwrap().conflict), (DealStatus::Submitted, None));
}

#[test]
fn winning_a_conflict_that_the_deal_is_not_in_changes_nothing() {
    let win = DealCommand::WinConflict { conflict: OTHER_CONFLICT };
    assert_eq!(given::<Deal>(contested()).when(win, &at(TODAY)), Ok(vec![]));
}

#[test]
fn the_contender_that_loses_is_rejected_by_the_rule() {
    let outcome = given::<Deal>(contested()).when(lose(CONFLICT), &at(TODAY)).unwrap();
    let [DealEvent::Rejected { reason, note }] = outcome.as_slice() else { panic!("{outcome:?}") };
    assert_eq!(*reason, code("first-registered"));
    assert!(note.contains(&CONFLICT.to_string()), "{note}");
}

#[test]
fn a_holder_that_loses_is_revoked() {
    for events in [in_review(), protected()] {
        let outcome = given::<Deal>(events).when(lose(CONFLICT), &at(TODAY)).unwrap();
        assert!(matches!(outcome.as_slice(), [DealEvent::Revoked { .. }]), "{outcome:?}");
    }
}

#[test]
fn a_deal_contested_elsewhere_that_loses_a_key_it_had_is_revoked() {
    let outcome = given::<Deal>(contested()).when(lose(OTHER_CONFLICT), &at(TODAY)).unwrap();
    assert!(matches!(outcome.as_slice(), [DealEvent::Revoked { .. }]), "{outcome:?}");
}

fn lose(conflict: ConflictId) -> DealCommand {
    DealCommand::LoseConflict { conflict, rule: code("first-registered") }
}
