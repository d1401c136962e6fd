//! Read model `conflicts`: two registrations of one opportunity, and how it was resolved.

use accord_domain::{
    ConflictId, Day, DealId, DomainEvent, OpportunityId, PartnerId, ProgramId, ReasonCode, Subject,
    Timestamp,
    customer::{Company, normalised_domain, normalised_name, normalised_tax_id},
    opportunity::{ConflictEnd, OpportunityEvent},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page, QueryError, Scope, Views,
    column::word_columns,
    deals::{self, DealRow},
    event::Event,
    page::{Conditions, cursor, limit, page},
    row::{record, select},
    tables::{ApplyError, Projection, Tables},
};

pub(crate) const CONFLICTS: Projection =
    Projection { name: "conflicts", version: 2, tables: include_str!("conflicts.sql"), apply };

/// How far a conflict has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictStatus {
    Open,
    Escalated,
    Resolved,
    /// One of the registrations ended before there was a resolution.
    Closed,
}

word_columns!(ConflictStatus, ConflictEnd);

record! {
    /// A conflict between two registrations of one opportunity.
    pub struct ConflictRow in "conflicts" key(id: ConflictId) {
        pub id: ConflictId,
        pub program: ProgramId,
        /// The key that both registrations claim.
        pub opportunity: OpportunityId,
        pub status: ConflictStatus,
        /// The deal that came first.
        pub holder: DealId,
        pub holder_partner: PartnerId,
        pub contender: DealId,
        pub contender_partner: PartnerId,
        pub opened_on: Day,
        /// The earliest day on which the opportunity can be free, as known when the conflict arose.
        pub earliest_free_day: Day,
        pub escalated_to: Option<String>,
        pub escalation_reason: Option<String>,
        pub winner: Option<DealId>,
        pub loser: Option<DealId>,
        /// The named rule of the resolution.
        pub rule: Option<ReasonCode>,
        pub resolution_reason: Option<String>,
        pub resolved_by: Option<Subject>,
        #[schemars(with = "Option<String>", extend("format" = "date-time"))]
        pub resolved_at: Option<Timestamp>,
        /// Whose registration ended, where there was nothing left to resolve.
        pub closed_because: Option<ConflictEnd>,
        #[serde(skip)]
        pub(crate) opened: u64,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub opened_at: Timestamp,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub updated_at: Timestamp,
        /// Revision of the opportunity's stream.
        pub revision: u64,
    }
}

/// Everything a neutral person needs to resolve a conflict: both registrations with their times and
/// activity, and what they have in common. Not for partners: each would see the other's deal.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ConflictDossier {
    pub conflict: ConflictRow,
    pub holder: Option<DealRow>,
    pub contender: Option<DealRow>,
    pub matches: Vec<CustomerMatch>,
}

/// What two customers have in common once normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CustomerMatch {
    Name,
    Domain,
    TaxId,
}

/// Which conflicts; every given field must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConflictFilter {
    pub status: Option<ConflictStatus>,
    /// A partner on either side.
    pub partner: Option<PartnerId>,
    /// 1 to 200; 50 where absent.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

fn apply(tables: &mut Tables, event: &Event) -> Result<(), ApplyError> {
    let Some(DomainEvent::Opportunity(body)) = &event.body else { return Ok(()) };
    let conflict = match body {
        OpportunityEvent::Claimed { .. }
        | OpportunityEvent::Protected { .. }
        | OpportunityEvent::Released { .. } => return Ok(()),
        OpportunityEvent::ConflictOpened { .. } => {
            tables.conflicts.put(opened(event, body).expect("the event opens a conflict"));
            return Ok(());
        }
        OpportunityEvent::ConflictEscalated { conflict, .. }
        | OpportunityEvent::ConflictResolved { conflict, .. }
        | OpportunityEvent::ConflictClosed { conflict, .. } => *conflict,
    };
    let row = tables.conflicts.edit(&(conflict,))?.ok_or(ApplyError::Missing("conflict"))?;
    match body {
        OpportunityEvent::ConflictEscalated { to, reason, .. } => {
            row.status = ConflictStatus::Escalated;
            row.escalated_to = Some(to.clone());
            row.escalation_reason = Some(reason.clone());
        }
        OpportunityEvent::ConflictResolved { winner, loser, rule, reason, resolved_by, .. } => {
            row.status = ConflictStatus::Resolved;
            row.winner = Some(*winner);
            row.loser = Some(*loser);
            row.rule = Some(rule.clone());
            row.resolution_reason = Some(reason.clone());
            row.resolved_by = Some(resolved_by.clone());
            row.resolved_at = Some(event.recorded_at);
        }
        OpportunityEvent::ConflictClosed { cause, .. } => {
            row.status = ConflictStatus::Closed;
            row.closed_because = Some(*cause);
        }
        _ => {}
    }
    row.updated_at = event.recorded_at;
    row.revision = event.revision;
    Ok(())
}

fn opened(event: &Event, body: &OpportunityEvent) -> Option<ConflictRow> {
    let OpportunityEvent::ConflictOpened {
        conflict,
        holder,
        holder_partner,
        contender,
        contender_partner,
        opened_on,
        earliest_free_day,
    } = body
    else {
        return None;
    };
    Some(ConflictRow {
        id: *conflict,
        program: event.program.clone(),
        opportunity: OpportunityId(event.aggregate),
        status: ConflictStatus::Open,
        holder: *holder,
        holder_partner: *holder_partner,
        contender: *contender,
        contender_partner: *contender_partner,
        opened_on: *opened_on,
        earliest_free_day: *earliest_free_day,
        escalated_to: None,
        escalation_reason: None,
        winner: None,
        loser: None,
        rule: None,
        resolution_reason: None,
        resolved_by: None,
        resolved_at: None,
        closed_because: None,
        opened: event.position,
        opened_at: event.recorded_at,
        updated_at: event.recorded_at,
        revision: event.revision,
    })
}

/// Conflicts in which the scope's partner is on either side.
fn within(scope: &Scope) -> Conditions<'_> {
    let mut conditions = Conditions::of("program = ?", &scope.program);
    of_partner(&mut conditions, scope.partner.as_ref());
    conditions
}

fn of_partner<'a>(conditions: &mut Conditions<'a>, partner: Option<&'a PartnerId>) {
    conditions.and_some("? IN (holder_partner, contender_partner)", partner);
}

impl Views {
    /// Conflicts, the newest first. With a partner's scope: those that it is part of; what it may
    /// see of the other side is for the caller to decide.
    pub async fn conflicts(
        &self,
        scope: Scope,
        filter: ConflictFilter,
    ) -> Result<Page<ConflictRow>, QueryError> {
        let limit = limit(filter.limit)?;
        let before: Option<u64> = cursor(filter.cursor.as_deref())?;
        self.query(move |connection| {
            let mut conditions = within(&scope);
            of_partner(&mut conditions, filter.partner.as_ref());
            conditions.and_some("status = ?", filter.status.as_ref());
            conditions.and_some("opened < ?", before.as_ref());
            let tail = conditions.ordered("opened DESC", limit);
            let rows = select(connection, "conflicts", &tail, &conditions.values)?;
            Ok(page(rows, limit, |row: &ConflictRow| row.opened))
        })
        .await
    }

    /// One conflict with both registrations.
    pub async fn conflict(
        &self,
        scope: Scope,
        id: ConflictId,
    ) -> Result<Option<ConflictDossier>, QueryError> {
        self.query(move |connection| {
            let snapshot = connection.unchecked_transaction()?;
            let mut conditions = within(&scope);
            conditions.and("id = ?", &id);
            let found: Vec<ConflictRow> =
                select(&snapshot, "conflicts", conditions.sql(), &conditions.values)?;
            let Some(conflict) = found.into_iter().next() else { return Ok(None) };
            let holder = deals::by_id(&snapshot, conflict.holder)?;
            let contender = deals::by_id(&snapshot, conflict.contender)?;
            let matches = match (&holder, &contender) {
                (Some(holder), Some(contender)) => matches(&holder.customer, &contender.customer),
                _ => Vec::new(),
            };
            Ok(Some(ConflictDossier { conflict, holder, contender, matches }))
        })
        .await
    }
}

fn matches(left: &Company, right: &Company) -> Vec<CustomerMatch> {
    let domain = |company: &Company| company.domain.as_deref().and_then(normalised_domain);
    let tax_id = |company: &Company| company.tax_id.as_deref().map(normalised_tax_id);
    let equal = |left: Option<String>, right| left.is_some() && left == right;
    let same_country = left.country == right.country;
    let same_name = normalised_name(&left.name) == normalised_name(&right.name);
    let found = [
        (CustomerMatch::Name, same_country && same_name),
        (CustomerMatch::Domain, equal(domain(left), domain(right))),
        (CustomerMatch::TaxId, same_country && equal(tax_id(left), tax_id(right))),
    ];
    found.into_iter().filter(|(_, same)| *same).map(|(kind, _)| kind).collect()
}

#[cfg(test)]
mod tests;
