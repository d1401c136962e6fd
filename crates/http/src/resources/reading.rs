//! What all reads share.

use std::time::Duration;

use accord_domain::{Day, PersonalData, Timestamp};
use accord_eventlog::{Direction, Position, RecordedEvent, StreamName};
use accord_projections::{QueryError, Scope};
use axum::http::{HeaderMap, Uri, header};
use serde::de::DeserializeOwned;

use crate::caller::Caller;
use crate::visibility::View;
use crate::{
    Http, body,
    problem::Problem,
    reads::{self, ReadRoute},
};

/// How long a read waits for `min_position`.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(2);

/// Events of one stream read at a time for `as_of`.
const PAGE_EVENTS: usize = 1_000;

/// A checked request to read.
pub(crate) struct Reading<Q> {
    pub(crate) scope: Scope,
    /// What the caller sees of the answer.
    pub(crate) view: View,
    pub(crate) today: Day,
    pub(crate) filter: Q,
    /// Look at a single resource as it was at a time or a position.
    pub(crate) as_of: Option<Moment>,
    /// `json`, or the name of the read's other medium.
    format: Option<String>,
}

impl<Q> Reading<Q> {
    /// Whether the answer is wanted in the read's other medium, by `format` or else by `Accept`.
    pub(crate) fn wants(
        &self,
        (name, media): (&str, &str),
        headers: &HeaderMap,
    ) -> Result<bool, Problem> {
        match self.format.as_deref() {
            Some("json") => Ok(false),
            Some(format) if format == name => Ok(true),
            Some(_) => Err(body::invalid_field("format", &format!("is `json` or `{name}`"))),
            None => {
                let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
                Ok(accepted.is_some_and(|text| text.contains(media)))
            }
        }
    }
}

/// A moment of the past.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moment {
    Time(Timestamp),
    Position(Position),
}

/// Checks a request to a program against the table's row and reads its query.
pub(crate) async fn begin<Q: DeserializeOwned>(
    http: &Http,
    (program, path): (&str, &str),
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<Reading<Q>, Problem> {
    let caller = Caller::authenticate(http, headers)?;
    http.enter(&caller, program).await?;
    checked(http, &caller, path, uri).await
}

/// The same for what lies above the programs.
pub(crate) async fn begin_anywhere<Q: DeserializeOwned>(
    http: &Http,
    path: &str,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<Reading<Q>, Problem> {
    let caller = Caller::authenticate(http, headers)?;
    checked(http, &caller, path, uri).await
}

async fn checked<Q: DeserializeOwned>(
    http: &Http,
    caller: &Caller,
    path: &str,
    uri: &Uri,
) -> Result<Reading<Q>, Problem> {
    let route = reads::route(path).ok_or_else(Problem::not_found)?;
    let role = caller.role(route.roles())?;
    let mut own = OwnParameters::default();
    let filter = own.split(route, uri.query().unwrap_or_default())?;
    if let Some(position) = own.min_position {
        http.views.wait_for(Position(position), WAIT_MAX).await.map_err(|_| {
            Problem::new("projection-behind", "the read models have not reached `min_position`")
        })?;
    }
    let scope = Scope { program: caller.claims.program.clone(), partner: caller.scope(role) };
    let view = View::of(path, role);
    let (today, as_of) = (http.app.clock().today(), own.moment()?);
    Ok(Reading { scope, view, today, filter, as_of, format: own.format })
}

/// Parameters that every read takes besides its own filter.
#[derive(Default)]
struct OwnParameters {
    min_position: Option<u64>,
    as_of: Option<Timestamp>,
    at_position: Option<u64>,
    format: Option<String>,
}

impl OwnParameters {
    /// Takes its own parameters out of a query; the rest is the filter. What the read does not
    /// take is refused: an answer that leaves a wish out looks like one that grants it.
    fn split<Q: DeserializeOwned>(&mut self, route: &ReadRoute, query: &str) -> Result<Q, Problem> {
        let malformed = |detail: String| Problem::new("malformed-request", detail);
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(query).map_err(|error| malformed(error.to_string()))?;
        let mut rest = Vec::new();
        for (name, value) in pairs {
            let refused = || malformed(format!("`{name}={value}` is not in its form"));
            let taken = match name.as_str() {
                "as_of" | "at_position" => route.past,
                "format" => route.media.len() > 1,
                _ => true,
            };
            if !taken {
                return Err(malformed(format!("this read does not take `{name}`")));
            }
            match name.as_str() {
                "min_position" => self.min_position = Some(value.parse().map_err(|_| refused())?),
                "at_position" => self.at_position = Some(value.parse().map_err(|_| refused())?),
                "as_of" => self.as_of = Some(value.parse().map_err(|_| refused())?),
                "format" => self.format = Some(value),
                _ => rest.push((name, value)),
            }
        }
        let rest =
            serde_urlencoded::to_string(rest).map_err(|error| malformed(error.to_string()))?;
        serde_urlencoded::from_str(&rest).map_err(|error| malformed(error.to_string()))
    }

    fn moment(&self) -> Result<Option<Moment>, Problem> {
        match (self.as_of, self.at_position) {
            (Some(_), Some(_)) => {
                Err(Problem::new("malformed-request", "give `as_of` or `at_position`, not both"))
            }
            (Some(time), None) => Ok(Some(Moment::Time(time))),
            (None, Some(position)) => Ok(Some(Moment::Position(Position(position)))),
            (None, None) => Ok(None),
        }
    }
}

impl Moment {
    fn covers(self, event: &RecordedEvent) -> bool {
        #[derive(serde::Deserialize)]
        struct Recorded {
            recorded_at: Timestamp,
        }
        match self {
            Self::Position(position) => event.position <= position,
            Self::Time(time) => serde_json::from_slice::<Recorded>(&event.metadata)
                .is_ok_and(|recorded| recorded.recorded_at <= time),
        }
    }
}

/// A stream's events up to a moment.
pub(crate) async fn events_until(
    http: &Http,
    stream: &StreamName,
    moment: Moment,
) -> Result<Vec<RecordedEvent>, Problem> {
    let mut events = Vec::new();
    loop {
        let from = Some(events.len() as u64);
        let page = http.app.log().read_stream(stream, Direction::Forward, from, PAGE_EVENTS).await;
        let page = page.map_err(|error| Problem::from(accord_app::AppError::from(error)))?;
        let read = page.len();
        let covered = page.iter().take_while(|event| moment.covers(event)).count();
        events.extend(page.into_iter().take(covered));
        if covered < read || read < PAGE_EVENTS {
            return Ok(events);
        }
    }
}

/// Opens persons' data off the runtime's threads: a key may have to come from disk.
pub(crate) async fn open_persons<R: Send + 'static>(
    http: &Http,
    mut row: R,
    persons: impl for<'a> FnOnce(&'a mut R) -> Vec<&'a mut PersonalData> + Send + 'static,
) -> Result<R, Problem> {
    let vault = http.app.vault().clone();
    let opened = tokio::task::spawn_blocking(move || {
        for person in persons(&mut row) {
            vault.open(person)?;
        }
        Ok::<_, accord_eventlog::KeyStoreError>(row)
    });
    let opened = opened.await.map_err(|error| Problem::internal(&error))?;
    opened.map_err(|error| accord_app::AppError::from(error).into())
}

pub(crate) fn query_problem(error: QueryError) -> Problem {
    match error {
        QueryError::InvalidLimit { .. } => body::invalid_field("limit", &error.to_string()),
        QueryError::InvalidCursor => body::invalid_field("cursor", &error.to_string()),
        QueryError::InvalidMonths { .. } => body::invalid_field("from", &error.to_string()),
        QueryError::Building => Problem::new("projection-behind", error.to_string()),
        error => Problem::internal(&error),
    }
}
