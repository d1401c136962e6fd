//! The event log over the network: KurrentDB and EventStoreDB, by the official client.
//!
//! An [`Address`] says where the server is and who asks; [`KurrentLog`] is the port
//! [`EventLog`](accord_eventlog::EventLog) over it. The log connects when it is first used and
//! again whenever the server went away; nobody else need care. Positions and revisions are the
//! server's own: a [`Position`](accord_eventlog::Position) is its commit position.
//!
//! Three things the official client does not do are done here. It gives up for good after a failed
//! first connection, and never leaves a cluster's node that has gone: see [`link`]. It shares one
//! connection among all calls, so that a subscriber that does not read would hold up everybody
//! else: see [`following`]. And the server recognises a retry without an expected revision only
//! until its next restart: see [`appending`].

#![warn(missing_docs)]

mod address;
mod appending;
mod envelope;
mod error;
mod following;
mod link;
mod log;
mod login;
mod prompt;
mod reading;
#[cfg(test)]
mod tests;

pub use address::{Address, AddressError};
pub use log::KurrentLog;
pub use login::LoginError;
