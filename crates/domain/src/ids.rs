//! Identifiers: one newtype each, so that a deal's id cannot be passed where a partner's belongs.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

uuid_ids! {
    /// A partner of one program.
    PartnerId,
    /// A natural person; the unit of encryption and erasure.
    PersonId,
    /// One certificate of one person at one partner.
    CertificateId,
    /// One level review.
    LevelReviewId,
    /// One deal registration.
    DealId,
    /// One identifying key of an opportunity: a customer's name, domain or tax id + product scope.
    OpportunityId,
    /// A conflict between two registrations of one opportunity.
    ConflictId,
    /// One order.
    OrderId,
    /// One licence of one end customer.
    LicenceId,
    /// One command; a function of the caller and its `Idempotency-Key`.
    CommandId,
    /// One stored event.
    EventId,
}

macro_rules! code_ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        ///
        /// 1 to 64 characters: letters, digits, `-`, `_` and `.`, starting with a letter or digit.
        #[derive(
            Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(#[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"))] String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidCode;

            fn try_from(text: String) -> Result<Self, InvalidCode> {
                if is_code(&text) { Ok(Self(text)) } else { Err(InvalidCode { text }) }
            }
        }

        impl FromStr for $name {
            type Err = InvalidCode;

            fn from_str(text: &str) -> Result<Self, InvalidCode> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> String {
                code.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    )*};
}

code_ids! {
    /// One vendor's partner program, for example `quazzar`.
    ProgramId,
    /// A kind of partnership within a program.
    TrackId,
    /// A step of maturity within a track.
    LevelId,
    /// A journey phase: how the partner operates. Never the same thing as the level.
    PhaseId,
    /// An entry of the certificate catalogue, for example `C3`.
    CertificationCode,
    /// A requirement of a level, unique within the level.
    RequirementId,
    /// A benefit of a level.
    BenefitId,
    /// An article of the price list.
    Sku,
    /// A product or product group that a deal is about.
    ProductScope,
    /// An enumerated reason of the rulebook, for example for rejecting a deal.
    ReasonCode,
    /// A document that a partner acknowledges, for example `code-of-conduct`.
    DocumentId,
    /// A resource that an MOU opens, for example `demo-environment`.
    ResourceId,
    /// A recurring duty of a partner, for example `progress-review`.
    ObligationId,
    /// An evaluation criterion of an application, for example `market-presence`.
    CriterionId,
}

/// The text is no code: wrong characters or length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a code: 1 to 64 letters, digits, `-`, `_` or `.`")]
pub struct InvalidCode {
    pub text: String,
}

fn is_code(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// The identity of a logged-in person or service as its token names it (`sub`): an opaque text, not
/// a name and not an e-mail address, because it stands in clear in every event's metadata.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Subject(pub String);

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// An ISO 3166-1 alpha-2 country code in upper case.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct Country(#[schemars(with = "String", regex(pattern = "^[A-Z]{2}$"))] [u8; 2]);

impl Country {
    /// Whether ISO 3166-1 gives the code to a country. Stored events may hold others.
    pub fn is_assigned(self) -> bool {
        celes::Country::from_alpha2(self.to_string()).is_ok()
    }
}

/// Any two letters: a stored event is read whatever was known of countries in its time. Commands
/// and rulebooks are checked for [`Country::is_assigned`].
impl TryFrom<String> for Country {
    type Error = InvalidCountry;

    fn try_from(text: String) -> Result<Self, InvalidCountry> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Self([*a, *b])),
            _ => Err(InvalidCountry { text }),
        }
    }
}

impl FromStr for Country {
    type Err = InvalidCountry;

    fn from_str(text: &str) -> Result<Self, InvalidCountry> {
        let country = Self::try_from(text.to_owned())?;
        if country.is_assigned() { Ok(country) } else { Err(InvalidCountry { text: text.into() }) }
    }
}

impl From<Country> for String {
    fn from(country: Country) -> String {
        country.to_string()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.0[0] as char, self.0[1] as char)
    }
}

/// The text is not a country code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an ISO 3166-1 alpha-2 country code in upper case")]
pub struct InvalidCountry {
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_that_iso_3166_assigns_are_countries() {
        for code in ["IT", "DE", "KP", "US"] {
            assert_eq!(code.parse::<Country>().unwrap().to_string(), code);
        }
        for text in ["XX", "ZZ", "UK", "it", "ITA", ""] {
            assert!(text.parse::<Country>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_stored_country_is_read_whatever_iso_3166_says_by_now() {
        let read: Country = serde_json::from_str("\"ZZ\"").unwrap();
        assert!(!read.is_assigned());
        assert!(serde_json::from_str::<Country>("\"zz\"").is_err());
    }
}
