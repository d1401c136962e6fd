//! How commands are carried out: plainly on their aggregate, or with facts gathered first.

use std::sync::Arc;

use accord_app::{Call, ConflictResolution, Outcome};
use accord_domain::deal::{Deal, DealStatus};
use accord_domain::opportunity::{Opportunity, OpportunityCommand};
use accord_domain::order::OrderRequest;
use accord_domain::program::{Program, ProgramCommand};
use accord_domain::rulebook::{PaymentMethod, Rulebook};
use accord_domain::{
    Aggregate, CertificateId, ConflictId, Day, DealId, OrderId, PartnerId, ReasonCode,
};
use bytes::Bytes;
use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::commands::Target;
use crate::{Http, body, order_request, problem::Problem};

pub(super) type Running = BoxFuture<'static, Result<Outcome, Problem>>;

/// No fields.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Empty {}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnnounceBody {
    pub(crate) effective_on: Day,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithdrawBody {
    pub(crate) reason: String,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DesignateBody {
    pub(crate) certificate: CertificateId,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EscalateBody {
    /// The person or role that takes over.
    pub(crate) to: String,
    pub(crate) reason: String,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResolveBody {
    pub(crate) winner: DealId,
    /// One of the rulebook's conflict rules.
    pub(crate) rule: ReasonCode,
    pub(crate) reason: String,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderBody {
    /// Absent for a direct sale; a partner's own people may leave it out.
    #[serde(default)]
    pub(crate) partner: Option<PartnerId>,
    pub(crate) payment: PaymentMethod,
    #[schemars(with = "OrderRequest")]
    pub(crate) request: Value,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompleteBody {
    /// From the day of the order to today.
    paid_on: Day,
    reference: String,
}

/// The body is the aggregate's own command.
pub(crate) fn plain<A: Aggregate>(
    http: Arc<Http>,
    target: Target,
    text: Bytes,
    call: Call,
) -> Running {
    Box::pin(async move {
        let command = body::read_command::<A::Command>(&call.command, &text)?;
        Ok(http.app.execute::<A>(target.id, command, &call).await?)
    })
}

pub(crate) fn draft_rulebook(http: Arc<Http>, target: Target, text: Bytes, call: Call) -> Running {
    Box::pin(async move {
        let document = Box::new(body::read::<Rulebook>(&text)?);
        if document.identity.program != call.program {
            let message =
                format!("is `{}`, but the path says `{}`", document.identity.program, call.program);
            return Err(body::invalid_field("identity.program", &message));
        }
        let command = ProgramCommand::DraftRulebook { document };
        Ok(http.app.execute::<Program>(target.id, command, &call).await?)
    })
}

fn version_of(target: &Target) -> Result<u32, Problem> {
    target.text.parse().map_err(|_| Problem::not_found())
}

/// A command on one version of the rulebook.
fn on_version<B: serde::de::DeserializeOwned + Send + 'static>(
    (http, target): (Arc<Http>, Target),
    text: Bytes,
    call: Call,
    command: fn(u32, B) -> ProgramCommand,
) -> Running {
    Box::pin(async move {
        let version = version_of(&target)?;
        let command = command(version, body::read(&text)?);
        Ok(http.app.execute::<Program>(target.id, command, &call).await?)
    })
}

pub(crate) fn approve_rulebook(
    http: Arc<Http>,
    target: Target,
    text: Bytes,
    call: Call,
) -> Running {
    let command = |version, _: Empty| ProgramCommand::ApproveRulebook { version };
    on_version((http, target), text, call, command)
}

pub(crate) fn announce_rulebook(
    http: Arc<Http>,
    target: Target,
    text: Bytes,
    call: Call,
) -> Running {
    on_version((http, target), text, call, |version, body: AnnounceBody| {
        ProgramCommand::AnnounceRulebook { version, effective_on: body.effective_on }
    })
}

pub(crate) fn withdraw_rulebook(
    http: Arc<Http>,
    target: Target,
    text: Bytes,
    call: Call,
) -> Running {
    on_version((http, target), text, call, |version, body: WithdrawBody| {
        ProgramCommand::WithdrawRulebook { version, reason: body.reason }
    })
}

pub(crate) fn designate(http: Arc<Http>, target: Target, text: Bytes, call: Call) -> Running {
    Box::pin(async move {
        let body: DesignateBody = body::read(&text)?;
        let partner = PartnerId(target.id);
        Ok(http.app.designate_technical_resource(partner, body.certificate, &call).await?)
    })
}

pub(crate) fn issue_certificate(http: Arc<Http>, _: Target, text: Bytes, call: Call) -> Running {
    Box::pin(async move { Ok(http.app.issue_certificate(body::read(&text)?, &call).await?) })
}

pub(crate) fn open_review(http: Arc<Http>, _: Target, text: Bytes, call: Call) -> Running {
    Box::pin(async move { Ok(http.app.open_review(body::read(&text)?, &call).await?) })
}

pub(crate) fn draft_deal(http: Arc<Http>, _: Target, text: Bytes, call: Call) -> Running {
    Box::pin(async move { Ok(http.app.draft_deal(body::read(&text)?, &call).await?) })
}

/// Submits, and says so plainly when another registration was faster: the deal is then contested.
pub(crate) fn submit_deal(http: Arc<Http>, target: Target, text: Bytes, call: Call) -> Running {
    Box::pin(async move {
        body::read::<Empty>(&text)?;
        let outcome = http.app.submit_deal(DealId(target.id), &call).await?;
        let deal = http.app.state::<Deal>(target.id, &call).await?;
        if deal.status != DealStatus::Contested {
            return Ok(outcome);
        }
        Err(taken(&http, &deal, &call, &outcome).await?)
    })
}

/// The refusal of a registration that came second: which day may be free, and, for the vendor's own
/// people only, who holds the opportunity.
async fn taken(
    http: &Http,
    deal: &Deal,
    call: &Call,
    outcome: &Outcome,
) -> Result<Problem, Problem> {
    let case = deal.case.as_ref().ok_or_else(Problem::not_found)?;
    let mut problem = Problem::new(
        "opportunity-taken",
        "another registration of this opportunity came first; a conflict is open for review",
    )
    .with("deal", outcome.id.to_string())
    .with("revision", outcome.revision)
    .with("position", outcome.position.0);
    let Some(conflict) = case.conflict else { return Ok(problem) };
    problem = problem.with("conflict", conflict.to_string());
    for opportunity in &case.opportunities {
        let system = accord_app::Call { actor: http.system_actor(), ..call.clone() };
        let Ok(state) = http.app.state::<Opportunity>(opportunity.0, &system).await else {
            continue;
        };
        let Some(found) = state.conflicts.get(&conflict) else { continue };
        problem = problem.with("earliest_free_day", found.earliest_free_day.to_string());
        if !call.actor.role.is_partner() {
            problem = problem.with("holder_deal", found.holder.to_string());
        }
    }
    Ok(problem)
}

pub(crate) fn escalate_conflict(
    http: Arc<Http>,
    target: Target,
    text: Bytes,
    call: Call,
) -> Running {
    Box::pin(async move {
        let EscalateBody { to, reason } = body::read(&text)?;
        let conflict = ConflictId(target.id);
        let opportunity = http.opportunity_of(conflict, &call.program).await?;
        let command = OpportunityCommand::Escalate { conflict, to, reason };
        Ok(http.app.execute::<Opportunity>(opportunity.0, command, &call).await?)
    })
}

pub(crate) fn resolve_conflict(
    http: Arc<Http>,
    target: Target,
    text: Bytes,
    call: Call,
) -> Running {
    Box::pin(async move {
        let ResolveBody { winner, rule, reason } = body::read(&text)?;
        let conflict = ConflictId(target.id);
        let opportunity = http.opportunity_of(conflict, &call.program).await?;
        let resolution = ConflictResolution { conflict, winner, rule, reason };
        Ok(http.app.resolve_conflict(opportunity, resolution, &call).await?)
    })
}

/// Who buys: a partner's own people only for their partner, for whom no other one exists.
pub(crate) fn buyer(
    named: Option<PartnerId>,
    acting_for: Option<PartnerId>,
) -> Result<Option<PartnerId>, Problem> {
    match (named, acting_for) {
        (Some(named), Some(own)) if named != own => Err(Problem::not_found()),
        _ => Ok(acting_for.or(named)),
    }
}

pub(crate) fn complete_order(http: Arc<Http>, target: Target, text: Bytes, call: Call) -> Running {
    Box::pin(async move {
        let CompleteBody { paid_on, reference } = body::read(&text)?;
        let payment = (paid_on, reference);
        Ok(http.app.complete_order(OrderId(target.id), payment, &call).await?)
    })
}

pub(crate) fn place_order(http: Arc<Http>, _: Target, text: Bytes, call: Call) -> Running {
    Box::pin(async move {
        let OrderBody { partner, payment, request } = body::read(&text)?;
        let request = order_request::read(request)?;
        let partner = buyer(partner, call.actor.acting_for)?;
        let placed = http.app.place_order(partner, request, payment, &call).await;
        placed.map_err(|error| Problem::from(error).within("request"))
    })
}
