//! A person's data, which an event never holds in clear.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::PersonId;

/// What we know of a person. Commands and states hold it `Clear`; the log holds it `Sealed` under
/// the person's own key; once that key is erased it reads as `Erased`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PersonalData {
    Clear(PersonDetails),
    Sealed(SealedPerson),
    Erased(ErasedPerson),
}

/// A person in clear.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonDetails {
    pub person: PersonId,
    pub name: String,
    pub email: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// A person as stored: XChaCha20-Poly1305 over the JSON of [`PersonDetails`], nonce first, base64.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedPerson {
    pub person: PersonId,
    pub sealed: String,
}

/// A person whose key was erased.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErasedPerson {
    pub person: PersonId,
    /// Always true.
    pub erased: bool,
}

impl PersonalData {
    /// Whose data this is.
    pub fn person(&self) -> PersonId {
        match self {
            Self::Clear(details) => details.person,
            Self::Sealed(sealed) => sealed.person,
            Self::Erased(erased) => erased.person,
        }
    }
}
