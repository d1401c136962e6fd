//! Deal registration.

use std::collections::BTreeSet;

use super::{Findings, known};
use crate::BenefitId;
use crate::rulebook::{DealValidation, Rulebook};

pub(super) fn check(rules: &Rulebook, findings: &mut Findings) {
    let deals = &rules.deals;
    findings.days("deals.protection_days", deals.protection_days);
    findings.days("deals.activity_interval_days", deals.activity_interval_days);
    if deals.protection_days > 0 && deals.activity_interval_days > deals.protection_days {
        let message = "is more than protection_days; no protection would ever end by inactivity";
        findings.add("deals.activity_interval_days", message);
    }
    if deals.extension.count_max > 0 {
        findings.days("deals.extension.days", deals.extension.days);
    }
    findings.unique(&deals.eligible_levels, |index| format!("deals.eligible_levels[{index}]"));
    for (index, level) in deals.eligible_levels.iter().enumerate() {
        findings.level(rules, &format!("deals.eligible_levels[{index}]"), level);
    }
    check_benefit(rules, findings);
    findings.unique(&deals.restricted_countries, |index| {
        format!("deals.restricted_countries[{index}]")
    });
    for (index, country) in deals.restricted_countries.iter().enumerate() {
        if !country.is_assigned() {
            let place = format!("deals.restricted_countries[{index}]");
            findings.add(place, format!("`{country}` is no country of ISO 3166"));
        }
    }
    findings.not_empty("deals.product_scopes", &deals.product_scopes);
    findings.unique(&deals.product_scopes, |index| format!("deals.product_scopes[{index}]"));
    if deals.validation == DealValidation::Review {
        findings.not_empty("deals.rejection_reasons", &deals.rejection_reasons);
    }
    findings.unique(&deals.rejection_reasons, |index| format!("deals.rejection_reasons[{index}]"));
    findings.not_empty("deals.conflict_rules", &deals.conflict_rules);
    findings.unique(&deals.conflict_rules, |index| format!("deals.conflict_rules[{index}]"));
    if let Some(rate) = deals.extra_discount {
        findings.rate("deals.extra_discount", rate);
    }
}

/// The levels say who may register deals; naming others beside them would contradict that.
fn check_benefit(rules: &Rulebook, findings: &mut Findings) {
    let Some(benefit) = &rules.deals.benefit else { return };
    let levels = rules.tracks.iter().flat_map(|track| &track.levels);
    let ids: BTreeSet<&BenefitId> =
        levels.flat_map(|level| &level.benefits).map(|benefit| &benefit.id).collect();
    // A track without levels is a mistake of its own.
    let has_levels = rules.tracks.iter().any(|track| !track.levels.is_empty());
    if has_levels && !ids.contains(benefit) {
        let message = format!("no level has the benefit `{benefit}`; {}", known(ids.iter()));
        return findings.add("deals.benefit", message);
    }
    for (index, eligible) in rules.deals.eligible_levels.iter().enumerate() {
        let Some(level) = rules.level(&eligible.track, &eligible.level) else { continue };
        if !level.benefits.iter().any(|known| known.id == *benefit) {
            let message = format!("level `{}` does not list the benefit `{benefit}`", level.id);
            findings.add(format!("deals.eligible_levels[{index}].level"), message);
        }
    }
}
