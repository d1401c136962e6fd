//! Reading single resources and lists.
//!
//! Every read goes the same way: the token, the program, the role, the query, `min_position`; then
//! one query of the read models within the caller's scope.

mod business;
mod partners;
mod program;
mod reading;

use std::sync::Arc;

use accord_domain::{ConflictId, OpportunityId, ProgramId};
use accord_projections::Scope;
use axum::Router;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Http, problem::Problem};

pub(crate) use business::{QUOTES, QuoteBody};
pub(crate) use reading::{Reading, begin, query_problem};

/// Nothing to filter by.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoFilter {}

pub(crate) fn routes() -> Router<Arc<Http>> {
    Router::new().merge(program::routes()).merge(partners::routes()).merge(business::routes())
}

/// The opportunity key that a conflict is about.
pub(crate) async fn opportunity_of(
    http: &Http,
    conflict: ConflictId,
    program: &ProgramId,
) -> Result<OpportunityId, Problem> {
    let found = http.views.conflict(Scope::program(program.clone()), conflict).await;
    let row = found.map_err(query_problem)?.ok_or_else(Problem::not_found)?;
    Ok(row.conflict.opportunity)
}
