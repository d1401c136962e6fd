//! The contract of stored events: a schema and a golden sample for every event type, for ever.
//!
//! `schemas/events/NAME.v1.schema.json` is generated from the types; `NAME.v1.json` is a sample as
//! stored. After adding an event type run the tests once with `ACCORD_UPDATE_SCHEMAS=1`. To an
//! existing schema only optional fields are added, which no stored event has and none needs; any
//! other change of a shape needs a new schema version and an upcast.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use accord_domain::{
    Aggregate, DomainEvent, certificate::Certificate, deal::Deal, level_review::LevelReview,
    licence::Licence, opportunity::Opportunity, order::Order, partner::Partner, program::Program,
};
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::tidy::root;

fn folder() -> PathBuf {
    root().join("schemas/events")
}

/// Every event type's name with its category and its data's schema, from the Rust types.
fn event_types() -> BTreeMap<String, (&'static str, Value)> {
    let mut all = BTreeMap::new();
    let mut add = |category: &'static str, schema: Value| {
        let definitions = schema.get("$defs").cloned().unwrap_or(json!({}));
        for variant in schema["oneOf"].as_array().unwrap() {
            let (name, data) = variant["properties"].as_object().unwrap().iter().next().unwrap();
            let mut data = data.clone();
            data["$schema"] = schema["$schema"].clone();
            data["title"] = json!(name);
            data["$defs"] = used(&definitions, &data);
            all.insert(name.clone(), (category, data));
        }
    };
    fn schema_of<A: Aggregate>() -> Value {
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<A::Event>().into()
    }
    add(Program::CATEGORY, schema_of::<Program>());
    add(Partner::CATEGORY, schema_of::<Partner>());
    add(Certificate::CATEGORY, schema_of::<Certificate>());
    add(LevelReview::CATEGORY, schema_of::<LevelReview>());
    add(Deal::CATEGORY, schema_of::<Deal>());
    add(Opportunity::CATEGORY, schema_of::<Opportunity>());
    add(Order::CATEGORY, schema_of::<Order>());
    add(Licence::CATEGORY, schema_of::<Licence>());
    all
}

/// The definitions that a schema refers to, directly or through others.
fn used(definitions: &Value, schema: &Value) -> Value {
    let mut found = serde_json::Map::new();
    let mut texts = vec![schema.to_string()];
    while let Some(text) = texts.pop() {
        for (name, definition) in definitions.as_object().unwrap() {
            if text.contains(&format!("\"#/$defs/{name}\"")) && !found.contains_key(name) {
                found.insert(name.clone(), definition.clone());
                texts.push(definition.to_string());
            }
        }
    }
    found.into()
}

fn read(name: &str) -> Option<Value> {
    let text = fs::read_to_string(folder().join(name)).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// Descriptions may be reworded; everything else of a schema is the contract.
pub(crate) fn without_descriptions(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let described = |name: &str, value: &Value| name == "description" && value.is_string();
            let kept = fields.iter().filter(|(name, value)| !described(name, value));
            kept.map(|(name, value)| (name.clone(), without_descriptions(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_descriptions).collect(),
        other => other.clone(),
    }
}

/// The current schema without the optional fields that the stored one does not know: everything
/// stored so far fits with and without them.
fn without_additions(current: &Value, stored: &Value) -> Value {
    let (Value::Object(fields), Value::Object(known)) = (current, stored) else {
        return current.clone();
    };
    let required = fields.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|names| names.contains(&json!(name)));
    let is_known = |list: &str, name: &str| known.get(list).is_some_and(|it| !it[name].is_null());
    let kept = fields.iter().map(|(name, value)| {
        let mut value = value.clone();
        if matches!(name.as_str(), "properties" | "$defs")
            && let Value::Object(entries) = &mut value
        {
            entries.retain(|entry, _| is_known(name, entry) || is_required(entry));
        }
        (name.clone(), without_additions(&value, &stored[name]))
    });
    kept.collect()
}

fn write(file: &str, schema: &Value) {
    let text = serde_json::to_string_pretty(schema).unwrap() + "\n";
    fs::write(folder().join(file), text).unwrap();
}

#[test]
fn a_field_that_becomes_optional_or_required_is_no_mere_addition() {
    let stored = json!({ "properties": { "a": {} }, "required": ["a"] });
    let more = json!({ "properties": { "a": {}, "b": {} }, "required": ["a"] });
    assert_eq!(without_additions(&more, &stored), stored);
    for changed in [
        json!({ "properties": { "a": {}, "b": {} }, "required": ["a", "b"] }),
        json!({ "properties": { "a": {} }, "required": [] }),
        json!({ "properties": { "b": {} }, "required": ["a"] }),
    ] {
        assert_ne!(without_additions(&changed, &stored), stored);
    }
}

#[test]
fn every_event_type_has_its_schema_and_no_schema_has_changed() {
    let update = std::env::var_os("ACCORD_UPDATE_SCHEMAS").is_some();
    for (name, (_, schema)) in event_types() {
        let file = format!("{name}.v1.schema.json");
        match read(&file) {
            Some(stored) => {
                let stored = without_descriptions(&stored);
                let current = without_descriptions(&schema);
                assert_eq!(
                    stored,
                    without_additions(&current, &stored),
                    "{file}: a stored event's shape changed; add a version and an upcast instead"
                );
                assert!(
                    stored == current || update,
                    "{file} lacks optional fields; run once with ACCORD_UPDATE_SCHEMAS=1"
                );
                if stored != current {
                    write(&file, &schema);
                }
            }
            None if update => write(&file, &schema),
            None => panic!("{file} is missing; run once with ACCORD_UPDATE_SCHEMAS=1"),
        }
    }
}

#[test]
fn no_event_type_that_was_ever_published_has_disappeared() {
    let known = event_types();
    for entry in fs::read_dir(folder()).unwrap() {
        let file = entry.unwrap().file_name().to_string_lossy().into_owned();
        let name = file.split('.').next().unwrap();
        assert!(known.contains_key(name), "{file} has no event type any more");
    }
}

#[test]
fn every_golden_sample_fits_its_schema_and_reads_back_unchanged() {
    for (name, (category, schema)) in event_types() {
        let file = format!("{name}.v1.json");
        let sample = read(&file).unwrap_or_else(|| panic!("{file} is missing: add a sample"));
        let validator = jsonschema::validator_for(&schema).unwrap();
        if let Err(error) = validator.validate(&sample) {
            panic!("{file}: {error}");
        }
        let bytes = serde_json::to_vec(&sample).unwrap();
        let event = DomainEvent::decode(category, &name, &bytes)
            .unwrap_or_else(|error| panic!("{file}: {error:?}"));
        assert_eq!(encoded(event), sample, "{file} does not read back as it was stored");
    }
}

fn encoded(event: DomainEvent) -> Value {
    use accord_domain::event::encode;
    let (_, data) = match event {
        DomainEvent::Program(event) => encode(&event),
        DomainEvent::Partner(event) => encode(&event),
        DomainEvent::Certificate(event) => encode(&event),
        DomainEvent::LevelReview(event) => encode(&event),
        DomainEvent::Deal(event) => encode(&event),
        DomainEvent::Opportunity(event) => encode(&event),
        DomainEvent::Order(event) => encode(&event),
        DomainEvent::Licence(event) => encode(&event),
    };
    serde_json::from_slice(&data).unwrap()
}
