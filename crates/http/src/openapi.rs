//! The OpenAPI 3.1 document, made from the tables of commands and reads.
//!
//! Schemas come from the very types that requests are read into and answers are written from;
//! examples are built from the schemas, so that they always fit.

mod example;
mod hidden;
mod media;
mod names;
mod problems;

use std::sync::{Arc, LazyLock};

use accord_domain::order::OrderError;
use accord_domain::pricing::Quote;
use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::Http;
use crate::commands::{CommandRoute, commands, description};
use crate::openapi::example::example;
pub use crate::openapi::problems::refusal_status;
use crate::openapi::problems::{problem_examples, problem_schema, problems, refusals};
use crate::reads::{Access, ReadRoute, reads};
use crate::resources::{QUOTES, QuoteBody};

static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| serde_json::to_string_pretty(&document()).unwrap_or_default() + "\n");

pub(crate) fn routes() -> Router<Arc<Http>> {
    let docs = utoipa_swagger_ui::SwaggerUi::new("/docs")
        // The badge would ask a validator elsewhere.
        .config(utoipa_swagger_ui::Config::from("/openapi.json").validator_url("none"));
    Router::new()
        .route(
            "/openapi.json",
            get(|| async {
                ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
            }),
        )
        .merge(docs)
}

/// What every command may be answered with, whatever its aggregate decides.
const COMMAND_CODES: &[&str] = &[
    "malformed-json",
    "json-too-deep",
    "malformed-request",
    "token-missing",
    "token-invalid",
    "token-expired",
    "role-not-allowed",
    "program-not-found",
    "not-found",
    "request-timeout",
    "contention",
    "no-rulebook-in-force",
    "revision-mismatch",
    "body-too-large",
    "media-type-not-supported",
    "invalid-fields",
    "idempotency-key-reused",
    "rate-limited",
    "overloaded",
    "event-log-unavailable",
    "internal",
];

/// The whole document.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for route in reads() {
        operation(&mut paths, route.path, "get", read(route, &mut generator));
    }
    for route in commands() {
        let path = command_path(route);
        let operation_value = command(route, &mut generator);
        match paths.get_mut(&path).and_then(|methods| methods.get_mut("post")) {
            Some(existing) => offer_another(existing, &operation_value),
            None => operation(&mut paths, &path, "post", operation_value),
        }
    }
    operation(&mut paths, QUOTES, "post", quote(&mut generator));
    let examples = problem_examples(&mut generator);
    let mut schemas: Map<String, Value> = generator.take_definitions(true);
    schemas.insert("Problem".to_owned(), problem_schema());
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Accord",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Runs a software vendor's partner program: commands in, decisions by \
                            the program's rulebook, events in a durable log, read models out.",
        },
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "examples": examples,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" }
            },
        },
    });
    hidden::mark(&mut document);
    add_examples(&mut document);
    document
}

fn operation(paths: &mut Map<String, Value>, path: &str, method: &str, operation: Value) {
    let methods = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
    methods[method] = operation;
}

fn command_path(route: &CommandRoute) -> String {
    let collection = format!("/v1/programs/{{program}}/{}", route.collection);
    if route.creates { collection } else { format!("{collection}/{{id}}/{}", route.name) }
}

/// Several ways to create share one path: the body's field `command` tells them apart.
fn offer_another(existing: &mut Value, another: &Value) {
    let body = |operation: &Value| {
        operation["requestBody"]["content"]["application/json"]["schema"].clone()
    };
    let mut offered = match body(existing)["oneOf"].as_array() {
        Some(offered) => offered.clone(),
        None => vec![body(existing)],
    };
    offered.push(body(another));
    existing["requestBody"]["content"]["application/json"]["schema"] = json!({ "oneOf": offered });
    existing["summary"] = json!("Create, in one of several ways");
}

fn command(route: &CommandRoute, generator: &mut SchemaGenerator) -> Value {
    let mut body = body_schema(route, generator);
    let ways = commands().iter().filter(|it| it.creates && it.collection == route.collection);
    if route.creates && ways.count() > 1 {
        add_command_name(&mut body, route.name);
    }
    let needs_body = !is_optional(&body, generator);
    let mut media = json!({ "application/json": { "schema": body } });
    if route.collection == "rulebooks" && route.creates {
        media["application/toml"] = json!({ "schema": { "type": "string" } });
    }
    let status = if route.creates { "201" } else { "200" };
    let answer = crate::commands::answer_schema(generator);
    let mut parameters = vec![
        path_parameter("program"),
        header_parameter("Idempotency-Key", "Makes a retry safe: the same key, the same effect"),
        header_parameter("If-Match", "The revision that the caller saw, in quotes"),
    ];
    if !route.creates {
        parameters.push(path_parameter("id"));
    }
    let mut codes = COMMAND_CODES.to_vec();
    codes.extend(match (route.collection, route.name) {
        ("rulebooks", "draft") => Some("rulebook-invalid"),
        ("deals", "submit") => Some("opportunity-taken"),
        _ => None,
    });
    let mut responses = problems(&codes);
    refusals(&mut responses, &(route.refusals)(generator).into());
    responses[status] = json!({
        "description": "Decided; what was appended is on disk",
        "headers": { "ETag": { "schema": { "type": "string" } } },
        "content": { "application/json": { "schema": answer } },
    });
    json!({
        "operationId": names::of_command(route),
        "summary": route.summary,
        "description": description(route),
        "tags": [route.collection],
        "parameters": parameters,
        "requestBody": { "required": needs_body, "content": media },
        "responses": responses,
    })
}

/// The schema of a command's body: one variant where the type is an aggregate's whole command.
fn body_schema(route: &CommandRoute, generator: &mut SchemaGenerator) -> Value {
    let schema: Value = (route.body)(generator).into();
    let variants = schema["oneOf"].as_array().cloned().unwrap_or_default();
    let found = variants.iter().find_map(|variant| variant["properties"].get(route.name).cloned());
    found.unwrap_or(schema)
}

/// Whether an empty object is enough, which an absent body stands for.
fn is_optional(body: &Value, generator: &SchemaGenerator) -> bool {
    let name = body["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    let definition = name.and_then(|name| generator.definitions().get(name));
    let required = &definition.unwrap_or(body)["required"];
    required.as_array().is_none_or(Vec::is_empty)
}

fn add_command_name(body: &mut Value, name: &str) {
    body["properties"]["command"] = json!({ "const": name });
    match body["required"].as_array_mut() {
        Some(required) => required.push(json!("command")),
        None => body["required"] = json!(["command"]),
    }
}

/// Quotes are posted, yet decide nothing: they are in neither table.
fn quote(generator: &mut SchemaGenerator) -> Value {
    let body: Value = generator.subschema_for::<QuoteBody>().into();
    let answer: Value = generator.subschema_for::<Quote>().into();
    let mut responses = problems(&[
        "malformed-json",
        "json-too-deep",
        "malformed-request",
        "token-missing",
        "token-invalid",
        "token-expired",
        "role-not-allowed",
        "program-not-found",
        "not-found",
        "request-timeout",
        "no-rulebook-in-force",
        "body-too-large",
        "media-type-not-supported",
        "invalid-fields",
        "rate-limited",
        "projection-behind",
        "internal",
    ]);
    refusals(&mut responses, &OrderError::json_schema(generator).into());
    responses["200"] = json!({
        "description": "The price, with every line of its calculation",
        "content": { "application/json": { "schema": answer } },
    });
    json!({
        "operationId": "quotes.price",
        "summary": "Price a request; nothing is stored",
        "tags": ["quotes"],
        "parameters": [path_parameter("program")],
        "requestBody": {
            "required": true, "content": { "application/json": { "schema": body } }
        },
        "responses": responses,
    })
}

fn read(route: &ReadRoute, generator: &mut SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = route
        .path
        .split('{')
        .skip(1)
        .filter_map(|part| part.split('}').next())
        .map(path_parameter)
        .collect();
    parameters.extend(query_parameters((route.query)(generator), generator));
    parameters.extend(shared_parameters(route));
    let responses = answers(route, generator);
    let mut operation = json!({
        "operationId": names::of_read(route.path),
        "summary": route.summary,
        "tags": [route.path.split('/').nth(4).unwrap_or("service")],
        "parameters": parameters,
        "responses": responses,
    });
    if route.access == Access::Open {
        operation["security"] = json!([]);
    }
    if let Some(description) = hidden::description(route.path) {
        operation["description"] = json!(description);
    }
    operation
}

/// Every answer that a read may give.
fn answers(route: &ReadRoute, generator: &mut SchemaGenerator) -> Value {
    let schema: Value = (route.response)(generator).into();
    let mut responses = problems(&[
        "malformed-request",
        "token-missing",
        "token-invalid",
        "token-expired",
        "role-not-allowed",
        "program-not-found",
        "not-found",
        "rate-limited",
        "projection-behind",
        "internal",
    ]);
    if route.access == Access::Open {
        responses = json!({});
    }
    let content: Map<String, Value> = route
        .media
        .iter()
        .map(|media| {
            let json = media.starts_with("application/json");
            let schema = if json { schema.clone() } else { json!({ "type": "string" }) };
            ((*media).to_owned(), json!({ "schema": schema }))
        })
        .collect();
    if route.path == "/readyz" {
        let description = "It cannot; the body tells why";
        responses["503"] = json!({ "description": description, "content": content });
    }
    responses["200"] = json!({ "description": route.summary, "content": content });
    // A rulebook version's revision is its program's.
    if route.path.ends_with("/{id}") && !route.path.contains("rulebooks") {
        responses["200"]["headers"] = json!({ "ETag": {
            "description": "The resource's revision in quotes, for `If-Match`",
            "schema": { "type": "string" },
        }});
    }
    responses
}

fn query_parameters(schema: Schema, generator: &SchemaGenerator) -> Vec<Value> {
    let mut schema: Value = schema.into();
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        schema = generator.definitions()[name].clone();
    }
    let required: Vec<Value> = schema["required"].as_array().cloned().unwrap_or_default();
    let Some(fields) = schema["properties"].as_object() else { return Vec::new() };
    let parameter = |(name, schema): (&String, &Value)| {
        json!({
            "name": name, "in": "query", "required": required.contains(&json!(name)),
            "schema": schema,
        })
    };
    fields.iter().map(parameter).collect()
}

/// Parameters that reads take besides their filters.
fn shared_parameters(route: &ReadRoute) -> Vec<Value> {
    let optional = |name: &str, schema: Value, description: &str| {
        json!({
            "name": name, "in": "query", "required": false, "schema": schema,
            "description": description,
        })
    };
    let number = || json!({ "type": "integer", "format": "uint64", "minimum": 0 });
    let mut parameters = Vec::new();
    if route.access != Access::Open && !route.path.ends_with("/changes") {
        let description = "Wait until the read models have reached this position";
        parameters.push(optional("min_position", number(), description));
    }
    if route.past {
        let time = json!({ "type": "string", "format": "date-time" });
        parameters.push(optional("as_of", time, "The resource as it was at this time"));
        let description = "The resource as it was at this position of the log";
        parameters.push(optional("at_position", number(), description));
    }
    if let [_, other] = route.media {
        let name = if other.ends_with("csv") { "csv" } else { "ndjson" };
        let choice = json!({ "enum": ["json", name] });
        let description = match name {
            "csv" => "Instead of the header `Accept`; CSV without `limit` is the whole report",
            _ => "Instead of the header `Accept`; NDJSON is everything that matches",
        };
        parameters.push(optional("format", choice, description));
    }
    parameters
}

fn path_parameter(name: &str) -> Value {
    json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
}

fn header_parameter(name: &str, description: &str) -> Value {
    json!({
        "name": name, "in": "header", "required": false, "description": description,
        "schema": { "type": "string" },
    })
}

/// Puts an example beside every JSON schema of a request or an answer.
fn add_examples(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for operation in paths.flat_map(|(_, methods)| methods.as_object_mut().into_iter().flatten()) {
        let operation = operation.1;
        if let Some(media) = operation.pointer_mut("/requestBody/content/application~1json") {
            media["example"] = example(&media["schema"], &schemas);
        }
        for status in ["200", "201"] {
            let pointer = format!("/responses/{status}/content/application~1json");
            if let Some(media) = operation.pointer_mut(&pointer) {
                media["example"] = example(&media["schema"], &schemas);
            }
        }
        media::add(operation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(value: &Value, found: &mut impl FnMut(&Map<String, Value>)) {
        match value {
            Value::Object(fields) => {
                found(fields);
                fields.values().for_each(|value| visit(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| visit(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_resolves() {
        let document = document();
        let mut count = 0;
        visit(&document, &mut |fields| {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                count += 1;
            }
        });
        assert!(count > 100, "only {count} references");
    }

    #[test]
    fn every_operation_has_an_answer_and_every_command_an_example() {
        let document = document();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let responses = operation["responses"].as_object().unwrap();
                assert!(responses.keys().any(|it| it.starts_with('2')), "{method} {path}");
                if method == "post" {
                    let media = &operation["requestBody"]["content"]["application/json"];
                    assert!(media["example"].is_object(), "{method} {path} has no example");
                }
            }
        }
    }

    #[test]
    fn no_definition_holds_another_ones_name() {
        let document = document();
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            assert!(!name.ends_with(char::is_numeric), "two types are called {name}");
        }
    }
}
