//! Memorandum of understanding, evaluation, approval and agreement.

use super::*;
use crate::CriterionId;

#[test]
fn an_mou_makes_a_prospect_and_opens_resources() {
    let command = sign_mou("2026-02-01", "2026-05-01", &["training"]);
    assert_eq!(when([], command, &zextras()), Ok(vec![mou_signed()]));
    assert_eq!(given::<Partner>([mou_signed()]).0.status, PartnerStatus::Prospect);
}

#[test]
fn an_mou_is_signed_where_the_program_has_one() {
    let command = sign_mou("2026-02-01", "2026-05-01", &["training"]);
    assert_eq!(when([], command, &quazzar()), Err(PartnerError::MouNotOffered));
}

#[test]
fn an_mou_opens_only_what_the_rulebook_lists() {
    let command = sign_mou("2026-02-01", "2026-05-01", &["training", "source-code"]);
    let resource = "source-code".parse().unwrap();
    assert_eq!(when([], command, &zextras()), Err(PartnerError::ResourceNotInMou { resource }));
}

#[test]
fn an_mou_runs_no_longer_than_the_rulebook_allows() {
    let days_max = zextras().rules.entry.mou.as_ref().unwrap().days_max;
    let last_day = day("2026-02-01").plus_days(days_max);
    let longest = sign_mou("2026-02-01", &last_day.to_string(), &[]);
    assert!(when([], longest, &zextras()).is_ok());
    let longer = sign_mou("2026-02-01", &last_day.plus_days(1).to_string(), &[]);
    assert_eq!(when([], longer, &zextras()), Err(PartnerError::MouTooLong { days_max }));
}

#[test]
fn an_mou_ends_after_it_is_signed() {
    let from = day("2026-02-01");
    let command = sign_mou("2026-02-01", "2026-02-01", &[]);
    let refusal = PartnerError::EndNotAfterStart { from, until: from };
    assert_eq!(when([], command, &zextras()), Err(refusal));
}

#[test]
fn nothing_is_signed_in_the_future() {
    let (tomorrow, today) = (day("2026-03-02"), day("2026-03-01"));
    let refusal = || Err(PartnerError::DateInFuture { day: tomorrow, today });
    let mou = sign_mou("2026-03-02", "2026-05-01", &[]);
    assert_eq!(when([], mou, &zextras()), refusal());
    let agreement = sign_agreement(|terms| terms.0 = tomorrow);
    assert_eq!(when(approved(), agreement, &zextras()), refusal());
}

#[test]
fn an_mou_is_signed_with_a_usable_company() {
    let mut command = sign_mou("2026-02-01", "2026-05-01", &[]);
    if let PartnerCommand::SignMou { company, .. } = &mut command {
        company.domain = Some("nowhere".to_owned());
    }
    let outcome = when([], command, &zextras());
    assert!(matches!(
        outcome,
        Err(PartnerError::InvalidField { field, .. }) if field == "company.domain"
    ));
}

#[test]
fn an_application_is_evaluated_by_the_rulebooks_criteria() {
    let outcome = when([applied()], evaluate("readiness"), &zextras());
    assert_eq!(outcome, Ok(vec![evaluated("readiness", true)]));
    let criterion = "charm".parse().unwrap();
    let outcome = when([applied()], evaluate("charm"), &zextras());
    assert_eq!(outcome, Err(PartnerError::UnknownCriterion { criterion }));
}

#[test]
fn an_application_is_approved_once_everything_is_evaluated_even_badly() {
    let mut past = and(vec![applied()], all_evaluated(false));
    let outcome = when(past.clone(), PartnerCommand::Approve {}, &zextras());
    assert_eq!(outcome, Ok(vec![PartnerEvent::Approved {}]));

    past.pop();
    let missing: Vec<CriterionId> = vec!["readiness".parse().unwrap()];
    let outcome = when(past, PartnerCommand::Approve {}, &zextras());
    assert_eq!(outcome, Err(PartnerError::EvaluationIncomplete { missing }));
}

#[test]
fn answering_an_application_twice_changes_nothing() {
    let declined = PartnerEvent::Declined { reason: why() };
    let withdrew = PartnerEvent::Withdrew { reason: why() };
    for (past, command) in [
        (approved(), PartnerCommand::Approve {}),
        (vec![applied(), declined], PartnerCommand::Decline { reason: why() }),
        (vec![applied(), withdrew], PartnerCommand::Withdraw { reason: why() }),
    ] {
        assert_eq!(when(past, command, &zextras()), Ok(vec![]));
    }
}

#[test]
fn an_application_is_declined_or_withdrawn_with_a_reason() {
    let decline = |reason: &str| PartnerCommand::Decline { reason: reason.to_owned() };
    let withdraw = |reason: &str| PartnerCommand::Withdraw { reason: reason.to_owned() };
    let outcome = when([applied()], decline(&why()), &zextras());
    assert_eq!(outcome, Ok(vec![PartnerEvent::Declined { reason: why() }]));
    for past in [vec![applied()], approved()] {
        let outcome = when(past, withdraw(&why()), &zextras());
        assert_eq!(outcome, Ok(vec![PartnerEvent::Withdrew { reason: why() }]));
    }
    for command in [decline(" "), withdraw("")] {
        let outcome = when([applied()], command, &zextras());
        assert_eq!(outcome, Err(PartnerError::ReasonMissing));
    }
}

#[test]
fn the_signature_makes_an_active_partner_for_the_usual_term() {
    let outcome = when(approved(), sign_agreement(|_| ()), &zextras());
    assert_eq!(outcome, Ok(vec![agreement_signed()]));
    let state = given::<Partner>(signed()).0;
    assert_eq!((state.status, state.tracks), (PartnerStatus::Active, [(track(), None)].into()));
}

#[test]
fn another_term_can_be_agreed() {
    let outcome = when(approved(), sign_agreement(|terms| terms.1 = Some(6)), &zextras());
    let mut expected = agreement_signed();
    if let PartnerEvent::AgreementSigned { ends_on, .. } = &mut expected {
        *ends_on = day("2026-08-15");
    }
    assert_eq!(outcome, Ok(vec![expected]));
    for months in [0, 1201, u32::MAX] {
        let outcome = when(approved(), sign_agreement(|terms| terms.1 = Some(months)), &zextras());
        assert!(matches!(
            outcome,
            Err(PartnerError::InvalidField { field, .. }) if field == "term_months"
        ));
    }
}

#[test]
fn scope_annexes_and_deviations_are_signed() {
    let command = PartnerCommand::SignAgreement {
        signed_on: day("2026-02-15"),
        term_months: None,
        scope: set(&["DE", "AT"]),
        annexes: set(&["licensing"]),
        deviations: vec!["monthly instead of yearly payment".to_owned()],
    };
    let mut expected = agreement_signed();
    if let PartnerEvent::AgreementSigned { scope, annexes, deviations, .. } = &mut expected {
        (*scope, *annexes) = (set(&["DE", "AT"]), set(&["licensing"]));
        deviations.push("monthly instead of yearly payment".to_owned());
    }
    assert_eq!(when(approved(), command, &zextras()), Ok(vec![expected.clone()]));
    let state = given::<Partner>(and(approved(), [expected])).0;
    assert_eq!(state.scope, set(&["DE", "AT"]));
}

#[test]
fn an_agreement_carries_known_annexes_only() {
    let outcome =
        when(approved(), sign_agreement(|terms| terms.2 = set(&["espionage"])), &zextras());
    let annex = "espionage".parse().unwrap();
    assert_eq!(outcome, Err(PartnerError::UnknownAnnex { annex }));
}

#[test]
fn a_deviation_says_something() {
    let command = sign_agreement(|terms| terms.3 = vec!["a".to_owned(), " ".to_owned()]);
    let outcome = when(approved(), command, &zextras());
    assert!(matches!(
        outcome,
        Err(PartnerError::InvalidField { field, .. }) if field == "deviations[1]"
    ));
}

#[test]
fn the_signature_gives_an_automatic_entry_level() {
    let context = varied(zextras(), |rules| {
        rules.tracks[0].levels[0].decision = DecisionMode::Automatic;
    });
    let entry_level =
        level_changed((track(), None, Some("silver")), LevelCause::Entry, "entry level");
    let outcome = when(approved(), sign_agreement(|_| ()), &context);
    assert_eq!(outcome, Ok(vec![agreement_signed(), entry_level]));
}

#[test]
fn a_program_that_dropped_its_agreement_signs_none() {
    let outcome = when(approved(), sign_agreement(|_| ()), &quazzar());
    assert_eq!(outcome, Err(PartnerError::NoAgreement));
}

#[test]
fn an_agreement_is_renewed_to_a_later_day() {
    let renew = |until| PartnerCommand::RenewAgreement { until };
    let PartnerEvent::AgreementSigned { ends_on, .. } = agreement_signed() else { panic!() };
    let later = ends_on.plus_days(1);
    let renewed = PartnerEvent::AgreementRenewed { ends_on: later };
    assert_eq!(when(signed(), renew(later), &zextras()), Ok(vec![renewed.clone()]));
    let again = when(and(signed(), [renewed]), renew(later), &zextras());
    assert_eq!(again, Ok(vec![]));

    let earlier = ends_on.minus_days(1);
    let refusal = PartnerError::EndNotAfterStart { from: ends_on, until: earlier };
    assert_eq!(when(signed(), renew(earlier), &zextras()), Err(refusal));
}

#[test]
fn an_agreement_is_signed_within_memory_and_renewed_for_a_century_at_most() {
    let (old, earliest) = (day("1976-02-29"), day("1976-03-01"));
    let command = sign_agreement(|terms| terms.0 = old);
    let outcome = when(approved(), command, &zextras());
    assert_eq!(outcome, Err(PartnerError::DateTooOld { day: old, earliest }));
    let (until, latest) = (day("9999-12-31"), day("2126-03-01"));
    let outcome = when(signed(), PartnerCommand::RenewAgreement { until }, &zextras());
    assert_eq!(outcome, Err(PartnerError::DateTooFar { day: until, latest }));
}

#[test]
fn without_an_agreement_there_is_none_to_renew() {
    let command = PartnerCommand::RenewAgreement { until: day("2030-01-01") };
    assert_eq!(when(silver(), command, &quazzar()), Err(PartnerError::NoAgreement));
}

fn sign_mou(signed_on: &str, until: &str, resources: &[&str]) -> PartnerCommand {
    PartnerCommand::SignMou {
        company: company(),
        signed_on: day(signed_on),
        until: day(until),
        resources: set(resources),
    }
}

fn evaluate(criterion: &str) -> PartnerCommand {
    let criterion = criterion.parse().unwrap();
    PartnerCommand::RecordEvaluation { criterion, met: true, note: "seen".to_owned() }
}

/// Day of signature, term, annexes and deviations of the sample, to be varied.
type Terms = (Day, Option<u32>, BTreeSet<DocumentId>, Vec<String>);

fn sign_agreement(vary: impl FnOnce(&mut Terms)) -> PartnerCommand {
    let mut terms = (day("2026-02-15"), None, BTreeSet::new(), Vec::new());
    vary(&mut terms);
    let (signed_on, term_months, annexes, deviations) = terms;
    let scope = BTreeSet::new();
    PartnerCommand::SignAgreement { signed_on, term_months, scope, annexes, deviations }
}
