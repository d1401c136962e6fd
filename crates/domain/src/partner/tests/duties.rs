//! Documents, duties, targets, discounts and references.

use super::*;
use crate::rulebook::{Obligation, ObligationCadence};
use crate::{Currency, ObligationId};

#[test]
fn a_document_is_acknowledged_once() {
    let acknowledged = PartnerEvent::DocumentAcknowledged {
        document: "code-of-conduct".parse().unwrap(),
        on: day("2026-03-01"),
    };
    let outcome = when(signed(), acknowledge("code-of-conduct"), &zextras());
    assert_eq!(outcome, Ok(vec![acknowledged.clone()]));
    let again = when(and(signed(), [acknowledged]), acknowledge("code-of-conduct"), &zextras());
    assert_eq!(again, Ok(vec![]));
}

#[test]
fn only_the_rulebooks_documents_are_acknowledged() {
    let outcome = when(signed(), acknowledge("horoscope"), &zextras());
    let document = "horoscope".parse().unwrap();
    assert_eq!(outcome, Err(PartnerError::UnknownDocument { document }));
}

#[test]
fn an_obligation_is_fulfilled_on_a_day() {
    let outcome = when(silver(), fulfil("2026-03-01"), &obliging());
    let fulfilled = PartnerEvent::ObligationFulfilled {
        obligation: progress_review(),
        on: day("2026-03-01"),
        note: "met".to_owned(),
    };
    assert_eq!(outcome, Ok(vec![fulfilled]));
}

#[test]
fn no_obligation_is_fulfilled_in_the_future() {
    let refusal = PartnerError::DateInFuture { day: day("2026-03-02"), today: day("2026-03-01") };
    assert_eq!(when(silver(), fulfil("2026-03-02"), &obliging()), Err(refusal));
}

#[test]
fn only_the_rulebooks_obligations_are_fulfilled() {
    let context = varied(quazzar(), |rules| rules.obligations.clear());
    let outcome = when(silver(), fulfil("2026-03-01"), &context);
    let obligation = progress_review();
    assert_eq!(outcome, Err(PartnerError::UnknownObligation { obligation }));
}

#[test]
fn a_target_is_agreed_once_per_period() {
    assert_eq!(when(silver(), agree(eur(10_000)), &quazzar()), Ok(vec![agreed()]));
    let outcome = when(and(silver(), [agreed()]), agree(eur(20_000)), &quazzar());
    let period_from = day("2026-01-01");
    assert_eq!(outcome, Err(PartnerError::TargetAlreadyAgreed { period_from }));
}

#[test]
fn a_targets_period_has_an_end_after_its_start() {
    let from = day("2026-01-01");
    let (period_from, period_to) = (from, from);
    let command = PartnerCommand::AgreeTarget { period_from, period_to, amount: eur(10_000) };
    let refusal = PartnerError::EndNotAfterStart { from, until: from };
    assert_eq!(when(silver(), command, &quazzar()), Err(refusal));
}

#[test]
fn a_targets_period_lies_within_ten_years_of_today() {
    let agree = |from: &str, to: &str| PartnerCommand::AgreeTarget {
        period_from: day(from),
        period_to: day(to),
        amount: eur(1),
    };
    let (far, latest) = (day("2036-03-02"), day("2036-03-01"));
    let outcome = when(signed(), agree("2026-01-01", "2036-03-02"), &zextras());
    assert_eq!(outcome, Err(PartnerError::DateTooFar { day: far, latest }));
    let (old, earliest) = (day("2016-02-29"), day("2016-03-01"));
    let outcome = when(signed(), agree("2016-02-29", "2026-12-31"), &zextras());
    assert_eq!(outcome, Err(PartnerError::DateTooOld { day: old, earliest }));
}

#[test]
fn a_target_is_a_positive_amount_in_a_currency_of_the_program() {
    for (amount, expected) in [
        (eur(0), "amount.minor"),
        (eur(-1), "amount.minor"),
        (Money::new(10_000, Currency::JPY), "amount.currency"),
    ] {
        let outcome = when(silver(), agree(amount), &quazzar());
        assert!(matches!(
            outcome,
            Err(PartnerError::InvalidField { field, .. }) if field == expected
        ));
    }
}

#[test]
fn a_missed_target_is_recorded_and_changes_nothing_else() {
    for (achieved, met) in [(10_000, true), (9_999, false)] {
        let past = and(silver(), [agreed()]);
        let assessed = PartnerEvent::TargetAssessed {
            period_from: day("2026-01-01"),
            achieved: eur(achieved),
            met,
            discussion: "next year".to_owned(),
        };
        let outcome = when(past.clone(), assess(eur(achieved)), &quazzar());
        assert_eq!(outcome, Ok(vec![assessed.clone()]));
        let before = given::<Partner>(past.clone()).0;
        assert_eq!(given::<Partner>(and(past, [assessed])).0, before);
    }
}

#[test]
fn only_an_agreed_target_is_assessed() {
    let outcome = when(silver(), assess(eur(10_000)), &quazzar());
    let period_from = day("2026-01-01");
    assert_eq!(outcome, Err(PartnerError::TargetNotFound { period_from }));
}

#[test]
fn a_target_is_assessed_in_its_own_currency() {
    let achieved = Money::new(10_000, Currency::USD);
    let outcome = when(and(silver(), [agreed()]), assess(achieved), &quazzar());
    assert_eq!(outcome, Err(PartnerError::TargetCurrencyMismatch));
}

#[test]
fn a_discount_is_adjusted_up_or_down_within_the_rulebooks_bound() {
    let rate_max = adjustment_max();
    for rate in [rate_max, Rate(-rate_max.0)] {
        let adjusted = PartnerEvent::DiscountAdjusted { rate, reason: why() };
        assert_eq!(when(silver(), adjust(rate, &why()), &quazzar()), Ok(vec![adjusted.clone()]));
        let again = when(and(silver(), [adjusted]), adjust(rate, &why()), &quazzar());
        assert_eq!(again, Ok(vec![]));
    }
    let cent = Rate("0.01".parse().unwrap());
    for rate in [Rate(rate_max.0 + cent.0), Rate(-rate_max.0 - cent.0)] {
        let outcome = when(silver(), adjust(rate, &why()), &quazzar());
        assert_eq!(outcome, Err(PartnerError::AdjustmentTooLarge { rate, rate_max }));
    }
}

#[test]
fn an_adjustment_can_be_taken_back_but_not_before_there_is_one() {
    let adjusted = PartnerEvent::DiscountAdjusted { rate: adjustment_max(), reason: why() };
    let outcome = when(and(silver(), [adjusted]), adjust(Rate::ZERO, &why()), &quazzar());
    let back = PartnerEvent::DiscountAdjusted { rate: Rate::ZERO, reason: why() };
    assert_eq!(outcome, Ok(vec![back]));
    assert_eq!(when(silver(), adjust(Rate::ZERO, &why()), &quazzar()), Ok(vec![]));
}

#[test]
fn an_adjustment_has_a_reason() {
    let outcome = when(silver(), adjust(adjustment_max(), " "), &quazzar());
    assert_eq!(outcome, Err(PartnerError::ReasonMissing));
}

#[test]
fn nothing_is_adjusted_where_the_program_has_no_adjustments() {
    let context = varied(quazzar(), |rules| rules.discounts.adjustment_max = None);
    let outcome = when(silver(), adjust(Rate::ZERO, &why()), &context);
    assert_eq!(outcome, Err(PartnerError::AdjustmentNotOffered));
}

#[test]
fn a_reference_names_its_customer_and_what_it_says() {
    let (customer, statement) = ("Acme AG".to_owned(), "we are content".to_owned());
    let recorded = PartnerEvent::ReferenceRecorded { customer, statement };
    let outcome = when(silver(), reference("Acme AG", "we are content"), &quazzar());
    assert_eq!(outcome, Ok(vec![recorded]));
    for (command, expected) in
        [(reference(" ", "we are content"), "customer"), (reference("Acme AG", ""), "statement")]
    {
        let outcome = when(silver(), command, &quazzar());
        assert!(matches!(
            outcome,
            Err(PartnerError::InvalidField { field, .. }) if field == expected
        ));
    }
}

#[test]
fn a_text_of_more_than_4000_characters_is_refused_by_its_field() {
    let long = || "x".repeat(4_001);
    let note = fulfil("2026-03-01");
    let PartnerCommand::FulfilObligation { obligation, on, .. } = note else { unreachable!() };
    let discussion = PartnerCommand::AssessTarget {
        period_from: day("2026-01-01"),
        achieved: eur(1),
        discussion: long(),
    };
    for (past, command, context, expected) in [
        (signed(), reference("Comune", &long()), zextras(), "statement"),
        (
            signed(),
            PartnerCommand::FulfilObligation { obligation, on, note: long() },
            obliging(),
            "note",
        ),
        (and(signed(), [agreed()]), discussion, zextras(), "discussion"),
        (silver(), adjust(adjustment_max(), &long()), quazzar(), "reason"),
        (silver(), PartnerCommand::Suspend { reason: long() }, quazzar(), "reason"),
    ] {
        let outcome = when(past, command, &context);
        let Err(PartnerError::InvalidField { field, problem }) = outcome else {
            panic!("{expected}: {outcome:?}")
        };
        assert_eq!(
            (field.as_str(), problem.as_str()),
            (expected, "it is longer than 4000 characters")
        );
    }
}

/// A program with a quarterly duty.
fn obliging() -> Context {
    varied(quazzar(), |rules| {
        rules.obligations.push(Obligation {
            id: progress_review(),
            title: "Progress review".to_owned(),
            cadence: vec![ObligationCadence { levels: Vec::new(), months: 3 }],
        });
    })
}

fn progress_review() -> ObligationId {
    "progress-review".parse().unwrap()
}

fn acknowledge(document: &str) -> PartnerCommand {
    PartnerCommand::Acknowledge { document: document.parse().unwrap() }
}

fn fulfil(on: &str) -> PartnerCommand {
    let (obligation, on, note) = (progress_review(), day(on), "met".to_owned());
    PartnerCommand::FulfilObligation { obligation, on, note }
}

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn agree(amount: Money) -> PartnerCommand {
    let (period_from, period_to) = (day("2026-01-01"), day("2026-12-31"));
    PartnerCommand::AgreeTarget { period_from, period_to, amount }
}

fn agreed() -> PartnerEvent {
    let (period_from, period_to) = (day("2026-01-01"), day("2026-12-31"));
    PartnerEvent::TargetAgreed { period_from, period_to, amount: eur(10_000) }
}

fn assess(achieved: Money) -> PartnerCommand {
    let discussion = "next year".to_owned();
    PartnerCommand::AssessTarget { period_from: day("2026-01-01"), achieved, discussion }
}

fn adjustment_max() -> Rate {
    quazzar().rules.discounts.adjustment_max.unwrap()
}

fn adjust(rate: Rate, reason: &str) -> PartnerCommand {
    PartnerCommand::AdjustDiscount { rate, reason: reason.to_owned() }
}

fn reference(customer: &str, statement: &str) -> PartnerCommand {
    let (customer, statement) = (customer.to_owned(), statement.to_owned());
    PartnerCommand::RecordReference { customer, statement }
}
