//! From the memorandum of understanding to the answer to an application.

use std::collections::BTreeSet;

use super::decide::{Decision, given};
use super::entry::check_company;
use super::{Partner, PartnerError, PartnerEvent, PartnerStatus};
use crate::customer::Company;
use crate::text::check_note;
use crate::{Context, CriterionId, Day, ResourceId};

/// Nothing older is recorded of a partner.
const YEARS_AGO_MAX: u32 = 50;

pub(super) fn sign_mou(
    company: Company,
    (signed_on, until): (Day, Day),
    resources: BTreeSet<ResourceId>,
    context: &Context,
) -> Decision {
    let rules = context.rules.entry.mou.as_ref().ok_or(PartnerError::MouNotOffered)?;
    check_company(&company)?;
    not_in_future(signed_on, context)?;
    if until <= signed_on {
        return Err(PartnerError::EndNotAfterStart { from: signed_on, until });
    }
    if signed_on.days_until(until) > rules.days_max.into() {
        return Err(PartnerError::MouTooLong { days_max: rules.days_max });
    }
    if let Some(resource) = resources.iter().find(|resource| !rules.resources.contains(resource)) {
        return Err(PartnerError::ResourceNotInMou { resource: resource.clone() });
    }
    Ok(vec![PartnerEvent::MouSigned { company, signed_on, until, resources }])
}

pub(super) fn record_evaluation(
    criterion: CriterionId,
    met: bool,
    note: String,
    context: &Context,
) -> Decision {
    if !context.rules.entry.evaluation_criteria.contains(&criterion) {
        return Err(PartnerError::UnknownCriterion { criterion });
    }
    check_note("note", &note)?;
    Ok(vec![PartnerEvent::Evaluated { criterion, met, note }])
}

impl Partner {
    /// Every criterion needs an outcome, not a good one: that is for the approver to weigh.
    pub(super) fn approve(&self, context: &Context) -> Decision {
        if self.status == PartnerStatus::Approved {
            return Ok(Vec::new());
        }
        let mut missing = context.rules.entry.evaluation_criteria.clone();
        missing.retain(|criterion| !self.evaluated.contains_key(criterion));
        if !missing.is_empty() {
            return Err(PartnerError::EvaluationIncomplete { missing });
        }
        Ok(vec![PartnerEvent::Approved {}])
    }

    pub(super) fn decline(&self, reason: String) -> Decision {
        if self.status == PartnerStatus::Declined {
            return Ok(Vec::new());
        }
        given(&reason)?;
        Ok(vec![PartnerEvent::Declined { reason }])
    }

    pub(super) fn withdraw(&self, reason: String) -> Decision {
        if self.status == PartnerStatus::Withdrawn {
            return Ok(Vec::new());
        }
        given(&reason)?;
        Ok(vec![PartnerEvent::Withdrew { reason }])
    }
}

/// A day on which something can have happened: not to come, and not beyond anybody's memory.
pub(super) fn not_in_future(day: Day, context: &Context) -> Result<(), PartnerError> {
    let (today, earliest) = (context.today, context.today.minus_years(YEARS_AGO_MAX));
    if day > today {
        Err(PartnerError::DateInFuture { day, today })
    } else if day < earliest {
        Err(PartnerError::DateTooOld { day, earliest })
    } else {
        Ok(())
    }
}
