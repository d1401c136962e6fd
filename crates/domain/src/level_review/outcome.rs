//! Outcomes of a review: which are possible, and the level that each of them means.

use super::{LevelReviewError, OpenReview, ReviewOutcome};
use crate::{Context, LevelId};

/// A probation ends within so many years.
const PROBATION_YEARS_MAX: u32 = 5;

/// Whether the outcome is possible at all, whatever the requirements say.
pub(super) fn check_outcome(
    outcome: &ReviewOutcome,
    review: &OpenReview,
    context: &Context,
) -> Result<(), LevelReviewError> {
    match outcome {
        ReviewOutcome::Promote if review.current.as_ref() == Some(&review.target) => {
            Err(LevelReviewError::NothingToPromote)
        }
        ReviewOutcome::Promote => Ok(()),
        ReviewOutcome::Retain | ReviewOutcome::Probation { .. } if review.current.is_none() => {
            Err(LevelReviewError::NothingToRetain)
        }
        ReviewOutcome::Retain => Ok(()),
        ReviewOutcome::Probation { until } if *until <= context.today => {
            Err(LevelReviewError::ProbationInPast { until: *until, today: context.today })
        }
        ReviewOutcome::Probation { until } => {
            let (until, latest) = (*until, context.today.plus_years(PROBATION_YEARS_MAX));
            if until > latest {
                return Err(LevelReviewError::ProbationTooLong { until, latest });
            }
            Ok(())
        }
        ReviewOutcome::Downgrade { to } => check_downgrade(to.as_ref(), review, context),
    }
}

fn check_downgrade(
    to: Option<&LevelId>,
    review: &OpenReview,
    context: &Context,
) -> Result<(), LevelReviewError> {
    let rank = |level: &LevelId| {
        let track = context.rules.track(&review.track);
        track.and_then(|track| track.rank(level)).ok_or_else(|| LevelReviewError::UnknownLevel {
            track: review.track.clone(),
            level: level.clone(),
        })
    };
    let is_lower = match (&review.current, to) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(current), Some(to)) => rank(to)? < rank(current)?,
    };
    if is_lower { Ok(()) } else { Err(LevelReviewError::NotADowngrade) }
}

/// The level that the partner has afterwards; `None` is none.
pub(super) fn resulting_level(outcome: &ReviewOutcome, review: &OpenReview) -> Option<LevelId> {
    match outcome {
        ReviewOutcome::Promote => Some(review.target.clone()),
        ReviewOutcome::Retain | ReviewOutcome::Probation { .. } => review.current.clone(),
        ReviewOutcome::Downgrade { to } => to.clone(),
    }
}
