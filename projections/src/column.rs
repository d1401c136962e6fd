//! How values stand in a column: ids as 16 bytes, codes and days as text, times as microseconds,
//! structures as JSON.

use std::collections::{BTreeMap, BTreeSet};

use accord_domain::{
    CertificateId, CertificationCode, ConflictId, Country, Currency, Day, DealId, EventId, LevelId,
    LevelReviewId, LicenceId, Money, OpportunityId, OrderId, PartnerId, PersonId, PersonalData,
    PhaseId, ProductScope, ProgramId, Rate, ReasonCode, Subject, Timestamp, TrackId,
    customer::Company,
    deal::{DealStatus, ExpiryCause},
    evidence::{Evaluation, Evidence},
    order::{OrderRequest, OrderStatus},
    partner::{Contact, LevelCause, PartnerStatus},
    pricing::{Item, Quote},
    rulebook::{LicenceModel, PaymentMethod},
};
use chrono::{DateTime, Datelike};
use rusqlite::types::{FromSqlError, FromSqlResult, ToSqlOutput, Value, ValueRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer, de::IntoDeserializer};
use serde_json::value::RawValue;
use uuid::Uuid;

/// A value that a column can hold.
pub(crate) trait Column: Sized {
    fn to_column(&self) -> ToSqlOutput<'_>;
    fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self>;
}

/// Reads the column at `index`, and moves on.
pub(crate) fn read<C: Column>(row: &rusqlite::Row<'_>, index: &mut usize) -> rusqlite::Result<C> {
    let value = row.get_ref(*index)?;
    let column = *index;
    *index += 1;
    C::from_column(value).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, value.data_type(), Box::new(error))
    })
}

/// JSON that is passed on as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawJson(String);

impl RawJson {
    pub(crate) fn of<T: Serialize>(value: &T) -> Self {
        Self(json_text(value))
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl JsonSchema for RawJson {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Json".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        true.into()
    }
}

fn text(text: &str) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))
}

fn owned(text: String) -> ToSqlOutput<'static> {
    ToSqlOutput::Owned(Value::Text(text))
}

fn integer(number: i64) -> ToSqlOutput<'static> {
    ToSqlOutput::Owned(Value::Integer(number))
}

fn json_text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("stored structures serialise without failing")
}

fn other<E: std::error::Error + Send + Sync + 'static>(error: E) -> FromSqlError {
    FromSqlError::Other(Box::new(error))
}

impl<C: Column> Column for Option<C> {
    fn to_column(&self) -> ToSqlOutput<'_> {
        self.as_ref().map_or(ToSqlOutput::Owned(Value::Null), Column::to_column)
    }

    fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Null => Ok(None),
            value => C::from_column(value).map(Some),
        }
    }
}

impl Column for String {
    fn to_column(&self) -> ToSqlOutput<'_> {
        text(self)
    }

    fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl Column for RawJson {
    fn to_column(&self) -> ToSqlOutput<'_> {
        text(&self.0)
    }

    fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str().map(|text| Self(text.to_owned()))
    }
}

impl Column for Subject {
    fn to_column(&self) -> ToSqlOutput<'_> {
        text(&self.0)
    }

    fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str().map(|text| Self(text.to_owned()))
    }
}

impl Column for Uuid {
    fn to_column(&self) -> ToSqlOutput<'_> {
        ToSqlOutput::Borrowed(ValueRef::Blob(self.as_bytes()))
    }

    fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::from_slice(value.as_blob()?).map_err(other)
    }
}

impl Column for bool {
    fn to_column(&self) -> ToSqlOutput<'_> {
        integer(i64::from(*self))
    }

    fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(|number| number != 0)
    }
}

impl Column for Day {
    fn to_column(&self) -> ToSqlOutput<'_> {
        owned(day_text(*self))
    }

    fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        match day_of(text.as_bytes()) {
            Some(day) => Ok(day),
            None => text.parse().map_err(other),
        }
    }
}

/// `YYYY-MM-DD`, ten times as fast as by formatting; rows have many days.
fn day_text(day: Day) -> String {
    let (year, month, number) = (day.0.year(), day.0.month(), day.0.day());
    let Ok(year @ 0..=9999) = u32::try_from(year) else { return day.to_string() };
    let digit = |number: u32| char::from_digit(number % 10, 10).unwrap_or('0');
    let mut text = String::with_capacity(10);
    text.extend([digit(year / 1000), digit(year / 100), digit(year / 10), digit(year), '-']);
    text.extend([digit(month / 10), digit(month), '-', digit(number / 10), digit(number)]);
    text
}

/// The day of ten characters `YYYY-MM-DD`; `None` where they are not in this form.
fn day_of(text: &[u8]) -> Option<Day> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    let pair = |tens, ones| Some(digit(tens)? * 10 + digit(ones)?);
    let year = i32::try_from(pair(y1, y2)? * 100 + pair(y3, y4)?).ok()?;
    Day::of(year, pair(m1, m2)?, pair(d1, d2)?)
}

impl Column for Timestamp {
    fn to_column(&self) -> ToSqlOutput<'_> {
        integer(self.timestamp_micros())
    }

    fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let micros = value.as_i64()?;
        DateTime::from_timestamp_micros(micros).ok_or(FromSqlError::OutOfRange(micros))
    }
}

macro_rules! integer_columns {
    ($($type:ty),*) => {$(
        impl Column for $type {
            fn to_column(&self) -> ToSqlOutput<'_> {
                // SQLite's integers are signed; nothing stored comes near the difference.
                integer(i64::try_from(*self).unwrap_or(i64::MAX))
            }

            fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let number = value.as_i64()?;
                Self::try_from(number).map_err(|_| FromSqlError::OutOfRange(number))
            }
        }
    )*};
}

integer_columns!(i64, u32, u64);

macro_rules! uuid_columns {
    ($($type:ty),* $(,)?) => {$(
        impl Column for $type {
            fn to_column(&self) -> ToSqlOutput<'_> {
                self.0.to_column()
            }

            fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Uuid::from_column(value).map(Self)
            }
        }
    )*};
}

uuid_columns!(
    CertificateId,
    ConflictId,
    DealId,
    EventId,
    LevelReviewId,
    LicenceId,
    OpportunityId,
    OrderId,
    PartnerId,
    PersonId,
);

macro_rules! code_columns {
    ($($type:ty),* $(,)?) => {$(
        impl Column for $type {
            fn to_column(&self) -> ToSqlOutput<'_> {
                text(self.as_str())
            }

            fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_str()?.parse().map_err(other)
            }
        }
    )*};
}

code_columns!(CertificationCode, LevelId, PhaseId, ProductScope, ProgramId, ReasonCode, TrackId);

/// A word as it stands in JSON, without the quotes.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    let mut quoted = json_text(value);
    quoted.pop();
    quoted.remove(0);
    quoted
}

macro_rules! word_columns {
    ($($type:ty),* $(,)?) => {$(
        impl $crate::column::Column for $type {
            fn to_column(&self) -> rusqlite::types::ToSqlOutput<'_> {
                rusqlite::types::ToSqlOutput::Owned(rusqlite::types::Value::Text(
                    $crate::column::word(self),
                ))
            }

            fn from_column(
                value: rusqlite::types::ValueRef<'_>,
            ) -> rusqlite::types::FromSqlResult<Self> {
                $crate::column::from_word(value)
            }
        }
    )*};
}
pub(crate) use word_columns;

/// Reads an enumerated word.
pub(crate) fn from_word<T: for<'de> Deserialize<'de>>(value: ValueRef<'_>) -> FromSqlResult<T> {
    let word: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
        value.as_str()?.into_deserializer();
    T::deserialize(word).map_err(other)
}

word_columns!(
    Country,
    Currency,
    DealStatus,
    ExpiryCause,
    LicenceModel,
    OrderStatus,
    PartnerStatus,
    PaymentMethod,
    Rate,
);

macro_rules! json_columns {
    ($($type:ty),* $(,)?) => {$(
        impl $crate::column::Column for $type {
            fn to_column(&self) -> rusqlite::types::ToSqlOutput<'_> {
                $crate::column::json(self)
            }

            fn from_column(
                value: rusqlite::types::ValueRef<'_>,
            ) -> rusqlite::types::FromSqlResult<Self> {
                $crate::column::from_json(value)
            }
        }
    )*};
}
pub(crate) use json_columns;

pub(crate) fn json<T: Serialize>(value: &T) -> ToSqlOutput<'static> {
    owned(json_text(value))
}

pub(crate) fn from_json<T: for<'de> Deserialize<'de>>(value: ValueRef<'_>) -> FromSqlResult<T> {
    serde_json::from_str(value.as_str()?).map_err(other)
}

json_columns!(
    Company,
    Evidence,
    LevelCause,
    Money,
    OrderRequest,
    PersonalData,
    Quote,
    BTreeMap<TrackId, Option<LevelId>>,
    BTreeMap<TrackId, Day>,
    BTreeSet<Country>,
    Vec<Contact>,
    Vec<Evaluation>,
    Vec<Item>,
    Vec<OpportunityId>,
    Vec<String>,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_reads_back_as_it_was_written() {
        for text in ["0001-01-01", "1999-12-31", "2024-02-29", "2026-03-09", "9999-12-31"] {
            let day: Day = text.parse().unwrap();
            assert_eq!(day_text(day), text);
            assert_eq!(day_of(text.as_bytes()), Some(day));
        }
        assert_eq!(day_of(b"2026-02-30"), None);
        assert_eq!(day_of(b"20260230"), None);
    }

    #[test]
    fn a_day_outside_of_four_digit_years_reads_as_the_nearest_inside() {
        for (text, nearest) in [("+262142-12-31", "9999-12-31"), ("-262143-01-01", "0001-01-01")] {
            let read = Day::from_column(ValueRef::Text(text.as_bytes())).unwrap();
            assert_eq!(read, nearest.parse().unwrap());
        }
    }
}
