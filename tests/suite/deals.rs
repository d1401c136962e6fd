//! Deals over HTTP: from a draft to the end of a protection.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::partners::id;
use crate::reviews::silver;
use crate::stage::{QUAZZAR, Stage, ZEXTRAS, company, deal, today};

const SCOPE: &str = "carbonio-workspace";

#[tokio::test]
async fn a_registration_goes_from_draft_over_questions_to_protection_and_is_won() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = silver(&stage, "Rete Nova").await;
    let deal = stage.draft_deal(partner, &company("Ospedale Maggiore"), SCOPE).await;
    let (seller, manager) = (stage.seller(partner), stage.manager());
    let path = |command: &str| format!("deals/{deal}/{command}");
    assert_eq!(status(&stage, deal).await, "draft");
    seller.post(&path("submit"), json!({})).await.done();
    assert_eq!(status(&stage, deal).await, "in-review");
    let body = json!({ "question": "who decides at the customer?" });
    manager.post(&path("request-information"), body).await.done();
    assert_eq!(status(&stage, deal).await, "information-requested");
    let refused = manager.post(&path("approve"), json!({})).await;
    let refused = refused.refused(409, "deal-wrong-status");
    assert_eq!(refused["current_status"], "information-requested");
    let body = json!({ "answer": "the head of IT" });
    seller.post(&path("provide-information"), body).await.done();
    manager.post(&path("approve"), json!({})).await.done();
    let row = seller.get(&format!("deals/{deal}")).await.done();
    assert_eq!((&row["status"], &row["answer"]), (&json!("protected"), &json!("the head of IT")));
    assert_eq!(row["protected_until"], json!(today().plus_days(90)));
    assert_eq!(row["activity_due"], json!(today().plus_days(30)));
    let body = json!({ "activity": "demo at the customer", "on": today() });
    seller.post(&path("record-activity"), body).await.done();
    let body = json!({ "closed_on": today(), "value": { "minor": 5_000_000, "currency": "EUR" } });
    seller.post(&path("mark-won"), body).await.done();
    let row = seller.get(&format!("deals/{deal}")).await.done();
    assert_eq!((&row["status"], &row["activities"]), (&json!("won"), &json!(1)));
}

#[tokio::test]
async fn registering_deals_is_a_benefit_of_levels_where_the_rulebook_says_so() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = stage.admit_partner("Rete Nova").await;
    let body = deal(partner, &company("Ospedale Maggiore"), SCOPE);
    let refused = stage.seller(partner).post("deals", body).await;
    refused.refused(409, "level-may-not-register");
}

#[tokio::test]
async fn days_of_deals_that_cannot_be_right_are_refused() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let seller = stage.seller(partner);
    let mut body = deal(partner, &company("Comune di Bari"), "cloud-os");
    body["expected_close"] = json!("9999-12-31");
    seller.post("deals", body).await.refused(409, "close-too-far");
    let deal = protected(&stage, partner, "Ospedale Maggiore").await;
    let body = json!({ "activity": "called them", "on": "1970-01-01" });
    let path = format!("deals/{deal}/record-activity");
    seller.post(&path, body).await.refused(409, "activity-too-old");
    let yesterday = today().minus_days(1);
    let value = json!({ "minor": 5_000_000, "currency": "EUR" });
    let body = json!({ "closed_on": yesterday, "value": value });
    let path = format!("deals/{deal}/mark-won");
    seller.post(&path, body).await.refused(409, "closed-before-protected");
}

#[tokio::test]
async fn a_deal_is_validated_by_another_person_than_the_one_who_submitted_it() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = silver(&stage, "Rete Nova").await;
    let deal = stage.draft_deal(partner, &company("Ospedale Maggiore"), SCOPE).await;
    stage.manager().post(&format!("deals/{deal}/submit"), json!({})).await.done();
    let refused = stage.manager().post(&format!("deals/{deal}/approve"), json!({})).await;
    refused.refused(409, "approver-is-registrant");
    stage.director().post(&format!("deals/{deal}/approve"), json!({})).await.done();
}

#[tokio::test]
async fn a_rejection_needs_a_reason_of_the_rulebook_and_frees_the_opportunity() {
    let stage = Stage::open(ZEXTRAS).await;
    let [first, second] = [silver(&stage, "Uno").await, silver(&stage, "Due").await];
    let customer = company("Ospedale Maggiore");
    let rejected = stage.draft_deal(first, &customer, SCOPE).await;
    stage.seller(first).post(&format!("deals/{rejected}/submit"), json!({})).await.done();
    let reject = format!("deals/{rejected}/reject");
    let body = json!({ "reason": "because", "note": "" });
    stage.manager().post(&reject, body).await.refused(422, "unknown-rejection-reason");
    let body = json!({ "reason": "no-real-opportunity", "note": "nobody there knows of it" });
    stage.manager().post(&reject, body).await.done();
    let next = stage.draft_deal(second, &customer, SCOPE).await;
    stage.seller(second).post(&format!("deals/{next}/submit"), json!({})).await.done();
    assert_eq!(status(&stage, next).await, "in-review");
}

#[tokio::test]
async fn an_extension_needs_activity_since_the_protection_began() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let deal = protected(&stage, partner, "Ospedale Maggiore").await;
    let body = json!({ "reason": "their budget comes in autumn" });
    let refused = stage.seller(partner).post(&format!("deals/{deal}/extend"), body).await;
    let refused = refused.refused(409, "no-activity-since-extension");
    assert_eq!(refused["since"], json!(today()));
}

#[tokio::test]
async fn what_ends_a_protection_frees_the_opportunity_for_the_next() {
    let endings = [
        ("mark-lost", json!({ "reason": "the customer stays with paper" })),
        ("withdraw", json!({ "reason": "out of our region" })),
        ("revoke", json!({ "reason": "no contact with the customer" })),
        ("release", json!({ "statement": "we want to choose ourselves" })),
    ];
    let stage = Stage::open(QUAZZAR).await;
    let [first, second] =
        [stage.add_partner("Uno", "gold").await, stage.add_partner("Due", "gold").await];
    for (number, (ending, body)) in endings.into_iter().enumerate() {
        let customer = format!("Comune {number}");
        let deal = protected(&stage, first, &customer).await;
        stage.manager().post(&format!("deals/{deal}/{ending}"), body).await.done();
        let next = protected(&stage, second, &customer).await;
        assert_eq!(status(&stage, next).await, "protected", "after {ending}");
    }
}

#[tokio::test]
async fn nothing_is_registered_in_restricted_countries_or_outside_the_agreed_scope() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = silver(&stage, "Rete Nova").await;
    let mut customer = company("Ospedale Maggiore");
    customer["country"] = json!("KP");
    let refused = stage.seller(partner).post("deals", deal(partner, &customer, SCOPE)).await;
    assert_eq!(refused.refused(409, "restricted-country")["country"], "KP");
    let unknown = deal(partner, &company("Ospedale Maggiore"), "typewriters");
    let refused = stage.seller(partner).post("deals", unknown).await;
    refused.refused(422, "unknown-product-scope");
}

#[tokio::test]
async fn partners_see_their_own_deals_and_no_others() {
    let stage = Stage::open(QUAZZAR).await;
    let [own, other] =
        [stage.add_partner("Uno", "gold").await, stage.add_partner("Due", "gold").await];
    let mine = protected(&stage, own, "Ospedale Maggiore").await;
    let foreign = protected(&stage, other, "Comune di Bari").await;
    let seller = stage.seller(own);
    assert_eq!(seller.all("deals").await.iter().map(id).collect::<Vec<_>>(), [mine]);
    seller.get(&format!("deals/{foreign}")).await.refused(404, "not-found");
    let body = json!({ "activity": "called them", "on": today() });
    let path = format!("deals/{foreign}/record-activity");
    seller.post(&path, body).await.refused(404, "not-found");
    let registered_for_another = deal(other, &company("Comune di Lecce"), "cloud-os");
    seller.post("deals", registered_for_another).await.refused(404, "not-found");
    let board = seller.get("deal-board").await.done();
    assert_eq!(board, json!([{ "status": "protected", "count": 1 }]));
}

#[tokio::test]
async fn reviewers_see_deals_of_customers_with_similar_names() {
    let stage = Stage::open(ZEXTRAS).await;
    let [first, second] = [silver(&stage, "Uno").await, silver(&stage, "Due").await];
    let one = stage.draft_deal(first, &company("Ospedale Maggiore"), SCOPE).await;
    let other = stage.draft_deal(second, &company("Ospedale Minore"), SCOPE).await;
    let near = stage.manager().get(&format!("deals/{one}/near-matches")).await.done();
    assert_eq!(near.as_array().unwrap().iter().map(id).collect::<Vec<_>>(), [other]);
    let path = format!("deals/{one}/near-matches");
    stage.seller(first).get(&path).await.refused(403, "role-not-allowed");
}

/// A deal that is protected at once, where validation is automatic.
pub(crate) async fn protected(stage: &Stage, partner: Uuid, customer: &str) -> Uuid {
    let deal = stage.draft_deal(partner, &company(customer), "cloud-os").await;
    stage.seller(partner).post(&format!("deals/{deal}/submit"), json!({})).await.done();
    deal
}

async fn status(stage: &Stage, deal: Uuid) -> String {
    let row: Value = stage.manager().get(&format!("deals/{deal}")).await.done();
    row["status"].as_str().unwrap().to_owned()
}
