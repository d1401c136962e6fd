//! The port between Accord and whatever stores its events.
//!
//! An [`EventLog`] is an ordered, durable sequence of events, cut into streams. This crate knows
//! bytes only: no domain type, no JSON. Two words are never swapped here: a *revision* counts
//! within one stream (gapless, from 0), a *position* orders the whole log (increasing, sparse,
//! opaque: never count with it).
//!
//! Every adapter passes the same suite, [`contract`] (feature `contract`).

#![warn(missing_docs)]

#[cfg(feature = "contract")]
pub mod contract;
mod event;
mod hash;
mod keys;
mod port;

pub use event::{NewEvent, Position, RecordedEvent, StreamName, StreamNameError};
pub use hash::{EventHash, event_hash};
pub use keys::{KeyStore, KeyStoreError, PersonKey};
pub use port::{
    Appended, Direction, EVENT_BYTES_MAX, EventLog, ExpectedRevision, Filter, LogError,
    Subscription, SubscriptionMessage,
};
