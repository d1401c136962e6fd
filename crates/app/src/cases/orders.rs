//! Quotes and orders: licence, standing and volume are looked up, the price is the domain's.

use accord_domain::deal::{Deal, DealStatus};
use accord_domain::licence::{Licence, LicenceRecord};
use accord_domain::order::{
    LicenceFact, Order, OrderCommand, OrderError, OrderFacts, OrderRequest, quote,
};
use accord_domain::pricing::Quote;
use accord_domain::rulebook::PaymentMethod;
use accord_domain::{Context, Day, DealId, LicenceId, PartnerId};

use crate::{App, AppError, Call, Managed, Outcome, RefusalReport};

impl App {
    /// Prices a request without placing an order.
    pub async fn quote(
        &self,
        partner: Option<PartnerId>,
        request: &OrderRequest,
        call: &Call,
    ) -> Result<Quote, AppError> {
        let facts = self.order_facts(partner, request, call).await?;
        let now = self.clock.now();
        let today = Day::of_instant(now);
        let (rulebook_version, rules) = self.rules(&call.program, None, today).await?;
        let context = Context {
            now,
            today,
            actor: call.actor.clone(),
            command_id: call.command_id,
            aggregate_id: call.created_id(),
            rules,
            rulebook_version,
        };
        quote(request, &facts, &context).map_err(refused)
    }

    /// Places an order at the price of its quote.
    pub async fn place_order(
        &self,
        partner: Option<PartnerId>,
        request: OrderRequest,
        payment: PaymentMethod,
        call: &Call,
    ) -> Result<Outcome, AppError> {
        let facts = self.order_facts(partner, &request, call).await?;
        let command = OrderCommand::Place { request, payment, facts };
        let outcome = self.execute::<Order>(call.created_id(), command, call).await?;
        let placed = self.state::<Order>(outcome.id, call).await?.placed;
        match placed.and_then(|placed| placed.refused_for) {
            Some(order) => Err(refused(OrderError::LicenceChangePending { order })),
            None => Ok(outcome),
        }
    }

    async fn order_facts(
        &self,
        partner: Option<PartnerId>,
        request: &OrderRequest,
        call: &Call,
    ) -> Result<OrderFacts, AppError> {
        let licence = match request {
            OrderRequest::New { .. } => None,
            OrderRequest::Renew { licence, .. } | OrderRequest::Upgrade { licence, .. } => {
                Some(self.licence_fact(*licence, call).await?)
            }
        };
        // A renewal or an upgrade is its licence's partner's, whoever asks.
        let partner = licence.as_ref().map_or(partner, |fact| fact.partner);
        let standing = match partner {
            Some(partner) => Some(self.standing(partner, call).await?),
            None => None,
        };
        let managed = match partner {
            Some(partner) => {
                let head = self.log.head().await?;
                self.facts.managed(&call.program, partner, head).await?
            }
            None => Managed::default(),
        };
        let deal = match request {
            OrderRequest::New { deal, .. } => *deal,
            _ => None,
        };
        Ok(OrderFacts {
            standing,
            servers_managed: managed.servers,
            seats_managed: managed.seats,
            licence,
            deal_counts: self.deal_counts(deal, partner, call).await?,
        })
    }

    async fn deal_counts(
        &self,
        deal: Option<DealId>,
        partner: Option<PartnerId>,
        call: &Call,
    ) -> Result<bool, AppError> {
        let Some(deal) = deal else { return Ok(false) };
        let state = match self.state::<Deal>(deal.0, call).await {
            Err(AppError::NotFound) => return Ok(false),
            state => state?,
        };
        let counts = matches!(state.status, DealStatus::Protected | DealStatus::Won);
        Ok(counts && state.case.is_some_and(|case| Some(case.partner) == partner))
    }

    async fn licence_fact(&self, licence: LicenceId, call: &Call) -> Result<LicenceFact, AppError> {
        let record: LicenceRecord = match self.state::<Licence>(licence.0, call).await {
            Ok(Licence::Running(record) | Licence::Expired(record)) => record,
            Ok(Licence::Unissued) | Err(AppError::NotFound) => {
                return Err(refused(OrderError::LicenceNotFound));
            }
            Err(error) => return Err(error),
        };
        Ok(LicenceFact {
            licence,
            partner: record.partner,
            customer: record.customer,
            currency: record.terms.mrr.currency,
            items: record.terms.items,
            starts_on: record.terms.starts_on,
            ends_on: record.terms.ends_on,
            order: record.order,
            reserved_by: record.reserved_by,
        })
    }
}

fn refused(refusal: OrderError) -> AppError {
    AppError::Refused(RefusalReport::of(&refusal))
}
