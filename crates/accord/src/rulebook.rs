//! `accord rulebook check`: every mistake of a rulebook file, each with its place.

use std::io::{Write, stdout};
use std::path::Path;
use std::process::ExitCode;

use accord_domain::rulebook::{Rulebook, check::Mistake};
use anyhow::Context;

use crate::cli::{RulebookArgs, RulebookCommand};

pub(crate) fn run(args: &RulebookArgs) -> anyhow::Result<ExitCode> {
    let RulebookCommand::Check { file } = &args.command;
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    match read(file, &text) {
        Ok(rules) => {
            writeln!(stdout(), "{}: {}", file.display(), summary(&rules))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(mistakes) => {
            for mistake in &mistakes {
                eprintln!("{}: {mistake}", file.display());
            }
            eprintln!("accord: {} in {}", counted(mistakes.len(), "mistake"), file.display());
            Ok(ExitCode::FAILURE)
        }
    }
}

fn read(file: &Path, text: &str) -> Result<Rulebook, Vec<Mistake>> {
    let is_json = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    if is_json { Rulebook::from_json(text) } else { Rulebook::from_toml(text) }
}

fn summary(rules: &Rulebook) -> String {
    let levels: usize = rules.tracks.iter().map(|track| track.levels.len()).sum();
    let articles: usize = rules.price_lists.iter().map(|list| list.prices.len()).sum();
    let counts = [
        counted(rules.tracks.len(), "track"),
        counted(levels, "level"),
        counted(rules.certificates.catalogue.len(), "certification"),
        counted(rules.price_lists.len(), "price list"),
        counted(articles, "price"),
    ];
    format!("{} is right: {}", rules.identity.program, counts.join(", "))
}

/// A count with its noun in the right number.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
