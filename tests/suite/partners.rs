//! Partners over HTTP: the ways in, the people, the levels, and the end.

use serde_json::json;
use uuid::Uuid;

use crate::deals::protected;
use crate::stage::{OPEN_XCHANGE, QUAZZAR, Stage, ZEXTRAS, company, contact, email, today};

#[tokio::test]
async fn a_prospect_becomes_a_partner_by_mou_application_evaluation_and_signature() {
    let stage = Stage::open(ZEXTRAS).await;
    let manager = stage.manager();
    let body = json!({
        "command": "sign-mou", "company": company("Rete Nova"), "signed_on": today(),
        "until": today().plus_days(90), "resources": ["demo-environment", "training"],
    });
    let partner = manager.post("partners", body).await.id();
    assert_eq!(status(&stage, partner).await, "prospect");
    let applicant = stage.partner_admin(partner);
    let body = json!({
        "company": company("Rete Nova"), "track": "partner",
        "contacts": [contact("sales", "Rete Nova"), contact("technical", "Rete Nova")],
    });
    applicant.post(&format!("partners/{partner}/apply"), body).await.done();
    assert_eq!(status(&stage, partner).await, "applied");
    let evaluated =
        |criterion: &str| json!({ "criterion": criterion, "met": true, "note": "good" });
    for criterion in ["technical-capability", "commercial-alignment"] {
        let path = format!("partners/{partner}/record-evaluation");
        manager.post(&path, evaluated(criterion)).await.done();
    }
    let approve = format!("partners/{partner}/approve");
    let refused = manager.post(&approve, json!({})).await.refused(409, "evaluation-incomplete");
    assert_eq!(refused["missing"], json!(["readiness"]));
    let path = format!("partners/{partner}/record-evaluation");
    manager.post(&path, evaluated("readiness")).await.done();
    manager.post(&approve, json!({})).await.done();
    assert_eq!(status(&stage, partner).await, "approved");
    let body = json!({ "signed_on": today(), "annexes": ["licensing"], "scope": ["IT", "FR"] });
    manager.post(&format!("partners/{partner}/sign-agreement"), body).await.done();
    let row = manager.get(&format!("partners/{partner}")).await.done();
    assert_eq!(row["status"], "active");
    assert_eq!(row["tracks"], json!({ "partner": null }));
    assert_eq!(row["scope"], json!(["FR", "IT"]));
}

#[tokio::test]
async fn an_administrator_adds_a_partner_with_its_level_and_it_is_active_at_once() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "gold").await;
    let row = stage.manager().get(&format!("partners/{partner}")).await.done();
    assert_eq!((&row["status"], &row["tracks"]["partner"]), (&json!("active"), &json!("gold")));
    let body = json!({ "track": "partner", "level": "platinum", "reason": "a good year" });
    stage.manager().post(&format!("partners/{partner}/set-level"), body).await.done();
    let path = format!("partners/{partner}/level-history");
    let history = stage.partner_admin(partner).get(&path).await.done();
    let steps: Vec<_> =
        history.as_array().unwrap().iter().map(|step| step["to_level"].as_str().unwrap()).collect();
    assert_eq!(steps, ["gold", "platinum"]);
    assert_eq!(history[1]["cause"]["kind"], "administrator");
    assert_eq!(history[1]["reason"], "a good year");
}

#[tokio::test]
async fn where_registering_is_enough_a_partner_is_a_member_at_once() {
    let stage = Stage::open(OPEN_XCHANGE).await;
    let own = Uuid::new_v4();
    let body = json!({
        "command": "register", "company": company("Groupware Nord"), "track": "var", "contacts": [],
    });
    let registered = stage.partner_admin(own).post("partners", body).await;
    assert_eq!(registered.id(), own, "partners register under the id that their token carries");
    let row = stage.partner_admin(own).get(&format!("partners/{own}")).await.done();
    assert_eq!((&row["status"], &row["tracks"]), (&json!("active"), &json!({ "var": "member" })));
}

#[tokio::test]
async fn the_way_in_is_the_one_that_the_rulebook_names() {
    let stage = Stage::open(QUAZZAR).await;
    let body = json!({
        "command": "apply", "company": company("Nube Srl"), "track": "partner",
        "contacts": [contact("sales", "Nube Srl")],
    });
    let refused = stage.manager().post("partners", body).await;
    let refused = refused.refused(409, "entry-mode-not-offered");
    assert_eq!(refused["offered"], "administrator");
}

#[tokio::test]
async fn companies_are_in_countries_that_exist() {
    let stage = Stage::open(QUAZZAR).await;
    let mut company = company("Nube Srl");
    company["country"] = json!("ZZ");
    let body = json!({
        "command": "add", "company": company, "track": "partner", "level": "silver",
        "contacts": [contact("sales", "Nube Srl")],
    });
    let refused = stage.manager().post("partners", body).await.refused(422, "invalid-field");
    assert_eq!(refused["field"], "company.country");
}

#[tokio::test]
async fn a_level_that_reviews_decide_cannot_simply_be_set() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = stage.admit_partner("Rete Nova").await;
    let body = json!({ "track": "partner", "level": "gold", "reason": "we like them" });
    let refused = stage.manager().post(&format!("partners/{partner}/set-level"), body).await;
    refused.refused(409, "level-not-set-by-administrator");
}

#[tokio::test]
async fn contacts_are_sealed_in_the_log_and_readable_for_the_people_who_work_with_them() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Cielo Aperto", "silver").await;
    let sales = email("sales", "Cielo Aperto");
    let body = contact("technical", "Cielo Aperto");
    stage
        .partner_admin(partner)
        .post(&format!("partners/{partner}/add-contact"), body)
        .await
        .done();
    for reader in [stage.manager(), stage.partner_admin(partner)] {
        let row = reader.get(&format!("partners/{partner}")).await.done();
        let contacts = row["contacts"].as_array().unwrap();
        let of = |role: &str| {
            let found = contacts.iter().find(|contact| contact["role"] == role).unwrap();
            found["person"]["email"].as_str().unwrap().to_owned()
        };
        assert_eq!(
            (of("sales"), of("technical")),
            (sales.clone(), email("technical", "Cielo Aperto"))
        );
    }
    let log = stage.auditor().export("").await.concat();
    assert!(log.contains("\"sealed\""), "{log}");
    for secret in [&sales, "cielo-aperto.example", "Carla", "mia of"] {
        assert!(!log.contains(secret), "`{secret}` stands in the log");
    }
}

#[tokio::test]
async fn a_removed_contact_is_gone_from_the_profile() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Cielo Aperto", "silver").await;
    let manager = stage.manager();
    let path = format!("partners/{partner}/add-contact");
    manager.post(&path, contact("billing", "Cielo Aperto")).await.done();
    let row = manager.get(&format!("partners/{partner}")).await.done();
    let contacts = row["contacts"].as_array().unwrap();
    let billing = contacts.iter().find(|contact| contact["role"] == "billing").unwrap();
    let body = json!({ "person": billing["person"]["person"] });
    manager.post(&format!("partners/{partner}/remove-contact"), body).await.done();
    let row = manager.get(&format!("partners/{partner}")).await.done();
    assert_eq!(row["contacts"].as_array().unwrap().len(), contacts.len() - 1);
}

#[tokio::test]
async fn a_suspended_partner_does_no_business_until_it_is_reinstated() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let running = protected(&stage, partner, "Comune di Bari").await;
    let manager = stage.manager();
    let body = json!({ "reason": "invoices unpaid" });
    manager.post(&format!("partners/{partner}/suspend"), body).await.done();
    let deal = crate::stage::deal(partner, &company("Ospedale Maggiore"), "cloud-os");
    let refused = stage.seller(partner).post("deals", deal.clone()).await;
    assert_eq!(refused.refused(409, "partner-not-active")["current_status"], "suspended");
    for (command, body) in [
        ("record-activity", json!({ "activity": "visited them", "on": today() })),
        ("extend", json!({ "reason": "their budget comes in autumn" })),
    ] {
        let path = format!("deals/{running}/{command}");
        let refused = stage.seller(partner).post(&path, body).await;
        refused.refused(409, "partner-not-active");
    }
    let row = manager.get(&format!("deals/{running}")).await.done();
    assert_eq!(row["status"], "protected", "a suspension takes no protection away");
    let body = json!({ "reason": "paid" });
    manager.post(&format!("partners/{partner}/reinstate"), body).await.done();
    stage.seller(partner).post("deals", deal).await.done();
}

#[tokio::test]
async fn a_restriction_withholds_the_named_benefit_and_nothing_else() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let manager = stage.manager();
    let body = json!({ "benefits": ["deal-registration"], "reason": "two deals in bad faith" });
    manager.post(&format!("partners/{partner}/restrict"), body).await.done();
    let deal = crate::stage::deal(partner, &company("Ospedale Maggiore"), "cloud-os");
    let refused = stage.seller(partner).post("deals", deal).await;
    refused.refused(409, "deal-registration-withheld");
    let items = json!([{ "sku": "cloud-os-server", "quantity": 1 }]);
    let order = crate::stage::order(partner, items, "invoice");
    stage.seller(partner).post("orders", order).await.done();
}

#[tokio::test]
async fn termination_leaves_the_partners_licences_to_their_own_end() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let items = json!([{ "sku": "cloud-os-server", "quantity": 3 }]);
    let (_, licence) = stage.sell(partner, items, "invoice").await;
    let before = stage.manager().get(&format!("licences/{licence}")).await.done();
    let body = json!({ "reason": "by mutual consent" });
    stage
        .manager()
        .post(&format!("partners/{partner}/terminate"), body.clone())
        .await
        .refused(403, "role-not-allowed");
    stage.director().post(&format!("partners/{partner}/terminate"), body).await.done();
    assert_eq!(status(&stage, partner).await, "terminated");
    let after = stage.manager().get(&format!("licences/{licence}")).await.done();
    assert_eq!((&after["status"], &after), (&json!("running"), &before));
    let body = json!({ "plan": "the vendor looks after the customers from May on" });
    stage.manager().post(&format!("partners/{partner}/record-transition-plan"), body).await.done();
}

#[tokio::test]
async fn termination_ends_the_partners_deals_and_frees_their_opportunities() {
    let stage = Stage::open(QUAZZAR).await;
    let [leaving, staying] =
        [stage.add_partner("Uno", "gold").await, stage.add_partner("Due", "gold").await];
    let holder = protected(&stage, leaving, "Ospedale Maggiore").await;
    let waiting = stage.draft_deal(staying, &company("Ospedale Maggiore"), "cloud-os").await;
    let submit = |deal: Uuid| format!("deals/{deal}/submit");
    let refused = stage.seller(staying).post(&submit(waiting), json!({})).await;
    refused.refused(409, "opportunity-taken");
    let other = protected(&stage, staying, "Comune di Bari").await;
    let contender = stage.draft_deal(leaving, &company("Comune di Bari"), "cloud-os").await;
    let refused = stage.seller(leaving).post(&submit(contender), json!({})).await;
    refused.refused(409, "opportunity-taken");
    let draft = stage.draft_deal(leaving, &company("Comune di Lecce"), "cloud-os").await;

    let body = json!({ "reason": "by mutual consent" });
    stage.director().post(&format!("partners/{leaving}/terminate"), body).await.done();
    let expected = [
        (holder, "revoked"),
        (contender, "withdrawn"),
        (draft, "withdrawn"),
        (waiting, "protected"),
        (other, "protected"),
    ];
    for (deal, status) in expected {
        let row = stage.manager().get(&format!("deals/{deal}")).await.done();
        assert_eq!(row["status"], status, "{row:#}");
    }
    let open = stage.manager().all("conflicts?status=open").await;
    assert!(open.is_empty(), "{open:#?}");
}

#[tokio::test]
async fn a_missed_target_is_recorded_and_changes_nothing_else() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = stage.admit_partner("Rete Nova").await;
    let manager = stage.manager();
    let money = |minor: i64| json!({ "minor": minor, "currency": "EUR" });
    let period = today().minus_days(90);
    let body = json!({ "period_from": period, "period_to": today(), "amount": money(1_000_000) });
    manager.post(&format!("partners/{partner}/agree-target"), body).await.done();
    let body = json!({ "period_from": period, "achieved": money(999_999), "discussion": "close" });
    manager.post(&format!("partners/{partner}/assess-target"), body).await.done();
    let row = manager.get(&format!("partners/{partner}")).await.done();
    assert_eq!((&row["targets"][0]["met"], &row["status"]), (&json!(false), &json!("active")));
}

#[tokio::test]
async fn another_partner_does_not_exist_for_a_partner() {
    let stage = Stage::open(QUAZZAR).await;
    let [own, other] =
        [stage.add_partner("Uno", "silver").await, stage.add_partner("Due", "gold").await];
    let caller = stage.partner_admin(own);
    for path in ["", "/levels", "/level-history"] {
        caller.get(&format!("partners/{other}{path}")).await.refused(404, "not-found");
    }
    let body = contact("sales", "Uno");
    caller.post(&format!("partners/{other}/add-contact"), body).await.refused(404, "not-found");
    let listed = caller.all("partners").await;
    assert_eq!(listed.iter().map(crate::partners::id).collect::<Vec<_>>(), [own]);
}

pub(crate) fn id(row: &serde_json::Value) -> Uuid {
    crate::client::id_in(&row["id"])
}

async fn status(stage: &Stage, partner: Uuid) -> String {
    let row = stage.manager().get(&format!("partners/{partner}")).await.done();
    row["status"].as_str().unwrap().to_owned()
}
