//! Why the application could not do what it was asked.

use accord_domain::{DecodeError, ProgramId, Refusal, RefusalKind};
use accord_eventlog::{KeyStoreError, LogError};
use serde_json::{Map, Value};

/// One error for the whole boundary; the edge turns it into a status once.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A rule said no.
    #[error("{}", .0.message)]
    Refused(RefusalReport),
    /// There is no such thing in this program, or not for this caller.
    #[error("not found")]
    NotFound,
    /// `If-Match` named another revision than the stream's.
    #[error("{}", mismatch(*.expected, *.actual))]
    RevisionMismatch { expected: u64, actual: Option<u64> },
    /// The idempotency key was used before for another request.
    #[error("the idempotency key was used before for another request")]
    KeyReused,
    /// Too many writers on one stream; the same command may succeed at once.
    #[error("too many writers on one resource")]
    Contention,
    /// The program has no rulebook in force.
    #[error("program `{0}` has no rulebook in force")]
    NoRulebook(ProgramId),
    /// Facts from the read models are not there yet.
    #[error("the read models have not caught up")]
    FactsBehind,
    #[error("the event log failed")]
    Log(#[from] LogError),
    #[error("the key store failed")]
    Keys(#[from] KeyStoreError),
    #[error("a stored event cannot be read")]
    Decode(#[from] DecodeError),
    #[error("a stored event's metadata cannot be read")]
    Metadata(#[from] serde_json::Error),
}

fn mismatch(expected: u64, actual: Option<u64>) -> String {
    match actual {
        Some(actual) => format!("the resource is at revision {actual}, not {expected}"),
        None => format!("the resource does not exist yet, so it is not at revision {expected}"),
    }
}

/// A refusal, independent of the aggregate it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct RefusalReport {
    pub kind: RefusalKind,
    /// The broken rule's name in kebab-case; stable.
    pub code: String,
    /// One sentence for the caller.
    pub message: String,
    /// The facts of the refusal: days, limits, ids.
    pub facts: Map<String, Value>,
}

impl RefusalReport {
    /// Reports an aggregate's refusal.
    pub fn of<E: Refusal>(refusal: &E) -> Self {
        let mut facts = match serde_json::to_value(refusal) {
            Ok(Value::Object(facts)) => facts,
            _ => Map::new(),
        };
        let code = match facts.remove("code") {
            Some(Value::String(code)) => code,
            _ => "refused".to_owned(),
        };
        Self { kind: refusal.kind(), code, message: refusal.to_string(), facts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mismatch_of_revisions_is_told_in_plain_words() {
        let told = |actual| AppError::RevisionMismatch { expected: 2, actual }.to_string();
        assert_eq!(told(Some(1)), "the resource is at revision 1, not 2");
        assert_eq!(told(None), "the resource does not exist yet, so it is not at revision 2");
    }
}
