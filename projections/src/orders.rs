//! Read model `orders`: what was ordered, at which price, and whether it is paid.

use accord_domain::{
    Day, DomainEvent, LicenceId, Money, OrderId, PartnerId, ProgramId, Timestamp,
    customer::Company,
    order::{OrderEvent, OrderRequest, OrderStatus},
    pricing::Quote,
    rulebook::PaymentMethod,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page, QueryError, Scope, Views,
    column::{RawJson, word_columns},
    event::Event,
    page::{Conditions, cursor, limit, page},
    row::{record, select},
    tables::{ApplyError, Projection, Tables},
};

pub(crate) const ORDERS: Projection =
    Projection { name: "orders", version: 2, tables: include_str!("orders.sql"), apply };

/// What an order is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OrderKind {
    New,
    Renew,
    Upgrade,
}

word_columns!(OrderKind);

record! {
    /// An order with its quote.
    pub struct OrderRow in "orders" key(id: OrderId)
        fixed(
            program, partner, customer, licence, kind, payment, total, request, quote,
            previous_order, opened, placed_at
        )
    {
        pub id: OrderId,
        pub program: ProgramId,
        /// Absent for a direct sale.
        pub partner: Option<PartnerId>,
        pub customer: Company,
        /// The licence that the order renews, upgrades or, once complete, creates.
        pub licence: LicenceId,
        pub kind: OrderKind,
        pub status: OrderStatus,
        pub payment: PaymentMethod,
        pub total: Money,
        #[schemars(with = "OrderRequest")]
        pub request: RawJson,
        #[schemars(with = "Quote")]
        pub quote: RawJson,
        pub previous_order: Option<OrderId>,
        /// The order that renewed this one's licence.
        pub renewal: Option<OrderId>,
        pub paid_on: Option<Day>,
        pub payment_reference: Option<String>,
        pub cancel_reason: Option<String>,
        /// The order that changes the licence instead, where this one was refused for it.
        pub refused_for: Option<OrderId>,
        #[serde(skip)]
        pub(crate) opened: u64,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub placed_at: Timestamp,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub updated_at: Timestamp,
        pub revision: u64,
    }
}

/// Which orders; every given field must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderFilter {
    pub partner: Option<PartnerId>,
    pub licence: Option<LicenceId>,
    pub status: Option<OrderStatus>,
    /// 1 to 200; 50 where absent.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

fn apply(tables: &mut Tables, event: &Event) -> Result<(), ApplyError> {
    let Some(DomainEvent::Order(body)) = &event.body else { return Ok(()) };
    if let Some(row) = placed(event, body) {
        tables.orders.put(row);
        return Ok(());
    }
    let row = tables.orders.edit(&(OrderId(event.aggregate),))?;
    let row = row.ok_or(ApplyError::Missing("order"))?;
    match body {
        OrderEvent::Placed { .. } => {}
        OrderEvent::Completed { paid_on, reference } => {
            row.status = OrderStatus::Complete;
            row.paid_on = Some(*paid_on);
            row.payment_reference = Some(reference.clone());
        }
        OrderEvent::Cancelled { reason } => {
            row.status = OrderStatus::Cancelled;
            row.cancel_reason = Some(reason.clone());
        }
        OrderEvent::Refused { reserved_by } => {
            row.status = OrderStatus::Cancelled;
            row.refused_for = Some(*reserved_by);
        }
        OrderEvent::Renewed { renewal } => {
            row.status = OrderStatus::Renewed;
            row.renewal = Some(*renewal);
        }
    }
    row.updated_at = event.recorded_at;
    row.revision = event.revision;
    Ok(())
}

fn placed(event: &Event, body: &OrderEvent) -> Option<OrderRow> {
    let OrderEvent::Placed { partner, customer, licence, request, payment, quote, previous_order } =
        body
    else {
        return None;
    };
    Some(OrderRow {
        id: OrderId(event.aggregate),
        program: event.program.clone(),
        partner: *partner,
        customer: customer.clone(),
        licence: *licence,
        kind: match request {
            OrderRequest::New { .. } => OrderKind::New,
            OrderRequest::Renew { .. } => OrderKind::Renew,
            OrderRequest::Upgrade { .. } => OrderKind::Upgrade,
        },
        status: OrderStatus::Pending,
        payment: *payment,
        total: quote.total,
        request: RawJson::of(request),
        quote: RawJson::of(quote),
        previous_order: *previous_order,
        renewal: None,
        paid_on: None,
        payment_reference: None,
        cancel_reason: None,
        refused_for: None,
        opened: event.position,
        placed_at: event.recorded_at,
        updated_at: event.recorded_at,
        revision: event.revision,
    })
}

impl Views {
    /// Orders, the newest first.
    pub async fn orders(
        &self,
        scope: Scope,
        filter: OrderFilter,
    ) -> Result<Page<OrderRow>, QueryError> {
        let limit = limit(filter.limit)?;
        let before: Option<u64> = cursor(filter.cursor.as_deref())?;
        self.query(move |connection| {
            let mut conditions = Conditions::within(&scope);
            conditions.and_some("partner = ?", filter.partner.as_ref());
            conditions.and_some("licence = ?", filter.licence.as_ref());
            conditions.and_some("status = ?", filter.status.as_ref());
            conditions.and_some("opened < ?", before.as_ref());
            let tail = conditions.ordered("opened DESC", limit);
            let rows = select(connection, "orders", &tail, &conditions.values)?;
            Ok(page(rows, limit, |row: &OrderRow| row.opened))
        })
        .await
    }

    /// One order.
    pub async fn order(&self, scope: Scope, id: OrderId) -> Result<Option<OrderRow>, QueryError> {
        self.query(move |connection| {
            let mut conditions = Conditions::within(&scope);
            conditions.and("id = ?", &id);
            let rows = select(connection, "orders", conditions.sql(), &conditions.values)?;
            Ok(rows.into_iter().next())
        })
        .await
    }
}

#[cfg(test)]
mod tests;
