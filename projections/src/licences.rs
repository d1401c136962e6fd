//! Read model `licences`: what every end customer may use, and until when.

use accord_domain::{
    Day, DomainEvent, LicenceId, Money, OrderId, PartnerId, ProgramId, Timestamp,
    customer::{Company, normalised_name},
    licence::{LicenceEvent, LicenceTerms},
    pricing::Item,
    rulebook::LicenceModel,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page, QueryError, Scope, Views,
    column::word_columns,
    event::Event,
    page::{Conditions, cursor, limit, page},
    row::{record, select},
    tables::{ApplyError, Projection, Tables},
};

pub(crate) const LICENCES: Projection =
    Projection { name: "licences", version: 3, tables: include_str!("licences.sql"), apply };

/// Whether a licence runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LicenceStatus {
    Running,
    Expired,
}

word_columns!(LicenceStatus);

record! {
    /// A licence with its current terms.
    pub struct LicenceRow in "licences" key(id: LicenceId)
        fixed(program, partner, customer, customer_key, model, starts_on, opened, issued_at)
    {
        pub id: LicenceId,
        pub program: ProgramId,
        /// Absent for a direct sale.
        pub partner: Option<PartnerId>,
        pub customer: Company,
        /// Normalised name and country: what makes two licences one customer's.
        #[serde(skip)]
        pub(crate) customer_key: String,
        pub model: LicenceModel,
        pub status: LicenceStatus,
        /// The order that the current terms came from.
        pub order: OrderId,
        /// The renewal or upgrade that was ordered and is neither paid nor cancelled.
        pub reserved_by: Option<OrderId>,
        pub items: Vec<Item>,
        pub seats: u64,
        pub servers: u64,
        /// Monthly recurring revenue.
        pub mrr: Money,
        /// First day of the licence.
        pub starts_on: Day,
        /// First day of the terms that were agreed last; after an early renewal it is to come.
        pub term_starts_on: Day,
        /// Last day of the licence.
        pub ends_on: Day,
        #[serde(skip)]
        pub(crate) opened: u64,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub issued_at: Timestamp,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub updated_at: Timestamp,
        pub revision: u64,
    }
}

/// Which licences; every given field must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LicenceFilter {
    pub partner: Option<PartnerId>,
    pub status: Option<LicenceStatus>,
    /// Licences whose last day is this one or earlier.
    pub ending_by: Option<Day>,
    /// 1 to 200; 50 where absent.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

fn apply(tables: &mut Tables, event: &Event) -> Result<(), ApplyError> {
    let Some(DomainEvent::Licence(body)) = &event.body else { return Ok(()) };
    let id = LicenceId(event.aggregate);
    if let LicenceEvent::Issued { order, partner, customer, model, terms } = body {
        tables.licences.put(LicenceRow {
            id,
            program: event.program.clone(),
            partner: *partner,
            customer: customer.clone(),
            customer_key: format!("{}/{}", customer.country, normalised_name(&customer.name)),
            model: *model,
            status: LicenceStatus::Running,
            order: *order,
            reserved_by: None,
            items: terms.items.clone(),
            seats: terms.seats,
            servers: terms.servers,
            mrr: terms.mrr,
            starts_on: terms.starts_on,
            term_starts_on: terms.starts_on,
            ends_on: terms.ends_on,
            opened: event.position,
            issued_at: event.recorded_at,
            updated_at: event.recorded_at,
            revision: event.revision,
        });
        return Ok(());
    }
    let row = tables.licences.edit(&(id,))?.ok_or(ApplyError::Missing("licence"))?;
    match body {
        LicenceEvent::Issued { .. } => {}
        LicenceEvent::Renewed { order, terms } | LicenceEvent::Upgraded { order, terms } => {
            row.take(*order, terms);
        }
        LicenceEvent::Reserved { order } => row.reserved_by = Some(*order),
        LicenceEvent::ReservationReleased { .. } => row.reserved_by = None,
        LicenceEvent::Expired { .. } => row.status = LicenceStatus::Expired,
    }
    row.updated_at = event.recorded_at;
    row.revision = event.revision;
    Ok(())
}

impl LicenceRow {
    fn take(&mut self, order: OrderId, terms: &LicenceTerms) {
        self.status = LicenceStatus::Running;
        self.order = order;
        self.reserved_by = self.reserved_by.filter(|reserved_by| *reserved_by != order);
        self.items = terms.items.clone();
        self.seats = terms.seats;
        self.servers = terms.servers;
        self.mrr = terms.mrr;
        self.term_starts_on = terms.starts_on;
        self.ends_on = terms.ends_on;
    }
}

impl Views {
    /// Licences, the newest first.
    pub async fn licences(
        &self,
        scope: Scope,
        filter: LicenceFilter,
    ) -> Result<Page<LicenceRow>, QueryError> {
        let limit = limit(filter.limit)?;
        let before: Option<u64> = cursor(filter.cursor.as_deref())?;
        self.query(move |connection| {
            let mut conditions = Conditions::within(&scope);
            conditions.and_some("partner = ?", filter.partner.as_ref());
            conditions.and_some("status = ?", filter.status.as_ref());
            conditions.and_some("ends_on <= ?", filter.ending_by.as_ref());
            conditions.and_some("opened < ?", before.as_ref());
            let tail = conditions.ordered("opened DESC", limit);
            let rows = select(connection, "licences", &tail, &conditions.values)?;
            Ok(page(rows, limit, |row: &LicenceRow| row.opened))
        })
        .await
    }

    /// One licence.
    pub async fn licence(
        &self,
        scope: Scope,
        id: LicenceId,
    ) -> Result<Option<LicenceRow>, QueryError> {
        self.query(move |connection| {
            let mut conditions = Conditions::within(&scope);
            conditions.and("id = ?", &id);
            let rows = select(connection, "licences", conditions.sql(), &conditions.values)?;
            Ok(rows.into_iter().next())
        })
        .await
    }
}

#[cfg(test)]
mod tests;
