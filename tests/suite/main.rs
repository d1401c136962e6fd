//! The one integration-test binary.
//!
//! `tidy` and `arrows` hold the house rules; `events`, `metadata` and `commands` hold the
//! contracts. The others tell stories over HTTP: they start the real `accord` binary ([`server`]),
//! play in a program of their own ([`stage`]) and talk to it like any client ([`client`]). Nothing
//! sleeps: a read waits for the position of what was written, everything else is bounded polling.

// A test that cannot go on panics, in its helping functions as well.
#![allow(clippy::unwrap_used)]

mod arrows;
mod audit;
mod authorisation;
mod bad_input;
mod certificates;
mod changes;
mod cli;
mod client;
mod commands;
mod conflicts;
mod crashes;
mod deals;
mod event_log;
mod events;
mod log_elsewhere;
mod metadata;
mod orders;
mod partners;
mod reading;
mod retries;
mod reviews;
mod rulebooks;
mod server;
mod service;
mod stage;
mod tidy;
