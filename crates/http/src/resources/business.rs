//! Deals, conflicts, orders, licences and quotes.

use std::sync::Arc;

use accord_app::Call;
use accord_domain::order::OrderRequest;
use accord_domain::pricing::Quote;
use accord_domain::{CommandId, ConflictId, DealId, LicenceId, OrderId, PartnerId};
use accord_eventlog::StreamName;
use accord_projections::{
    ConflictFilter, DealFilter, LicenceFilter, OrderFilter, Scope, deal_as_of,
};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::reading::{begin, events_until, query_problem};
use super::{NoFilter, Reading};
use crate::caller::Caller;
use crate::commands::{BUYERS, buyer};
use crate::{Http, body, order_request, problem::Problem};

type Parts = (State<Arc<Http>>, HeaderMap, Uri);
type Answer = Result<Response, Problem>;

const DEALS: &str = "/v1/programs/{program}/deals";
const DEAL: &str = "/v1/programs/{program}/deals/{id}";
const NEAR: &str = "/v1/programs/{program}/deals/{id}/near-matches";
const BOARD: &str = "/v1/programs/{program}/deal-board";
const CONFLICTS: &str = "/v1/programs/{program}/conflicts";
const CONFLICT: &str = "/v1/programs/{program}/conflicts/{id}";
const ORDERS: &str = "/v1/programs/{program}/orders";
const ORDER: &str = "/v1/programs/{program}/orders/{id}";
const LICENCES: &str = "/v1/programs/{program}/licences";
const LICENCE: &str = "/v1/programs/{program}/licences/{id}";
pub(crate) const QUOTES: &str = "/v1/programs/{program}/quotes";

pub(super) fn routes() -> Router<Arc<Http>> {
    Router::new()
        .route(DEALS, get(deals))
        .route(DEAL, get(deal))
        .route(NEAR, get(near_matches))
        .route(BOARD, get(board))
        .route(CONFLICTS, get(conflicts))
        .route(CONFLICT, get(conflict))
        .route(ORDERS, get(orders))
        .route(ORDER, get(order))
        .route(LICENCES, get(licences))
        .route(LICENCE, get(licence))
        .route(QUOTES, post(quote))
}

async fn deals(Path(program): Path<String>, (State(http), headers, uri): Parts) -> Answer {
    let reading: Reading<DealFilter> = begin(&http, (&program, DEALS), &headers, &uri).await?;
    let page = http.views.deals(reading.scope, reading.filter).await.map_err(query_problem)?;
    reading.view.page(page)
}

async fn deal(
    Path((program, id)): Path<(String, String)>,
    (State(http), headers, uri): Parts,
) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, DEAL), &headers, &uri).await?;
    let id: DealId = id.parse().map_err(|_| Problem::not_found())?;
    let visible = http.views.deal(reading.scope, id).await.map_err(query_problem)?;
    let row = match (visible, reading.as_of) {
        (Some(_), Some(moment)) => {
            let events = events_until(&http, &StreamName::of("deal", id.0), moment).await?;
            deal_as_of(&events).map_err(|error| Problem::internal(&error))?
        }
        (row, _) => row,
    };
    reading.view.resource(row, |row| row.revision)
}

async fn near_matches(
    Path((program, id)): Path<(String, String)>,
    (State(http), headers, uri): Parts,
) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, NEAR), &headers, &uri).await?;
    let id: DealId = id.parse().map_err(|_| Problem::not_found())?;
    let program = reading.scope.program.clone();
    let found = http.views.deal(reading.scope, id).await.map_err(query_problem)?;
    let deal = found.ok_or_else(Problem::not_found)?;
    let rows = http.views.near_matches(program, id, deal.customer.name).await;
    reading.view.value(&rows.map_err(query_problem)?)
}

async fn board(Path(program): Path<String>, (State(http), headers, uri): Parts) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, BOARD), &headers, &uri).await?;
    let counts = http.views.deal_counts(reading.scope).await.map_err(query_problem)?;
    reading.view.value(&counts)
}

async fn conflicts(Path(program): Path<String>, (State(http), headers, uri): Parts) -> Answer {
    let reading: Reading<ConflictFilter> =
        begin(&http, (&program, CONFLICTS), &headers, &uri).await?;
    let page = http.views.conflicts(reading.scope, reading.filter).await.map_err(query_problem)?;
    reading.view.page(page)
}

async fn conflict(
    Path((program, id)): Path<(String, String)>,
    (State(http), headers, uri): Parts,
) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, CONFLICT), &headers, &uri).await?;
    let id: ConflictId = id.parse().map_err(|_| Problem::not_found())?;
    let row = http.views.conflict(reading.scope, id).await.map_err(query_problem)?;
    reading.view.resource(row, |row| row.conflict.revision)
}

async fn orders(Path(program): Path<String>, (State(http), headers, uri): Parts) -> Answer {
    let reading: Reading<OrderFilter> = begin(&http, (&program, ORDERS), &headers, &uri).await?;
    let page = http.views.orders(reading.scope, reading.filter).await.map_err(query_problem)?;
    reading.view.page(page)
}

async fn order(
    Path((program, id)): Path<(String, String)>,
    (State(http), headers, uri): Parts,
) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, ORDER), &headers, &uri).await?;
    let id: OrderId = id.parse().map_err(|_| Problem::not_found())?;
    let row = http.views.order(reading.scope, id).await.map_err(query_problem)?;
    reading.view.resource(row, |row| row.revision)
}

async fn licences(Path(program): Path<String>, (State(http), headers, uri): Parts) -> Answer {
    let reading: Reading<LicenceFilter> =
        begin(&http, (&program, LICENCES), &headers, &uri).await?;
    let page = http.views.licences(reading.scope, reading.filter).await.map_err(query_problem)?;
    reading.view.page(page)
}

async fn licence(
    Path((program, id)): Path<(String, String)>,
    (State(http), headers, uri): Parts,
) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, LICENCE), &headers, &uri).await?;
    let id: LicenceId = id.parse().map_err(|_| Problem::not_found())?;
    let row = http.views.licence(reading.scope, id).await.map_err(query_problem)?;
    reading.view.resource(row, |row| row.revision)
}

/// What is to be priced.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuoteBody {
    /// Absent for a direct sale; a partner's own people may leave it out.
    #[serde(default)]
    partner: Option<PartnerId>,
    #[schemars(with = "OrderRequest")]
    request: Value,
}

/// Prices a request; nothing is stored. Posted, because the question needs a body.
async fn quote(
    State(http): State<Arc<Http>>,
    Path(program): Path<String>,
    request: Request,
) -> Result<Json<Quote>, Problem> {
    let (parts, payload) = request.into_parts();
    let caller = Caller::authenticate(&http, &parts.headers)?;
    let program = http.enter(&caller, &program).await?;
    let role = caller.role(BUYERS)?;
    body::no_query(&parts.uri)?;
    let payload = http.read_body(&parts.headers, payload, false).await?;
    let asked: QuoteBody = body::read(body::json_text(&parts.headers, &payload)?)?;
    let request = order_request::read(asked.request)?;
    let scope = Scope { program: program.clone(), partner: caller.scope(role) };
    let command_id = CommandId(Uuid::now_v7());
    let call = Call {
        program,
        actor: caller.actor(role),
        command_id,
        command: "quote".to_owned(),
        digest: [0; 32],
        correlation: command_id.0,
        causation: command_id.0,
        if_match: None,
        reason: None,
    };
    let partner = buyer(asked.partner, scope.partner)?;
    let quote = http.app.quote(partner, &request, &call).await;
    quote.map(Json).map_err(|error| Problem::from(error).within("request"))
}
