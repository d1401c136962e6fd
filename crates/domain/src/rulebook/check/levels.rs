//! Tracks, levels, requirements and certificates.

use super::{Findings, known};
use crate::CertificationCode;
use crate::rulebook::{CertificationKind, DecisionMode, Level, Predicate, Rulebook, Track};

pub(super) fn check_tracks(rules: &Rulebook, findings: &mut Findings) {
    findings.not_empty("tracks", &rules.tracks);
    findings
        .unique(rules.tracks.iter().map(|track| &track.id), |index| format!("tracks[{index}].id"));
    for (index, track) in rules.tracks.iter().enumerate() {
        check_track(rules, findings, &format!("tracks[{index}]"), track);
    }
}

fn check_track(rules: &Rulebook, findings: &mut Findings, place: &str, track: &Track) {
    findings.text(&format!("{place}.name"), &track.name);
    findings.not_empty(&format!("{place}.levels"), &track.levels);
    let ids = track.levels.iter().map(|level| &level.id);
    findings.unique(ids, |index| format!("{place}.levels[{index}].id"));
    for (index, level) in track.levels.iter().enumerate() {
        let place = format!("{place}.levels[{index}]");
        if index > 0 && level.decision == DecisionMode::Automatic {
            let message = "is `automatic`, which is for the first level of a track only";
            findings.add(format!("{place}.decision"), message);
        }
        check_level(rules, findings, &place, level);
    }
}

fn check_level(rules: &Rulebook, findings: &mut Findings, place: &str, level: &Level) {
    findings.text(&format!("{place}.name"), &level.name);
    if level.decision == DecisionMode::Review && level.requirements.is_empty() {
        let message = "is empty; a level decided by `review` needs something to review";
        findings.add(format!("{place}.requirements"), message);
    }
    let ids = level.requirements.iter().map(|requirement| &requirement.id);
    findings.unique(ids, |index| format!("{place}.requirements[{index}].id"));
    for (index, requirement) in level.requirements.iter().enumerate() {
        let place = format!("{place}.requirements[{index}]");
        findings.text(&format!("{place}.title"), &requirement.title);
        check_predicate(rules, findings, &format!("{place}.predicate"), &requirement.predicate);
    }
    let ids = level.benefits.iter().map(|benefit| &benefit.id);
    findings.unique(ids, |index| format!("{place}.benefits[{index}].id"));
    for (index, benefit) in level.benefits.iter().enumerate() {
        findings.text(&format!("{place}.benefits[{index}].title"), &benefit.title);
        if let Some(value) = &benefit.value {
            findings.text(&format!("{place}.benefits[{index}].value"), value);
        }
    }
    findings.unique(&level.lead_classes, |index| format!("{place}.lead_classes[{index}]"));
    for (index, class) in level.lead_classes.iter().enumerate() {
        findings.text(&format!("{place}.lead_classes[{index}]"), class);
    }
}

fn check_predicate(rules: &Rulebook, findings: &mut Findings, place: &str, predicate: &Predicate) {
    match predicate {
        Predicate::Certificates { any_of, persons_at_least } => {
            check_certifications(rules, findings, &format!("{place}.any_of"), any_of);
            findings.positive(&format!("{place}.persons_at_least"), *persons_at_least);
        }
        Predicate::Licences { at_least } | Predicate::References { at_least } => {
            findings.positive(&format!("{place}.at_least"), *at_least);
        }
        Predicate::Servers { at_least } => {
            findings.positive(&format!("{place}.at_least"), *at_least);
        }
        // More than 0 seats is a bound like any other.
        Predicate::Seats { .. } => {}
        Predicate::AnnualRevenue { at_least } => {
            if at_least.minor <= 0 {
                findings.add(format!("{place}.at_least.minor"), "is not above 0");
            }
            findings.currency(rules, &format!("{place}.at_least.currency"), at_least.currency);
        }
        Predicate::Obligation { obligation } => {
            let ids = || rules.obligations.iter().map(|entry| &entry.id);
            if !ids().any(|id| id == obligation) {
                let message = format!("`{obligation}` is no obligation; {}", known(ids()));
                findings.add(format!("{place}.obligation"), message);
            }
        }
        Predicate::Acknowledged { document } => {
            let documents = &rules.entry.acknowledgements;
            if !documents.contains(document) {
                let known = known(documents.iter());
                let message = format!("`{document}` is no document to acknowledge; {known}");
                findings.add(format!("{place}.document"), message);
            }
        }
        Predicate::Judged { question } => findings.text(&format!("{place}.question"), question),
    }
}

pub(super) fn check_certificates(rules: &Rulebook, findings: &mut Findings) {
    let certificates = &rules.certificates;
    let codes = certificates.catalogue.iter().map(|entry| &entry.code);
    findings.unique(codes, |index| format!("certificates.catalogue[{index}].code"));
    for (index, entry) in certificates.catalogue.iter().enumerate() {
        let place = format!("certificates.catalogue[{index}]");
        findings.text(&format!("{place}.name"), &entry.name);
        findings.months(&format!("{place}.valid_months"), entry.valid_months);
    }
    findings.days("certificates.expiring_soon_days", certificates.expiring_soon_days);
    findings.days("certificates.critical_days", certificates.critical_days);
    if certificates.critical_days > certificates.expiring_soon_days {
        let message = "is more than expiring_soon_days; a certificate is first expiring soon, \
                       then critical";
        findings.add("certificates.critical_days", message);
    }
    let Some(resource) = &certificates.technical_resource else { return };
    let place = "certificates.technical_resource.any_of";
    check_certifications(rules, findings, place, &resource.any_of);
    for (index, code) in resource.any_of.iter().enumerate() {
        let kind = certificates.certification(code).map(|entry| entry.kind);
        if kind == Some(CertificationKind::Sales) {
            findings.add(format!("{place}[{index}]"), format!("`{code}` is not technical"));
        }
    }
    findings.days("certificates.technical_resource.restore_days", resource.restore_days);
}

fn check_certifications(
    rules: &Rulebook,
    findings: &mut Findings,
    place: &str,
    codes: &[CertificationCode],
) {
    findings.not_empty(place, codes);
    findings.unique(codes, |index| format!("{place}[{index}]"));
    for (index, code) in codes.iter().enumerate() {
        if rules.certificates.certification(code).is_none() {
            let known = known(rules.certificates.catalogue.iter().map(|entry| &entry.code));
            let message = format!("`{code}` is not in the certificate catalogue; {known}");
            findings.add(format!("{place}[{index}]"), message);
        }
    }
}
