//! Tests of `level_reviews`.

use serde_json::{Value, json};

use super::*;
use crate::testing::{History, acme, acme_partner, uuid};

fn opened() -> History {
    let evaluation = json!({"requirement": "autonomy", "title": "Autonomy",
        "outcome": "to-be-judged", "actual": "", "wanted": "judged", "evidence": []});
    let mut history = History::new();
    history.add(
        "level_review",
        1,
        "LevelReviewOpened",
        json!({"partner": uuid(1), "track": "partner", "current": "silver", "target": "gold",
            "rulebook_version": 1, "evidence": {"position": 10, "day": "2026-01-01", "facts": []},
            "evaluations": [evaluation], "reason": "asked", "opened_by": "ada"}),
    );
    history
}

fn decided(kind: &str, extra: Value) -> (String, Value) {
    let mut data = json!({"partner": uuid(1), "track": "partner",
        "outcome": {"kind": "promote"}, "level": "gold", "reason": "earned", "decided_by": "bob"});
    data.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    (kind.to_owned(), data)
}

async fn row(history: &History) -> LevelReviewRow {
    let id = LevelReviewId(uuid(1));
    history.folded().views.level_review(acme(), id).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_review_keeps_judgement_recommendation_and_decision() {
    let mut history = opened();
    let judged =
        json!({"requirement": "autonomy", "met": true, "note": "seen", "judged_by": "ada"});
    let recommended =
        json!({"outcome": {"kind": "promote"}, "reason": "ready", "recommended_by": "ada"});
    let (kind, data) = decided("LevelDecided", json!({"overrides": {"seats": "soon"}}));
    history
        .add("level_review", 1, "LevelRequirementJudged", judged)
        .add("level_review", 1, "LevelRecommended", recommended)
        .add("level_review", 1, &kind, data);
    let row = row(&history).await;
    assert_eq!(row.status, LevelReviewStatus::Decided);
    assert!(row.judgements[&"autonomy".parse().unwrap()].met);
    assert_eq!(row.recommendation.unwrap().recommended_by.0, "ada");
    let decision = row.decision.unwrap();
    assert_eq!((decision.decided_by.0.as_str(), decision.overrides.len()), ("bob", 1));
}

#[tokio::test]
async fn an_appeal_stands_beside_the_first_decision() {
    let mut history = opened();
    let (kind, data) = decided("LevelDecided", json!({"overrides": {}}));
    history.add("level_review", 1, &kind, data);
    history.add("level_review", 1, "LevelDecisionAppealed", json!({"reason": "unfair"}));
    assert_eq!(row(&history).await.status, LevelReviewStatus::Appealed);
    let (kind, data) = decided("LevelAppealDecided", json!({"upheld": true}));
    history.add("level_review", 1, &kind, data);
    let row = row(&history).await;
    assert_eq!(row.status, LevelReviewStatus::AppealDecided);
    assert!(row.decision.is_some());
    assert_eq!(row.appeal.unwrap().upheld, Some(true));
}

#[tokio::test]
async fn reviews_are_listed_by_status() {
    let folded = opened().folded();
    let of = |status| LevelReviewFilter { status: Some(status), ..LevelReviewFilter::default() };
    let count = async |scope, status| {
        folded.views.level_reviews(scope, of(status)).await.unwrap().items.len()
    };
    assert_eq!(count(acme(), LevelReviewStatus::Open).await, 1);
    assert_eq!(count(acme(), LevelReviewStatus::Decided).await, 0);
    assert_eq!(count(acme_partner(2), LevelReviewStatus::Open).await, 0);
}
