//! Orders, the licences that they reserve, make and change, and the deals whose discount they have.

use accord_domain::deal::{Deal, DealCommand, DealStatus};
use accord_domain::licence::{Licence, LicenceCommand, LicenceTerms};
use accord_domain::order::{
    Order, OrderCommand, OrderEvent, OrderRequest, OrderStatus, PlacedOrder,
};
use accord_domain::rulebook::LicenceModel;
use accord_domain::{Aggregate, DealId, LicenceId, OrderId};
use accord_eventlog::StreamName;

use crate::{App, AppError, Outcome, policy::Trigger};

impl App {
    pub(super) async fn after_order(
        &self,
        trigger: &Trigger,
        event: &OrderEvent,
    ) -> Result<Vec<Outcome>, AppError> {
        match event {
            OrderEvent::Placed { request: OrderRequest::New { deal: Some(deal), .. }, .. } => {
                self.reserve_deal(trigger, *deal).await
            }
            OrderEvent::Placed { request: OrderRequest::New { deal: None, .. }, .. }
            | OrderEvent::Refused { .. }
            | OrderEvent::Renewed { .. } => Ok(Vec::new()),
            OrderEvent::Placed { licence, .. } => self.reserve(trigger, *licence).await,
            OrderEvent::Cancelled { .. } => self.release_reservation(trigger).await,
            OrderEvent::Completed { .. } => self.deliver(trigger).await,
        }
    }

    /// One change of a licence at a time: of two orders placed at once the licence takes the first,
    /// and the other one is refused.
    async fn reserve(
        &self,
        trigger: &Trigger,
        licence: LicenceId,
    ) -> Result<Vec<Outcome>, AppError> {
        if self.is_cancelled(trigger).await? {
            return Ok(Vec::new());
        }
        let order = OrderId(trigger.aggregate);
        let command = LicenceCommand::Reserve { order };
        let key = (licence.0, "reserve");
        if let Some(reserved) = self.react::<Licence>(trigger, key, "reserve", command).await? {
            return Ok(vec![reserved]);
        }
        let stream = StreamName::of(Licence::CATEGORY, licence.0);
        let state = &self.repository.load::<Licence>(&stream).await?.state;
        // Released this very moment: the policy runner reserves it again.
        let reserved_by = state.reserved_by().ok_or(AppError::Contention)?;
        self.refuse(trigger, reserved_by).await
    }

    /// A deal's discount is for one order: of two placed at once the deal takes the first.
    async fn reserve_deal(
        &self,
        trigger: &Trigger,
        deal: DealId,
    ) -> Result<Vec<Outcome>, AppError> {
        if self.is_cancelled(trigger).await? {
            return Ok(Vec::new());
        }
        let command = DealCommand::Reserve { order: OrderId(trigger.aggregate) };
        let key = (deal.0, "reserve");
        if let Some(reserved) = self.react::<Deal>(trigger, key, "reserve", command).await? {
            return Ok(vec![reserved]);
        }
        let state = self.any_state::<Deal>(deal.0).await?;
        match state.case.and_then(|case| case.reserved_by) {
            Some(reserved_by) => self.refuse(trigger, reserved_by).await,
            // Released this very moment: the policy runner reserves it again.
            None if matches!(state.status, DealStatus::Protected | DealStatus::Won) => {
                Err(AppError::Contention)
            }
            // It has ended since and counts for nobody else; the price stands as it was quoted.
            None => Ok(Vec::new()),
        }
    }

    async fn refuse(
        &self,
        trigger: &Trigger,
        reserved_by: OrderId,
    ) -> Result<Vec<Outcome>, AppError> {
        let order = trigger.aggregate;
        let command = OrderCommand::Refuse { reserved_by };
        let refused = self.react::<Order>(trigger, (order, "refuse"), "refuse", command).await?;
        Ok(refused.into_iter().collect())
    }

    async fn release_reservation(&self, trigger: &Trigger) -> Result<Vec<Outcome>, AppError> {
        let Some(placed) = self.placed_by(trigger).await? else { return Ok(Vec::new()) };
        if let OrderRequest::New { deal, .. } = placed.request {
            let Some(deal) = deal else { return Ok(Vec::new()) };
            let command = DealCommand::ReleaseReservation { order: OrderId(trigger.aggregate) };
            let key = (deal.0, "release");
            let released = self.react::<Deal>(trigger, key, "release-reservation", command).await?;
            return Ok(released.into_iter().collect());
        }
        let command = LicenceCommand::ReleaseReservation { order: OrderId(trigger.aggregate) };
        let key = (placed.licence.0, "release");
        let released = self.react::<Licence>(trigger, key, "release-reservation", command).await?;
        Ok(released.into_iter().collect())
    }

    /// After a crash an order may have been cancelled before it could reserve anything.
    async fn is_cancelled(&self, trigger: &Trigger) -> Result<bool, AppError> {
        let order = self.any_state::<Order>(trigger.aggregate).await?;
        Ok(order.status == OrderStatus::Cancelled)
    }

    async fn placed_by(&self, trigger: &Trigger) -> Result<Option<PlacedOrder>, AppError> {
        let stream = StreamName::of(Order::CATEGORY, trigger.aggregate);
        Ok(self.repository.load::<Order>(&stream).await?.state.placed.clone())
    }

    async fn deliver(&self, trigger: &Trigger) -> Result<Vec<Outcome>, AppError> {
        let Some(placed) = self.placed_by(trigger).await? else { return Ok(Vec::new()) };
        let order = OrderId(trigger.aggregate);
        let licence = placed.licence.0;
        let renews = matches!(placed.request, OrderRequest::Renew { .. });
        let previous = placed.previous_order.filter(|_| renews);
        let (name, command) = licence_command(order, placed);
        let mut done = Vec::new();
        done.extend(self.react::<Licence>(trigger, (licence, "licence"), name, command).await?);
        if let Some(previous) = previous {
            let command = OrderCommand::MarkRenewed { renewal: order };
            let key = (previous.0, "renewed");
            done.extend(self.react::<Order>(trigger, key, "mark-renewed", command).await?);
        }
        Ok(done)
    }
}

fn licence_command(order: OrderId, placed: PlacedOrder) -> (&'static str, LicenceCommand) {
    let quote = placed.quote;
    let terms = LicenceTerms {
        items: quote.items,
        seats: quote.seats,
        servers: quote.servers,
        mrr: quote.mrr,
        starts_on: quote.starts_on,
        ends_on: quote.ends_on,
    };
    match placed.request {
        OrderRequest::New { .. } => {
            let (partner, customer) = (placed.partner, placed.customer);
            let model = LicenceModel::Subscription;
            ("issue", LicenceCommand::Issue { order, partner, customer, model, terms })
        }
        OrderRequest::Renew { .. } => ("renew", LicenceCommand::Renew { order, terms }),
        OrderRequest::Upgrade { .. } => ("upgrade", LicenceCommand::Upgrade { order, terms }),
    }
}
