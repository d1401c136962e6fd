//! The application: load, decide, append, answer.
//!
//! [`App`] is the one way in. A command comes with a [`Call`] (who, which key, which revision); the
//! aggregate's state is folded from its stream (or found in a cache), decides, and its events are
//! appended at the exact revision. What an event sets off in other streams is a [policy](policy):
//! carried out at once by the caller's own request, and again, without effect, by the policy
//! runner, so that a crash in between loses nothing.
//!
//! Idempotency needs no store of its own: a command's id follows from its caller and key, the ids
//! of its events and of what it creates follow from the command's id, and a stream knows the
//! commands that it holds.
//!
//! Invariants: no SQL, no HTTP, no rule of the program here; nothing is decided from a read model
//! (facts that only a read model has come in through [`FactSource`] and are recorded in the event).

mod call;
mod cases;
mod clock;
mod envelope;
mod error;
mod facts;
mod personal;
pub mod policy;
mod repository;
mod rulebooks;
mod running;
mod states;
mod timers;
mod transact;

pub use call::{Call, EventRef, Outcome, command_id};
pub use cases::{CertificateDraft, ConflictResolution, DealDraft, ReviewRequest};
pub use clock::Clock;
pub use envelope::DecodedEvent;
pub use error::{AppError, RefusalReport};
pub use facts::{FactSource, Managed};
pub use personal::PersonalVault;
pub use rulebooks::program_stream_id;
pub use timers::{Due, DueKind};
pub use transact::App;
