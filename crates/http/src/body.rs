//! Request bodies: bounded, JSON, read strictly.

use accord_domain::rulebook::Rulebook;
use axum::http::{HeaderMap, Uri, header};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::problem::Problem;

/// Deepest nesting of a JSON body. A rulebook, the deepest of all, needs 8.
const DEPTH_MAX: usize = 24;

/// Longest list of alternatives that a message names.
const ALTERNATIVES_MAX: usize = 40;

/// Refuses a query: what is posted has everything in its body and headers.
pub(crate) fn no_query(uri: &Uri) -> Result<(), Problem> {
    let Some(query) = uri.query().filter(|query| !query.is_empty()) else { return Ok(()) };
    let name = query.split(['=', '&']).next().unwrap_or_default();
    Err(Problem::new("malformed-request", format!("a POST does not take `{name}` in its query")))
}

/// The JSON text of a body; an absent body is an empty object.
pub(crate) fn json_text<'a>(headers: &HeaderMap, body: &'a Bytes) -> Result<&'a [u8], Problem> {
    if body.is_empty() {
        return Ok(b"{}");
    }
    if media_type(headers).is_none_or(|found| found != "application/json") {
        return Err(not_supported("application/json"));
    }
    check_depth(body)?;
    Ok(body)
}

/// Reads a JSON body into a type; every mistake names its place.
pub(crate) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let read = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        mistake(&path, error.inner())
    })?;
    deserializer.end().map_err(|error| mistake(".", &error))?;
    Ok(read)
}

/// Reads a command from its name and a JSON body with its fields.
pub(crate) fn read_command<C: DeserializeOwned>(name: &str, text: &[u8]) -> Result<C, Problem> {
    // The body is checked alone first: a name spliced around it must not repair what is broken.
    serde_json::from_slice::<&serde_json::value::RawValue>(text)
        .map_err(|error| mistake(".", &error))?;
    let tagged = [b"{\"", name.as_bytes(), b"\":", text, b"}"].concat();
    let mut deserializer = serde_json::Deserializer::from_slice(&tagged);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        // The caller knows its fields, not our tag around them.
        let path = error.path().to_string();
        let path = path.strip_prefix(name).unwrap_or(&path).trim_start_matches('.');
        mistake(if path.is_empty() { "." } else { path }, error.inner())
    })
}

/// Reads a rulebook, as JSON or as TOML.
pub(crate) fn read_rulebook(headers: &HeaderMap, body: &Bytes) -> Result<Rulebook, Problem> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Problem::new("malformed-json", "the body is not UTF-8"))?;
    let read = match media_type(headers) {
        Some("application/toml") => Rulebook::from_toml(text),
        Some("application/json") => {
            check_depth(body)?;
            Rulebook::from_json(text)
        }
        _ => return Err(not_supported("application/json or application/toml")),
    };
    read.map_err(|mistakes| {
        let errors: Vec<Value> = mistakes
            .iter()
            .map(|found| serde_json::json!({ "field": found.place, "message": found.message }))
            .collect();
        let noun = if errors.len() == 1 { "mistake" } else { "mistakes" };
        let detail = format!("the rulebook has {} {noun}", errors.len());
        Problem::new("rulebook-invalid", detail).with("errors", errors)
    })
}

/// `invalid-fields` for one field.
pub(crate) fn invalid_field(field: &str, message: &str) -> Problem {
    let errors = vec![serde_json::json!({ "field": field, "message": message })];
    Problem::new("invalid-fields", format!("`{field}`: {message}")).with("errors", errors)
}

/// What is wrong with a body, and where.
pub(crate) fn mistake(path: &str, error: &serde_json::Error) -> Problem {
    match error.classify() {
        serde_json::error::Category::Data => {
            let message = message_of(error);
            invalid_field(&place(path, &message), &message)
        }
        _ => Problem::new("malformed-json", format!("the body is not JSON: {}", error)),
    }
}

/// Where a mistake is. A field that is missing or unknown is named with the object around it.
fn place(path: &str, message: &str) -> String {
    let named = ["missing field `", "unknown field `"];
    let name = named.iter().find_map(|start| message.strip_prefix(start)?.split('`').next());
    match name {
        Some(name) if path == "." => name.to_owned(),
        Some(name) if path != name && !path.ends_with(&format!(".{name}")) => {
            format!("{path}.{name}")
        }
        _ => path.to_owned(),
    }
}

/// serde_json's message without its line and column, which count a tag that the caller never sent,
/// and without long lists of what would have been right.
fn message_of(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let Some((wrong, known)) = text.split_once(", expected one of ") else {
        return text.to_owned();
    };
    match known.split(", ").count() {
        count if count > ALTERNATIVES_MAX => format!("{wrong}, expected one of {count} known ones"),
        _ => text.to_owned(),
    }
}

fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim())
}

fn not_supported(accepted: &str) -> Problem {
    Problem::new("media-type-not-supported", format!("send the body as {accepted}"))
}

/// Refuses deep nesting before any parser descends into it.
fn check_depth(text: &[u8]) -> Result<(), Problem> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            let detail = format!("the body is nested more than {DEPTH_MAX} deep");
            return Err(Problem::new("json-too-deep", detail));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use accord_domain::deal::DealCommand;

    use super::*;

    #[test]
    fn a_command_is_read_from_its_name_and_fields() {
        let read: DealCommand = read_command("withdraw", br#"{"reason":"budget"}"#).unwrap();
        assert_eq!(read, DealCommand::Withdraw { reason: "budget".to_owned() });
    }

    #[test]
    fn a_body_cannot_close_the_tag_around_it() {
        let problem = read_command::<DealCommand>("withdraw", br#"{"reason":"x"},"approve":{}"#);
        assert_eq!(problem.unwrap_err().code, "malformed-json");
    }

    #[test]
    fn an_unknown_field_is_named() {
        let problem =
            read_command::<DealCommand>("withdraw", br#"{"reason":"x","extra":1}"#).unwrap_err();
        assert_eq!(problem.code, "invalid-fields");
        assert_eq!(problem.facts["errors"][0]["field"], "extra");
    }

    #[test]
    fn a_missing_field_is_named_at_its_place() {
        let problem = read_command::<DealCommand>("withdraw", b"{}").unwrap_err();
        assert_eq!(problem.facts["errors"][0]["field"], "reason");
        let revise = br#"{"customer":{"name":"Contoso"}}"#;
        let problem = read_command::<DealCommand>("revise", revise).unwrap_err();
        assert_eq!(problem.facts["errors"][0]["field"], "customer.country");
    }

    #[test]
    fn a_wrong_type_is_named_with_its_place() {
        let problem = read_command::<DealCommand>("withdraw", br#"{"reason":5}"#).unwrap_err();
        assert_eq!(problem.facts["errors"][0]["field"], "reason");
    }

    #[test]
    fn nesting_is_bounded_and_brackets_in_strings_do_not_count() {
        let deep = "[".repeat(DEPTH_MAX + 1);
        assert_eq!(check_depth(deep.as_bytes()).unwrap_err().code, "json-too-deep");
        let text = format!("\"{}\\\"{}\"", "[".repeat(99), "{".repeat(99));
        assert!(check_depth(text.as_bytes()).is_ok());
    }
}
