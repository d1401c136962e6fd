//! The one integration-test binary.
//!
//! `tidy` and `arrows` hold the house rules, `events` the contract of stored events; the others
//! start the real `accord` binary and talk to it over HTTP.

mod arrows;
mod events;
mod tidy;
