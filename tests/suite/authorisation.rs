//! Who may do and see what: generated from the tables, row by row.

use accord_domain::Role::{self, *};
use accord_http::commands::{CommandRoute, commands};
use accord_http::reads::{Access, ReadRoute, reads};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Answer, Caller};
use crate::stage::{QUAZZAR, Stage};

const ROLES: [Role; 11] = [
    ProgramAdmin,
    ChannelManager,
    ChannelDirector,
    Enablement,
    Finance,
    Marketing,
    Compliance,
    Auditor,
    Reporting,
    PartnerAdmin,
    PartnerUser,
];

/// A person in this role; partners' people act for a partner that does not exist.
fn person(stage: &Stage, role: Role) -> Caller {
    let partner = role.is_partner().then(Uuid::new_v4);
    stage.bearer(&stage.claims("somebody", &[role], partner))
}

async fn send(caller: &Caller, route: &CommandRoute) -> Answer {
    let mut body = json!({});
    if route.collection == "partners" && route.creates {
        body["command"] = json!(route.name);
    }
    caller.post(&path_of(route), body).await
}

fn path_of(route: &CommandRoute) -> String {
    let CommandRoute { collection, name, .. } = route;
    match (route.creates, *collection) {
        (true, _) => (*collection).to_owned(),
        (false, "rulebooks") => format!("rulebooks/1/{name}"),
        (false, _) => format!("{collection}/{}/{name}", Uuid::nil()),
    }
}

/// A path of the table with values in its places, below the program.
fn place(stage: &Stage, route: &ReadRoute) -> String {
    let id =
        if route.path.contains("rulebooks") { "1".to_owned() } else { Uuid::nil().to_string() };
    let path = route.path.replace("{program}", stage.program.as_str()).replace("{id}", &id);
    format!("{}{path}", stage.url())
}

async fn read(stage: &Stage, caller: &Caller, route: &ReadRoute) -> Answer {
    let request = caller.http.request(Method::GET, place(stage, route)).bearer_auth(&caller.token);
    // A stream of changes has no end: its head is enough.
    let response = request.send().await.unwrap();
    if route.path.ends_with("/changes") && response.status() == 200 {
        return Answer { status: 200, headers: response.headers().clone(), text: String::new() };
    }
    Answer::of(response).await
}

#[tokio::test]
async fn a_command_is_forbidden_to_every_role_that_its_row_does_not_name() {
    let stage = Stage::open(QUAZZAR).await;
    let mut refused = 0;
    for route in commands() {
        for role in ROLES.into_iter().filter(|role| !route.roles.contains(role)) {
            let answer = send(&person(&stage, role), route).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (403, "role-not-allowed"),
                "{role:?} {} {}: {}",
                route.collection,
                route.name,
                answer.text
            );
            refused += 1;
        }
    }
    assert!(refused > 300, "only {refused} pairs");
}

#[tokio::test]
async fn a_command_is_open_to_every_role_that_its_row_names() {
    let stage = Stage::open(QUAZZAR).await;
    for route in commands() {
        for role in route.roles {
            let answer = send(&person(&stage, *role), route).await;
            assert!(
                !matches!(answer.status, 401 | 403 | 405 | 500..),
                "{role:?} {} {}: {} {}",
                route.collection,
                route.name,
                answer.status,
                answer.text
            );
        }
    }
}

#[tokio::test]
async fn a_read_is_open_to_the_roles_of_its_row_and_forbidden_to_all_others() {
    let stage = Stage::open(QUAZZAR).await;
    for route in reads() {
        let Access::Roles(allowed) = route.access else { continue };
        for role in ROLES {
            let answer = read(&stage, &person(&stage, role), route).await;
            let expected = if allowed.contains(&role) {
                matches!(answer.status, 200 | 404)
            } else {
                (answer.status, answer.code().as_str()) == (403, "role-not-allowed")
            };
            assert!(expected, "{role:?} {}: {} {}", route.path, answer.status, answer.text);
        }
    }
}

#[tokio::test]
async fn without_a_token_there_is_nothing_but_health_metrics_and_documentation() {
    let stage = Stage::open(QUAZZAR).await;
    let http = stage.manager().http;
    for route in commands() {
        let url = format!("{}/{}", stage.manager().base, path_of(route));
        let answer = Answer::of(http.post(url).json(&json!({})).send().await.unwrap()).await;
        answer.refused(401, "token-missing");
    }
    for route in reads() {
        let answer = Answer::of(http.get(place(&stage, route)).send().await.unwrap()).await;
        match route.access {
            Access::Open => assert_eq!(answer.status, 200, "{}", route.path),
            Access::Roles(_) => drop(answer.refused(401, "token-missing")),
        }
    }
}

#[tokio::test]
async fn quotes_are_for_those_who_may_order() {
    let stage = Stage::open(QUAZZAR).await;
    let order = commands().iter().find(|row| row.collection == "orders" && row.creates).unwrap();
    for role in ROLES {
        let answer = person(&stage, role).post("quotes", json!({})).await;
        let is_allowed = answer.status != 403;
        assert_eq!(is_allowed, order.roles.contains(&role), "{role:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_partners_role_without_a_partner_is_worth_nothing() {
    let stage = Stage::open(QUAZZAR).await;
    let nobody = stage.bearer(&stage.claims("nobody", &[PartnerAdmin, PartnerUser], None));
    nobody.get("partners").await.refused(403, "role-not-allowed");
    nobody.post("deals", json!({})).await.refused(403, "role-not-allowed");
}

#[tokio::test]
async fn of_several_roles_one_that_is_allowed_is_enough() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let both = stage.bearer(&stage.claims("zoe", &[Auditor, ChannelManager], None));
    let body = json!({ "reason": "unpaid" });
    both.post(&format!("partners/{partner}/suspend"), body).await.done();
    let lines = stage.auditor().export("&type=PartnerSuspended").await;
    let event: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(event["metadata"]["actor"]["role"], "channel-manager");
}
