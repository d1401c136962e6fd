//! Recommendations and decisions.

use super::*;

#[test]
fn a_recommendation_follows_the_answers() {
    let past = all_judged(opened(Some("silver"), "gold", 5001));
    let outcome = when(past, recommend(ReviewOutcome::Promote), RECOMMENDER);
    assert_eq!(outcome, Ok(vec![recommendation()]));
}

#[test]
fn without_every_answer_nothing_is_recommended() {
    let mut past = all_judged(opened(Some("silver"), "gold", 5001));
    past.pop();
    let outcome = when(past, recommend(ReviewOutcome::Promote), RECOMMENDER);
    let requirements = judged_requirements().split_off(judged_requirements().len() - 1);
    assert_eq!(outcome, Err(LevelReviewError::RequirementsToBeJudged { requirements }));
}

#[test]
fn a_recommendation_has_a_reason() {
    let past = all_judged(opened(Some("silver"), "gold", 5001));
    let outcome = ReviewOutcome::Promote;
    let command = LevelReviewCommand::Recommend { outcome, reason: String::new() };
    assert_eq!(when(past, command, RECOMMENDER), Err(LevelReviewError::ReasonMissing));
}

#[test]
fn an_impossible_outcome_is_not_even_recommended() {
    let past = all_judged(opened(Some("gold"), "gold", 5001));
    let outcome = when(past, recommend(ReviewOutcome::Promote), RECOMMENDER);
    assert_eq!(outcome, Err(LevelReviewError::NothingToPromote));
}

#[test]
fn a_promotion_gives_the_target_level() {
    let outcome = when(recommended(5001), decide(ReviewOutcome::Promote), DECIDER);
    assert_eq!(outcome, Ok(vec![decided(ReviewOutcome::Promote, Some("gold"))]));
}

#[test]
fn without_a_recommendation_nothing_is_decided() {
    let past = all_judged(opened(Some("silver"), "gold", 5001));
    let outcome = when(past, decide(ReviewOutcome::Promote), DECIDER);
    assert_eq!(outcome, Err(LevelReviewError::RecommendationMissing));
}

#[test]
fn a_new_answer_asks_for_a_new_recommendation() {
    let mut past = recommended(5001);
    past.push(judged(&judged_requirements()[0], false));
    let outcome = when(past, decide(ReviewOutcome::Retain), DECIDER);
    assert_eq!(outcome, Err(LevelReviewError::RecommendationMissing));
}

#[test]
fn the_recommender_does_not_decide() {
    let outcome = when(recommended(5001), decide(ReviewOutcome::Promote), RECOMMENDER);
    assert_eq!(outcome, Err(LevelReviewError::DeciderIsRecommender));
}

#[test]
fn a_decision_has_a_reason() {
    let command = LevelReviewCommand::Decide {
        outcome: ReviewOutcome::Promote,
        reason: "\n".to_owned(),
        overrides: BTreeMap::new(),
        standing: standing(Some("silver")),
    };
    let outcome = when(recommended(5001), command, DECIDER);
    assert_eq!(outcome, Err(LevelReviewError::ReasonMissing));
}

#[test]
fn a_promotion_needs_every_requirement() {
    let mut past = all_judged(opened(Some("silver"), "gold", 5000));
    let last = judged_requirements().pop().unwrap();
    past.push(judged(&last, false));
    past.push(recommendation());
    let outcome = when(past, decide(ReviewOutcome::Promote), DECIDER);
    let requirements = vec![id("seats"), last];
    assert_eq!(outcome, Err(LevelReviewError::RequirementsNotMet { requirements }));
}

#[test]
fn an_unmet_requirement_is_overridden_with_its_own_reason() {
    let command = overriding(ReviewOutcome::Promote, &[("seats", "5000 more are signed")]);
    let mut expected = decided(ReviewOutcome::Promote, Some("gold"));
    if let LevelReviewEvent::Decided { overrides, .. } = &mut expected {
        overrides.insert(id("seats"), "5000 more are signed".to_owned());
    }
    assert_eq!(when(recommended(5000), command, DECIDER), Ok(vec![expected]));
}

#[test]
fn an_override_without_a_reason_is_refused() {
    let command = overriding(ReviewOutcome::Promote, &[("seats", " ")]);
    let outcome = when(recommended(5000), command, DECIDER);
    assert_eq!(outcome, Err(LevelReviewError::ReasonMissing));
}

#[test]
fn what_is_met_is_not_overridden() {
    let command = overriding(ReviewOutcome::Promote, &[("seats", "for luck")]);
    let outcome = when(recommended(5001), command, DECIDER);
    let requirement = id("seats");
    assert_eq!(outcome, Err(LevelReviewError::NothingToOverride { requirement }));
}

#[test]
fn what_is_not_asked_is_not_overridden() {
    let command = overriding(ReviewOutcome::Promote, &[("charm", "plenty")]);
    let outcome = when(recommended(5001), command, DECIDER);
    let requirement = id("charm");
    assert_eq!(outcome, Err(LevelReviewError::UnknownRequirement { requirement }));
}

#[test]
fn the_current_level_is_retained_whatever_is_unmet() {
    let outcome = when(recommended(5000), decide(ReviewOutcome::Retain), DECIDER);
    assert_eq!(outcome, Ok(vec![decided(ReviewOutcome::Retain, Some("silver"))]));
}

#[test]
fn a_probation_keeps_the_level_until_a_day_to_come() {
    let until = day("2026-03-02");
    let probation = ReviewOutcome::Probation { until };
    let outcome = when(recommended(5000), decide(probation.clone()), DECIDER);
    assert_eq!(outcome, Ok(vec![decided(probation, Some("silver"))]));

    let today = day("2026-03-01");
    let probation = ReviewOutcome::Probation { until: today };
    let outcome = when(recommended(5000), decide(probation), DECIDER);
    assert_eq!(outcome, Err(LevelReviewError::ProbationInPast { until: today, today }));
}

#[test]
fn a_probation_ends_within_five_years() {
    let (until, latest) = (day("2031-03-02"), day("2031-03-01"));
    let outcome = when(recommended(5000), decide(ReviewOutcome::Probation { until }), DECIDER);
    assert_eq!(outcome, Err(LevelReviewError::ProbationTooLong { until, latest }));
}

#[test]
fn a_partner_without_a_level_keeps_none() {
    let past = || {
        let mut past = all_judged(opened(None, "silver", 5001));
        past.push(recommendation());
        past
    };
    let decide = |outcome| of(decide(outcome), standing(None));
    for outcome in [ReviewOutcome::Retain, ReviewOutcome::Probation { until: day("2026-06-01") }] {
        let outcome = when(past(), decide(outcome), DECIDER);
        assert_eq!(outcome, Err(LevelReviewError::NothingToRetain));
    }
    let outcome = when(past(), decide(downgrade(None)), DECIDER);
    assert_eq!(outcome, Err(LevelReviewError::NotADowngrade));
}

#[test]
fn a_downgrade_leads_to_any_lower_level_or_to_none() {
    for to in [Some("silver"), None] {
        let outcome = when(standing_of_gold(), of_gold(downgrade(to)), DECIDER);
        assert_eq!(outcome, Ok(vec![decided(downgrade(to), to)]));
    }
}

#[test]
fn reasons_and_notes_have_at_most_4000_characters() {
    let long = "x".repeat(4_001);
    let mut judging = judge("autonomy", true);
    if let LevelReviewCommand::Judge { note, .. } = &mut judging {
        note.clone_from(&long);
    }
    let recommending =
        LevelReviewCommand::Recommend { outcome: ReviewOutcome::Retain, reason: long.clone() };
    let overriding = overriding(ReviewOutcome::Promote, &[("seats", &long)]);
    for (command, by) in
        [(judging, RECOMMENDER), (recommending, RECOMMENDER), (overriding, DECIDER)]
    {
        let outcome = when(recommended(5000), command, by);
        assert!(matches!(outcome, Err(LevelReviewError::InvalidField { .. })), "{outcome:?}");
    }
}

#[test]
fn a_downgrade_leads_down() {
    for to in ["gold", "platinum"] {
        let outcome = when(standing_of_gold(), of_gold(downgrade(Some(to))), DECIDER);
        assert_eq!(outcome, Err(LevelReviewError::NotADowngrade));
    }
    let outcome = when(standing_of_gold(), of_gold(downgrade(Some("bronze"))), DECIDER);
    let refusal = LevelReviewError::UnknownLevel { track: track(), level: level("bronze") };
    assert_eq!(outcome, Err(refusal));
}

#[test]
fn a_standing_promotes_nobody() {
    let outcome = when(standing_of_gold(), of_gold(ReviewOutcome::Promote), DECIDER);
    assert_eq!(outcome, Err(LevelReviewError::NothingToPromote));
}

#[test]
fn a_decision_about_a_level_that_the_partner_no_longer_holds_is_refused() {
    // Silver when the review was opened; another review has made it gold since.
    for outcome in [ReviewOutcome::Retain, ReviewOutcome::Promote, downgrade(None)] {
        let outcome = when(recommended(5001), of(decide(outcome), standing(Some("gold"))), DECIDER);
        let (reviewed, held) = (Some(level("silver")), Some(level("gold")));
        assert_eq!(outcome, Err(LevelReviewError::LevelChangedSince { reviewed, held }));
    }
}

#[test]
fn only_an_active_partners_levels_are_reviewed_and_decided() {
    use PartnerStatus::*;
    for status in [Prospect, Applied, Approved, Declined, Withdrawn, Suspended, Terminated] {
        let standing = PartnerStanding { status, ..standing(Some("silver")) };
        let refusal = Err(LevelReviewError::PartnerNotActive { status });
        let opening = of(open(Some("silver"), "gold"), standing.clone());
        assert_eq!(when([], opening, RECOMMENDER), refusal);
        let deciding = of(decide(ReviewOutcome::Promote), standing);
        assert_eq!(when(recommended(5001), deciding, DECIDER), refusal);
    }
    let restricted = PartnerStanding { status: Restricted, ..standing(Some("silver")) };
    let deciding = of(decide(ReviewOutcome::Promote), restricted);
    assert!(when(recommended(5001), deciding, DECIDER).is_ok());
}

fn of_gold(outcome: ReviewOutcome) -> LevelReviewCommand {
    of(decide(outcome), standing(Some("gold")))
}

/// A review of the gold partner's standing, ready to be decided.
fn standing_of_gold() -> Vec<LevelReviewEvent> {
    let mut past = all_judged(opened(Some("gold"), "gold", 5000));
    past.push(recommendation());
    past
}
