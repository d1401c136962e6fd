//! Every event of the domain in one type, and the way from and to stored bytes.
//!
//! Stored are the type's name and, apart from it, the JSON of its data. Names and shapes are
//! contracts (`schemas/events`): a new shape gets a new schema version and an upcast here.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Aggregate, PersonalData,
    aggregate::Event,
    certificate::{Certificate, CertificateEvent},
    deal::{Deal, DealEvent},
    level_review::{LevelReview, LevelReviewEvent},
    licence::{Licence, LicenceEvent},
    opportunity::{Opportunity, OpportunityEvent},
    order::{Order, OrderEvent},
    partner::{Partner, PartnerEvent},
    program::{Program, ProgramEvent},
};

/// Any event of any aggregate.
#[derive(Debug, Clone, PartialEq)]
pub enum DomainEvent {
    Program(ProgramEvent),
    Partner(PartnerEvent),
    Certificate(CertificateEvent),
    LevelReview(LevelReviewEvent),
    Deal(DealEvent),
    Opportunity(OpportunityEvent),
    Order(OrderEvent),
    Licence(LicenceEvent),
}

macro_rules! from_events {
    ($($event:ident => $variant:ident),* $(,)?) => {$(
        impl From<$event> for DomainEvent {
            fn from(event: $event) -> Self {
                Self::$variant(event)
            }
        }
    )*};
}

from_events! {
    ProgramEvent => Program,
    PartnerEvent => Partner,
    CertificateEvent => Certificate,
    LevelReviewEvent => LevelReview,
    DealEvent => Deal,
    OpportunityEvent => Opportunity,
    OrderEvent => Order,
    LicenceEvent => Licence,
}

/// Stored bytes that are no event of this program version.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("no aggregate has streams of category `{category}`")]
    UnknownCategory { category: String },
    #[error("`{kind}` cannot be read")]
    Malformed {
        kind: String,
        #[source]
        source: serde_json::Error,
    },
}

impl DomainEvent {
    /// Reads a stored event by its stream's category, its type name and its data.
    pub fn decode(category: &str, kind: &str, data: &[u8]) -> Result<Self, DecodeError> {
        Ok(match category {
            Program::CATEGORY => Self::Program(decode(kind, data)?),
            Partner::CATEGORY => Self::Partner(decode(kind, data)?),
            Certificate::CATEGORY => Self::Certificate(decode(kind, data)?),
            LevelReview::CATEGORY => Self::LevelReview(decode(kind, data)?),
            Deal::CATEGORY => Self::Deal(decode(kind, data)?),
            Opportunity::CATEGORY => Self::Opportunity(decode(kind, data)?),
            Order::CATEGORY => Self::Order(decode(kind, data)?),
            Licence::CATEGORY => Self::Licence(decode(kind, data)?),
            other => return Err(DecodeError::UnknownCategory { category: other.to_owned() }),
        })
    }

    /// The persons' data inside.
    pub fn personal_data(&mut self) -> Vec<&mut PersonalData> {
        match self {
            Self::Program(event) => event.personal_data(),
            Self::Partner(event) => event.personal_data(),
            Self::Certificate(event) => event.personal_data(),
            Self::LevelReview(event) => event.personal_data(),
            Self::Deal(event) => event.personal_data(),
            Self::Opportunity(event) => event.personal_data(),
            Self::Order(event) => event.personal_data(),
            Self::Licence(event) => event.personal_data(),
        }
    }
}

/// Splits an event into its stored name and its data.
///
/// Events are externally tagged struct variants, so their JSON is `{"Name":{...}}`.
pub fn encode<E: Serialize>(event: &E) -> (String, Vec<u8>) {
    let json = serde_json::to_vec(event).expect("events serialise without failing");
    let name_end = json[2..].iter().position(|byte| *byte == b'"').expect("the tag is a string");
    let kind = String::from_utf8_lossy(&json[2..2 + name_end]).into_owned();
    (kind, json[name_end + 4..json.len() - 1].to_vec())
}

/// Reads an externally tagged enum (an event, a command) from its tag and its content.
pub fn decode<E: DeserializeOwned>(kind: &str, data: &[u8]) -> Result<E, DecodeError> {
    let malformed = |source| DecodeError::Malformed { kind: kind.to_owned(), source };
    let mut json = Vec::with_capacity(kind.len() + data.len() + 5);
    json.push(b'{');
    serde_json::to_writer(&mut json, kind).map_err(malformed)?;
    json.push(b':');
    json.extend_from_slice(data);
    json.push(b'}');
    serde_json::from_slice(&json).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_back_from_its_name_and_data() {
        let event = ProgramEvent::RulebookWithdrawn { version: 3, reason: "a \"typo\"".into() };
        let (kind, data) = encode(&event);
        assert_eq!(kind, "RulebookWithdrawn");
        assert_eq!(data, br#"{"version":3,"reason":"a \"typo\""}"#);
        let read = DomainEvent::decode("program", &kind, &data).unwrap();
        assert_eq!(read, DomainEvent::Program(event));
    }

    #[test]
    fn an_unknown_category_or_type_is_an_error_and_never_skipped() {
        assert!(DomainEvent::decode("weather", "Rained", b"{}").is_err());
        assert!(DomainEvent::decode("deal", "Rained", b"{}").is_err());
    }
}
