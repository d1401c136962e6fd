//! The clock: the system's, or one that a simulation moves.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use accord_domain::{Day, Timestamp};
use chrono::{DateTime, Utc};

/// Tells the time to whoever needs it; the domain never asks.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    #[default]
    System,
    /// Microseconds since the Unix epoch, moved by its owner.
    Simulated(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at an instant until it is moved.
    pub fn simulated(at: Timestamp) -> Self {
        Self::Simulated(Arc::new(AtomicI64::new(at.timestamp_micros())))
    }

    /// Moves a simulated clock; the system's clock cannot be moved.
    pub fn set(&self, at: Timestamp) {
        if let Self::Simulated(micros) = self {
            micros.store(at.timestamp_micros(), Ordering::Release);
        }
    }

    /// Now, with microseconds.
    pub fn now(&self) -> Timestamp {
        let micros = match self {
            Self::System => Utc::now().timestamp_micros(),
            Self::Simulated(micros) => micros.load(Ordering::Acquire),
        };
        DateTime::from_timestamp_micros(micros).unwrap_or_default()
    }

    /// Today, UTC.
    pub fn today(&self) -> Day {
        Day::of_instant(self.now())
    }
}
