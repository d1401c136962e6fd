//! The rules of a partner program, and nothing else.
//!
//! Everything here is pure and synchronous: no clock, no randomness, no I/O, no logging. An
//! aggregate is a state with two functions: `decide` turns a command into events or a refusal,
//! `evolve` folds an event into the state. What differs between vendors is data in a
//! [`rulebook::Rulebook`]; no vendor's name stands in the code.
//!
//! Where to look: value types in [`ids`], [`money`], [`day`], [`personal`]; the contract of an
//! aggregate in [`aggregate`]; then one file per aggregate.
//!
//! Invariant: this crate knows neither HTTP nor storage.

pub mod aggregate;
pub mod certificate;
pub mod customer;
pub mod day;
pub mod deal;
pub mod event;
pub mod evidence;
pub mod ids;
pub mod level_review;
pub mod licence;
pub mod metadata;
pub mod money;
pub mod opportunity;
pub mod order;
pub mod partner;
pub mod personal;
pub mod pricing;
pub mod program;
pub mod rulebook;
pub mod text;
mod wording;

pub use aggregate::{Actor, Aggregate, Context, Refusal, RefusalKind, Role};
pub use day::{Day, Month, Timestamp};
pub use event::{DecodeError, DomainEvent};
pub use ids::*;
pub use money::{Currency, Money, Rate};
pub use personal::PersonalData;
