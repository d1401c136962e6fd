//! Tracks, levels, what they require and give, and the certificate catalogue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    BenefitId, CertificationCode, DocumentId, LevelId, Money, ObligationId, RequirementId, TrackId,
};

/// A kind of partnership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Track {
    pub id: TrackId,
    pub name: String,
    /// Whether new partners may join it.
    pub open: bool,
    /// From the lowest to the highest.
    pub levels: Vec<Level>,
}

impl Track {
    pub fn level(&self, level: &LevelId) -> Option<&Level> {
        self.levels.iter().find(|candidate| candidate.id == *level)
    }

    /// Place of a level in the track, 0 for the lowest.
    pub fn rank(&self, level: &LevelId) -> Option<usize> {
        self.levels.iter().position(|candidate| candidate.id == *level)
    }

    /// The level after this one; the lowest level for a partner without one; `None` at the top.
    pub fn next_level(&self, level: Option<&LevelId>) -> Option<&Level> {
        match level {
            None => self.levels.first(),
            Some(level) => self.levels.get(self.rank(level)? + 1),
        }
    }
}

/// A step of maturity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Level {
    pub id: LevelId,
    pub name: String,
    /// Who or what gives this level.
    pub decision: DecisionMode,
    /// Every one must be met (or overridden with a reason in a review).
    #[serde(default)]
    pub requirements: Vec<Requirement>,
    #[serde(default)]
    pub benefits: Vec<Benefit>,
    /// Complexity classes of leads that partners of this level may be offered.
    #[serde(default)]
    pub lead_classes: Vec<String>,
}

/// How a level is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DecisionMode {
    /// Given on entry, without a person.
    Automatic,
    /// Set by an administrator, with a reason.
    Administrator,
    /// Decided in a level review by two people on frozen evidence.
    Review,
}

/// One requirement of a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    pub id: RequirementId,
    /// What people read.
    pub title: String,
    pub predicate: Predicate,
}

/// What evidence must show. Bounds say in their names whether they include their value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Predicate {
    /// Valid certificates of any of these entries, held by at least this many different persons.
    Certificates { any_of: Vec<CertificationCode>, persons_at_least: u32 },
    /// Licences in force.
    Licences { at_least: u32 },
    /// Seats over all licences in force: strictly more than.
    Seats { more_than: u64 },
    /// Servers over all licences in force.
    Servers { at_least: u64 },
    /// Annual subscription revenue of the licences in force.
    AnnualRevenue { at_least: Money },
    /// Customer references on record.
    References { at_least: u32 },
    /// The duty is not overdue.
    Obligation { obligation: ObligationId },
    /// The document is acknowledged.
    Acknowledged { document: DocumentId },
    /// Only a person can tell; the reviewer answers the question.
    Judged { question: String },
}

/// Something a level gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Benefit {
    pub id: BenefitId,
    pub title: String,
    /// Where a benefit has grades, which one: for example `basic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// The certificate catalogue and how certificates age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateRules {
    pub catalogue: Vec<Certification>,
    /// With at most this many days left a certificate is `expiring soon` (90: day 90 included).
    pub expiring_soon_days: u32,
    /// With fewer than this many days left it is `critical` (30: day 30 is not).
    pub critical_days: u32,
    /// What an expiry or revocation does to its partner's level.
    pub on_expiry: ExpiryEffect,
    /// Present where every partner must have a designated technical resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub technical_resource: Option<TechnicalResourceRules>,
}

/// An entry of the certificate catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certification {
    pub code: CertificationCode,
    pub name: String,
    pub kind: CertificationKind,
    /// Months from issue to expiry.
    pub valid_months: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CertificationKind {
    Technical,
    Sales,
}

/// What the end of a certificate does to the level. It never takes the level away by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExpiryEffect {
    /// The level's standing shows a warning.
    Warn,
    /// A level review is opened when a requirement of the current level is no longer met.
    Review,
}

/// The designated technical resource: a certified person who is the partner's reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TechnicalResourceRules {
    /// Certifications that qualify.
    pub any_of: Vec<CertificationCode>,
    /// Days to restore compliance after the certified person is no longer available.
    pub restore_days: u32,
}

impl CertificateRules {
    pub fn certification(&self, code: &CertificationCode) -> Option<&Certification> {
        self.catalogue.iter().find(|entry| entry.code == *code)
    }
}
