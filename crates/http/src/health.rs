//! Health, readiness and metrics; open to everyone, with nothing to learn about programs.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Http;

/// Whether the service can do its work, and what of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Readiness {
    ready: bool,
    /// The log answers.
    event_log: bool,
    /// The read models are complete (not being rebuilt).
    read_models: bool,
    /// Position that the read models have reached.
    position: Option<u64>,
    /// Age of the oldest event that waits to be folded, in milliseconds; 0 when none does.
    lag_ms: u64,
    /// Position of the log's last event.
    head: Option<u64>,
    /// Events that no read model could take; each one needs a person.
    quarantined: u64,
}

pub(crate) fn routes() -> Router<Arc<Http>> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

async fn readiness(http: &Http) -> Readiness {
    let head = http.app.log().head().await;
    let status = http.views.status();
    Readiness {
        ready: head.is_ok() && status.building.is_none(),
        event_log: head.is_ok(),
        read_models: status.building.is_none(),
        position: status.checkpoint,
        lag_ms: status.lag_ms,
        head: head.ok().flatten().map(|position| position.0),
        quarantined: status.quarantined,
    }
}

async fn ready(State(http): State<Arc<Http>>) -> Response {
    let readiness = readiness(&http).await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

async fn metrics(State(http): State<Arc<Http>>) -> Response {
    let readiness = readiness(&http).await;
    // A gauge is a float; `as` keeps 53 bits, far more than any log has events.
    let gauge = |name: &'static str, level: u64| {
        metrics::gauge!(name).set(level as f64);
    };
    let (position, head) = (readiness.position.unwrap_or(0), readiness.head.unwrap_or(0));
    gauge("accord_log_head_position", head);
    gauge("accord_views_position", position);
    gauge("accord_views_lag_positions", head.saturating_sub(position));
    gauge("accord_views_lag_ms", readiness.lag_ms);
    gauge("accord_views_quarantined_events", readiness.quarantined);
    let media_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (media_type, http.metrics.render()).into_response()
}
