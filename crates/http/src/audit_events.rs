//! The audit trail: a program's events as stored, filtered, as pages or as NDJSON.

use std::sync::Arc;

use accord_domain::{PartnerId, Timestamp};
use accord_eventlog::{Direction, Filter, Position, RecordedEvent, StreamName};
use accord_projections::{AuditEventFilter, Page, Scope};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use futures::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::resources::{NoFilter, Reading, begin, query_problem};
use crate::{Http, problem::Problem};

const EVENTS: &str = "/v1/programs/{program}/audit/events";
const QUARANTINE: &str = "/v1/programs/{program}/audit/quarantine";
const NDJSON: &str = "application/x-ndjson";

/// Events read from the log at a time for an export.
const SCAN_EVENTS: usize = 2_000;

/// An event byte for byte as stored, in its envelope. Persons' data is sealed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StoredEvent {
    id: Uuid,
    stream: String,
    revision: u64,
    position: u64,
    #[serde(rename = "type")]
    kind: String,
    #[schemars(with = "serde_json::Value")]
    data: Box<RawValue>,
    #[schemars(with = "serde_json::Value")]
    metadata: Box<RawValue>,
}

impl StoredEvent {
    fn of(recorded: &RecordedEvent) -> Result<Self, Problem> {
        let raw = |bytes: &Bytes| {
            serde_json::from_slice(bytes).map_err(|error| Problem::internal(&error))
        };
        Ok(Self {
            id: recorded.id,
            stream: recorded.stream.to_string(),
            revision: recorded.revision,
            position: recorded.position.0,
            kind: recorded.kind.to_string(),
            data: raw(&recorded.data)?,
            metadata: raw(&recorded.metadata)?,
        })
    }
}

pub(crate) fn routes() -> Router<Arc<Http>> {
    Router::new().route(EVENTS, get(events)).route(QUARANTINE, get(quarantine))
}

async fn events(
    Path(program): Path<String>,
    (State(http), headers, uri): (State<Arc<Http>>, HeaderMap, Uri),
) -> Result<Response, Problem> {
    let reading: Reading<AuditEventFilter> =
        begin(&http, (&program, EVENTS), &headers, &uri).await?;
    let export = reading.wants(("ndjson", NDJSON), &headers)?;
    if export { Ok(export_all(http, reading)) } else { page(&http, reading).await }
}

/// One page: the index finds the places, the log gives the bytes.
async fn page(http: &Http, reading: Reading<AuditEventFilter>) -> Result<Response, Problem> {
    let found = http.views.audit_events(reading.scope, reading.filter).await;
    let found = found.map_err(query_problem)?;
    let mut items = Vec::with_capacity(found.items.len());
    for place in &found.items {
        let stream: StreamName = place.stream.parse().map_err(|error| Problem::internal(&error))?;
        let read =
            http.app.log().read_stream(&stream, Direction::Forward, Some(place.revision), 1).await;
        let read = read.map_err(|error| Problem::from(accord_app::AppError::from(error)))?;
        let event = read.first().ok_or_else(|| {
            let detail = format!("{} of {stream} is indexed, not stored", place.revision);
            Problem::new("internal", detail)
        })?;
        items.push(StoredEvent::of(event)?);
    }
    Ok(Json(Page { items, next: found.next }).into_response())
}

/// Everything that matches, streamed from the log itself up to its end.
fn export_all(http: Arc<Http>, reading: Reading<AuditEventFilter>) -> Response {
    let scan = Scan { http, scope: reading.scope, query: reading.filter, after: None, done: false };
    let body = Body::from_stream(stream::unfold(scan, Scan::next));
    ([(header::CONTENT_TYPE, NDJSON)], body).into_response()
}

struct Scan {
    http: Arc<Http>,
    scope: Scope,
    query: AuditEventFilter,
    after: Option<Position>,
    done: bool,
}

impl Scan {
    /// The next lines. An error breaks the body off, so that a client never takes a part for all.
    async fn next(mut self) -> Option<(Result<Bytes, std::io::Error>, Self)> {
        if self.done {
            return None;
        }
        let log = self.http.app.log();
        let read =
            log.read_all(Direction::Forward, self.after, &Filter::default(), SCAN_EVENTS).await;
        let events = match read {
            Ok(events) => events,
            Err(error) => {
                self.done = true;
                return Some((Err(std::io::Error::other(error)), self));
            }
        };
        self.done = events.len() < SCAN_EVENTS;
        self.after = events.last().map(|event| event.position).or(self.after);
        let mut lines = Vec::new();
        for event in events.iter().filter(|event| self.matches(event)) {
            let line = StoredEvent::of(event).ok().and_then(|it| serde_json::to_string(&it).ok());
            let Some(line) = line else {
                self.done = true;
                let error = std::io::Error::other("a stored event is not JSON");
                return Some((Err(error), self));
            };
            lines.extend_from_slice(line.as_bytes());
            lines.push(b'\n');
        }
        Some((Ok(lines.into()), self))
    }

    fn matches(&self, event: &RecordedEvent) -> bool {
        #[derive(Deserialize)]
        struct Actor {
            subject: String,
        }
        #[derive(Deserialize)]
        struct Head {
            program: String,
            partner: Option<PartnerId>,
            actor: Actor,
            recorded_at: Timestamp,
        }
        let query = &self.query;
        let stream = query.stream.as_ref().is_none_or(|stream| event.stream.as_str() == stream);
        let kind = query.kind.as_ref().is_none_or(|kind| *event.kind == **kind);
        if !stream || !kind {
            return false;
        }
        serde_json::from_slice::<Head>(&event.metadata).is_ok_and(|head| {
            head.program == self.scope.program.as_str()
                && query.partner.is_none_or(|partner| head.partner == Some(partner))
                && query.actor.as_ref().is_none_or(|actor| head.actor.subject == *actor)
                && query.from.is_none_or(|from| from <= head.recorded_at)
                && query.to.is_none_or(|to| head.recorded_at < to)
        })
    }
}

async fn quarantine(
    Path(program): Path<String>,
    (State(http), headers, uri): (State<Arc<Http>>, HeaderMap, Uri),
) -> Result<Response, Problem> {
    let _: Reading<NoFilter> = begin(&http, (&program, QUARANTINE), &headers, &uri).await?;
    // An event that cannot be read may not even tell its program: auditors of all programs see it.
    let rows = http.views.quarantine().await.map_err(query_problem)?;
    Ok(Json(rows).into_response())
}
