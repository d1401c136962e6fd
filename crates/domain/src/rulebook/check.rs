//! The check of a rulebook: every mistake at once, each with its place.

use std::fmt;

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
