//! What the runner passes over must be what policies ignore.

use std::path::Path;

use accord_domain::{
    DealId, DomainEvent, EventId, LevelReviewId, PartnerId, ProgramId, TrackId, evidence::Evidence,
};
use accord_eventlog::{
    Appended, Direction, EventLog, ExpectedRevision, KeyStore, KeyStoreError, NewEvent, PersonKey,
    StreamName, Subscription,
};
use async_trait::async_trait;
use uuid::Uuid;

use super::*;
use crate::{Clock, FactSource, Managed};

#[tokio::test]
async fn no_policy_reacts_to_what_the_runner_passes_over() {
    let untouched = Arc::new(Untouched);
    let app = App::new(untouched.clone(), untouched.clone(), Clock::System, untouched);
    for (category, kinds) in NOTHING_FOLLOWS {
        for kind in *kinds {
            let trigger = Trigger {
                program: "acme".parse().unwrap(),
                aggregate: Uuid::from_u128(1),
                event_id: EventId(Uuid::from_u128(2)),
                correlation: Uuid::from_u128(3),
                event: sample(category, kind),
            };
            let followed = app.follow(&trigger).await.unwrap();
            assert!(followed.is_empty(), "{kind} has consequences");
        }
    }
}

#[test]
fn an_event_that_nobody_has_named_is_followed() {
    assert!(nothing_follows("deal", "DealDrafted"));
    for (category, kind) in [
        ("partner", "PartnerTerminated"),
        ("order", "OrderPlaced"),
        ("opportunity", "ConflictClosed"),
        ("deal", "DealSentToTheMoon"),
    ] {
        assert!(!nothing_follows(category, kind), "{kind}");
    }
}

/// The golden sample of an event type.
fn sample(category: &str, kind: &str) -> DomainEvent {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/events");
    let bytes = std::fs::read(folder.join(format!("{kind}.v1.json"))).unwrap();
    DomainEvent::decode(category, kind, &bytes).unwrap()
}

/// Every reaction begins with a look at the log; whoever only looks fails here.
struct Untouched;

#[async_trait]
impl EventLog for Untouched {
    async fn append(
        &self,
        stream: &StreamName,
        _: ExpectedRevision,
        _: Vec<NewEvent>,
    ) -> Result<Appended, LogError> {
        panic!("a policy writes to {stream}")
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        _: Direction,
        _: Option<u64>,
        _: usize,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        panic!("a policy reads {stream}")
    }

    async fn read_all(
        &self,
        _: Direction,
        _: Option<Position>,
        _: &Filter,
        _: usize,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        panic!("a policy reads the log")
    }

    async fn subscribe(&self, _: Option<Position>, _: Filter) -> Result<Subscription, LogError> {
        panic!("a policy follows the log")
    }

    async fn head(&self) -> Result<Option<Position>, LogError> {
        panic!("a policy asks where the log ends")
    }
}

impl KeyStore for Untouched {
    fn key_or_create(&self, _: Uuid) -> Result<PersonKey, KeyStoreError> {
        panic!("a policy makes a key")
    }

    fn key(&self, _: Uuid) -> Result<Option<PersonKey>, KeyStoreError> {
        panic!("a policy asks for a key")
    }

    fn erase(&self, _: Uuid) -> Result<(), KeyStoreError> {
        panic!("a policy erases a key")
    }
}

#[async_trait]
impl FactSource for Untouched {
    async fn evidence(
        &self,
        _: &ProgramId,
        _: PartnerId,
        _: Option<Position>,
    ) -> Result<Evidence, AppError> {
        panic!("a policy asks for evidence")
    }

    async fn open_review(
        &self,
        _: &ProgramId,
        _: (PartnerId, &TrackId),
        _: Option<Position>,
    ) -> Result<Option<LevelReviewId>, AppError> {
        panic!("a policy asks for open reviews")
    }

    async fn open_deals(
        &self,
        _: &ProgramId,
        _: PartnerId,
        _: Option<Position>,
    ) -> Result<Vec<DealId>, AppError> {
        panic!("a policy asks for open deals")
    }

    async fn managed(
        &self,
        _: &ProgramId,
        _: PartnerId,
        _: Option<Position>,
    ) -> Result<Managed, AppError> {
        panic!("a policy asks what a partner manages")
    }
}
