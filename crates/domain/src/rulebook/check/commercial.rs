//! Licences, orders, price lists and discounts.

use std::collections::HashMap;

use rust_decimal::Decimal;

use super::{Findings, known};
use crate::rulebook::{LevelRef, PriceList, Rulebook, VolumeBonus, VolumeMeasure};
use crate::{Rate, Sku};

pub(super) fn check(rules: &Rulebook, findings: &mut Findings) {
    findings.not_empty("licences.models", &rules.licences.models);
    findings.unique(&rules.licences.models, |index| format!("licences.models[{index}]"));
    check_orders(rules, findings);
    check_price_lists(rules, findings);
    check_discounts(rules, findings);
}

fn check_orders(rules: &Rulebook, findings: &mut Findings) {
    let orders = &rules.orders;
    findings.not_empty("orders.payment_methods", &orders.payment_methods);
    findings.unique(&orders.payment_methods, |index| format!("orders.payment_methods[{index}]"));
    findings.months("orders.term_months_min", orders.term_months_min);
    findings.months("orders.term_months_max", orders.term_months_max);
    if orders.term_months_min > orders.term_months_max {
        findings.add("orders.term_months_min", "is more than term_months_max");
    }
}

fn check_price_lists(rules: &Rulebook, findings: &mut Findings) {
    for currency in &rules.identity.currencies {
        if rules.price_list(*currency).is_none() {
            let message =
                format!("has no list in `{}`, a currency of the program", currency.code());
            findings.add("price_lists", message);
        }
    }
    let currencies = rules.price_lists.iter().map(|list| list.currency);
    findings.unique(currencies, |index| format!("price_lists[{index}].currency"));
    for (index, list) in rules.price_lists.iter().enumerate() {
        let place = format!("price_lists[{index}]");
        findings.currency(rules, &format!("{place}.currency"), list.currency);
        check_prices(findings, &format!("{place}.prices"), list);
        check_scopes(rules, findings, &format!("{place}.prices"), list);
    }
}

fn check_prices(findings: &mut Findings, place: &str, list: &PriceList) {
    findings.not_empty(place, &list.prices);
    findings.unique(list.prices.iter().map(|price| &price.sku), |i| format!("{place}[{i}].sku"));
    let requires: HashMap<&Sku, Option<&Sku>> =
        list.prices.iter().map(|price| (&price.sku, price.requires.as_ref())).collect();
    for (index, price) in list.prices.iter().enumerate() {
        let place = format!("{place}[{index}]");
        findings.text(&format!("{place}.name"), &price.name);
        if price.amount_minor <= 0 {
            let message = format!("is {}; a price is above 0", price.amount_minor);
            findings.add(format!("{place}.amount_minor"), message);
        }
        findings.positive(&format!("{place}.quantity_min"), price.quantity_min);
        let Some(required) = &price.requires else { continue };
        if !requires.contains_key(required) {
            let known = known(list.prices.iter().map(|price| &price.sku));
            let message = format!("`{required}` is no article of this list; {known}");
            findings.add(format!("{place}.requires"), message);
        } else if leads_back(&requires, &price.sku) {
            let message = format!("leads back to `{}`, which could never be ordered", price.sku);
            findings.add(format!("{place}.requires"), message);
        }
    }
}

fn check_scopes(rules: &Rulebook, findings: &mut Findings, place: &str, list: &PriceList) {
    let scopes = &rules.deals.product_scopes;
    // That there is none at all is a mistake of its own.
    if scopes.is_empty() {
        return;
    }
    for (index, price) in list.prices.iter().enumerate() {
        let Some(scope) = price.product_scope.as_ref().filter(|it| !scopes.contains(it)) else {
            continue;
        };
        let message = format!("`{scope}` is no product scope of deals; {}", known(scopes.iter()));
        findings.add(format!("{place}[{index}].product_scope"), message);
    }
}

/// Whether an article needs itself, directly or through others.
fn leads_back(requires: &HashMap<&Sku, Option<&Sku>>, sku: &Sku) -> bool {
    let next = |from: &Sku| requires.get(from).copied().flatten();
    // No chain without a circle is longer than the list.
    std::iter::successors(next(sku), |from| next(from)).take(requires.len()).any(|at| at == sku)
}

fn check_discounts(rules: &Rulebook, findings: &mut Findings) {
    let discounts = &rules.discounts;
    let levels = discounts.levels.iter().map(|entry| (&entry.track, &entry.level));
    findings.unique(levels, |index| format!("discounts.levels[{index}]"));
    for (index, entry) in discounts.levels.iter().enumerate() {
        let place = format!("discounts.levels[{index}]");
        let level = LevelRef { track: entry.track.clone(), level: entry.level.clone() };
        findings.level(rules, &place, &level);
        check_rate(rules, findings, &format!("{place}.rate"), entry.rate);
    }
    let thresholds = discounts.volume.iter().map(|bonus| (bonus.measure, bonus.at_least));
    findings.unique(thresholds, |index| format!("discounts.volume[{index}]"));
    for (index, bonus) in discounts.volume.iter().enumerate() {
        let place = format!("discounts.volume[{index}]");
        findings.positive(&format!("{place}.at_least"), bonus.at_least);
        check_rate(rules, findings, &format!("{place}.rate"), bonus.rate);
    }
    check_steps(&discounts.volume, findings);
    if let Some(rate) = discounts.adjustment_max {
        findings.rate("discounts.adjustment_max", rate);
    }
    match discounts.total_max {
        Some(rate) => findings.rate("discounts.total_max", rate),
        None => check_total(rules, findings),
    }
}

/// The highest threshold reached counts, so more volume must not give less.
fn check_steps(volume: &[VolumeBonus], findings: &mut Findings) {
    for (index, bonus) in volume.iter().enumerate() {
        let lower = volume
            .iter()
            .filter(|other| other.measure == bonus.measure && other.at_least < bonus.at_least);
        let Some(best) = lower.max_by_key(|other| other.rate.0) else { continue };
        if best.rate.0 > bonus.rate.0 {
            let message = format!(
                "is {}, less than the {} from {} on; more volume gives no less",
                bonus.rate.0, best.rate.0, best.at_least
            );
            findings.add(format!("discounts.volume[{index}].rate"), message);
        }
    }
}

fn check_rate(rules: &Rulebook, findings: &mut Findings, place: &str, rate: Rate) {
    findings.rate(place, rate);
    if let Some(total_max) = rules.discounts.total_max.filter(|total_max| rate > *total_max) {
        findings.add(place, format!("is {}, above total_max, {}", rate.0, total_max.0));
    }
}

/// Without a limit of its own, the most that rates can add up to leaves something to pay.
fn check_total(rules: &Rulebook, findings: &mut Findings) {
    let discounts = &rules.discounts;
    let highest_of = |measure: VolumeMeasure| {
        let bonuses = discounts.volume.iter().filter(|bonus| bonus.measure == measure);
        bonuses.map(|bonus| bonus.rate.0).max()
    };
    let parts = [
        discounts.levels.iter().map(|entry| entry.rate.0).max(),
        highest_of(VolumeMeasure::Servers),
        highest_of(VolumeMeasure::Seats),
        discounts.adjustment_max.map(|rate| rate.0),
        rules.deals.extra_discount.map(|rate| rate.0),
    ];
    // A rate above 1 is a mistake of its own.
    let possible = parts.into_iter().flatten().filter(|rate| *rate <= Decimal::ONE);
    let total: Decimal = possible.sum();
    if total > Decimal::ONE {
        let message = format!("is missing; the largest rates add up to {total}, more than 1");
        findings.add("discounts.total_max", message);
    }
}
