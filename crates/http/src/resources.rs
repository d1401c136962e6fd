//! Reading single resources and lists.
//!
//! Every read goes the same way: the token, the program, the role, the query, `min_position`; then
//! one query of the read models within the caller's scope.

mod business;
mod partners;
mod program;
mod reading;

use std::sync::Arc;

use accord_app::AppError;
use accord_domain::{ConflictId, OpportunityId, ProgramId};
use accord_projections::Scope;
use axum::Router;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Http, problem::Problem};

pub(crate) use business::{QUOTES, QuoteBody};
pub(crate) use reading::{Reading, WAIT_MAX, begin, query_problem};

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
    let find = || http.views.conflict(Scope::program(program.clone()), conflict);
    let mut found = find().await.map_err(query_problem)?;
    if found.is_none() {
        // Whoever was just told of the conflict may be faster than the read models.
        let head = http.app.log().head().await.map_err(AppError::from)?.unwrap_or_default();
        http.views.wait_for(head, WAIT_MAX).await.map_err(|_| AppError::FactsBehind)?;
        found = find().await.map_err(query_problem)?;
    }
    Ok(found.ok_or_else(Problem::not_found)?.conflict.opportunity)
}
