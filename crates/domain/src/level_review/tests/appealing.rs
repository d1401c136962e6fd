//! Appeals against a decision.

use super::*;

#[test]
fn a_decision_is_appealed_with_a_reason() {
    assert_eq!(when(retained(), appeal("seats were missed"), "partner"), Ok(vec![appealed()]));
    let silent = when(retained(), appeal(""), "partner");
    assert_eq!(silent, Err(LevelReviewError::ReasonMissing));
}

#[test]
fn a_decision_is_appealed_once() {
    for past in [under_appeal(), [under_appeal(), vec![upheld()]].concat()] {
        let outcome = when(past, appeal("again"), "partner");
        assert_eq!(outcome, Err(LevelReviewError::AlreadyAppealed));
    }
}

#[test]
fn a_decision_upheld_keeps_its_outcome_and_level() {
    let outcome = when(under_appeal(), decide_appeal(None), APPEAL_DECIDER);
    assert_eq!(outcome, Ok(vec![upheld()]));
}

#[test]
fn a_new_outcome_replaces_the_old_one_whatever_is_unmet() {
    let promotion = Some(ReviewOutcome::Promote);
    let outcome = when(under_appeal(), decide_appeal(promotion), APPEAL_DECIDER);
    let replaced = LevelReviewEvent::AppealDecided {
        partner: PARTNER,
        track: track(),
        upheld: false,
        outcome: ReviewOutcome::Promote,
        level: Some(level("gold")),
        reason: "weighed anew".to_owned(),
        decided_by: Subject(APPEAL_DECIDER.to_owned()),
    };
    assert_eq!(outcome, Ok(vec![replaced.clone()]));

    let state = given::<LevelReview>([under_appeal(), vec![replaced]].concat()).0;
    let LevelReview::Decided(decided) = state else { panic!("{state:?}") };
    assert_eq!((decided.outcome, decided.level), (ReviewOutcome::Promote, Some(level("gold"))));
}

#[test]
fn a_new_outcome_must_be_possible() {
    let today = day("2026-03-01");
    for (outcome, refusal) in [
        (downgrade(Some("gold")), LevelReviewError::NotADowngrade),
        (
            ReviewOutcome::Probation { until: today },
            LevelReviewError::ProbationInPast { until: today, today },
        ),
    ] {
        let outcome = when(under_appeal(), decide_appeal(Some(outcome)), APPEAL_DECIDER);
        assert_eq!(outcome, Err(refusal));
    }
}

#[test]
fn the_decider_does_not_decide_the_appeal() {
    let outcome = when(under_appeal(), decide_appeal(None), DECIDER);
    assert_eq!(outcome, Err(LevelReviewError::AppealDeciderIsDecider));
}

#[test]
fn an_appeal_is_decided_with_a_reason() {
    let mut command = decide_appeal(None);
    if let LevelReviewCommand::DecideAppeal { reason, .. } = &mut command {
        reason.clear();
    }
    let outcome = when(under_appeal(), command, APPEAL_DECIDER);
    assert_eq!(outcome, Err(LevelReviewError::ReasonMissing));
}

#[test]
fn without_an_open_appeal_there_is_none_to_decide() {
    for past in [retained(), [under_appeal(), vec![upheld()]].concat()] {
        let outcome = when(past, decide_appeal(None), "dave");
        assert_eq!(outcome, Err(LevelReviewError::NoAppeal));
    }
}

#[test]
fn only_a_decision_can_be_appealed() {
    let withdrawn = vec![opened(Some("silver"), "gold", 5000), withdrawn()];
    for command in [appeal("seats were missed"), decide_appeal(None)] {
        let outcomes = [
            when([], command.clone(), APPEAL_DECIDER),
            when(recommended(5000), command.clone(), APPEAL_DECIDER),
            when(withdrawn.clone(), command, APPEAL_DECIDER),
        ];
        let refusals = [
            LevelReviewError::LevelReviewNotFound,
            LevelReviewError::NotDecided,
            LevelReviewError::LevelReviewWithdrawn,
        ];
        assert_eq!(outcomes, refusals.map(Err));
    }
}

#[test]
fn an_appeal_does_not_undo_what_moved_the_level_since() {
    let promotion = || decide_appeal(Some(ReviewOutcome::Promote));
    let moved = of(promotion(), standing(Some("platinum")));
    let (reviewed, held) = (Some(level("silver")), Some(level("platinum")));
    let refusal = LevelReviewError::LevelChangedSince { reviewed, held };
    assert_eq!(when(under_appeal(), moved, APPEAL_DECIDER), Err(refusal));
    let upheld_anyway = of(decide_appeal(None), standing(Some("platinum")));
    assert_eq!(when(under_appeal(), upheld_anyway, APPEAL_DECIDER), Ok(vec![upheld()]));

    let status = PartnerStatus::Terminated;
    let gone = of(promotion(), PartnerStanding { status, ..standing(Some("silver")) });
    let refusal = LevelReviewError::PartnerNotActive { status };
    assert_eq!(when(under_appeal(), gone, APPEAL_DECIDER), Err(refusal));
}

/// The silver partner was not promoted.
fn retained() -> Vec<LevelReviewEvent> {
    let mut past = recommended(5000);
    past.push(decided(ReviewOutcome::Retain, Some("silver")));
    past
}

fn under_appeal() -> Vec<LevelReviewEvent> {
    let mut past = retained();
    past.push(appealed());
    past
}

fn appeal(reason: &str) -> LevelReviewCommand {
    LevelReviewCommand::Appeal { reason: reason.to_owned() }
}

fn appealed() -> LevelReviewEvent {
    LevelReviewEvent::Appealed { reason: "seats were missed".to_owned() }
}

fn decide_appeal(outcome: Option<ReviewOutcome>) -> LevelReviewCommand {
    let (reason, standing) = ("weighed anew".to_owned(), standing(Some("silver")));
    LevelReviewCommand::DecideAppeal { outcome, reason, standing }
}

fn upheld() -> LevelReviewEvent {
    LevelReviewEvent::AppealDecided {
        partner: PARTNER,
        track: track(),
        upheld: true,
        outcome: ReviewOutcome::Retain,
        level: Some(level("silver")),
        reason: "weighed anew".to_owned(),
        decided_by: Subject(APPEAL_DECIDER.to_owned()),
    }
}
