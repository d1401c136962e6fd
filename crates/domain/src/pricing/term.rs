//! How long a term is, in months.

use std::fmt;

use chrono::Datelike;
use rust_decimal::Decimal;

use crate::Day;

/// Length of a term, both days included: whole calendar months, and the remaining days as a share
/// of the month that would follow. From any day to the day before the same day n months later it is
/// exactly n.
pub fn term_months(starts_on: Day, ends_on: Day) -> Decimal {
    Term::between(starts_on, ends_on).months()
}

/// Whole months, and some days of a month that has so many.
pub(super) struct Term {
    whole: u32,
    days: u32,
    days_in_month: u32,
}

impl Term {
    /// No time at all where the end is before the start.
    pub(super) fn between(starts_on: Day, ends_on: Day) -> Self {
        let after = ends_on.plus_days(1);
        let (start, end) = (starts_on.0, after.0);
        let years = i64::from(end.year()) - i64::from(start.year());
        let months = years * 12 + i64::from(end.month()) - i64::from(start.month());
        let mut whole = u32::try_from(months).unwrap_or(0);
        // The day of the month decides whether the last month is complete.
        if whole > 0 && starts_on.plus_months(whole) > after {
            whole -= 1;
        }
        let rest_from = starts_on.plus_months(whole);
        let days = rest_from.days_until(after);
        let days_in_month = rest_from.days_until(starts_on.plus_months(whole + 1));
        Self {
            whole,
            days: u32::try_from(days).unwrap_or(0),
            days_in_month: u32::try_from(days_in_month).unwrap_or(0).max(1),
        }
    }

    pub(super) fn months(&self) -> Decimal {
        Decimal::from(self.whole) + Decimal::from(self.days) / Decimal::from(self.days_in_month)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { whole, days, days_in_month } = self;
        let months = if *whole == 1 { "month" } else { "months" };
        match (whole, days) {
            (_, 0) => write!(formatter, "{whole} {months}"),
            (0, _) => write!(formatter, "{days}/{days_in_month} month"),
            _ => write!(formatter, "{whole} {days}/{days_in_month} months"),
        }
    }
}
