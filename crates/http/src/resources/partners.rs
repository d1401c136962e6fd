//! Partners, their levels, certificates and reviews.

use std::sync::Arc;

use accord_domain::{CertificateId, LevelReviewId, PartnerId, PersonalData};
use accord_eventlog::StreamName;
use accord_projections::{
    CertificateFilter, LevelFilter, LevelReviewFilter, PartnerFilter, PartnerRow, partner_as_of,
};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::get;

use super::reading::{begin, events_until, open_persons, query_problem};
use super::{NoFilter, Reading};
use crate::{Http, problem::Problem};

type Parts = (State<Arc<Http>>, HeaderMap, Uri);
type Answer = Result<Response, Problem>;

const PARTNERS: &str = "/v1/programs/{program}/partners";
const PARTNER: &str = "/v1/programs/{program}/partners/{id}";
const STANDING: &str = "/v1/programs/{program}/partners/{id}/levels";
const HISTORY: &str = "/v1/programs/{program}/partners/{id}/level-history";
const LEVELS: &str = "/v1/programs/{program}/levels";
const CERTIFICATES: &str = "/v1/programs/{program}/certificates";
const INDICATORS: &str = "/v1/programs/{program}/certificate-indicators";
const CERTIFICATE: &str = "/v1/programs/{program}/certificates/{id}";
const REVIEWS: &str = "/v1/programs/{program}/level-reviews";
const REVIEW: &str = "/v1/programs/{program}/level-reviews/{id}";

pub(super) fn routes() -> Router<Arc<Http>> {
    Router::new()
        .route(PARTNERS, get(partners))
        .route(PARTNER, get(partner))
        .route(STANDING, get(standing))
        .route(HISTORY, get(history))
        .route(LEVELS, get(levels))
        .route(CERTIFICATES, get(certificates))
        .route(INDICATORS, get(indicators))
        .route(CERTIFICATE, get(certificate))
        .route(REVIEWS, get(reviews))
        .route(REVIEW, get(review))
}

async fn partners(Path(program): Path<String>, (State(http), headers, uri): Parts) -> Answer {
    let reading: Reading<PartnerFilter> =
        begin(&http, (&program, PARTNERS), &headers, &uri).await?;
    let page = http.views.partners(reading.scope, reading.filter).await.map_err(query_problem)?;
    reading.view.page(page)
}

async fn partner(
    Path((program, id)): Path<(String, String)>,
    (State(http), headers, uri): Parts,
) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, PARTNER), &headers, &uri).await?;
    let id: PartnerId = id.parse().map_err(|_| Problem::not_found())?;
    let visible = http.views.partner(reading.scope, id).await.map_err(query_problem)?;
    let row = match (visible, reading.as_of) {
        (Some(_), Some(moment)) => {
            let events = events_until(&http, &StreamName::of("partner", id.0), moment).await?;
            partner_as_of(&events).map_err(|error| Problem::internal(&error))?
        }
        (row, _) => row,
    };
    let Some(row) = row else { return Err(Problem::not_found()) };
    let row = open_persons(&http, row, contacts).await?;
    reading.view.resource(Some(row), |row| row.revision)
}

fn contacts(row: &mut PartnerRow) -> Vec<&mut PersonalData> {
    row.contacts.iter_mut().map(|contact| &mut contact.person).collect()
}

async fn standing(
    Path((program, id)): Path<(String, String)>,
    (State(http), headers, uri): Parts,
) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, STANDING), &headers, &uri).await?;
    let id: PartnerId = id.parse().map_err(|_| Problem::not_found())?;
    known(&http, &reading, id).await?;
    let rows = http.views.level_standing(reading.scope, id, reading.today).await;
    reading.view.value(&rows.map_err(query_problem)?)
}

async fn history(
    Path((program, id)): Path<(String, String)>,
    (State(http), headers, uri): Parts,
) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, HISTORY), &headers, &uri).await?;
    let id: PartnerId = id.parse().map_err(|_| Problem::not_found())?;
    known(&http, &reading, id).await?;
    let rows = http.views.level_history(reading.scope, id).await.map_err(query_problem)?;
    reading.view.value(&rows)
}

/// 404 for a partner that this caller cannot see, rather than an empty list.
async fn known(http: &Http, reading: &Reading<NoFilter>, id: PartnerId) -> Result<(), Problem> {
    let found = http.views.partner(reading.scope.clone(), id).await.map_err(query_problem)?;
    found.map(|_| ()).ok_or_else(Problem::not_found)
}

async fn levels(Path(program): Path<String>, (State(http), headers, uri): Parts) -> Answer {
    let reading: Reading<LevelFilter> = begin(&http, (&program, LEVELS), &headers, &uri).await?;
    let page = http.views.levels(reading.scope, reading.filter).await.map_err(query_problem)?;
    reading.view.page(page)
}

async fn certificates(Path(program): Path<String>, (State(http), headers, uri): Parts) -> Answer {
    let reading: Reading<CertificateFilter> =
        begin(&http, (&program, CERTIFICATES), &headers, &uri).await?;
    let page = http.views.certificates(reading.scope, reading.filter, reading.today).await;
    let page = open_persons(&http, page.map_err(query_problem)?, |page| {
        page.items.iter_mut().map(|item| &mut item.certificate.holder).collect()
    });
    reading.view.page(page.await?)
}

async fn indicators(Path(program): Path<String>, (State(http), headers, uri): Parts) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, INDICATORS), &headers, &uri).await?;
    let counts = http.views.certificate_indicators(reading.scope, reading.today).await;
    reading.view.value(&counts.map_err(query_problem)?)
}

async fn certificate(
    Path((program, id)): Path<(String, String)>,
    (State(http), headers, uri): Parts,
) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, CERTIFICATE), &headers, &uri).await?;
    let id: CertificateId = id.parse().map_err(|_| Problem::not_found())?;
    let row = http.views.certificate(reading.scope, id, reading.today).await;
    let Some(row) = row.map_err(query_problem)? else { return Err(Problem::not_found()) };
    let row = open_persons(&http, row, |view| vec![&mut view.certificate.holder]).await?;
    reading.view.resource(Some(row), |row| row.certificate.revision)
}

async fn reviews(Path(program): Path<String>, (State(http), headers, uri): Parts) -> Answer {
    let reading: Reading<LevelReviewFilter> =
        begin(&http, (&program, REVIEWS), &headers, &uri).await?;
    let page = http.views.level_reviews(reading.scope, reading.filter).await;
    reading.view.page(page.map_err(query_problem)?)
}

async fn review(
    Path((program, id)): Path<(String, String)>,
    (State(http), headers, uri): Parts,
) -> Answer {
    let reading: Reading<NoFilter> = begin(&http, (&program, REVIEW), &headers, &uri).await?;
    let id: LevelReviewId = id.parse().map_err(|_| Problem::not_found())?;
    let row = http.views.level_review(reading.scope, id).await.map_err(query_problem)?;
    reading.view.resource(row, |row| row.revision)
}
