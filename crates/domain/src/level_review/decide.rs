//! Commands of a level review, from opening to the decision on an appeal.

use std::collections::BTreeMap;

use super::outcome::{check_outcome, resulting_level};
use super::{
    AppealState, DecidedReview, LevelReview, LevelReviewCommand, LevelReviewError,
    LevelReviewEvent, OpenReview, ReviewOutcome,
};
use crate::evidence::{Evidence, Outcome, evaluate_level};
use crate::partner::{PartnerStanding, PartnerStatus};
use crate::rulebook::{DecisionMode, Level, Predicate};
use crate::text::{check_note, check_reason};
use crate::{Context, LevelId, RequirementId, TrackId};

type Decision = Result<Vec<LevelReviewEvent>, LevelReviewError>;

pub(super) fn decide(
    state: &LevelReview,
    command: LevelReviewCommand,
    context: &Context,
) -> Decision {
    use LevelReviewCommand as C;
    match command {
        C::Open { standing, track, target, evidence, other, reason } => {
            if *state != LevelReview::Unopened {
                return Err(LevelReviewError::LevelReviewAlreadyOpen);
            }
            check_active(&standing)?;
            if let Some(review) = other {
                return Err(LevelReviewError::AnotherReviewOpen { review });
            }
            open(Opening { standing, track, target, evidence, reason }, context)
        }
        C::Judge { requirement, met, note } => {
            judge(undecided(state)?, requirement, (met, note), context)
        }
        C::Recommend { outcome, reason } => recommend(undecided(state)?, outcome, reason, context),
        C::Decide { outcome, reason, overrides, standing } => {
            let review = undecided(state)?;
            check_still_about(review.current.as_ref(), review, &standing)?;
            decide_level(review, outcome, (reason, overrides), context)
        }
        C::Appeal { reason } => appeal(decided(state)?, reason),
        C::DecideAppeal { outcome, reason, standing } => {
            let decided = decided(state)?;
            // A decision that is upheld changes nothing, whatever has happened since.
            if outcome.is_some() {
                check_still_about(decided.level.as_ref(), &decided.review, &standing)?;
            }
            decide_appeal(decided, outcome, reason, context)
        }
        C::Withdraw { .. } if matches!(state, LevelReview::Withdrawn { .. }) => Ok(Vec::new()),
        C::Withdraw { reason } => {
            undecided(state)?;
            given(&reason)?;
            Ok(vec![LevelReviewEvent::Withdrawn { reason }])
        }
    }
}

fn undecided(state: &LevelReview) -> Result<&OpenReview, LevelReviewError> {
    match state {
        LevelReview::Unopened => Err(LevelReviewError::LevelReviewNotFound),
        LevelReview::Open(review) => Ok(review),
        LevelReview::Decided(_) => Err(LevelReviewError::AlreadyDecided),
        LevelReview::Withdrawn { .. } => Err(LevelReviewError::LevelReviewWithdrawn),
    }
}

fn decided(state: &LevelReview) -> Result<&DecidedReview, LevelReviewError> {
    match state {
        LevelReview::Unopened => Err(LevelReviewError::LevelReviewNotFound),
        LevelReview::Open(_) => Err(LevelReviewError::NotDecided),
        LevelReview::Decided(decided) => Ok(decided),
        LevelReview::Withdrawn { .. } => Err(LevelReviewError::LevelReviewWithdrawn),
    }
}

/// Only members have levels to review; a suspended one waits until it is reinstated.
fn check_active(standing: &PartnerStanding) -> Result<(), LevelReviewError> {
    match standing.status {
        PartnerStatus::Active | PartnerStatus::Restricted => Ok(()),
        status => Err(LevelReviewError::PartnerNotActive { status }),
    }
}

/// Refuses a decision about a level that the partner no longer holds: it would undo whatever moved
/// the level since.
fn check_still_about(
    reviewed: Option<&LevelId>,
    review: &OpenReview,
    standing: &PartnerStanding,
) -> Result<(), LevelReviewError> {
    check_active(standing)?;
    let held = standing.level_on(&review.track);
    if held == reviewed {
        return Ok(());
    }
    let (reviewed, held) = (reviewed.cloned(), held.cloned());
    Err(LevelReviewError::LevelChangedSince { reviewed, held })
}

/// What a review is opened about.
struct Opening {
    standing: PartnerStanding,
    track: TrackId,
    target: LevelId,
    evidence: Evidence,
    reason: String,
}

fn open(opening: Opening, context: &Context) -> Decision {
    let Opening { standing, track, target, evidence, reason } = opening;
    given(&reason)?;
    let current = standing.level_on(&track).cloned();
    let level = level_to_review(&track, current.as_ref(), &target, context)?;
    let evaluations = evaluate_level(level, &evidence);
    Ok(vec![LevelReviewEvent::Opened {
        partner: standing.partner,
        track,
        current,
        target,
        rulebook_version: context.rulebook_version,
        evidence,
        evaluations,
        reason,
        opened_by: context.actor.subject.clone(),
    }])
}

/// The target, if a review can be about it: the current level's standing may be reviewed whoever
/// gives the level, a promotion only leads one step up and only to levels that reviews decide.
fn level_to_review<'a>(
    track: &TrackId,
    current: Option<&LevelId>,
    target: &LevelId,
    context: &'a Context,
) -> Result<&'a Level, LevelReviewError> {
    let unknown = || LevelReviewError::UnknownLevel { track: track.clone(), level: target.clone() };
    let rules = context.rules.track(track).ok_or_else(unknown)?;
    let level = rules.level(target).ok_or_else(unknown)?;
    if current == Some(target) {
        return Ok(level);
    }
    let next = rules.next_level(current).map(|next| next.id.clone());
    if next.as_ref() != Some(target) {
        return Err(LevelReviewError::TargetOutOfReach { next });
    }
    if level.decision != DecisionMode::Review {
        return Err(LevelReviewError::LevelNotReviewed { level: target.clone() });
    }
    Ok(level)
}

fn judge(
    review: &OpenReview,
    requirement: RequirementId,
    (met, note): (bool, String),
    context: &Context,
) -> Decision {
    let level = context.rules.level(&review.track, &review.target);
    let known = level.and_then(|level| level.requirements.iter().find(|it| it.id == requirement));
    match known.map(|known| &known.predicate) {
        None => Err(LevelReviewError::UnknownRequirement { requirement }),
        Some(Predicate::Judged { .. }) => {
            check_note("note", &note)?;
            let judged_by = context.actor.subject.clone();
            Ok(vec![LevelReviewEvent::Judged { requirement, met, note, judged_by }])
        }
        Some(_) => Err(LevelReviewError::RequirementNotJudged { requirement }),
    }
}

fn recommend(
    review: &OpenReview,
    outcome: ReviewOutcome,
    reason: String,
    context: &Context,
) -> Decision {
    given(&reason)?;
    let requirements = requirements_where(review, |it| it == Outcome::ToBeJudged);
    if !requirements.is_empty() {
        return Err(LevelReviewError::RequirementsToBeJudged { requirements });
    }
    // What could never be decided is not worth a recommendation.
    check_outcome(&outcome, review, context)?;
    let recommended_by = context.actor.subject.clone();
    Ok(vec![LevelReviewEvent::Recommended { outcome, reason, recommended_by }])
}

fn decide_level(
    review: &OpenReview,
    outcome: ReviewOutcome,
    (reason, overrides): (String, BTreeMap<RequirementId, String>),
    context: &Context,
) -> Decision {
    let decided_by = context.actor.subject.clone();
    match &review.recommended_by {
        None => return Err(LevelReviewError::RecommendationMissing),
        Some(recommender) if *recommender == decided_by => {
            return Err(LevelReviewError::DeciderIsRecommender);
        }
        Some(_) => given(&reason)?,
    }
    check_outcome(&outcome, review, context)?;
    check_overrides(&overrides, review)?;
    if outcome == ReviewOutcome::Promote {
        let mut requirements = requirements_where(review, |it| it != Outcome::Met);
        requirements.retain(|requirement| !overrides.contains_key(requirement));
        if !requirements.is_empty() {
            return Err(LevelReviewError::RequirementsNotMet { requirements });
        }
    }
    Ok(vec![LevelReviewEvent::Decided {
        partner: review.partner,
        track: review.track.clone(),
        level: resulting_level(&outcome, review),
        outcome,
        reason,
        overrides,
        decided_by,
    }])
}

/// Only what is not met can be overridden, each with its own reason.
fn check_overrides(
    overrides: &BTreeMap<RequirementId, String>,
    review: &OpenReview,
) -> Result<(), LevelReviewError> {
    for (requirement, reason) in overrides {
        let requirement = requirement.clone();
        match review.evaluations.iter().find(|it| it.requirement == requirement) {
            None => return Err(LevelReviewError::UnknownRequirement { requirement }),
            Some(evaluation) if evaluation.outcome == Outcome::Met => {
                return Err(LevelReviewError::NothingToOverride { requirement });
            }
            Some(_) => given(reason)?,
        }
    }
    Ok(())
}

fn appeal(decided: &DecidedReview, reason: String) -> Decision {
    if decided.appeal != AppealState::None {
        return Err(LevelReviewError::AlreadyAppealed);
    }
    given(&reason)?;
    Ok(vec![LevelReviewEvent::Appealed { reason }])
}

fn decide_appeal(
    decided: &DecidedReview,
    outcome: Option<ReviewOutcome>,
    reason: String,
    context: &Context,
) -> Decision {
    let decided_by = context.actor.subject.clone();
    if decided.appeal != AppealState::Open {
        return Err(LevelReviewError::NoAppeal);
    }
    if decided_by == decided.decided_by {
        return Err(LevelReviewError::AppealDeciderIsDecider);
    }
    given(&reason)?;
    let review = &decided.review;
    let upheld = outcome.is_none();
    let (outcome, level) = match outcome {
        None => (decided.outcome.clone(), decided.level.clone()),
        // The reason covers requirements too: an appeal is about how they were weighed.
        Some(outcome) => {
            check_outcome(&outcome, review, context)?;
            let level = resulting_level(&outcome, review);
            (outcome, level)
        }
    };
    Ok(vec![LevelReviewEvent::AppealDecided {
        partner: review.partner,
        track: review.track.clone(),
        upheld,
        outcome,
        level,
        reason,
        decided_by,
    }])
}

fn requirements_where(review: &OpenReview, wanted: impl Fn(Outcome) -> bool) -> Vec<RequirementId> {
    let found = review.evaluations.iter().filter(|evaluation| wanted(evaluation.outcome));
    found.map(|evaluation| evaluation.requirement.clone()).collect()
}

fn given(reason: &str) -> Result<(), LevelReviewError> {
    check_reason(reason, LevelReviewError::ReasonMissing)
}
