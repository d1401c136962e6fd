//! Requests by route: how many with which class of status, and how long until the answer began.
//!
//! Every route of the tables has its counters from the start, so that a request costs a look-up
//! and two additions; whatever else is asked for counts as `other`. Counted around the router: a
//! layer inside it costs every request more than a microsecond.

use std::convert::Infallible;
use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;
use metrics::{Counter, Histogram};
use tower::ServiceExt;

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
    gets: matchit::Router<Route>,
    posts: matchit::Router<Route>,
    other: Route,
}

struct Route {
    by_class: [Counter; CLASSES.len()],
    seconds: Histogram,
}

impl Traffic {
    pub(crate) fn new() -> Self {
        let (mut gets, mut posts) = (matchit::Router::new(), matchit::Router::new());
        for path in reads().iter().map(|route| route.path) {
            // A path that is there twice is counted once.
            let _ = gets.insert(path, Route::new("GET", path));
        }
        for path in commands().iter().map(template).chain([QUOTES.to_owned()]) {
            if posts.at(&path).is_err() {
                let _ = posts.insert(path.clone(), Route::new("POST", &path));
            }
        }
        Self { gets, posts, other: Route::new(OTHER, OTHER) }
    }

    /// Has a request answered, and counts it once the answer begins.
    pub(crate) async fn count(
        &self,
        router: Router,
        request: Request,
    ) -> Result<Response, Infallible> {
        let started = Instant::now();
        let route = self.route(request.method(), request.uri().path());
        let response = router.oneshot(request).await?;
        let class = usize::from(response.status().as_u16() / 100).saturating_sub(1);
        if let Some(counter) = route.by_class.get(class) {
            counter.increment(1);
        }
        route.seconds.record(started.elapsed());
        Ok(response)
    }

    fn route(&self, method: &Method, path: &str) -> &Route {
        let routes = match *method {
            Method::GET => &self.gets,
            Method::POST => &self.posts,
            _ => return &self.other,
        };
        routes.at(path).map_or(&self.other, |found| found.value)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_read_and_every_command_has_counters_of_its_own() {
        let traffic = Traffic::new();
        let place = |path: &str| path.replace(['{', '}'], "");
        let is_other = |method, path: &str| {
            std::ptr::eq(traffic.route(&method, &place(path)), &raw const traffic.other)
        };
        for route in reads() {
            assert!(!is_other(Method::GET, route.path), "{}", route.path);
        }
        for route in commands() {
            assert!(!is_other(Method::POST, &template(route)), "{}", route.name);
        }
        assert!(!is_other(Method::POST, QUOTES));
        assert!(is_other(Method::GET, "/v1/programs/{program}/unicorns"));
        assert!(is_other(Method::DELETE, "/v1/programs/{program}/deals"));
    }
}
