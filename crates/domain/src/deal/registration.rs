//! From the draft to the claim of all keys: who may register what, and what a conflict does.

use crate::customer::Company;
use crate::deal::{Deal, DealCase, DealError, DealEvent, DealStatus};
use crate::partner::{PartnerStanding, PartnerStatus};
use crate::rulebook::{DealRules, DealValidation, LevelRef, Rulebook};
use crate::{
    BenefitId, ConflictId, Context, Country, Day, DealId, LevelId, Money, OpportunityId,
    ProductScope, ReasonCode, TrackId,
};

/// A deal is expected to close within so many years: a later day is a slip of the pen.
const CLOSE_YEARS_AHEAD_MAX: u32 = 10;

/// What a partner tells about a deal.
pub(super) struct Particulars {
    pub(super) customer: Company,
    pub(super) product_scope: ProductScope,
    pub(super) value: Money,
    pub(super) expected_close: Day,
}

impl Particulars {
    fn check(&self, context: &Context) -> Result<(), DealError> {
        self.customer.check().map_err(|found| DealError::InvalidField {
            field: format!("customer.{}", found.field),
            problem: found.problem.to_owned(),
        })?;
        let rules = &context.rules.deals;
        check_country(self.customer.country, rules)?;
        if !rules.product_scopes.contains(&self.product_scope) {
            let product_scope = self.product_scope.clone();
            return Err(DealError::UnknownProductScope { product_scope });
        }
        check_value(self.value, &context.rules)?;
        let (expected_close, today) = (self.expected_close, context.today);
        if expected_close < today {
            return Err(DealError::CloseInPast { expected_close, today });
        }
        let latest = today.plus_years(CLOSE_YEARS_AHEAD_MAX);
        if expected_close > latest {
            return Err(DealError::CloseTooFar { expected_close, latest });
        }
        Ok(())
    }
}

pub(super) fn check_value(value: Money, rules: &Rulebook) -> Result<(), DealError> {
    let invalid = |problem: &str| {
        Err(DealError::InvalidField { field: "value".into(), problem: problem.to_owned() })
    };
    if value.minor < 0 {
        return invalid("it is negative");
    }
    if !rules.identity.currencies.contains(&value.currency) {
        return invalid("the program does not trade in its currency");
    }
    Ok(())
}

fn check_country(country: Country, rules: &DealRules) -> Result<(), DealError> {
    if rules.restricted_countries.contains(&country) {
        return Err(DealError::RestrictedCountry { country });
    }
    Ok(())
}

/// Only a member does business; a suspended one waits until it is reinstated.
pub(super) fn check_active(standing: &PartnerStanding) -> Result<(), DealError> {
    match standing.status {
        PartnerStatus::Active | PartnerStatus::Restricted => Ok(()),
        status => Err(DealError::PartnerNotActive { status }),
    }
}

/// Whether the partner, as it stands, may register deals at all: by a benefit of its level where
/// the rulebook makes it one.
pub fn may_register(standing: &PartnerStanding, rules: &Rulebook) -> Result<(), DealError> {
    check_active(standing)?;
    let (benefit, eligible) = (rules.deals.benefit.as_ref(), &rules.deals.eligible_levels);
    if benefit.is_some_and(|benefit| standing.withheld_benefits.contains(benefit)) {
        return Err(DealError::DealRegistrationWithheld);
    }
    if benefit.is_none() && eligible.is_empty() {
        return Ok(());
    }
    let may = |(track, level): (&TrackId, &LevelId)| {
        let is_it = |named: &LevelRef| named.track == *track && named.level == *level;
        let lists = |benefit: &BenefitId| {
            let level = rules.level(track, level);
            level.is_some_and(|level| level.benefits.iter().any(|known| known.id == *benefit))
        };
        benefit.is_none_or(lists) && (eligible.is_empty() || eligible.iter().any(is_it))
    };
    let mut held =
        standing.tracks.iter().filter_map(|(track, level)| Some((track, level.as_ref()?)));
    if held.any(may) { Ok(()) } else { Err(DealError::LevelMayNotRegister) }
}

/// Whether the partner, as it stands today, may register a deal in this country.
fn check_standing(
    standing: &PartnerStanding,
    country: Country,
    rules: &Rulebook,
) -> Result<(), DealError> {
    may_register(standing, rules)?;
    check_country(country, &rules.deals)?;
    if !standing.scope.is_empty() && !standing.scope.contains(&country) {
        return Err(DealError::OutsideAgreedScope { country });
    }
    Ok(())
}

impl Deal {
    pub(super) fn draft(
        &self,
        particulars: Particulars,
        standing: &PartnerStanding,
        context: &Context,
    ) -> Result<Vec<DealEvent>, DealError> {
        if self.case.is_some() {
            return Err(DealError::DealAlreadyExists);
        }
        check_standing(standing, particulars.customer.country, &context.rules)?;
        particulars.check(context)?;
        let Particulars { customer, product_scope, value, expected_close } = particulars;
        Ok(vec![DealEvent::Drafted {
            partner: standing.partner,
            customer,
            product_scope,
            value,
            expected_close,
            rulebook_version: context.rulebook_version,
        }])
    }

    pub(super) fn revise(
        &self,
        particulars: Particulars,
        context: &Context,
    ) -> Result<Vec<DealEvent>, DealError> {
        self.case_in(&[DealStatus::Draft])?;
        particulars.check(context)?;
        let Particulars { customer, product_scope, value, expected_close } = particulars;
        Ok(vec![DealEvent::Revised { customer, product_scope, value, expected_close }])
    }

    pub(super) fn submit(
        &self,
        standing: &PartnerStanding,
        own: Option<DealId>,
        context: &Context,
    ) -> Result<Vec<DealEvent>, DealError> {
        if self.status.is_open() && self.status != DealStatus::Draft {
            return Ok(Vec::new());
        }
        let case = self.case_in(&[DealStatus::Draft])?;
        check_standing(standing, case.customer.country, &context.rules)?;
        if let Some(deal) = own {
            return Err(DealError::RegisteredAlready { deal });
        }
        let program = &context.rules.identity.program;
        Ok(vec![DealEvent::Submitted {
            submitted_on: context.today,
            submitted_by: context.actor.subject.clone(),
            opportunities: case.customer.opportunity_keys(program, &case.product_scope),
        }])
    }

    pub(super) fn confirm_claim(&self, context: &Context) -> Result<Vec<DealEvent>, DealError> {
        if self.status.holds_opportunity() {
            return Ok(Vec::new());
        }
        self.case_in(&[DealStatus::Submitted])?;
        let review = DealEvent::ReviewStarted {};
        Ok(match context.rules.deals.validation {
            DealValidation::Review => vec![review],
            DealValidation::Automatic => {
                vec![review, super::protection::protected_from_today(context)]
            }
        })
    }

    pub(super) fn contest(
        &self,
        conflict: ConflictId,
        opportunity: OpportunityId,
        earliest_free_day: Day,
    ) -> Result<Vec<DealEvent>, DealError> {
        if self.is_contested_by(conflict) {
            return Ok(Vec::new());
        }
        self.case_in(&[DealStatus::Submitted])?;
        Ok(vec![DealEvent::Contested { conflict, opportunity, earliest_free_day }])
    }

    /// The winner's keys are claimed anew; a deal that no longer waits for them has no use for it.
    pub(super) fn win_conflict(
        &self,
        conflict: ConflictId,
        context: &Context,
    ) -> Result<Vec<DealEvent>, DealError> {
        let case = self.case.as_ref().ok_or(DealError::DealNotFound)?;
        if !self.is_contested_by(conflict) {
            return Ok(Vec::new());
        }
        let submitted_by = case.submitted_by.clone();
        Ok(vec![DealEvent::Submitted {
            submitted_on: context.today,
            submitted_by: submitted_by.unwrap_or_else(|| context.actor.subject.clone()),
            opportunities: case.opportunities.clone(),
        }])
    }

    /// A contender is rejected; a deal that had the key, or was about to have it, loses it.
    pub(super) fn lose_conflict(
        &self,
        conflict: ConflictId,
        rule: ReasonCode,
    ) -> Result<Vec<DealEvent>, DealError> {
        self.case.as_ref().ok_or(DealError::DealNotFound)?;
        let reason = format!("conflict {conflict} was resolved for another deal by rule `{rule}`");
        Ok(match self.status {
            DealStatus::Contested if self.is_contested_by(conflict) => {
                vec![DealEvent::Rejected { reason: rule, note: reason }]
            }
            status if status.is_open() && status != DealStatus::Draft => {
                vec![DealEvent::Revoked { reason }]
            }
            _ => Vec::new(),
        })
    }

    fn is_contested_by(&self, conflict: ConflictId) -> bool {
        let is_same = |case: &DealCase| case.conflict == Some(conflict);
        self.status == DealStatus::Contested && self.case.as_ref().is_some_and(is_same)
    }
}
