//! Examples of what is not JSON: reports as CSV, exports as NDJSON, changes as server-sent events,
//! rulebooks as TOML. Rows are those of the JSON examples beside them.

use serde_json::{Value, json};

use crate::changes::Change;
use crate::reports::csv_text;

/// A shipped rulebook, whole: it can be drafted as it stands.
const RULEBOOK: &str = include_str!("../../../../ops/programs/quazzar.toml");

/// Examples of the other media of one operation, made from its JSON example where it has one.
pub(super) fn add(operation: &mut Value) {
    if let Some(toml) = operation.pointer_mut("/requestBody/content/application~1toml") {
        toml["example"] = json!(RULEBOOK);
    }
    let Some(answers) = operation.pointer_mut("/responses/200/content") else { return };
    let page = answers["application/json"]["example"].clone();
    let row = &page["items"][0];
    let Some(media) = answers.as_object_mut() else { return };
    for (name, media) in media.iter_mut().filter(|(name, _)| *name != "application/json") {
        media["example"] = match name.as_str() {
            "text/csv" => json!(csv_text(row)),
            "application/x-ndjson" => json!(format!("{row}\n")),
            "text/event-stream" => json!(change()),
            _ => continue,
        };
    }
}

/// A change as it comes over the line.
fn change() -> String {
    let change = Change::example();
    let data = serde_json::to_value(&change).unwrap_or_default();
    format!("id: {}\nevent: change\ndata: {data}\n\n", data["position"])
}

#[cfg(test)]
mod tests {
    use super::super::document;
    use super::*;

    fn example<'a>(document: &'a Value, path: &str, place: &str) -> &'a str {
        let path = format!("/v1/programs/{{program}}/{path}");
        document["paths"][path.as_str()].pointer(place).and_then(Value::as_str).unwrap()
    }

    #[test]
    fn every_medium_has_an_example_that_is_one() {
        let document = document();
        for report in ["levels", "deals", "revenue"] {
            let place = "/get/responses/200/content/text~1csv/example";
            let text = example(&document, &format!("reports/{report}"), place);
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines.len(), 2, "{text}");
            assert_eq!(lines[0].matches(',').count(), lines[1].matches(',').count(), "{text}");
        }
        let place = "/get/responses/200/content/application~1x-ndjson/example";
        let line = example(&document, "audit/events", place);
        assert!(serde_json::from_str::<Value>(line).unwrap()["revision"].is_u64(), "{line}");
        let place = "/get/responses/200/content/text~1event-stream/example";
        let change = example(&document, "changes", place);
        let data = change.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        assert!(serde_json::from_str::<Value>(data).unwrap()["type"].is_string(), "{change}");
        let place = "/post/requestBody/content/application~1toml/example";
        let rulebook = example(&document, "rulebooks", place);
        assert!(accord_domain::rulebook::Rulebook::from_toml(rulebook).is_ok());
    }
}
