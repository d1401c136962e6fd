//! What all reads share: pages, moments of the past, positions, and the standing of levels.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::json;
use uuid::Uuid;

use crate::client::Answer;
use crate::partners::id;
use crate::stage::{QUAZZAR, Stage, today};

#[tokio::test]
async fn pages_by_key_hold_every_row_once_also_while_rows_are_added() {
    let stage = Stage::open(QUAZZAR).await;
    let add = |number: usize| {
        let stage = &stage;
        // Equal names: only the id tells such rows apart.
        async move { stage.add_partner(&format!("Partner {}", number % 7), "silver").await }
    };
    let known: BTreeSet<Uuid> = join_all((0..120).map(add)).await.into_iter().collect();
    let manager = stage.manager();
    let mut found = Vec::new();
    let mut page = manager.get("partners?limit=50").await.done();
    let mut sizes = Vec::new();
    loop {
        let items = page["items"].as_array().unwrap();
        sizes.push(items.len());
        found.extend(items.iter().map(id));
        let Some(next) = page["next"].as_str() else { break };
        add(found.len()).await;
        page = manager.get(&format!("partners?limit=50&cursor={next}")).await.done();
    }
    let distinct: BTreeSet<Uuid> = found.iter().copied().collect();
    assert_eq!(distinct.len(), found.len(), "a row came twice");
    assert!(distinct.is_superset(&known), "a row is missing");
    assert_eq!((sizes.len(), sizes[0], sizes[1]), (3, 50, 50));
}

#[tokio::test]
async fn lists_are_filtered_by_their_fields() {
    let stage = Stage::open(QUAZZAR).await;
    let gold = stage.add_partner("Oro Nero", "gold").await;
    stage.add_partner("Argento", "silver").await;
    let manager = stage.manager();
    let found = |path: &'static str| {
        let manager = manager.clone();
        async move { manager.all(path).await.iter().map(id).collect::<Vec<_>>() }
    };
    assert_eq!(found("partners?level=gold").await, [gold]);
    assert_eq!(found("partners?name=ORO").await, [gold]);
    assert_eq!(found("partners?status=active&track=partner&level=gold&country=IT").await, [gold]);
    assert!(found("partners?country=FR").await.is_empty());
}

#[tokio::test]
async fn what_time_will_do_is_listed_by_day_and_kind() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Oro Nero", "gold").await;
    let expires_on = today().plus_days(20);
    let certificate = stage.certify(partner, "fleet-management", expires_on).await;
    let manager = stage.manager();
    assert!(manager.all("due").await.is_empty(), "nothing is due today");
    let by = today().plus_days(21);
    let timers = manager.all(&format!("due?by={by}&kind=certificate-expiry")).await;
    assert_eq!(timers.len(), 1);
    assert_eq!(
        (&timers[0]["aggregate"], &timers[0]["due_on"]),
        (&json!(certificate), &json!(by)),
        "a timer is due on the day after the last"
    );
    assert!(manager.all(&format!("due?by={by}&kind=licence-expiry")).await.is_empty());
    assert!(manager.all(&format!("due?by={expires_on}")).await.is_empty());
    stage.seller(partner).get("due").await.refused(403, "role-not-allowed");
}

#[tokio::test]
async fn limits_cursors_and_unknown_filters_are_checked() {
    let stage = Stage::open(QUAZZAR).await;
    let manager = stage.manager();
    for limit in ["0", "201"] {
        manager.get(&format!("partners?limit={limit}")).await.refused(422, "invalid-fields");
    }
    manager.get("partners?cursor=nonsense").await.refused(422, "invalid-fields");
    for query in ["limit=many", "colour=blue", "status=asleep", "min_position=first"] {
        let request = manager.request(reqwest::Method::GET, &format!("partners?{query}"));
        manager.send(request).await.refused(400, "malformed-request");
    }
}

#[tokio::test]
async fn partners_and_deals_can_be_seen_as_of_a_time_or_a_position() {
    let stage = Stage::open(QUAZZAR).await;
    let manager = stage.manager();
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let path = format!("partners/{partner}");
    let before = manager.get(&path).await.done();
    let body = json!({ "track": "partner", "level": "gold", "reason": "a good year" });
    let promoted = manager.post(&format!("{path}/set-level"), body).await.done();
    let body = json!({ "reason": "unpaid" });
    manager.post(&format!("{path}/suspend"), body).await.done();
    let at = |moment: String| {
        let (manager, path) = (manager.clone(), format!("{path}?{moment}"));
        async move {
            let row = manager.get(&path).await.done();
            (row["status"].clone(), row["tracks"]["partner"].clone())
        }
    };
    let then = before["updated_at"].as_str().unwrap();
    assert_eq!(at(format!("as_of={then}")).await, (json!("active"), json!("silver")));
    let position = promoted["position"].as_u64().unwrap();
    assert_eq!(at(format!("at_position={position}")).await, (json!("active"), json!("gold")));
    assert_eq!(at(String::new()).await, (json!("suspended"), json!("gold")));
    let both = manager.get(&format!("{path}?as_of={then}&at_position=1")).await;
    both.refused(400, "malformed-request");
    let before_all = manager.get(&format!("{path}?as_of=2020-01-01T00:00:00Z")).await;
    before_all.refused(404, "not-found");
}

#[tokio::test]
async fn a_parameter_that_a_read_does_not_take_is_refused_by_its_name() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let manager = stage.manager();
    let levels = format!("partners/{partner}/levels");
    for path in ["partners", "deal-board", "reports/revenue", "audit/quarantine", &levels] {
        for (name, value) in [("as_of", "2026-01-01T00:00:00Z"), ("at_position", "1")] {
            let answer = stage.admin().get(&format!("{path}?{name}={value}")).await;
            let refused = answer.refused(400, "malformed-request");
            assert!(refused["detail"].as_str().unwrap().contains(name), "{refused}");
        }
    }
    for path in ["partners", &levels, "changes"] {
        let answer = manager.get(&format!("{path}?format=csv")).await;
        let refused = answer.refused(400, "malformed-request");
        assert!(refused["detail"].as_str().unwrap().contains("`format`"), "{refused}");
    }
    for path in ["audit/events?format=csv", "reports/levels?format=ndjson"] {
        let refused = stage.admin().get(path).await.refused(422, "invalid-fields");
        assert_eq!(refused["errors"][0]["field"], "format", "{path}");
    }
    let suspend = format!("partners/{partner}/suspend?as_of=2026-01-01");
    for path in [suspend.as_str(), "deals?dry_run=1", "quotes?currency=EUR"] {
        let name = path.split(['?', '=']).nth(1).unwrap();
        let refused = manager.post(path, json!({ "reason": "x" })).await;
        let refused = refused.refused(400, "malformed-request");
        assert!(refused["detail"].as_str().unwrap().contains(name), "{refused}");
    }
    let url = format!("{}/v1/programs?colour=blue", stage.url());
    let programs = manager.http.get(url).bearer_auth(&manager.token);
    manager.send(programs).await.refused(400, "malformed-request");
}

#[tokio::test]
async fn a_single_resource_carries_its_revision_for_the_next_command() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let certificate = stage.certify(partner, "fleet-management", today().plus_days(40)).await;
    let customer = crate::stage::company("Comune di Bari");
    let deal = stage.draft_deal(partner, &customer, "cloud-os").await;
    let items = json!([{ "sku": "cloud-os-server", "quantity": 10 }]);
    let (order, licence) = stage.sell(partner, items, "invoice").await;
    let manager = stage.manager();
    for path in [
        format!("partners/{partner}"),
        format!("certificates/{certificate}"),
        format!("deals/{deal}"),
        format!("orders/{order}"),
        format!("licences/{licence}"),
    ] {
        let answer = manager.get(&path).await;
        let revision = answer.done()["revision"].as_u64().unwrap();
        assert_eq!(answer.header("etag"), format!("\"{revision}\""), "{path}");
    }
    let tag = manager.get(&format!("deals/{deal}")).await.header("etag").to_owned();
    let withdraw = || {
        let path = format!("deals/{deal}/withdraw");
        let request = manager.request(reqwest::Method::POST, &path).header("If-Match", &tag);
        manager.send(request.json(&json!({ "reason": "no budget" })))
    };
    withdraw().await.done();
    withdraw().await.refused(412, "revision-mismatch");
}

#[tokio::test]
async fn a_deal_can_be_seen_as_of_an_earlier_position() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let seller = stage.seller(partner);
    let body = crate::stage::deal(partner, &crate::stage::company("Comune di Bari"), "cloud-os");
    let drafted = seller.post("deals", body).await.done();
    let path = format!("deals/{}", drafted["id"].as_str().unwrap());
    seller.post(&format!("{path}/submit"), json!({})).await.done();
    let then = seller.get(&format!("{path}?at_position={}", drafted["position"])).await.done();
    let now = seller.get(&path).await.done();
    assert_eq!((&then["status"], &now["status"]), (&json!("draft"), &json!("protected")));
}

#[tokio::test]
async fn a_read_waits_for_a_position_and_says_when_it_does_not_come() {
    let stage = Stage::open(QUAZZAR).await;
    let manager = stage.manager();
    let request = manager.request(reqwest::Method::GET, "partners?min_position=1000000000");
    let behind: Answer = manager.send(request).await;
    behind.refused(503, "projection-behind");
    assert_eq!(behind.header("retry-after"), "1");
}

#[tokio::test]
async fn the_standing_shows_the_gap_to_the_next_level_and_the_day_that_would_cost_this_one() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let path = format!("partners/{partner}/levels");
    let caller = stage.partner_admin(partner);
    let silver = &caller.get(&path).await.done()[0];
    assert_eq!((&silver["level"], &silver["next"]["level"]), (&json!("silver"), &json!("gold")));
    assert_eq!(silver["next"]["gap"], json!(["certification"]));
    assert_eq!(silver["next"]["progress"][0]["wanted"].as_str().map(str::is_empty), Some(false));
    let last_day = today().plus_days(40);
    let certificate = stage.certify(partner, "fleet-management", last_day).await;
    let body = json!({ "track": "partner", "level": "gold", "reason": "certified" });
    stage.manager().post(&format!("partners/{partner}/set-level"), body).await.done();
    let gold = &caller.get(&path).await.done()[0];
    assert_eq!((&gold["level"], &gold["evaluated_under"]), (&json!("gold"), &json!(1)));
    assert_eq!(gold["current"][0]["outcome"], "met");
    assert_eq!(gold["at_risk"]["lost_on"], json!(last_day.plus_days(1)));
    assert_eq!(gold["at_risk"]["requirements"], json!(["certification"]));
    assert_eq!(gold["at_risk"]["ending"][0]["certificate"], json!(certificate));
    assert_eq!(gold["next"]["gap"], json!(["certification"]), "platinum asks for two persons");
}

#[tokio::test]
async fn a_revoked_certificate_opens_a_review_of_the_level_and_takes_nothing_away() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "gold").await;
    let certificate = stage.certify(partner, "fleet-management", today().plus_days(40)).await;
    let body = json!({ "reason": "the examination was not the holder's own" });
    let path = format!("certificates/{certificate}/revoke");
    stage.enablement().post(&path, body).await.done();
    let opened = |page: &serde_json::Value| page["items"].as_array().unwrap().len() == 1;
    let path = format!("level-reviews?partner={partner}");
    let page = stage.manager().get_until(&path, opened).await;
    let review = &page["items"][0];
    assert_eq!((&review["target"], &review["status"]), (&json!("gold"), &json!("open")));
    let row = stage.manager().get(&format!("partners/{partner}")).await.done();
    assert_eq!(row["tracks"]["partner"], "gold");
}
