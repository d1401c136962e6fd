//! A listener that speaks the protocol of EventStoreDB and KurrentDB over any [`EventLog`], so that
//! their official clients can attach: to a serving Accord for reading, or to a log of its own.
//!
//! How a call travels: `listen` accepts the connection, `service` lets the call in and finds its
//! method; `appending`, `batching` and `deleting` change streams, `reading` and `following` answer
//! reads and subscriptions through `answering`. What the log does not know, namely the rules that
//! system events make for a stream, is `standing`. The messages are written by hand (`messages`).
//!
//! Differences to the original, by design: a position is a single number (commit and prepare are
//! the same); what a writer called its bytes is not kept, objects and lists in JSON are called so;
//! a tombstone takes the next revision of its stream; whoever expects no stream may continue one
//! whose events are all truncated; links are not resolved; there are no persistent subscriptions.
//!
//! What is never found here: a write through a listener that lets only read, a password without
//! encryption, an address that others can reach without both, a buffer without a bound.
//!
//! [`EventLog`]: accord_eventlog::EventLog

#![warn(missing_docs)]

mod answering;
mod appending;
mod batching;
mod cluster;
mod deleting;
mod filtering;
mod following;
mod listen;
mod messages;
mod reading;
mod refusals;
mod service;
mod setup;
mod standing;
#[cfg(test)]
mod tests;
mod wire;

pub use listen::{ListenError, Listener};
pub use setup::{Credentials, Limits, Mode, Setup, SetupError, Tls};
