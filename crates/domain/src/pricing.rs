//! Pricing: from what is ordered to what is paid, with every line of the calculation.
//!
//! A term is whole calendar months plus days; a day counts as its share of the month in which the
//! rest of the term lies. Discount rates are added. Amounts stay exact until the total, which is
//! rounded once, half to even.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Day, Money, Rate, Sku};

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
