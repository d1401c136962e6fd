//! Refusals in words: what stands in a message is what stands in a request.

use std::fmt::Display;

use serde::Serialize;

/// The word that a status, a mode or a role has in requests and answers.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        // No other value is asked for its word; its JSON would still say what is meant.
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// The words of several values: `technical, sales`.
pub(crate) fn words<T: Serialize>(values: &[T]) -> String {
    values.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// A value, or that there is none.
pub(crate) fn or_none<T: Display>(value: Option<&T>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| format!("`{value}`"))
}

#[cfg(test)]
mod tests {
    use crate::deal::{DealError, DealStatus};
    use crate::level_review::LevelReviewError;
    use crate::order::{OrderError, OrderStatus};
    use crate::partner::{PartnerError, PartnerStatus};
    use crate::rulebook::{ContactRole, EntryMode, PaymentMethod};

    #[test]
    fn refusals_speak_in_the_words_of_requests() {
        let criterion = |text: &str| text.parse().unwrap();
        let missing = vec![criterion("technical-capability"), criterion("readiness")];
        let said = [
            PartnerError::EvaluationIncomplete { missing }.to_string(),
            PartnerError::RequiredContactMissing {
                missing: vec![ContactRole::Technical, ContactRole::Sales],
            }
            .to_string(),
            PartnerError::WrongStatus { status: PartnerStatus::Suspended }.to_string(),
            PartnerError::EntryModeNotOffered {
                asked: EntryMode::Application,
                offered: EntryMode::Administrator,
            }
            .to_string(),
            DealError::DealWrongStatus { status: DealStatus::InformationRequested }.to_string(),
            OrderError::OrderWrongStatus { status: OrderStatus::Pending }.to_string(),
            OrderError::PaymentNotOffered { payment: PaymentMethod::PayNow }.to_string(),
            LevelReviewError::TargetOutOfReach { next: Some("silver".parse().unwrap()) }
                .to_string(),
            LevelReviewError::TargetOutOfReach { next: None }.to_string(),
        ];
        let expected = [
            "criteria are not evaluated yet: technical-capability, readiness",
            "contacts are missing: technical, sales",
            "a partner that is suspended cannot do this",
            "the way into this program is administrator, not application",
            "a deal that is information-requested cannot do this",
            "an order that is PENDING cannot do this",
            "payment by pay-now is not offered",
            "a review targets the current level or the next one above; the next one is `silver`",
            "a review targets the current level or the next one above; the next one is none",
        ];
        assert_eq!(said, expected);
    }
}
