//! `changes`: what happens in a program, as server-sent events.
//!
//! Each event's id is its log position; a client that reconnects with `Last-Event-ID` misses
//! nothing. Payloads stay out: a client learns what changed and reads what it may see.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use accord_domain::{PartnerId, ProgramId, Role, Timestamp};
use accord_eventlog::{
    Filter, LogError, Position, RecordedEvent, Subscription, SubscriptionMessage,
};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use futures::stream::{self, Stream, StreamExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::caller::Caller;
use crate::reads::EVERYONE_BUT_REPORTING;
use crate::visibility::HIDDEN_CHANGES;
use crate::{Http, problem::Problem};

/// How often an idle stream shows that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// One change.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Change<'a> {
    position: u64,
    stream: &'a str,
    revision: u64,
    #[serde(rename = "type")]
    kind: &'a str,
    partner: Option<PartnerId>,
    #[schemars(with = "String")]
    recorded_at: Timestamp,
}

impl Change<'static> {
    /// One for the documentation.
    pub(crate) fn example() -> Self {
        Self {
            position: 4711,
            stream: "deal-0192f3a4-5b6c-7d8e-9f01-23456789abcd",
            revision: 3,
            kind: "DealProtected",
            partner: "badc2ffc-f353-5b6b-a3b5-f25363e7c3bf".parse().ok(),
            recorded_at: Timestamp::UNIX_EPOCH,
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangesQuery {
    /// Start after this position; absent: from now on. `Last-Event-ID` wins.
    after: Option<u64>,
}

#[derive(Deserialize)]
struct Scope {
    program: ProgramId,
    partner: Option<PartnerId>,
    recorded_at: Timestamp,
}

pub(crate) fn routes() -> Router<Arc<Http>> {
    Router::new().route("/v1/programs/{program}/changes", get(changes))
}

async fn changes(
    State(http): State<Arc<Http>>,
    Path(program): Path<String>,
    headers: HeaderMap,
    query: Result<Query<ChangesQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let caller = Caller::authenticate(&http, &headers)?;
    let program = http.enter(&caller, &program).await?;
    let role: Role = caller.role(EVERYONE_BUT_REPORTING)?;
    let Query(query) = query.map_err(|error| malformed(&error.body_text()))?;
    let permit = http.place_for_changes();
    let permit = permit.ok_or_else(|| Problem::new("overloaded", "too many event streams"))?;
    let after = match headers.get("last-event-id") {
        Some(value) => {
            let text = value.to_str().unwrap_or_default();
            Some(text.parse().map_err(|_| malformed("`Last-Event-ID` is a position"))?)
        }
        None => query.after,
    };
    let from = match after {
        Some(position) => Some(Position(position)),
        None => http.app.log().head().await.map_err(unavailable)?,
    };
    let subscription =
        http.app.log().subscribe(from, Filter::default()).await.map_err(unavailable)?;
    let (scope, stop) = (caller.scope(role), http.stop());
    let feed = Feed { subscription, program, scope, stop, _permit: permit };
    let events = stream::unfold(feed, Feed::next).flat_map(stream::iter).map(Ok);
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(events).keep_alive(keep_alive))
}

fn malformed(detail: &str) -> Problem {
    Problem::new("malformed-request", detail)
}

fn unavailable(error: LogError) -> Problem {
    accord_app::AppError::from(error).into()
}

struct Feed {
    subscription: Subscription,
    program: ProgramId,
    scope: Option<PartnerId>,
    stop: Option<watch::Receiver<bool>>,
    _permit: OwnedSemaphorePermit,
}

impl Feed {
    /// The next batch; the stream ends when the subscription or the service does, and the client
    /// comes back.
    async fn next(mut self) -> Option<(Vec<Event>, Self)> {
        let message = tokio::select! {
            message = self.subscription.next() => message.ok()?,
            () = stopped(self.stop.as_mut()) => return None,
        };
        match message {
            SubscriptionMessage::CaughtUp(_) => Some((Vec::new(), self)),
            SubscriptionMessage::Events(events) => {
                let events = events.iter().filter_map(|event| self.change(event)).collect();
                Some((events, self))
            }
        }
    }

    /// The event as this caller may see it.
    fn change(&self, recorded: &RecordedEvent) -> Option<Event> {
        let scope: Scope = serde_json::from_slice(&recorded.metadata).ok()?;
        let told = scope.partner == self.scope && !HIDDEN_CHANGES.contains(&&*recorded.kind);
        let hidden = self.scope.is_some() && !told;
        if scope.program != self.program || hidden {
            return None;
        }
        let change = Change {
            position: recorded.position.0,
            stream: recorded.stream.as_str(),
            revision: recorded.revision,
            kind: &recorded.kind,
            partner: scope.partner,
            recorded_at: scope.recorded_at,
        };
        let event = Event::default().id(recorded.position.to_string()).event("change");
        event.json_data(change).ok()
    }
}

/// Returns when the service ends.
async fn stopped(stop: Option<&mut watch::Receiver<bool>>) {
    match stop {
        // A sender that is gone has ended as well.
        Some(stop) => drop(stop.wait_for(|stop| *stop).await),
        None => std::future::pending().await,
    }
}
