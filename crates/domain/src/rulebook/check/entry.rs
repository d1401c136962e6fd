//! The way in and the duties.

use super::Findings;
use crate::rulebook::{DecisionMode, EntryMode, Rulebook};

pub(super) fn check(rules: &Rulebook, findings: &mut Findings) {
    let entry = &rules.entry;
    check_mode(rules, findings);
    if let Some(mou) = &entry.mou {
        findings.not_empty("entry.mou.resources", &mou.resources);
        findings.unique(&mou.resources, |index| format!("entry.mou.resources[{index}]"));
        findings.days("entry.mou.days_max", mou.days_max);
    }
    findings
        .unique(&entry.evaluation_criteria, |index| format!("entry.evaluation_criteria[{index}]"));
    if let Some(agreement) = &entry.agreement {
        findings.months("entry.agreement.term_months", agreement.term_months);
        findings.unique(&agreement.annexes, |index| format!("entry.agreement.annexes[{index}]"));
    }
    findings.unique(&entry.required_contacts, |index| format!("entry.required_contacts[{index}]"));
    if let Some(fee) = entry.program_fee {
        if fee.minor <= 0 {
            findings.add("entry.program_fee.minor", "is not above 0; leave out a fee that is free");
        }
        findings.currency(rules, "entry.program_fee.currency", fee.currency);
    }
    findings.unique(&entry.acknowledgements, |index| format!("entry.acknowledgements[{index}]"));
}

/// Each way in needs what it leads through, and has no use for what another one leads through.
fn check_mode(rules: &Rulebook, findings: &mut Findings) {
    let entry = &rules.entry;
    if entry.mode == EntryMode::Application {
        if entry.agreement.is_none() {
            findings.add("entry.agreement", "is missing; an application ends in an agreement");
        }
        return;
    }
    if entry.agreement.is_some() {
        findings
            .add("entry.agreement", "is never signed; only entry mode `application` leads there");
    }
    if !entry.evaluation_criteria.is_empty() {
        let message = "are never evaluated; only entry mode `application` asks for it";
        findings.add("entry.evaluation_criteria", message);
    }
    for (index, track) in rules.tracks.iter().enumerate().filter(|(_, track)| track.open) {
        let mut modes = track.levels.iter().map(|level| level.decision);
        if entry.mode == EntryMode::Registration && modes.next() != Some(DecisionMode::Automatic) {
            let message = "is not `automatic`; entry mode `registration` gives the first level";
            findings.add(format!("tracks[{index}].levels[0].decision"), message);
        } else if entry.mode == EntryMode::Administrator
            && !modes.any(|mode| mode == DecisionMode::Administrator)
        {
            let message = "have no level of decision `administrator`; entry mode `administrator` \
                           sets one";
            findings.add(format!("tracks[{index}].levels"), message);
        }
    }
}

pub(super) fn check_obligations(rules: &Rulebook, findings: &mut Findings) {
    let ids = rules.obligations.iter().map(|obligation| &obligation.id);
    findings.unique(ids, |index| format!("obligations[{index}].id"));
    for (index, obligation) in rules.obligations.iter().enumerate() {
        let place = format!("obligations[{index}]");
        findings.text(&format!("{place}.title"), &obligation.title);
        findings.not_empty(&format!("{place}.cadence"), &obligation.cadence);
        let last = obligation.cadence.len().saturating_sub(1);
        for (step, cadence) in obligation.cadence.iter().enumerate() {
            let place = format!("{place}.cadence[{step}]");
            findings.months(&format!("{place}.months"), cadence.months);
            if cadence.levels.is_empty() && step < last {
                let message = "is for all levels, so the cadences after it never count";
                findings.add(place.clone(), message);
            }
            for (position, level) in cadence.levels.iter().enumerate() {
                findings.level(rules, &format!("{place}.levels[{position}]"), level);
            }
        }
        let levels = obligation.cadence.iter().enumerate().flat_map(|(step, cadence)| {
            cadence.levels.iter().enumerate().map(move |(position, level)| (step, position, level))
        });
        let (places, levels): (Vec<_>, Vec<_>) =
            levels.map(|(step, position, level)| ((step, position), level)).unzip();
        findings.unique(levels, |nth| {
            let (step, position) = places[nth];
            format!("{place}.cadence[{step}].levels[{position}]")
        });
    }
}
