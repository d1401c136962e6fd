//! An order for servers: placed, paid, delivered as a licence; renewed half a year later.

use accord_domain::licence::{Licence, LicenceCommand, LicenceTerms};
use accord_domain::order::{
    LicenceFact, Order, OrderCommand, OrderFacts, OrderRequest, PlacedOrder,
};
use accord_domain::partner::PartnerStanding;
use accord_domain::pricing::Item;
use accord_domain::rulebook::{LicenceModel, PaymentMethod};
use accord_domain::{Currency, LicenceId, OrderId};
use anyhow::Context;

use super::Story;
use super::deal_story::customer;
use super::stream::{Append, Stream};
use super::world::{Cause, Decided, World};

/// Steps of the story; those before the renewal wait.
const PLACED: u64 = 1;
const PAID: u64 = 2;
const RENEWAL_PLACED: u64 = 20;
const RENEWAL_PAID: u64 = 21;

const TERM_MONTHS: u32 = 12;

pub(crate) struct OrderStory {
    partner: PartnerStanding,
    number: u64,
    order: Stream<Order>,
    renewal: Stream<Order>,
    licence: Option<Stream<Licence>>,
    step: u64,
}

impl OrderStory {
    pub(crate) fn new(world: &mut World) -> Self {
        Self {
            partner: world.partner(),
            number: world.count(),
            order: Stream::new(world.new_id()),
            renewal: Stream::new(world.new_id()),
            licence: None,
            step: 0,
        }
    }

    fn place(&mut self, world: &mut World) -> anyhow::Result<Append> {
        let quantity = 1 + u32::try_from(self.number % 80)?;
        let request = OrderRequest::New {
            customer: customer(self.number)?,
            currency: Currency::EUR,
            items: vec![Item { sku: "cloud-os-server".parse()?, quantity }],
            starts_on: world.today(),
            term_months: TERM_MONTHS,
            deal: None,
        };
        let command = self.placing(request, None);
        Ok(world.decide(&mut self.order, command, Cause::Staff)?.append)
    }

    fn placing(
        &self,
        request: OrderRequest,
        licence: Option<LicenceFact>,
    ) -> (&'static str, OrderCommand) {
        let facts = OrderFacts {
            standing: Some(self.partner.clone()),
            servers_managed: self.number % 200,
            seats_managed: 0,
            licence,
            deal: None,
            named: None,
        };
        ("place", OrderCommand::Place { request, payment: PaymentMethod::BankTransfer, facts })
    }

    /// The payment arrives: the order is complete and its licence delivered.
    fn pay(&mut self, world: &mut World) -> anyhow::Result<Vec<Append>> {
        let paid = complete(world, &mut self.order, self.number)?;
        let placed = placed(&self.order)?;
        let (order, licence) = (OrderId(self.order.id), placed.licence);
        let (partner, customer) = (placed.partner, placed.customer.clone());
        let (terms, model) = (terms(placed), LicenceModel::Subscription);
        let issue = LicenceCommand::Issue { order, partner, customer, model, terms };
        let mut stream = Stream::new(licence.0);
        let mut appends = vec![paid.append];
        for (event, _) in paid.events {
            let cause = Cause::Event(event, "licence".to_owned());
            appends.push(world.decide(&mut stream, ("issue", issue.clone()), cause)?.append);
        }
        self.licence = Some(stream);
        Ok(appends)
    }

    fn place_renewal(&mut self, world: &mut World) -> anyhow::Result<Vec<Append>> {
        let placed = placed(&self.order)?;
        let quote = &placed.quote;
        let fact = LicenceFact {
            licence: placed.licence,
            partner: placed.partner,
            customer: placed.customer.clone(),
            currency: Currency::EUR,
            items: quote.items.clone(),
            starts_on: quote.starts_on,
            ends_on: quote.ends_on,
            order: OrderId(self.order.id),
            reserved_by: None,
        };
        let ends_on = quote.ends_on.plus_months(TERM_MONTHS);
        let licence: LicenceId = placed.licence;
        let command = self.placing(OrderRequest::Renew { licence, ends_on }, Some(fact));
        Ok(vec![world.decide(&mut self.renewal, command, Cause::Staff)?.append])
    }

    fn pay_renewal(&mut self, world: &mut World) -> anyhow::Result<Vec<Append>> {
        let paid = complete(world, &mut self.renewal, self.number)?;
        let order = OrderId(self.renewal.id);
        let renew = LicenceCommand::Renew { order, terms: terms(placed(&self.renewal)?) };
        let licence = self.licence.as_mut().context("a renewal has a licence")?;
        let mut appends = vec![paid.append];
        for (event, _) in paid.events {
            let cause = Cause::Event(event, "licence".to_owned());
            appends.push(world.decide(licence, ("renew", renew.clone()), cause)?.append);
            let cause = Cause::Event(event, "renewed".to_owned());
            let renewed = ("mark-renewed", OrderCommand::MarkRenewed { renewal: order });
            appends.push(world.decide(&mut self.order, renewed, cause)?.append);
        }
        Ok(appends)
    }
}

fn complete(
    world: &mut World,
    order: &mut Stream<Order>,
    number: u64,
) -> anyhow::Result<Decided<Order>> {
    let (paid_on, reference) = (world.today(), format!("transfer {number}"));
    let command = OrderCommand::Complete { paid_on, reference, placed_on: paid_on };
    world.decide(order, ("complete", command), Cause::Staff)
}

fn placed(order: &Stream<Order>) -> anyhow::Result<&PlacedOrder> {
    order.state.placed.as_ref().context("the order was placed a step ago")
}

fn terms(placed: &PlacedOrder) -> LicenceTerms {
    let quote = placed.quote.clone();
    LicenceTerms {
        items: quote.items,
        seats: quote.seats,
        servers: quote.servers,
        mrr: quote.mrr,
        starts_on: quote.starts_on,
        ends_on: quote.ends_on,
    }
}

impl Story for OrderStory {
    fn advance(&mut self, world: &mut World) -> anyhow::Result<Option<Vec<Append>>> {
        self.step += 1;
        Ok(Some(match self.step {
            PLACED => vec![self.place(world)?],
            PAID => self.pay(world)?,
            RENEWAL_PLACED => self.place_renewal(world)?,
            RENEWAL_PAID => self.pay_renewal(world)?,
            step if step < RENEWAL_PLACED => Vec::new(),
            _ => return Ok(None),
        }))
    }
}
