//! Licences, orders, price lists and discounts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Currency, LevelId, ProductScope, Rate, Sku, TrackId};

/// Licence models of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LicenceRules {
    pub models: Vec<LicenceModel>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LicenceModel {
    Trial,
    Subscription,
    Perpetual,
    Metered,
    NotForResale,
    InternalUse,
}

/// Rules of orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderRules {
    /// Whether the vendor also sells to customers without a partner.
    pub direct_sales: bool,
    pub payment_methods: Vec<PaymentMethod>,
    /// Shortest and longest term of a subscription in months.
    pub term_months_min: u32,
    pub term_months_max: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentMethod {
    /// Paid at once by card.
    PayNow,
    BankTransfer,
    /// On the partner's monthly invoice.
    Invoice,
}

/// The official prices in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceList {
    #[schemars(with = "String")]
    pub currency: Currency,
    pub prices: Vec<Price>,
}

impl PriceList {
    pub fn price(&self, sku: &Sku) -> Option<&Price> {
        self.prices.iter().find(|price| price.sku == *sku)
    }
}

/// One article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub sku: Sku,
    pub name: String,
    pub unit: PriceUnit,
    pub period: PricePeriod,
    /// Price of one unit for one period, in minor units of the list's currency.
    pub amount_minor: i64,
    /// Smallest quantity that can be ordered.
    pub quantity_min: u32,
    /// The article that must be on the same licence, in at least the same quantity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires: Option<Sku>,
    /// What the article belongs to, where a deal's discount is only for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_scope: Option<ProductScope>,
    /// Whether its quantity counts as deployed seats (editions do, add-ons do not).
    #[serde(default)]
    pub counts_as_seats: bool,
    /// Whether its quantity counts as managed servers.
    #[serde(default)]
    pub counts_as_servers: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PriceUnit {
    Mailbox,
    User,
    Server,
    /// Once for the whole installation.
    Infrastructure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PricePeriod {
    Month,
    Year,
}

/// Reductions of the list price. Rates of all kinds that apply are added, never multiplied.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Discounts {
    /// Base rate by level. Empty where levels carry no price effect.
    #[serde(default)]
    pub levels: Vec<LevelDiscount>,
    /// Bonus by volume; the highest threshold reached counts.
    #[serde(default)]
    pub volume: Vec<VolumeBonus>,
    /// Largest total rate, whatever adds up; absent means 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_max: Option<Rate>,
    /// Largest per-partner adjustment, up or down; absent means that none is possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjustment_max: Option<Rate>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelDiscount {
    pub track: TrackId,
    pub level: LevelId,
    pub rate: Rate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolumeBonus {
    pub measure: VolumeMeasure,
    pub at_least: u64,
    pub rate: Rate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VolumeMeasure {
    /// Servers managed by the partner over all its clients, the order included.
    Servers,
    /// Seats of the partner over all its customers, the order included.
    Seats,
}
