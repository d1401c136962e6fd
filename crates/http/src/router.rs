//! The service as one value, and its router.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use accord_app::{App, Outcome, program_stream_id};
use accord_domain::event::decode;
use accord_domain::program::ProgramEvent;
use accord_domain::{Actor, ConflictId, OpportunityId, ProgramId, Role, Subject};
use accord_eventlog::Direction;
use accord_projections::Views;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::caller::Caller;
use crate::commands::CommandRoute;
use crate::listen::Limits;
use crate::problem::Problem;
use crate::rate_limit::RateLimit;
use crate::token::Claims;
use crate::{Issuer, audit_events, changes, commands, health, openapi, reports, resources};

/// Largest body of a command, and of a rulebook.
const BODY_BYTES_MAX: usize = 64 * 1024;
const RULEBOOK_BYTES_MAX: usize = 512 * 1024;

/// Time for a body to arrive.
const BODY_TIME_MAX: Duration = Duration::from_secs(15);

/// Everything that handlers need.
pub struct Http {
    pub app: Arc<App>,
    pub views: Arc<Views>,
    pub issuer: Issuer,
    pub limits: Limits,
    pub metrics: PrometheusHandle,
    change_streams: Arc<Semaphore>,
    rate_limit: Option<RateLimit>,
    /// Programs that are known to be there; they never go away.
    programs: RwLock<HashSet<ProgramId>>,
    stop: Option<watch::Receiver<bool>>,
}

/// All routes.
pub fn router(http: Arc<Http>) -> Router {
    Router::new()
        .merge(commands::routes())
        .merge(resources::routes())
        .merge(reports::routes())
        .merge(audit_events::routes())
        .merge(changes::routes())
        .merge(health::routes())
        .merge(openapi::routes())
        .method_not_allowed_fallback(|| async {
            Problem::new("method-not-allowed", "the resource has no such method").into_response()
        })
        .fallback(|| async { Problem::not_found().into_response() })
        .with_state(http)
}

impl Http {
    /// Puts the service together.
    pub fn new(
        app: Arc<App>,
        views: Arc<Views>,
        issuer: Issuer,
        limits: Limits,
        metrics: PrometheusHandle,
    ) -> Self {
        let change_streams = Arc::new(Semaphore::new(limits.change_streams_max));
        let rate_limit = limits.requests_per_second_max.map(RateLimit::new);
        Self {
            app,
            views,
            issuer,
            limits,
            metrics,
            change_streams,
            rate_limit,
            programs: RwLock::default(),
            stop: None,
        }
    }

    /// Ends answers that have no end of their own once `stop` turns true.
    #[must_use]
    pub fn until(self, stop: watch::Receiver<bool>) -> Self {
        Self { stop: Some(stop), ..self }
    }

    /// Turns true at the service's end; `None` where nobody ever tells.
    pub(crate) fn stop(&self) -> Option<watch::Receiver<bool>> {
        self.stop.clone()
    }

    /// Counts a request of a verified caller, or refuses it.
    pub(crate) fn check_rate(&self, claims: &Claims) -> Result<(), Problem> {
        self.rate_limit.as_ref().map_or(Ok(()), |limit| limit.check(claims))
    }

    /// Lets a caller into the program that its token is for. A program is there from the first
    /// draft of its rulebook on.
    pub(crate) async fn enter(&self, caller: &Caller, program: &str) -> Result<ProgramId, Problem> {
        let program = caller.enter(program)?;
        let known = self.programs.read().unwrap_or_else(PoisonError::into_inner).contains(&program);
        if known {
            return Ok(program);
        }
        let stream = accord_eventlog::StreamName::of("program", program_stream_id(&program));
        let first = self.app.log().read_stream(&stream, Direction::Forward, None, 1).await;
        let first = first.map_err(|error| Problem::from(accord_app::AppError::from(error)))?;
        if first.is_empty() {
            return Err(Problem::new("program-not-found", "the program has no rulebook yet"));
        }
        let mut programs = self.programs.write().unwrap_or_else(PoisonError::into_inner);
        programs.insert(program.clone());
        Ok(program)
    }

    /// A place for an event stream; `None` when all are taken.
    pub(crate) fn place_for_changes(&self) -> Option<OwnedSemaphorePermit> {
        self.change_streams.clone().try_acquire_owned().ok()
    }

    /// The whole body, bounded in size and time.
    pub(crate) async fn read_body(
        &self,
        headers: &HeaderMap,
        body: Body,
        rulebook: bool,
    ) -> Result<Bytes, Problem> {
        let encoding = headers.get(header::CONTENT_ENCODING);
        if encoding.is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
            let detail = "send the body as it is, without a content encoding";
            return Err(Problem::new("media-type-not-supported", detail));
        }
        let bytes_max = if rulebook { RULEBOOK_BYTES_MAX } else { BODY_BYTES_MAX };
        let collected =
            tokio::time::timeout(BODY_TIME_MAX, Limited::new(body, bytes_max).collect());
        match collected.await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
                let detail = format!("the body is larger than {bytes_max} bytes");
                Err(Problem::new("body-too-large", detail).with("bytes_max", bytes_max))
            }
            Ok(Err(_)) => Err(Problem::new("malformed-request", "the body broke off")),
            Err(_) => Err(Problem::new("request-timeout", "the body did not arrive in time")),
        }
    }

    pub(crate) fn count_command(&self, route: &CommandRoute) {
        metrics::counter!(
            "accord_commands_total",
            "collection" => route.collection,
            "command" => route.name
        )
        .increment(1);
    }

    /// Accord itself, for look-ups whose result is cut to what the caller may see.
    pub(crate) fn system_actor(&self) -> Actor {
        Actor {
            subject: Subject("accord".to_owned()),
            name: String::new(),
            role: Role::System,
            acting_for: None,
        }
    }

    /// The version that a draft has got, read from its own event.
    pub(crate) async fn drafted_version(
        &self,
        program: &ProgramId,
        outcome: &Outcome,
    ) -> Result<u32, Problem> {
        let stream = accord_eventlog::StreamName::of("program", program_stream_id(program));
        let revision = outcome.events.first().map(|event| event.revision);
        let found = self.app.log().read_stream(&stream, Direction::Forward, revision, 1).await;
        let found = found.map_err(|error| Problem::internal(&error))?;
        let event = found.first().ok_or_else(Problem::not_found)?;
        match decode::<ProgramEvent>(&event.kind, &event.data) {
            Ok(ProgramEvent::RulebookDrafted { version, .. }) => Ok(version),
            Ok(_) => Err(Problem::not_found()),
            Err(error) => Err(Problem::internal(&error)),
        }
    }

    /// The opportunity key that a conflict is about.
    pub(crate) async fn opportunity_of(
        &self,
        conflict: ConflictId,
        program: &ProgramId,
    ) -> Result<OpportunityId, Problem> {
        resources::opportunity_of(self, conflict, program).await
    }
}
