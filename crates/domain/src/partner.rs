//! Partner: from prospect to active member, and what it is allowed and owes on the way.
//!
//! Ways in (the rulebook's entry mode): *application* (optional MOU, application, evaluation,
//! approval, signature), *registration* (active at once), *administrator* (added by the vendor).
//! An active partner may be restricted, suspended, reinstated; termination is final and touches no
//! licence.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::certificate::PersonInput;
use crate::customer::Company;
use crate::rulebook::{ContactRole, EntryMode};
use crate::{
    Aggregate, BenefitId, CertificateId, CertificationCode, Context, Country, CriterionId, Day,
    DocumentId, LevelId, LevelReviewId, Money, ObligationId, PartnerId, PersonId, PersonalData,
    PhaseId, Rate, Refusal, RefusalKind, ResourceId, TrackId, aggregate,
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
        level: Option<LevelId>,
        probation_until: Option<Day>,
        reason: String,
    },
    EnterPhase {
        phase: PhaseId,
        reason: String,
    },
    /// Names the certified person who is the technical reference. The facts come from the certificate.
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum PartnerError {
    #[error("the partner does not exist")]
    PartnerNotFound,
    #[error("the partner already exists")]
    PartnerAlreadyExists,
    #[error("partners of this program do not join by {asked:?}; the way in is {offered:?}")]
    EntryModeNotOffered { asked: EntryMode, offered: EntryMode },
    #[error("this program has no memorandum of understanding")]
    MouNotOffered,
    #[error("the MOU does not open `{resource}`")]
    ResourceNotInMou { resource: ResourceId },
    #[error("an MOU runs {days_max} days at most")]
    MouTooLong { days_max: u32 },
    #[error("the program has no track `{track}`")]
    UnknownTrack { track: TrackId },
    #[error("track `{track}` is not open to new partners")]
    TrackNotOpen { track: TrackId },
    #[error("track `{track}` has no level `{level}`")]
    UnknownLevel { track: TrackId, level: LevelId },
    #[error("contacts are missing: {missing:?}")]
    RequiredContactMissing { missing: Vec<ContactRole> },
    #[error("`{field}` is not usable: {problem}")]
    InvalidField { field: String, problem: String },
    #[error("the rulebook evaluates no criterion `{criterion}`")]
    UnknownCriterion { criterion: CriterionId },
    #[error("criteria are not evaluated yet: {missing:?}")]
    EvaluationIncomplete { missing: Vec<CriterionId> },
    #[error("a partner that is {status:?} cannot do this")]
    WrongStatus { status: PartnerStatus },
    #[error("{day} is in the future; today is {today}")]
    DateInFuture { day: Day, today: Day },
    #[error("{until} is not after {from}")]
    EndNotAfterStart { from: Day, until: Day },
    #[error("the agreement knows no annex `{annex}`")]
    UnknownAnnex { annex: DocumentId },
    #[error("the current levels give no benefit `{benefit}`")]
    UnknownBenefit { benefit: BenefitId },
    #[error("a reason is required")]
    ReasonMissing,
    #[error("the partner has no contact {person}")]
    ContactNotFound { person: PersonId },
    #[error("the person is already a contact")]
    ContactAlreadyThere { person: PersonId },
    #[error("the partner is not on track `{track}`")]
    NotOnTrack { track: TrackId },
    #[error("the partner's only track cannot be left")]
    LastTrack,
    #[error("level `{level}` is decided by {mode}, not set by an administrator")]
    LevelNotSetByAdministrator { level: LevelId, mode: String },
    #[error("the program has no phase `{phase}`")]
    UnknownPhase { phase: PhaseId },
    #[error("this program asks for no technical resource")]
    NoTechnicalResourceAsked,
    #[error("the certificate belongs to another partner")]
    CertificateOfAnotherPartner,
    #[error("certification `{certification}` does not qualify a technical resource")]
    CertificationNotInScope { certification: CertificationCode },
    #[error("the certificate is not valid")]
    CertificateNotValid,
    #[error("there is no open technical gap")]
    NoTechnicalGap,
    #[error("the technical resource may be restored until {restore_by}")]
    TechnicalGapNotDue { restore_by: Day },
    #[error("the program has no document `{document}` to acknowledge")]
    UnknownDocument { document: DocumentId },
    #[error("the program knows no obligation `{obligation}`")]
    UnknownObligation { obligation: ObligationId },
    #[error("a target for the period from {period_from} is already agreed")]
    TargetAlreadyAgreed { period_from: Day },
    #[error("no target is agreed for the period from {period_from}")]
    TargetNotFound { period_from: Day },
    #[error("the amounts are in different currencies")]
    TargetCurrencyMismatch,
    #[error("this program has no per-partner discount")]
    AdjustmentNotOffered,
    #[error("an adjustment of {rate} exceeds the rulebook's {rate_max}")]
    AdjustmentTooLarge { rate: Rate, rate_max: Rate },
}

impl Refusal for PartnerError {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::PartnerNotFound => RefusalKind::NotFound,
            Self::UnknownTrack { .. }
            | Self::UnknownLevel { .. }
            | Self::InvalidField { .. }
            | Self::UnknownCriterion { .. }
            | Self::UnknownAnnex { .. }
            | Self::UnknownBenefit { .. }
            | Self::UnknownPhase { .. }
            | Self::UnknownDocument { .. }
            | Self::UnknownObligation { .. }
            | Self::ReasonMissing => RefusalKind::InvalidValue,
            _ => RefusalKind::Rule,
        }
    }
}

#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PartnerStatus {
    /// Not known at all.
    #[default]
    Unknown,
    /// Known by an MOU, without an application.
    Prospect,
    Applied,
    /// Approved; the agreement waits for its signature.
    Approved,
    Declined,
    Withdrawn,
    Active,
    /// Active, with some benefits withheld.
    Restricted,
    Suspended,
    Terminated,
}

/// Only what decisions need.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Partner {
    /// Set once the partner exists; the stream's own id.
    pub status: PartnerStatus,
    /// Status before a suspension, to return to.
    pub status_before_suspension: Option<PartnerStatus>,
    pub company: Option<Company>,
    /// Level by track; `None` on a track without a level yet.
    pub tracks: BTreeMap<TrackId, Option<LevelId>>,
    pub contacts: BTreeMap<PersonId, ContactRole>,
    pub evaluated: BTreeMap<CriterionId, bool>,
    pub agreement_ends_on: Option<Day>,
    pub scope: BTreeSet<Country>,
    pub withheld_benefits: BTreeSet<BenefitId>,
    pub phase: Option<PhaseId>,
    pub technical_resource: Option<CertificateId>,
    pub technical_gap_until: Option<Day>,
    pub acknowledged: BTreeSet<DocumentId>,
    /// Agreed amount by first day of the period.
    pub targets: BTreeMap<Day, Money>,
    pub discount_adjustment: Option<Rate>,
}

/// A partner's standing as other aggregates' decisions need it, taken from its own stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartnerStanding {
    pub partner: PartnerId,
    pub status: PartnerStatus,
    pub tracks: BTreeMap<TrackId, Option<LevelId>>,
    /// Countries in which the partner may register deals; empty means everywhere.
    pub scope: BTreeSet<Country>,
    pub withheld_benefits: BTreeSet<BenefitId>,
    pub discount_adjustment: Option<Rate>,
}

impl aggregate::Event for PartnerEvent {}

impl Aggregate for Partner {
    const CATEGORY: &'static str = "partner";
    type Command = PartnerCommand;
    type Event = PartnerEvent;
    type Error = PartnerError;

    fn decide(&self, _: PartnerCommand, _: &Context) -> Result<Vec<PartnerEvent>, PartnerError> {
        unimplemented!()
    }

    fn evolve(self, _: &PartnerEvent) -> Self {
        unimplemented!()
    }

    fn partner(&self) -> Option<PartnerId> {
        None
    }
}
