//! Requests by route: how many with which class of status, and how long until the answer began.
//!
//! Every route of the tables has its counters from the start, so that a request costs a look-up
//! and two additions; whatever else is asked for counts as `other`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use metrics::{Counter, Histogram};

use crate::commands::{CommandRoute, commands};
use crate::reads::reads;
use crate::resources::QUOTES;

/// Seconds until an answer begins, as a histogram; its buckets are chosen where metrics are set up.
pub const REQUEST_SECONDS: &str = "accord_http_request_seconds";

const REQUESTS: &str = "accord_http_requests_total";
const OTHER: &str = "other";
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The counters of all routes.
pub(crate) struct Traffic {
    gets: HashMap<String, Route>,
    posts: HashMap<String, Route>,
    other: Route,
}

struct Route {
    by_class: [Counter; CLASSES.len()],
    seconds: Histogram,
}

impl Traffic {
    pub(crate) fn new() -> Self {
        let gets = reads().iter().map(|route| route.path.to_owned());
        let posts = commands().iter().map(template).chain([QUOTES.to_owned()]);
        let route = |method: &'static str, path: String| (path.clone(), Route::new(method, &path));
        Self {
            gets: gets.map(|path| route("GET", path)).collect(),
            posts: posts.map(|path| route("POST", path)).collect(),
            other: Route::new(OTHER, OTHER),
        }
    }

    fn route(&self, method: &Method, path: Option<&MatchedPath>) -> &Route {
        let routes = match *method {
            Method::GET => Some(&self.gets),
            Method::POST => Some(&self.posts),
            _ => None,
        };
        let known = routes.zip(path).and_then(|(routes, path)| routes.get(path.as_str()));
        known.unwrap_or(&self.other)
    }
}

/// The path that the router knows a command's route by.
fn template(route: &CommandRoute) -> String {
    let collection = format!("/v1/programs/{{program}}/{}", route.collection);
    if route.creates { collection } else { collection + "/{id}/{command}" }
}

impl Route {
    fn new(method: &'static str, path: &str) -> Self {
        let by_class = CLASSES.map(|class| {
            let path = path.to_owned();
            metrics::counter!(REQUESTS, "method" => method, "path" => path, "status" => class)
        });
        let path = path.to_owned();
        let seconds = metrics::histogram!(REQUEST_SECONDS, "method" => method, "path" => path);
        Self { by_class, seconds }
    }
}

/// Counts a request once its answer begins.
pub(crate) async fn count(
    State(traffic): State<Arc<Traffic>>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let route = traffic.route(request.method(), request.extensions().get());
    let response = next.run(request).await;
    let class = usize::from(response.status().as_u16() / 100).saturating_sub(1);
    if let Some(counter) = route.by_class.get(class) {
        counter.increment(1);
    }
    route.seconds.record(started.elapsed());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_read_and_every_command_has_counters_of_its_own() {
        let traffic = Traffic::new();
        for route in reads() {
            assert!(traffic.gets.contains_key(route.path), "{}", route.path);
        }
        for route in commands() {
            assert!(traffic.posts.contains_key(&template(route)), "{}", route.name);
        }
    }
}
