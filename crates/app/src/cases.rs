//! Commands that need facts from other streams: the facts are gathered here, then one aggregate
//! decides on them.

mod certificates;
mod deals;
mod orders;
mod partners;
mod reviews;

pub use certificates::CertificateDraft;
pub use deals::{ConflictResolution, DealDraft};
pub use reviews::ReviewRequest;
