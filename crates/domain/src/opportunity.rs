//! Opportunity: the place where "at most one protection per opportunity" is decided.
//!
//! Customers match on normalised legal name, registered domain and tax id. Each of these, together
//! with the product scope, is one *key* with a stream of its own. A deal claims all its keys in
//! ascending order of their ids; the same order for everyone means that of several contenders one
//! always wins. Exact matches block, and open a conflict for the second registration.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Aggregate, ConflictId, Context, Day, DealId, OpportunityId, PartnerId, ReasonCode, Refusal,
    RefusalKind, Subject, aggregate,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum OpportunityCommand {
    /// Claims the key for a submitted deal; taken already, it opens a conflict instead.
    Claim { deal: DealId, partner: PartnerId },
    /// The holder's protection now lasts until this day.
    Protect { deal: DealId, until: Day },
    /// The holder is done: the key is free again.
    Release { deal: DealId },
    /// Hands an open conflict to the next higher instance.
    Escalate { conflict: ConflictId, to: String, reason: String },
    /// Resolves an open conflict; by a neutral person, under a named rule, with a reason.
    Resolve { conflict: ConflictId, winner: DealId, rule: ReasonCode, reason: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OpportunityEvent {
    #[serde(rename = "OpportunityClaimed")]
    Claimed { deal: DealId, partner: PartnerId, claimed_on: Day },
    #[serde(rename = "OpportunityProtected")]
    Protected { deal: DealId, until: Day },
    #[serde(rename = "OpportunityReleased")]
    Released { deal: DealId },
    #[serde(rename = "ConflictOpened")]
    ConflictOpened {
        conflict: ConflictId,
        holder: DealId,
        holder_partner: PartnerId,
        contender: DealId,
        contender_partner: PartnerId,
        opened_on: Day,
        /// The earliest day on which the key can be free, as far as is known today.
        earliest_free_day: Day,
    },
    #[serde(rename = "ConflictEscalated")]
    ConflictEscalated { conflict: ConflictId, to: String, reason: String },
    #[serde(rename = "ConflictResolved")]
    ConflictResolved {
        conflict: ConflictId,
        winner: DealId,
        loser: DealId,
        rule: ReasonCode,
        reason: String,
        resolved_by: Subject,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum OpportunityError {
    #[error("the conflict does not exist")]
    ConflictNotFound,
    #[error("the conflict is already resolved")]
    ConflictAlreadyResolved,
    #[error("a conflict is won by one of its two deals")]
    WinnerNotInConflict,
    #[error("the rulebook knows no conflict rule `{rule}`")]
    UnknownConflictRule { rule: ReasonCode },
    #[error("a conflict is resolved by a person who acted on neither deal")]
    ResolverNotNeutral,
    #[error("deal {deal} does not hold the opportunity")]
    NotTheHolder { deal: DealId },
    #[error("a reason is required")]
    ReasonMissing,
}

impl Refusal for OpportunityError {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::ConflictNotFound => RefusalKind::NotFound,
            Self::UnknownConflictRule { .. } | Self::ReasonMissing => RefusalKind::InvalidValue,
            _ => RefusalKind::Rule,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opportunity {
    pub holder: Option<Holder>,
    pub conflicts: BTreeMap<ConflictId, Conflict>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub deal: DealId,
    pub partner: PartnerId,
    pub claimed_on: Day,
    /// Absent while the registration waits for validation.
    pub protected_until: Option<Day>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub holder: DealId,
    pub contender: DealId,
    pub contender_partner: PartnerId,
    pub earliest_free_day: Day,
    pub resolved: bool,
}

impl aggregate::Event for OpportunityEvent {}

impl Aggregate for Opportunity {
    const CATEGORY: &'static str = "opportunity";
    type Command = OpportunityCommand;
    type Event = OpportunityEvent;
    type Error = OpportunityError;

    fn decide(
        &self,
        _: OpportunityCommand,
        _: &Context,
    ) -> Result<Vec<OpportunityEvent>, OpportunityError> {
        unimplemented!()
    }

    fn evolve(self, _: &OpportunityEvent) -> Self {
        unimplemented!()
    }

    fn partner(&self) -> Option<PartnerId> {
        None
    }
}
