//! Money is a whole number of minor units and a currency; rates are exact decimals. No floats.

use std::fmt;

pub use iso_currency::Currency;
use rust_decimal::{Decimal, RoundingStrategy};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// An amount in a currency's minor units (cents for EUR).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Whole minor units, for example 1999 for 19.99 EUR.
    pub minor: i64,
    /// ISO 4217 code.
    #[schemars(with = "String", regex(pattern = "^[A-Z]{3}$"))]
    pub currency: Currency,
}

/// The result does not fit or the currencies differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("{left} cannot be combined with {right}")]
    CurrencyMismatch { left: Currency, right: Currency },
    #[error("the amount is too large")]
    Overflow,
}

impl Money {
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    pub fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// The sum of two amounts of one currency.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch {
                left: self.currency,
                right: other.currency,
            });
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, currency: self.currency })
    }

    /// The exact amount in minor units, to calculate with.
    pub fn exact(self) -> Decimal {
        Decimal::from(self.minor)
    }

    /// Rounds an exact number of minor units half to even. Done once, on the last step.
    pub fn round(minor_exact: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let rounded = minor_exact.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
        let minor = i64::try_from(rounded).map_err(|_| MoneyError::Overflow)?;
        Ok(Self { minor, currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = self.currency.exponent().unwrap_or(0);
        let major = Decimal::from_i128_with_scale(self.minor.into(), scale.into());
        write!(formatter, "{major} {}", self.currency.code())
    }
}

/// An exact fraction, for example `0.15` for 15 %. Written as a string in JSON and TOML: a number
/// there would have been a float on its way.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Rate(
    #[serde(deserialize_with = "decimal_from_text")]
    #[schemars(with = "String", regex(pattern = r"^-?[0-9]+(\.[0-9]+)?$"))]
    pub Decimal,
);

fn decimal_from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let text = String::deserialize(deserializer)?;
    let problem = || D::Error::custom(format!("`{text}` is not a fraction such as 0.15"));
    Decimal::from_str_exact(&text).map_err(|_| problem())
}

impl Rate {
    pub const ZERO: Self = Self(Decimal::ZERO);
}

impl fmt::Display for Rate {
    /// As a percentage: `15 %`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.checked_mul(Decimal::ONE_HUNDRED) {
            Some(percent) => write!(formatter, "{} %", percent.normalize()),
            // Nothing that a rulebook allows, but a refusal may have to name it.
            None => self.0.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(text: &str) -> i64 {
        Money::round(text.parse().unwrap(), Currency::EUR).unwrap().minor
    }

    #[test]
    fn rounding_is_half_to_even() {
        assert_eq!([rounded("0.5"), rounded("1.5"), rounded("2.5"), rounded("-0.5")], [0, 2, 2, 0]);
    }

    #[test]
    fn amounts_of_two_currencies_do_not_add_up() {
        let outcome = Money::new(1, Currency::EUR).plus(Money::new(1, Currency::USD));
        let expected = MoneyError::CurrencyMismatch { left: Currency::EUR, right: Currency::USD };
        assert_eq!(outcome, Err(expected));
    }

    #[test]
    fn an_amount_reads_in_major_units() {
        assert_eq!(Money::new(123_456, Currency::EUR).to_string(), "1234.56 EUR");
        assert_eq!(Money::new(1500, Currency::JPY).to_string(), "1500 JPY");
    }

    #[test]
    fn a_rate_is_read_from_text_only() {
        assert_eq!(serde_json::from_str::<Rate>("\"0.15\"").unwrap().to_string(), "15 %");
        assert!(serde_json::from_str::<Rate>("0.15").is_err());
    }

    #[test]
    fn the_largest_rate_can_be_shown() {
        assert_eq!(Rate(Decimal::MAX).to_string(), Decimal::MAX.to_string());
    }
}
