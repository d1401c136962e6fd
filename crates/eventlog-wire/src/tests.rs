//! The listener as a client sees it: every test speaks the protocol over a real connection to a
//! listener on a log of its own.

mod access;
mod appends;
mod batches;
mod ends;
mod reads;
mod scene;
mod subscriptions;
