//! Validation by a person, and withdrawal.

use super::*;

#[test]
fn a_question_and_its_answer_lead_back_to_the_review() {
    let ask = DealCommand::RequestInformation { question: "Which budget?".into() };
    let asked = given::<Deal>(in_review()).when(ask, &at(TODAY)).unwrap();
    assert_eq!(asked, [DealEvent::InformationRequested { question: "Which budget?".into() }]);

    let answer = DealCommand::ProvideInformation { answer: "10,000".into(), standing: standing() };
    let events = [in_review(), asked].concat();
    let answered = given::<Deal>(events.clone()).when(answer, &at(TODAY)).unwrap();
    assert_eq!(answered, [DealEvent::InformationProvided { answer: "10,000".into() }]);
    assert_eq!(given::<Deal>([events, answered].concat()).0.status, DealStatus::InReview);
}

#[test]
fn a_question_or_an_answer_is_not_blank_and_not_endless() {
    let asked = DealEvent::InformationRequested { question: "Which budget?".into() };
    for text in [" ".to_owned(), "x".repeat(4001)] {
        let ask = DealCommand::RequestInformation { question: text.clone() };
        let answer = DealCommand::ProvideInformation { answer: text, standing: standing() };
        let outcome = given::<Deal>(in_review()).when(ask, &at(TODAY));
        assert!(is_invalid(&outcome, "question"), "{outcome:?}");
        let waiting = [in_review(), vec![asked.clone()]].concat();
        let outcome = given::<Deal>(waiting).when(answer, &at(TODAY));
        assert!(is_invalid(&outcome, "answer"), "{outcome:?}");
    }
}

#[test]
fn an_approved_deal_is_protected_from_today_for_the_rulebooks_days() {
    let context = at("2026-03-05");
    let outcome = given::<Deal>(in_review()).when(DealCommand::Approve {}, &context);
    let rules = &context.rules.deals;
    let expected = DealEvent::Protected {
        from: day("2026-03-05"),
        until: day("2026-03-05").plus_days(rules.protection_days),
        activity_due: day("2026-03-05").plus_days(rules.activity_interval_days),
    };
    assert_eq!(outcome, Ok(vec![expected]));
}

#[test]
fn nobody_approves_a_deal_that_they_submitted() {
    let bob = context(ZEXTRAS, TODAY, "bob");
    let outcome = given::<Deal>(in_review()).when(DealCommand::Approve {}, &bob);
    assert_eq!(outcome, Err(DealError::ApproverIsRegistrant));
}

#[test]
fn a_rejection_names_a_reason_of_the_rulebook() {
    let DealCommand::Reject { reason, .. } = reject() else { unreachable!() };
    let note = "A subsidiary of a customer".to_owned();
    let command = DealCommand::Reject { reason: reason.clone(), note: note.clone() };
    let outcome = given::<Deal>(in_review()).when(command, &at(TODAY));
    assert_eq!(outcome, Ok(vec![DealEvent::Rejected { reason, note }]));

    let reason = code("bad-weather");
    let command = DealCommand::Reject { reason: reason.clone(), note: String::new() };
    let outcome = given::<Deal>(in_review()).when(command, &at(TODAY));
    assert_eq!(outcome, Err(DealError::UnknownRejectionReason { reason }));
}

#[test]
fn a_note_is_not_endless() {
    let DealCommand::Reject { reason, .. } = reject() else { unreachable!() };
    let command = DealCommand::Reject { reason, note: "x".repeat(4001) };
    let outcome = given::<Deal>(in_review()).when(command, &at(TODAY));
    assert!(is_invalid(&outcome, "note"), "{outcome:?}");
}

#[test]
fn a_withdrawal_needs_a_reason() {
    let withdraw = |reason: &str| {
        let command = DealCommand::Withdraw { reason: reason.into() };
        given::<Deal>(in_review()).when(command, &at(TODAY))
    };
    assert_eq!(withdraw(""), Err(DealError::ReasonMissing));
    let expected = DealEvent::Withdrawn { reason: "Customer stopped".into() };
    assert_eq!(withdraw("Customer stopped"), Ok(vec![expected]));
}

fn is_invalid(outcome: &Result<Vec<DealEvent>, DealError>, name: &str) -> bool {
    matches!(outcome, Err(DealError::InvalidField { field, .. }) if field == name)
}
