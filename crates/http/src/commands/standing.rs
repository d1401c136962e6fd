//! Commands that depend on how the partner stands: its standing comes from its own stream, never
//! from the caller.

use std::collections::BTreeMap;
use std::sync::Arc;

use accord_app::Call;
use accord_domain::certificate::{Certificate, CertificateCommand};
use accord_domain::deal::{Deal, DealCommand};
use accord_domain::level_review::{LevelReview, LevelReviewCommand, ReviewOutcome};
use accord_domain::partner::PartnerStanding;
use accord_domain::{Aggregate, Day, RequirementId};
use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::run::Running;
use crate::commands::Target;
use crate::{Http, body};

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecideBody {
    outcome: ReviewOutcome,
    reason: String,
    /// Reasons for giving the target level although these requirements are not met.
    #[serde(default)]
    overrides: BTreeMap<RequirementId, String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecideAppealBody {
    /// Absent: the decision is upheld.
    #[serde(default)]
    outcome: Option<ReviewOutcome>,
    reason: String,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RenewBody {
    renewed_on: Day,
    /// Absent: as long as the rulebook's catalogue says.
    #[serde(default)]
    expires_on: Option<Day>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProvideInformationBody {
    answer: String,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordActivityBody {
    activity: String,
    on: Day,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExtendBody {
    reason: String,
}

/// A command made of its body and of the partner's standing.
fn by_standing<A: Aggregate, B: DeserializeOwned + Send + 'static>(
    (http, target): (Arc<Http>, Target),
    text: Bytes,
    call: Call,
    command: fn(B, PartnerStanding) -> A::Command,
) -> Running {
    Box::pin(async move {
        let body: B = body::read(&text)?;
        let command = |standing| command(body, standing);
        Ok(http.app.execute_by_standing::<A>(target.id, command, &call).await?)
    })
}

pub(crate) fn decide_review(http: Arc<Http>, target: Target, text: Bytes, call: Call) -> Running {
    by_standing::<LevelReview, DecideBody>((http, target), text, call, |body, standing| {
        let DecideBody { outcome, reason, overrides } = body;
        LevelReviewCommand::Decide { outcome, reason, overrides, standing }
    })
}

pub(crate) fn decide_appeal(http: Arc<Http>, target: Target, text: Bytes, call: Call) -> Running {
    by_standing::<LevelReview, DecideAppealBody>((http, target), text, call, |body, standing| {
        let DecideAppealBody { outcome, reason } = body;
        LevelReviewCommand::DecideAppeal { outcome, reason, standing }
    })
}

pub(crate) fn renew_certificate(
    http: Arc<Http>,
    target: Target,
    text: Bytes,
    call: Call,
) -> Running {
    by_standing::<Certificate, RenewBody>((http, target), text, call, |body, standing| {
        let RenewBody { renewed_on, expires_on } = body;
        CertificateCommand::Renew { renewed_on, expires_on, standing }
    })
}

pub(crate) fn provide_information(
    http: Arc<Http>,
    target: Target,
    text: Bytes,
    call: Call,
) -> Running {
    by_standing::<Deal, ProvideInformationBody>((http, target), text, call, |body, standing| {
        DealCommand::ProvideInformation { answer: body.answer, standing }
    })
}

pub(crate) fn record_activity(http: Arc<Http>, target: Target, text: Bytes, call: Call) -> Running {
    by_standing::<Deal, RecordActivityBody>((http, target), text, call, |body, standing| {
        let RecordActivityBody { activity, on } = body;
        DealCommand::RecordActivity { activity, on, standing }
    })
}

pub(crate) fn extend_protection(
    http: Arc<Http>,
    target: Target,
    text: Bytes,
    call: Call,
) -> Running {
    by_standing::<Deal, ExtendBody>((http, target), text, call, |body, standing| {
        DealCommand::Extend { reason: body.reason, standing }
    })
}
