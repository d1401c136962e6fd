//! Deal registration and opportunity protection.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{BenefitId, Country, LevelId, ProductScope, Rate, ReasonCode, TrackId};

/// A level within a track.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct LevelRef {
    pub track: TrackId,
    pub level: LevelId,
}

/// Rules of deal registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DealRules {
    pub validation: DealValidation,
    /// Days of protection from the day of validation; its last day is included.
    pub protection_days: u32,
    /// Protection ends when this many days pass without activity.
    pub activity_interval_days: u32,
    pub extension: ExtensionRules,
    /// The benefit that levels list whose partners may register deals; absent means that every
    /// active partner may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub benefit: Option<BenefitId>,
    /// Of the levels that may register deals, only these; empty means all of them.
    #[serde(default)]
    pub eligible_levels: Vec<LevelRef>,
    /// Countries in which no deal may be registered.
    #[serde(default)]
    pub restricted_countries: Vec<Country>,
    /// What deals are about; an opportunity is one customer and one of these.
    pub product_scopes: Vec<ProductScope>,
    pub rejection_reasons: Vec<ReasonCode>,
    /// Named rules by which a conflict is resolved.
    pub conflict_rules: Vec<ReasonCode>,
    /// Discount that a protected deal adds to its order, where the program grants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_discount: Option<Rate>,
}

/// Who validates a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DealValidation {
    /// The first registration of a free opportunity is protected at once.
    Automatic,
    /// A person of the vendor approves or rejects it.
    Review,
}

/// How protection may be prolonged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtensionRules {
    /// Days that one extension adds.
    pub days: u32,
    /// How many extensions a deal may have.
    pub count_max: u32,
}
