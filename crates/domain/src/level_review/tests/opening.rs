//! Opening, judging and withdrawing a review.

use super::*;

#[test]
fn a_review_of_the_next_level_freezes_the_evidence_and_its_evaluation() {
    let outcome = when([], open(Some("silver"), "gold"), RECOMMENDER);
    assert_eq!(outcome, Ok(vec![opened(Some("silver"), "gold", 5001)]));
}

#[test]
fn a_partner_without_a_level_is_reviewed_for_the_lowest() {
    let outcome = when([], open(None, "silver"), RECOMMENDER);
    assert_eq!(outcome, Ok(vec![opened(None, "silver", 5001)]));
}

#[test]
fn the_standing_of_the_current_level_can_be_reviewed() {
    let outcome = when([], open(Some("gold"), "gold"), RECOMMENDER);
    assert_eq!(outcome, Ok(vec![opened(Some("gold"), "gold", 5001)]));
}

#[test]
fn a_standing_is_reviewed_also_where_an_administrator_sets_the_level() {
    let context = context(QUAZZAR, "2026-03-01", RECOMMENDER);
    let standing = given::<LevelReview>([]).when(open(Some("gold"), "gold"), &context);
    assert!(standing.is_ok());
    let promotion = given::<LevelReview>([]).when(open(Some("silver"), "gold"), &context);
    assert_eq!(promotion, Err(LevelReviewError::LevelNotReviewed { level: level("gold") }));
}

#[test]
fn a_review_leads_one_step_up_at_most() {
    for (current, target, next) in [
        (None, "gold", Some("silver")),
        (Some("silver"), "platinum", Some("gold")),
        (Some("gold"), "silver", Some("platinum")),
        (Some("platinum"), "gold", None),
    ] {
        let outcome = when([], open(current, target), RECOMMENDER);
        let next = next.map(level);
        assert_eq!(outcome, Err(LevelReviewError::TargetOutOfReach { next }));
    }
}

#[test]
fn a_partner_has_one_open_review_per_track() {
    let mut command = open(Some("silver"), "gold");
    let review = LevelReviewId(Uuid::from_u128(0xd1));
    if let LevelReviewCommand::Open { other, .. } = &mut command {
        *other = Some(review);
    }
    let outcome = when([], command, RECOMMENDER);
    assert_eq!(outcome, Err(LevelReviewError::AnotherReviewOpen { review }));
}

#[test]
fn the_target_is_a_level_of_the_track() {
    let refusal = |track: TrackId, level| Err(LevelReviewError::UnknownLevel { track, level });
    let unknown_level = when([], open(Some("silver"), "diamond"), RECOMMENDER);
    assert_eq!(unknown_level, refusal(track(), level("diamond")));

    let mut command = open(Some("silver"), "gold");
    let elsewhere: TrackId = "reseller".parse().unwrap();
    if let LevelReviewCommand::Open { track, .. } = &mut command {
        *track = elsewhere.clone();
    }
    assert_eq!(when([], command, RECOMMENDER), refusal(elsewhere, level("gold")));
}

#[test]
fn a_review_is_opened_for_a_reason() {
    let mut command = open(Some("silver"), "gold");
    if let LevelReviewCommand::Open { reason, .. } = &mut command {
        reason.clear();
    }
    assert_eq!(when([], command, RECOMMENDER), Err(LevelReviewError::ReasonMissing));
}

#[test]
fn a_review_is_opened_once() {
    let opened = opened(Some("silver"), "gold", 5001);
    let decided = decided(ReviewOutcome::Promote, Some("gold"));
    for past in [
        vec![opened.clone()],
        vec![opened.clone(), withdrawn()],
        [recommended(5001), vec![decided]].concat(),
    ] {
        let outcome = when(past, open(Some("silver"), "gold"), RECOMMENDER);
        assert_eq!(outcome, Err(LevelReviewError::LevelReviewAlreadyOpen));
    }
}

#[test]
fn a_review_keeps_the_version_that_it_was_opened_under() {
    assert_eq!(LevelReview::default().rulebook_version(), None);
    let undecided = recommended(5001);
    let decided = [undecided.clone(), vec![decided(ReviewOutcome::Promote, Some("gold"))]].concat();
    for past in [undecided, decided] {
        assert_eq!(given::<LevelReview>(past).0.rulebook_version(), Some(1));
    }
}

#[test]
fn a_review_belongs_to_its_partner() {
    assert_eq!(LevelReview::default().partner(), None);
    let opened = opened(Some("silver"), "gold", 5001);
    let decided = decided(ReviewOutcome::Promote, Some("gold"));
    for past in [
        vec![opened.clone()],
        vec![opened, withdrawn()],
        [recommended(5001), vec![decided]].concat(),
    ] {
        assert_eq!(given::<LevelReview>(past).0.partner(), Some(PARTNER));
    }
}

#[test]
fn a_judged_requirement_is_answered_and_may_be_answered_again() {
    let requirement = judged_requirements().remove(0);
    let opened = opened(Some("silver"), "gold", 5001);
    let first = judged(&requirement, false);
    let outcome = when([opened.clone()], judge(requirement.as_str(), false), RECOMMENDER);
    assert_eq!(outcome, Ok(vec![first.clone()]));

    let second = judged(&requirement, true);
    let past = [opened.clone(), first.clone()];
    let outcome = when(past, judge(requirement.as_str(), true), RECOMMENDER);
    assert_eq!(outcome, Ok(vec![second.clone()]));

    let state = given::<LevelReview>([opened, first, second]).0;
    let LevelReview::Open(review) = state else { panic!("{state:?}") };
    let answer = review.evaluations.into_iter().find(|it| it.requirement == requirement).unwrap();
    assert_eq!((answer.outcome, answer.actual.as_str()), (Outcome::Met, "seen"));
}

#[test]
fn what_is_measured_is_not_judged() {
    let opened = opened(Some("silver"), "gold", 5000);
    let outcome = when([opened], judge("seats", true), RECOMMENDER);
    let requirement = id("seats");
    assert_eq!(outcome, Err(LevelReviewError::RequirementNotJudged { requirement }));
}

#[test]
fn only_the_targets_requirements_are_judged() {
    let opened = opened(Some("silver"), "gold", 5001);
    let outcome = when([opened], judge("charm", true), RECOMMENDER);
    let requirement = id("charm");
    assert_eq!(outcome, Err(LevelReviewError::UnknownRequirement { requirement }));
}

#[test]
fn an_undecided_review_is_withdrawn_with_a_reason() {
    let opened = opened(Some("silver"), "gold", 5001);
    let outcome = when([opened.clone()], withdraw("opened by mistake"), DECIDER);
    assert_eq!(outcome, Ok(vec![withdrawn()]));
    let silent = when([opened.clone()], withdraw(" "), DECIDER);
    assert_eq!(silent, Err(LevelReviewError::ReasonMissing));
    let again = when([opened, withdrawn()], withdraw("opened by mistake"), DECIDER);
    assert_eq!(again, Ok(vec![]));
}

#[test]
fn every_step_needs_a_review_that_is_open_for_it() {
    let decided_review =
        [recommended(5001), vec![decided(ReviewOutcome::Promote, Some("gold"))]].concat();
    let withdrawn_review = vec![opened(Some("silver"), "gold", 5001), withdrawn()];
    let undecided_steps = [
        judge("autonomy", true),
        recommend(ReviewOutcome::Promote),
        decide(ReviewOutcome::Promote),
    ];
    for command in undecided_steps {
        let outcomes = [
            when([], command.clone(), DECIDER),
            when(decided_review.clone(), command.clone(), DECIDER),
            when(withdrawn_review.clone(), command, DECIDER),
        ];
        let refusals = [
            LevelReviewError::LevelReviewNotFound,
            LevelReviewError::AlreadyDecided,
            LevelReviewError::LevelReviewWithdrawn,
        ];
        assert_eq!(outcomes, refusals.map(Err));
    }
    let withdrawal = withdraw("opened by mistake");
    let outcome = when([], withdrawal.clone(), DECIDER);
    assert_eq!(outcome, Err(LevelReviewError::LevelReviewNotFound));
    let outcome = when(decided_review, withdrawal, DECIDER);
    assert_eq!(outcome, Err(LevelReviewError::AlreadyDecided));
}
