//! A protected deal: activity keeps it, extensions prolong it, and it ends in one of many ways.

use crate::deal::registration::{check_active, check_value};
use crate::deal::{Deal, DealCase, DealError, DealEvent, DealStatus, ExpiryCause};
use crate::partner::PartnerStanding;
use crate::text::{check_reason, check_text};
use crate::{Context, Day, Money, OrderId};

/// An activity is recorded within a year and a day: an earlier one tells nothing of the deal.
const ACTIVITY_DAYS_AGO_MAX: u32 = 366;

/// The protection that the rulebook grants to a deal validated today.
pub(super) fn protected_from_today(context: &Context) -> DealEvent {
    let (rules, from) = (&context.rules.deals, context.today);
    DealEvent::Protected {
        from,
        until: from.plus_days(rules.protection_days),
        activity_due: from.plus_days(rules.activity_interval_days),
    }
}

/// The last day of a protection if nothing is added to it.
struct End {
    cause: ExpiryCause,
    day: Day,
}

impl DealCase {
    /// Whichever comes first: protection ends on a day of the calendar, not when a timer runs.
    fn end(&self) -> Option<End> {
        let (until, activity_due) = (self.protected_until?, self.activity_due?);
        Some(if activity_due < until {
            End { cause: ExpiryCause::Inactive, day: activity_due }
        } else {
            End { cause: ExpiryCause::ProtectionEnded, day: until }
        })
    }

    /// Refuses what only a protection that still holds on `day` allows.
    fn check_protected_on(&self, day: Day) -> Result<(), DealError> {
        match self.end() {
            Some(end) if day > end.day => Err(DealError::ProtectionEnded { ended_on: end.day }),
            _ => Ok(()),
        }
    }
}

impl Deal {
    pub(super) fn record_activity(
        &self,
        (activity, on): (String, Day),
        standing: &PartnerStanding,
        context: &Context,
    ) -> Result<Vec<DealEvent>, DealError> {
        let case = self.case_in(&[DealStatus::Protected, DealStatus::InReview])?;
        check_active(standing)?;
        check_text("activity", &activity)?;
        check_not_future(on, context)?;
        check_not_too_old(on, context)?;
        case.check_protected_on(context.today)?;
        // An older activity, recorded late, never brings the due day forward.
        let due = on.plus_days(context.rules.deals.activity_interval_days);
        let activity_due = case.activity_due.map_or(due, |current| current.max(due));
        Ok(vec![DealEvent::ActivityRecorded { activity, on, activity_due }])
    }

    pub(super) fn extend(
        &self,
        reason: String,
        standing: &PartnerStanding,
        context: &Context,
    ) -> Result<Vec<DealEvent>, DealError> {
        let case = self.case_in(&[DealStatus::Protected])?;
        check_active(standing)?;
        check_reason(&reason, DealError::ReasonMissing)?;
        case.check_protected_on(context.today)?;
        let rules = &context.rules.deals.extension;
        if case.extensions >= rules.count_max {
            return Err(DealError::ExtensionsUsedUp { count_max: rules.count_max });
        }
        let since = case.extended_on.unwrap_or(context.today);
        if case.last_activity_on.is_none_or(|activity_on| activity_on <= since) {
            return Err(DealError::NoActivitySinceExtension { since });
        }
        let until = case.protected_until.unwrap_or(context.today).plus_days(rules.days);
        let (extended_on, extension) = (context.today, case.extensions + 1);
        Ok(vec![DealEvent::Extended { extended_on, until, extension, reason }])
    }

    pub(super) fn mark_won(
        &self,
        closed_on: Day,
        value: Money,
        context: &Context,
    ) -> Result<Vec<DealEvent>, DealError> {
        if self.status == DealStatus::Won {
            return Ok(Vec::new());
        }
        let case = self.case_in(&[DealStatus::Protected])?;
        check_not_future(closed_on, context)?;
        case.check_protected_on(closed_on)?;
        if let Some(protected_from) = case.protected_from.filter(|from| closed_on < *from) {
            return Err(DealError::ClosedBeforeProtected { closed_on, protected_from });
        }
        check_value(value, &context.rules)?;
        Ok(vec![DealEvent::Won { closed_on, value }])
    }

    /// The deal's discount is for one order; a second one waits until the first is cancelled.
    pub(super) fn reserve(&self, order: OrderId) -> Result<Vec<DealEvent>, DealError> {
        let case = self.case_in(&[DealStatus::Protected, DealStatus::Won])?;
        match case.reserved_by {
            None => Ok(vec![DealEvent::Reserved { order }]),
            Some(other) if other == order => Ok(Vec::new()),
            Some(order) => Err(DealError::DealReservedAlready { order }),
        }
    }

    pub(super) fn release_reservation(&self, order: OrderId) -> Vec<DealEvent> {
        let is_its = |case: &DealCase| case.reserved_by == Some(order);
        let released = DealEvent::ReservationReleased { order };
        if self.case.as_ref().is_some_and(is_its) { vec![released] } else { Vec::new() }
    }

    pub(super) fn mark_lost(&self, reason: String) -> Result<Vec<DealEvent>, DealError> {
        if self.status == DealStatus::Lost {
            return Ok(Vec::new());
        }
        self.case_in(&[DealStatus::Protected, DealStatus::InReview])?;
        check_reason(&reason, DealError::ReasonMissing)?;
        Ok(vec![DealEvent::Lost { reason }])
    }

    pub(super) fn revoke(&self, reason: String) -> Result<Vec<DealEvent>, DealError> {
        if self.status == DealStatus::Revoked {
            return Ok(Vec::new());
        }
        self.case_in(&[DealStatus::Protected])?;
        check_reason(&reason, DealError::ReasonMissing)?;
        Ok(vec![DealEvent::Revoked { reason }])
    }

    pub(super) fn release(&self, statement: String) -> Result<Vec<DealEvent>, DealError> {
        if self.status == DealStatus::Released {
            return Ok(Vec::new());
        }
        self.case_in(&[DealStatus::Protected])?;
        check_text("statement", &statement)?;
        Ok(vec![DealEvent::Released { statement }])
    }

    pub(super) fn expire(&self, context: &Context) -> Result<Vec<DealEvent>, DealError> {
        if self.status == DealStatus::Expired {
            return Ok(Vec::new());
        }
        let case = self.case_in(&[DealStatus::Protected])?;
        match (case.end(), case.protected_until, case.activity_due) {
            (Some(End { cause, day }), ..) if context.today > day => {
                Ok(vec![DealEvent::Expired { cause, ended_on: day }])
            }
            (_, Some(until), Some(activity_due)) => {
                Err(DealError::ProtectionNotOver { until, activity_due })
            }
            _ => Err(self.wrong_status()),
        }
    }
}

fn check_not_future(on: Day, context: &Context) -> Result<(), DealError> {
    let today = context.today;
    if on > today { Err(DealError::ActivityInFuture { on, today }) } else { Ok(()) }
}

fn check_not_too_old(on: Day, context: &Context) -> Result<(), DealError> {
    let earliest = context.today.minus_days(ACTIVITY_DAYS_AGO_MAX);
    if on < earliest { Err(DealError::ActivityTooOld { on, earliest }) } else { Ok(()) }
}
