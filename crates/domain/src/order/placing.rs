//! From a request to its price, and to the order at that price.

use std::collections::BTreeSet;

use crate::customer::Company;
use crate::deal::DealStatus;
use crate::order::{DealFact, LicenceFact, OrderError, OrderEvent, OrderFacts, OrderRequest};
use crate::partner::PartnerStatus;
use crate::pricing::{Basis, Item, PricingError, Quote, quote_new, quote_renewal, quote_upgrade};
use crate::rulebook::{PaymentMethod, Price, PriceList, PriceUnit};
use crate::{Context, Currency, Day, DealId, LicenceId, ProductScope};

/// A term starts at most a year and a day from today: prices are made for what is at hand.
const START_DAYS_AHEAD_MAX: u32 = 366;

/// What the request costs today, and why; or the rule that refuses it. Nothing is recorded.
pub fn quote(
    request: &OrderRequest,
    facts: &OrderFacts,
    context: &Context,
) -> Result<Quote, OrderError> {
    let desk = Desk { facts, context };
    desk.check_buyer()?;
    match request {
        OrderRequest::New { customer, currency, items, starts_on, term_months, deal } => {
            customer.check().map_err(|found| OrderError::InvalidField {
                field: format!("customer.{}", found.field),
                problem: found.problem.to_owned(),
            })?;
            if let Some(deal) = deal {
                desk.check_deal(*deal, customer, desk.scopes(*currency, items))?;
            }
            desk.price_new(*currency, items, *starts_on, *term_months)
        }
        OrderRequest::Renew { licence, ends_on } => desk.price_renewal(*licence, *ends_on),
        OrderRequest::Upgrade { licence, items, ends_on } => {
            desk.price_upgrade(*licence, items, *ends_on)
        }
    }
}

/// The order that a request makes, at the price that [`quote`] shows.
pub(super) fn place(
    request: OrderRequest,
    payment: PaymentMethod,
    facts: OrderFacts,
    context: &Context,
) -> Result<OrderEvent, OrderError> {
    if !context.rules.orders.payment_methods.contains(&payment) {
        return Err(OrderError::PaymentNotOffered { payment });
    }
    let quote = quote(&request, &facts, context)?;
    let (customer, licence, previous_order) = match &request {
        OrderRequest::New { customer, .. } => {
            (customer.clone(), LicenceId(context.derived_id("licence")), None)
        }
        OrderRequest::Renew { .. } | OrderRequest::Upgrade { .. } => {
            let fact = facts.licence.ok_or(OrderError::LicenceNotFound)?;
            if let Some(order) = fact.reserved_by {
                return Err(OrderError::LicenceChangePending { order });
            }
            (fact.customer, fact.licence, Some(fact.order))
        }
    };
    let partner = facts.standing.map(|standing| standing.partner);
    Ok(OrderEvent::Placed { partner, customer, licence, request, payment, quote, previous_order })
}

/// Where a request is checked and priced.
struct Desk<'a> {
    facts: &'a OrderFacts,
    context: &'a Context,
}

impl<'a> Desk<'a> {
    fn check_buyer(&self) -> Result<(), OrderError> {
        match &self.facts.standing {
            None if self.context.rules.orders.direct_sales => Ok(()),
            None => Err(OrderError::NoDirectSales),
            Some(standing) => match standing.status {
                PartnerStatus::Active | PartnerStatus::Restricted => Ok(()),
                status => Err(OrderError::PartnerNotActive { status }),
            },
        }
    }

    /// A deal counts once, for its own partner and customer, and for what it is about as far as the
    /// articles tell.
    fn check_deal(
        &self,
        deal: DealId,
        customer: &Company,
        scopes: BTreeSet<&ProductScope>,
    ) -> Result<(), OrderError> {
        let buyer = self.facts.standing.as_ref().map(|standing| standing.partner);
        let counts = |fact: &&DealFact| {
            fact.deal == deal
                && Some(fact.partner) == buyer
                && matches!(fact.status, DealStatus::Protected | DealStatus::Won)
        };
        let fact = self.facts.deal.as_ref().filter(counts);
        let fact = fact.ok_or(OrderError::DealDoesNotCount { deal })?;
        if !fact.customer.is_same_as(customer) {
            return Err(OrderError::DealOfAnotherCustomer { deal });
        }
        if !scopes.is_empty() && !scopes.contains(&fact.product_scope) {
            let product_scope = fact.product_scope.clone();
            return Err(OrderError::DealOfAnotherProduct { deal, product_scope });
        }
        match fact.reserved_by {
            Some(order) => Err(OrderError::DealUsed { deal, order }),
            None => Ok(()),
        }
    }

    /// What the ordered articles say that they belong to.
    fn scopes(&self, currency: Currency, items: &[Item]) -> BTreeSet<&'a ProductScope> {
        let list = self.context.rules.price_list(currency);
        let prices = items.iter().filter_map(|item| list?.price(&item.sku));
        prices.filter_map(|price| price.product_scope.as_ref()).collect()
    }

    fn price_new(
        &self,
        currency: Currency,
        items: &[Item],
        starts_on: Day,
        term_months: u32,
    ) -> Result<Quote, OrderError> {
        check_items(self.price_list(currency)?, items)?;
        let rules = &self.context.rules.orders;
        if !(rules.term_months_min.max(1)..=rules.term_months_max).contains(&term_months) {
            return Err(self.term_out_of_range());
        }
        let today = self.context.today;
        if starts_on < today {
            return Err(OrderError::StartInPast { starts_on, today });
        }
        let latest = today.plus_days(START_DAYS_AHEAD_MAX);
        if starts_on > latest {
            return Err(OrderError::StartTooFar { starts_on, latest });
        }
        let ends_on = starts_on.plus_months(term_months).minus_days(1);
        Ok(quote_new(&self.basis(currency), items, starts_on, ends_on)?)
    }

    fn price_renewal(&self, licence: LicenceId, ends_on: Day) -> Result<Quote, OrderError> {
        let licence = self.licence_in_force(licence)?;
        if ends_on <= licence.ends_on {
            return Err(OrderError::RenewalNotLater { ends_on: licence.ends_on });
        }
        self.check_extension(licence, ends_on)?;
        Ok(quote_renewal(&self.basis(licence.currency), licence, ends_on)?)
    }

    fn price_upgrade(
        &self,
        licence: LicenceId,
        items: &[Item],
        ends_on: Option<Day>,
    ) -> Result<Quote, OrderError> {
        let licence = self.licence_in_force(licence)?;
        check_items(self.price_list(licence.currency)?, items)?;
        check_totals(&licence.items, items)?;
        let ends_on = ends_on.unwrap_or(licence.ends_on);
        if ends_on < licence.ends_on {
            return Err(OrderError::RenewalNotLater { ends_on: licence.ends_on });
        }
        self.check_extension(licence, ends_on)?;
        let basis = self.basis(licence.currency);
        Ok(quote_upgrade(&basis, licence, items, self.context.today, ends_on)?)
    }

    /// The licence that the request is about, if it is the buyer's and has not ended.
    fn licence_in_force(&self, licence: LicenceId) -> Result<&'a LicenceFact, OrderError> {
        let buyer = self.facts.standing.as_ref().map(|standing| standing.partner);
        let fact = self.facts.licence.as_ref();
        let fact = fact.filter(|fact| fact.licence == licence && fact.partner == buyer);
        let fact = fact.ok_or(OrderError::LicenceNotFound)?;
        if self.facts.named.is_some() && self.facts.named != fact.partner {
            return Err(OrderError::LicenceOfAnotherPartner { licence });
        }
        if self.context.today > fact.ends_on {
            return Err(OrderError::LicenceEnded { ends_on: fact.ends_on });
        }
        Ok(fact)
    }

    /// An extension may be short, to end with another licence for example, but not endless.
    fn check_extension(&self, licence: &LicenceFact, ends_on: Day) -> Result<(), OrderError> {
        let months_max = self.context.rules.orders.term_months_max;
        if ends_on > licence.ends_on.plus_days(1).plus_months(months_max).minus_days(1) {
            return Err(self.term_out_of_range());
        }
        Ok(())
    }

    fn term_out_of_range(&self) -> OrderError {
        let rules = &self.context.rules.orders;
        let (term_months_min, term_months_max) = (rules.term_months_min, rules.term_months_max);
        OrderError::TermOutOfRange { term_months_min, term_months_max }
    }

    fn price_list(&self, currency: Currency) -> Result<&'a PriceList, OrderError> {
        let list = self.context.rules.price_list(currency);
        list.ok_or(OrderError::NoPriceList { currency })
    }

    fn basis(&self, currency: Currency) -> Basis<'a> {
        Basis {
            rules: &self.context.rules,
            rulebook_version: self.context.rulebook_version,
            currency,
            standing: self.facts.standing.as_ref(),
            servers_managed: self.facts.servers_managed,
            seats_managed: self.facts.seats_managed,
            deal_counts: self.facts.deal.is_some(),
        }
    }
}

/// Whether these articles can be on one licence.
fn check_items(list: &PriceList, items: &[Item]) -> Result<(), OrderError> {
    if items.is_empty() {
        return Err(OrderError::NothingOrdered);
    }
    for (index, item) in items.iter().enumerate() {
        let sku = item.sku.clone();
        if items[..index].iter().any(|earlier| earlier.sku == item.sku) {
            return Err(OrderError::SkuTwice { sku });
        }
        let Some(price) = list.price(&item.sku) else {
            return Err(OrderError::UnknownSku { sku });
        };
        check_quantity(price, item)?;
        if let Some(requires) = price.requires.clone() {
            let is_base = |base: &Item| base.sku == requires && base.quantity >= item.quantity;
            if !items.iter().any(is_base) {
                return Err(OrderError::RequiredArticleMissing { sku, requires });
            }
        }
    }
    Ok(())
}

fn check_quantity(price: &Price, item: &Item) -> Result<(), OrderError> {
    let (sku, quantity, quantity_min) =
        (item.sku.clone(), item.quantity, price.quantity_min.max(1));
    if quantity < quantity_min {
        return Err(OrderError::QuantityTooSmall { sku, quantity, quantity_min });
    }
    if price.unit == PriceUnit::Infrastructure && quantity > quantity_min {
        let problem = format!("`{sku}` is for the whole installation and cannot be had more often");
        return Err(OrderError::InvalidField { field: "items".into(), problem });
    }
    Ok(())
}

/// An upgrade names all articles of the licence with their totals: none less, at least one more.
fn check_totals(before: &[Item], after: &[Item]) -> Result<(), OrderError> {
    let plan_change = |item: &Item| Err(OrderError::PlanChange { sku: item.sku.clone() });
    if let Some(added) = after.iter().find(|item| quantity_in(before, item).is_none()) {
        return plan_change(added);
    }
    if let Some(dropped) = before.iter().find(|item| quantity_in(after, item).is_none()) {
        return plan_change(dropped);
    }
    let is_less = |item: &&Item| quantity_in(after, item) < Some(item.quantity);
    let is_more = |item: &Item| quantity_in(after, item) > Some(item.quantity);
    let unmoved = if before.iter().any(is_more) { None } else { before.first() };
    match before.iter().find(is_less).or(unmoved) {
        Some(Item { sku, quantity }) => {
            Err(OrderError::UpgradeNotMore { sku: sku.clone(), quantity_now: *quantity })
        }
        None => Ok(()),
    }
}

fn quantity_in(items: &[Item], wanted: &Item) -> Option<u32> {
    items.iter().find(|item| item.sku == wanted.sku).map(|item| item.quantity)
}

impl From<PricingError> for OrderError {
    fn from(error: PricingError) -> Self {
        match error {
            PricingError::NoPriceList { currency } => Self::NoPriceList { currency },
            PricingError::UnknownSku { sku } => Self::UnknownSku { sku },
            PricingError::AmountTooLarge => Self::AmountTooLarge,
        }
    }
}
