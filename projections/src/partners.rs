//! Read model `partners`: one row per partner, for directories, profiles and standing.

use std::collections::{BTreeMap, BTreeSet};

use accord_domain::{
    BenefitId, CertificateId, CertificationCode, Country, CriterionId, Day, DocumentId,
    DomainEvent, LevelId, Money, ObligationId, PartnerId, PersonId, PhaseId, ProgramId, Rate,
    ResourceId, Timestamp, TrackId,
    customer::Company,
    partner::{Contact, PartnerEvent, PartnerStatus},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    column::json_columns,
    event::Event,
    page::search_key,
    row::record,
    tables::{ApplyError, Projection, Tables},
};

mod queries;

pub use queries::{PartnerFilter, PartnerSummary};

pub(crate) const PARTNERS: Projection =
    Projection { name: "partners", version: 1, tables: include_str!("partners.sql"), apply };

/// The certified person who is the partner's technical reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TechnicalResource {
    pub certificate: CertificateId,
    pub person: PersonId,
    pub certification: CertificationCode,
}

/// A target agreed for a period, and how it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    pub period_from: Day,
    pub period_to: Day,
    pub amount: Money,
    /// Absent before the assessment.
    pub achieved: Option<Money>,
    pub met: Option<bool>,
}

json_columns!(
    TechnicalResource,
    Vec<Target>,
    BTreeMap<CriterionId, bool>,
    BTreeMap<DocumentId, Day>,
    BTreeMap<ObligationId, Day>,
    BTreeSet<BenefitId>,
    BTreeSet<DocumentId>,
    BTreeSet<ResourceId>,
);

record! {
    /// A partner.
    pub struct PartnerRow in "partners" key(id: PartnerId)
        fixed(program, created_at)
        indexed(
            name_key: String,
            status: PartnerStatus,
            country: Country,
            phase: Option<PhaseId>
        )
    {
        pub id: PartnerId,
        pub program: ProgramId,
        /// The company's legal name.
        pub name: String,
        #[serde(skip)]
        pub(crate) name_key: String,
        pub country: Country,
        pub domain: Option<String>,
        pub tax_id: Option<String>,
        pub status: PartnerStatus,
        pub status_before_suspension: Option<PartnerStatus>,
        /// The reason given for the status, where there was one.
        pub status_reason: Option<String>,
        /// Level by track; null on a track without a level yet.
        pub tracks: BTreeMap<TrackId, Option<LevelId>>,
        pub phase: Option<PhaseId>,
        pub mou_until: Option<Day>,
        pub mou_resources: BTreeSet<ResourceId>,
        pub evaluation: BTreeMap<CriterionId, bool>,
        pub agreement_signed_on: Option<Day>,
        pub agreement_ends_on: Option<Day>,
        /// Countries in which the partner may register deals; empty means everywhere.
        pub scope: BTreeSet<Country>,
        pub annexes: BTreeSet<DocumentId>,
        pub deviations: Vec<String>,
        pub withheld_benefits: BTreeSet<BenefitId>,
        pub technical_resource: Option<TechnicalResource>,
        /// Last day to restore a technical resource; present while there is a gap.
        pub technical_gap_until: Option<Day>,
        /// Last day of the probation by track.
        pub probations: BTreeMap<TrackId, Day>,
        pub acknowledged: BTreeMap<DocumentId, Day>,
        /// Day of the last fulfilment by obligation.
        pub obligations: BTreeMap<ObligationId, Day>,
        pub targets: Vec<Target>,
        #[schemars(with = "Option<String>")]
        pub discount_adjustment: Option<Rate>,
        /// Persons' data is sealed as in the event.
        pub contacts: Vec<Contact>,
        pub transition_plan: Option<String>,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub created_at: Timestamp,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub updated_at: Timestamp,
        pub revision: u64,
    }
}

impl PartnerRow {
    fn new(event: &Event, company: &Company) -> Self {
        Self {
            id: PartnerId(event.aggregate),
            program: event.program.clone(),
            name: company.name.clone(),
            name_key: search_key(&company.name),
            country: company.country,
            domain: company.domain.clone(),
            tax_id: company.tax_id.clone(),
            status: PartnerStatus::Unknown,
            status_before_suspension: None,
            status_reason: None,
            tracks: BTreeMap::new(),
            phase: None,
            mou_until: None,
            mou_resources: BTreeSet::new(),
            evaluation: BTreeMap::new(),
            agreement_signed_on: None,
            agreement_ends_on: None,
            scope: BTreeSet::new(),
            annexes: BTreeSet::new(),
            deviations: Vec::new(),
            withheld_benefits: BTreeSet::new(),
            technical_resource: None,
            technical_gap_until: None,
            probations: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            obligations: BTreeMap::new(),
            targets: Vec::new(),
            discount_adjustment: None,
            contacts: Vec::new(),
            transition_plan: None,
            created_at: event.recorded_at,
            updated_at: event.recorded_at,
            revision: event.revision,
        }
    }

    fn joins(&mut self, company: &Company, track: &TrackId, contacts: &[Contact]) {
        self.name = company.name.clone();
        self.name_key = search_key(&company.name);
        self.country = company.country;
        self.domain = company.domain.clone();
        self.tax_id = company.tax_id.clone();
        // A new application replaces an earlier one that was declined or withdrawn.
        self.tracks = [(track.clone(), None)].into();
        self.evaluation.clear();
        self.contacts = contacts.to_vec();
    }

    fn becomes(&mut self, status: PartnerStatus, reason: Option<&str>) {
        self.status = status;
        self.status_reason = reason.map(str::to_owned);
    }
}

pub(crate) fn apply(tables: &mut Tables, event: &Event) -> Result<(), ApplyError> {
    let Some(DomainEvent::Partner(body)) = &event.body else { return Ok(()) };
    let key = (PartnerId(event.aggregate),);
    let founded = match body {
        PartnerEvent::MouSigned { company, .. }
        | PartnerEvent::Applied { company, .. }
        | PartnerEvent::Registered { company, .. } => Some(company),
        _ => None,
    };
    if let Some(company) = founded
        && tables.partners.get(&key)?.is_none()
    {
        tables.partners.put(PartnerRow::new(event, company));
    }
    let row = tables.partners.edit(&key)?.ok_or(ApplyError::Missing("partner"))?;
    enters(row, body);
    changes_status(row, body);
    changes_profile(row, body);
    row.updated_at = event.recorded_at;
    row.revision = event.revision;
    Ok(())
}

/// The way in, up to the agreement.
fn enters(row: &mut PartnerRow, body: &PartnerEvent) {
    match body {
        PartnerEvent::MouSigned { until, resources, .. } => {
            row.mou_until = Some(*until);
            row.mou_resources = resources.clone();
            row.becomes(PartnerStatus::Prospect, None);
        }
        PartnerEvent::Applied { company, track, contacts } => {
            row.joins(company, track, contacts);
            row.becomes(PartnerStatus::Applied, None);
        }
        PartnerEvent::Registered { company, track, contacts, .. } => {
            row.joins(company, track, contacts);
            row.becomes(PartnerStatus::Active, None);
        }
        PartnerEvent::Evaluated { criterion, met, .. } => {
            row.evaluation.insert(criterion.clone(), *met);
        }
        PartnerEvent::Approved {} => row.becomes(PartnerStatus::Approved, None),
        PartnerEvent::AgreementSigned { signed_on, ends_on, scope, annexes, deviations } => {
            row.agreement_signed_on = Some(*signed_on);
            row.agreement_ends_on = Some(*ends_on);
            row.scope = scope.clone();
            row.annexes = annexes.clone();
            row.deviations = deviations.clone();
            row.becomes(PartnerStatus::Active, None);
        }
        PartnerEvent::AgreementRenewed { ends_on } => row.agreement_ends_on = Some(*ends_on),
        _ => {}
    }
}

fn changes_status(row: &mut PartnerRow, body: &PartnerEvent) {
    match body {
        PartnerEvent::Declined { reason } => row.becomes(PartnerStatus::Declined, Some(reason)),
        PartnerEvent::Withdrew { reason } => row.becomes(PartnerStatus::Withdrawn, Some(reason)),
        PartnerEvent::Restricted { benefits, reason } => {
            row.withheld_benefits = benefits.clone();
            row.becomes(PartnerStatus::Restricted, Some(reason));
        }
        PartnerEvent::RestrictionLifted { .. } => {
            row.withheld_benefits.clear();
            row.becomes(PartnerStatus::Active, None);
        }
        PartnerEvent::Suspended { reason } => {
            row.status_before_suspension = Some(row.status);
            row.becomes(PartnerStatus::Suspended, Some(reason));
        }
        PartnerEvent::Reinstated { .. } => {
            let before = row.status_before_suspension.take();
            row.becomes(before.unwrap_or(PartnerStatus::Active), None);
        }
        PartnerEvent::Terminated { reason } => {
            row.status_before_suspension = None;
            row.technical_gap_until = None;
            row.probations.clear();
            row.becomes(PartnerStatus::Terminated, Some(reason));
        }
        PartnerEvent::TechnicalResourceDesignated { certificate, person, certification } => {
            row.technical_gap_until = None;
            row.technical_resource = Some(TechnicalResource {
                certificate: *certificate,
                person: *person,
                certification: certification.clone(),
            });
        }
        PartnerEvent::TechnicalGapOpened { restore_by, .. } => {
            row.technical_resource = None;
            row.technical_gap_until = Some(*restore_by);
        }
        PartnerEvent::TechnicalGapLapsed { .. } => row.technical_gap_until = None,
        PartnerEvent::ProbationSet { track, until, .. } => {
            row.probations.insert(track.clone(), *until);
        }
        PartnerEvent::TrackJoined { track } => {
            row.tracks.entry(track.clone()).or_insert(None);
        }
        PartnerEvent::TrackLeft { track } => {
            row.tracks.remove(track);
            row.probations.remove(track);
        }
        PartnerEvent::LevelChanged { track, to, .. } => {
            row.tracks.insert(track.clone(), to.clone());
            row.probations.remove(track);
        }
        _ => {}
    }
}

fn changes_profile(row: &mut PartnerRow, body: &PartnerEvent) {
    match body {
        PartnerEvent::ContactAdded { contact } => row.contacts.push(contact.clone()),
        PartnerEvent::ContactChanged { contact } => {
            let person = contact.person.person();
            row.contacts.retain(|known| known.person.person() != person);
            row.contacts.push(contact.clone());
        }
        PartnerEvent::ContactRemoved { person } => {
            row.contacts.retain(|known| known.person.person() != *person);
        }
        PartnerEvent::TransitionPlanRecorded { plan } => row.transition_plan = Some(plan.clone()),
        PartnerEvent::PhaseEntered { phase, .. } => row.phase = Some(phase.clone()),
        PartnerEvent::DocumentAcknowledged { document, on } => {
            row.acknowledged.insert(document.clone(), *on);
        }
        PartnerEvent::ObligationFulfilled { obligation, on, .. } => {
            row.obligations.insert(obligation.clone(), *on);
        }
        PartnerEvent::TargetAgreed { period_from, period_to, amount } => {
            let (period_from, period_to) = (*period_from, *period_to);
            row.targets.push(Target {
                period_from,
                period_to,
                amount: *amount,
                achieved: None,
                met: None,
            });
        }
        PartnerEvent::TargetAssessed { period_from, achieved, met, .. } => {
            let of_period = |target: &&mut Target| target.period_from == *period_from;
            if let Some(target) = row.targets.iter_mut().find(of_period) {
                target.achieved = Some(*achieved);
                target.met = Some(*met);
            }
        }
        PartnerEvent::DiscountAdjusted { rate, .. } => row.discount_adjustment = Some(*rate),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
