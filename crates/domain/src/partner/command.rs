//! What can be asked of a partner.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::certificate::PersonInput;
use crate::customer::Company;
use crate::rulebook::ContactRole;
use crate::{
    BenefitId, CertificateId, CertificationCode, Country, CriterionId, Day, DocumentId, LevelId,
    LevelReviewId, Money, ObligationId, PartnerId, PersonId, PhaseId, Rate, ResourceId, TrackId,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PartnerCommand {
    /// Signs a memorandum of understanding with a prospect.
    SignMou {
        company: Company,
        signed_on: Day,
        until: Day,
        resources: BTreeSet<ResourceId>,
    },
    /// Applies for membership; a prospect under an MOU, or a company not known before.
    Apply {
        company: Company,
        track: TrackId,
        contacts: Vec<ContactInput>,
    },
    /// Registers (entry mode `registration`): active at once at the track's entry level.
    Register {
        company: Company,
        track: TrackId,
        contacts: Vec<ContactInput>,
    },
    /// Adds a partner (entry mode `administrator`) with its initial level.
    Add {
        company: Company,
        track: TrackId,
        level: LevelId,
        contacts: Vec<ContactInput>,
    },
    RecordEvaluation {
        criterion: CriterionId,
        met: bool,
        note: String,
    },
    /// Approves the application: the agreement is issued for signature.
    Approve {},
    Decline {
        reason: String,
    },
    /// The applicant steps back.
    Withdraw {
        reason: String,
    },
    SignAgreement {
        signed_on: Day,
        /// Absent: the rulebook's usual term.
        #[serde(default)]
        term_months: Option<u32>,
        /// Countries in which the partner may register deals; empty means everywhere.
        #[serde(default)]
        scope: BTreeSet<Country>,
        #[serde(default)]
        annexes: BTreeSet<DocumentId>,
        /// Signed deviations from the rulebook, in words; they prevail.
        #[serde(default)]
        deviations: Vec<String>,
    },
    RenewAgreement {
        until: Day,
    },
    /// Withholds named benefits.
    Restrict {
        benefits: BTreeSet<BenefitId>,
        reason: String,
    },
    LiftRestriction {
        reason: String,
    },
    Suspend {
        reason: String,
    },
    Reinstate {
        reason: String,
    },
    Terminate {
        reason: String,
    },
    /// Records how customers are looked after from now on.
    RecordTransitionPlan {
        plan: String,
    },
    AddContact {
        role: ContactRole,
        person: PersonInput,
    },
    ChangeContact {
        role: ContactRole,
        person: PersonInput,
    },
    RemoveContact {
        person: PersonId,
    },
    JoinTrack {
        track: TrackId,
    },
    LeaveTrack {
        track: TrackId,
    },
    /// Sets a level whose decision mode is `administrator`.
    SetLevel {
        track: TrackId,
        level: LevelId,
        reason: String,
    },
    /// Applies a review's decision (by policy only).
    ApplyReviewDecision {
        review: LevelReviewId,
        track: TrackId,
        /// The level that the decision is about.
        current: Option<LevelId>,
        level: Option<LevelId>,
        probation_until: Option<Day>,
        reason: String,
    },
    EnterPhase {
        phase: PhaseId,
        reason: String,
    },
    /// Names the certified person who is the technical reference, by the certificate's own facts.
    DesignateTechnicalResource {
        certificate: CertificateFact,
    },
    /// The designated person's certificate ended or the person left.
    OpenTechnicalGap {
        certificate: CertificateId,
        reason: String,
    },
    /// The scheduler's: the deadline to restore a technical resource has passed.
    LapseTechnicalGap {},
    Acknowledge {
        document: DocumentId,
    },
    FulfilObligation {
        obligation: ObligationId,
        on: Day,
        note: String,
    },
    AgreeTarget {
        period_from: Day,
        period_to: Day,
        amount: Money,
    },
    /// Records how an agreed target went; a miss changes nothing else.
    AssessTarget {
        period_from: Day,
        achieved: Money,
        discussion: String,
    },
    /// A per-partner discount on top of (or below) what level and volume give.
    AdjustDiscount {
        rate: Rate,
        reason: String,
    },
    RecordReference {
        customer: String,
        statement: String,
    },
}

/// A contact as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactInput {
    pub role: ContactRole,
    pub person: PersonInput,
}

/// What a certificate's own stream says at the moment of designation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateFact {
    pub certificate: CertificateId,
    pub partner: PartnerId,
    pub person: PersonId,
    pub certification: CertificationCode,
    pub expires_on: Day,
    /// False once revoked or expired.
    pub valid: bool,
}
