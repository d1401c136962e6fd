//! Orders, payments and the licences that they make, renew and upgrade.

use accord_domain::deal::{Deal, DealStatus};
use accord_domain::licence::{Licence, LicenceRecord};
use accord_domain::order::{Order, OrderCommand, OrderRequest, OrderStatus};
use accord_domain::pricing::Item;
use accord_domain::rulebook::{PaymentMethod, Price, PriceUnit};
use accord_domain::{Day, DealId, LicenceId, OrderId, ProductScope, Role};

use super::{Story, Task};

impl Story {
    /// A new customer: from a won deal, or one that came by itself.
    pub(super) async fn order(&mut self, deal: Option<DealId>, today: Day) -> anyhow::Result<()> {
        if deal.is_none() && !self.is_finale(today) {
            self.plan_within(today, (120, 420), Task::Order { deal: None });
        }
        if self.member().await?.is_none() {
            return Ok(());
        }
        let items = self.items(today);
        let (customer, deal) = match deal {
            None => (self.customer(), None),
            Some(deal) => {
                let state: Deal = self.desk.state(deal.0).await?;
                let Some(case) = state.case else { return Ok(()) };
                let counts = matches!(state.status, DealStatus::Protected | DealStatus::Won)
                    && case.reserved_by.is_none()
                    && self.belong_to(&items, &case.product_scope);
                (case.customer, counts.then_some(deal))
            }
        };
        let rules = &self.vendor.rules.orders;
        let months = if self.flagship { 24 } else { 12 };
        let request = OrderRequest::New {
            customer,
            currency: self.currency,
            items,
            starts_on: today,
            term_months: months.clamp(rules.term_months_min, rules.term_months_max),
            deal,
        };
        let wait = if self.is_finale(today) { (30, 30) } else { (0, 18) };
        self.place(request, wait, today).await
    }

    async fn place(
        &mut self,
        request: OrderRequest,
        wait: (u32, u32),
        today: Day,
    ) -> anyhow::Result<()> {
        let offered = &self.vendor.rules.orders.payment_methods;
        let payment = self.random.pick(offered).copied().unwrap_or(PaymentMethod::Invoice);
        let (by, app) = (self.user(), self.desk.app.clone());
        let call = self.desk.call(&by, "place", None);
        let placed = app.place_order(Some(self.partner), request, payment, &call).await?;
        self.plan_within(today, wait, Task::Pay(OrderId(placed.id)));
        Ok(())
    }

    pub(super) async fn pay(&mut self, order: OrderId, today: Day) -> anyhow::Result<()> {
        let state: Order = self.desk.state(order.0).await?;
        let Some(placed) = state.placed.filter(|_| state.status == OrderStatus::Pending) else {
            return Ok(());
        };
        let is_new = matches!(placed.request, OrderRequest::New { .. });
        if is_new && !self.flagship && self.random.percent(5) {
            let reason = "the customer has stepped back".to_owned();
            let by = self.user();
            let cancel = OrderCommand::Cancel { reason };
            self.desk.send::<Order>(&by, Some(order.0), cancel).await?;
            return Ok(());
        }
        let reference = format!("TR-{}-{}", self.index, self.random.between(10_000, 99_999));
        let (by, app) = (self.vendor.staff(Role::Finance, 1), self.desk.app.clone());
        let call = self.desk.call(&by, "complete", None);
        app.complete_order(order, (today, reference), &call).await?;
        let licence: Licence = self.desk.state(placed.licence.0).await?;
        if let (true, Licence::Running(record)) = (is_new, licence) {
            let notice = self.random.between(8, 30);
            self.plan(record.terms.ends_on.minus_days(notice), Task::EndOfTerm(placed.licence));
            if !self.flagship && self.random.percent(40) {
                self.plan_within(today, (40, 200), Task::Upgrade(placed.licence));
            }
        }
        Ok(())
    }

    /// Renewed for another year, or left to end.
    pub(super) async fn end_of_term(
        &mut self,
        licence: LicenceId,
        today: Day,
    ) -> anyhow::Result<()> {
        let Some(record) = self.running(licence).await? else { return Ok(()) };
        if self.member().await?.is_none() || (!self.flagship && self.random.percent(18)) {
            return Ok(());
        }
        let months = 12.max(self.vendor.rules.orders.term_months_min);
        let ends_on = record.terms.ends_on.plus_days(1).plus_months(months).minus_days(1);
        let notice = self.random.between(8, 30);
        self.plan(ends_on.minus_days(notice), Task::EndOfTerm(licence));
        self.place(OrderRequest::Renew { licence, ends_on }, (0, 5), today).await
    }

    /// More of everything, for the rest of the term.
    pub(super) async fn upgrade(&mut self, licence: LicenceId, today: Day) -> anyhow::Result<()> {
        let Some(record) = self.running(licence).await? else { return Ok(()) };
        if self.member().await?.is_none() || today.days_until(record.terms.ends_on) < 60 {
            return Ok(());
        }
        let is_once = |item: &Item| {
            self.price(item).is_none_or(|price| price.unit == PriceUnit::Infrastructure)
        };
        if record.terms.items.iter().all(is_once) {
            return Ok(());
        }
        let more = |item: &Item| {
            let added = if is_once(item) { 0 } else { item.quantity / 2 + 1 };
            Item { sku: item.sku.clone(), quantity: item.quantity + added }
        };
        let items = record.terms.items.iter().map(more).collect();
        let request = OrderRequest::Upgrade { licence, items, ends_on: None };
        self.place(request, (0, 6), today).await
    }

    async fn running(&mut self, licence: LicenceId) -> anyhow::Result<Option<LicenceRecord>> {
        match self.desk.state::<Licence>(licence.0).await? {
            Licence::Running(record) => Ok(Some(record)),
            Licence::Expired(_) | Licence::Unissued => Ok(None),
        }
    }

    fn price(&self, item: &Item) -> Option<&Price> {
        self.vendor.rules.price_list(self.currency)?.price(&item.sku)
    }

    /// A main article in a quantity that fits the partner's size, and now and then an add-on.
    /// Whether the articles belong to what a deal is about, as far as they tell.
    fn belong_to(&self, items: &[Item], scope: &ProductScope) -> bool {
        let list = self.vendor.rules.price_list(self.currency);
        let mut scopes = items
            .iter()
            .filter_map(|item| list?.price(&item.sku)?.product_scope.as_ref())
            .peekable();
        scopes.peek().is_none() || scopes.any(|told| told == scope)
    }

    fn items(&mut self, today: Day) -> Vec<Item> {
        let rules = self.vendor.rules.clone();
        let Some(list) = rules.price_list(self.currency) else { return Vec::new() };
        let counts = |price: &&Price| price.counts_as_seats || price.counts_as_servers;
        let mains: Vec<&Price> = list.prices.iter().filter(counts).collect();
        let others: Vec<&Price> =
            list.prices.iter().filter(|price| price.requires.is_none()).collect();
        let choices = if mains.is_empty() || self.random.percent(8) { &others } else { &mains };
        let main = if self.flagship { mains.first() } else { self.random.pick(choices) };
        let Some(main) = main else { return Vec::new() };
        let quantity = self.quantity(main, today);
        let mut items = vec![Item { sku: main.sku.clone(), quantity }];
        let fits = |price: &&Price| price.requires.as_ref() == Some(&main.sku);
        if let Some(add_on) = list.prices.iter().find(fits).filter(|_| self.random.percent(35)) {
            let half = (quantity / 2).max(add_on.quantity_min);
            if half <= quantity {
                items.push(Item { sku: add_on.sku.clone(), quantity: half });
            }
        }
        items
    }

    fn quantity(&mut self, price: &Price, today: Day) -> u32 {
        let (low, high, flagship) = match price.unit {
            PriceUnit::Server => (2, 14, 20),
            PriceUnit::Mailbox | PriceUnit::User => (30, 700, 2_000),
            PriceUnit::Infrastructure => return price.quantity_min.max(1),
        };
        let wanted = match (self.flagship, self.span.first.days_until(today)) {
            // Three large customers at first, then many small ones: enough for the volume bonus.
            (true, ..30) => flagship,
            (true, _) => low / 2,
            (false, _) => self.random.between(low, high) * self.size,
        };
        wanted.max(price.quantity_min)
    }
}
