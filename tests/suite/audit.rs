//! The audit trail over HTTP: found by every filter, exported whole, chained by hashes.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::deals::protected;
use crate::stage::{QUAZZAR, Stage, company};

/// An event as exported; data and metadata byte for byte as stored.
#[derive(Deserialize)]
pub(crate) struct Exported<'a> {
    pub(crate) id: Uuid,
    pub(crate) stream: &'a str,
    pub(crate) revision: u64,
    pub(crate) position: u64,
    #[serde(rename = "type")]
    pub(crate) kind: &'a str,
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(borrow)]
    metadata: &'a RawValue,
}

impl<'a> Exported<'a> {
    pub(crate) fn read(line: &'a str) -> Self {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    pub(crate) fn data(&self) -> Value {
        serde_json::from_str(self.data.get()).unwrap()
    }

    pub(crate) fn metadata(&self) -> Value {
        serde_json::from_str(self.metadata.get()).unwrap()
    }

    /// The event's hash as the log documents it, reckoned here once more.
    fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.id.as_bytes());
        for text in [self.stream, self.kind] {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text);
        }
        hasher.update(self.revision.to_be_bytes());
        hasher.update(Sha256::digest(self.data.get()));
        hasher.update(Sha256::digest(self.metadata.get()));
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[tokio::test]
async fn every_event_names_the_hash_of_its_streams_previous_one() {
    let stage = story().await.0;
    let lines = stage.auditor().export("").await;
    let events: Vec<_> = lines.iter().map(|line| Exported::read(line)).collect();
    let mut last = std::collections::HashMap::new();
    for event in &events {
        let previous: Option<(u64, String)> =
            last.insert(event.stream, (event.revision, event.hash()));
        let revision = previous.as_ref().map_or(0, |(revision, _)| revision + 1);
        assert_eq!(event.revision, revision, "{} has a gap", event.stream);
        let named = event.metadata()["previous"].as_str().map(str::to_owned);
        assert_eq!(named, previous.map(|(_, hash)| hash), "{} at {revision}", event.stream);
    }
    assert!(events.iter().filter(|event| event.revision > 0).count() >= 5, "chains are too short");
    assert!(events.windows(2).all(|pair| pair[0].position < pair[1].position));
}

#[tokio::test]
async fn every_event_tells_who_did_it_by_which_command_and_under_which_rules() {
    let (stage, partner, _) = story().await;
    let lines = stage.auditor().export("&type=PartnerSuspended").await;
    let metadata = Exported::read(&lines[0]).metadata();
    assert_eq!(metadata["actor"]["subject"], "mia");
    assert_eq!(metadata["actor"]["role"], "channel-manager");
    assert!(metadata["actor"]["name"]["sealed"].is_string(), "{metadata:#}");
    assert_eq!(metadata["command"]["name"], "suspend");
    assert_eq!(metadata["$correlationId"], metadata["command"]["id"]);
    assert_eq!(metadata["program"], json!(stage.program));
    assert_eq!(metadata["partner"], json!(partner));
    assert_eq!((&metadata["rulebook_version"], &metadata["reason"]), (&json!(1), &json!("unpaid")));
    assert_eq!(metadata["schema_version"], 1);
    let protected = stage.auditor().export("&type=DealProtected").await;
    let protected = Exported::read(&protected[0]).metadata();
    let submitted = stage.auditor().export("&type=DealSubmitted").await;
    let submitted = Exported::read(&submitted[0]);
    assert_eq!(protected["actor"]["role"], "system", "policies act as Accord itself");
    assert_eq!(protected["$causationId"], json!(submitted.id));
    assert_eq!(protected["$correlationId"], submitted.metadata()["$correlationId"]);
}

#[tokio::test]
async fn events_are_found_by_stream_partner_actor_type_and_time() {
    let (stage, partner, deal) = story().await;
    let auditor = stage.auditor();
    let lines = auditor.export("").await;
    let all: Vec<_> = lines.iter().map(|line| Exported::read(line)).collect();
    let recorded_at =
        |event: &Exported<'_>| event.metadata()["recorded_at"].as_str().unwrap().to_owned();
    let middle = recorded_at(&all[all.len() / 2]);
    let stream = format!("deal-{deal}");
    type Wanted<'a> = Box<dyn Fn(&Exported<'_>) -> bool + 'a>;
    let filters: [(String, Wanted<'_>); 7] = [
        (format!("stream={stream}"), Box::new(|event| event.stream == stream)),
        (
            format!("partner={partner}"),
            Box::new(|event| event.metadata()["partner"] == json!(partner)),
        ),
        ("actor=mia".into(), Box::new(|event| event.metadata()["actor"]["subject"] == "mia")),
        ("type=LevelChanged".into(), Box::new(|event| event.kind == "LevelChanged")),
        (format!("from={middle}"), Box::new(|event| recorded_at(event) >= middle)),
        (format!("to={middle}"), Box::new(|event| recorded_at(event) < middle)),
        (
            format!("actor=mia&type=LevelChanged&partner={partner}"),
            Box::new(|event| {
                event.kind == "LevelChanged" && event.metadata()["partner"] == json!(partner)
            }),
        ),
    ];
    for (filter, wanted) in filters {
        let expected: Vec<Uuid> =
            all.iter().filter(|event| wanted(event)).map(|event| event.id).collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{filter} tells nothing");
        let pages = auditor.all(&format!("audit/events?{filter}&limit=3")).await;
        let found: Vec<Uuid> = pages.iter().map(crate::partners::id).collect();
        assert_eq!(found, expected, "pages of {filter}");
        let exported = auditor.export(&format!("&{filter}")).await;
        let found: Vec<Uuid> = exported.iter().map(|line| Exported::read(line).id).collect();
        assert_eq!(found, expected, "export of {filter}");
    }
}

#[tokio::test]
async fn a_page_shows_events_byte_for_byte_as_the_export_does() {
    let stage = story().await.0;
    let auditor = stage.auditor();
    let page = auditor.get("audit/events?limit=200").await;
    for line in auditor.export("").await {
        assert!(page.text.contains(&line), "{line}");
    }
}

#[tokio::test]
async fn an_auditor_sees_one_program_and_changes_nothing() {
    let (stage, partner, _) = story().await;
    let other = Stage::open(QUAZZAR).await;
    let lines = other.auditor().export("").await;
    assert_eq!(lines.len(), 3, "another program's events are not this one's");
    let foreign = other.auditor().export(&format!("&partner={partner}")).await;
    assert!(foreign.is_empty());
    let body = json!({ "reason": "curiosity" });
    let refused = stage.auditor().post(&format!("partners/{partner}/suspend"), body).await;
    refused.refused(403, "role-not-allowed");
    assert_eq!(stage.auditor().get("audit/quarantine").await.done(), json!([]));
}

/// Two partners, a protected deal, a contested one, a changed level, a suspension.
async fn story() -> (Stage, Uuid, Uuid) {
    let stage = Stage::open(QUAZZAR).await;
    let [first, second] =
        [stage.add_partner("Uno", "gold").await, stage.add_partner("Due", "gold").await];
    let deal = protected(&stage, first, "Ospedale Maggiore").await;
    let contested = stage.draft_deal(second, &company("Ospedale Maggiore"), "cloud-os").await;
    let refused = stage.seller(second).post(&format!("deals/{contested}/submit"), json!({})).await;
    refused.refused(409, "opportunity-taken");
    let manager = stage.manager();
    let body = json!({ "track": "partner", "level": "platinum", "reason": "a good year" });
    manager.post(&format!("partners/{first}/set-level"), body).await.done();
    let body = json!({ "reason": "unpaid" });
    manager.post(&format!("partners/{first}/suspend"), body).await.done();
    (stage, first, deal)
}
