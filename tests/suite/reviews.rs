//! Level reviews over HTTP: frozen evidence, two people, reasons, and what a level is worth.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::Caller;
use crate::stage::{Stage, ZEXTRAS, new_licence, today};

const JUDGED: [&str; 5] = [
    "project-experience",
    "infrastructure-complexity",
    "customer-size",
    "autonomy",
    "collaboration",
];

#[tokio::test]
async fn with_5000_seats_a_partner_is_not_gold_and_with_5001_it_is() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = stage.admit_partner("Rete Nova").await;
    stage.certify(partner, "C3", today().plus_days(300)).await;
    let seats = |quantity: u32| json!([{ "sku": "workspace", "quantity": quantity }]);
    for quantity in [2_000, 2_000] {
        stage.sell(partner, seats(quantity), "bank-transfer").await;
    }
    let (_, small) = stage.sell(partner, seats(1_000), "bank-transfer").await;
    promote(&stage, partner, "silver").await;

    let at_5000 = ready(&stage, partner, "gold").await;
    let review = stage.manager().get(&format!("level-reviews/{at_5000}")).await.done();
    assert_eq!(requirement(&review, "seats")["outcome"], "not-met");
    assert_eq!(requirement(&review, "licences")["outcome"], "met");
    let decide = format!("level-reviews/{at_5000}/decide");
    let refused = stage.director().post(&decide, decision("promote")).await;
    let refused = refused.refused(409, "requirements-not-met");
    assert_eq!(refused["requirements"], json!(["seats"]));
    stage.director().post(&decide, decision("retain")).await.done();
    assert_eq!(level(&stage, partner).await, "silver");

    let upgrade = json!({ "kind": "upgrade", "licence": small, "items": seats(1_001) });
    let body = json!({ "payment": "bank-transfer", "request": upgrade });
    let order = stage.seller(partner).post("orders", body).await.id();
    stage.pay(order).await;
    let at_5001 = ready(&stage, partner, "gold").await;
    let review = stage.manager().get(&format!("level-reviews/{at_5001}")).await.done();
    let seats = requirement(&review, "seats");
    assert_eq!(
        (&seats["outcome"], seats["evidence"].as_array().unwrap().len()),
        (&json!("met"), 3)
    );
    let decide = format!("level-reviews/{at_5001}/decide");
    stage.director().post(&decide, decision("promote")).await.done();
    assert_eq!(level(&stage, partner).await, "gold");
    let frozen = stage.manager().get(&format!("level-reviews/{at_5000}")).await.done();
    assert_eq!(requirement(&frozen, "seats")["outcome"], "not-met", "evidence stays as it was");
}

#[tokio::test]
async fn where_levels_set_no_price_a_promotion_changes_no_price() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = stage.admit_partner("Rete Nova").await;
    let body = json!({ "request": new_licence(json!([{ "sku": "workspace", "quantity": 100 }])) });
    let seller = stage.seller(partner);
    let before = seller.post("quotes", body.clone()).await.done();
    let review = ready(&stage, partner, "silver").await;
    let reasons: serde_json::Map<String, Value> = ["certification", "licences", "seats"]
        .map(|unmet| (unmet.to_owned(), json!("promised for the next quarter")))
        .into_iter()
        .collect();
    let mut override_all = decision("promote");
    override_all["overrides"] = reasons.into();
    let decide = format!("level-reviews/{review}/decide");
    stage.director().post(&decide, override_all).await.done();
    assert_eq!(level(&stage, partner).await, "silver");
    let after = seller.post("quotes", body).await.done();
    assert_eq!((&after["total"], &after["lines"]), (&before["total"], &before["lines"]));
    assert_eq!(after["discount"], "0");
}

#[tokio::test]
async fn a_level_is_decided_by_another_person_than_the_one_who_recommended() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = stage.admit_partner("Rete Nova").await;
    let review = ready(&stage, partner, "silver").await;
    let decide = format!("level-reviews/{review}/decide");
    let refused = stage.manager().post(&decide, decision("promote")).await;
    refused.refused(409, "decider-is-recommender");
}

#[tokio::test]
async fn nothing_is_recommended_before_people_have_judged_what_only_they_can() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = stage.admit_partner("Rete Nova").await;
    let review = open(&stage.manager(), partner, "silver").await;
    let path = format!("level-reviews/{review}/recommend");
    let refused = stage.manager().post(&path, recommendation("promote")).await;
    let refused = refused.refused(409, "requirements-to-be-judged");
    assert_eq!(refused["requirements"], json!(JUDGED));
}

#[tokio::test]
async fn an_unmet_requirement_is_overridden_only_with_a_reason_of_its_own() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = stage.admit_partner("Rete Nova").await;
    let review = ready(&stage, partner, "silver").await;
    let decide = format!("level-reviews/{review}/decide");
    let mut partly = decision("promote");
    partly["overrides"] = json!({ "seats": "a large customer starts in May" });
    let refused = stage.director().post(&decide, partly.clone()).await;
    let refused = refused.refused(409, "requirements-not-met");
    assert_eq!(refused["requirements"], json!(["certification", "licences"]));
    partly["overrides"]["autonomy"] = json!("they are");
    let refused = stage.director().post(&decide, partly).await;
    refused.refused(409, "nothing-to-override");
}

#[tokio::test]
async fn a_partner_appeals_once_and_another_person_decides_the_appeal() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = stage.admit_partner("Rete Nova").await;
    promote_anyhow(&stage, partner, "silver").await;
    let review = ready(&stage, partner, "gold").await;
    let path = |command: &str| format!("level-reviews/{review}/{command}");
    stage.director().post(&path("decide"), decision("retain")).await.done();
    let applicant = stage.partner_admin(partner);
    let appeal = json!({ "reason": "two large projects were not counted" });
    applicant.post(&path("appeal"), appeal.clone()).await.done();
    applicant.post(&path("appeal"), appeal).await.refused(409, "already-appealed");
    let upheld = json!({ "outcome": { "kind": "promote" }, "reason": "they were right" });
    let refused = stage.director().post(&path("decide-appeal"), upheld.clone()).await;
    refused.refused(409, "appeal-decider-is-decider");
    stage.admin().post(&path("decide-appeal"), upheld).await.done();
    assert_eq!(level(&stage, partner).await, "gold");
    let row = applicant.get(&format!("level-reviews/{review}")).await.done();
    assert_eq!(
        (&row["status"], &row["appeal"]["upheld"]),
        (&json!("appeal-decided"), &json!(false))
    );
}

#[tokio::test]
async fn a_review_reaches_one_step_up_and_no_further() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = stage.admit_partner("Rete Nova").await;
    let body = review(partner, "platinum");
    let refused = stage.manager().post("level-reviews", body).await;
    assert_eq!(refused.refused(409, "target-out-of-reach")["next"], "silver");
}

#[tokio::test]
async fn an_undecided_review_is_withdrawn_with_a_reason() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = stage.admit_partner("Rete Nova").await;
    let review = open(&stage.manager(), partner, "silver").await;
    let withdraw = format!("level-reviews/{review}/withdraw");
    let refused = stage.manager().post(&withdraw, json!({ "reason": " " })).await;
    refused.refused(422, "reason-missing");
    stage.manager().post(&withdraw, json!({ "reason": "opened twice" })).await.done();
    let open = stage.manager().all("level-reviews?status=open").await;
    assert!(open.is_empty(), "{open:?}");
}

#[tokio::test]
async fn a_partner_has_one_open_review_per_track() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = stage.admit_partner("Rete Nova").await;
    let first = ready(&stage, partner, "silver").await;
    let refused = stage.manager().post("level-reviews", review(partner, "silver")).await;
    assert_eq!(refused.refused(409, "another-review-open")["review"], json!(first));
    let withdraw = format!("level-reviews/{first}/withdraw");
    stage.manager().post(&withdraw, json!({ "reason": "opened too early" })).await.done();
    open(&stage.manager(), partner, "silver").await;
}

#[tokio::test]
async fn an_appeal_does_not_undo_what_a_later_review_has_decided() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = stage.admit_partner("Rete Nova").await;
    promote_anyhow(&stage, partner, "silver").await;
    let first = ready(&stage, partner, "gold").await;
    let path = |command: &str| format!("level-reviews/{first}/{command}");
    stage.director().post(&path("decide"), decision("retain")).await.done();
    let appeal = json!({ "reason": "two large projects were not counted" });
    stage.partner_admin(partner).post(&path("appeal"), appeal).await.done();
    promote_anyhow(&stage, partner, "gold").await;
    let late = json!({ "outcome": { "kind": "retain" }, "reason": "as before" });
    let refused = stage.admin().post(&path("decide-appeal"), late).await;
    let refused = refused.refused(409, "level-changed-since");
    assert_eq!((&refused["reviewed"], &refused["held"]), (&json!("silver"), &json!("gold")));
    assert_eq!(level(&stage, partner).await, "gold");
}

#[tokio::test]
async fn levels_of_a_partner_that_is_not_active_are_neither_reviewed_nor_decided() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = stage.admit_partner("Rete Nova").await;
    let open = ready(&stage, partner, "silver").await;
    for (status, by) in [("suspend", stage.manager()), ("terminate", stage.director())] {
        let body = json!({ "reason": "invoices unpaid" });
        by.post(&format!("partners/{partner}/{status}"), body).await.done();
        let refused = stage.manager().post("level-reviews", review(partner, "silver")).await;
        refused.refused(409, "partner-not-active");
        let decide = format!("level-reviews/{open}/decide");
        let refused = stage.director().post(&decide, decision("promote")).await;
        refused.refused(409, "partner-not-active");
    }
    let withdraw = format!("level-reviews/{open}/withdraw");
    stage.manager().post(&withdraw, json!({ "reason": "no partner any more" })).await.done();
}

fn review(partner: Uuid, target: &str) -> Value {
    json!({ "partner": partner, "track": "partner", "target": target, "reason": "yearly review" })
}

fn recommendation(outcome: &str) -> Value {
    json!({ "outcome": { "kind": outcome }, "reason": "as the evidence says" })
}

pub(crate) fn decision(outcome: &str) -> Value {
    json!({ "outcome": { "kind": outcome }, "reason": "agreed in the board" })
}

async fn open(by: &Caller, partner: Uuid, target: &str) -> Uuid {
    by.post("level-reviews", review(partner, target)).await.id()
}

/// A review with everything judged well and a recommendation by the channel manager.
pub(crate) async fn ready(stage: &Stage, partner: Uuid, target: &str) -> Uuid {
    let manager = stage.manager();
    let review = open(&manager, partner, target).await;
    for requirement in JUDGED {
        let body = json!({ "requirement": requirement, "met": true, "note": "seen in projects" });
        manager.post(&format!("level-reviews/{review}/judge"), body).await.done();
    }
    let path = format!("level-reviews/{review}/recommend");
    manager.post(&path, recommendation("promote")).await.done();
    review
}

/// Promotes a partner that meets every requirement.
async fn promote(stage: &Stage, partner: Uuid, target: &str) {
    let review = ready(stage, partner, target).await;
    let decide = format!("level-reviews/{review}/decide");
    stage.director().post(&decide, decision("promote")).await.done();
}

/// Promotes a partner that meets nothing that is measured.
async fn promote_anyhow(stage: &Stage, partner: Uuid, target: &str) {
    let review = ready(stage, partner, target).await;
    let mut body = decision("promote");
    let reason = "by contract";
    body["overrides"] = json!({ "certification": reason, "licences": reason, "seats": reason });
    stage.director().post(&format!("level-reviews/{review}/decide"), body).await.done();
}

/// A partner that a review has made silver.
pub(crate) async fn silver(stage: &Stage, name: &str) -> Uuid {
    let partner = stage.admit_partner(name).await;
    promote_anyhow(stage, partner, "silver").await;
    partner
}

fn requirement<'a>(review: &'a Value, id: &str) -> &'a Value {
    let evaluations = review["evaluations"].as_array().unwrap();
    evaluations.iter().find(|evaluation| evaluation["requirement"] == id).unwrap()
}

async fn level(stage: &Stage, partner: Uuid) -> String {
    let row = stage.manager().get(&format!("partners/{partner}")).await.done();
    row["tracks"]["partner"].as_str().unwrap().to_owned()
}
