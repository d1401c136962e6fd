//! What partners' roles see of what they may read: generated from the table of hidden fields.

use std::collections::BTreeMap;

use accord_domain::Role;
use accord_http::reads::reads;
use accord_http::visibility::HIDDEN;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::Caller;
use crate::reviews::{decision, ready};
use crate::stage::{QUAZZAR, Stage, ZEXTRAS, company, today};

/// A partner to whom everything has happened that has a field in the table.
struct Scene {
    stage: Stage,
    partner: Uuid,
    review: Uuid,
    deal: Uuid,
}

impl Scene {
    async fn play() -> Self {
        let stage = Stage::open(ZEXTRAS).await;
        let partner = stage.admit_partner("Rete Nova").await;
        let review = ready(&stage, partner, "silver").await;
        let path = |command: &str| format!("level-reviews/{review}/{command}");
        let reason = "shown elsewhere";
        let mut promote = decision("promote");
        promote["overrides"] =
            json!({ "certification": reason, "licences": reason, "seats": reason });
        stage.director().post(&path("decide"), promote).await.done();
        let deal =
            stage.draft_deal(partner, &company("Comune di Bari"), "carbonio-workspace").await;
        stage.seller(partner).post(&format!("deals/{deal}/submit"), json!({})).await.done();
        let body = json!({ "reason": "gold was promised" });
        stage.partner_admin(partner).post(&path("appeal"), body).await.done();
        stage.admin().post(&path("decide-appeal"), json!({ "reason": "it was not" })).await.done();
        let manager = stage.manager();
        let body = json!({ "reason": "unpaid" });
        manager.post(&format!("partners/{partner}/suspend"), body).await.done();
        let body = json!({ "plan": "Due Srl takes over" });
        manager.post(&format!("partners/{partner}/record-transition-plan"), body).await.done();
        Self { stage, partner, review, deal }
    }

    /// The places below the program where a path of the table shows this scene.
    fn places(&self, path: &str) -> Vec<String> {
        let below = path.strip_prefix("/v1/programs/{program}/").unwrap();
        let ids = BTreeMap::from([
            ("rulebooks", "1".to_owned()),
            ("partners", self.partner.to_string()),
            ("level-reviews", self.review.to_string()),
            ("deals", self.deal.to_string()),
        ]);
        let collection = below.split('/').next().unwrap();
        let place = below.replace("{id}", ids.get(collection).map_or("", String::as_str));
        let past = reads().iter().any(|read| read.path == path && read.past);
        let then = format!("{place}?at_position={}", u64::from(u32::MAX));
        [place].into_iter().chain(past.then_some(then)).collect()
    }
}

/// Values at a field of the table, in all rows of an answer.
fn values(answer: &Value, field: &str) -> Vec<Value> {
    match (answer, field.split_once('.')) {
        (Value::Array(rows), _) => rows.iter().flat_map(|row| values(row, field)).collect(),
        (Value::Object(row), None) => row.get(field).cloned().into_iter().collect(),
        (Value::Object(row), Some(("*", rest))) => {
            row.values().flat_map(|value| values(value, rest)).collect()
        }
        (Value::Object(row), Some((name, rest))) => {
            row.get(name).map_or(Vec::new(), |value| values(value, rest))
        }
        _ => Vec::new(),
    }
}

async fn rows(caller: &Caller, place: &str) -> Value {
    let answer = caller.get(place).await.done();
    // A page wraps its rows.
    if answer.get("next").is_some() { answer["items"].clone() } else { answer }
}

#[tokio::test]
async fn a_hidden_field_is_shown_to_staff_and_to_no_partners_role() {
    let scene = Scene::play().await;
    let stage = &scene.stage;
    let mut checked = 0;
    for row in HIDDEN {
        for place in scene.places(row.path) {
            for field in row.fields {
                let seen = values(&rows(&stage.manager(), &place).await, field);
                let told = seen.iter().any(|value| !value.is_null());
                assert!(told, "staff do not see `{field}` at {place}");
                for role in [Role::PartnerAdmin, Role::PartnerUser] {
                    let claims = stage.claims("somebody", &[role], Some(scene.partner));
                    let seen = values(&rows(&stage.bearer(&claims), &place).await, field);
                    assert!(seen.is_empty(), "{role:?} sees `{field}` at {place}: {seen:?}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 30, "only {checked} fields");
}

#[tokio::test]
async fn partners_see_what_was_decided_why_and_what_they_lack() {
    let scene = Scene::play().await;
    let caller = scene.stage.partner_admin(scene.partner);
    let review = caller.get(&format!("level-reviews/{}", scene.review)).await.done();
    assert_eq!(review["decision"]["outcome"]["kind"], "promote");
    assert_eq!(review["decision"]["reason"], "agreed in the board");
    assert_eq!(review["appeal"]["decision"]["reason"], "it was not");
    assert_eq!(review["judgements"]["autonomy"], json!({ "met": true }));
    assert_eq!(review["evaluations"][0]["outcome"], "not-met");
    assert_eq!(review["rulebook_version"], 1);
    let history = caller.get(&format!("partners/{}/level-history", scene.partner)).await.done();
    assert_eq!(history[0]["reason"], "agreed in the board");
}

#[tokio::test]
async fn partners_know_rulebook_versions_from_their_announcement_on() {
    let stage = Stage::open(QUAZZAR).await;
    let seller = stage.seller(Uuid::new_v4());
    let versions = || async {
        let rows = seller.get("rulebooks").await.done();
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| row["version"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    stage.draft(&stage.renamed(QUAZZAR)).await.done();
    assert_eq!(versions().await, [1]);
    seller.get("rulebooks/2").await.refused(404, "not-found");
    stage.director().post("rulebooks/2/approve", json!({})).await.done();
    seller.get("rulebooks/2").await.refused(404, "not-found");
    let body = json!({ "effective_on": today().plus_days(14) });
    stage.admin().post("rulebooks/2/announce", body).await.done();
    assert_eq!(versions().await, [2, 1]);
    assert_eq!(seller.get("rulebooks/2").await.done()["status"], "announced");
    let body = json!({ "reason": "a price was wrong" });
    stage.admin().post("rulebooks/2/withdraw", body).await.done();
    assert_eq!(versions().await, [1]);
    seller.get("rulebooks/2").await.refused(404, "not-found");
    assert_eq!(stage.auditor().get("rulebooks").await.done().as_array().unwrap().len(), 2);
}
