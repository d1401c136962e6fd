//! Rulebooks over HTTP: from a draft to what is in force.

use accord_domain::rulebook::Rulebook;
use serde_json::{Value, json};

use crate::stage::{QUAZZAR, Stage, ZEXTRAS, company, contact, today};

#[tokio::test]
async fn a_rulebook_is_drafted_approved_by_another_person_announced_and_then_in_force() {
    let stage = Stage::empty();
    let draft = stage.draft(&stage.renamed(QUAZZAR)).await;
    let path = format!("/v1/programs/{}/rulebooks/1", stage.program);
    assert_eq!((draft.status, draft.header("location")), (201, path.as_str()));
    assert_eq!(status(&stage, 1).await, "drafted");
    stage.director().post("rulebooks/1/approve", json!({})).await.done();
    assert_eq!(status(&stage, 1).await, "approved");
    let body = json!({ "effective_on": today() });
    stage.admin().post("rulebooks/1/announce", body).await.done();
    let row = stage.auditor().get("rulebooks/1").await.done();
    assert_eq!((&row["status"], &row["drafted_by"]), (&json!("in-force"), &json!("ann")));
    assert_eq!(row["approved_by"], "dirk");
    let stored = Rulebook::from_json(&row["document"].to_string()).unwrap();
    assert_eq!(stored, Rulebook::from_toml(&stage.renamed(QUAZZAR)).unwrap());
}

#[tokio::test]
async fn who_drafted_a_rulebook_cannot_approve_it() {
    let stage = Stage::empty();
    stage.draft(&stage.renamed(QUAZZAR)).await.done();
    let refused = stage.admin().post("rulebooks/1/approve", json!({})).await;
    refused.refused(409, "approver-is-drafter");
}

#[tokio::test]
async fn a_rulebook_that_nobody_approved_cannot_be_announced() {
    let stage = Stage::empty();
    stage.draft(&stage.renamed(QUAZZAR)).await.done();
    let body = json!({ "effective_on": today() });
    let refused = stage.admin().post("rulebooks/1/announce", body).await;
    refused.refused(409, "rulebook-not-approved");
}

#[tokio::test]
async fn a_new_version_takes_effect_only_after_the_notice_that_the_old_one_demands() {
    let stage = Stage::open(QUAZZAR).await;
    stage.draft(&stage.renamed(QUAZZAR)).await.done();
    stage.director().post("rulebooks/2/approve", json!({})).await.done();
    let announce = |day| {
        let body = json!({ "effective_on": day });
        let admin = stage.admin();
        async move { admin.post("rulebooks/2/announce", body).await }
    };
    let refused = announce(today().plus_days(13)).await.refused(409, "notice-too-short");
    assert_eq!(refused["earliest"], json!(today().plus_days(14)));
    announce(today().minus_days(1)).await.refused(409, "backdated");
    announce(today().plus_days(14)).await.done();
    assert_eq!((status(&stage, 1).await, status(&stage, 2).await), text("in-force", "announced"));
    let body = json!({ "reason": "a price was wrong" });
    stage.admin().post("rulebooks/2/withdraw", body).await.done();
    assert_eq!((status(&stage, 1).await, status(&stage, 2).await), text("in-force", "withdrawn"));
    let body = json!({ "reason": "too late" });
    let refused = stage.admin().post("rulebooks/1/withdraw", body).await;
    refused.refused(409, "already-in-effect");
}

#[tokio::test]
async fn every_mistake_of_a_rulebook_is_named_with_its_place() {
    let stage = Stage::empty();
    let right = stage.renamed(ZEXTRAS);
    let wrong = right.replacen("days_max = 180", "days_max = 0", 1);
    let wrong = wrong.replacen("id = \"gold\"", "id = \"silver\"", 1);
    let refused = stage.draft(&wrong).await.refused(422, "rulebook-invalid");
    let places: Vec<&str> = fields(&refused);
    assert_eq!(places.len(), 2, "{refused:#}");
    let line = |text: &str| 1 + wrong.lines().position(|line| line.contains(text)).unwrap();
    let days_max = format!("entry.mou.days_max (line {}, column 12)", line("days_max = 0"));
    assert_eq!(places[0], days_max);
    assert!(places[1].starts_with("tracks[0].levels[1].id (line "), "{places:?}");
}

#[tokio::test]
async fn a_rulebook_may_also_come_as_json() {
    let stage = Stage::empty();
    let document = Rulebook::from_toml(&stage.renamed(ZEXTRAS)).unwrap();
    let document = serde_json::to_value(&document).unwrap();
    stage.admin().post("rulebooks", document.clone()).await.done();
    let mut wrong = document;
    wrong["notice"]["days"] = json!("thirty");
    let refused = stage.admin().post("rulebooks", wrong).await.refused(422, "rulebook-invalid");
    assert!(fields(&refused)[0].starts_with("notice.days (line "), "{refused:#}");
}

#[tokio::test]
async fn every_wrong_type_of_a_rulebook_is_named_with_its_place() {
    let stage = Stage::empty();
    let wrong = stage.renamed(ZEXTRAS).replacen("days_max = 180", "days_max = \"long\"", 1);
    let wrong = wrong.replacen("days = 30", "days = \"thirty\"", 1);
    let refused = stage.draft(&wrong).await.refused(422, "rulebook-invalid");
    let places = fields(&refused);
    assert_eq!(places.len(), 2, "{refused:#}");
    assert!(places[0].starts_with("entry.mou.days_max (line "), "{places:?}");
    assert!(places[1].starts_with("notice.days (line "), "{places:?}");
}

#[tokio::test]
async fn a_rulebook_of_another_program_is_refused() {
    let stage = Stage::empty();
    let refused = stage.draft(QUAZZAR).await.refused(422, "invalid-fields");
    assert_eq!(fields(&refused), ["identity.program"]);
}

#[tokio::test]
async fn without_a_rulebook_in_force_nothing_is_decided() {
    let stage = Stage::empty();
    stage.draft(&stage.renamed(QUAZZAR)).await.done();
    let body = json!({
        "command": "add", "company": company("Nube Srl"), "track": "partner", "level": "silver",
        "contacts": [contact("sales", "Nube Srl")],
    });
    stage.manager().post("partners", body).await.refused(409, "no-rulebook-in-force");
    stage.auditor().get("price-lists").await.refused(409, "no-rulebook-in-force");
}

#[tokio::test]
async fn every_partner_sees_the_price_lists_in_force_and_its_program() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let lists = stage.seller(partner).get("price-lists").await.done();
    let prices = &lists[0]["prices"];
    assert_eq!((&lists[0]["currency"], &prices[0]["amount_minor"]), (&json!("EUR"), &json!(2_000)));
    let caller = stage.seller(partner);
    let base = caller.base.clone();
    let programs =
        crate::client::Caller { base: base.replace(stage.program.as_str(), ""), ..caller };
    let url = programs.base.trim_end_matches('/').to_owned();
    let request = programs.http.get(url).bearer_auth(&programs.token);
    let listed = programs.send(request).await.done();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["id"], json!(stage.program));
}

async fn status(stage: &Stage, version: u32) -> String {
    let row = stage.auditor().get(&format!("rulebooks/{version}")).await.done();
    row["status"].as_str().unwrap().to_owned()
}

fn text(first: &str, second: &str) -> (String, String) {
    (first.to_owned(), second.to_owned())
}

fn fields(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap();
    errors.iter().map(|error| error["field"].as_str().unwrap()).collect()
}
