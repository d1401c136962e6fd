//! Retrying safely: idempotency keys, also over a restart, and revisions.

use reqwest::Method;
use reqwest::header::IF_MATCH;
use serde_json::{Value, json};

use crate::client::{Answer, Caller};
use crate::server::{Server, Site};
use crate::stage::{QUAZZAR, Stage, company, contact};

#[tokio::test]
async fn the_same_key_and_body_give_the_first_answer_again_also_after_a_restart() {
    let site = Site::start(&[]);
    let stage = Stage::on(&site, QUAZZAR).await;
    let created = stage.manager().post_once("add-1", "partners", partner("Nube Srl")).await;
    let path = format!("partners/{}/suspend", created.id());
    let changed = stage.manager().post_once("suspend-1", &path, reason("unpaid")).await;
    assert_eq!((created.status, created.header("idempotent-replayed")), (201, ""));
    let retried = stage.manager().post_once("add-1", "partners", partner("Nube Srl")).await;
    assert_same(&created, &retried);
    let site = site.restart(|server| assert!(server.terminate().success()));
    let stage = stage.moved_to(&site);
    let manager = stage.manager();
    assert_same(&created, &manager.post_once("add-1", "partners", partner("Nube Srl")).await);
    assert_same(&changed, &manager.post_once("suspend-1", &path, reason("unpaid")).await);
    assert_eq!(manager.all("partners").await.len(), 1);
    let another = manager.post_once("add-1", "partners", partner("Vento Srl")).await;
    another.refused(422, "idempotency-key-reused");
    let another = manager.post_once("suspend-1", &path, reason("bankrupt")).await;
    another.refused(422, "idempotency-key-reused");
}

#[tokio::test]
async fn the_same_key_with_another_body_or_for_another_resource_is_refused() {
    let stage = Stage::open(QUAZZAR).await;
    let manager = stage.manager();
    let first = manager.post_once("k", "partners", partner("Nube Srl")).await.id();
    let refused = manager.post_once("k", "partners", partner("Vento Srl")).await;
    refused.refused(422, "idempotency-key-reused");
    let second = manager.post_once("k2", "partners", partner("Vento Srl")).await.id();
    let suspend = |id| format!("partners/{id}/suspend");
    manager.post_once("s", &suspend(first), reason("unpaid")).await.done();
    let refused = manager.post_once("s", &suspend(second), reason("unpaid")).await;
    refused.refused(422, "idempotency-key-reused");
}

#[tokio::test]
async fn keys_of_different_callers_do_not_meet() {
    let stage = Stage::open(QUAZZAR).await;
    let first = stage.manager().post_once("k", "partners", partner("Nube Srl")).await.id();
    let second = stage.director().post_once("k", "partners", partner("Nube Srl")).await.id();
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_retried_creation_creates_once_however_often_it_arrives_at_the_same_time() {
    let stage = Stage::open(QUAZZAR).await;
    let manager = stage.manager();
    let retries = (0..20).map(|_| manager.post_once("k", "partners", partner("Nube Srl")));
    let answers = futures::future::join_all(retries).await;
    let first = answers[0].id();
    assert!(answers.iter().all(|answer| answer.id() == first));
    assert_eq!(manager.all("partners").await.len(), 1);
    assert_eq!(stage.auditor().export("&type=PartnerRegistered").await.len(), 1);
}

#[tokio::test]
async fn a_key_has_a_length_and_is_visible_text() {
    let stage = Stage::open(QUAZZAR).await;
    let manager = stage.manager();
    for key in [" ".to_owned(), "k".repeat(256)] {
        let refused = manager.post_once(&key, "partners", partner("Nube Srl")).await;
        refused.refused(400, "malformed-request");
    }
    manager.post_once(&"k".repeat(255), "partners", partner("Nube Srl")).await.done();
}

#[tokio::test]
async fn a_command_on_a_stale_revision_is_refused_and_changes_nothing() {
    let stage = Stage::open(QUAZZAR).await;
    let manager = stage.manager();
    let added = manager.post("partners", partner("Nube Srl")).await;
    let path = format!("partners/{}/suspend", added.id());
    let tag = added.header("etag");
    assert_eq!(tag, format!("\"{}\"", added.json()["revision"]));
    let at = |tag| if_match(&manager, &path, tag);
    let refused = at("\"0\"").await.refused(412, "revision-mismatch");
    assert_eq!((&refused["expected"], &refused["actual"]), (&json!(0), &json!(1)));
    at("1").await.refused(400, "malformed-request");
    let suspended = at(tag).await;
    assert_eq!(suspended.done()["revision"], 2);
    assert_eq!(suspended.header("etag"), "\"2\"");
    at(tag).await.refused(412, "revision-mismatch");
    assert_eq!(stage.auditor().export("&type=PartnerSuspended").await.len(), 1);
}

#[tokio::test]
async fn a_wish_that_already_holds_succeeds_and_records_nothing() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let path = format!("partners/{partner}/suspend");
    let first = stage.manager().post(&path, reason("unpaid")).await.done();
    let second = stage.manager().post(&path, reason("unpaid")).await.done();
    assert_eq!((first["events"].as_array().unwrap().len(), &second["events"]), (1, &json!([])));
    assert_eq!(second["revision"], first["revision"]);
}

async fn if_match(caller: &Caller, path: &str, tag: &str) -> Answer {
    let request = caller.request(Method::POST, path).header(IF_MATCH, tag);
    caller.send(request.json(&reason("unpaid"))).await
}

#[track_caller]
fn assert_same(first: &Answer, again: &Answer) {
    assert_eq!((first.status, first.done()), (again.status, again.done()));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(first.header("location"), again.header("location"));
}

fn partner(name: &str) -> Value {
    json!({
        "command": "add", "company": company(name), "track": "partner", "level": "silver",
        "contacts": [contact("sales", name)],
    })
}

fn reason(text: &str) -> Value {
    json!({ "reason": text })
}

#[tokio::test]
async fn a_server_that_is_asked_to_end_ends_well_and_goes_on_where_it_was() {
    let site = Site::start(&[]);
    let stage = Stage::on(&site, QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let site = site.restart(|server: Server| assert!(server.terminate().success()));
    let stage = stage.moved_to(&site);
    let row = stage.manager().get(&format!("partners/{partner}")).await.done();
    assert_eq!(row["status"], "active");
}
