//! Registering a deal: the partner's standing comes from its own stream.

use accord_domain::customer::Company;
use accord_domain::deal::{Deal, DealCommand};
use accord_domain::partner::{Partner, PartnerStanding};
use accord_domain::{Aggregate, Day, DealId, Money, PartnerId, ProductScope};
use accord_eventlog::StreamName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{App, AppError, Call, Outcome};

/// What a partner tells about a deal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DealDraft {
    pub partner: PartnerId,
    pub customer: Company,
    pub product_scope: ProductScope,
    pub value: Money,
    pub expected_close: Day,
}

impl App {
    /// Starts a deal registration.
    pub async fn draft_deal(&self, draft: DealDraft, call: &Call) -> Result<Outcome, AppError> {
        let standing = self.standing(draft.partner, call).await?;
        let command = DealCommand::Draft {
            customer: draft.customer,
            product_scope: draft.product_scope,
            value: draft.value,
            expected_close: draft.expected_close,
            standing,
        };
        self.execute::<Deal>(call.created_id(), command, call).await
    }

    /// Submits a draft; afterwards the deal is in review, protected or contested.
    pub async fn submit_deal(&self, deal: DealId, call: &Call) -> Result<Outcome, AppError> {
        let state = self.state::<Deal>(deal.0, call).await?;
        let partner = state.partner().ok_or(AppError::NotFound)?;
        let standing = self.standing(partner, call).await?;
        self.execute::<Deal>(deal.0, DealCommand::Submit { standing }, call).await
    }

    /// A partner's standing, as its own stream has it; an unknown partner is not found.
    pub(crate) async fn standing(
        &self,
        partner: PartnerId,
        call: &Call,
    ) -> Result<PartnerStanding, AppError> {
        Ok(self.state::<Partner>(partner.0, call).await?.standing(partner))
    }

    /// A stream's state whatever its program and partner; for policies.
    pub(crate) async fn any_state<A: Aggregate>(&self, id: uuid::Uuid) -> Result<A, AppError> {
        let stream = StreamName::of(A::CATEGORY, id);
        Ok(self.repository.load::<A>(&stream).await?.state.clone())
    }
}
