//! Programs, rulebooks, price lists and what time will do.

use std::sync::Arc;

use accord_projections::DueFilter;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::get;

use super::reading::{begin, begin_anywhere, query_problem};
use super::{NoFilter, Reading};
use crate::visibility::is_announced;
use crate::{Http, problem::Problem};

type Parts = (State<Arc<Http>>, HeaderMap, Uri);
type Answer = Result<Response, Problem>;

const PROGRAMS: &str = "/v1/programs";
const RULEBOOKS: &str = "/v1/programs/{program}/rulebooks";
const RULEBOOK: &str = "/v1/programs/{program}/rulebooks/{id}";
const PRICE_LISTS: &str = "/v1/programs/{program}/price-lists";
const DUE: &str = "/v1/programs/{program}/due";

pub(super) fn routes() -> Router<Arc<Http>> {
    Router::new()
        .route(PROGRAMS, get(programs))
        .route(RULEBOOKS, get(rulebooks))
        .route(RULEBOOK, get(rulebook))
        .route(PRICE_LISTS, get(price_lists))
        .route(DUE, get(due))
}

async fn programs((State(http), headers, uri): Parts) -> Answer {
    let reading: Reading<NoFilter> = begin_anywhere(&http, PROGRAMS, &headers, &uri).await?;
    let mut rows = http.views.programs(reading.today).await.map_err(query_problem)?;
    rows.retain(|row| row.id == reading.scope.program);
    reading.view.value(&rows)
}

async fn rulebooks(Path(program): Path<String>, (State(http), headers, uri): Parts) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, RULEBOOKS), &headers, &uri).await?;
    let rows = http.views.rulebooks(reading.scope.program.clone(), reading.today).await;
    let mut rows = rows.map_err(query_problem)?;
    rows.retain(|row| reading.scope.partner.is_none() || is_announced(row.status));
    reading.view.value(&rows)
}

async fn rulebook(
    Path((program, version)): Path<(String, String)>,
    (State(http), headers, uri): Parts,
) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, RULEBOOK), &headers, &uri).await?;
    let version: u32 = version.parse().map_err(|_| Problem::not_found())?;
    let row = http.views.rulebook(reading.scope.program.clone(), version, reading.today).await;
    let row = row.map_err(query_problem)?;
    let row = row.filter(|row| reading.scope.partner.is_none() || is_announced(row.status));
    reading.view.value(&row.ok_or_else(Problem::not_found)?)
}

async fn price_lists(Path(program): Path<String>, (State(http), headers, uri): Parts) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, PRICE_LISTS), &headers, &uri).await?;
    let (_, rules) = http.app.rules(&reading.scope.program, None, reading.today).await?;
    reading.view.value(&rules.price_lists)
}

async fn due(Path(program): Path<String>, (State(http), headers, uri): Parts) -> Answer {
    let reading: Reading<DueFilter> = begin(&http, (&program, DUE), &headers, &uri).await?;
    let program = reading.scope.program;
    let page = http.views.due_in(program, reading.today, reading.filter).await;
    reading.view.page(page.map_err(query_problem)?)
}
