//! Free texts: reasons, notes and answers that people write in their own words.

/// Longest free text that an event keeps, in characters.
const TEXT_CHARS_MAX: usize = 4_000;

/// A text that cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextProblem {
    /// The field's name within the command.
    pub field: String,
    pub problem: String,
}

/// Refuses a text that says nothing or too much.
pub(crate) fn check_text(field: &str, text: &str) -> Result<(), TextProblem> {
    check_text_up_to(field, text, TEXT_CHARS_MAX)
}

/// Refuses a text that says nothing or has more characters than that.
pub(crate) fn check_text_up_to(
    field: &str,
    text: &str,
    chars_max: usize,
) -> Result<(), TextProblem> {
    if text.trim().is_empty() {
        let (field, problem) = (field.to_owned(), "it is blank".to_owned());
        return Err(TextProblem { field, problem });
    }
    check_length(field, text, chars_max)
}

/// Refuses a note that says too much; it may say nothing.
pub(crate) fn check_note(field: &str, note: &str) -> Result<(), TextProblem> {
    check_length(field, note, TEXT_CHARS_MAX)
}

/// Refuses a reason that says too much, and with `missing` one that says nothing.
pub(crate) fn check_reason<E: From<TextProblem>>(reason: &str, missing: E) -> Result<(), E> {
    if reason.trim().is_empty() {
        return Err(missing);
    }
    Ok(check_length("reason", reason, TEXT_CHARS_MAX)?)
}

fn check_length(field: &str, text: &str, chars_max: usize) -> Result<(), TextProblem> {
    if text.chars().count() > chars_max {
        let problem = format!("it is longer than {chars_max} characters");
        return Err(TextProblem { field: field.to_owned(), problem });
    }
    Ok(())
}

/// Makes a text's problem the refusal `InvalidField` of aggregates.
macro_rules! text_problems_are_invalid_fields {
    ($($error:ty),* $(,)?) => {$(
        impl From<TextProblem> for $error {
            fn from(TextProblem { field, problem }: TextProblem) -> Self {
                Self::InvalidField { field, problem }
            }
        }
    )*};
}

text_problems_are_invalid_fields! {
    crate::certificate::CertificateError,
    crate::deal::DealError,
    crate::level_review::LevelReviewError,
    crate::opportunity::OpportunityError,
    crate::order::OrderError,
    crate::partner::PartnerError,
    crate::program::ProgramError,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_something_and_has_at_most_4000_characters() {
        // Characters, not bytes.
        assert_eq!(check_text("note", &"ä".repeat(4_000)), Ok(()));
        let refused = check_text("note", &"ä".repeat(4_001)).unwrap_err();
        let expected = ("note", "it is longer than 4000 characters");
        assert_eq!((refused.field.as_str(), refused.problem.as_str()), expected);
        assert_eq!(check_text("note", " \n").unwrap_err().problem, "it is blank");
    }

    #[test]
    fn a_note_may_be_left_empty_and_a_reason_may_not() {
        assert_eq!(check_note("note", ""), Ok(()));
        let missing = TextProblem { field: String::new(), problem: "missing".to_owned() };
        assert_eq!(check_reason(" ", missing.clone()), Err(missing.clone()));
        assert_eq!(check_reason("because", missing), Ok(()));
    }
}
