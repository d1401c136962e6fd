//! Level review: frozen evidence, every requirement evaluated, a recommendation, and a decision by
//! another person with a reason. The record answers "why is this partner gold?" for ever.

mod decide;
mod evolve;
mod outcome;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::evidence::{Evaluation, Evidence};
use crate::partner::{PartnerStanding, PartnerStatus};
use crate::wording::{or_none, word, words};
use crate::{
    Aggregate, Context, Day, LevelId, LevelReviewId, PartnerId, Refusal, RefusalKind,
    RequirementId, Subject, TrackId, aggregate,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LevelReviewCommand {
    /// Opens a review of whether the partner holds `target`: the next level (promotion) or the
    /// current one (standing). `standing`, `evidence` and `other` come from the partner's records.
    Open {
        standing: PartnerStanding,
        track: TrackId,
        target: LevelId,
        evidence: Evidence,
        /// A review of the same partner and track that is open already.
        other: Option<LevelReviewId>,
        /// Why the review is opened.
        reason: String,
    },
    /// Answers a requirement that only a person can judge.
    Judge {
        requirement: RequirementId,
        met: bool,
        note: String,
    },
    Recommend {
        outcome: ReviewOutcome,
        reason: String,
    },
    /// Decides; by another person than the one who recommended.
    Decide {
        outcome: ReviewOutcome,
        reason: String,
        /// Reasons for giving the target level although these requirements are not met.
        #[serde(default)]
        overrides: BTreeMap<RequirementId, String>,
        standing: PartnerStanding,
    },
    /// The partner's objection to the decision, once.
    Appeal {
        reason: String,
    },
    /// Decides the appeal; by another person than the decider. A new outcome replaces the old one.
    DecideAppeal {
        #[serde(default)]
        outcome: Option<ReviewOutcome>,
        reason: String,
        standing: PartnerStanding,
    },
    /// Closes an undecided review without a decision.
    Withdraw {
        reason: String,
    },
}

/// What a review may end in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ReviewOutcome {
    /// The partner gets the target level.
    Promote,
    /// The partner keeps its current level.
    Retain,
    /// The partner keeps its current level until a day, by which the gap must be closed.
    Probation { until: Day },
    /// The partner falls to a lower level, or to none.
    Downgrade { to: Option<LevelId> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LevelReviewEvent {
    #[serde(rename = "LevelReviewOpened")]
    Opened {
        partner: PartnerId,
        track: TrackId,
        current: Option<LevelId>,
        target: LevelId,
        rulebook_version: u32,
        evidence: Evidence,
        evaluations: Vec<Evaluation>,
        reason: String,
        opened_by: Subject,
    },
    #[serde(rename = "LevelRequirementJudged")]
    Judged { requirement: RequirementId, met: bool, note: String, judged_by: Subject },
    #[serde(rename = "LevelRecommended")]
    Recommended { outcome: ReviewOutcome, reason: String, recommended_by: Subject },
    #[serde(rename = "LevelDecided")]
    Decided {
        partner: PartnerId,
        track: TrackId,
        outcome: ReviewOutcome,
        /// The level that results; absent: none.
        level: Option<LevelId>,
        reason: String,
        overrides: BTreeMap<RequirementId, String>,
        decided_by: Subject,
    },
    #[serde(rename = "LevelDecisionAppealed")]
    Appealed { reason: String },
    #[serde(rename = "LevelAppealDecided")]
    AppealDecided {
        partner: PartnerId,
        track: TrackId,
        upheld: bool,
        outcome: ReviewOutcome,
        level: Option<LevelId>,
        reason: String,
        decided_by: Subject,
    },
    #[serde(rename = "LevelReviewWithdrawn")]
    Withdrawn { reason: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum LevelReviewError {
    #[error("the level review does not exist")]
    LevelReviewNotFound,
    #[error("the level review is already open")]
    LevelReviewAlreadyOpen,
    #[error("review {review} of the same partner and track is open; decide or withdraw it first")]
    AnotherReviewOpen { review: LevelReviewId },
    #[error("levels of a partner that is {} are not reviewed", word(.status))]
    PartnerNotActive { status: PartnerStatus },
    #[error(
        "the decision is about level {}, but the partner holds {} now",
        or_none(.reviewed.as_ref()), or_none(.held.as_ref())
    )]
    LevelChangedSince { reviewed: Option<LevelId>, held: Option<LevelId> },
    #[error("track `{track}` has no level `{level}`")]
    UnknownLevel { track: TrackId, level: LevelId },
    #[error("level `{level}` is not decided by a review")]
    LevelNotReviewed { level: LevelId },
    #[error(
        "a review targets the current level or the next one above; the next one is {}",
        or_none(.next.as_ref())
    )]
    TargetOutOfReach { next: Option<LevelId> },
    #[error("the target level has no requirement `{requirement}`")]
    UnknownRequirement { requirement: RequirementId },
    #[error("requirement `{requirement}` is measured, not judged")]
    RequirementNotJudged { requirement: RequirementId },
    #[error("requirements are still to be judged: {}", words(.requirements))]
    RequirementsToBeJudged { requirements: Vec<RequirementId> },
    #[error("nobody has recommended an outcome")]
    RecommendationMissing,
    #[error("a level is decided by another person than the one who recommended")]
    DeciderIsRecommender,
    #[error("requirements are not met and not overridden: {}", words(.requirements))]
    RequirementsNotMet { requirements: Vec<RequirementId> },
    #[error("requirement `{requirement}` is met; there is nothing to override")]
    NothingToOverride { requirement: RequirementId },
    #[error("a reason is required")]
    ReasonMissing,
    #[error("a promotion leads to another level than the current one")]
    NothingToPromote,
    #[error("there is no current level to keep")]
    NothingToRetain,
    #[error("a probation ends after today, {today}")]
    ProbationInPast { until: Day, today: Day },
    #[error("a probation ends on {latest} at the latest, not on {until}")]
    ProbationTooLong { until: Day, latest: Day },
    #[error("a downgrade leads to a lower level than the current one")]
    NotADowngrade,
    #[error("the level review is already decided")]
    AlreadyDecided,
    #[error("the level review is not decided yet")]
    NotDecided,
    #[error("the decision was already appealed")]
    AlreadyAppealed,
    #[error("there is no open appeal")]
    NoAppeal,
    #[error("an appeal is decided by another person than the decision was")]
    AppealDeciderIsDecider,
    #[error("the level review was withdrawn")]
    LevelReviewWithdrawn,
    #[error("`{field}` is not usable: {problem}")]
    InvalidField { field: String, problem: String },
}

impl Refusal for LevelReviewError {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::LevelReviewNotFound => RefusalKind::NotFound,
            Self::UnknownLevel { .. }
            | Self::UnknownRequirement { .. }
            | Self::InvalidField { .. }
            | Self::ReasonMissing => RefusalKind::InvalidValue,
            _ => RefusalKind::Rule,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LevelReview {
    #[default]
    Unopened,
    Open(OpenReview),
    Decided(DecidedReview),
    Withdrawn {
        partner: PartnerId,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenReview {
    pub partner: PartnerId,
    pub track: TrackId,
    pub current: Option<LevelId>,
    pub target: LevelId,
    pub rulebook_version: u32,
    pub evaluations: Vec<Evaluation>,
    pub recommended_by: Option<Subject>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidedReview {
    pub review: OpenReview,
    pub decided_by: Subject,
    pub outcome: ReviewOutcome,
    pub level: Option<LevelId>,
    /// What the first decision came to: the level that an appeal is about.
    pub appealed_level: Option<LevelId>,
    pub appeal: AppealState,
}

impl LevelReview {
    /// The level that the partner holds if the decision, or the one on its appeal, still fits.
    pub fn level_presumed(&self, on_appeal: bool) -> Option<&LevelId> {
        match self {
            Self::Decided(decided) if on_appeal => decided.appealed_level.as_ref(),
            Self::Open(review) | Self::Decided(DecidedReview { review, .. }) => {
                review.current.as_ref()
            }
            Self::Unopened | Self::Withdrawn { .. } => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppealState {
    None,
    Open,
    Decided,
}

impl aggregate::Event for LevelReviewEvent {}

impl Aggregate for LevelReview {
    const CATEGORY: &'static str = "level_review";
    type Command = LevelReviewCommand;
    type Event = LevelReviewEvent;
    type Error = LevelReviewError;

    fn decide(
        &self,
        command: LevelReviewCommand,
        context: &Context,
    ) -> Result<Vec<LevelReviewEvent>, LevelReviewError> {
        decide::decide(self, command, context)
    }

    fn evolve(self, event: &LevelReviewEvent) -> Self {
        evolve::evolve(self, event)
    }

    fn partner(&self) -> Option<PartnerId> {
        match self {
            Self::Unopened => None,
            Self::Open(review) | Self::Decided(DecidedReview { review, .. }) => {
                Some(review.partner)
            }
            Self::Withdrawn { partner } => Some(*partner),
        }
    }

    /// A review is decided by the rules that it was opened under.
    fn rulebook_version(&self) -> Option<u32> {
        match self {
            Self::Unopened | Self::Withdrawn { .. } => None,
            Self::Open(review) | Self::Decided(DecidedReview { review, .. }) => {
                Some(review.rulebook_version)
            }
        }
    }
}

#[cfg(test)]
mod tests;
