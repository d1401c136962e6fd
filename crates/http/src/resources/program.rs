//! Programs, rulebooks, price lists and what time will do.

use std::sync::Arc;

use accord_projections::DueFilter;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use super::reading::{begin, one, query_problem};
use super::{NoFilter, Reading};
use crate::caller::Caller;
use crate::{Http, problem::Problem, reads};

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

async fn programs(State(http): State<Arc<Http>>, headers: HeaderMap) -> Answer {
    let caller = Caller::authenticate(&http, &headers)?;
    caller.role(reads::roles(PROGRAMS))?;
    let mut rows = http.views.programs(http.app.clock().today()).await.map_err(query_problem)?;
    rows.retain(|row| row.id == caller.claims.program);
    Ok(Json(rows).into_response())
}

async fn rulebooks(Path(program): Path<String>, (State(http), headers, uri): Parts) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, RULEBOOKS), &headers, &uri).await?;
    let rows = http.views.rulebooks(reading.scope.program, reading.today).await;
    Ok(Json(rows.map_err(query_problem)?).into_response())
}

async fn rulebook(
    Path((program, version)): Path<(String, String)>,
    (State(http), headers, uri): Parts,
) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, RULEBOOK), &headers, &uri).await?;
    let version: u32 = version.parse().map_err(|_| Problem::not_found())?;
    let row = http.views.rulebook(reading.scope.program, version, reading.today).await;
    one(row.map_err(query_problem)?)
}

async fn price_lists(Path(program): Path<String>, (State(http), headers, uri): Parts) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, PRICE_LISTS), &headers, &uri).await?;
    let (_, rules) = http.app.rules(&reading.scope.program, None, reading.today).await?;
    Ok(Json(&rules.price_lists).into_response())
}

async fn due(Path(program): Path<String>, (State(http), headers, uri): Parts) -> Answer {
    let reading: Reading<DueFilter> = begin(&http, (&program, DUE), &headers, &uri).await?;
    let program = reading.scope.program;
    let page = http.views.due_in(program, reading.today, reading.filter).await;
    Ok(Json(page.map_err(query_problem)?).into_response())
}
