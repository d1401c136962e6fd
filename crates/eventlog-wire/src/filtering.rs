//! Filters of the whole log: a regular expression or prefixes, on stream names or event types.

use std::collections::HashMap;
use std::sync::Arc;

use accord_eventlog::{Filter, RecordedEvent};
use fancy_regex::{Regex, RegexBuilder};
use tonic::Status;

use crate::messages::{Expression, FilterOn, FilterOptions, Window};

/// Longest regular expression, and most prefixes, that are taken.
const REGEX_BYTES_MAX: usize = 4 * 1024;
const PREFIXES_MAX: usize = 256;
/// Steps back that one match may take: a text that needs more ends the read.
const STEPS_BACK_MAX: usize = 5_000;
/// Event types whose match is remembered.
const KINDS_MAX: usize = 1024;
/// Events considered between two checkpoints when the client names no window.
const WINDOW_DEFAULT: u32 = 32;

/// A filter as a client gave it.
pub(crate) struct Sieve {
    on: On,
    test: Test,
    /// Events considered between two checkpoints of a subscription.
    pub(crate) checkpoint_every: u64,
    kinds: HashMap<Arc<str>, bool>,
}

enum On {
    Stream,
    Kind,
}

enum Test {
    Prefixes(Vec<String>),
    Regex(Box<Regex>),
}

impl Sieve {
    /// A regular expression wins over prefixes; one of the two must be there.
    pub(crate) fn new(options: FilterOptions) -> Result<Self, Status> {
        let (on, expression) = match options.on {
            Some(FilterOn::Stream(expression)) => (On::Stream, expression),
            Some(FilterOn::Kind(expression)) => (On::Kind, expression),
            None => return Err(Status::invalid_argument("the filter has no expression")),
        };
        let window = match options.window {
            Some(Window::Max(max)) => max.max(1),
            Some(Window::Count(())) | None => WINDOW_DEFAULT,
        };
        let checkpoint_every = u64::from(window) * u64::from(options.checkpoint_multiplier.max(1));
        Ok(Self { on, test: Test::new(expression)?, checkpoint_every, kinds: HashMap::new() })
    }

    /// As much of the filter as the log itself can do.
    pub(crate) fn pushed_down(&self) -> Filter {
        let mut filter = everything();
        if let Test::Prefixes(prefixes) = &self.test {
            match self.on {
                On::Stream => filter.stream_prefixes.clone_from(prefixes),
                On::Kind => filter.kind_prefixes.clone_from(prefixes),
            }
        }
        filter
    }

    /// Whether an event passes. Fails where finding out takes too long.
    pub(crate) fn passes(&mut self, event: &RecordedEvent) -> Result<bool, Status> {
        match self.on {
            On::Stream => self.test.passes(event.stream.as_str()),
            On::Kind => {
                // There are few types and many events.
                if let Some(known) = self.kinds.get(&event.kind) {
                    return Ok(*known);
                }
                let passes = self.test.passes(&event.kind)?;
                if self.kinds.len() < KINDS_MAX {
                    self.kinds.insert(Arc::clone(&event.kind), passes);
                }
                Ok(passes)
            }
        }
    }
}

impl Test {
    fn new(expression: Expression) -> Result<Self, Status> {
        let Expression { regex, prefixes } = expression;
        if regex.is_empty() {
            if prefixes.is_empty() || prefixes.len() > PREFIXES_MAX {
                return Err(Status::invalid_argument(format!(
                    "a filter has a regular expression or 1 to {PREFIXES_MAX} prefixes"
                )));
            }
            return Ok(Self::Prefixes(prefixes));
        }
        if regex.len() > REGEX_BYTES_MAX {
            return Err(Status::invalid_argument("the filter's regular expression is too long"));
        }
        let compiled = RegexBuilder::new(&regex).backtrack_limit(STEPS_BACK_MAX).build();
        let compiled = compiled.map_err(|error| {
            Status::invalid_argument(format!("the filter's regular expression is wrong: {error}"))
        })?;
        Ok(Self::Regex(Box::new(compiled)))
    }

    fn passes(&self, text: &str) -> Result<bool, Status> {
        match self {
            Self::Prefixes(prefixes) => Ok(prefixes.iter().any(|prefix| text.starts_with(prefix))),
            Self::Regex(regex) => regex.is_match(text).map_err(|_| {
                Status::invalid_argument("the filter's regular expression takes too long")
            }),
        }
    }
}

/// What clients see of the whole log: all of it.
pub(crate) fn everything() -> Filter {
    Filter { system: true, ..Filter::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sieve(on: fn(Expression) -> FilterOn, regex: &str, prefixes: &[&str]) -> Sieve {
        let prefixes = prefixes.iter().map(|prefix| (*prefix).to_owned()).collect();
        let on = Some(on(Expression { regex: regex.to_owned(), prefixes }));
        Sieve::new(FilterOptions { on, window: None, checkpoint_multiplier: 0 }).unwrap()
    }

    fn event(stream: &str, kind: &str) -> RecordedEvent {
        RecordedEvent {
            id: uuid::Uuid::nil(),
            stream: accord_eventlog::StreamName::including_system(stream).unwrap(),
            revision: 0,
            position: accord_eventlog::Position(1),
            kind: kind.into(),
            data: bytes::Bytes::new(),
            metadata: bytes::Bytes::new(),
            created_micros: 0,
        }
    }

    #[test]
    fn a_regular_expression_matches_anywhere_unless_it_is_anchored() {
        let mut anywhere = sieve(FilterOn::Kind, "Won", &["never looked at"]);
        assert!(anywhere.passes(&event("deal-1", "DealWon")).unwrap());
        let mut anchored = sieve(FilterOn::Kind, "^Won", &[]);
        assert!(!anchored.passes(&event("deal-1", "DealWon")).unwrap());
    }

    #[test]
    fn what_a_look_ahead_excludes_does_not_pass() {
        let mut sieve = sieve(FilterOn::Kind, r"^(?!(\$.+$|Secret$))", &[]);
        for (kind, expected) in [("$metadata", false), ("Secret", false), ("Secrets", true)] {
            assert_eq!(sieve.passes(&event("s", kind)).unwrap(), expected, "{kind}");
            assert_eq!(sieve.passes(&event("s", kind)).unwrap(), expected, "{kind} again");
        }
    }

    #[test]
    fn prefixes_on_streams_are_left_to_the_log() {
        let mut sieve = sieve(FilterOn::Stream, "", &["deal-", "order-"]);
        assert_eq!(sieve.pushed_down().stream_prefixes, ["deal-", "order-"]);
        assert!(sieve.passes(&event("order-1", "deal-")).unwrap());
        assert!(!sieve.passes(&event("licence-1", "deal-")).unwrap());
    }

    #[test]
    fn an_expression_that_goes_back_without_end_fails_instead_of_burning_the_processor() {
        let mut sieve = sieve(FilterOn::Stream, r"^(?:(a|aa)+)\1b$", &[]);
        let stream = "a".repeat(200);
        assert!(sieve.passes(&event(&stream, "k")).is_err());
    }

    #[test]
    fn a_filter_without_an_expression_and_one_that_is_no_expression_are_refused() {
        let wrong = [("", 0), ("(", 0), ("", PREFIXES_MAX + 1)];
        for (regex, prefixes) in wrong {
            let expression =
                Expression { regex: regex.to_owned(), prefixes: vec![String::new(); prefixes] };
            let options = FilterOptions {
                on: Some(FilterOn::Kind(expression)),
                window: Some(Window::Max(10)),
                checkpoint_multiplier: 3,
            };
            assert!(Sieve::new(options).is_err(), "{regex:?} and {prefixes} prefixes");
        }
    }
}
