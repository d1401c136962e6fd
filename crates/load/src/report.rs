//! What was measured, as a table for people and as JSON for everything else.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use comfy_table::{CellAlignment, Table, presets::NOTHING};
use serde::Serialize;

use crate::latency::Latencies;

/// Everything of one run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// The command and its settings, in words.
    pub(crate) run: String,
    /// Ended by Ctrl-C: the figures are those of the part that ran.
    pub(crate) interrupted: bool,
    pub(crate) figures: Vec<Figure>,
    /// Answers by status, warm-up included.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Other results, by name.
    pub(crate) facts: BTreeMap<&'static str, String>,
    /// What was not as it should be; any makes the run fail.
    pub(crate) problems: Vec<String>,
}

/// A rate and the latencies behind it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) count: u64,
    pub(crate) per_second: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency: Option<Percentiles>,
}

/// Latencies in microseconds, at most 1/64 above the truth; the maximum is exact.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50_us: u64,
    pub(crate) p90_us: u64,
    pub(crate) p99_us: u64,
    pub(crate) p99_9_us: u64,
    pub(crate) max_us: u64,
}

impl Figure {
    pub(crate) fn of(name: impl Into<String>, latencies: &Latencies, elapsed: Duration) -> Self {
        let latency = Percentiles {
            p50_us: latencies.percentile_us(500),
            p90_us: latencies.percentile_us(900),
            p99_us: latencies.percentile_us(990),
            p99_9_us: latencies.percentile_us(999),
            max_us: latencies.max_us(),
        };
        Self { latency: Some(latency), ..Self::rate(name, latencies.count(), elapsed) }
    }

    pub(crate) fn rate(name: impl Into<String>, count: u64, elapsed: Duration) -> Self {
        let per_second = u128::from(count) * 1_000_000 / elapsed.as_micros().max(1);
        let per_second = u64::try_from(per_second).unwrap_or(u64::MAX);
        Self { name: name.into(), count, per_second, latency: None }
    }
}

/// A ratio with three decimals, without floating point.
pub(crate) fn ratio(of: u64, to: u64) -> String {
    let thousandths = u128::from(of) * 1000 / u128::from(to.max(1));
    format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
}

fn milliseconds(time_us: u64) -> String {
    format!("{}.{:02}", time_us / 1000, time_us % 1000 / 10)
}

impl Report {
    pub(crate) fn print(&self) {
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header(["", "count", "per second", "p50 ms", "p90", "p99", "p99.9", "max"]);
        for figure in &self.figures {
            let mut row =
                vec![figure.name.clone(), figure.count.to_string(), figure.per_second.to_string()];
            if let Some(latency) = &figure.latency {
                let Percentiles { p50_us, p90_us, p99_us, p99_9_us, max_us } = *latency;
                row.extend([p50_us, p90_us, p99_us, p99_9_us, max_us].map(milliseconds));
            }
            table.add_row(row);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        println!("{}{}", self.run, if self.interrupted { " (interrupted)" } else { "" });
        println!("{}", table.trim_fmt());
        for (status, count) in &self.statuses {
            println!("status {status}: {count}");
        }
        for (name, fact) in &self.facts {
            println!("{name}: {fact}");
        }
        for problem in &self.problems {
            println!("PROBLEM: {problem}");
        }
    }

    pub(crate) fn write_json(&self, path: &Path) -> anyhow::Result<()> {
        let json = serde_json::to_vec_pretty(self)?;
        std::fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_counted_per_second() {
        assert_eq!(Figure::rate("x", 500, Duration::from_millis(250)).per_second, 2_000);
        assert_eq!(Figure::rate("x", 0, Duration::ZERO).per_second, 0);
    }

    #[test]
    fn a_ratio_has_three_decimals() {
        assert_eq!(
            [ratio(1, 10), ratio(10_500, 100_000), ratio(3, 0)],
            ["0.100", "0.105", "3.000"]
        );
    }

    #[test]
    fn times_are_shown_in_milliseconds() {
        assert_eq!([milliseconds(7), milliseconds(25_340)], ["0.00", "25.34"]);
    }
}
