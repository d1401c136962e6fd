//! Completed orders and the licences they make.

use accord_domain::licence::{Licence, LicenceCommand, LicenceTerms};
use accord_domain::order::{Order, OrderCommand, OrderEvent, OrderRequest, PlacedOrder};
use accord_domain::rulebook::LicenceModel;
use accord_domain::{Aggregate, OrderId};
use accord_eventlog::StreamName;

use crate::{App, AppError, Outcome, policy::Trigger};

impl App {
    pub(super) async fn after_order(
        &self,
        trigger: &Trigger,
        event: &OrderEvent,
    ) -> Result<Vec<Outcome>, AppError> {
        match event {
            OrderEvent::Completed { .. } => self.deliver(trigger).await,
            OrderEvent::Placed { .. }
            | OrderEvent::Cancelled { .. }
            | OrderEvent::Renewed { .. } => Ok(Vec::new()),
        }
    }

    async fn deliver(&self, trigger: &Trigger) -> Result<Vec<Outcome>, AppError> {
        let stream = StreamName::of(Order::CATEGORY, trigger.aggregate);
        let Some(placed) = self.repository.load::<Order>(&stream).await?.state.placed.clone()
        else {
            return Ok(Vec::new());
        };
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
