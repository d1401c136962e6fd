//! The embedded event log: one SQLite file, one writer thread, group commit.
//!
//! How an append travels: [`SqliteEventLog`] puts it into a bounded queue; the writer thread
//! (`writer`) takes everything that waits, checks and inserts it within one transaction
//! (`placing`), commits, which is when it reaches the disk, and only then answers everybody and
//! tells the live subscriptions. Since one thread gives out the positions, the log's order has no
//! gap by construction.
//!
//! Reads (`reading`) have connections of their own and never wait for the writer. Moving pages from
//! the write-ahead log into the file is the work of a third thread (`checkpointing`).
//!
//! What is never found here: an acknowledgement before the commit, `synchronous` below `FULL`, a
//! second writer (`locking`), a cache without a bound (`recent`).

mod backup;
mod checkpointing;
mod error;
mod following;
mod locking;
mod log;
mod placing;
mod reading;
mod recent;
mod schema;
#[cfg(test)]
mod tests;
mod writer;

pub use log::SqliteEventLog;
