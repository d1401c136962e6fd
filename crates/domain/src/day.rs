//! Days, months and instants. A day is a calendar day of the program's time zone, without a time.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// An instant in UTC with microseconds.
pub type Timestamp = DateTime<Utc>;

const FIRST: NaiveDate = NaiveDate::from_ymd_opt(1, 1, 1).expect("year 1 has a first day");
const LAST: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("year 9999 has a last day");

/// A calendar day, `YYYY-MM-DD`.
///
/// From 0001-01-01 to 9999-12-31, so that it always has four digits of a year. What would lie
/// outside, read or reckoned, is the nearest day inside; which days a command may name is for its
/// aggregate to bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Day(#[schemars(with = "String", extend("format" = "date"))] pub NaiveDate);

impl Day {
    /// The day of a year, month and day of month; `None` where the calendar has no such day.
    pub fn of(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self::within_bounds)
    }

    /// The UTC day of an instant.
    pub fn of_instant(instant: Timestamp) -> Self {
        Self::within_bounds(instant.date_naive())
    }

    fn within_bounds(date: NaiveDate) -> Self {
        Self(date.clamp(FIRST, LAST))
    }

    /// This day plus a number of days, at most the last one.
    pub fn plus_days(self, days: u32) -> Self {
        Self::within_bounds(self.0.checked_add_days(Days::new(days.into())).unwrap_or(LAST))
    }

    /// This day minus a number of days, at least the first one.
    pub fn minus_days(self, days: u32) -> Self {
        Self::within_bounds(self.0.checked_sub_days(Days::new(days.into())).unwrap_or(FIRST))
    }

    /// The same day of a later month, or that month's last day where it is shorter; at most the
    /// last one.
    pub fn plus_months(self, months: u32) -> Self {
        Self::within_bounds(self.0.checked_add_months(Months::new(months)).unwrap_or(LAST))
    }

    /// The same day that many years ago.
    pub fn minus_years(self, years: u32) -> Self {
        let months = Months::new(years.saturating_mul(12));
        Self::within_bounds(self.0.checked_sub_months(months).unwrap_or(FIRST))
    }

    /// The same day in that many years.
    pub fn plus_years(self, years: u32) -> Self {
        self.plus_months(years.saturating_mul(12))
    }

    /// Days from this day to `later`; negative when `later` is earlier.
    pub fn days_until(self, later: Self) -> i64 {
        later.0.signed_duration_since(self.0).num_days()
    }

    /// The month that the day belongs to.
    pub fn month(self) -> Month {
        Month { year: self.0.year(), month: self.0.month() }
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        NaiveDate::deserialize(deserializer).map(Self::within_bounds)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for Day {
    type Err = chrono::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self::within_bounds)
    }
}

/// A calendar month, `YYYY-MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// The month after this one.
    pub fn next(self) -> Self {
        match self.month {
            12 => Self { year: self.year + 1, month: 1 },
            month => Self { year: self.year, month: month + 1 },
        }
    }

    /// The month before this one.
    pub fn previous(self) -> Self {
        match self.month {
            1 => Self { year: self.year - 1, month: 12 },
            month => Self { year: self.year, month: month - 1 },
        }
    }

    /// The month's first day.
    pub fn first_day(self) -> Day {
        Day(NaiveDate::from_ymd_opt(self.year, self.month, 1).expect("every month has a first day"))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.year, self.month)
    }
}

/// The text is not a month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a month in the form YYYY-MM")]
pub struct InvalidMonth {
    pub text: String,
}

impl FromStr for Month {
    type Err = InvalidMonth;

    fn from_str(text: &str) -> Result<Self, InvalidMonth> {
        let day = (text.len() == 7).then(|| format!("{text}-01").parse::<Day>().ok()).flatten();
        day.map(Day::month).ok_or_else(|| InvalidMonth { text: text.to_owned() })
    }
}

impl TryFrom<String> for Month {
    type Error = InvalidMonth;

    fn try_from(text: String) -> Result<Self, InvalidMonth> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> String {
        month.to_string()
    }
}

impl JsonSchema for Month {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Month".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A calendar month, YYYY-MM.",
            "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_each_other_over_the_turn_of_the_year() {
        let december: Month = "2025-12".parse().unwrap();
        assert_eq!(december.next().to_string(), "2026-01");
        assert_eq!(december.next().previous(), december);
    }

    #[test]
    fn no_day_lies_outside_the_years_of_four_digits() {
        let (first, last): (Day, Day) =
            ("0001-01-01".parse().unwrap(), "9999-12-31".parse().unwrap());
        assert_eq!([last.plus_days(1), last.plus_days(u32::MAX)], [last, last]);
        assert_eq!([last.plus_months(1), last.plus_months(u32::MAX)], [last, last]);
        assert_eq!([last.plus_years(1), last.plus_years(u32::MAX)], [last, last]);
        assert_eq!([first.minus_days(1), first.minus_days(u32::MAX)], [first, first]);
        assert_eq!([first.minus_years(1), first.minus_years(u32::MAX)], [first, first]);
        assert_eq!("+12345-01-01".parse(), Ok(last));
        let read: Vec<Day> = serde_json::from_str(r#"["+12345-01-01", "-0005-01-01"]"#).unwrap();
        assert_eq!(read, [last, first]);
        assert_eq!(serde_json::to_string(&last).unwrap(), "\"9999-12-31\"");
    }

    #[test]
    fn a_month_later_than_the_31st_is_the_months_last_day() {
        let day: Day = "2026-01-31".parse().unwrap();
        assert_eq!(day.plus_months(1).to_string(), "2026-02-28");
    }
}
