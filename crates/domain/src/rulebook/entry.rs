//! How a company becomes a partner, and what it owes from then on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CriterionId, DocumentId, Money, ObligationId, ResourceId};

/// The way in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryRules {
    pub mode: EntryMode,
    /// Present where a prospect may sign a memorandum of understanding first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mou: Option<MouRules>,
    /// What an application is evaluated on; every criterion needs an outcome before approval.
    #[serde(default)]
    pub evaluation_criteria: Vec<CriterionId>,
    /// Present where an agreement must be signed before the partnership is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<AgreementRules>,
    /// Contacts that every partner must name.
    #[serde(default)]
    pub required_contacts: Vec<ContactRole>,
    /// Yearly fee; absent where joining is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program_fee: Option<Money>,
    /// Documents that a partner acknowledges, for example a code of conduct.
    #[serde(default)]
    pub acknowledgements: Vec<DocumentId>,
}

/// Who makes a partner active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EntryMode {
    /// Application, evaluation, agreement, signature.
    Application,
    /// Registering is enough: active at once, at the track's entry level.
    Registration,
    /// An administrator of the vendor adds the partner with its initial level.
    Administrator,
}

/// What a memorandum of understanding opens before an agreement is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MouRules {
    pub resources: Vec<ResourceId>,
    /// Longest time that an MOU may run, in days.
    pub days_max: u32,
}

/// The agreement that makes a partnership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgreementRules {
    /// Usual term in months.
    pub term_months: u32,
    /// Annexes that an agreement may carry.
    #[serde(default)]
    pub annexes: Vec<DocumentId>,
}

/// What a contact is responsible for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ContactRole {
    Technical,
    Sales,
    Executive,
    Billing,
    Marketing,
}

/// A recurring duty, for example a quarterly progress review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Obligation {
    pub id: ObligationId,
    pub title: String,
    /// How often it is due; the first cadence whose levels match a partner counts.
    pub cadence: Vec<ObligationCadence>,
}

/// How often a duty is due for some levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObligationCadence {
    /// Levels concerned; empty means all.
    #[serde(default)]
    pub levels: Vec<super::LevelRef>,
    /// Months between two fulfilments.
    pub months: u32,
}
