//! Examples built from schemas: they fit by construction and speak the domain's language where a
//! field's name tells what belongs there.

use serde_json::{Map, Value, json};

/// Recursive schemas end here.
const DEPTH_MAX: usize = 12;

/// An instance of a schema whose references resolve among `schemas`.
pub(super) fn example(schema: &Value, schemas: &Value) -> Value {
    build("", schema, schemas, 0)
}

fn build(name: &str, schema: &Value, schemas: &Value, depth: usize) -> Value {
    if depth > DEPTH_MAX {
        return Value::Null;
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let target = reference.rsplit('/').next().unwrap_or_default();
        return build(name, &schemas[target], schemas, depth + 1);
    }
    if let Some(constant) = schema.get("const") {
        return constant.clone();
    }
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        if let Some(first) = schema[choice].as_array().and_then(|schemas| schemas.first()) {
            let mut built = build(name, first, schemas, depth + 1);
            // A variant may stand beside fields that all variants share.
            if let (Value::Object(built), Value::Object(shared)) =
                (&mut built, object(schema, schemas, depth))
            {
                built.extend(shared);
            }
            return built;
        }
    }
    let kind = schema["type"].as_array().and_then(|kinds| kinds.first()).unwrap_or(&schema["type"]);
    match kind.as_str() {
        Some("object") => object(schema, schemas, depth),
        Some("array") => array(name, schema, schemas, depth),
        Some("integer" | "number") => number(name, schema),
        Some("boolean") => json!(true),
        Some("string") => json!(text(name, schema)),
        _ => object(schema, schemas, depth),
    }
}

fn object(schema: &Value, schemas: &Value, depth: usize) -> Value {
    let fields = schema["properties"].as_object().into_iter().flatten();
    let built = fields.map(|(name, field)| (name.clone(), build(name, field, schemas, depth + 1)));
    Value::Object(built.collect::<Map<_, _>>())
}

fn array(name: &str, schema: &Value, schemas: &Value, depth: usize) -> Value {
    if schema["items"].is_object() {
        json!([build(name, &schema["items"], schemas, depth + 1)])
    } else {
        json!([])
    }
}

fn number(name: &str, schema: &Value) -> Value {
    let minimum = schema["minimum"].as_u64().unwrap_or(0);
    let usual = match name {
        "minor" | "amount_minor" => 120_000,
        "quantity" | "seats" => 50,
        "term_months" => 12,
        _ => 1,
    };
    json!(usual.max(minimum))
}

fn text(name: &str, schema: &Value) -> &'static str {
    match schema["format"].as_str() {
        Some("uuid") => return "0192f3a4-5b6c-7d8e-9f01-23456789abcd",
        Some("date") => return "2026-12-01",
        Some("date-time") => return "2026-12-01T09:30:00.000000Z",
        _ => {}
    }
    match schema["pattern"].as_str() {
        Some("^[A-Z]{2}$") => return "IT",
        Some("^[A-Z]{3}$") => return "EUR",
        Some(pattern) if pattern.starts_with("^-?[0-9]+") => return "0.15",
        Some(pattern) if pattern.starts_with("^[0-9]{4}-(") => return "2026-12",
        Some(_) => return code(name),
        None => {}
    }
    match name {
        "currency" | "currencies" => "EUR",
        "name" => "Northwind Systems",
        "email" => "ada@example.org",
        "phone" => "+39 02 5550100",
        "domain" => "example.org",
        "tax_id" => "IT01234567890",
        "reason" => "agreed in the quarterly review",
        "note" | "discussion" | "statement" => "seen in the project's records",
        "reference" => "INV-2026-0042",
        "amount_minor" => "120000",
        _ => "text",
    }
}

fn code(name: &str) -> &'static str {
    match name {
        "track" => "partner",
        "level" | "target" | "current" => "gold",
        "product_scope" => "fleet",
        "sku" => "server-month",
        "certification" => "C3",
        "rule" => "first-registration",
        _ => "code",
    }
}
