//! What partners' roles do not see of what they may read.
//!
//! One table names the fields; every answer to a partner's role goes through it, whether it shows
//! one row, a list or a page, now or as of a time. Nothing else decides what is left out, except
//! that partners know rulebook versions from their announcement on only.

use accord_domain::Role;
use accord_projections::{Page, RulebookStatus};
use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

use crate::problem::Problem;

/// The fields of a read's rows that partners' roles do not see.
pub struct HiddenFields {
    /// The path in the table of reads.
    pub path: &'static str,
    /// Names from the row on, joined by dots; a list stands for its items, `*` for every value of a
    /// map.
    pub fields: &'static [&'static str],
}

/// People of the vendor, what they think before they decide, and what they keep to themselves.
pub const HIDDEN: &[HiddenFields] = &[
    hidden("/v1/programs/{program}/rulebooks", &["drafted_by", "approved_by"]),
    hidden("/v1/programs/{program}/rulebooks/{id}", &["drafted_by", "approved_by"]),
    hidden("/v1/programs/{program}/partners/{id}", &["evaluation", "transition_plan"]),
    hidden(
        "/v1/programs/{program}/level-reviews",
        &["opened_by", "decision.decided_by", "decision.overrides"],
    ),
    hidden(
        "/v1/programs/{program}/level-reviews/{id}",
        &[
            "opened_by",
            "judgements.*.note",
            "judgements.*.judged_by",
            "recommendation",
            "decision.decided_by",
            "decision.overrides",
            "appeal.decision.decided_by",
            "appeal.decision.overrides",
        ],
    ),
    hidden("/v1/programs/{program}/deals", &["registered_by", "submitted_by"]),
    hidden("/v1/programs/{program}/deals/{id}", &["registered_by", "submitted_by"]),
];

/// Types of events that partners' roles are not told of: steps on the way to a decision.
pub const HIDDEN_CHANGES: &[&str] =
    &["PartnerEvaluated", "TransitionPlanRecorded", "LevelRequirementJudged", "LevelRecommended"];

const fn hidden(path: &'static str, fields: &'static [&'static str]) -> HiddenFields {
    HiddenFields { path, fields }
}

/// The fields that partners' roles do not see at a path.
pub(crate) fn hidden_fields(path: &str) -> &'static [&'static str] {
    HIDDEN.iter().find(|row| row.path == path).map_or(&[], |row| row.fields)
}

/// Whether partners know of a rulebook version that has come this far.
pub(crate) fn is_announced(status: RulebookStatus) -> bool {
    match status {
        RulebookStatus::Announced | RulebookStatus::InForce | RulebookStatus::Superseded => true,
        RulebookStatus::Drafted | RulebookStatus::Approved | RulebookStatus::Withdrawn => false,
    }
}

/// How a caller sees what is read at one path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    hidden: &'static [&'static str],
}

impl View {
    pub(crate) fn of(path: &str, role: Role) -> Self {
        Self { hidden: if role.is_partner() { hidden_fields(path) } else { &[] } }
    }

    /// One resource with its revision as the `ETag`, or 404.
    pub(crate) fn resource<R: Serialize>(
        self,
        row: Option<R>,
        revision: impl FnOnce(&R) -> u64,
    ) -> Result<Response, Problem> {
        let row = row.ok_or_else(Problem::not_found)?;
        let revision = revision(&row);
        let mut response = self.value(&row)?;
        if let Ok(tag) = HeaderValue::try_from(format!("\"{revision}\"")) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        Ok(response)
    }

    /// One row, or a list of rows.
    pub(crate) fn value<R: Serialize>(self, rows: &R) -> Result<Response, Problem> {
        if self.hidden.is_empty() {
            return Ok(Json(rows).into_response());
        }
        Ok(Json(self.seen(rows)?).into_response())
    }

    /// A page of rows.
    pub(crate) fn page<R: Serialize>(self, page: Page<R>) -> Result<Response, Problem> {
        if self.hidden.is_empty() {
            return Ok(Json(page).into_response());
        }
        let items = page.items.iter().map(|row| self.seen(row)).collect::<Result<_, _>>()?;
        let seen: Page<Value> = Page { items, next: page.next };
        Ok(Json(seen).into_response())
    }

    fn seen<R: Serialize>(self, rows: &R) -> Result<Value, Problem> {
        let mut value = serde_json::to_value(rows).map_err(|error| Problem::internal(&error))?;
        self.hidden.iter().for_each(|field| remove(&mut value, field));
        Ok(value)
    }
}

/// Takes a field out of a row, or out of every row of a list.
fn remove(value: &mut Value, path: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| remove(item, path)),
        Value::Object(fields) => match path.split_once('.') {
            None => drop(fields.shift_remove(path)),
            Some(("*", rest)) => fields.values_mut().for_each(|value| remove(value, rest)),
            Some((name, rest)) => {
                if let Some(value) = fields.get_mut(name) {
                    remove(value, rest);
                }
            }
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::reads::reads;

    #[test]
    fn every_row_of_the_table_is_about_a_read_and_no_read_has_two() {
        for (index, row) in HIDDEN.iter().enumerate() {
            assert!(reads().iter().any(|read| read.path == row.path), "{}", row.path);
            let again = HIDDEN.iter().skip(index + 1).any(|other| other.path == row.path);
            assert!(!again, "{} stands twice", row.path);
        }
    }

    #[test]
    fn fields_are_taken_out_of_rows_lists_and_maps() {
        let mut rows = json!([
            { "a": 1, "b": { "c": 2, "d": 3 }, "m": { "x": { "n": 4, "k": 5 } } },
            { "a": 1, "b": null },
        ]);
        ["a", "b.c", "m.*.n"].iter().for_each(|path| remove(&mut rows, path));
        assert_eq!(rows, json!([{ "b": { "d": 3 }, "m": { "x": { "k": 5 } } }, { "b": null }]));
    }

    #[test]
    fn staff_see_all_and_partners_see_less() {
        let path = "/v1/programs/{program}/deals/{id}";
        assert!(View::of(path, Role::Auditor).hidden.is_empty());
        assert_eq!(View::of(path, Role::PartnerUser).hidden, ["registered_by", "submitted_by"]);
    }
}
