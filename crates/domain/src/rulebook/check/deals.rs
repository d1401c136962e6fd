//! Deal registration.

use super::Findings;
use crate::rulebook::{DealValidation, Rulebook};

pub(super) fn check(rules: &Rulebook, findings: &mut Findings) {
    let deals = &rules.deals;
    findings.days("deals.protection_days", deals.protection_days);
    findings.days("deals.activity_interval_days", deals.activity_interval_days);
    if deals.extension.count_max > 0 {
        findings.days("deals.extension.days", deals.extension.days);
    }
    findings.unique(&deals.eligible_levels, |index| format!("deals.eligible_levels[{index}]"));
    for (index, level) in deals.eligible_levels.iter().enumerate() {
        findings.level(rules, &format!("deals.eligible_levels[{index}]"), level);
    }
    findings.unique(&deals.restricted_countries, |index| {
        format!("deals.restricted_countries[{index}]")
    });
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
