//! Restricting, suspending, reinstating and terminating a partner.

use super::*;

#[test]
fn benefits_of_the_current_levels_are_withheld() {
    let outcome = when(silver(), restrict(&["deal-registration"]), &quazzar());
    assert_eq!(outcome, Ok(vec![restricted(&["deal-registration"])]));
    let benefit = "account-manager".parse().unwrap();
    let outcome = when(silver(), restrict(&["account-manager"]), &quazzar());
    assert_eq!(outcome, Err(PartnerError::UnknownBenefit { benefit }));
}

#[test]
fn a_restriction_replaces_the_one_before() {
    let past = and(silver(), [restricted(&["deal-registration"])]);
    let outcome = when(past.clone(), restrict(&["partner-portal"]), &quazzar());
    assert_eq!(outcome, Ok(vec![restricted(&["partner-portal"])]));
    let state = given::<Partner>(and(past.clone(), [restricted(&["partner-portal"])])).0;
    assert_eq!(state.withheld_benefits, set(&["partner-portal"]));

    let same = when(past, restrict(&["deal-registration"]), &quazzar());
    assert_eq!(same, Ok(vec![]));
}

#[test]
fn a_restriction_withholds_something() {
    let outcome = when(silver(), restrict(&[]), &quazzar());
    assert!(matches!(
        outcome,
        Err(PartnerError::InvalidField { field, .. }) if field == "benefits"
    ));
}

#[test]
fn a_lifted_restriction_gives_everything_back() {
    let past = and(silver(), [restricted(&["deal-registration"])]);
    let lifted = PartnerEvent::RestrictionLifted { reason: why() };
    assert_eq!(when(past.clone(), lift(&why()), &quazzar()), Ok(vec![lifted.clone()]));
    let state = given::<Partner>(and(past, [lifted])).0;
    assert_eq!((state.status, state.withheld_benefits), (PartnerStatus::Active, BTreeSet::new()));
}

#[test]
fn a_reinstated_partner_is_what_it_was_before_its_suspension() {
    let restriction = restricted(&["deal-registration"]);
    for (past, status) in [
        (silver(), PartnerStatus::Active),
        (and(silver(), [restriction]), PartnerStatus::Restricted),
    ] {
        assert_eq!(when(past.clone(), suspend(&why()), &quazzar()), Ok(vec![suspended()]));
        let past = and(past, [suspended()]);
        assert_eq!(given::<Partner>(past.clone()).0.status, PartnerStatus::Suspended);

        let reinstated = PartnerEvent::Reinstated { reason: why() };
        let outcome = when(past.clone(), reinstate(&why()), &quazzar());
        assert_eq!(outcome, Ok(vec![reinstated.clone()]));
        assert_eq!(given::<Partner>(and(past, [reinstated])).0.status, status);
    }
}

#[test]
fn every_member_can_be_terminated() {
    for past in [
        silver(),
        and(silver(), [restricted(&["deal-registration"])]),
        and(silver(), [suspended()]),
    ] {
        assert_eq!(when(past, terminate(&why()), &quazzar()), Ok(vec![terminated()]));
    }
}

#[test]
fn termination_is_final() {
    let past = and(silver(), [terminated()]);
    let status = PartnerStatus::Terminated;
    for command in [reinstate(&why()), suspend(&why()), lift(&why()), restrict(&[])] {
        let outcome = when(past.clone(), command, &quazzar());
        assert_eq!(outcome, Err(PartnerError::WrongStatus { status }));
    }
}

#[test]
fn a_status_that_already_holds_is_not_recorded_again() {
    for (past, command) in [
        (silver(), lift(&why())),
        (silver(), reinstate(&why())),
        (and(silver(), [suspended()]), suspend(&why())),
        (and(silver(), [terminated()]), terminate(&why())),
    ] {
        assert_eq!(when(past, command, &quazzar()), Ok(vec![]));
    }
}

#[test]
fn a_status_changes_for_a_reason() {
    let mut silent_restriction = restrict(&["deal-registration"]);
    if let PartnerCommand::Restrict { reason, .. } = &mut silent_restriction {
        reason.clear();
    }
    for (past, command) in [
        (silver(), silent_restriction),
        (and(silver(), [restricted(&["deal-registration"])]), lift("")),
        (silver(), suspend(" ")),
        (and(silver(), [suspended()]), reinstate("\t")),
        (silver(), terminate("")),
    ] {
        assert_eq!(when(past, command, &quazzar()), Err(PartnerError::ReasonMissing));
    }
}

#[test]
fn a_transition_plan_is_recorded_for_who_is_suspended_or_terminated() {
    let recorded = PartnerEvent::TransitionPlanRecorded { plan: "the vendor answers".to_owned() };
    for end in [suspended(), terminated()] {
        let past = and(silver(), [end]);
        let outcome = when(past.clone(), plan("the vendor answers"), &quazzar());
        assert_eq!(outcome, Ok(vec![recorded.clone()]));
        let empty = when(past, plan(" "), &quazzar());
        assert!(matches!(empty, Err(PartnerError::InvalidField { field, .. }) if field == "plan"));
    }
    let outcome = when(silver(), plan("the vendor answers"), &quazzar());
    assert_eq!(outcome, Err(PartnerError::WrongStatus { status: PartnerStatus::Active }));
}

#[test]
fn the_standing_shows_what_other_decisions_need() {
    let id = PartnerId(Uuid::from_u128(1));
    let past = and(silver(), [restricted(&["deal-registration"])]);
    let standing = given::<Partner>(past).0.standing(id);
    let expected = PartnerStanding {
        partner: id,
        status: PartnerStatus::Restricted,
        tracks: [(track(), Some(level("silver")))].into(),
        scope: BTreeSet::new(),
        withheld_benefits: set(&["deal-registration"]),
        discount_adjustment: None,
    };
    assert_eq!(standing, expected);
}

fn restrict(benefits: &[&str]) -> PartnerCommand {
    PartnerCommand::Restrict { benefits: set(benefits), reason: why() }
}

fn lift(reason: &str) -> PartnerCommand {
    PartnerCommand::LiftRestriction { reason: reason.to_owned() }
}

fn suspend(reason: &str) -> PartnerCommand {
    PartnerCommand::Suspend { reason: reason.to_owned() }
}

fn reinstate(reason: &str) -> PartnerCommand {
    PartnerCommand::Reinstate { reason: reason.to_owned() }
}

fn terminate(reason: &str) -> PartnerCommand {
    PartnerCommand::Terminate { reason: reason.to_owned() }
}

fn plan(text: &str) -> PartnerCommand {
    PartnerCommand::RecordTransitionPlan { plan: text.to_owned() }
}
