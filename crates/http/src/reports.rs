//! Reports for people with spreadsheets and for reporting jobs: JSON, or CSV by `Accept` or
//! `format=csv`. A CSV cell can never become a formula.

use std::future::Future;
use std::sync::Arc;

use accord_domain::Day;
use accord_projections::{DealFilter, LevelFilter, Page, QueryError, RevenueFilter, Scope, Views};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures::{StreamExt, stream};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::resources::{Reading, begin, query_problem};
use crate::visibility::View;
use crate::{Http, problem::Problem};

type Parts = (State<Arc<Http>>, HeaderMap, Uri);

const LEVELS: &str = "/v1/programs/{program}/reports/levels";
const DEALS: &str = "/v1/programs/{program}/reports/deals";
const REVENUE: &str = "/v1/programs/{program}/reports/revenue";

/// Rows (or partners) read at a time for a whole report.
const PAGE_LIMIT: u32 = 200;

pub(crate) fn routes() -> Router<Arc<Http>> {
    Router::new().route(LEVELS, get(levels)).route(DEALS, get(deals)).route(REVENUE, get(revenue))
}

async fn levels(Path(program): Path<String>, parts: Parts) -> Result<Response, Problem> {
    let (report, filter) = Report::open::<LevelFilter>((&program, LEVELS), parts).await?;
    let (views, scope, today) = report.source();
    let from = (filter.limit, filter.cursor.clone());
    let fetch = move |(limit, cursor)| {
        let (views, scope) = (Arc::clone(&views), scope.clone());
        let filter = LevelFilter { limit, cursor, ..filter.clone() };
        async move { views.level_report(scope, filter, today).await }
    };
    report.answer(from, fetch).await
}

async fn deals(Path(program): Path<String>, parts: Parts) -> Result<Response, Problem> {
    let (report, filter) = Report::open::<DealFilter>((&program, DEALS), parts).await?;
    let (views, scope, _) = report.source();
    let from = (filter.limit, filter.cursor.clone());
    let fetch = move |(limit, cursor)| {
        let (views, scope) = (Arc::clone(&views), scope.clone());
        let filter = DealFilter { limit, cursor, ..filter.clone() };
        async move { views.report_deals(scope, filter).await }
    };
    report.answer(from, fetch).await
}

async fn revenue(Path(program): Path<String>, parts: Parts) -> Result<Response, Problem> {
    let (report, filter) = Report::open::<RevenueFilter>((&program, REVENUE), parts).await?;
    let (views, scope, today) = report.source();
    let from = (filter.limit, filter.cursor.clone());
    let fetch = move |(limit, cursor)| {
        let (views, scope) = (Arc::clone(&views), scope.clone());
        let filter = RevenueFilter { limit, cursor, ..filter.clone() };
        async move { views.revenue(scope, filter, today).await }
    };
    report.answer(from, fetch).await
}

/// Where a page starts and how long it is.
type Slice = (Option<u32>, Option<String>);

/// A checked request for a report.
struct Report {
    views: Arc<Views>,
    scope: Scope,
    today: Day,
    view: View,
    csv: bool,
    query: String,
}

impl Report {
    async fn open<Q: DeserializeOwned>(
        path: (&str, &str),
        (State(http), headers, uri): Parts,
    ) -> Result<(Self, Q), Problem> {
        let reading: Reading<Q> = begin(&http, path, &headers, &uri).await?;
        let csv = reading.wants(("csv", "text/csv"), &headers)?;
        let Reading { scope, view, today, filter, .. } = reading;
        let query = uri.query().unwrap_or_default().to_owned();
        Ok((Self { views: Arc::clone(&http.views), scope, today, view, csv, query }, filter))
    }

    fn source(&self) -> (Arc<Views>, Scope, Day) {
        (Arc::clone(&self.views), self.scope.clone(), self.today)
    }

    /// JSON is read by programs, page by page. CSV is read by people: without a `limit` it is the
    /// whole report, one page of it in memory at a time.
    async fn answer<R, F, P>(self, from: Slice, fetch: F) -> Result<Response, Problem>
    where
        R: Serialize + JsonSchema + Send + 'static,
        F: Fn(Slice) -> P + Send + 'static,
        P: Future<Output = Result<Page<R>, QueryError>> + Send,
    {
        if !self.csv {
            return self.view.page(fetch(from).await.map_err(query_problem)?);
        }
        let (limit, cursor) = from;
        let first = fetch((limit.or(Some(PAGE_LIMIT)), cursor)).await.map_err(query_problem)?;
        let text = to_csv::<R>(&first.items, true).map_err(|error| Problem::internal(&*error))?;
        let media_type = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
        if limit.is_some() {
            let mut response = ([(header::CONTENT_TYPE, media_type)], text).into_response();
            if let Some(link) = first.next.and_then(|next| next_link(&self.query, &next)) {
                response.headers_mut().insert(header::LINK, link);
            }
            return Ok(response);
        }
        let rest = stream::unfold((fetch, first.next), |(fetch, next)| async {
            let next = next?;
            // An error breaks the body off, so that nobody takes a part for the whole.
            let page = match fetch((Some(PAGE_LIMIT), Some(next))).await {
                Ok(page) => page,
                Err(error) => return Some((Err(std::io::Error::other(error)), (fetch, None))),
            };
            let text = to_csv::<R>(&page.items, false).map(Bytes::from);
            Some((text.map_err(std::io::Error::other), (fetch, page.next)))
        });
        let first = stream::once(async { Ok(Bytes::from(text)) });
        let body = Body::from_stream(first.chain(rest));
        Ok(([(header::CONTENT_TYPE, media_type)], body).into_response())
    }
}

/// Where the next page is: the same query from another cursor on.
fn next_link(query: &str, next: &str) -> Option<HeaderValue> {
    let mut pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).ok()?;
    pairs.retain(|(name, _)| name != "cursor");
    pairs.push(("cursor".to_owned(), next.to_owned()));
    let query = serde_urlencoded::to_string(pairs).ok()?;
    format!("<?{query}>; rel=\"next\"").parse().ok()
}

type CsvError = Box<dyn std::error::Error + Send + Sync>;

/// The columns of a report: the fields of its rows, in their order.
fn columns<R: JsonSchema>() -> Vec<String> {
    let schema: Value = R::json_schema(&mut SchemaGenerator::default()).into();
    let fields = schema["properties"].as_object();
    fields.map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
}

/// A line per row, under a header where it is wanted.
fn to_csv<R: Serialize + JsonSchema>(rows: &[R], header: bool) -> Result<Vec<u8>, CsvError> {
    let columns = columns::<R>();
    let mut writer = csv::Writer::from_writer(Vec::new());
    if header {
        writer.write_record(&columns)?;
    }
    for row in rows {
        let row = serde_json::to_value(row)?;
        writer.write_record(columns.iter().map(|column| cell(&row[column])))?;
    }
    Ok(writer.into_inner()?)
}

/// One row under its header, for the documentation.
pub(crate) fn csv_text(row: &Value) -> String {
    let Some(fields) = row.as_object() else { return String::new() };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = writer
        .write_record(fields.keys())
        .and_then(|()| writer.write_record(fields.values().map(cell)));
    let bytes = written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// A text that a spreadsheet would take for a formula gets an apostrophe in front.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if is_formula(text) => format!("'{text}"),
        Value::String(text) => text.clone(),
        // A list of names; anything else that is nested is written as JSON.
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let names: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            cell(&Value::String(names.join(" ")))
        }
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
    use accord_projections::{DealReportRow, LevelReportLine, RevenueRow};

    use super::*;

    #[derive(Serialize, JsonSchema)]
    struct Line {
        name: &'static str,
        dial: &'static str,
        amount: i64,
        trend: &'static str,
        note: Option<u8>,
        tags: Vec<&'static str>,
        other: &'static str,
    }

    const LINE: Line = Line {
        name: "=1+1",
        dial: "-1+2",
        amount: -5,
        trend: "-0.25",
        note: None,
        tags: vec![],
        other: "a,\"b\"",
    };

    fn text(rows: &[Line]) -> String {
        String::from_utf8(to_csv(rows, true).unwrap()).unwrap()
    }

    #[test]
    fn a_text_cannot_become_a_formula() {
        let lines = text(&[LINE, Line { tags: vec!["a", "b"], ..LINE }]);
        assert!(lines.contains("'=1+1,'-1+2,-5,-0.25,,,"), "{lines}");
        assert!(lines.contains("\"a,\"\"b\"\"\""), "{lines}");
        assert!(lines.contains(",a b,"), "{lines}");
    }

    #[test]
    fn a_report_without_rows_still_has_its_header() {
        assert_eq!(text(&[]), "name,dial,amount,trend,note,tags,other\n");
        for columns in
            [columns::<LevelReportLine>(), columns::<DealReportRow>(), columns::<RevenueRow>()]
        {
            assert!(columns.len() > 10 && columns.contains(&"partner".to_owned()), "{columns:?}");
        }
    }

    #[test]
    fn the_next_page_has_the_same_query_from_another_cursor_on() {
        let link = next_link("format=csv&limit=20&cursor=old&to=2026-01", "new").unwrap();
        assert_eq!(link, "<?format=csv&limit=20&to=2026-01&cursor=new>; rel=\"next\"");
    }
}
