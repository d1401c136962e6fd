//! Every predicate against evidence, and the day until which it stays met.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::Currency;
use crate::aggregate::testing::{ZEXTRAS, context};
use crate::rulebook::Predicate;

mod certificates {
    use super::*;

    #[test]
    fn persons_count_once_however_many_certificates_they_hold() {
        let facts = [certificate(1, "C3", "2026-06-30"), certificate(1, "C4", "2026-09-30")];
        let evaluation = evaluation(certified(&["C3", "C4"], 2), &facts);
        assert_eq!(evaluation.outcome, Outcome::NotMet);
        assert_eq!(evaluation.actual, "1 person certified");
        assert_eq!(evaluation.wanted, "at least 2 persons certified C3 or C4");
        assert_eq!(evaluation.evidence, events(&facts));
    }

    #[test]
    fn only_the_asked_entries_count() {
        let facts = [certificate(1, "C2", "2026-06-30"), certificate(2, "C3", "2026-06-30")];
        let evaluation = evaluation(certified(&["C3"], 1), &facts);
        assert_eq!(evaluation.outcome, Outcome::Met);
        assert_eq!(evaluation.evidence, events(&facts[1..]));
    }

    #[test]
    fn the_last_day_of_validity_counts_and_the_next_does_not() {
        let on_last_day = evaluation(certified(&["C3"], 1), &[certificate(1, "C3", "2026-03-01")]);
        assert_eq!(on_last_day.outcome, Outcome::Met);
        let day_after = evaluation(certified(&["C3"], 1), &[certificate(1, "C3", "2026-02-28")]);
        assert_eq!((day_after.outcome, day_after.evidence), (Outcome::NotMet, vec![]));
    }

    #[test]
    fn the_person_with_the_latest_end_that_is_still_needed_decides_how_long() {
        let facts = [
            certificate(1, "C3", "2026-04-30"),
            certificate(1, "C3", "2026-12-31"),
            certificate(2, "C3", "2026-06-30"),
            certificate(3, "C3", "2026-05-31"),
        ];
        let met_until = |persons| evaluation(certified(&["C3"], persons), &facts).met_until;
        assert_eq!(met_until(1), Some(day("2026-12-31")));
        assert_eq!(met_until(2), Some(day("2026-06-30")));
        assert_eq!(met_until(3), Some(day("2026-05-31")));
        assert_eq!(met_until(4), None);
    }
}

mod licences {
    use super::*;

    #[test]
    fn licences_are_at_least() {
        let facts = [licence(1, 10, 0), licence(2, 10, 0)];
        let asked = |at_least| evaluation(Predicate::Licences { at_least }, &facts);
        assert_eq!(asked(2).outcome, Outcome::Met);
        assert_eq!(asked(2).actual, "2 licences");
        assert_eq!(asked(3).outcome, Outcome::NotMet);
        assert_eq!(asked(3).wanted, "at least 3 licences");
    }

    #[test]
    fn seats_are_strictly_more_than() {
        let asked = Predicate::Seats { more_than: 5000 };
        let exactly = evaluation(asked.clone(), &[licence(1, 2000, 0), licence(2, 3000, 0)]);
        assert_eq!((exactly.outcome, exactly.actual.as_str()), (Outcome::NotMet, "5000 seats"));
        assert_eq!(exactly.wanted, "more than 5000 seats");
        let more = evaluation(asked, &[licence(1, 2000, 0), licence(2, 3001, 0)]);
        assert_eq!(more.outcome, Outcome::Met);
    }

    #[test]
    fn servers_are_at_least() {
        let asked = Predicate::Servers { at_least: 50 };
        assert_eq!(evaluation(asked.clone(), &[licence(1, 0, 49)]).outcome, Outcome::NotMet);
        let met = evaluation(asked, &[licence(1, 0, 49), licence(2, 0, 1)]);
        assert_eq!(met.outcome, Outcome::Met);
        assert_eq!(
            (met.actual.as_str(), met.wanted.as_str()),
            ("50 servers", "at least 50 servers")
        );
    }

    #[test]
    fn a_licence_that_has_ended_does_not_count() {
        let facts = [licence_until(1, "2026-03-01"), licence_until(2, "2026-02-28")];
        let evaluation = evaluation(Predicate::Licences { at_least: 1 }, &facts);
        assert_eq!(
            (evaluation.actual.as_str(), evaluation.evidence),
            ("1 licence", events(&facts[..1]))
        );
    }

    #[test]
    fn a_sum_lasts_until_too_much_of_it_has_ended() {
        let facts = [
            licence_until(1, "2026-04-30"),
            licence_until(2, "2026-05-31"),
            licence_until(3, "2026-05-31"),
            licence_until(4, "2026-06-30"),
        ];
        let met_until = |more_than| evaluation(Predicate::Seats { more_than }, &facts).met_until;
        // 100 seats each.
        assert_eq!(met_until(399), Some(day("2026-04-30")));
        assert_eq!(met_until(200), Some(day("2026-05-31")));
        assert_eq!(met_until(99), Some(day("2026-06-30")));
    }
}

mod revenue {
    use super::*;

    #[test]
    fn annual_revenue_is_twelve_months_of_the_licences_in_that_currency() {
        let facts = [
            paying(1, 500_000, Currency::USD),
            paying(2, 333_333, Currency::USD),
            paying(3, 900_000, Currency::EUR),
        ];
        let evaluation = evaluation(revenue_of(9_999_996), &facts);
        assert_eq!(evaluation.outcome, Outcome::Met);
        assert_eq!(evaluation.actual, "99999.96 USD a year");
        assert_eq!(evaluation.wanted, "at least 99999.96 USD a year");
        assert_eq!(evaluation.evidence, events(&facts[..2]));
    }

    #[test]
    fn a_cent_too_little_is_too_little() {
        let facts = [paying(1, 833_333, Currency::USD)];
        assert_eq!(evaluation(revenue_of(9_999_997), &facts).outcome, Outcome::NotMet);
    }

    #[test]
    fn the_largest_amounts_do_not_overflow() {
        let facts = [paying(1, i64::MAX, Currency::USD), paying(2, i64::MAX, Currency::USD)];
        assert_eq!(evaluation(revenue_of(i64::MAX), &facts).outcome, Outcome::Met);
    }

    fn revenue_of(minor: i64) -> Predicate {
        Predicate::AnnualRevenue { at_least: Money::new(minor, Currency::USD) }
    }
}

mod duties {
    use super::*;

    #[test]
    fn references_never_end() {
        let facts = [reference(1), reference(2)];
        let met = evaluation(Predicate::References { at_least: 2 }, &facts);
        assert_eq!((met.outcome, met.met_until), (Outcome::Met, None));
        assert_eq!(
            (met.actual.as_str(), met.wanted.as_str()),
            ("2 references", "at least 2 references")
        );
        let asked = evaluation(Predicate::References { at_least: 3 }, &facts);
        assert_eq!(asked.outcome, Outcome::NotMet);
    }

    #[test]
    fn an_obligation_holds_on_its_last_day_and_is_overdue_on_the_next() {
        let last_day = evaluation(reviews(), &[fulfilled("progress-review", "2026-03-01")]);
        assert_eq!(last_day.outcome, Outcome::Met);
        assert_eq!(last_day.actual, "fulfilled until 2026-03-01");
        assert_eq!(last_day.met_until, Some(day("2026-03-01")));
        let overdue = evaluation(reviews(), &[fulfilled("progress-review", "2026-02-28")]);
        assert_eq!(overdue.outcome, Outcome::NotMet);
        assert_eq!(overdue.actual, "not fulfilled");
    }

    #[test]
    fn an_obligation_lasts_as_long_as_its_last_fulfilment() {
        let facts = [
            fulfilled("progress-review", "2026-06-30"),
            fulfilled("progress-review", "2026-03-31"),
            fulfilled("marketing-report", "2026-12-31"),
        ];
        let evaluation = evaluation(reviews(), &facts);
        assert_eq!(evaluation.met_until, Some(day("2026-06-30")));
        assert_eq!(evaluation.wanted, "progress-review fulfilled");
    }

    #[test]
    fn the_asked_document_must_be_acknowledged() {
        let asked = || Predicate::Acknowledged { document: "code-of-conduct".parse().unwrap() };
        let met = evaluation(asked(), &[acknowledged("code-of-conduct")]);
        assert_eq!((met.outcome, met.met_until), (Outcome::Met, None));
        assert_eq!(met.actual, "acknowledged");
        let other = evaluation(asked(), &[acknowledged("brand-guidelines")]);
        assert_eq!((other.outcome, other.actual.as_str()), (Outcome::NotMet, "not acknowledged"));
    }

    #[test]
    fn what_only_a_person_can_tell_is_to_be_judged() {
        let question = "Does the partner work on its own?".to_owned();
        let evaluation = evaluation(Predicate::Judged { question: question.clone() }, &[]);
        assert_eq!((evaluation.outcome, evaluation.wanted), (Outcome::ToBeJudged, question));
    }

    fn reviews() -> Predicate {
        Predicate::Obligation { obligation: "progress-review".parse().unwrap() }
    }
}

#[test]
fn three_licences_and_c3_are_gold_with_5001_seats_and_not_with_5000() {
    let rules = context(ZEXTRAS, "2026-03-01", "alice").rules;
    let gold = rules.level(&"partner".parse().unwrap(), &"gold".parse().unwrap()).unwrap();
    let unmet = |seats: u64| {
        let facts = vec![
            certificate(1, "C3", "2027-03-01"),
            licence(1, 1000, 0),
            licence(2, 1000, 0),
            licence(3, seats - 2000, 0),
        ];
        let mut unmet = evaluate_level(gold, &on_day(facts));
        unmet.retain(|evaluation| evaluation.outcome == Outcome::NotMet);
        unmet.into_iter().map(|evaluation| evaluation.requirement.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(unmet(5000), ["seats"]);
    assert_eq!(unmet(5001), Vec::<String>::new());
}

proptest! {
    #[test]
    fn adding_a_fact_never_makes_a_met_requirement_unmet(
        predicate in any_predicate(),
        facts in prop::collection::vec(any_fact(), 0..12),
        more in any_fact(),
    ) {
        let before = evaluation(predicate.clone(), &facts).outcome;
        let after = evaluation(predicate, &[facts, vec![more]].concat()).outcome;
        prop_assert!(before == after || (before, after) == (Outcome::NotMet, Outcome::Met));
    }

    #[test]
    fn a_requirement_is_met_until_exactly_the_day_it_says(
        predicate in any_predicate(),
        facts in prop::collection::vec(any_fact(), 0..12),
    ) {
        let later = |days: u32| {
            let mut evidence = on_day(facts.clone());
            evidence.day = evidence.day.plus_days(days);
            evaluate(&requirement(predicate.clone()), &evidence).outcome
        };
        let today = evaluation(predicate.clone(), &facts);
        // Facts end within 60 days.
        let days_met = (0..70).take_while(|days| later(*days) == Outcome::Met).count();
        let expected = match days_met {
            0 | 70 => None,
            days => Some(day("2026-03-01").plus_days(u32::try_from(days).unwrap() - 1)),
        };
        prop_assert_eq!(today.met_until, expected);
    }
}

fn any_predicate() -> impl Strategy<Value = Predicate> {
    prop_oneof![
        (1_u32..4).prop_map(|persons| certified(&["C3", "C4"], persons)),
        (1_u32..6).prop_map(|at_least| Predicate::Licences { at_least }),
        (0_u64..400).prop_map(|more_than| Predicate::Seats { more_than }),
        (1_u64..400).prop_map(|at_least| Predicate::Servers { at_least }),
        (1_i64..4800).prop_map(|minor| Predicate::AnnualRevenue {
            at_least: Money::new(minor, Currency::USD),
        }),
        (1_u32..4).prop_map(|at_least| Predicate::References { at_least }),
        Just(Predicate::Obligation { obligation: "progress-review".parse().unwrap() }),
        Just(Predicate::Acknowledged { document: "code-of-conduct".parse().unwrap() }),
        Just(Predicate::Judged { question: "Well?".to_owned() }),
    ]
}

fn any_fact() -> impl Strategy<Value = Fact> {
    let end = || (0_u32..65).prop_map(|days| day("2026-02-25").plus_days(days).to_string());
    let currency = prop_oneof![Just(Currency::USD), Just(Currency::EUR)];
    prop_oneof![
        (1_u128..5, prop_oneof![Just("C2"), Just("C3"), Just("C4")], end())
            .prop_map(|(person, code, end)| certificate(person, code, &end)),
        (any::<u128>(), 0_u64..200, 0_u64..200, 0_i64..200, (currency, end())).prop_map(
            |(id, seats, servers, minor, (currency, end))| Fact::Licence {
                event: EventId(Uuid::from_u128(id)),
                licence: LicenceId(Uuid::from_u128(id)),
                seats,
                servers,
                mrr: Money::new(minor, currency),
                ends_on: day(&end),
            }
        ),
        any::<u128>().prop_map(reference),
        end().prop_map(|end| fulfilled("progress-review", &end)),
        prop_oneof![Just("code-of-conduct"), Just("brand-guidelines")].prop_map(acknowledged),
    ]
}

fn evaluation(predicate: Predicate, facts: &[Fact]) -> Evaluation {
    evaluate(&requirement(predicate), &on_day(facts.to_vec()))
}

fn requirement(predicate: Predicate) -> Requirement {
    Requirement { id: "sample".parse().unwrap(), title: "Sample".to_owned(), predicate }
}

fn on_day(facts: Vec<Fact>) -> Evidence {
    Evidence { position: 1, day: day("2026-03-01"), facts }
}

fn events(facts: &[Fact]) -> Vec<EventId> {
    let event = |fact: &Fact| match fact {
        Fact::Certificate { event, .. }
        | Fact::Licence { event, .. }
        | Fact::Reference { event }
        | Fact::Obligation { event, .. }
        | Fact::Acknowledgement { event, .. } => *event,
    };
    facts.iter().map(event).collect()
}

fn certified(any_of: &[&str], persons_at_least: u32) -> Predicate {
    let any_of = any_of.iter().map(|code| code.parse().unwrap()).collect();
    Predicate::Certificates { any_of, persons_at_least }
}

fn certificate(person: u128, code: &str, expires_on: &str) -> Fact {
    let id = Uuid::new_v5(&Uuid::from_u128(person), format!("{code} {expires_on}").as_bytes());
    Fact::Certificate {
        event: EventId(id),
        certificate: CertificateId(id),
        person: PersonId(Uuid::from_u128(person)),
        certification: code.parse().unwrap(),
        expires_on: day(expires_on),
    }
}

fn licence(id: u128, seats: u64, servers: u64) -> Fact {
    Fact::Licence {
        event: EventId(Uuid::from_u128(id)),
        licence: LicenceId(Uuid::from_u128(id)),
        seats,
        servers,
        mrr: Money::zero(Currency::USD),
        ends_on: day("2027-03-01"),
    }
}

/// A licence of 100 seats.
fn licence_until(id: u128, last_day: &str) -> Fact {
    let mut fact = licence(id, 100, 0);
    if let Fact::Licence { ends_on, .. } = &mut fact {
        *ends_on = day(last_day);
    }
    fact
}

fn paying(id: u128, minor: i64, currency: Currency) -> Fact {
    let mut fact = licence(id, 100, 0);
    if let Fact::Licence { mrr, .. } = &mut fact {
        *mrr = Money::new(minor, currency);
    }
    fact
}

fn reference(id: u128) -> Fact {
    Fact::Reference { event: EventId(Uuid::from_u128(id)) }
}

fn fulfilled(obligation: &str, until: &str) -> Fact {
    Fact::Obligation {
        event: EventId(Uuid::from_u128(1)),
        obligation: obligation.parse().unwrap(),
        fulfilled_until: day(until),
    }
}

fn acknowledged(document: &str) -> Fact {
    Fact::Acknowledgement {
        event: EventId(Uuid::from_u128(1)),
        document: document.parse().unwrap(),
    }
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}
