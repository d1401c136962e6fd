//! One protection per opportunity: whoever comes second meets a conflict, under any concurrency.

use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::Answer;
use crate::deals::protected;
use crate::reviews::silver;
use crate::stage::{QUAZZAR, Stage, ZEXTRAS, company, today};

#[tokio::test]
async fn whoever_comes_second_learns_the_earliest_free_day_and_only_staff_learns_the_holder() {
    let stage = Stage::open(QUAZZAR).await;
    let [first, second] =
        [stage.add_partner("Uno", "gold").await, stage.add_partner("Due", "gold").await];
    let holder = protected(&stage, first, "Ospedale Maggiore").await;
    let own = stage.draft_deal(second, &company("OSPEDALE MAGGIORE S.r.l."), "cloud-os").await;
    let refused = stage.seller(second).post(&format!("deals/{own}/submit"), json!({})).await;
    assert_safe(&refused, holder, first);
    let by_staff = stage.draft_deal(second, &company("Ospedale Maggiore"), "cloud-os").await;
    let refused = stage.manager().post(&format!("deals/{by_staff}/submit"), json!({})).await;
    let refused = refused.refused(409, "opportunity-taken");
    assert_eq!(refused["holder_deal"], json!(holder));
    let row = stage.seller(second).get(&format!("deals/{own}")).await.done();
    assert_eq!(row["status"], "contested");
    assert_eq!(row["earliest_free_day"], json!(today().plus_days(91)));
}

#[tokio::test]
async fn a_customer_matches_by_name_by_domain_and_by_tax_id_but_not_in_another_scope() {
    let stage = Stage::open(QUAZZAR).await;
    let [first, second] =
        [stage.add_partner("Uno", "gold").await, stage.add_partner("Due", "gold").await];
    let known = json!({
        "name": "Ospedale Maggiore", "country": "IT", "domain": "maggiore.example",
        "tax_id": "IT 012 345 678 90",
    });
    let deal = stage.draft_deal(first, &known, "cloud-os").await;
    stage.seller(first).post(&format!("deals/{deal}/submit"), json!({})).await.done();
    let same = [
        json!({ "name": "ospedale  maggiore spa", "country": "IT" }),
        json!({ "name": "Policlinico", "country": "FR", "domain": "www.MAGGIORE.example" }),
        json!({ "name": "Azienda Sanitaria", "country": "IT", "tax_id": "it01234567890" }),
    ];
    for customer in same {
        let deal = stage.draft_deal(second, &customer, "cloud-os").await;
        let refused = stage.seller(second).post(&format!("deals/{deal}/submit"), json!({})).await;
        refused.refused(409, "opportunity-taken");
    }
    let other = stage.draft_deal(second, &known, "kubernetes").await;
    stage.seller(second).post(&format!("deals/{other}/submit"), json!({})).await.done();
}

#[tokio::test]
async fn a_neutral_person_resolves_a_conflict_and_the_contender_takes_the_opportunity_over() {
    let stage = Stage::open(ZEXTRAS).await;
    let [first, second] = [silver(&stage, "Uno").await, silver(&stage, "Due").await];
    let customer = company("Ospedale Maggiore");
    let holder = stage.draft_deal(first, &customer, "zextras-suite").await;
    let contender = stage.draft_deal(second, &customer, "zextras-suite").await;
    stage.seller(first).post(&format!("deals/{holder}/submit"), json!({})).await.done();
    stage.manager().post(&format!("deals/{holder}/approve"), json!({})).await.done();
    let refused = stage.seller(second).post(&format!("deals/{contender}/submit"), json!({})).await;
    let refused = refused.refused(409, "opportunity-taken");
    let conflict = format!("conflicts/{}", refused["conflict"].as_str().unwrap());
    let dossier = stage.manager().get(&conflict).await.done();
    assert_eq!(dossier["matches"], json!(["name"]));
    assert_eq!(dossier["holder"]["id"], json!(holder));
    assert_eq!(dossier["contender"]["id"], json!(contender));
    stage.seller(first).get(&conflict).await.refused(403, "role-not-allowed");
    let body = json!({ "to": "channel-director", "reason": "both have been there for months" });
    stage.manager().post(&format!("{conflict}/escalate"), body).await.done();
    let resolve = format!("{conflict}/resolve");
    let resolution = |winner: Uuid, rule: &str| json!({ "winner": winner, "rule": rule, "reason": "the customer wrote to us" });
    // The manager has approved one of the deals.
    let refused = stage.manager().post(&resolve, resolution(holder, "customer-choice")).await;
    refused.refused(409, "resolver-not-neutral");
    let director = stage.director();
    let refused = director.post(&resolve, resolution(contender, "loudest-voice")).await;
    refused.refused(422, "unknown-conflict-rule");
    let refused = director.post(&resolve, resolution(Uuid::new_v4(), "customer-choice")).await;
    refused.refused(409, "winner-not-in-conflict");
    director.post(&resolve, resolution(contender, "customer-choice")).await.done();
    assert_eq!(status(&stage, holder).await, "revoked");
    assert_eq!(status(&stage, contender).await, "in-review");
    let again = director.post(&resolve, resolution(holder, "customer-choice")).await;
    again.refused(409, "conflict-already-resolved");
}

#[tokio::test]
async fn a_partners_own_second_registration_opens_no_conflict_with_itself() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Uno", "gold").await;
    let first = protected(&stage, partner, "Ospedale Maggiore").await;
    let second = stage.draft_deal(partner, &company("Ospedale MAGGIORE"), "cloud-os").await;
    let submit = format!("deals/{second}/submit");
    let refused = stage.seller(partner).post(&submit, json!({})).await;
    assert_eq!(refused.refused(409, "registered-already")["deal"], json!(first));
    assert_eq!(status(&stage, second).await, "draft");
    assert!(stage.manager().all("conflicts").await.is_empty());
}

#[tokio::test]
async fn of_a_partners_own_registrations_submitted_at_once_one_is_protected() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Uno", "gold").await;
    let customer = company("Ospedale Maggiore");
    let drafts = (0..10).map(|_| stage.draft_deal(partner, &customer, "cloud-os"));
    let deals = join_all(drafts).await;
    let seller = stage.seller(partner);
    let submit = deals.iter().map(|deal| {
        let (seller, path) = (seller.clone(), format!("deals/{deal}/submit"));
        async move { seller.post(&path, json!({})).await }
    });
    let answers = join_all(submit).await;
    let won: Vec<usize> = (0..10).filter(|index| answers[*index].status == 200).collect();
    assert_eq!(won.len(), 1, "{won:?}");
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        let refused = answer.refused(409, "registered-already");
        assert_eq!(refused["deal"], json!(deals[won[0]]));
    }
    assert!(stage.manager().all("conflicts").await.is_empty());
}

#[tokio::test]
async fn a_contender_that_withdraws_closes_its_conflict() {
    let stage = Stage::open(QUAZZAR).await;
    let [first, second] =
        [stage.add_partner("Uno", "gold").await, stage.add_partner("Due", "gold").await];
    let holder = protected(&stage, first, "Ospedale Maggiore").await;
    let (contender, conflict) = contend(&stage, second, "Ospedale Maggiore").await;
    let withdraw = format!("deals/{contender}/withdraw");
    stage.seller(second).post(&withdraw, json!({ "reason": "no budget" })).await.done();
    let dossier = stage.manager().get(&conflict).await.done();
    let found = &dossier["conflict"];
    assert_eq!(
        (&found["status"], &found["closed_because"]),
        (&json!("closed"), &json!("contender-ended"))
    );
    assert_eq!(status(&stage, holder).await, "protected");
    let body = json!({ "winner": contender, "rule": "first-registered", "reason": "too late" });
    let refused = stage.manager().post(&format!("{conflict}/resolve"), body).await;
    refused.refused(409, "conflict-already-resolved");
}

#[tokio::test]
async fn a_holder_that_gives_up_makes_room_for_the_contender_and_for_nobody_else() {
    let stage = Stage::open(QUAZZAR).await;
    let mut partners = Vec::new();
    for name in ["Uno", "Due", "Tre"] {
        partners.push(stage.add_partner(name, "gold").await);
    }
    let holder = protected(&stage, partners[0], "Ospedale Maggiore").await;
    let (contender, conflict) = contend(&stage, partners[1], "Ospedale Maggiore").await;
    let lost = json!({ "reason": "the customer wants another product" });
    stage.seller(partners[0]).post(&format!("deals/{holder}/mark-lost"), lost).await.done();
    // This program validates by itself: in line means protected.
    assert_eq!(status(&stage, contender).await, "protected");
    let dossier = stage.manager().get(&conflict).await.done();
    assert_eq!(dossier["conflict"]["closed_because"], "holder-ended");
    contend(&stage, partners[2], "Ospedale Maggiore").await;
}

#[tokio::test]
async fn a_conflict_can_be_resolved_at_once_by_whoever_is_told_of_it() {
    let stage = Stage::open(QUAZZAR).await;
    let [first, second] =
        [stage.add_partner("Uno", "gold").await, stage.add_partner("Due", "gold").await];
    let director = stage.director();
    for number in 0..10 {
        let customer = format!("Ospedale {number}");
        let holder = protected(&stage, first, &customer).await;
        let (_, conflict) = contend(&stage, second, &customer).await;
        let body = json!({ "winner": holder, "rule": "first-registered", "reason": "the times" });
        director.post(&format!("{conflict}/resolve"), body).await.done();
    }
}

#[tokio::test]
async fn a_conflict_resolved_for_the_holder_rejects_the_contender() {
    let stage = Stage::open(QUAZZAR).await;
    let [first, second] =
        [stage.add_partner("Uno", "gold").await, stage.add_partner("Due", "gold").await];
    let holder = protected(&stage, first, "Ospedale Maggiore").await;
    let contender = stage.draft_deal(second, &company("Ospedale Maggiore"), "cloud-os").await;
    let refused = stage.seller(second).post(&format!("deals/{contender}/submit"), json!({})).await;
    let refused = refused.refused(409, "opportunity-taken");
    let resolve = format!("conflicts/{}/resolve", refused["conflict"].as_str().unwrap());
    let body = json!({ "winner": holder, "rule": "first-registered", "reason": "by the times" });
    stage.manager().post(&resolve, body).await.done();
    assert_eq!(status(&stage, holder).await, "protected");
    assert_eq!(status(&stage, contender).await, "rejected");
}

#[tokio::test]
async fn of_100_concurrent_registrations_of_one_opportunity_exactly_one_is_protected() {
    let stage = Stage::open(QUAZZAR).await;
    let customer = json!({
        "name": "Ospedale Maggiore", "country": "IT", "domain": "maggiore.example",
        "tax_id": "IT01234567890",
    });
    let partners: Vec<Uuid> = join_all((0..100).map(|number| {
        let stage = &stage;
        async move { stage.add_partner(&format!("Partner {number}"), "silver").await }
    }))
    .await;
    let drafts = partners.iter().map(|partner| stage.draft_deal(*partner, &customer, "cloud-os"));
    let deals = join_all(drafts).await;
    let submit = |(partner, deal): (&Uuid, &Uuid)| {
        let (seller, path) = (stage.seller(*partner), format!("deals/{deal}/submit"));
        async move { seller.post(&path, json!({})).await }
    };
    let answers = join_all(partners.iter().zip(&deals).map(submit)).await;
    let won: Vec<usize> = (0..100).filter(|index| answers[*index].status == 200).collect();
    assert_eq!(won.len(), 1, "{won:?}");
    let (holder, of) = (deals[won[0]], partners[won[0]]);
    for (index, answer) in answers.iter().enumerate() {
        if index != won[0] {
            assert_safe(answer, holder, of);
        }
    }
    let board = stage.manager().get("deal-board").await.done();
    let contested = json!({ "status": "contested", "count": 99 });
    assert_eq!(board, json!([contested, { "status": "protected", "count": 1 }]));
    let protections = stage.auditor().export("&type=DealProtected").await;
    assert_eq!(protections.len(), 1);
}

#[tokio::test]
async fn of_registrations_that_share_one_key_each_exactly_one_is_protected() {
    let stage = Stage::open(QUAZZAR).await;
    let customer = |number: usize| {
        let mut customer = company("Ospedale Maggiore");
        match number % 3 {
            0 => customer["domain"] = json!("maggiore.example"),
            1 => customer["tax_id"] = json!("IT01234567890"),
            _ => {}
        }
        customer
    };
    let mut deals = Vec::new();
    for number in 0..12 {
        let partner = stage.add_partner(&format!("Partner {number}"), "silver").await;
        let deal = stage.draft_deal(partner, &customer(number), "cloud-os").await;
        deals.push((stage.seller(partner), deal));
    }
    let submit = deals.iter().map(|(seller, deal)| async move {
        seller.post(&format!("deals/{deal}/submit"), json!({})).await
    });
    for answer in join_all(submit).await {
        assert!(matches!(answer.status, 200 | 409), "{}", answer.text);
    }
    let settled = |board: &Value| {
        let count = |status: &str| {
            let column = board.as_array().unwrap().iter().find(|column| column["status"] == status);
            column.map_or(0, |column| column["count"].as_u64().unwrap())
        };
        count("protected") == 1 && count("contested") == 11
    };
    // A registration that met a key in the moment of its release is claimed again behind the
    // request.
    stage.manager().get_until("deal-board", settled).await;
}

/// A refusal that tells a partner when to come again, and nothing about whom it lost to.
#[track_caller]
fn assert_safe(answer: &Answer, holder: Uuid, holder_partner: Uuid) {
    let refused = answer.refused(409, "opportunity-taken");
    assert_eq!(refused["earliest_free_day"], json!(today().plus_days(91)), "{refused:#}");
    for secret in [holder.to_string(), holder_partner.to_string()] {
        assert!(!answer.text.contains(&secret), "the holder is told: {refused:#}");
    }
}

/// Registers a deal that comes second; the deal and the path of its conflict.
async fn contend(stage: &Stage, partner: Uuid, customer: &str) -> (Uuid, String) {
    let deal = stage.draft_deal(partner, &company(customer), "cloud-os").await;
    let refused = stage.seller(partner).post(&format!("deals/{deal}/submit"), json!({})).await;
    let refused = refused.refused(409, "opportunity-taken");
    (deal, format!("conflicts/{}", refused["conflict"].as_str().unwrap()))
}

async fn status(stage: &Stage, deal: Uuid) -> String {
    let row = stage.manager().get(&format!("deals/{deal}")).await.done();
    row["status"].as_str().unwrap().to_owned()
}
