//! Reports for people with spreadsheets and for reporting jobs: JSON, or CSV by `Accept` or
//! `format=csv`. A CSV cell can never become a formula.

use std::sync::Arc;

use accord_projections::{DealFilter, LevelFilter, Page, QueryError, RevenueFilter, Scope};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::resources::{Reading, begin, query_problem};
use crate::{Http, body, problem::Problem};

type Parts = (State<Arc<Http>>, HeaderMap, Uri);

const LEVELS: &str = "/v1/programs/{program}/reports/levels";
const DEALS: &str = "/v1/programs/{program}/reports/deals";
const REVENUE: &str = "/v1/programs/{program}/reports/revenue";

pub(crate) fn routes() -> Router<Arc<Http>> {
    Router::new().route(LEVELS, get(levels)).route(DEALS, get(deals)).route(REVENUE, get(revenue))
}

async fn levels(Path(program): Path<String>, parts: Parts) -> Result<Response, Problem> {
    let (http, headers) = (parts.0.0.clone(), parts.1.clone());
    let (scope, filter, csv) = open::<LevelFilter>((&program, LEVELS), parts).await?;
    answer(http.views.report_levels(scope, filter).await, csv, &headers)
}

async fn deals(Path(program): Path<String>, parts: Parts) -> Result<Response, Problem> {
    let (http, headers) = (parts.0.0.clone(), parts.1.clone());
    let (scope, filter, csv) = open::<DealFilter>((&program, DEALS), parts).await?;
    answer(http.views.report_deals(scope, filter).await, csv, &headers)
}

async fn revenue(Path(program): Path<String>, parts: Parts) -> Result<Response, Problem> {
    let (http, headers) = (parts.0.0.clone(), parts.1.clone());
    let today = http.app.clock().today();
    let (scope, filter, csv) = open::<RevenueFilter>((&program, REVENUE), parts).await?;
    answer(http.views.revenue(scope, filter, today).await, csv, &headers)
}

/// The checked request, and whether CSV is wanted.
async fn open<Q: DeserializeOwned>(
    path: (&str, &str),
    (State(http), headers, uri): Parts,
) -> Result<(Scope, Q, Option<bool>), Problem> {
    let reading: Reading<Q> = begin(&http, path, &headers, &uri).await?;
    let csv = match reading.format.as_deref() {
        None => None,
        Some("csv") => Some(true),
        Some("json") => Some(false),
        Some(_) => return Err(body::invalid_field("format", "is `json` or `csv`")),
    };
    Ok((reading.scope, reading.filter, csv))
}

fn answer<R: Serialize>(
    page: Result<Page<R>, QueryError>,
    csv: Option<bool>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let page = page.map_err(query_problem)?;
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let wants_csv = csv.unwrap_or_else(|| accepts.is_some_and(|text| text.contains("text/csv")));
    if !wants_csv {
        return Ok(Json(page).into_response());
    }
    let text = to_csv(&page.items).map_err(|error| Problem::internal(&*error))?;
    let mut response =
        ([(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present")], text).into_response();
    if let Some(next) =
        page.next.and_then(|next| format!("<?cursor={next}>; rel=\"next\"").parse().ok())
    {
        response.headers_mut().insert(header::LINK, next);
    }
    Ok(response)
}

type CsvError = Box<dyn std::error::Error + Send + Sync>;

/// A header and a line per row. Values of one level only; a nested one is written as JSON.
fn to_csv<R: Serialize>(rows: &[R]) -> Result<Vec<u8>, CsvError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for (index, row) in rows.iter().enumerate() {
        let Value::Object(fields) = serde_json::to_value(row)? else {
            return Err("a report's row is an object".into());
        };
        if index == 0 {
            writer.write_record(fields.keys())?;
        }
        writer.write_record(fields.values().map(cell))?;
    }
    Ok(writer.into_inner()?)
}

/// A text that a spreadsheet would take for a formula gets an apostrophe in front.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if is_formula(text) => format!("'{text}"),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether a spreadsheet might calculate the text. A plain negative number is no formula.
fn is_formula(text: &str) -> bool {
    let negative = text.strip_prefix('-').unwrap_or_default();
    let is_number = negative.starts_with(|c: char| c.is_ascii_digit())
        && negative.chars().all(|c| c.is_ascii_digit() || c == '.');
    text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_cannot_become_a_formula() {
        let row = json!({
            "name": "=1+1", "dial": "-1+2", "amount": -5, "trend": "-0.25", "note": null,
            "other": "a,\"b\"",
        });
        let text = String::from_utf8(to_csv(&[row]).unwrap()).unwrap();
        assert!(text.contains("'=1+1,'-1+2,-5,-0.25,,"), "{text}");
        assert!(text.contains("\"a,\"\"b\"\"\""), "{text}");
    }
}
