//! Bad input: whatever is wrong has its own stable code, and changes nothing.

use accord_domain::Role;
use accord_http::Claims;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::json;
use uuid::Uuid;

use crate::client::Caller;
use crate::stage::{QUAZZAR, Stage, company, contact};

#[tokio::test]
async fn every_kind_of_bad_body_has_a_code_of_its_own() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let suspend = format!("partners/{partner}/suspend");
    let large = format!("{{\"reason\":\"{}\"}}", "x".repeat(70_000));
    let deep = format!("{{\"reason\":{}1{}}}", "[".repeat(60), "]".repeat(60));
    let cases = [
        ("{\"reason\":", 400, "malformed-json"),
        ("{\"reason\":\"a\"} {}", 400, "malformed-json"),
        ("\u{feff}{}", 400, "malformed-json"),
        (large.as_str(), 413, "body-too-large"),
        (deep.as_str(), 400, "json-too-deep"),
        ("{\"reason\":\"a\",\"colour\":\"blue\"}", 422, "invalid-fields"),
        ("{\"reason\":7}", 422, "invalid-fields"),
        ("{\"reason\":null}", 422, "invalid-fields"),
        ("{}", 422, "invalid-fields"),
        ("[]", 422, "invalid-fields"),
        ("{\"reason\":\" \"}", 422, "reason-missing"),
        ("{\"reason\":\"x\"},\"terminate\":{\"reason\":\"x\"}", 400, "malformed-json"),
    ];
    for (body, status, code) in cases {
        let answer = send(&stage.manager(), &suspend, "application/json", body).await;
        answer.refused(status, code);
    }
    let row = stage.manager().get(&format!("partners/{partner}")).await.done();
    assert_eq!(row["status"], "active");
}

#[tokio::test]
async fn fields_that_cannot_be_right_are_named() {
    let stage = Stage::open(QUAZZAR).await;
    let manager = stage.manager();
    let right = json!({
        "command": "add", "company": company("Nube Srl"), "track": "partner", "level": "silver",
        "contacts": [contact("sales", "Nube Srl")],
    });
    let cases = [
        ("/company/country", json!("Italy"), "invalid-fields", "company.country"),
        ("/contacts/0/role", json!("pilot"), "invalid-fields", "contacts[0].role"),
        ("/track", json!("a b"), "invalid-fields", "track"),
        ("/command", json!("conquer"), "invalid-fields", "command"),
        ("/company/name", json!("   "), "invalid-field", "company.name"),
        ("/contacts/0/person/email", json!("nobody"), "invalid-field", "contacts[0].person.email"),
        ("/level", json!("diamond"), "unknown-level", ""),
    ];
    for (place, value, code, field) in cases {
        let mut wrong = right.clone();
        *wrong.pointer_mut(place).unwrap() = value;
        let problem = manager.post("partners", wrong).await.refused(422, code);
        let named = match code {
            "invalid-fields" => &problem["errors"][0]["field"],
            "invalid-field" => {
                assert_eq!(problem["field"], field);
                &problem["errors"][0]["field"]
            }
            _ => continue,
        };
        assert_eq!(named, field, "{problem:#}");
    }
}

#[tokio::test]
async fn a_mistake_deep_in_an_order_is_named_at_its_place() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let items = json!([{ "sku": "cloud-os-server", "quantity": 10 }]);
    let right = crate::stage::order(partner, items, "invoice");
    let mut nameless = right.clone();
    nameless["request"]["customer"]["name"] = json!(" ");
    let problem = stage.seller(partner).post("orders", nameless).await;
    let problem = problem.refused(422, "invalid-field");
    assert_eq!(problem["field"], "request.customer.name");
    assert_eq!(problem["errors"][0]["field"], "request.customer.name");
    let cases = [
        ("/request/items/0/quantity", json!("ten"), "request.items[0].quantity"),
        ("/request/items/0", json!({ "sku": "cloud-os-server" }), "request.items[0].quantity"),
        ("/request/currency", json!("XYZ"), "request.currency"),
        ("/request/kind", json!("gift"), "request.kind"),
        ("/payment", json!("shells"), "payment"),
    ];
    for (place, value, field) in cases {
        let mut wrong = right.clone();
        *wrong.pointer_mut(place).unwrap() = value;
        let problem = stage.seller(partner).post("orders", wrong.clone()).await;
        let problem = problem.refused(422, "invalid-fields");
        assert_eq!(problem["errors"][0]["field"], field, "{problem:#}");
        assert!(problem["detail"].as_str().unwrap().len() < 200, "{problem:#}");
        wrong.as_object_mut().unwrap().remove("payment");
        if place != "/payment" {
            let problem = stage.seller(partner).post("quotes", wrong).await;
            let problem = problem.refused(422, "invalid-fields");
            assert_eq!(problem["errors"][0]["field"], field, "{problem:#}");
        }
    }
}

#[tokio::test]
async fn a_body_in_another_media_type_is_not_read() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let suspend = format!("partners/{partner}/suspend");
    for media_type in ["text/plain", "application/xml", "application/toml"] {
        let answer = send(&stage.manager(), &suspend, media_type, "{\"reason\":\"x\"}").await;
        answer.refused(415, "media-type-not-supported");
    }
    let answer = send(&stage.admin(), "rulebooks", "text/yaml", "a: b").await;
    answer.refused(415, "media-type-not-supported");
    let json = "application/json; charset=utf-8";
    send(&stage.manager(), &suspend, json, "{\"reason\":\"x\"}").await.done();
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let stage = Stage::open(QUAZZAR).await;
    let manager = stage.manager();
    let nobody = Uuid::new_v4();
    for path in ["partners", "deals", "orders", "licences", "certificates", "level-reviews"] {
        manager.get(&format!("{path}/{nobody}")).await.refused(404, "not-found");
        manager.get(&format!("{path}/no-id")).await.refused(404, "not-found");
    }
    manager.get("rulebooks/99").await.refused(404, "not-found");
    manager.get("unicorns").await.refused(404, "not-found");
    let command = |path: String| {
        let manager = manager.clone();
        async move { manager.post(&path, json!({ "reason": "x" })).await.status }
    };
    assert_eq!(command(format!("partners/{nobody}/suspend")).await, 404);
    assert_eq!(command(format!("deals/{nobody}/withdraw")).await, 404);
    assert_eq!(command(format!("deals/{nobody}/dance")).await, 404);
    assert_eq!(command("deals/no-id/withdraw".to_owned()).await, 404);
    let request = manager.request(Method::DELETE, &format!("partners/{nobody}"));
    manager.send(request).await.refused(405, "method-not-allowed");
}

#[tokio::test]
async fn another_programs_token_opens_nothing_here() {
    let stage = Stage::open(QUAZZAR).await;
    let other = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let stranger = Caller { base: stage.manager().base, ..other.manager() };
    for path in ["partners".to_owned(), format!("partners/{partner}")] {
        stranger.get(&path).await.refused(404, "program-not-found");
    }
    let suspend = format!("partners/{partner}/suspend");
    let body = json!({ "reason": "x" });
    stranger.post(&suspend, body.clone()).await.refused(404, "program-not-found");
    let elsewhere = other.manager().post(&suspend, body).await;
    elsewhere.refused(404, "not-found");
    let nowhere =
        Caller { base: format!("{}/v1/programs/atlantis", stage.url()), ..stage.manager() };
    nowhere.get("partners").await.refused(404, "program-not-found");
}

#[tokio::test]
async fn a_program_without_any_rulebook_is_not_there_until_its_first_draft() {
    let stage = Stage::empty();
    let manager = stage.manager();
    for path in ["partners", "rulebooks", "reports/revenue", "changes"] {
        manager.get(path).await.refused(404, "program-not-found");
    }
    for path in ["deals", "quotes", "rulebooks/1/approve"] {
        stage.admin().post(path, json!({})).await.refused(404, "program-not-found");
    }
    stage.draft(&stage.renamed(QUAZZAR)).await.done();
    assert_eq!(manager.get("rulebooks").await.done()[0]["status"], "drafted");
    assert_eq!(manager.get("partners").await.done()["items"], json!([]));
}

#[tokio::test]
async fn a_body_with_a_content_encoding_is_not_read() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let manager = stage.manager();
    let send = |encoding: &'static str| {
        let path = format!("partners/{partner}/suspend");
        let request = manager.request(Method::POST, &path).header("Content-Encoding", encoding);
        manager.send(request.json(&json!({ "reason": "unpaid" })))
    };
    send("gzip").await.refused(415, "media-type-not-supported");
    send("identity").await.done();
}

#[tokio::test]
async fn tokens_that_are_missing_broken_or_expired_are_told_apart() {
    let stage = Stage::open(QUAZZAR).await;
    let manager = stage.manager();
    let url = format!("{}/partners", manager.base);
    let bare = manager.send(manager.http.get(&url)).await;
    bare.refused(401, "token-missing");
    assert_eq!(bare.header("www-authenticate"), "Bearer");
    let basic = manager.http.get(&url).header(AUTHORIZATION, "Basic bWlhOm1pYQ==");
    manager.send(basic).await.refused(401, "token-missing");
    let broken = Caller { token: format!("{}x", manager.token), ..manager.clone() };
    broken.get("partners").await.refused(401, "token-invalid");
    let mut claims: Claims = stage.claims("mia", &[Role::ChannelManager], None);
    claims.exp = claims.iat - 1;
    stage.bearer(&claims).get("partners").await.refused(401, "token-expired");
    let mut claims = stage.claims("mia", &[Role::ChannelManager], None);
    claims.aud = "somebody-else".to_owned();
    stage.bearer(&claims).get("partners").await.refused(401, "token-invalid");
}

#[tokio::test]
async fn a_token_that_nobody_signed_is_not_valid() {
    let stage = Stage::open(QUAZZAR).await;
    let manager = stage.manager();
    let parts: Vec<&str> = manager.token.split('.').collect();
    // {"alg":"none","typ":"JWT"} in front of genuine claims, without a signature.
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", parts[1]);
    let forger = Caller { token: unsigned, ..manager };
    forger.get("partners").await.refused(401, "token-invalid");
}

async fn send(caller: &Caller, path: &str, media_type: &str, body: &str) -> crate::client::Answer {
    let request = caller.request(Method::POST, path).header(CONTENT_TYPE, media_type);
    caller.send(request.body(body.to_owned())).await
}
