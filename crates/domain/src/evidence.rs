//! Evidence: facts of the log that a level's requirements count, each with its event's id.

mod counting;
mod wording;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rulebook::{Level, Requirement};
use crate::{
    CertificateId, CertificationCode, Day, DocumentId, EventId, LicenceId, Money, ObligationId,
    PersonId, RequirementId,
};

/// What was known about a partner at one position of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Log position up to which facts were taken.
    pub position: u64,
    pub day: Day,
    pub facts: Vec<Fact>,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fact {
    /// A certificate; counts while `day <= expires_on`.
    Certificate {
        event: EventId,
        certificate: CertificateId,
        person: PersonId,
        certification: CertificationCode,
        expires_on: Day,
    },
    /// A subscription licence; counts while `day <= ends_on`.
    Licence {
        event: EventId,
        licence: LicenceId,
        seats: u64,
        servers: u64,
        /// Monthly recurring revenue.
        mrr: Money,
        ends_on: Day,
    },
    Reference {
        event: EventId,
    },
    /// A duty and the day until which it is fulfilled.
    Obligation {
        event: EventId,
        obligation: ObligationId,
        fulfilled_until: Day,
    },
    Acknowledgement {
        event: EventId,
        document: DocumentId,
    },
}

/// How one requirement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Met,
    NotMet,
    /// Only a person can tell, and nobody has yet.
    ToBeJudged,
}

/// One requirement held against the evidence: enough to explain the result years later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    pub requirement: RequirementId,
    pub title: String,
    pub outcome: Outcome,
    /// What is there, for example `5000 seats`.
    pub actual: String,
    /// What is asked, for example `more than 5000 seats`.
    pub wanted: String,
    /// The events that were counted.
    pub evidence: Vec<EventId>,
    /// The last day on which the requirement stays met if nothing is added; absent when it is not
    /// met or nothing counted ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met_until: Option<Day>,
}

/// Holds every requirement of a level against the evidence, in the rulebook's order.
pub fn evaluate_level(level: &Level, evidence: &Evidence) -> Vec<Evaluation> {
    level.requirements.iter().map(|requirement| evaluate(requirement, evidence)).collect()
}

/// Holds one requirement against the evidence.
pub fn evaluate(requirement: &Requirement, evidence: &Evidence) -> Evaluation {
    let predicate = &requirement.predicate;
    let counted = counting::counted(predicate, evidence);
    let total = counting::total(&counted);
    let outcome = match counting::holds(predicate, total) {
        Some(true) => Outcome::Met,
        Some(false) => Outcome::NotMet,
        None => Outcome::ToBeJudged,
    };
    Evaluation {
        requirement: requirement.id.clone(),
        title: requirement.title.clone(),
        outcome,
        actual: wording::actual(predicate, &counted),
        wanted: wording::wanted(predicate),
        met_until: counting::met_until(predicate, &counted),
        evidence: counted.into_iter().flat_map(|item| item.events).collect(),
    }
}

#[cfg(test)]
mod tests;
