//! The agreement: its signature makes an approved applicant an active partner.

use std::collections::BTreeSet;

use super::admission::not_in_future;
use super::decide::{Decision, invalid};
use super::levels::entry_level;
use super::{Partner, PartnerError, PartnerEvent};
use crate::text::check_text;
use crate::{Context, Country, Day, DocumentId};

/// Longest term in months, a century: later days would leave the calendar.
const TERM_MONTHS_MAX: u32 = 1_200;

/// What is signed.
pub(super) struct AgreementTerms {
    pub(super) signed_on: Day,
    pub(super) term_months: Option<u32>,
    pub(super) scope: BTreeSet<Country>,
    pub(super) annexes: BTreeSet<DocumentId>,
    pub(super) deviations: Vec<String>,
}

impl Partner {
    pub(super) fn sign_agreement(&self, terms: AgreementTerms, context: &Context) -> Decision {
        let AgreementTerms { signed_on, term_months, scope, annexes, deviations } = terms;
        let rules = context.rules.entry.agreement.as_ref().ok_or(PartnerError::NoAgreement)?;
        not_in_future(signed_on, context)?;
        let term_months = term_months.unwrap_or(rules.term_months);
        if !(1..=TERM_MONTHS_MAX).contains(&term_months) {
            return Err(invalid("term_months", "it is not from 1 to 1200"));
        }
        if let Some(annex) = annexes.iter().find(|annex| !rules.annexes.contains(annex)) {
            return Err(PartnerError::UnknownAnnex { annex: annex.clone() });
        }
        if let Some(country) = scope.iter().find(|country| !country.is_assigned()) {
            return Err(invalid("scope", &format!("ISO 3166 knows no country `{country}`")));
        }
        for (index, deviation) in deviations.iter().enumerate() {
            check_text(&format!("deviations[{index}]"), deviation)?;
        }
        let ends_on = signed_on.plus_months(term_months);
        let signed =
            PartnerEvent::AgreementSigned { signed_on, ends_on, scope, annexes, deviations };
        let joined = self.tracks.iter().filter(|(_, level)| level.is_none());
        let entry_levels = joined.filter_map(|(track, _)| entry_level(context.rules.track(track)?));
        Ok([signed].into_iter().chain(entry_levels).collect())
    }

    pub(super) fn renew_agreement(&self, until: Day, context: &Context) -> Decision {
        let latest = context.today.plus_months(TERM_MONTHS_MAX);
        if until > latest {
            return Err(PartnerError::DateTooFar { day: until, latest });
        }
        let from = self.agreement_ends_on.ok_or(PartnerError::NoAgreement)?;
        match until {
            until if until == from => Ok(Vec::new()),
            until if until < from => Err(PartnerError::EndNotAfterStart { from, until }),
            ends_on => Ok(vec![PartnerEvent::AgreementRenewed { ends_on }]),
        }
    }
}
