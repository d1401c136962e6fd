//! Durations as people write them: `90s`, `15m`, `1h`, `30d`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};

/// A whole number of seconds, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seconds(pub(crate) u64);

impl Seconds {
    pub(crate) fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse_seconds(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A century: longer is a typing mistake.
const SECONDS_MAX: u64 = 100 * 365 * 86_400;

/// Reads a number and one of `s`, `m`, `h`, `d`.
pub(crate) fn parse_seconds(text: &str) -> Result<Seconds, String> {
    let problem = || format!("`{text}` is not a time such as 90s, 15m, 1h or 30d");
    let unit_at = text.len().saturating_sub(1);
    let (number, unit) = text.split_at_checked(unit_at).ok_or_else(problem)?;
    let factor: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(problem()),
    };
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(problem());
    }
    let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    match seconds {
        Some(seconds @ 1..=SECONDS_MAX) => Ok(Seconds(seconds)),
        _ => Err(format!("`{text}` is out of range: 1s to 100 years")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit_are_seconds() {
        let read = |text| parse_seconds(text).unwrap().0;
        assert_eq!(
            [read("90s"), read("15m"), read("1h"), read("30d")],
            [90, 900, 3_600, 2_592_000]
        );
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in ["", "h", "1", "1.5h", "-1h", "+1h", "1 h", "1w", "ä", "1ä"] {
            assert!(parse_seconds(text).unwrap_err().contains("15m"), "{text}");
        }
    }

    #[test]
    fn a_time_of_nothing_or_of_more_than_a_century_is_refused() {
        for text in ["0s", "36501d", "99999999999999999999d"] {
            assert!(parse_seconds(text).unwrap_err().contains("out of range"), "{text}");
        }
    }
}
