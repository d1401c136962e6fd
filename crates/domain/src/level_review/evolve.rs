//! How a level review's events change it.

use super::{AppealState, DecidedReview, LevelReview, LevelReviewEvent, OpenReview};
use crate::RequirementId;
use crate::evidence::Outcome;

pub(super) fn evolve(state: LevelReview, event: &LevelReviewEvent) -> LevelReview {
    use LevelReviewEvent as E;
    match (state, event) {
        (_, E::Opened { partner, track, current, target, rulebook_version, evaluations, .. }) => {
            LevelReview::Open(OpenReview {
                partner: *partner,
                track: track.clone(),
                current: current.clone(),
                target: target.clone(),
                rulebook_version: *rulebook_version,
                evaluations: evaluations.clone(),
                recommended_by: None,
            })
        }
        (LevelReview::Open(mut review), E::Judged { requirement, met, note, .. }) => {
            answer(&mut review, requirement, *met, note);
            LevelReview::Open(review)
        }
        (LevelReview::Open(mut review), E::Recommended { recommended_by, .. }) => {
            review.recommended_by = Some(recommended_by.clone());
            LevelReview::Open(review)
        }
        (LevelReview::Open(review), E::Decided { outcome, level, decided_by, .. }) => {
            LevelReview::Decided(DecidedReview {
                review,
                decided_by: decided_by.clone(),
                outcome: outcome.clone(),
                level: level.clone(),
                appealed_level: level.clone(),
                appeal: AppealState::None,
            })
        }
        (LevelReview::Open(review), E::Withdrawn { .. }) => {
            LevelReview::Withdrawn { partner: review.partner }
        }
        (LevelReview::Decided(decided), E::Appealed { .. }) => {
            LevelReview::Decided(DecidedReview { appeal: AppealState::Open, ..decided })
        }
        (LevelReview::Decided(decided), E::AppealDecided { outcome, level, decided_by, .. }) => {
            LevelReview::Decided(DecidedReview {
                decided_by: decided_by.clone(),
                outcome: outcome.clone(),
                level: level.clone(),
                appeal: AppealState::Decided,
                ..decided
            })
        }
        // Never decided in such a state; nothing to fold.
        (
            state,
            E::Judged { .. }
            | E::Recommended { .. }
            | E::Decided { .. }
            | E::Appealed { .. }
            | E::AppealDecided { .. }
            | E::Withdrawn { .. },
        ) => state,
    }
}

fn answer(review: &mut OpenReview, requirement: &RequirementId, met: bool, note: &str) {
    let evaluation = review.evaluations.iter_mut().find(|it| it.requirement == *requirement);
    if let Some(evaluation) = evaluation {
        evaluation.outcome = if met { Outcome::Met } else { Outcome::NotMet };
        evaluation.actual = note.to_owned();
    }
    // A recommendation stands on the answers of its time; other answers need another one.
    review.recommended_by = None;
}
