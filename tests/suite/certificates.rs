//! Certificates over HTTP: indicators by the day, renewal, revocation, the technical resource.

use serde_json::json;
use uuid::Uuid;

use crate::partners::id;
use crate::stage::{QUAZZAR, Stage, ZEXTRAS, today};

#[tokio::test]
async fn days_left_decide_the_indicator_and_day_0_is_the_last_valid_one() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let expected = [
        (91, "active"),
        (90, "expiring-soon"),
        (30, "expiring-soon"),
        (29, "critical"),
        (0, "critical"),
        (-1, "expired"),
    ];
    for (days_left, indicator) in expected {
        let expires_on = match u32::try_from(days_left) {
            Ok(days) => today().plus_days(days),
            Err(_) => today().minus_days(1),
        };
        let certificate = stage.certify(partner, "fleet-management", expires_on).await;
        let view = stage.manager().get(&format!("certificates/{certificate}")).await.done();
        assert_eq!(
            (&view["days_left"], &view["indicator"]),
            (&json!(days_left), &json!(indicator))
        );
    }
    let counts = stage.manager().get("certificate-indicators").await.done();
    let all = json!({ "active": 1, "expiring_soon": 2, "critical": 2, "expired": 1 });
    assert_eq!(counts, all);
    let critical = stage.manager().all("certificates?indicator=critical").await;
    assert_eq!(critical.len(), 2);
}

#[tokio::test]
async fn a_renewal_prolongs_and_a_revocation_ends_for_good() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let certificate = stage.certify(partner, "fleet-management", today().plus_days(10)).await;
    let trainer = stage.enablement();
    let renew = format!("certificates/{certificate}/renew");
    let body = json!({ "renewed_on": today(), "expires_on": today().plus_days(10) });
    trainer.post(&renew, body).await.refused(409, "renewal-does-not-prolong");
    trainer.post(&renew, json!({ "renewed_on": today() })).await.done();
    let view = trainer.get(&format!("certificates/{certificate}")).await.done();
    assert_eq!(view["expires_on"], json!(today().plus_months(24)));
    let body = json!({ "reason": "the examination was not the holder's own" });
    trainer.post(&format!("certificates/{certificate}/revoke"), body).await.done();
    trainer
        .post(&renew, json!({ "renewed_on": today() }))
        .await
        .refused(409, "certificate-revoked");
    let view = trainer.get(&format!("certificates/{certificate}")).await.done();
    assert_eq!(view["status"], "revoked");
}

#[tokio::test]
async fn a_revoked_certificate_shows_no_indicator() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let certificate = stage.certify(partner, "fleet-management", today().plus_days(200)).await;
    let path = format!("certificates/{certificate}");
    assert_eq!(stage.manager().get(&path).await.done()["indicator"], "active");
    let body = json!({ "reason": "the examination was not the holder's own" });
    stage.enablement().post(&format!("{path}/revoke"), body).await.done();
    let row = stage.manager().get(&path).await.done();
    assert_eq!((&row["status"], &row["indicator"]), (&json!("revoked"), &json!(null)));
    let listed = stage.manager().all("certificates").await;
    assert_eq!(listed[0]["indicator"], json!(null));
}

#[tokio::test]
async fn a_certificate_is_of_the_catalogue_and_at_a_partner_that_exists() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let certificate = |partner: Uuid, code: &str| {
        json!({
            "partner": partner, "certification": code, "issued_on": today(),
            "holder": { "name": "Ada Bianchi", "email": "ada.bianchi@example.org" },
        })
    };
    let trainer = stage.enablement();
    let refused = trainer.post("certificates", certificate(partner, "juggling")).await;
    refused.refused(422, "unknown-certification");
    let nobody = Uuid::new_v4();
    let refused = trainer.post("certificates", certificate(nobody, "fleet-management")).await;
    refused.refused(404, "not-found");
}

#[tokio::test]
async fn one_person_with_two_certificates_does_not_count_as_two() {
    let stage = Stage::open(QUAZZAR).await;
    let [own, other] =
        [stage.add_partner("Uno", "silver").await, stage.add_partner("Due", "gold").await];
    let certificate = |partner: Uuid, email: &str| {
        json!({
            "partner": partner, "certification": "fleet-management", "issued_on": today(),
            "holder": { "name": "Ada Bianchi", "email": email },
        })
    };
    let trainer = stage.enablement();
    for (partner, email) in
        [(own, "ada@example.org"), (own, "ADA@example.org"), (other, "ada@example.org")]
    {
        trainer.post("certificates", certificate(partner, email)).await.done();
    }
    let person = |row: &serde_json::Value| row["holder"]["person"].as_str().unwrap().to_owned();
    let of = |partner: Uuid| {
        let (caller, path) = (stage.manager(), format!("certificates?partner={partner}"));
        async move { caller.all(&path).await.iter().map(person).collect::<Vec<_>>() }
    };
    let (mine, theirs) = (of(own).await, of(other).await);
    assert_eq!(mine[0], mine[1]);
    let mut stranger = certificate(own, "eva@example.org");
    stranger["holder"]["person"] = json!(theirs[0]);
    let refused = trainer.post("certificates", stranger.clone()).await;
    refused.refused(422, "holder-not-of-partner");
    stranger["holder"]["person"] = json!(mine[0]);
    trainer.post("certificates", stranger).await.done();
}

#[tokio::test]
async fn a_terminated_partner_gets_no_certificates() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Uno", "silver").await;
    let running = stage.certify(partner, "fleet-management", today().plus_days(100)).await;
    let body = json!({ "reason": "by mutual consent" });
    stage.director().post(&format!("partners/{partner}/terminate"), body).await.done();
    let body = json!({
        "partner": partner, "certification": "fleet-management", "issued_on": today(),
        "holder": { "name": "Ada Bianchi", "email": "ada.bianchi@example.org" },
    });
    let trainer = stage.enablement();
    trainer.post("certificates", body).await.refused(409, "partner-terminated");
    let renew = format!("certificates/{running}/renew");
    let refused = trainer.post(&renew, json!({ "renewed_on": today() })).await;
    refused.refused(409, "partner-terminated");
}

#[tokio::test]
async fn partners_see_their_own_certificates_only_and_their_holders_by_name() {
    let stage = Stage::open(QUAZZAR).await;
    let [own, other] =
        [stage.add_partner("Uno", "silver").await, stage.add_partner("Due", "gold").await];
    let day = today().plus_days(200);
    let mine = stage.certify(own, "fleet-management", day).await;
    let foreign = stage.certify(other, "fleet-management", day).await;
    let seller = stage.seller(own);
    let listed = seller.all("certificates").await;
    assert_eq!(listed.iter().map(id).collect::<Vec<_>>(), [mine]);
    assert_eq!(listed[0]["holder"]["name"], "Ada Bianchi");
    seller.get(&format!("certificates/{foreign}")).await.refused(404, "not-found");
}

#[tokio::test]
async fn when_the_technical_resources_certificate_ends_a_gap_opens_with_a_deadline() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = stage.admit_partner("Rete Nova").await;
    let day = today().plus_days(200);
    let first = stage.certify(partner, "C2", day).await;
    let designate = format!("partners/{partner}/designate-technical-resource");
    let manager = stage.manager();
    manager.post(&designate, json!({ "certificate": first })).await.done();
    let body = json!({ "reason": "the examination was not the holder's own" });
    stage.enablement().post(&format!("certificates/{first}/revoke"), body).await.done();
    let row = manager.get(&format!("partners/{partner}")).await.done();
    assert_eq!(row["technical_resource"], json!(null));
    assert_eq!(row["technical_gap_until"], json!(today().plus_days(90)));
    assert_eq!(row["status"], "active");
    manager
        .post(&designate, json!({ "certificate": first }))
        .await
        .refused(409, "certificate-not-valid");
    let second = stage.certify(partner, "C3", day).await;
    manager.post(&designate, json!({ "certificate": second })).await.done();
    let row = manager.get(&format!("partners/{partner}")).await.done();
    assert_eq!(row["technical_gap_until"], json!(null));
    assert_eq!(row["technical_resource"]["certificate"], json!(second));
}
