//! What is asked and what is there, in words for people.

use super::counting::{Counted, total};
use crate::Money;
use crate::rulebook::Predicate;

/// What is asked, for example `more than 5000 seats`.
pub(super) fn wanted(predicate: &Predicate) -> String {
    match predicate {
        Predicate::Certificates { any_of, persons_at_least } => {
            let codes: Vec<&str> = any_of.iter().map(|code| code.as_str()).collect();
            format!("at least {} certified {}", persons((*persons_at_least).into()), either(&codes))
        }
        Predicate::Licences { at_least } => {
            format!("at least {}", number((*at_least).into(), "licence"))
        }
        Predicate::Seats { more_than } => {
            format!("more than {}", number((*more_than).into(), "seat"))
        }
        Predicate::Servers { at_least } => {
            format!("at least {}", number((*at_least).into(), "server"))
        }
        Predicate::AnnualRevenue { at_least } => format!("at least {at_least} a year"),
        Predicate::References { at_least } => {
            format!("at least {}", number((*at_least).into(), "reference"))
        }
        Predicate::Obligation { obligation } => format!("{obligation} fulfilled"),
        Predicate::Acknowledged { document } => format!("{document} acknowledged"),
        Predicate::Judged { question } => question.clone(),
    }
}

/// What is there, for example `5000 seats`.
pub(super) fn actual(predicate: &Predicate, counted: &[Counted]) -> String {
    let total = total(counted);
    match predicate {
        Predicate::Certificates { .. } => format!("{} certified", persons(total)),
        Predicate::Licences { .. } => number(total, "licence"),
        Predicate::Seats { .. } => number(total, "seat"),
        Predicate::Servers { .. } => number(total, "server"),
        Predicate::AnnualRevenue { at_least } => {
            // Only the words are capped; the comparison is not.
            let minor = i64::try_from(total).unwrap_or(i64::MAX);
            format!("{} a year", Money::new(minor, at_least.currency))
        }
        Predicate::References { .. } => number(total, "reference"),
        Predicate::Obligation { .. } => {
            match counted.iter().filter_map(|item| item.ends_on).max() {
                Some(day) => format!("fulfilled until {day}"),
                None => "not fulfilled".to_owned(),
            }
        }
        Predicate::Acknowledged { .. } if counted.is_empty() => "not acknowledged".to_owned(),
        Predicate::Acknowledged { .. } => "acknowledged".to_owned(),
        Predicate::Judged { .. } => "not judged yet".to_owned(),
    }
}

fn number(count: i128, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn persons(count: i128) -> String {
    number(count, "person")
}

/// `C3 or C4`; `C2, C3 or C4`.
fn either(codes: &[&str]) -> String {
    match codes {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
