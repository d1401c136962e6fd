//! Tests of `partners`.

use serde_json::json;

use super::*;
use crate::{
    PartnerFilter,
    testing::{Folded, History, acme, acme_partner, company, partner},
};

async fn names(folded: &Folded, filter: PartnerFilter) -> Vec<String> {
    let page = folded.views.partners(acme(), filter).await.unwrap();
    page.items.into_iter().map(|row| row.name).collect()
}

async fn row(history: &History) -> PartnerRow {
    history.folded().views.partner(acme(), partner(1)).await.unwrap().unwrap()
}

fn three() -> History {
    let mut history = History::new();
    history.partner(1, "Zebra Srl", "silver").partner(2, "ALPHA  GmbH", "gold");
    history.partner(3, "alphabet SpA", "silver");
    history
}

#[tokio::test]
async fn partners_are_listed_by_name_whatever_its_case() {
    let folded = three().folded();
    let all = names(&folded, PartnerFilter::default()).await;
    assert_eq!(all, ["ALPHA  GmbH", "alphabet SpA", "Zebra Srl"]);
}

#[tokio::test]
async fn a_name_filter_matches_its_beginning_in_any_case() {
    let folded = three().folded();
    let filter = |name: &str| PartnerFilter { name: Some(name.into()), ..Default::default() };
    assert_eq!(names(&folded, filter("Alpha")).await, ["ALPHA  GmbH", "alphabet SpA"]);
    assert_eq!(names(&folded, filter("alpha gm")).await, ["ALPHA  GmbH"]);
    assert!(names(&folded, filter("beta")).await.is_empty());
}

#[tokio::test]
async fn filters_of_level_and_status_must_all_match() {
    let mut history = three();
    history.add("partner", 1, "PartnerSuspended", json!({"reason": "audit"}));
    let folded = history.folded();
    let level = PartnerFilter { level: "silver".parse().ok(), ..PartnerFilter::default() };
    assert_eq!(names(&folded, level.clone()).await, ["alphabet SpA", "Zebra Srl"]);
    let both = PartnerFilter { status: Some(PartnerStatus::Suspended), ..level };
    assert_eq!(names(&folded, both.clone()).await, ["Zebra Srl"]);
    let track = PartnerFilter { track: "other".parse().ok(), ..both };
    assert!(names(&folded, track).await.is_empty());
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_double() {
    let folded = three().folded();
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let filter = PartnerFilter { limit: Some(1), cursor, ..PartnerFilter::default() };
        let page = folded.views.partners(acme(), filter).await.unwrap();
        seen.extend(page.items.into_iter().map(|row| row.name));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["ALPHA  GmbH", "alphabet SpA", "Zebra Srl"]);
}

#[tokio::test]
async fn a_partner_sees_itself_only() {
    let folded = three().folded();
    let page = folded.views.partners(acme_partner(2), PartnerFilter::default()).await.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].id, partner(2));
    assert_eq!(folded.views.partner(acme_partner(2), partner(1)).await.unwrap(), None);
}

#[tokio::test]
async fn another_programs_partners_are_not_seen() {
    let folded = three().folded();
    let other = crate::Scope::program("other".parse().unwrap());
    assert!(folded.views.partners(other, PartnerFilter::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn an_application_becomes_active_with_its_agreement() {
    let mut history = History::new();
    let applied = json!({"company": company("New Srl"), "track": "partner", "contacts": []});
    let signed = json!({"signed_on": "2026-01-05", "ends_on": "2027-01-04", "scope": ["IT"],
        "annexes": [], "deviations": ["no fee"]});
    history.add("partner", 1, "PartnerApplied", applied);
    assert_eq!(row(&history).await.status, PartnerStatus::Applied);
    history.add("partner", 1, "PartnerApproved", json!({}));
    history.on("2026-01-05").add("partner", 1, "AgreementSigned", signed);
    let row = row(&history).await;
    assert_eq!(row.status, PartnerStatus::Active);
    assert_eq!(row.agreement_ends_on, "2027-01-04".parse().ok());
    assert_eq!(row.revision, 2);
    assert_eq!(row.tracks, BTreeMap::from([("partner".parse().unwrap(), None)]));
}

#[tokio::test]
async fn a_reinstated_partner_is_what_it_was_before_its_suspension() {
    let mut history = three();
    history
        .add("partner", 1, "PartnerRestricted", json!({"benefits": ["logo"], "reason": "late"}))
        .add("partner", 1, "PartnerSuspended", json!({"reason": "audit"}))
        .add("partner", 1, "PartnerReinstated", json!({"reason": "done"}));
    let row = row(&history).await;
    assert_eq!(row.status, PartnerStatus::Restricted);
    assert_eq!(row.withheld_benefits.len(), 1);
}

#[tokio::test]
async fn a_contact_stays_sealed_and_is_replaced_by_person() {
    let contact = |role: &str, sealed: &str| {
        json!({"contact": {"role": role,
        "person": {"person": uuid::Uuid::from_u128(5), "sealed": sealed}}})
    };
    let mut history = three();
    history.add("partner", 1, "ContactAdded", contact("sales", "b25l"));
    history.add("partner", 1, "ContactChanged", contact("technical", "dHdv"));
    let row = row(&history).await;
    assert_eq!(row.contacts.len(), 1);
    let json = serde_json::to_value(&row.contacts[0]).unwrap();
    assert_eq!((&json["role"], &json["person"]["sealed"]), (&json!("technical"), &json!("dHdv")));
}
