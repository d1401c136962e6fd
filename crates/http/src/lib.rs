//! Accord over HTTP.
//!
//! One table ([`commands`]) lists every command with its roles, its body and how it is carried out;
//! the router, the authorisation, the OpenAPI document and the tests are all made from it. Reads
//! have a smaller table of their own ([`reads`]), and a third one ([`visibility`]) says which of
//! their fields partners' roles do not see. A handler extracts, calls the application or a query,
//! and maps the result; every error becomes a problem (RFC 9457) in [`problem`] and nowhere else.
//!
//! Invariants: no rule of the program and no SQL here; nothing is answered before the token, the
//! program and the role were checked; everything that a client sends is bounded.

mod audit_events;
mod body;
mod caller;
mod changes;
pub mod commands;
mod health;
mod listen;
pub mod openapi;
mod order_request;
pub mod problem;
mod rate_limit;
pub mod reads;
mod reports;
mod resources;
mod router;
mod token;
mod traffic;
pub mod visibility;

pub use listen::{Limits, serve};
pub use router::{Http, router};
pub use token::{Claims, Issuer, TokenError};
pub use traffic::REQUEST_SECONDS;
