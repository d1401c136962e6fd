//! Callers: people with a token who send commands and read what came of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use uuid::Uuid;

/// Read models that are not there by then are broken, not slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// One person with one token, in one program.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) http: reqwest::Client,
    /// Everything before the collection: `http://HOST:PORT/v1/programs/PROGRAM`.
    pub(crate) base: String,
    pub(crate) token: String,
    /// The highest position that any caller of the program was told; reads wait for it.
    pub(crate) seen: Arc<AtomicU64>,
}

impl Caller {
    /// A request below the program, with the token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/{path}", self.base)).bearer_auth(&self.token)
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = Answer::of(request.send().await.unwrap()).await;
        let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
        if let Some(position) = body["position"].as_u64() {
            self.seen.fetch_max(position, Ordering::Relaxed);
        }
        answer
    }

    /// Sends a command.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    /// Sends a command under an idempotency key.
    pub(crate) async fn post_once(&self, key: &str, path: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).header("Idempotency-Key", key);
        self.send(request.json(&body)).await
    }

    /// Reads what all commands of the program so far have come to.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let separator = if path.contains('?') { '&' } else { '?' };
        let seen = self.seen.load(Ordering::Relaxed);
        let path = format!("{path}{separator}min_position={seen}");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.send(self.request(Method::GET, &path)).await;
            // The server itself waits for the position, so this asks seldom.
            if answer.code() != "projection-behind" || Instant::now() > deadline {
                return answer;
            }
        }
    }

    /// Reads a resource until it is as wanted: for what happens behind the requests.
    pub(crate) async fn get_until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let body = self.get(path).await.done();
            if wanted(&body) {
                return body;
            }
            assert!(Instant::now() < deadline, "{path} stays {body:#}");
            tokio::task::yield_now().await;
        }
    }

    /// All items of a list, page by page.
    pub(crate) async fn all(&self, path: &str) -> Vec<Value> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}{cursor}")).await.done();
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("{separator}cursor={next}"),
                None => return items,
            }
        }
    }

    /// Everything that the audit trail exports under a filter, line by line.
    pub(crate) async fn export(&self, filter: &str) -> Vec<String> {
        let path = format!("audit/events?format=ndjson{filter}");
        let answer = self.get(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.text.lines().map(str::to_owned).collect()
    }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{} is no JSON: {error}: {}", self.status, self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The problem's code; empty where it is none.
    pub(crate) fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        body["code"].as_str().filter(|_| self.status >= 400).unwrap_or_default().to_owned()
    }

    /// The body of a success.
    #[track_caller]
    pub(crate) fn done(&self) -> Value {
        assert!(matches!(self.status, 200 | 201), "{}: {}", self.status, self.text);
        self.json()
    }

    /// The id in the answer to a command that succeeded.
    #[track_caller]
    pub(crate) fn id(&self) -> Uuid {
        id_in(&self.done()["id"])
    }

    /// The problem, which must have this status and code.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{}", self.text);
        assert_eq!(self.headers[CONTENT_TYPE], "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("urn:accord:problem:{code}"));
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
        problem
    }
}

/// A value that is an id.
#[track_caller]
pub(crate) fn id_in(value: &Value) -> Uuid {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is no id"))
}
