//! The answer to a command.

use accord_app::Outcome;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// What a command did: where it stands and at which position reads see it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CommandAnswer<'a> {
    id: Uuid,
    stream: &'a str,
    /// The resource's revision after the command; also the `ETag`.
    revision: u64,
    /// Give it as `min_position` to read what the command did.
    position: u64,
    /// Events appended to this stream; empty when the wish already held.
    events: Vec<EventAnswer<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct EventAnswer<'a> {
    id: Uuid,
    #[serde(rename = "type")]
    kind: &'a str,
    revision: u64,
}

/// 201 with `Location` for a creation, else 200; a repeated answer says so in a header.
pub(crate) fn answer(outcome: &Outcome, location: Option<String>) -> Response {
    let events = outcome.events.iter().map(|event| EventAnswer {
        id: event.id.0,
        kind: &event.kind,
        revision: event.revision,
    });
    let body = CommandAnswer {
        id: outcome.id,
        stream: outcome.stream.as_str(),
        revision: outcome.revision,
        position: outcome.position.0,
        events: events.collect(),
    };
    let status = if location.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = (status, axum::Json(body)).into_response();
    let headers = response.headers_mut();
    let mut insert = |name, text: String| {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    };
    insert(header::ETAG, format!("\"{}\"", outcome.revision));
    if let Some(location) = location {
        insert(header::LOCATION, location);
    }
    if outcome.replayed {
        insert(header::HeaderName::from_static("idempotent-replayed"), "true".to_owned());
    }
    response
}

/// Schema of the answer.
pub(crate) fn answer_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    generator.subschema_for::<CommandAnswer<'_>>()
}
