//! Problems (RFC 9457): the one place where an error becomes an HTTP answer.

use accord_app::{AppError, RefusalReport};
use accord_domain::RefusalKind;
use accord_eventlog::LogError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// An error answer: `{"type","title","status","code","detail",...facts}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub status: StatusCode,
    /// Stable; what programs look at.
    pub code: String,
    /// One sentence for people.
    pub detail: String,
    /// Facts of this occasion: fields, days, limits, ids.
    pub facts: Map<String, Value>,
    /// When it may be worth to try again.
    pub retry_after_seconds: Option<u64>,
}

/// Codes of problems that are not a rule's refusal, with their status and meaning. The codes of
/// refusals are the rules' names (409, or 422 and 404 for values and ids that cannot be right).
pub const CODES: &[(&str, u16, &str)] = &[
    ("malformed-json", 400, "the body is not JSON"),
    ("json-too-deep", 400, "the body is nested too deeply"),
    ("malformed-request", 400, "a header or the query is not in its form"),
    ("token-missing", 401, "there is no bearer token"),
    ("token-invalid", 401, "the token is not valid"),
    ("token-expired", 401, "the token has expired"),
    ("role-not-allowed", 403, "none of the token's roles may do this"),
    ("program-not-found", 404, "there is no such program for this token"),
    ("not-found", 404, "there is no such resource for this token"),
    ("method-not-allowed", 405, "the resource has no such method"),
    ("request-timeout", 408, "the body did not arrive in time"),
    ("contention", 409, "too many writers on one resource; send it again"),
    ("no-rulebook-in-force", 409, "the program has no rulebook in force today"),
    ("opportunity-taken", 409, "another registration holds the opportunity"),
    ("revision-mismatch", 412, "the resource is not at the revision in If-Match"),
    ("body-too-large", 413, "the body is larger than accepted"),
    ("media-type-not-supported", 415, "the body is not in an accepted media type"),
    ("invalid-fields", 422, "fields are unknown, missing or of the wrong type"),
    ("rulebook-invalid", 422, "the rulebook has mistakes, each named with its place"),
    ("idempotency-key-reused", 422, "the key was used before for another request"),
    ("rate-limited", 429, "the caller has sent too many requests; wait before the next one"),
    ("internal", 500, "a fault of the service; its log has the details"),
    ("overloaded", 503, "too much is going on; send it again later"),
    ("event-log-unavailable", 503, "the event log cannot be reached; send it again later"),
    ("projection-behind", 503, "the read models have not reached min_position yet"),
];

/// Seconds after which a client may try again where the service is not ready.
const RETRY_AFTER_SECONDS: u64 = 1;

impl Problem {
    /// A problem of [`CODES`].
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        let known = CODES.iter().find(|(known, ..)| *known == code);
        let status = known.and_then(|(_, status, _)| StatusCode::from_u16(*status).ok());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let not_ready = status == StatusCode::SERVICE_UNAVAILABLE;
        Self {
            status,
            code: code.to_owned(),
            detail: detail.into(),
            facts: Map::new(),
            retry_after_seconds: not_ready.then_some(RETRY_AFTER_SECONDS),
        }
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &str, fact: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), fact.into());
        self
    }

    /// The same where the refused value stands deeper in the body than the domain sees it.
    pub(crate) fn within(mut self, place: &str) -> Self {
        let errors = self.facts.get_mut("errors").and_then(Value::as_array_mut);
        for error in errors.into_iter().flatten() {
            if let Some(field) = error["field"].as_str() {
                error["field"] = json!(format!("{place}.{field}"));
            }
        }
        if let Some(field) = self.facts.get("field").and_then(Value::as_str) {
            let field = json!(format!("{place}.{field}"));
            self.facts.insert("field".to_owned(), field);
        }
        self
    }

    pub(crate) fn not_found() -> Self {
        Self::new("not-found", "there is no such resource")
    }

    pub(crate) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "request failed");
        Self::new("internal", "the service failed; its log has the details")
    }

    fn refusal(report: RefusalReport) -> Self {
        let status = match report.kind {
            RefusalKind::Rule => StatusCode::CONFLICT,
            RefusalKind::NotFound => StatusCode::NOT_FOUND,
            RefusalKind::InvalidValue => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let mut facts = report.facts;
        // `status` is the problem's own (RFC 9457); the resource's must not get lost beside it.
        if let Some(current) = facts.remove("status") {
            facts.insert("current_status".to_owned(), current);
        }
        // One shape for every wrong field, whether its form or its value is wrong.
        if let (Some(field), Some(message)) = (facts.get("field"), facts.get("problem")) {
            let errors = json!([{ "field": field, "message": message }]);
            facts.insert("errors".to_owned(), errors);
        }
        Self { status, code: report.code, detail: report.message, facts, retry_after_seconds: None }
    }
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Refused(report) => Self::refusal(report),
            AppError::NotFound => Self::not_found(),
            AppError::RevisionMismatch { expected, actual } => {
                Self::new("revision-mismatch", error.to_string())
                    .with("expected", expected)
                    .with("actual", actual)
            }
            AppError::KeyReused => Self::new("idempotency-key-reused", error.to_string()),
            AppError::Contention => Self::new("contention", error.to_string()),
            AppError::NoRulebook(_) => Self::new("no-rulebook-in-force", error.to_string()),
            AppError::FactsBehind => Self::new("projection-behind", error.to_string()),
            AppError::Log(LogError::TooLarge { bytes, bytes_max }) => {
                Self::new("body-too-large", "the resulting event is too large")
                    .with("bytes", bytes)
                    .with("bytes_max", bytes_max)
            }
            AppError::Log(LogError::Unavailable(source)) => {
                tracing::error!(
                    error = &*source as &dyn std::error::Error,
                    "event log unavailable"
                );
                Self::new("event-log-unavailable", "the event log cannot be reached right now")
            }
            AppError::Log(_) | AppError::Keys(_) | AppError::Decode(_) | AppError::Metadata(_) => {
                Self::internal(&error)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": format!("urn:accord:problem:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Value::Object(body) = &mut body {
            for (name, fact) in self.facts {
                body.entry(name).or_insert(fact);
            }
        }
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        let media_type = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, media_type);
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
