//! Pricing: from what is ordered to what is paid, with every line of the calculation.
//!
//! A term is whole calendar months plus days; a day counts as its share of the month in which the
//! rest of the term lies. Discount rates are added. Amounts stay exact until the total, which is
//! rounded once, half to even.

mod discount;
mod term;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use term::term_months;

use crate::order::LicenceFact;
use crate::partner::PartnerStanding;
use crate::rulebook::{Price, PriceList, PricePeriod, Rulebook};
use crate::{Currency, Day, Money, Rate, Sku};
use discount::Volume;
use term::Term;

/// Digits after the point of a line's amount, in minor units. Days of a month make fractions that
/// never end; cut here they stay far below anything that rounding could see.
const FRACTION_DIGITS: u32 = 12;

/// Largest amount of a line in minor units; beyond it the fraction would lose digits.
const AMOUNT_MINOR_MAX: i64 = 100_000_000_000_000;

/// What is ordered of one article.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    pub sku: Sku,
    /// Total quantity, also in an upgrade: 10 licensed and 5 more are 15.
    #[schemars(range(min = 1))]
    pub quantity: u32,
}

/// One line of a calculation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteLine {
    pub kind: QuoteLineKind,
    /// The calculation in words, for example `50 x 20.00 EUR x 12 months`.
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// Exact amount in minor units, negative for a reduction.
    #[schemars(with = "String")]
    pub amount_minor: Decimal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QuoteLineKind {
    List,
    LevelDiscount,
    VolumeBonus,
    PartnerAdjustment,
    DealDiscount,
    Rounding,
}

/// What an order costs, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    pub lines: Vec<QuoteLine>,
    /// The sum of all discount rates that apply.
    pub discount: Rate,
    pub total: Money,
    /// Monthly recurring revenue of the licence after the order.
    pub mrr: Money,
    pub starts_on: Day,
    /// Last day of the term, included.
    pub ends_on: Day,
    pub seats: u64,
    pub servers: u64,
    /// The whole contents of the licence after the order.
    pub items: Vec<Item>,
    pub rulebook_version: u32,
}

/// What a price depends on besides articles and terms.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    pub rules: &'a Rulebook,
    pub rulebook_version: u32,
    pub currency: Currency,
    /// The partner that orders; absent for a direct sale, which gets no partner's discount.
    pub standing: Option<&'a PartnerStanding>,
    /// Servers and seats over the partner's licences in force, without this order.
    pub servers_managed: u64,
    pub seats_managed: u64,
    /// Whether the order comes from a deal of the partner that is protected or won.
    pub deal_counts: bool,
}

/// Why there is no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PricingError {
    #[error("the program has no price list in {currency}")]
    NoPriceList { currency: Currency },
    #[error("the price list has no article `{sku}`")]
    UnknownSku { sku: Sku },
    #[error("the amount is too large")]
    AmountTooLarge,
}

/// Prices a new licence over its whole term.
pub fn quote_new(
    basis: &Basis<'_>,
    items: &[Item],
    starts_on: Day,
    ends_on: Day,
) -> Result<Quote, PricingError> {
    let list = basis.list()?;
    let term = Term::between(starts_on, ends_on);
    let charges = charges(list, items, &term, "")?;
    basis.quote(charges, Change { before: &[], after: items, starts_on, ends_on })
}

/// Prices a licence as it is, from the day after its end to a later one.
pub fn quote_renewal(
    basis: &Basis<'_>,
    licence: &LicenceFact,
    ends_on: Day,
) -> Result<Quote, PricingError> {
    let list = basis.list()?;
    let starts_on = licence.ends_on.plus_days(1);
    let term = Term::between(starts_on, ends_on);
    let items = &licence.items;
    let charges = charges(list, items, &term, "")?;
    basis.quote(charges, Change { before: items, after: items, starts_on, ends_on })
}

/// Prices new total quantities: what is added for the rest of the term from `from` on, and
/// everything for the time after it, if the licence also gets a later end.
pub fn quote_upgrade(
    basis: &Basis<'_>,
    licence: &LicenceFact,
    items: &[Item],
    from: Day,
    ends_on: Day,
) -> Result<Quote, PricingError> {
    let list = basis.list()?;
    let starts_on = from.max(licence.starts_on);
    let added: Vec<Item> = items.iter().filter_map(|item| item.more_than(&licence.items)).collect();
    let rest = Term::between(starts_on, licence.ends_on);
    let mut charged = charges(list, &added, &rest, " more")?;
    if ends_on > licence.ends_on {
        let extension = Term::between(licence.ends_on.plus_days(1), ends_on);
        charged.extend(charges(list, items, &extension, "")?);
    }
    let change = Change { before: &licence.items, after: items, starts_on, ends_on };
    basis.quote(charged, change)
}

/// What an order does to a licence's contents.
struct Change<'a> {
    before: &'a [Item],
    after: &'a [Item],
    starts_on: Day,
    ends_on: Day,
}

impl Item {
    /// What this item adds to what is there already.
    fn more_than(&self, before: &[Item]) -> Option<Item> {
        let quantity_now = before.iter().find(|item| item.sku == self.sku);
        let quantity = self.quantity.checked_sub(quantity_now.map_or(0, |item| item.quantity))?;
        (quantity > 0).then(|| Item { sku: self.sku.clone(), quantity })
    }
}

/// One list line for each item over a term.
fn charges(
    list: &PriceList,
    items: &[Item],
    term: &Term,
    what: &str,
) -> Result<Vec<QuoteLine>, PricingError> {
    let charge = |item: &Item| {
        let price = find(list, &item.sku)?;
        let exact = list_price(price, item.quantity, term.months())?;
        let unit = Money::new(price.amount_minor, list.currency);
        let (quantity, per) = (item.quantity, period_words(price.period));
        Ok(QuoteLine {
            kind: QuoteLineKind::List,
            text: format!("{quantity}{what} x {unit}{per} x {term}"),
            sku: Some(item.sku.clone()),
            rate: None,
            amount_minor: line_amount(exact)?,
        })
    };
    items.iter().map(charge).collect()
}

fn find<'a>(list: &'a PriceList, sku: &Sku) -> Result<&'a Price, PricingError> {
    list.price(sku).ok_or_else(|| PricingError::UnknownSku { sku: sku.clone() })
}

fn period_words(period: PricePeriod) -> &'static str {
    match period {
        PricePeriod::Month => "",
        PricePeriod::Year => " a year",
    }
}

/// List price of a quantity over a number of months, exact in minor units: divided last.
fn list_price(price: &Price, quantity: u32, months: Decimal) -> Result<Decimal, PricingError> {
    let period_months = match price.period {
        PricePeriod::Month => Decimal::ONE,
        PricePeriod::Year => Decimal::from(12),
    };
    let amount = Decimal::from(price.amount_minor).checked_mul(quantity.into());
    let amount = amount.and_then(|amount| amount.checked_mul(months));
    amount.and_then(|amount| amount.checked_div(period_months)).ok_or(PricingError::AmountTooLarge)
}

fn line_amount(exact: Decimal) -> Result<Decimal, PricingError> {
    if exact.abs() > AMOUNT_MINOR_MAX.into() {
        return Err(PricingError::AmountTooLarge);
    }
    Ok(exact.round_dp(FRACTION_DIGITS).normalize())
}

/// The total of exact amounts. Sums of cut fractions may miss a half by their last digits, so these
/// go first; a whole minor unit is decided once, half to even.
fn rounded(exact: Decimal, currency: Currency) -> Result<Money, PricingError> {
    let seen = exact.round_dp(FRACTION_DIGITS - 2);
    Money::round(seen, currency).map_err(|_| PricingError::AmountTooLarge)
}

impl Basis<'_> {
    fn list(&self) -> Result<&PriceList, PricingError> {
        let currency = self.currency;
        self.rules.price_list(currency).ok_or(PricingError::NoPriceList { currency })
    }

    /// List lines, reductions, rounding.
    fn quote(&self, mut lines: Vec<QuoteLine>, change: Change<'_>) -> Result<Quote, PricingError> {
        let list = self.list()?;
        let (before, after) = (Volume::of(list, change.before)?, Volume::of(list, change.after)?);
        let listed: Decimal = lines.iter().map(|line| line.amount_minor).sum();
        let managed = Volume {
            servers: self
                .servers_managed
                .saturating_add(after.servers)
                .saturating_sub(before.servers),
            seats: self.seats_managed.saturating_add(after.seats).saturating_sub(before.seats),
        };
        let mut discount = Decimal::ZERO;
        for part in self.discounts(managed) {
            discount += part.rate.0;
            lines.push(QuoteLine {
                kind: part.kind,
                text: part.text,
                sku: None,
                rate: Some(part.rate),
                amount_minor: line_amount(-(listed * part.rate.0))?,
            });
        }
        let exact: Decimal = lines.iter().map(|line| line.amount_minor).sum();
        let total = rounded(exact, self.currency)?;
        if total.exact() != exact {
            lines.push(QuoteLine {
                kind: QuoteLineKind::Rounding,
                text: format!("rounded half to even to {total}"),
                sku: None,
                rate: None,
                amount_minor: (total.exact() - exact).normalize(),
            });
        }
        Ok(Quote {
            lines,
            discount: Rate(discount.normalize()),
            total,
            mrr: self.mrr(change.after, discount)?,
            starts_on: change.starts_on,
            ends_on: change.ends_on,
            seats: after.seats,
            servers: after.servers,
            items: change.after.to_vec(),
            rulebook_version: self.rulebook_version,
        })
    }

    /// What the whole licence brings in a month.
    fn mrr(&self, items: &[Item], discount: Decimal) -> Result<Money, PricingError> {
        let list = self.list()?;
        let mut monthly = Decimal::ZERO;
        for item in items {
            let price = list_price(find(list, &item.sku)?, item.quantity, Decimal::ONE)?;
            monthly += line_amount(price)?;
        }
        rounded(monthly * (Decimal::ONE - discount), self.currency)
    }
}

#[cfg(test)]
mod tests;
