//! Why a command to a partner is refused.

use schemars::JsonSchema;
use serde::Serialize;

use super::PartnerStatus;
use crate::rulebook::{ContactRole, EntryMode};
use crate::wording::{or_none, word, words};
use crate::{
    BenefitId, CertificationCode, CriterionId, Day, DocumentId, LevelId, ObligationId, PersonId,
    PhaseId, Rate, Refusal, RefusalKind, ResourceId, TrackId,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum PartnerError {
    #[error("the partner does not exist")]
    PartnerNotFound,
    #[error("the partner already exists")]
    PartnerAlreadyExists,
    #[error("the way into this program is {}, not {}", word(.offered), word(.asked))]
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
    #[error("contacts are missing: {}", words(.missing))]
    RequiredContactMissing { missing: Vec<ContactRole> },
    #[error("`{field}` is not usable: {problem}")]
    InvalidField { field: String, problem: String },
    #[error("the rulebook evaluates no criterion `{criterion}`")]
    UnknownCriterion { criterion: CriterionId },
    #[error("criteria are not evaluated yet: {}", words(.missing))]
    EvaluationIncomplete { missing: Vec<CriterionId> },
    #[error("a partner that is {} cannot do this", word(.status))]
    WrongStatus { status: PartnerStatus },
    #[error("{day} is in the future; today is {today}")]
    DateInFuture { day: Day, today: Day },
    #[error("{day} is too long ago; the earliest day is {earliest}")]
    DateTooOld { day: Day, earliest: Day },
    #[error("{day} is too far ahead; the latest day is {latest}")]
    DateTooFar { day: Day, latest: Day },
    #[error("{until} is not after {from}")]
    EndNotAfterStart { from: Day, until: Day },
    #[error("there is no agreement")]
    NoAgreement,
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
    #[error(
        "the review is about level {}, but the partner holds {} now",
        or_none(.reviewed.as_ref()), or_none(.held.as_ref())
    )]
    LevelChangedSince { reviewed: Option<LevelId>, held: Option<LevelId> },
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
