//! Logs on standard error: text for a person at a terminal, JSON for everything else.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

/// The event log's client repeats every failed attempt; the adapter tells once that the log is
/// away. Said only to those who ask for it.
const QUIET: &str = "kurrentdb";

/// Starts logging by a filter; one that cannot be read falls back to `info`.
pub(crate) fn start(filter: &str) {
    let (filter, problem) = match EnvFilter::try_new(quiet(filter)) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new("info"), Some(error)),
    };
    let subscriber = tracing_subscriber::fmt().with_writer(stderr).with_env_filter(filter);
    if stderr().is_terminal() {
        subscriber.with_target(false).init();
    } else {
        subscriber.json().flatten_event(true).init();
    }
    if let Some(problem) = problem {
        tracing::warn!(error = &problem as &dyn std::error::Error, "the log filter is ignored");
    }
}

fn quiet(filter: &str) -> String {
    let is_named = filter.split(',').any(|part| part.trim().starts_with(QUIET));
    if is_named { filter.to_owned() } else { format!("{filter},{QUIET}=off") }
}
