//! Tracks, levels by administrator and by review, journey phases.

use super::*;

const REVIEW: LevelReviewId = LevelReviewId(Uuid::from_u128(0xd1));

#[test]
fn a_track_is_joined_at_its_automatic_entry_level() {
    let joined = PartnerEvent::TrackJoined { track: second() };
    let entry_level =
        level_changed((second(), None, Some("silver")), LevelCause::Entry, "entry level");
    let context = two_tracks(DecisionMode::Automatic);
    let outcome = when(silver(), join(second()), &context);
    assert_eq!(outcome, Ok(vec![joined.clone(), entry_level]));

    let context = two_tracks(DecisionMode::Administrator);
    assert_eq!(when(silver(), join(second()), &context), Ok(vec![joined]));
}

#[test]
fn joining_a_track_again_changes_nothing() {
    assert_eq!(when(silver(), join(track()), &quazzar()), Ok(vec![]));
}

#[test]
fn only_an_open_track_is_joined() {
    let outcome = when(silver(), join(second()), &quazzar());
    assert_eq!(outcome, Err(PartnerError::UnknownTrack { track: second() }));
    let closed = varied(two_tracks(DecisionMode::Automatic), |rules| rules.tracks[1].open = false);
    let outcome = when(silver(), join(second()), &closed);
    assert_eq!(outcome, Err(PartnerError::TrackNotOpen { track: second() }));
}

#[test]
fn leaving_a_track_gives_up_its_level() {
    let context = two_tracks(DecisionMode::Administrator);
    let on_both = and(silver(), [PartnerEvent::TrackJoined { track: second() }]);
    let lost =
        level_changed((track(), Some("silver"), None), LevelCause::LeftTrack, "left the track");
    let left = PartnerEvent::TrackLeft { track: track() };
    let outcome = when(on_both.clone(), leave(track()), &context);
    assert_eq!(outcome, Ok(vec![lost.clone(), left.clone()]));
    let state = given::<Partner>(and(on_both.clone(), [lost, left])).0;
    assert_eq!(state.tracks, [(second(), None)].into());

    let without_level = when(on_both, leave(second()), &context);
    assert_eq!(without_level, Ok(vec![PartnerEvent::TrackLeft { track: second() }]));
}

#[test]
fn a_partner_stays_on_one_track_at_least() {
    assert_eq!(when(silver(), leave(track()), &quazzar()), Err(PartnerError::LastTrack));
}

#[test]
fn an_administrator_sets_a_level_with_a_reason() {
    let outcome = when(silver(), set_level("gold", &why()), &quazzar());
    assert_eq!(outcome, Ok(vec![level_set(Some("silver"), "gold", &why())]));
    let outcome = when(silver(), set_level("gold", ""), &quazzar());
    assert_eq!(outcome, Err(PartnerError::ReasonMissing));
}

#[test]
fn setting_the_level_that_is_held_changes_nothing() {
    assert_eq!(when(silver(), set_level("silver", &why()), &quazzar()), Ok(vec![]));
}

#[test]
fn only_levels_of_the_track_are_set() {
    let outcome = when(silver(), set_level("diamond", &why()), &quazzar());
    let refusal = PartnerError::UnknownLevel { track: track(), level: level("diamond") };
    assert_eq!(outcome, Err(refusal));
}

#[test]
fn an_administrator_sets_no_level_that_is_reviewed_or_automatic() {
    let refusal = |mode: &str| {
        let (level, mode) = (level("silver"), mode.to_owned());
        Err(PartnerError::LevelNotSetByAdministrator { level, mode })
    };
    let command = || set_level("silver", &why());
    assert_eq!(when(signed(), command(), &zextras()), refusal("review"));
    assert_eq!(when(signed(), command(), &registration()), refusal("automatic"));
}

#[test]
fn a_review_moves_the_level_whatever_the_rules_in_force_say() {
    let outcome = when(signed(), apply_review((None, Some("bronze")), None), &zextras());
    let moved = reviewed(None, Some("bronze"));
    assert_eq!(outcome, Ok(vec![moved.clone()]));
    let again =
        when(and(signed(), [moved]), apply_review((None, Some("bronze")), None), &zextras());
    assert_eq!(again, Ok(vec![]));
}

#[test]
fn a_review_can_take_every_level_away() {
    let past = and(signed(), [reviewed(None, Some("silver"))]);
    let outcome = when(past, apply_review((Some("silver"), None), None), &zextras());
    assert_eq!(outcome, Ok(vec![reviewed(Some("silver"), None)]));
}

#[test]
fn a_review_also_counts_while_the_partner_is_suspended() {
    let outcome =
        when(and(signed(), [suspended()]), apply_review((None, Some("silver")), None), &zextras());
    assert_eq!(outcome, Ok(vec![reviewed(None, Some("silver"))]));
}

#[test]
fn a_review_of_a_level_that_is_no_longer_held_does_not_count() {
    let past = and(signed(), [reviewed(None, Some("gold"))]);
    for stale in [Some("silver"), None] {
        let outcome = when(past.clone(), apply_review((stale, stale), None), &zextras());
        let (reviewed, held) = (stale.map(level), Some(level("gold")));
        assert_eq!(outcome, Err(PartnerError::LevelChangedSince { reviewed, held }));
    }
}

#[test]
fn a_probation_is_set_once_per_review() {
    let past = and(signed(), [reviewed(None, Some("silver"))]);
    let command = apply_review((Some("silver"), Some("silver")), Some("2026-06-01"));
    let outcome = when(past.clone(), command.clone(), &zextras());
    assert_eq!(outcome, Ok(vec![probation()]));
    assert_eq!(when(and(past, [probation()]), command, &zextras()), Ok(vec![]));
}

#[test]
fn a_level_can_fall_and_be_on_probation_at_once() {
    let past = and(signed(), [reviewed(None, Some("gold"))]);
    let outcome = when(
        past.clone(),
        apply_review((Some("gold"), Some("silver")), Some("2026-06-01")),
        &zextras(),
    );
    let expected = [reviewed(Some("gold"), Some("silver")), probation()];
    assert_eq!(outcome, Ok(expected.to_vec()));
    let state = given::<Partner>(and(past, expected)).0;
    assert_eq!(state.probations, [(track(), (REVIEW, day("2026-06-01")))].into());
}

#[test]
fn a_probation_ends_with_its_level() {
    let past = and(signed(), [reviewed(None, Some("silver")), probation()]);
    let state = given::<Partner>(and(past, [reviewed(Some("silver"), Some("gold"))])).0;
    assert_eq!(state.probations, BTreeMap::new());
}

#[test]
fn levels_change_on_the_partners_own_tracks_only() {
    let mut foreign_review = apply_review((None, Some("silver")), None);
    let mut foreign_level = set_level("gold", &why());
    if let PartnerCommand::ApplyReviewDecision { track, .. } = &mut foreign_review {
        *track = second();
    }
    if let PartnerCommand::SetLevel { track, .. } = &mut foreign_level {
        *track = second();
    }
    let context = two_tracks(DecisionMode::Administrator);
    for command in [foreign_review, foreign_level, leave(second())] {
        let outcome = when(silver(), command, &context);
        assert_eq!(outcome, Err(PartnerError::NotOnTrack { track: second() }));
    }
}

#[test]
fn a_phase_is_entered_with_a_reason_and_is_never_a_level() {
    let entered = PartnerEvent::PhaseEntered { phase: phase("consolidation"), reason: why() };
    let outcome = when(signed(), enter("consolidation", &why()), &zextras());
    assert_eq!(outcome, Ok(vec![entered.clone()]));
    let past = and(signed(), [entered]);
    assert_eq!(given::<Partner>(past.clone()).0.tracks, [(track(), None)].into());
    assert_eq!(when(past, enter("consolidation", &why()), &zextras()), Ok(vec![]));
    let silent = when(signed(), enter("consolidation", ""), &zextras());
    assert_eq!(silent, Err(PartnerError::ReasonMissing));
}

#[test]
fn a_phase_is_one_of_the_programs() {
    let outcome = when(silver(), enter("consolidation", &why()), &quazzar());
    let phase = phase("consolidation");
    assert_eq!(outcome, Err(PartnerError::UnknownPhase { phase }));
}

fn second() -> TrackId {
    "reseller".parse().unwrap()
}

fn phase(text: &str) -> PhaseId {
    text.parse().unwrap()
}

fn join(track: TrackId) -> PartnerCommand {
    PartnerCommand::JoinTrack { track }
}

fn leave(track: TrackId) -> PartnerCommand {
    PartnerCommand::LeaveTrack { track }
}

fn set_level(to: &str, reason: &str) -> PartnerCommand {
    PartnerCommand::SetLevel { track: track(), level: level(to), reason: reason.to_owned() }
}

/// A review of the partner on `from` decides for `to`.
fn apply_review(
    (from, to): (Option<&str>, Option<&str>),
    probation_until: Option<&str>,
) -> PartnerCommand {
    PartnerCommand::ApplyReviewDecision {
        review: REVIEW,
        track: track(),
        current: from.map(level),
        level: to.map(level),
        probation_until: probation_until.map(day),
        reason: why(),
    }
}

fn reviewed(from: Option<&str>, to: Option<&str>) -> PartnerEvent {
    level_changed((track(), from, to), LevelCause::Review { review: REVIEW }, &why())
}

fn probation() -> PartnerEvent {
    PartnerEvent::ProbationSet { track: track(), until: day("2026-06-01"), review: REVIEW }
}

fn enter(text: &str, reason: &str) -> PartnerCommand {
    PartnerCommand::EnterPhase { phase: phase(text), reason: reason.to_owned() }
}
