//! Reading a rulebook from text, and saying where the text is wrong.

mod shape;

use std::collections::HashMap;

use serde_json::value::RawValue;
use shape::{ShapeMistake, shape_mistakes};
use toml::de::{DeTable, DeValue};

use super::Rulebook;
use super::check::{Mistake, check};

impl Rulebook {
    /// Reads and checks a TOML document; places carry line and column.
    pub fn from_toml(text: &str) -> Result<Self, Vec<Mistake>> {
        let rulebook = match parse_toml(text) {
            Ok(rulebook) => rulebook,
            Err(first) => {
                let document = text.parse::<toml::Table>().ok();
                let document = document.and_then(|table| serde_json::to_value(table).ok());
                let table = DeTable::parse(text).ok();
                let root = table.map(|table| DeValue::Table(table.into_inner()));
                let offset = |path: &str| offset_of(root.as_ref()?, path);
                return Err(with_others(text, first, document.as_ref(), offset));
            }
        };
        let mut mistakes = check(&rulebook);
        if mistakes.is_empty() {
            return Ok(rulebook);
        }
        // Parsed a second time only when there is something to point at.
        if let Ok(table) = DeTable::parse(text) {
            let document = DeValue::Table(table.into_inner());
            for mistake in &mut mistakes {
                let offset = offset_of(&document, &mistake.place);
                mistake.place = placed(&mistake.place, offset.map(|at| line_and_column(text, at)));
            }
        }
        Err(mistakes)
    }

    /// Reads and checks a JSON document; places carry line and column.
    pub fn from_json(text: &str) -> Result<Self, Vec<Mistake>> {
        let rulebook = match parse_json(text) {
            Ok(rulebook) => rulebook,
            Err(first) => {
                let document = serde_json::from_str(text).ok();
                let offset = |path: &str| offset_in_json(text, path);
                return Err(with_others(text, first, document.as_ref(), offset));
            }
        };
        let mut mistakes = check(&rulebook);
        if mistakes.is_empty() {
            return Ok(rulebook);
        }
        for mistake in &mut mistakes {
            let offset = offset_in_json(text, &mistake.place);
            mistake.place = placed(&mistake.place, offset.map(|at| line_and_column(text, at)));
        }
        Err(mistakes)
    }
}

/// The mistake that ended the reading, in its own words.
struct First {
    path: String,
    mistake: Mistake,
}

/// The mistake that ended the reading, then all others in the document's shape.
fn with_others(
    text: &str,
    first: First,
    document: Option<&serde_json::Value>,
    offset: impl Fn(&str) -> Option<usize>,
) -> Vec<Mistake> {
    // What is no text of its kind has no shape either.
    let shape = document.map(shape_mistakes).unwrap_or_default();
    let others = shape.into_iter().filter(|other| !other.is_about(&first.path));
    let others = others.map(|ShapeMistake { path, message, .. }| {
        let position = offset(&path).map(|at| line_and_column(text, at));
        Mistake { place: placed(&path, position), message }
    });
    let mut mistakes = vec![first.mistake];
    mistakes.extend(others);
    mistakes
}

impl ShapeMistake {
    /// Whether it is this place's, or that of something around it.
    fn is_about(&self, path: &str) -> bool {
        let rest = path.strip_prefix(self.path.as_str());
        rest.is_some_and(|rest| rest.is_empty() || self.of_its_contents)
    }
}

fn parse_toml(text: &str) -> Result<Rulebook, First> {
    let mistake = |path: &str, error: &toml::de::Error| First {
        path: path.to_owned(),
        mistake: Mistake {
            place: placed(path, error.span().map(|span| line_and_column(text, span.start))),
            message: error.message().trim().replace('\n', "; "),
        },
    };
    let reader = toml::Deserializer::parse(text).map_err(|error| mistake("", &error))?;
    serde_path_to_error::deserialize(reader)
        .map_err(|error| mistake(&error.path().to_string(), error.inner()))
}

fn parse_json(text: &str) -> Result<Rulebook, First> {
    let mistake = |path: &str, error: &serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        let suffix = format!(" at line {line} column {column}");
        let message = message.strip_suffix(&suffix).unwrap_or(&message).to_owned();
        let place = placed(path, (line > 0).then_some((line, column)));
        First { path: path.to_owned(), mistake: Mistake { place, message } }
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    let rulebook = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| mistake(&error.path().to_string(), error.inner()))?;
    reader.end().map_err(|error| mistake("", &error))?;
    Ok(rulebook)
}

/// A path, a position, or both; a document as a whole where there is neither.
fn placed(path: &str, position: Option<(usize, usize)>) -> String {
    let path = if path == "." { "" } else { path };
    match (path, position) {
        ("", None) => "document".to_owned(),
        (path, None) => path.to_owned(),
        ("", Some((line, column))) => format!("line {line}, column {column}"),
        (path, Some((line, column))) => format!("{path} (line {line}, column {column})"),
    }
}

/// Line and column, counted from 1, of a byte offset.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Where a path's value stands in the text, or the nearest value around it: a list that the
/// document leaves out has no place of its own.
fn offset_of(document: &DeValue<'_>, path: &str) -> Option<usize> {
    let mut value = document;
    let mut offset = None;
    for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
        let next = match step.strip_suffix(']') {
            Some(index) => index.parse::<usize>().ok().and_then(|index| value.get(index)),
            None => value.get(step),
        };
        let Some(next) = next else { break };
        offset = Some(next.span().start);
        value = next.get_ref();
    }
    offset
}

/// The same in a JSON text: its values are looked at as they stand there.
fn offset_in_json(text: &str, path: &str) -> Option<usize> {
    let offset_of = |value: &RawValue| value.get().as_ptr() as usize - text.as_ptr() as usize;
    let mut value: &RawValue = serde_json::from_str(text).ok()?;
    let mut offset = None;
    for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
        let next = match step.strip_suffix(']') {
            Some(index) => {
                let entries: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
                index.parse::<usize>().ok().and_then(|index| entries.get(index).copied())
            }
            None => {
                let fields: HashMap<String, &RawValue> = serde_json::from_str(value.get()).ok()?;
                fields.get(step).copied()
            }
        };
        let Some(next) = next else { break };
        offset = Some(offset_of(next));
        value = next;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::testing::ZEXTRAS;

    fn toml_mistakes(from: &str, to: &str) -> Vec<String> {
        assert!(ZEXTRAS.contains(from), "the rulebook has no `{from}`");
        let mistakes = Rulebook::from_toml(&ZEXTRAS.replacen(from, to, 1)).unwrap_err();
        mistakes.iter().map(Mistake::to_string).collect()
    }

    fn json_mistakes(from: &str, to: &str) -> Vec<String> {
        let json = json();
        assert!(json.contains(from), "the rulebook has no `{from}`");
        let mistakes = Rulebook::from_json(&json.replacen(from, to, 1)).unwrap_err();
        mistakes.iter().map(Mistake::to_string).collect()
    }

    fn json() -> String {
        serde_json::to_string_pretty(&Rulebook::from_toml(ZEXTRAS).unwrap()).unwrap()
    }

    #[test]
    fn toml_that_is_no_toml_is_refused_at_its_line() {
        let expected = ["line 38, column 8: unclosed table, expected `]`"];
        assert_eq!(toml_mistakes("[notice]\n", "[notice\n"), expected);
    }

    #[test]
    fn json_that_is_no_json_is_refused_at_its_line() {
        let mistakes = json_mistakes("\"notice\": {", "\"notice\": [}");
        assert_eq!(mistakes.len(), 1);
        assert!(mistakes[0].starts_with("notice[0] (line 48, column 14): "), "{mistakes:?}");
        let mistakes = Rulebook::from_json(&(json() + "{}")).unwrap_err();
        assert_eq!(mistakes[0].message, "trailing characters");
    }

    #[test]
    fn an_unknown_field_is_named_with_the_fields_that_are_known() {
        let expected = "unknown field `vendour`, expected one of `program`, `name`, `vendor`, \
                        `currencies`, `source`";
        assert_eq!(
            toml_mistakes("vendor = ", "vendour = "),
            [
                format!("identity.vendour (line 10, column 1): {expected}"),
                "identity (line 7, column 1): missing field `vendor`".to_owned(),
            ]
        );
        assert_eq!(
            json_mistakes("\"vendor\"", "\"vendour\""),
            [
                format!("identity.vendour (line 5, column 13): {expected}"),
                "identity (line 2, column 15): missing field `vendor`".to_owned(),
            ]
        );
    }

    #[test]
    fn a_wrong_type_is_found_in_its_place() {
        let expected = "invalid type: string \"thirty\", expected u32";
        assert_eq!(
            toml_mistakes("days = 30", "days = \"thirty\""),
            [format!("notice.days (line 39, column 8): {expected}")]
        );
        assert_eq!(
            json_mistakes("\"days\": 30", "\"days\": \"thirty\""),
            [format!("notice.days (line 49, column 20): {expected}")]
        );
    }

    #[test]
    fn a_rate_that_is_a_float_is_refused() {
        let mistakes = toml_mistakes("[discounts]", "[discounts]\ntotal_max = 0.5");
        assert!(mistakes[0].starts_with("discounts.total_max (line "), "{mistakes:?}");
        assert!(mistakes[0].contains("expected a string"), "{mistakes:?}");
    }

    #[test]
    fn a_missing_field_is_named_with_the_table_that_lacks_it() {
        let expected = ["tracks[0].levels[0] (line 48, column 1): missing field `id`"];
        assert_eq!(toml_mistakes("id = \"silver\"\n", ""), expected);
    }

    #[test]
    fn every_mistake_in_the_shape_is_reported_each_in_its_place() {
        let mut text = ZEXTRAS.replacen("days = 30", "days = \"thirty\"", 1);
        text = text.replacen("vendor = ", "vendour = ", 1);
        text = text.replacen("kind = \"seats\", more_than = 1000", "kind = \"seats\"", 1);
        let mistakes = Rulebook::from_toml(&text).unwrap_err();
        let told: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
        assert!(
            told[0].starts_with("identity.vendour (line 10, column 1): unknown field"),
            "{told:#?}"
        );
        for expected in [
            "identity (line 7, column 1): missing field `vendor`",
            "notice.days (line 39, column 8): wrong type; a value of type integer is expected",
        ] {
            assert!(told.contains(&expected.to_owned()), "{expected}: {told:#?}");
        }
        let predicate = "tracks[0].levels[0].requirements[2].predicate (line 76, column";
        assert!(told.iter().any(|it| it.starts_with(predicate)), "{told:#?}");
        assert_eq!(told.len(), 4, "{told:#?}");
    }

    #[test]
    fn every_mistake_in_the_shape_of_json_is_reported_as_well() {
        let json = json().replacen("\"days\": 30", "\"days\": \"thirty\"", 1);
        let json = json.replacen("\"days_max\": 180", "\"days_max\": -1", 1);
        let mistakes = Rulebook::from_json(&json).unwrap_err();
        let places: Vec<_> = mistakes.iter().map(|mistake| mistake.place.as_str()).collect();
        assert!(places[0].starts_with("entry.mou.days_max (line "), "{mistakes:?}");
        let line = 1 + json.lines().position(|line| line.contains("thirty")).unwrap();
        assert_eq!(places[1..], [format!("notice.days (line {line}, column 13)")]);
    }

    #[test]
    fn the_shipped_rulebooks_have_the_right_shape() {
        let document: serde_json::Value = serde_json::from_str(&json()).unwrap();
        assert_eq!(shape_mistakes(&document), []);
    }

    #[test]
    fn an_unknown_predicate_is_named_with_the_predicates_that_are_known() {
        let mistakes = toml_mistakes("kind = \"seats\"", "kind = \"chairs\"");
        let place = "tracks[0].levels[0].requirements[2].predicate.kind (line 76, column 22)";
        assert!(mistakes[0].starts_with(place), "{mistakes:?}");
        assert!(mistakes[0].contains("`licences`, `seats`, `servers`"), "{mistakes:?}");
    }

    #[test]
    fn what_toml_says_wrongly_is_found_at_its_line() {
        let mut text = ZEXTRAS.replacen("days_max = 180", "days_max = 0", 1);
        text = text.replacen("id = \"gold\"", "id = \"silver\"", 1);
        let mistakes = Rulebook::from_toml(&text).unwrap_err();
        let places: Vec<_> = mistakes.iter().map(|mistake| mistake.place.as_str()).collect();
        let expected = [
            "entry.mou.days_max (line 31, column 12)",
            "tracks[0].levels[1].id (line 119, column 6)",
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn what_toml_leaves_out_is_found_at_the_table_around_it() {
        let mistakes = toml_mistakes("[entry.agreement]", "[entry.mou_of_old]");
        assert!(mistakes[0].starts_with("entry.mou_of_old (line 33"), "{mistakes:?}");
        let text = ZEXTRAS.replacen("[entry.agreement]\nterm_months = 24", "", 1);
        let text = text.replacen("annexes = [", "# [", 1);
        let mistakes = Rulebook::from_toml(&text).unwrap_err();
        assert_eq!(mistakes[0].place, "entry.agreement (line 15, column 1)");
    }

    #[test]
    fn what_json_says_wrongly_is_found_at_its_line() {
        let mistakes = json_mistakes("\"days_max\": 180", "\"days_max\": 0");
        assert_eq!(mistakes.len(), 1);
        assert!(mistakes[0].starts_with("entry.mou.days_max (line "), "{mistakes:?}");
        assert!(mistakes[0].ends_with("): is 0; at least 1 is needed"), "{mistakes:?}");
    }

    #[test]
    fn a_rulebook_reads_the_same_from_json_as_from_toml() {
        assert_eq!(Rulebook::from_json(&json()), Rulebook::from_toml(ZEXTRAS));
    }
}
