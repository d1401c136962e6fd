//! Restriction, suspension, termination. None of them touches a licence.

use std::collections::BTreeSet;

use super::decide::{Decision, given, invalid};
use super::{Partner, PartnerError, PartnerEvent, PartnerStatus};
use crate::text::check_text;
use crate::{BenefitId, Context};

impl Partner {
    /// Withholds exactly these benefits, also where others were withheld before.
    pub(super) fn restrict(
        &self,
        benefits: BTreeSet<BenefitId>,
        reason: String,
        context: &Context,
    ) -> Decision {
        if self.status == PartnerStatus::Restricted && self.withheld_benefits == benefits {
            return Ok(Vec::new());
        }
        if benefits.is_empty() {
            return Err(invalid("benefits", "it is empty; lifting the restriction gives all back"));
        }
        let current = self.benefits(context);
        if let Some(benefit) = benefits.iter().find(|benefit| !current.contains(benefit)) {
            return Err(PartnerError::UnknownBenefit { benefit: benefit.clone() });
        }
        given(&reason)?;
        Ok(vec![PartnerEvent::Restricted { benefits, reason }])
    }

    /// What the current levels give, withheld or not.
    fn benefits<'a>(&self, context: &'a Context) -> BTreeSet<&'a BenefitId> {
        let held = self.tracks.iter().filter_map(|(track, level)| Some((track, level.as_ref()?)));
        let rules = held.filter_map(|(track, level)| context.rules.level(track, level));
        rules.flat_map(|level| level.benefits.iter().map(|benefit| &benefit.id)).collect()
    }

    pub(super) fn lift_restriction(&self, reason: String) -> Decision {
        if self.status == PartnerStatus::Active {
            return Ok(Vec::new());
        }
        given(&reason)?;
        Ok(vec![PartnerEvent::RestrictionLifted { reason }])
    }

    pub(super) fn suspend(&self, reason: String) -> Decision {
        if self.status == PartnerStatus::Suspended {
            return Ok(Vec::new());
        }
        given(&reason)?;
        Ok(vec![PartnerEvent::Suspended { reason }])
    }

    pub(super) fn reinstate(&self, reason: String) -> Decision {
        if self.status != PartnerStatus::Suspended {
            return Ok(Vec::new());
        }
        given(&reason)?;
        Ok(vec![PartnerEvent::Reinstated { reason }])
    }

    pub(super) fn terminate(&self, reason: String) -> Decision {
        if self.status == PartnerStatus::Terminated {
            return Ok(Vec::new());
        }
        given(&reason)?;
        Ok(vec![PartnerEvent::Terminated { reason }])
    }
}

pub(super) fn record_transition_plan(plan: String) -> Decision {
    check_text("plan", &plan)?;
    Ok(vec![PartnerEvent::TransitionPlanRecorded { plan }])
}
