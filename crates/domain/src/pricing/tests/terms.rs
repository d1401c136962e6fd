//! Lengths of terms.

use super::*;

fn months(starts_on: &str, ends_on: &str) -> Decimal {
    term_months(day(starts_on), day(ends_on))
}

#[test]
fn a_term_ends_the_day_before_the_same_day_of_a_later_month() {
    assert_eq!(months("2026-03-01", "2027-02-28"), dec("12"));
    assert_eq!(months("2026-03-15", "2026-04-14"), dec("1"));
    assert_eq!(months("2026-01-31", "2026-02-27"), dec("1"));
}

#[test]
fn remaining_days_are_a_share_of_the_month_that_they_lie_in() {
    assert_eq!(months("2026-04-01", "2026-04-15"), dec("0.5"));
    assert_eq!(months("2026-02-01", "2026-02-07"), dec("0.25"));
    assert_eq!(months("2026-03-01", "2026-04-15"), dec("1.5"));
}

#[test]
fn one_day_is_a_term_and_no_day_is_none() {
    assert_eq!(months("2026-04-01", "2026-04-01"), Decimal::ONE / Decimal::from(30));
    assert_eq!(months("2026-04-01", "2026-03-31"), Decimal::ZERO);
    assert_eq!(months("2026-04-01", "2025-01-31"), Decimal::ZERO);
}

#[test]
fn a_term_reads_as_months_and_days() {
    let words = |starts_on, ends_on| Term::between(day(starts_on), day(ends_on)).to_string();
    assert_eq!(words("2026-03-01", "2026-03-31"), "1 month");
    assert_eq!(words("2026-03-01", "2026-05-31"), "3 months");
    assert_eq!(words("2026-04-01", "2026-04-10"), "10/30 month");
    assert_eq!(words("2026-03-01", "2026-04-10"), "1 10/30 months");
}

proptest! {
    #[test]
    fn from_any_day_n_months_are_n_months(from in 0..4000u32, n in 1..120u32) {
        let starts_on = day("2020-01-01").plus_days(from);
        let ends_on = starts_on.plus_months(n).minus_days(1);
        prop_assert_eq!(term_months(starts_on, ends_on), Decimal::from(n));
    }

    #[test]
    fn a_day_more_is_a_longer_term(from in 0..4000u32, days in 0..4000u32) {
        let starts_on = day("2020-01-01").plus_days(from);
        let months = |days| term_months(starts_on, starts_on.plus_days(days));
        prop_assert!(months(days) < months(days + 1));
    }
}
