//! The contract of what stands beside every event: a schema and a golden sample, for ever.

use std::fs;

use accord_domain::metadata::Metadata;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::events::without_descriptions;
use crate::tidy::root;

const SCHEMA: &str = "schemas/metadata.v1.schema.json";
const SAMPLE: &str = "schemas/metadata.v1.json";

fn schema() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Metadata>().into()
}

fn read(file: &str) -> Value {
    let text = fs::read_to_string(root().join(file)).unwrap_or_else(|_| {
        panic!("{file} is missing; run once with ACCORD_UPDATE_SCHEMAS=1");
    });
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_shape_of_metadata_has_not_changed() {
    let path = root().join(SCHEMA);
    if !path.exists() && std::env::var_os("ACCORD_UPDATE_SCHEMAS").is_some() {
        fs::write(&path, serde_json::to_string_pretty(&schema()).unwrap() + "\n").unwrap();
    }
    assert_eq!(
        without_descriptions(&read(SCHEMA)),
        without_descriptions(&schema()),
        "the shape of stored metadata changed; add a version and an upcast instead"
    );
}

#[test]
fn the_golden_sample_fits_its_schema_and_reads_back_unchanged() {
    let sample = read(SAMPLE);
    if let Err(error) = jsonschema::validator_for(&schema()).unwrap().validate(&sample) {
        panic!("{SAMPLE}: {error}");
    }
    let metadata: Metadata = serde_json::from_value(sample.clone()).unwrap();
    assert_eq!(serde_json::to_value(&metadata).unwrap(), sample);
}
