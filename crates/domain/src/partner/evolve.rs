//! How a partner's events change it.

use std::collections::BTreeSet;

use super::{Contact, Partner, PartnerEvent, PartnerStatus};
use crate::customer::Company;
use crate::{BenefitId, CertificateId, Country, Day, LevelId, TrackId};

pub(super) fn evolve(mut partner: Partner, event: &PartnerEvent) -> Partner {
    use PartnerEvent as E;
    match event {
        E::MouSigned { company, .. } => partner.is_met(company),
        E::Applied { company, track, contacts } => {
            partner.enters(company, track, contacts, PartnerStatus::Applied);
        }
        E::Registered { company, track, contacts, .. } => {
            partner.enters(company, track, contacts, PartnerStatus::Active);
        }
        E::Evaluated { criterion, met, .. } => {
            partner.evaluated.insert(criterion.clone(), *met);
        }
        E::Approved {} => partner.status = PartnerStatus::Approved,
        E::Declined { .. } => partner.status = PartnerStatus::Declined,
        E::Withdrew { .. } => partner.status = PartnerStatus::Withdrawn,
        E::AgreementSigned { ends_on, scope, .. } => partner.signs(*ends_on, scope),
        E::AgreementRenewed { ends_on } => partner.agreement_ends_on = Some(*ends_on),
        E::Restricted { benefits, .. } => partner.is_restricted_to_lack(benefits),
        E::RestrictionLifted { .. } => partner.is_unrestricted(),
        E::Suspended { .. } => partner.is_suspended(),
        E::Reinstated { .. } => partner.is_reinstated(),
        E::Terminated { .. } => partner.is_terminated(),
        E::ContactAdded { contact } | E::ContactChanged { contact } => {
            partner.contacts.insert(contact.person.person(), contact.role);
        }
        E::ContactRemoved { person } => {
            partner.contacts.remove(person);
        }
        E::TrackJoined { track } => {
            partner.tracks.entry(track.clone()).or_insert(None);
        }
        E::TrackLeft { track } => partner.leaves(track),
        E::LevelChanged { track, to, .. } => partner.has_level(track, to.as_ref()),
        E::ProbationSet { track, until, review } => {
            partner.probations.insert(track.clone(), (*review, *until));
        }
        E::PhaseEntered { phase, .. } => partner.phase = Some(phase.clone()),
        E::TechnicalResourceDesignated { certificate, .. } => partner.relies_on(*certificate),
        E::TechnicalGapOpened { restore_by, .. } => partner.lacks_resource(*restore_by),
        E::TechnicalGapLapsed { .. } => partner.technical_gap_until = None,
        E::DocumentAcknowledged { document, .. } => {
            partner.acknowledged.insert(document.clone());
        }
        E::TargetAgreed { period_from, amount, .. } => {
            partner.targets.insert(*period_from, *amount);
        }
        E::DiscountAdjusted { rate, .. } => partner.discount_adjustment = Some(*rate),
        // On record for people; no decision depends on them.
        E::TransitionPlanRecorded { .. }
        | E::ObligationFulfilled { .. }
        | E::TargetAssessed { .. }
        | E::ReferenceRecorded { .. } => {}
    }
    partner
}

impl Partner {
    fn is_met(&mut self, company: &Company) {
        self.company = Some(company.clone());
        self.status = PartnerStatus::Prospect;
    }

    /// A new application replaces an earlier one that was declined or withdrawn.
    fn enters(
        &mut self,
        company: &Company,
        track: &TrackId,
        contacts: &[Contact],
        status: PartnerStatus,
    ) {
        let roles = contacts.iter().map(|contact| (contact.person.person(), contact.role));
        self.company = Some(company.clone());
        self.tracks = [(track.clone(), None)].into();
        self.contacts = roles.collect();
        self.evaluated.clear();
        self.status = status;
    }

    fn signs(&mut self, ends_on: Day, scope: &BTreeSet<Country>) {
        self.agreement_ends_on = Some(ends_on);
        self.scope = scope.clone();
        self.status = PartnerStatus::Active;
    }

    fn is_restricted_to_lack(&mut self, benefits: &BTreeSet<BenefitId>) {
        self.withheld_benefits = benefits.clone();
        self.status = PartnerStatus::Restricted;
    }

    fn is_unrestricted(&mut self) {
        self.withheld_benefits.clear();
        self.status = PartnerStatus::Active;
    }

    fn is_suspended(&mut self) {
        self.status_before_suspension = Some(self.status);
        self.status = PartnerStatus::Suspended;
    }

    fn is_reinstated(&mut self) {
        self.status = self.status_before_suspension.take().unwrap_or(PartnerStatus::Active);
    }

    /// What was running towards a day no longer does.
    fn is_terminated(&mut self) {
        self.status_before_suspension = None;
        self.technical_gap_until = None;
        self.probations.clear();
        self.status = PartnerStatus::Terminated;
    }

    fn leaves(&mut self, track: &TrackId) {
        self.tracks.remove(track);
        self.probations.remove(track);
    }

    /// A probation is about the level held until now.
    fn has_level(&mut self, track: &TrackId, level: Option<&LevelId>) {
        self.tracks.insert(track.clone(), level.cloned());
        self.probations.remove(track);
    }

    fn relies_on(&mut self, certificate: CertificateId) {
        self.technical_resource = Some(certificate);
        self.technical_gap_until = None;
    }

    fn lacks_resource(&mut self, restore_by: Day) {
        self.technical_resource = None;
        self.technical_gap_until = Some(restore_by);
    }
}
