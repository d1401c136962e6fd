//! Registering a deal, and resolving a conflict of two: what the decision needs of other streams.

use std::collections::BTreeSet;

use accord_domain::customer::Company;
use accord_domain::deal::{Deal, DealCommand, DealError, DealStatus};
use accord_domain::metadata::Metadata;
use accord_domain::opportunity::{Opportunity, OpportunityCommand};
use accord_domain::partner::{Partner, PartnerStanding};
use accord_domain::{
    Aggregate, ConflictId, Day, DealId, Money, OpportunityId, PartnerId, ProductScope, ReasonCode,
    Subject,
};
use accord_eventlog::{Direction, StreamName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{App, AppError, Call, Outcome, RefusalReport};

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

/// How a person resolves a conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictResolution {
    pub conflict: ConflictId,
    pub winner: DealId,
    /// One of the rulebook's conflict rules.
    pub rule: ReasonCode,
    pub reason: String,
}

/// Events read from a stream at a time.
const PAGE_EVENTS: usize = 1_000;

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
        let own = self.own_deal(deal, call).await?;
        let submit = |standing| DealCommand::Submit { standing, own };
        let outcome = self.execute_by_standing::<Deal>(deal.0, submit, call).await?;
        // Two own registrations at once: the one that came second was withdrawn.
        if !outcome.replayed
            && self.state::<Deal>(deal.0, call).await?.status == DealStatus::Withdrawn
            && let Some(deal) = self.own_deal(deal, call).await?
        {
            return Err(AppError::Refused(RefusalReport::of(&DealError::RegisteredAlready {
                deal,
            })));
        }
        Ok(outcome)
    }

    /// Another deal of the same partner that holds this one's opportunity.
    async fn own_deal(&self, deal: DealId, call: &Call) -> Result<Option<DealId>, AppError> {
        let case = self.state::<Deal>(deal.0, call).await?.case.ok_or(AppError::NotFound)?;
        let keys = case.customer.opportunity_keys(&call.program, &case.product_scope);
        for key in keys {
            if let Some(own) = self.own_holder(key, (deal, case.partner)).await? {
                return Ok(Some(own));
            }
        }
        Ok(None)
    }

    /// Resolves a conflict; by somebody who has acted on neither of its deals.
    pub async fn resolve_conflict(
        &self,
        opportunity: OpportunityId,
        resolution: ConflictResolution,
        call: &Call,
    ) -> Result<Outcome, AppError> {
        let ConflictResolution { conflict, winner, rule, reason } = resolution;
        let state = self.any_state::<Opportunity>(opportunity.0).await?;
        let deals = state.conflicts.get(&conflict).map(|found| [found.holder, found.contender]);
        let mut involved = Vec::new();
        for deal in deals.into_iter().flatten() {
            involved.extend(self.actors_on(&StreamName::of(Deal::CATEGORY, deal.0)).await?);
        }
        let command = OpportunityCommand::Resolve { conflict, winner, rule, reason, involved };
        self.execute::<Opportunity>(opportunity.0, command, call).await
    }

    /// Everybody whose commands a stream holds, once each.
    async fn actors_on(&self, stream: &StreamName) -> Result<BTreeSet<Subject>, AppError> {
        let mut actors = BTreeSet::new();
        let mut from = 0;
        loop {
            let read = self.log.read_stream(stream, Direction::Forward, Some(from), PAGE_EVENTS);
            let page = read.await?;
            for event in &page {
                let metadata: Metadata = serde_json::from_slice(&event.metadata)?;
                actors.insert(metadata.actor.subject);
            }
            if page.len() < PAGE_EVENTS {
                return Ok(actors);
            }
            from += PAGE_EVENTS as u64;
        }
    }

    /// A partner's standing, as its own stream has it; an unknown partner is not found.
    pub(crate) async fn standing(
        &self,
        partner: PartnerId,
        call: &Call,
    ) -> Result<PartnerStanding, AppError> {
        Ok(self.state::<Partner>(partner.0, call).await?.standing(partner))
    }

    /// Carries out a command that depends on how the aggregate's partner stands.
    pub async fn execute_by_standing<A: Aggregate>(
        &self,
        id: uuid::Uuid,
        command: impl FnOnce(PartnerStanding) -> A::Command,
        call: &Call,
    ) -> Result<Outcome, AppError> {
        let partner = self.state::<A>(id, call).await?.partner().ok_or(AppError::NotFound)?;
        let standing = self.standing(partner, call).await?;
        self.execute::<A>(id, command(standing), call).await
    }

    /// A stream's state whatever its program and partner; for policies.
    pub(crate) async fn any_state<A: Aggregate>(&self, id: uuid::Uuid) -> Result<A, AppError> {
        let stream = StreamName::of(A::CATEGORY, id);
        Ok(self.repository.load::<A>(&stream).await?.state.clone())
    }
}
