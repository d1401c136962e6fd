//! Order: a priced request for a licence, pending until paid.
//!
//! PENDING -> COMPLETE (-> RENEWED once a renewal of its licence completes), or cancelled. The
//! quote stands in the order with every line of its calculation and is never recomputed.

mod placing;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use placing::quote;

use crate::customer::Company;
use crate::deal::DealStatus;
use crate::partner::{PartnerStanding, PartnerStatus};
use crate::pricing::{Item, Quote};
use crate::rulebook::PaymentMethod;
use crate::text::{check_reason, check_text_up_to};
use crate::wording::word;
use crate::{
    Aggregate, Context, Currency, Day, DealId, LicenceId, OrderId, PartnerId, ProductScope,
    Refusal, RefusalKind, Sku, aggregate,
};

/// Longest reference of a payment, in characters.
const REFERENCE_CHARS_MAX: usize = 200;

/// What is wanted; the same for a quote and for the order made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum OrderRequest {
    /// A new subscription for one end customer.
    New {
        customer: Company,
        #[schemars(with = "String")]
        currency: Currency,
        items: Vec<Item>,
        starts_on: Day,
        term_months: u32,
        /// A won or protected deal of this partner, for its extra discount.
        #[serde(default)]
        deal: Option<DealId>,
    },
    /// A new last day for a licence.
    Renew { licence: LicenceId, ends_on: Day },
    /// New total quantities for the rest of the term, optionally with a later last day.
    Upgrade {
        licence: LicenceId,
        items: Vec<Item>,
        #[serde(default)]
        ends_on: Option<Day>,
    },
}

/// Facts from other streams that pricing needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderFacts {
    /// Absent for a direct sale.
    pub standing: Option<PartnerStanding>,
    /// Servers and seats over the partner's licences in force, without this order.
    pub servers_managed: u64,
    pub seats_managed: u64,
    /// The licence that a renewal or an upgrade is about.
    pub licence: Option<LicenceFact>,
    /// The deal that the request names, if there is one.
    pub deal: Option<DealFact>,
    /// The partner that the caller names, whoever it is.
    pub named: Option<PartnerId>,
}

/// A deal as its own stream has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DealFact {
    pub deal: DealId,
    pub partner: PartnerId,
    pub status: DealStatus,
    pub customer: Company,
    pub product_scope: ProductScope,
    /// The pending or completed order that has the deal's discount.
    pub reserved_by: Option<OrderId>,
}

/// A licence as its own stream has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LicenceFact {
    pub licence: LicenceId,
    pub partner: Option<PartnerId>,
    pub customer: Company,
    #[schemars(with = "String")]
    pub currency: Currency,
    pub items: Vec<Item>,
    pub starts_on: Day,
    pub ends_on: Day,
    /// The order that the licence came from last.
    pub order: OrderId,
    /// A renewal or an upgrade that was ordered and is neither paid nor cancelled.
    pub reserved_by: Option<OrderId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(clippy::large_enum_variant, reason = "placing is what most of them are")]
pub enum OrderCommand {
    /// Places an order at the price that the quote shows.
    Place {
        request: OrderRequest,
        payment: PaymentMethod,
        facts: OrderFacts,
    },
    /// The payment has arrived: the licence is issued, renewed or upgraded.
    Complete {
        paid_on: Day,
        reference: String,
        /// The day of the order, by its own stream.
        placed_on: Day,
    },
    Cancel {
        reason: String,
    },
    /// A renewal of this order's licence is complete (by policy only).
    MarkRenewed {
        renewal: OrderId,
    },
    /// Another order for the same licence or of the same deal came first, at the same moment (by
    /// policy only).
    Refuse {
        reserved_by: OrderId,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(clippy::large_enum_variant, reason = "placing is what most of them are")]
pub enum OrderEvent {
    #[serde(rename = "OrderPlaced")]
    Placed {
        partner: Option<PartnerId>,
        customer: Company,
        /// The licence that the order renews, upgrades or, once complete, creates.
        licence: LicenceId,
        request: OrderRequest,
        payment: PaymentMethod,
        quote: Quote,
        /// The order that this one succeeds, for a renewal or an upgrade.
        previous_order: Option<OrderId>,
    },
    #[serde(rename = "OrderCompleted")]
    Completed { paid_on: Day, reference: String },
    #[serde(rename = "OrderCancelled")]
    Cancelled { reason: String },
    #[serde(rename = "OrderRenewed")]
    Renewed { renewal: OrderId },
    #[serde(rename = "OrderRefused")]
    Refused { reserved_by: OrderId },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum OrderError {
    #[error("the order does not exist")]
    OrderNotFound,
    #[error("the order already exists")]
    OrderAlreadyExists,
    #[error("an order that is {} cannot do this", word(.status))]
    OrderWrongStatus { status: OrderStatus },
    #[error("this program sells through partners only")]
    NoDirectSales,
    #[error("a partner that is {} cannot place orders", word(.status))]
    PartnerNotActive { status: PartnerStatus },
    #[error("payment by {} is not offered", word(.payment))]
    PaymentNotOffered { payment: PaymentMethod },
    #[error("the program has no price list in {currency}")]
    NoPriceList {
        #[schemars(with = "String")]
        currency: Currency,
    },
    #[error("the price list has no article `{sku}`")]
    UnknownSku { sku: Sku },
    #[error("`{sku}` is listed twice")]
    SkuTwice { sku: Sku },
    #[error("an order needs at least one article")]
    NothingOrdered,
    #[error("`{sku}` is sold from {quantity_min} on, not {quantity}")]
    QuantityTooSmall { sku: Sku, quantity: u32, quantity_min: u32 },
    #[error("`{sku}` needs `{requires}` in at least the same quantity")]
    RequiredArticleMissing { sku: Sku, requires: Sku },
    #[error("a term is {term_months_min} to {term_months_max} months")]
    TermOutOfRange { term_months_min: u32, term_months_max: u32 },
    #[error("a term cannot start on {starts_on}, before today, {today}")]
    StartInPast { starts_on: Day, today: Day },
    #[error("a term starts on {latest} at the latest, not on {starts_on}")]
    StartTooFar { starts_on: Day, latest: Day },
    #[error("the licence does not exist or is another partner's")]
    LicenceNotFound,
    #[error("the licence ended on {ends_on}")]
    LicenceEnded { ends_on: Day },
    #[error("a renewal ends after the licence's {ends_on}")]
    RenewalNotLater { ends_on: Day },
    #[error("an upgrade of `{sku}` names the new total, more than {quantity_now}")]
    UpgradeNotMore { sku: Sku, quantity_now: u32 },
    #[error("an upgrade cannot add or drop `{sku}`; that is a change of plan")]
    PlanChange { sku: Sku },
    #[error("order {order} changes the licence and is still pending; pay or cancel it first")]
    LicenceChangePending { order: OrderId },
    #[error("the licence is another partner's than the one named")]
    LicenceOfAnotherPartner { licence: LicenceId },
    #[error("the deal does not count for this order")]
    DealDoesNotCount { deal: DealId },
    #[error("the deal is about another customer than the order")]
    DealOfAnotherCustomer { deal: DealId },
    #[error("the deal is about `{product_scope}`, and nothing ordered belongs to that")]
    DealOfAnotherProduct { deal: DealId, product_scope: ProductScope },
    #[error("order {order} has the deal's discount already")]
    DealUsed { deal: DealId, order: OrderId },
    #[error("the amount is too large")]
    AmountTooLarge,
    #[error("`{field}` is not usable: {problem}")]
    InvalidField { field: String, problem: String },
    #[error("{paid_on} is in the future; today is {today}")]
    PaymentInFuture { paid_on: Day, today: Day },
    #[error("{paid_on} is before the day of the order, {placed_on}")]
    PaymentBeforeOrder { paid_on: Day, placed_on: Day },
    #[error("a reason is required")]
    ReasonMissing,
}

impl Refusal for OrderError {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::OrderNotFound => RefusalKind::NotFound,
            Self::NoPriceList { .. }
            | Self::UnknownSku { .. }
            | Self::SkuTwice { .. }
            | Self::NothingOrdered
            | Self::InvalidField { .. }
            | Self::ReasonMissing => RefusalKind::InvalidValue,
            _ => RefusalKind::Rule,
        }
    }
}

#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStatus {
    #[default]
    Unknown,
    Pending,
    Complete,
    Renewed,
    Cancelled,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    pub status: OrderStatus,
    /// Present once placed.
    pub placed: Option<PlacedOrder>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedOrder {
    pub partner: Option<PartnerId>,
    pub customer: Company,
    pub licence: LicenceId,
    pub request: OrderRequest,
    pub quote: Quote,
    pub previous_order: Option<OrderId>,
    /// What the payment was known by, once it has arrived.
    pub payment_reference: Option<String>,
    /// The order that changes the licence instead of this one.
    pub refused_for: Option<OrderId>,
}

impl aggregate::Event for OrderEvent {}

impl Aggregate for Order {
    const CATEGORY: &'static str = "order";
    type Command = OrderCommand;
    type Event = OrderEvent;
    type Error = OrderError;

    fn decide(
        &self,
        command: OrderCommand,
        context: &Context,
    ) -> Result<Vec<OrderEvent>, OrderError> {
        match command {
            OrderCommand::Place { request, payment, facts } => {
                if self.placed.is_some() {
                    return Err(OrderError::OrderAlreadyExists);
                }
                Ok(vec![placing::place(request, payment, facts, context)?])
            }
            OrderCommand::Complete { paid_on, reference, placed_on } => {
                self.complete((paid_on, placed_on), reference, context)
            }
            OrderCommand::Cancel { reason } => self.cancel(reason),
            OrderCommand::MarkRenewed { renewal } => self.mark_renewed(renewal),
            OrderCommand::Refuse { reserved_by } => self.refuse(reserved_by),
        }
    }

    fn evolve(mut self, event: &OrderEvent) -> Self {
        match event {
            OrderEvent::Placed {
                partner,
                customer,
                licence,
                request,
                quote,
                previous_order,
                payment: _,
            } => {
                self.status = OrderStatus::Pending;
                self.placed = Some(PlacedOrder {
                    partner: *partner,
                    customer: customer.clone(),
                    licence: *licence,
                    request: request.clone(),
                    quote: quote.clone(),
                    previous_order: *previous_order,
                    payment_reference: None,
                    refused_for: None,
                });
            }
            OrderEvent::Completed { reference, .. } => {
                self.status = OrderStatus::Complete;
                if let Some(placed) = &mut self.placed {
                    placed.payment_reference = Some(reference.clone());
                }
            }
            OrderEvent::Cancelled { .. } => self.status = OrderStatus::Cancelled,
            OrderEvent::Renewed { .. } => self.status = OrderStatus::Renewed,
            OrderEvent::Refused { reserved_by } => {
                self.status = OrderStatus::Cancelled;
                if let Some(placed) = &mut self.placed {
                    placed.refused_for = Some(*reserved_by);
                }
            }
        }
        self
    }

    fn partner(&self) -> Option<PartnerId> {
        self.placed.as_ref()?.partner
    }

    fn rulebook_version(&self) -> Option<u32> {
        self.placed.as_ref().map(|placed| placed.quote.rulebook_version)
    }
}

impl Order {
    fn complete(
        &self,
        (paid_on, placed_on): (Day, Day),
        reference: String,
        context: &Context,
    ) -> Result<Vec<OrderEvent>, OrderError> {
        let placed = self.placed.as_ref().ok_or(OrderError::OrderNotFound)?;
        if placed.payment_reference.as_ref() == Some(&reference) {
            return Ok(Vec::new());
        }
        self.expect(OrderStatus::Pending)?;
        check_text_up_to("reference", &reference, REFERENCE_CHARS_MAX)?;
        let today = context.today;
        if paid_on > today {
            return Err(OrderError::PaymentInFuture { paid_on, today });
        }
        if paid_on < placed_on {
            return Err(OrderError::PaymentBeforeOrder { paid_on, placed_on });
        }
        Ok(vec![OrderEvent::Completed { paid_on, reference }])
    }

    fn cancel(&self, reason: String) -> Result<Vec<OrderEvent>, OrderError> {
        if self.status == OrderStatus::Cancelled {
            return Ok(Vec::new());
        }
        self.expect(OrderStatus::Pending)?;
        check_reason(&reason, OrderError::ReasonMissing)?;
        Ok(vec![OrderEvent::Cancelled { reason }])
    }

    fn mark_renewed(&self, renewal: OrderId) -> Result<Vec<OrderEvent>, OrderError> {
        if self.status == OrderStatus::Renewed {
            return Ok(Vec::new());
        }
        self.expect(OrderStatus::Complete)?;
        Ok(vec![OrderEvent::Renewed { renewal }])
    }

    fn refuse(&self, reserved_by: OrderId) -> Result<Vec<OrderEvent>, OrderError> {
        if self.placed.as_ref().is_some_and(|placed| placed.refused_for == Some(reserved_by)) {
            return Ok(Vec::new());
        }
        self.expect(OrderStatus::Pending)?;
        Ok(vec![OrderEvent::Refused { reserved_by }])
    }

    fn expect(&self, expected: OrderStatus) -> Result<(), OrderError> {
        match self.status {
            status if status == expected => Ok(()),
            OrderStatus::Unknown => Err(OrderError::OrderNotFound),
            status => Err(OrderError::OrderWrongStatus { status }),
        }
    }
}

#[cfg(test)]
mod tests;
