//! What has happened to a partner.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::customer::Company;
use crate::rulebook::{ContactRole, EntryMode};
use crate::{
    BenefitId, CertificateId, CertificationCode, Country, CriterionId, Day, DocumentId, LevelId,
    LevelReviewId, Money, ObligationId, PersonId, PersonalData, PhaseId, Rate, ResourceId, TrackId,
    aggregate,
};

/// A contact as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    pub role: ContactRole,
    pub person: PersonalData,
}

/// Why a level changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LevelCause {
    /// The entry level, given on joining.
    Entry,
    Administrator,
    Review {
        review: LevelReviewId,
    },
    /// The partner left the track.
    LeftTrack,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PartnerEvent {
    #[serde(rename = "MouSigned")]
    MouSigned { company: Company, signed_on: Day, until: Day, resources: BTreeSet<ResourceId> },
    #[serde(rename = "PartnerApplied")]
    Applied { company: Company, track: TrackId, contacts: Vec<Contact> },
    /// Active at once: by registration or added by an administrator. `LevelChanged` follows.
    #[serde(rename = "PartnerRegistered")]
    Registered { company: Company, track: TrackId, contacts: Vec<Contact>, mode: EntryMode },
    #[serde(rename = "PartnerEvaluated")]
    Evaluated { criterion: CriterionId, met: bool, note: String },
    #[serde(rename = "PartnerApproved")]
    Approved {},
    #[serde(rename = "PartnerDeclined")]
    Declined { reason: String },
    #[serde(rename = "PartnerWithdrew")]
    Withdrew { reason: String },
    /// The partner is active from here on.
    #[serde(rename = "AgreementSigned")]
    AgreementSigned {
        signed_on: Day,
        ends_on: Day,
        scope: BTreeSet<Country>,
        annexes: BTreeSet<DocumentId>,
        deviations: Vec<String>,
    },
    #[serde(rename = "AgreementRenewed")]
    AgreementRenewed { ends_on: Day },
    #[serde(rename = "PartnerRestricted")]
    Restricted { benefits: BTreeSet<BenefitId>, reason: String },
    #[serde(rename = "PartnerRestrictionLifted")]
    RestrictionLifted { reason: String },
    #[serde(rename = "PartnerSuspended")]
    Suspended { reason: String },
    #[serde(rename = "PartnerReinstated")]
    Reinstated { reason: String },
    #[serde(rename = "PartnerTerminated")]
    Terminated { reason: String },
    #[serde(rename = "TransitionPlanRecorded")]
    TransitionPlanRecorded { plan: String },
    #[serde(rename = "ContactAdded")]
    ContactAdded { contact: Contact },
    #[serde(rename = "ContactChanged")]
    ContactChanged { contact: Contact },
    #[serde(rename = "ContactRemoved")]
    ContactRemoved { person: PersonId },
    #[serde(rename = "TrackJoined")]
    TrackJoined { track: TrackId },
    #[serde(rename = "TrackLeft")]
    TrackLeft { track: TrackId },
    #[serde(rename = "LevelChanged")]
    LevelChanged {
        track: TrackId,
        from: Option<LevelId>,
        to: Option<LevelId>,
        cause: LevelCause,
        reason: String,
    },
    #[serde(rename = "ProbationSet")]
    ProbationSet { track: TrackId, until: Day, review: LevelReviewId },
    #[serde(rename = "PhaseEntered")]
    PhaseEntered { phase: PhaseId, reason: String },
    #[serde(rename = "TechnicalResourceDesignated")]
    TechnicalResourceDesignated {
        certificate: CertificateId,
        person: PersonId,
        certification: CertificationCode,
    },
    #[serde(rename = "TechnicalGapOpened")]
    TechnicalGapOpened { certificate: CertificateId, reason: String, restore_by: Day },
    #[serde(rename = "TechnicalGapLapsed")]
    TechnicalGapLapsed { restore_by: Day },
    #[serde(rename = "DocumentAcknowledged")]
    DocumentAcknowledged { document: DocumentId, on: Day },
    #[serde(rename = "ObligationFulfilled")]
    ObligationFulfilled { obligation: ObligationId, on: Day, note: String },
    #[serde(rename = "TargetAgreed")]
    TargetAgreed { period_from: Day, period_to: Day, amount: Money },
    #[serde(rename = "TargetAssessed")]
    TargetAssessed { period_from: Day, achieved: Money, met: bool, discussion: String },
    #[serde(rename = "DiscountAdjusted")]
    DiscountAdjusted { rate: Rate, reason: String },
    #[serde(rename = "ReferenceRecorded")]
    ReferenceRecorded { customer: String, statement: String },
}

impl aggregate::Event for PartnerEvent {
    fn personal_data(&mut self) -> Vec<&mut PersonalData> {
        match self {
            Self::Applied { contacts, .. } | Self::Registered { contacts, .. } => {
                contacts.iter_mut().map(|contact| &mut contact.person).collect()
            }
            Self::ContactAdded { contact } | Self::ContactChanged { contact } => {
                vec![&mut contact.person]
            }
            _ => Vec::new(),
        }
    }
}
