//! Tracks, levels and journey phases.

use super::decide::{Decision, given};
use super::entry::open_track;
use super::{LevelCause, Partner, PartnerError, PartnerEvent};
use crate::rulebook::{DecisionMode, Track};
use crate::{Context, Day, LevelId, LevelReviewId, PhaseId, TrackId};

/// The level that joining the track gives by itself.
pub(super) fn entry_level(track: &Track) -> Option<PartnerEvent> {
    let first = track.levels.first().filter(|it| it.decision == DecisionMode::Automatic)?;
    Some(PartnerEvent::LevelChanged {
        track: track.id.clone(),
        from: None,
        to: Some(first.id.clone()),
        cause: LevelCause::Entry,
        reason: "entry level".to_owned(),
    })
}

/// What a review has decided.
pub(super) struct Verdict {
    pub(super) review: LevelReviewId,
    pub(super) track: TrackId,
    /// The level that the decision is about.
    pub(super) current: Option<LevelId>,
    pub(super) level: Option<LevelId>,
    pub(super) probation_until: Option<Day>,
}

impl Partner {
    pub(super) fn join_track(&self, track: &TrackId, context: &Context) -> Decision {
        if self.tracks.contains_key(track) {
            return Ok(Vec::new());
        }
        let rules = open_track(track, context)?;
        let joined = PartnerEvent::TrackJoined { track: track.clone() };
        Ok([joined].into_iter().chain(entry_level(rules)).collect())
    }

    pub(super) fn leave_track(&self, track: TrackId) -> Decision {
        let held = self.level_on(&track)?;
        if self.tracks.len() == 1 {
            return Err(PartnerError::LastTrack);
        }
        let level_lost = held.is_some().then(|| PartnerEvent::LevelChanged {
            track: track.clone(),
            from: held.cloned(),
            to: None,
            cause: LevelCause::LeftTrack,
            reason: "left the track".to_owned(),
        });
        Ok(level_lost.into_iter().chain([PartnerEvent::TrackLeft { track }]).collect())
    }

    pub(super) fn set_level(
        &self,
        track: TrackId,
        level: LevelId,
        reason: String,
        context: &Context,
    ) -> Decision {
        let held = self.level_on(&track)?;
        if held == Some(&level) {
            return Ok(Vec::new());
        }
        let mode = match context.rules.level(&track, &level).map(|rules| rules.decision) {
            None => return Err(PartnerError::UnknownLevel { track, level }),
            Some(DecisionMode::Administrator) => None,
            Some(DecisionMode::Automatic) => Some("automatic"),
            Some(DecisionMode::Review) => Some("review"),
        };
        if let Some(mode) = mode {
            let mode = mode.to_owned();
            return Err(PartnerError::LevelNotSetByAdministrator { level, mode });
        }
        given(&reason)?;
        Ok(vec![PartnerEvent::LevelChanged {
            from: held.cloned(),
            to: Some(level),
            cause: LevelCause::Administrator,
            track,
            reason,
        }])
    }

    /// Takes over what a review decided under its own rules; these are not held against it again.
    /// Only a decision about the level held now counts: of two reviews decided at once the second
    /// one would undo the first.
    pub(super) fn apply_review(&self, verdict: Verdict, reason: String) -> Decision {
        let Verdict { review, track, current, level, probation_until } = verdict;
        let held = self.level_on(&track)?;
        if held != current.as_ref() && held != level.as_ref() {
            let held = held.cloned();
            return Err(PartnerError::LevelChangedSince { reviewed: current, held });
        }
        let changed = (held != level.as_ref()).then(|| PartnerEvent::LevelChanged {
            track: track.clone(),
            from: held.cloned(),
            to: level,
            cause: LevelCause::Review { review },
            reason,
        });
        let is_new = |until: &Day| self.probations.get(&track) != Some(&(review, *until));
        let probation = probation_until.filter(is_new);
        let probation = probation.map(|until| PartnerEvent::ProbationSet {
            track: track.clone(),
            until,
            review,
        });
        Ok(changed.into_iter().chain(probation).collect())
    }

    fn level_on(&self, track: &TrackId) -> Result<Option<&LevelId>, PartnerError> {
        let not_on_track = || PartnerError::NotOnTrack { track: track.clone() };
        self.tracks.get(track).map(Option::as_ref).ok_or_else(not_on_track)
    }

    pub(super) fn enter_phase(
        &self,
        phase: PhaseId,
        reason: String,
        context: &Context,
    ) -> Decision {
        if self.phase.as_ref() == Some(&phase) {
            return Ok(Vec::new());
        }
        if !context.rules.phases.iter().any(|known| known.id == phase) {
            return Err(PartnerError::UnknownPhase { phase });
        }
        given(&reason)?;
        Ok(vec![PartnerEvent::PhaseEntered { phase, reason }])
    }
}
