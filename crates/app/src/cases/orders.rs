//! Quotes and orders: licence, standing and volume are looked up, the price is the domain's.

use accord_domain::deal::Deal;
use accord_domain::licence::{Licence, LicenceRecord};
use accord_domain::metadata::Metadata;
use accord_domain::order::{
    DealFact, LicenceFact, Order, OrderCommand, OrderError, OrderFacts, OrderRequest, quote,
};
use accord_domain::pricing::Quote;
use accord_domain::rulebook::PaymentMethod;
use accord_domain::{Aggregate, Context, Day, DealId, LicenceId, OrderId, PartnerId};
use accord_eventlog::{Direction, StreamName};

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
        let Some(placed) = placed else { return Ok(outcome) };
        match (placed.refused_for, placed.request) {
            (None, _) => Ok(outcome),
            (Some(order), OrderRequest::New { deal: Some(deal), .. }) => {
                Err(refused(OrderError::DealUsed { deal, order }))
            }
            (Some(order), _) => Err(refused(OrderError::LicenceChangePending { order })),
        }
    }

    /// Records an order's payment; it comes on the day of the order at the earliest.
    pub async fn complete_order(
        &self,
        order: OrderId,
        (paid_on, reference): (Day, String),
        call: &Call,
    ) -> Result<Outcome, AppError> {
        self.state::<Order>(order.0, call).await?;
        let stream = StreamName::of(Order::CATEGORY, order.0);
        let read = self.log.read_stream(&stream, Direction::Forward, Some(0), 1).await?;
        let placed = read.first().ok_or(AppError::NotFound)?;
        let metadata: Metadata = serde_json::from_slice(&placed.metadata)?;
        let placed_on = Day::of_instant(metadata.recorded_at);
        let command = OrderCommand::Complete { paid_on, reference, placed_on };
        self.execute::<Order>(order.0, command, call).await
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
        let named = partner;
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
            deal: self.deal_fact(deal, call).await?,
            named,
        })
    }

    async fn deal_fact(
        &self,
        deal: Option<DealId>,
        call: &Call,
    ) -> Result<Option<DealFact>, AppError> {
        let Some(deal) = deal else { return Ok(None) };
        let state = match self.state::<Deal>(deal.0, call).await {
            Err(AppError::NotFound) => return Ok(None),
            state => state?,
        };
        Ok(state.case.map(|case| DealFact {
            deal,
            partner: case.partner,
            status: state.status,
            customer: case.customer,
            product_scope: case.product_scope,
            // A retry of this order finds its own reservation.
            reserved_by: case.reserved_by.filter(|order| order.0 != call.created_id()),
        }))
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
