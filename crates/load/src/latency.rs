//! Latencies by size, and percentiles over them.

use std::time::Duration;

/// Buckets per doubling, as a power of two: a percentile is at most 1/64 above the truth.
const DETAIL_BITS: u32 = 6;
const DETAIL: usize = 1 << DETAIL_BITS;

/// Longer times count as this one: a bit over an hour.
const MICROS_MAX: u64 = (1 << 32) - 1;

/// Times in microseconds: exact below 128, then in buckets whose width grows with the time. Takes
/// the same little memory however many are recorded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Latencies {
    counts: Vec<u64>,
    count: u64,
    max_us: u64,
}

impl Latencies {
    pub(crate) fn record(&mut self, time: Duration) {
        let time_us = u64::try_from(time.as_micros()).unwrap_or(MICROS_MAX).min(MICROS_MAX);
        let bucket = bucket_of(time_us);
        if bucket >= self.counts.len() {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.count += 1;
        self.max_us = self.max_us.max(time_us);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if other.counts.len() > self.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (sum, count) in self.counts.iter_mut().zip(&other.counts) {
            *sum += count;
        }
        self.count += other.count;
        self.max_us = self.max_us.max(other.max_us);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn max_us(&self) -> u64 {
        self.max_us
    }

    /// The time that this share of all requests did not exceed; 0 where there is none.
    pub(crate) fn percentile_us(&self, per_mille: u64) -> u64 {
        let rank = (self.count * per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return last_of(bucket).min(self.max_us);
            }
        }
        self.max_us
    }
}

/// Times below 128 have a bucket each; every doubling from there on has 64.
fn bucket_of(time_us: u64) -> usize {
    let shift = time_us.max(1).ilog2().saturating_sub(DETAIL_BITS);
    let within = usize::try_from(time_us >> shift).expect("below 128 by the shift");
    DETAIL * shift as usize + within
}

/// The longest time in a bucket.
fn last_of(bucket: usize) -> u64 {
    let shift = (bucket / DETAIL).saturating_sub(1);
    let within = (bucket - DETAIL * shift) as u64;
    ((within + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times_us: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::default();
        for time_us in times_us {
            latencies.record(Duration::from_micros(time_us));
        }
        latencies
    }

    #[test]
    fn every_time_lies_in_its_bucket_and_no_bucket_is_wider_than_a_64th() {
        for time_us in (0..10_000).chain([123_456, 7_654_321, MICROS_MAX]) {
            let bucket = bucket_of(time_us);
            let last = last_of(bucket);
            assert!(time_us <= last && last - time_us <= time_us / 64, "{time_us} ends at {last}");
            assert!(bucket == 0 || last_of(bucket - 1) < time_us, "{time_us}");
        }
    }

    #[test]
    fn percentiles_of_one_to_a_hundred_are_themselves() {
        let latencies = of(1..=100);
        let found = [500, 900, 990, 999, 1000].map(|share| latencies.percentile_us(share));
        assert_eq!(found, [50, 90, 99, 100, 100]);
    }

    #[test]
    fn a_percentile_is_never_longer_than_the_longest_time() {
        assert_eq!(of([1_000_001]).percentile_us(500), 1_000_001);
    }

    #[test]
    fn nothing_recorded_has_percentile_zero() {
        assert_eq!(of([]).percentile_us(999), 0);
    }

    #[test]
    fn merged_latencies_are_those_of_both() {
        let mut merged = of([1, 2, 3]);
        merged.merge(&of([5_000]));
        assert_eq!((merged.count(), merged.percentile_us(750)), (4, 3));
        assert_eq!((merged.percentile_us(1000), merged.max_us()), (5_000, 5_000));
    }

    #[test]
    fn a_time_beyond_all_measure_counts_as_the_longest() {
        assert_eq!(of([u64::MAX]).max_us(), MICROS_MAX);
    }
}
