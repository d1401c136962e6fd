//! A history made by hand, and read models folded from it.

use std::{collections::HashMap, path::Path, sync::Arc};

use accord_domain::{Day, PartnerId};
use accord_eventlog::{EventLog, ExpectedRevision, NewEvent, Position, RecordedEvent, StreamName};
use accord_eventlog_sqlite::SqliteEventLog;
use bytes::Bytes;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    Scope, Views,
    event::{Decoded, decode},
    fold::Folder,
    generation,
};

pub(crate) const ZEXTRAS: &str = include_str!("../../ops/programs/zextras.toml");

/// Events in log order, recorded day by day.
pub(crate) struct History {
    pub(crate) events: Vec<RecordedEvent>,
    revisions: HashMap<StreamName, u64>,
    day: Day,
}

impl History {
    pub(crate) fn new() -> Self {
        let (events, revisions) = (Vec::new(), HashMap::new());
        Self { events, revisions, day: day("2026-01-01") }
    }

    /// What follows is recorded on this day.
    pub(crate) fn on(&mut self, text: &str) -> &mut Self {
        self.day = day(text);
        self
    }

    /// One more event in a stream.
    pub(crate) fn add(&mut self, category: &str, id: u128, kind: &str, data: Value) -> &mut Self {
        let stream = StreamName::of(category, Uuid::from_u128(id));
        let next = self.revisions.entry(stream.clone()).or_default();
        let revision = *next;
        *next += 1;
        let number = self.events.len() as u64 + 1;
        let recorded_at = self.day.0.and_hms_opt(12, 0, 0).unwrap().and_utc();
        self.events.push(RecordedEvent {
            id: Uuid::from_u128(0xe000 + u128::from(number)),
            stream,
            revision,
            // Positions are sparse.
            position: Position(number * 10),
            kind: kind.into(),
            data: data.to_string().into(),
            metadata: metadata(category, id, &recorded_at.to_rfc3339()),
            created_micros: recorded_at.timestamp_micros(),
        });
        self
    }

    /// A shipped rulebook, in force from the first day.
    pub(crate) fn rulebook(&mut self, toml: &str) -> &mut Self {
        let document: Value = toml::from_str(toml).unwrap();
        let drafted =
            json!({"program": "acme", "version": 1, "document": document, "drafted_by": "ada"});
        let announced =
            json!({"version": 1, "announced_on": "2026-01-01", "effective_on": "2026-01-01"});
        self.add("program", 1, "RulebookDrafted", drafted)
            .add("program", 1, "RulebookApproved", json!({"version": 1, "approved_by": "bob"}))
            .add("program", 1, "RulebookAnnounced", announced)
    }

    /// A partner that registered, with its first level.
    pub(crate) fn partner(&mut self, id: u128, name: &str, level: &str) -> &mut Self {
        let registered = json!({"company": company(name), "track": "partner",
            "contacts": [], "mode": "registration"});
        let changed = json!({"track": "partner", "from": null, "to": level,
            "cause": {"kind": "entry"}, "reason": "entry level"});
        self.add("partner", id, "PartnerRegistered", registered).add(
            "partner",
            id,
            "LevelChanged",
            changed,
        )
    }

    pub(crate) fn certificate(&mut self, id: u128, partner: u128, until: &str) -> &mut Self {
        let issued = json!({"partner": uuid(partner), "certification": "C2",
            "holder": {"person": uuid(id + 900), "sealed": "c2VhbGVk"},
            "issued_on": "2026-01-01", "expires_on": until});
        self.add("certificate", id, "CertificateIssued", issued)
    }

    pub(crate) fn licence(&mut self, id: u128, partner: u128, terms: Value) -> &mut Self {
        let issued = json!({"order": uuid(id), "partner": uuid(partner),
            "customer": company(&format!("Client {}", id % 100)), "model": "subscription",
            "terms": terms});
        self.add("licence", id, "LicenceIssued", issued)
    }

    /// A deal in draft.
    pub(crate) fn deal(&mut self, id: u128, partner: u128, customer: &str) -> &mut Self {
        let drafted = json!({"partner": uuid(partner), "customer": company(customer),
            "product_scope": "suite", "value": {"minor": 100, "currency": "EUR"},
            "expected_close": "2026-12-01", "rulebook_version": 1});
        self.add("deal", id, "DealDrafted", drafted)
    }

    /// A deal that is protected until a day.
    pub(crate) fn protected_deal(&mut self, id: u128, partner: u128, until: &str) -> &mut Self {
        let submitted = json!({"submitted_on": "2026-01-01", "submitted_by": "ada", "opportunities": [uuid(77)]});
        let protected = json!({"from": "2026-01-01", "until": until, "activity_due": "2026-02-01"});
        self.deal(id, partner, "Customer SpA").add("deal", id, "DealSubmitted", submitted).add(
            "deal",
            id,
            "DealProtected",
            protected,
        )
    }

    pub(crate) fn decoded(&self) -> Vec<Decoded> {
        self.events.iter().map(decode).collect()
    }

    /// The read models of this history, ready for queries.
    pub(crate) fn folded(&self) -> Folded {
        let directory = tempfile::tempdir().unwrap();
        fold_into(directory.path(), &self.decoded(), &[usize::MAX]);
        let views = Views::open(directory.path()).unwrap();
        Folded { views, directory }
    }

    /// Appends the history from an event on to a log, in order.
    pub(crate) async fn append_to(&self, log: &dyn EventLog, from: usize) -> Position {
        let mut position = Position::default();
        for event in &self.events[from..] {
            let new = NewEvent {
                id: event.id,
                kind: Arc::clone(&event.kind),
                data: event.data.clone(),
                metadata: event.metadata.clone(),
            };
            let appended = log.append(&event.stream, ExpectedRevision::Any, vec![new]).await;
            position = appended.unwrap().position;
        }
        position
    }
}

/// Read models over a directory of their own.
pub(crate) struct Folded {
    pub(crate) views: Arc<Views>,
    pub(crate) directory: TempDir,
}

/// Folds events in batches of the given sizes, over and over, into the live generation of a
/// directory; before every batch the generation is opened anew.
pub(crate) fn fold_into(data_dir: &Path, events: &[Decoded], batches: &[usize]) {
    let directory = generation::directory(data_dir).unwrap();
    let path = generation::file(&directory, 1);
    let (mut left, mut sizes) = (events, batches.iter().cycle());
    generation::add_indexes(&generation::open_writer(&path).unwrap()).unwrap();
    while !left.is_empty() {
        let size = (*sizes.next().unwrap()).clamp(1, left.len());
        let mut folder = Folder::following(generation::open_writer(&path).unwrap()).unwrap();
        let (batch, rest) = left.split_at(size);
        folder.fold(batch).unwrap();
        left = rest;
    }
    generation::make_current(&directory, 1).unwrap();
}

/// A log in a directory.
pub(crate) fn log_in(data_dir: &Path) -> Arc<SqliteEventLog> {
    Arc::new(SqliteEventLog::open(&data_dir.join("log.db")).unwrap())
}

pub(crate) fn day(text: &str) -> Day {
    text.parse().unwrap()
}

pub(crate) fn uuid(id: u128) -> Uuid {
    Uuid::from_u128(id)
}

pub(crate) fn partner(id: u128) -> PartnerId {
    PartnerId(uuid(id))
}

/// Everything of the program that histories are about.
pub(crate) fn acme() -> Scope {
    Scope::program("acme".parse().unwrap())
}

/// What one partner sees of it.
pub(crate) fn acme_partner(id: u128) -> Scope {
    Scope::partner("acme".parse().unwrap(), partner(id))
}

pub(crate) fn company(name: &str) -> Value {
    json!({"name": name, "country": "IT"})
}

/// Licence terms with 100.00 EUR a month, 10 seats and 1 server.
pub(crate) fn terms(starts_on: &str, ends_on: &str) -> Value {
    json!({"items": [], "seats": 10, "servers": 1, "mrr": {"minor": 10_000, "currency": "EUR"},
        "starts_on": starts_on, "ends_on": ends_on})
}

fn metadata(category: &str, id: u128, recorded_at: &str) -> Bytes {
    let partner = (category == "partner").then(|| uuid(id));
    json!({"$correlationId": uuid(1), "$causationId": uuid(1), "program": "acme",
        "partner": partner, "actor": {"subject": "ada", "role": "channel-manager"},
        "command": {"id": uuid(1), "name": "do", "digest": ""}, "recorded_at": recorded_at,
        "rulebook_version": 1, "schema_version": 1})
    .to_string()
    .into()
}
