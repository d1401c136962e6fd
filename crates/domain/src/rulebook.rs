//! The rulebook: one versioned document that holds everything in which vendors' programs differ.
//!
//! It is read from TOML ([`Rulebook::from_toml`]) or JSON, checked as a whole ([`check`]),
//! published through the `program` aggregate and recorded by version with every decision. Sections
//! that a program does not use are absent or empty; nothing has a vendor-specific default.

pub mod check;
mod commercial;
mod deals;
mod entry;
mod levels;
mod reading;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use commercial::{
    Discounts, LevelDiscount, LicenceModel, LicenceRules, OrderRules, PaymentMethod, Price,
    PriceList, PricePeriod, PriceUnit, VolumeBonus, VolumeMeasure,
};
pub use deals::{DealRules, DealValidation, ExtensionRules, LevelRef};
pub use entry::{
    AgreementRules, ContactRole, EntryMode, EntryRules, MouRules, Obligation, ObligationCadence,
};
pub use levels::{
    Benefit, CertificateRules, Certification, CertificationKind, DecisionMode, ExpiryEffect, Level,
    Predicate, Requirement, TechnicalResourceRules, Track,
};

use crate::{Currency, LevelId, PhaseId, ProgramId, TrackId};

/// The rules of one program at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rulebook {
    pub identity: Identity,
    pub entry: EntryRules,
    pub notice: NoticeRules,
    /// Kinds of partnership, at least one.
    pub tracks: Vec<Track>,
    /// How partners operate over time, in order; empty where the program knows no phases.
    #[serde(default)]
    pub phases: Vec<Phase>,
    pub certificates: CertificateRules,
    pub deals: DealRules,
    pub licences: LicenceRules,
    pub orders: OrderRules,
    /// One list per currency.
    pub price_lists: Vec<PriceList>,
    #[serde(default)]
    pub discounts: Discounts,
    /// Recurring duties of partners.
    #[serde(default)]
    pub obligations: Vec<Obligation>,
}

/// Which program this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub program: ProgramId,
    /// For people, for example `Quazzar Partner Program`.
    pub name: String,
    pub vendor: String,
    /// Currencies in which the program trades; every price list uses one of them.
    #[schemars(with = "Vec<String>")]
    pub currencies: Vec<Currency>,
    /// Where the rules come from: a document's title and version.
    pub source: String,
}

/// How changes of the rulebook are announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticeRules {
    /// Days between the announcement of a new version and the day it takes effect.
    pub days: u32,
}

/// A journey phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    pub id: PhaseId,
    pub name: String,
    /// What the phase is about, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Rulebook {
    /// The JSON Schema of a rulebook document, made from the types.
    pub fn json_schema() -> schemars::Schema {
        schemars::schema_for!(Self)
    }

    pub fn track(&self, track: &TrackId) -> Option<&Track> {
        self.tracks.iter().find(|candidate| candidate.id == *track)
    }

    pub fn level(&self, track: &TrackId, level: &LevelId) -> Option<&Level> {
        self.track(track)?.level(level)
    }

    pub fn price_list(&self, currency: Currency) -> Option<&PriceList> {
        self.price_lists.iter().find(|list| list.currency == currency)
    }
}
