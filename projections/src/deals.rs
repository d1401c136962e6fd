//! Read model `deals`: the board of registrations, their protection and how they ended.

use crate::{
    column::word,
    event::Event,
    row::record,
    tables::{ApplyError, Projection, Tables},
};
use accord_domain::{
    ConflictId, Day, DealId, DomainEvent, Money, OpportunityId, PartnerId, ProductScope, ProgramId,
    Subject, Timestamp,
    customer::{Company, normalised_name},
    deal::{DealEvent, DealStatus, ExpiryCause},
};

mod queries;

pub(crate) use queries::by_id;
pub use queries::{DealCount, DealFilter, DealReportRow, NearMatch};

pub(crate) const DEALS: Projection =
    Projection { name: "deals", version: 1, tables: include_str!("deals.sql"), apply };

record! {
    /// A deal registration.
    pub struct DealRow in "deals" key(id: DealId)
        fixed(program, partner, rulebook_version, registered_by, opened, created_at)
        indexed(status: DealStatus, customer_key: String)
    {
        pub id: DealId,
        pub program: ProgramId,
        pub partner: PartnerId,
        pub status: DealStatus,
        pub customer: Company,
        #[serde(skip)]
        pub(crate) customer_key: String,
        pub product_scope: ProductScope,
        pub value: Money,
        pub expected_close: Day,
        /// The version that this case keeps.
        pub rulebook_version: u32,
        pub registered_by: Subject,
        /// Who submitted it last: somebody else validates it.
        pub submitted_by: Option<Subject>,
        #[schemars(with = "Option<String>", extend("format" = "date-time"))]
        pub submitted_at: Option<Timestamp>,
        /// The opportunity's keys that the deal claims.
        pub opportunities: Vec<OpportunityId>,
        pub conflict: Option<ConflictId>,
        /// While contested: the earliest day on which the opportunity can be free.
        pub earliest_free_day: Option<Day>,
        /// The reviewer's last question and the partner's answer to it.
        pub question: Option<String>,
        pub answer: Option<String>,
        pub protected_from: Option<Day>,
        /// Last day of protection.
        pub protected_until: Option<Day>,
        /// Last day for the next activity.
        pub activity_due: Option<Day>,
        pub last_activity: Option<String>,
        pub last_activity_on: Option<Day>,
        pub activities: u32,
        pub extensions: u32,
        /// Why the deal ended, where a reason was given.
        pub outcome_reason: Option<String>,
        pub closed_on: Option<Day>,
        #[serde(skip)]
        pub(crate) opened: u64,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub created_at: Timestamp,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub updated_at: Timestamp,
        pub revision: u64,
    }
}

pub(crate) fn apply(tables: &mut Tables, event: &Event) -> Result<(), ApplyError> {
    let Some(DomainEvent::Deal(body)) = &event.body else { return Ok(()) };
    if let Some(row) = drafted(event, body) {
        tables.deals.put(row);
        return Ok(());
    }
    let row = tables.deals.edit(&(DealId(event.aggregate),))?;
    let row = row.ok_or(ApplyError::Missing("deal"))?;
    registers(row, event, body);
    ends(row, event, body);
    row.updated_at = event.recorded_at;
    row.revision = event.revision;
    Ok(())
}

fn drafted(event: &Event, body: &DealEvent) -> Option<DealRow> {
    let DealEvent::Drafted {
        partner,
        customer,
        product_scope,
        value,
        expected_close,
        rulebook_version,
    } = body
    else {
        return None;
    };
    Some(DealRow {
        id: DealId(event.aggregate),
        program: event.program.clone(),
        partner: *partner,
        status: DealStatus::Draft,
        customer: customer.clone(),
        customer_key: normalised_name(&customer.name),
        product_scope: product_scope.clone(),
        value: *value,
        expected_close: *expected_close,
        rulebook_version: *rulebook_version,
        registered_by: event.actor.clone(),
        submitted_by: None,
        submitted_at: None,
        opportunities: Vec::new(),
        conflict: None,
        earliest_free_day: None,
        question: None,
        answer: None,
        protected_from: None,
        protected_until: None,
        activity_due: None,
        last_activity: None,
        last_activity_on: None,
        activities: 0,
        extensions: 0,
        outcome_reason: None,
        closed_on: None,
        opened: event.position,
        created_at: event.recorded_at,
        updated_at: event.recorded_at,
        revision: event.revision,
    })
}

/// From the draft to the protection.
fn registers(row: &mut DealRow, event: &Event, body: &DealEvent) {
    match body {
        DealEvent::Revised { customer, product_scope, value, expected_close } => {
            row.customer = customer.clone();
            row.customer_key = normalised_name(&customer.name);
            row.product_scope = product_scope.clone();
            row.value = *value;
            row.expected_close = *expected_close;
        }
        DealEvent::Submitted { submitted_by, opportunities, .. } => {
            row.submitted_by = Some(submitted_by.clone());
            row.status = DealStatus::Submitted;
            // A deal that won its conflict claims anew; what counts is when it first came.
            row.submitted_at.get_or_insert(event.recorded_at);
            row.opportunities = opportunities.clone();
            row.earliest_free_day = None;
        }
        DealEvent::ReviewStarted {} => row.status = DealStatus::InReview,
        DealEvent::Contested { conflict, earliest_free_day, .. } => {
            row.status = DealStatus::Contested;
            row.conflict = Some(*conflict);
            row.earliest_free_day = Some(*earliest_free_day);
        }
        DealEvent::InformationRequested { question } => {
            row.status = DealStatus::InformationRequested;
            row.question = Some(question.clone());
            row.answer = None;
        }
        DealEvent::InformationProvided { answer } => {
            row.status = DealStatus::InReview;
            row.answer = Some(answer.clone());
        }
        DealEvent::Protected { from, until, activity_due } => {
            row.status = DealStatus::Protected;
            row.protected_from = Some(*from);
            row.protected_until = Some(*until);
            row.activity_due = Some(*activity_due);
            row.earliest_free_day = None;
        }
        DealEvent::ActivityRecorded { activity, on, activity_due } => {
            row.activities += 1;
            row.last_activity = Some(activity.clone());
            row.last_activity_on = row.last_activity_on.max(Some(*on));
            row.activity_due = Some(*activity_due);
        }
        DealEvent::Extended { until, extension, .. } => {
            row.protected_until = Some(*until);
            row.extensions = *extension;
        }
        _ => {}
    }
}

fn ends(row: &mut DealRow, event: &Event, body: &DealEvent) {
    let (status, reason, closed_on) = match body {
        DealEvent::Rejected { reason, .. } => {
            (DealStatus::Rejected, Some(reason.to_string()), event.day())
        }
        DealEvent::Withdrawn { reason } => {
            (DealStatus::Withdrawn, Some(reason.clone()), event.day())
        }
        DealEvent::Won { closed_on, value } => {
            row.value = *value;
            (DealStatus::Won, None, *closed_on)
        }
        DealEvent::Lost { reason } => (DealStatus::Lost, Some(reason.clone()), event.day()),
        DealEvent::Revoked { reason } => (DealStatus::Revoked, Some(reason.clone()), event.day()),
        DealEvent::Released { statement } => {
            (DealStatus::Released, Some(statement.clone()), event.day())
        }
        DealEvent::Expired { cause, ended_on } => {
            (DealStatus::Expired, Some(word::<ExpiryCause>(cause)), *ended_on)
        }
        _ => return,
    };
    row.status = status;
    row.outcome_reason = reason;
    row.closed_on = Some(closed_on);
}

#[cfg(test)]
mod tests;
