//! Problems in the document: which codes an operation may answer with, and an example of each.

use axum::http::StatusCode;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use crate::commands::commands;
use crate::problem::CODES;

/// One response per status, listing the codes that it may carry.
pub(super) fn problems(codes: &[&str]) -> Value {
    let mut responses = json!({});
    for (code, status, _) in CODES.iter().filter(|(code, ..)| codes.contains(code)) {
        add_code(&mut responses, &status.to_string(), code);
    }
    responses
}

/// Refusals that mean an id (404); a test holds both lists against the domain's own kinds.
const NOT_FOUND: &[&str] = &[
    "certificate-not-found",
    "conflict-not-found",
    "deal-not-found",
    "level-review-not-found",
    "licence-not-found",
    "no-such-version",
    "order-not-found",
    "partner-not-found",
];

/// Refusals that mean a value which cannot be right, whatever the state (422).
const INVALID_VALUE: &[&str] = &[
    "escalation-without-recipient",
    "holder-not-of-partner",
    "invalid-field",
    "invalid-person",
    "no-price-list",
    "nothing-ordered",
    "reason-missing",
    "rulebook-invalid",
    "rulebook-of-another-program",
    "sku-twice",
    "unknown-annex",
    "unknown-benefit",
    "unknown-certification",
    "unknown-conflict-rule",
    "unknown-criterion",
    "unknown-document",
    "unknown-level",
    "unknown-obligation",
    "unknown-phase",
    "unknown-product-scope",
    "unknown-rejection-reason",
    "unknown-requirement",
    "unknown-sku",
    "unknown-track",
];

/// The status that a refusal of this code is answered with.
pub fn refusal_status(code: &str) -> u16 {
    if NOT_FOUND.contains(&code) {
        404
    } else if INVALID_VALUE.contains(&code) {
        422
    } else {
        409
    }
}

/// Adds the refusals of the aggregate that decides, each under its status.
pub(super) fn refusals(responses: &mut Value, schema: &Value) {
    for code in refusal_codes(schema) {
        add_code(responses, &refusal_status(code).to_string(), code);
    }
}

/// The codes of a refusal type: a tagged schema with one variant per rule.
fn refusal_codes(schema: &Value) -> impl Iterator<Item = &str> {
    let variants = schema["oneOf"].as_array().into_iter().flatten();
    variants.filter_map(|variant| variant["properties"]["code"]["const"].as_str())
}

fn add_code(responses: &mut Value, status: &str, code: &str) {
    let response = &mut responses[status];
    let known = response["description"].as_str();
    if known.is_some_and(|text| text.contains(&format!("`{code}`"))) {
        return;
    }
    let described = known.map(|text| format!("{text}, `{code}`"));
    response["description"] = json!(described.unwrap_or_else(|| format!("`{code}`")));
    let media = &mut response["content"]["application/problem+json"];
    media["schema"] = json!({ "$ref": "#/components/schemas/Problem" });
    media["examples"][code] = json!({ "$ref": format!("#/components/examples/{code}") });
}

/// An example of every code that the service may answer with.
pub(super) fn problem_examples(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let mut examples = Map::new();
    let mut add = |code: &str, status: u16, detail: &str| {
        let known = StatusCode::from_u16(status).ok();
        let problem = json!({
            "type": format!("urn:accord:problem:{code}"),
            "title": known.and_then(|status| status.canonical_reason()).unwrap_or("Error"),
            "status": status, "code": code, "detail": detail,
        });
        examples.insert(code.to_owned(), json!({ "value": problem }));
    };
    for route in commands() {
        let schema: Value = (route.refusals)(generator).into();
        for code in refusal_codes(&schema) {
            let status = refusal_status(code);
            let detail = match status {
                404 => "there is no such resource",
                422 => "a value cannot be right",
                _ => "the rule of this name refused",
            };
            add(code, status, detail);
        }
    }
    CODES.iter().for_each(|(code, status, meaning)| add(code, *status, meaning));
    examples
}

pub(super) fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457, with a stable `code` and the facts of the occasion beside it",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "code": { "type": "string" },
            "detail": { "type": "string" },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "field": { "type": "string" }, "message": { "type": "string" }
                    },
                },
            },
        },
    })
}
