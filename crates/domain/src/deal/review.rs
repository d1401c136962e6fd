//! Validation of a claimed deal by a person, and the partner's way out.

use crate::deal::registration::check_active;
use crate::deal::{Deal, DealError, DealEvent, DealStatus};
use crate::partner::PartnerStanding;
use crate::text::{check_note, check_reason, check_text};
use crate::{Context, ReasonCode};

impl Deal {
    pub(super) fn request_information(
        &self,
        question: String,
    ) -> Result<Vec<DealEvent>, DealError> {
        self.case_in(&[DealStatus::InReview])?;
        check_text("question", &question)?;
        Ok(vec![DealEvent::InformationRequested { question }])
    }

    pub(super) fn provide_information(
        &self,
        answer: String,
        standing: &PartnerStanding,
    ) -> Result<Vec<DealEvent>, DealError> {
        self.case_in(&[DealStatus::InformationRequested])?;
        check_active(standing)?;
        check_text("answer", &answer)?;
        Ok(vec![DealEvent::InformationProvided { answer }])
    }

    pub(super) fn approve(&self, context: &Context) -> Result<Vec<DealEvent>, DealError> {
        if self.status == DealStatus::Protected {
            return Ok(Vec::new());
        }
        let case = self.case_in(&[DealStatus::InReview])?;
        if case.submitted_by.as_ref() == Some(&context.actor.subject) {
            return Err(DealError::ApproverIsRegistrant);
        }
        Ok(vec![super::protection::protected_from_today(context)])
    }

    pub(super) fn reject(
        &self,
        reason: ReasonCode,
        note: String,
        context: &Context,
    ) -> Result<Vec<DealEvent>, DealError> {
        use DealStatus::{Contested, InReview, InformationRequested, Rejected};
        if self.status == Rejected {
            return Ok(Vec::new());
        }
        self.case_in(&[InReview, InformationRequested, Contested])?;
        if !context.rules.deals.rejection_reasons.contains(&reason) {
            return Err(DealError::UnknownRejectionReason { reason });
        }
        // The reason speaks for itself; a note may add to it.
        check_note("note", &note)?;
        Ok(vec![DealEvent::Rejected { reason, note }])
    }

    pub(super) fn withdraw(&self, reason: String) -> Result<Vec<DealEvent>, DealError> {
        match self.status {
            DealStatus::Withdrawn => Ok(Vec::new()),
            status if status.is_open() => {
                check_reason(&reason, DealError::ReasonMissing)?;
                Ok(vec![DealEvent::Withdrawn { reason }])
            }
            _ => Err(self.wrong_status()),
        }
    }
}
