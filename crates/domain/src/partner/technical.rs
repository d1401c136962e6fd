//! The designated technical resource, and the gap when there is none. A gap never ends a
//! partnership.

use super::decide::{Decision, given};
use super::{CertificateFact, Partner, PartnerError, PartnerEvent, PartnerStatus};
use crate::{CertificateId, Context, PartnerId};

impl Partner {
    /// Names the technical resource anew; that closes an open gap.
    pub(super) fn designate(&self, fact: CertificateFact, context: &Context) -> Decision {
        let rules = context.rules.certificates.technical_resource.as_ref();
        let rules = rules.ok_or(PartnerError::NoTechnicalResourceAsked)?;
        let CertificateFact { certificate, person, certification, expires_on, .. } = fact;
        if fact.partner != PartnerId(context.aggregate_id) {
            return Err(PartnerError::CertificateOfAnotherPartner);
        }
        if !rules.any_of.contains(&certification) {
            return Err(PartnerError::CertificationNotInScope { certification });
        }
        if !fact.valid || expires_on < context.today {
            return Err(PartnerError::CertificateNotValid);
        }
        if self.technical_resource == Some(certificate) {
            return Ok(Vec::new());
        }
        Ok(vec![PartnerEvent::TechnicalResourceDesignated { certificate, person, certification }])
    }

    /// Only the end of the designated certificate, and only a member's, makes a gap.
    pub(super) fn open_gap(
        &self,
        certificate: CertificateId,
        reason: String,
        context: &Context,
    ) -> Decision {
        let member = matches!(
            self.status,
            PartnerStatus::Active | PartnerStatus::Restricted | PartnerStatus::Suspended
        );
        let designated = self.technical_resource == Some(certificate);
        match &context.rules.certificates.technical_resource {
            Some(rules) if member && designated => {
                given(&reason)?;
                let restore_by = context.today.plus_days(rules.restore_days);
                Ok(vec![PartnerEvent::TechnicalGapOpened { certificate, reason, restore_by }])
            }
            _ => Ok(Vec::new()),
        }
    }

    pub(super) fn lapse_gap(&self, context: &Context) -> Decision {
        let restore_by = self.technical_gap_until.ok_or(PartnerError::NoTechnicalGap)?;
        if context.today <= restore_by {
            return Err(PartnerError::TechnicalGapNotDue { restore_by });
        }
        Ok(vec![PartnerEvent::TechnicalGapLapsed { restore_by }])
    }
}
