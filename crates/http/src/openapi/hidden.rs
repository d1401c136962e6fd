//! Fields that partners' roles do not see, as the document tells it: in the description of the
//! read, and at the field, which is not required then.

use serde_json::{Value, json};

use crate::visibility::{HIDDEN, HIDDEN_CHANGES, HiddenFields, hidden_fields};

const NOTE: &str = "Partners' roles do not see it.";

/// What partners' roles do not see at a path; `None`: they see everything.
pub(super) fn description(path: &str) -> Option<String> {
    let list = |names: &[&str]| {
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    if path.ends_with("/changes") {
        return Some(format!("Partners' roles are not told of {}.", list(HIDDEN_CHANGES)));
    }
    let fields = hidden_fields(path);
    (!fields.is_empty()).then(|| format!("Partners' roles do not see {}.", list(fields)))
}

/// Marks every hidden field where it is defined.
pub(super) fn mark(document: &mut Value) {
    for HiddenFields { path, fields } in HIDDEN {
        let place = path.replace('~', "~0").replace('/', "~1");
        let place = format!("/paths/{place}/get/responses/200/content/application~1json/schema");
        for field in *fields {
            mark_field(document, rows(document, place.clone()), field);
        }
    }
}

/// The schema of the rows: a page's or a list's items, or the answer itself.
fn rows(document: &Value, place: String) -> String {
    let place = resolved(document, place);
    let paged = document.pointer(&format!("{place}/properties/next")).is_some();
    if paged { resolved(document, format!("{place}/properties/items")) } else { place }
}

/// The place of the object that a schema stands for, through references, options and lists.
fn resolved(document: &Value, mut place: String) -> String {
    while let Some(schema) = document.pointer(&place) {
        if let Some(reference) = schema["$ref"].as_str() {
            place = reference.trim_start_matches('#').to_owned();
        } else if schema["anyOf"].is_array() {
            place += "/anyOf/0";
        } else if schema["items"].is_object() && schema["type"] == "array" {
            place += "/items";
        } else {
            break;
        }
    }
    place
}

fn mark_field(document: &mut Value, place: String, field: &str) {
    let (name, rest) =
        field.split_once('.').map_or((field, None), |(name, rest)| (name, Some(rest)));
    let inner = match name {
        "*" => format!("{place}/additionalProperties"),
        name => format!("{place}/properties/{name}"),
    };
    if let Some(rest) = rest {
        let inner = resolved(document, inner);
        return mark_field(document, inner, rest);
    }
    if let Some(required) = document.pointer_mut(&format!("{place}/required")) {
        required.as_array_mut().into_iter().for_each(|names| names.retain(|it| it != name));
    }
    let Some(schema) = document.pointer_mut(&inner) else { return };
    let known = schema["description"].as_str().unwrap_or_default().to_owned();
    if !known.contains(NOTE) {
        schema["description"] = json!(format!("{known} {NOTE}").trim());
    }
}

#[cfg(test)]
mod tests {
    use super::super::document;
    use super::*;

    #[test]
    fn every_hidden_field_is_described_and_not_required() {
        let document = document();
        let schemas = &document["components"]["schemas"];
        let review = &schemas["LevelReviewRow"];
        let required = review["required"].as_array().unwrap();
        assert!(
            !required.contains(&json!("recommendation")) && required.contains(&json!("status"))
        );
        for (schema, field) in [
            ("LevelReviewRow", "recommendation"),
            ("LevelReviewSummary", "opened_by"),
            ("Judgement", "note"),
            ("Decision", "decided_by"),
            ("DealRow", "submitted_by"),
            ("RulebookSummary", "drafted_by"),
            ("PartnerRow", "evaluation"),
        ] {
            let found = schemas[schema]["properties"][field]["description"].as_str();
            assert!(found.is_some_and(|text| text.ends_with(NOTE)), "{schema}.{field}: {found:?}");
        }
        for row in HIDDEN {
            let read = &document["paths"][row.path]["get"]["description"];
            let text = read.as_str().unwrap_or_default();
            assert!(row.fields.iter().all(|field| text.contains(field)), "{}: {text}", row.path);
        }
    }
}
