//! Every mistake in a document's shape, found by the JSON Schema of the rulebook: reading stops at
//! the first one.

use std::sync::LazyLock;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::super::Rulebook;

static VALIDATOR: LazyLock<Option<Validator>> =
    LazyLock::new(|| jsonschema::validator_for(Rulebook::json_schema().as_value()).ok());

/// A mistake by its path, such as `tracks[0].levels[2]`; empty for the document as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ShapeMistake {
    pub(super) path: String,
    pub(super) message: String,
    /// Whether the mistake may just as well be one of what stands inside.
    pub(super) of_its_contents: bool,
}

/// All mistakes in the shape, in the document's order.
pub(super) fn shape_mistakes(document: &Value) -> Vec<ShapeMistake> {
    let Some(validator) = &*VALIDATOR else { return Vec::new() };
    let mut found = Vec::new();
    for error in validator.iter_errors(document) {
        collect(&error, &mut found);
    }
    found
}

fn collect(error: &ValidationError<'_>, found: &mut Vec<ShapeMistake>) {
    let path = path_of(error);
    let mut add = |path: String, message: String| {
        found.push(ShapeMistake { path, message, of_its_contents: false });
    };
    match error.kind() {
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => match meant(context) {
            Some(errors) => errors.iter().for_each(|error| collect(error, found)),
            None => {
                let message = "is none of the kinds that are known".to_owned();
                found.push(ShapeMistake { path, message, of_its_contents: true });
            }
        },
        Kind::AdditionalProperties { unexpected } => {
            for field in unexpected {
                add(field_of(&path, field), format!("unknown field `{field}`"));
            }
        }
        Kind::Required { property } => {
            let field = property.as_str().unwrap_or_default();
            add(path, format!("missing field `{field}`"));
        }
        Kind::Type { kind: TypeKind::Single(wanted) } => {
            add(path, format!("wrong type; a value of type {wanted} is expected"));
        }
        _ => add(path, error.masked_with("the value").to_string()),
    }
}

/// Of several forms that a value may have, the one that it is meant to have: the only one that is
/// not empty, or the one whose tag it carries.
fn meant<'a>(forms: &'a [Vec<ValidationError<'static>>]) -> Option<&'a [ValidationError<'static>]> {
    let is_null = |error: &ValidationError<'_>| {
        matches!(error.kind(), Kind::Type { kind: TypeKind::Single(wanted) }
            if wanted.to_string() == "null")
    };
    let is_tag = |error: &ValidationError<'_>| {
        matches!(error.kind(), Kind::Constant { .. }) && path_of(error).ends_with("kind")
    };
    let mut possible =
        forms.iter().filter(|errors| !errors.iter().any(|error| is_null(error) || is_tag(error)));
    let first = possible.next()?;
    possible.next().is_none().then_some(first.as_slice())
}

/// `/tracks/0/levels` as `tracks[0].levels`.
fn path_of(error: &ValidationError<'_>) -> String {
    let pointer = error.instance_path().as_str();
    let mut path = String::new();
    for step in pointer.split('/').skip(1) {
        if step.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str(&format!("[{step}]"));
        } else {
            path = field_of(&path, step);
        }
    }
    path
}

fn field_of(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}
