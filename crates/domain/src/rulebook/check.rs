//! The check of a rulebook: every mistake at once, each with its place.
//!
//! What the types cannot say is said here: ids are unique, references lead somewhere, numbers are
//! possible, and sections fit together. Whether a rule is wise is for the second person to judge.

mod commercial;
mod deals;
mod entry;
mod levels;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    hash::Hash,
};

use rust_decimal::Decimal;

use super::{LevelRef, Rulebook};
use crate::{Currency, Rate};

/// Longest text of a rulebook, in characters.
const TEXT_CHARACTERS_MAX: usize = 500;
/// Longest duration in days, about a century: later days would leave the calendar.
const DAYS_MAX: u32 = 36_525;
/// Longest duration in months, a century.
const MONTHS_MAX: u32 = 1_200;

/// Most names that one message lists.
const KNOWN_NAMED_MAX: usize = 20;

/// One mistake of a rulebook document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where: a path such as `tracks[0].levels[2].requirements[1]`, with line and column where the
    /// document is text.
    pub place: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.message)
    }
}

/// All mistakes of a rulebook, in the order of its sections; none means that it can be published.
pub fn check(rules: &Rulebook) -> Vec<Mistake> {
    let mut findings = Findings::default();
    check_identity(rules, &mut findings);
    entry::check(rules, &mut findings);
    findings.days_or_none("notice.days", rules.notice.days);
    levels::check_tracks(rules, &mut findings);
    check_phases(rules, &mut findings);
    levels::check_certificates(rules, &mut findings);
    deals::check(rules, &mut findings);
    commercial::check(rules, &mut findings);
    entry::check_obligations(rules, &mut findings);
    findings.mistakes
}

fn check_identity(rules: &Rulebook, findings: &mut Findings) {
    let identity = &rules.identity;
    findings.text("identity.name", &identity.name);
    findings.text("identity.vendor", &identity.vendor);
    findings.text("identity.source", &identity.source);
    findings.not_empty("identity.currencies", &identity.currencies);
    findings.unique(&identity.currencies, |index| format!("identity.currencies[{index}]"));
}

fn check_phases(rules: &Rulebook, findings: &mut Findings) {
    let ids = rules.phases.iter().map(|phase| &phase.id);
    findings.unique(ids, |index| format!("phases[{index}].id"));
    for (index, phase) in rules.phases.iter().enumerate() {
        findings.text(&format!("phases[{index}].name"), &phase.name);
        if let Some(description) = &phase.description {
            findings.text(&format!("phases[{index}].description"), description);
        }
    }
}

/// What was found so far, and the checks that recur.
#[derive(Default)]
struct Findings {
    mistakes: Vec<Mistake>,
}

impl Findings {
    fn add(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.mistakes.push(Mistake { place: place.into(), message: message.into() });
    }

    fn text(&mut self, place: &str, text: &str) {
        if text.trim().is_empty() {
            self.add(place, "is empty; people read this");
        } else if text.chars().count() > TEXT_CHARACTERS_MAX {
            self.add(place, format!("is longer than {TEXT_CHARACTERS_MAX} characters"));
        }
    }

    fn not_empty<T>(&mut self, place: &str, list: &[T]) {
        if list.is_empty() {
            self.add(place, "is empty; at least one entry is needed");
        }
    }

    /// Every entry that repeats an earlier one.
    fn unique<T: Eq + Hash>(
        &mut self,
        entries: impl IntoIterator<Item = T>,
        place: impl Fn(usize) -> String,
    ) {
        let mut first_seen = HashMap::new();
        for (index, entry) in entries.into_iter().enumerate() {
            let first = *first_seen.entry(entry).or_insert(index);
            if first != index {
                self.add(place(index), format!("repeats `{}`", place(first)));
            }
        }
    }

    /// A count that makes no sense as 0.
    fn positive(&mut self, place: &str, count: impl Into<u64>) {
        if count.into() == 0 {
            self.add(place, "is 0; at least 1 is needed");
        }
    }

    fn days(&mut self, place: &str, days: u32) {
        self.positive(place, days);
        self.days_or_none(place, days);
    }

    fn days_or_none(&mut self, place: &str, days: u32) {
        if days > DAYS_MAX {
            self.add(place, format!("is {days}; at most {DAYS_MAX} days are possible"));
        }
    }

    fn months(&mut self, place: &str, months: u32) {
        self.positive(place, months);
        if months > MONTHS_MAX {
            self.add(place, format!("is {months}; at most {MONTHS_MAX} months are possible"));
        }
    }

    fn rate(&mut self, place: &str, rate: Rate) {
        if !(Decimal::ZERO..=Decimal::ONE).contains(&rate.0) {
            self.add(place, format!("is {}; a rate is from 0 to 1: 0.15 is 15 %", rate.0));
        }
    }

    /// A currency in which the program trades.
    fn currency(&mut self, rules: &Rulebook, place: &str, currency: Currency) {
        let currencies = &rules.identity.currencies;
        if !currencies.contains(&currency) {
            let known = known(currencies.iter().map(|currency| currency.code()));
            let message = format!("`{}` is no currency of the program; {known}", currency.code());
            self.add(place, message);
        }
    }

    /// A level that exists.
    fn level(&mut self, rules: &Rulebook, place: &str, level: &LevelRef) {
        let Some(track) = rules.track(&level.track) else {
            let known = known(rules.tracks.iter().map(|track| &track.id));
            return self
                .add(format!("{place}.track"), format!("`{}` is no track; {known}", level.track));
        };
        if track.level(&level.level).is_none() {
            let known = known(track.levels.iter().map(|level| &level.id));
            let message = format!("`{}` is no level of track `{}`; {known}", level.level, track.id);
            self.add(format!("{place}.level"), message);
        }
    }
}

/// The end of a sentence that says what could have been named instead.
fn known<T: fmt::Display>(entries: impl Iterator<Item = T>) -> String {
    // What is there twice by mistake is still one thing to name.
    let mut seen = HashSet::new();
    let mut entries =
        entries.map(|entry| format!("`{entry}`")).filter(move |entry| seen.insert(entry.clone()));
    let named: Vec<String> = entries.by_ref().take(KNOWN_NAMED_MAX).collect();
    match (named.join(", "), entries.count()) {
        (named, _) if named.is_empty() => "there is none".to_owned(),
        (named, 0) => format!("known: {named}"),
        (named, more) => format!("known: {named} and {more} more"),
    }
}
