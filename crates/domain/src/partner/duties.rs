//! What a partner owes and agrees: documents, duties, targets, discounts, references.

use super::admission::not_in_future;
use super::decide::{Decision, given, invalid};
use super::{Partner, PartnerError, PartnerEvent};
use crate::text::{check_note, check_text};
use crate::{Context, Day, DocumentId, Money, ObligationId, Rate};

/// A target's period lies within so many years before and after today.
const PERIOD_YEARS_MAX: u32 = 10;

pub(super) fn fulfil(
    obligation: ObligationId,
    on: Day,
    note: String,
    context: &Context,
) -> Decision {
    if !context.rules.obligations.iter().any(|known| known.id == obligation) {
        return Err(PartnerError::UnknownObligation { obligation });
    }
    not_in_future(on, context)?;
    check_note("note", &note)?;
    Ok(vec![PartnerEvent::ObligationFulfilled { obligation, on, note }])
}

pub(super) fn record_reference(customer: String, statement: String) -> Decision {
    check_text("customer", &customer)?;
    check_text("statement", &statement)?;
    Ok(vec![PartnerEvent::ReferenceRecorded { customer, statement }])
}

impl Partner {
    pub(super) fn acknowledge(&self, document: DocumentId, context: &Context) -> Decision {
        if self.acknowledged.contains(&document) {
            return Ok(Vec::new());
        }
        if !context.rules.entry.acknowledgements.contains(&document) {
            return Err(PartnerError::UnknownDocument { document });
        }
        Ok(vec![PartnerEvent::DocumentAcknowledged { document, on: context.today }])
    }

    pub(super) fn agree_target(
        &self,
        (period_from, period_to): (Day, Day),
        amount: Money,
        context: &Context,
    ) -> Decision {
        if period_to <= period_from {
            return Err(PartnerError::EndNotAfterStart { from: period_from, until: period_to });
        }
        let earliest = context.today.minus_years(PERIOD_YEARS_MAX);
        if period_from < earliest {
            return Err(PartnerError::DateTooOld { day: period_from, earliest });
        }
        let latest = context.today.plus_years(PERIOD_YEARS_MAX);
        if period_to > latest {
            return Err(PartnerError::DateTooFar { day: period_to, latest });
        }
        if amount.minor <= 0 {
            return Err(invalid("amount.minor", "it is not above 0"));
        }
        if !context.rules.identity.currencies.contains(&amount.currency) {
            return Err(invalid("amount.currency", "the program does not trade in it"));
        }
        if self.targets.contains_key(&period_from) {
            return Err(PartnerError::TargetAlreadyAgreed { period_from });
        }
        Ok(vec![PartnerEvent::TargetAgreed { period_from, period_to, amount }])
    }

    /// Records how a target went. A miss is a matter for discussion and changes nothing else.
    pub(super) fn assess_target(
        &self,
        period_from: Day,
        achieved: Money,
        discussion: String,
    ) -> Decision {
        let agreed = self.targets.get(&period_from);
        let agreed = agreed.ok_or(PartnerError::TargetNotFound { period_from })?;
        if achieved.currency != agreed.currency {
            return Err(PartnerError::TargetCurrencyMismatch);
        }
        check_note("discussion", &discussion)?;
        let met = achieved.minor >= agreed.minor;
        Ok(vec![PartnerEvent::TargetAssessed { period_from, achieved, met, discussion }])
    }

    /// Up or down, within the rulebook's bound.
    pub(super) fn adjust_discount(
        &self,
        rate: Rate,
        reason: String,
        context: &Context,
    ) -> Decision {
        let rate_max = context.rules.discounts.adjustment_max;
        let rate_max = rate_max.ok_or(PartnerError::AdjustmentNotOffered)?;
        if rate.0.abs() > rate_max.0 {
            return Err(PartnerError::AdjustmentTooLarge { rate, rate_max });
        }
        if self.discount_adjustment.unwrap_or(Rate::ZERO) == rate {
            return Ok(Vec::new());
        }
        given(&reason)?;
        Ok(vec![PartnerEvent::DiscountAdjusted { rate, reason }])
    }
}
