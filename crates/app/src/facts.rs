//! Facts that span many streams, which only read models can answer.
//!
//! They enter a command, and by it the event, so that the decision stays explainable for ever. No
//! rule of uniqueness rests on them.

use accord_domain::{DealId, LevelReviewId, PartnerId, ProgramId, TrackId, evidence::Evidence};
use accord_eventlog::Position;
use async_trait::async_trait;

use crate::AppError;

/// What a partner manages today over all its licences in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Managed {
    pub servers: u64,
    pub seats: u64,
}

/// Where such facts come from. `at_least`: answer from this position of the log or later, or fail
/// with [`AppError::FactsBehind`].
#[async_trait]
pub trait FactSource: Send + Sync {
    async fn evidence(
        &self,
        program: &ProgramId,
        partner: PartnerId,
        at_least: Option<Position>,
    ) -> Result<Evidence, AppError>;

    /// The review of a partner's track that waits for its decision, if there is one.
    async fn open_review(
        &self,
        program: &ProgramId,
        of: (PartnerId, &TrackId),
        at_least: Option<Position>,
    ) -> Result<Option<LevelReviewId>, AppError>;

    /// The partner's deals to which something can still happen.
    async fn open_deals(
        &self,
        program: &ProgramId,
        partner: PartnerId,
        at_least: Option<Position>,
    ) -> Result<Vec<DealId>, AppError>;

    async fn managed(
        &self,
        program: &ProgramId,
        partner: PartnerId,
        at_least: Option<Position>,
    ) -> Result<Managed, AppError>;
}
