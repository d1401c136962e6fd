//! How many requests a caller may send: one caller must not take the service from all others.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::problem::Problem;
use crate::token::Claims;

/// Callers that have been quiet for long are forgotten once in so many requests.
const FORGET_EVERY: u32 = 65_536;

/// Requests per second of each subject of a program; a second's worth may come at once.
pub(crate) struct RateLimit {
    callers: DefaultKeyedRateLimiter<u64>,
    hasher: RandomState,
    clock: DefaultClock,
    seen: AtomicU32,
}

impl RateLimit {
    pub(crate) fn new(requests_per_second_max: NonZeroU32) -> Self {
        Self {
            callers: RateLimiter::keyed(Quota::per_second(requests_per_second_max)),
            hasher: RandomState::new(),
            clock: DefaultClock::default(),
            seen: AtomicU32::new(0),
        }
    }

    /// Counts a request of this caller, or refuses it.
    pub(crate) fn check(&self, claims: &Claims) -> Result<(), Problem> {
        if self.seen.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.callers.retain_recent();
        }
        // A hash in place of the name: two callers that share one, of 2^64, would share a limit.
        let caller = self.hasher.hash_one((&claims.program, &claims.sub));
        self.callers.check_key(&caller).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            let detail = "this caller has sent too many requests; wait before the next one";
            Problem::new("rate-limited", detail).retry_after(whole_seconds(wait))
        })
    }
}

/// Rounded up, and at least one: who waits that long is let in.
fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(program: &str, subject: &str) -> Claims {
        Claims::new(program.parse().unwrap(), subject, "Ada", 60)
    }

    #[test]
    fn a_caller_past_its_limit_is_refused_and_told_when_to_come_again() {
        let limit = RateLimit::new(NonZeroU32::new(2).unwrap());
        let ada = caller("acme", "ada");
        assert_eq!(limit.check(&ada), Ok(()));
        assert_eq!(limit.check(&ada), Ok(()));
        let refused = limit.check(&ada).unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.code.as_str()), (429, "rate-limited"));
        assert_eq!(refused.retry_after_seconds, Some(1));
    }

    #[test]
    fn every_subject_of_every_program_has_a_limit_of_its_own() {
        let limit = RateLimit::new(NonZeroU32::MIN);
        assert_eq!(limit.check(&caller("acme", "ada")), Ok(()));
        assert_eq!(limit.check(&caller("acme", "bob")), Ok(()));
        assert_eq!(limit.check(&caller("umbrella", "ada")), Ok(()));
        assert!(limit.check(&caller("acme", "ada")).is_err());
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_rounded_up() {
        assert_eq!(whole_seconds(Duration::ZERO), 1);
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(2)), 2);
        assert_eq!(whole_seconds(Duration::from_millis(2_001)), 3);
    }
}
