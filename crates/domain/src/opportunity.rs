//! Opportunity: the place where "at most one protection per opportunity" is decided.
//!
//! Customers match on normalised legal name, registered domain and tax id. Each of these, together
//! with the product scope, is one *key* with a stream of its own. A deal claims all its keys in
//! ascending order of their ids; the same order for everyone means that of several contenders one
//! always wins. Exact matches block, and open a conflict for the second registration.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::text::{check_reason, check_text_up_to};
use crate::{
    Aggregate, ConflictId, Context, Day, DealId, PartnerId, ReasonCode, Refusal, RefusalKind,
    Subject, aggregate,
};

/// Longest name of an instance that a conflict is handed to, in characters.
const RECIPIENT_CHARS_MAX: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum OpportunityCommand {
    /// Claims the key for a submitted deal; taken already, it opens a conflict instead.
    Claim { deal: DealId, partner: PartnerId },
    /// The holder's protection now lasts until this day.
    Protect { deal: DealId, until: Day },
    /// The deal is done with the key. One that held it makes room for the contender that waits
    /// longest; one that contended for it closes its conflict.
    Release { deal: DealId },
    /// Hands an open conflict to the next higher instance.
    Escalate { conflict: ConflictId, to: String, reason: String },
    /// Resolves an open conflict; by a neutral person, under a named rule, with a reason.
    Resolve {
        conflict: ConflictId,
        winner: DealId,
        rule: ReasonCode,
        reason: String,
        /// Everybody who acted on one of the two deals.
        involved: Vec<Subject>,
    },
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
    /// One of the two registrations has ended: there is nothing left to resolve. Where it was the
    /// holder's, the key passes to the contender.
    #[serde(rename = "ConflictClosed")]
    ConflictClosed { conflict: ConflictId, contender: DealId, cause: ConflictEnd },
}

/// Whose registration ended while a conflict was open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictEnd {
    HolderEnded,
    ContenderEnded,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema, thiserror::Error)]
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
    #[error("the partner's own deal {deal} holds the opportunity already")]
    HeldByOwnDeal { deal: DealId },
    #[error("deal {deal} does not hold the opportunity")]
    NotTheHolder { deal: DealId },
    #[error("an escalation names the instance that it goes to")]
    EscalationWithoutRecipient,
    #[error("`{field}` is not usable: {problem}")]
    InvalidField { field: String, problem: String },
    #[error("a reason is required")]
    ReasonMissing,
}

impl Refusal for OpportunityError {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::ConflictNotFound => RefusalKind::NotFound,
            Self::UnknownConflictRule { .. }
            | Self::EscalationWithoutRecipient
            | Self::InvalidField { .. }
            | Self::ReasonMissing => RefusalKind::InvalidValue,
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
    /// How many conflicts were opened here before: the first come is the first in line.
    pub number: usize,
    pub holder: DealId,
    pub contender: DealId,
    pub contender_partner: PartnerId,
    pub opened_on: Day,
    pub earliest_free_day: Day,
    /// The instance that it was last handed to.
    pub escalated_to: Option<String>,
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
        command: OpportunityCommand,
        context: &Context,
    ) -> Result<Vec<OpportunityEvent>, OpportunityError> {
        match command {
            OpportunityCommand::Claim { deal, partner } => self.claim(deal, partner, context),
            OpportunityCommand::Protect { deal, until } => self.protect(deal, until),
            OpportunityCommand::Release { deal } => Ok(self.release(deal)),
            OpportunityCommand::Escalate { conflict, to, reason } => {
                self.escalate(conflict, to, reason)
            }
            OpportunityCommand::Resolve { conflict, winner, rule, reason, involved } => {
                let resolution = Resolution { winner, rule, reason, involved };
                self.resolve(conflict, resolution, context)
            }
        }
    }

    fn evolve(mut self, event: &OpportunityEvent) -> Self {
        match event {
            OpportunityEvent::Claimed { deal, partner, claimed_on } => {
                let (deal, partner, claimed_on) = (*deal, *partner, *claimed_on);
                self.holder = Some(Holder { deal, partner, claimed_on, protected_until: None });
            }
            OpportunityEvent::Protected { until, .. } => {
                if let Some(holder) = &mut self.holder {
                    holder.protected_until = Some(*until);
                }
            }
            OpportunityEvent::Released { .. } => self.holder = None,
            OpportunityEvent::ConflictOpened {
                conflict,
                holder,
                contender,
                contender_partner,
                opened_on,
                earliest_free_day,
                holder_partner: _,
            } => {
                let opened = Conflict {
                    number: self.conflicts.len(),
                    holder: *holder,
                    contender: *contender,
                    contender_partner: *contender_partner,
                    opened_on: *opened_on,
                    earliest_free_day: *earliest_free_day,
                    escalated_to: None,
                    resolved: false,
                };
                self.conflicts.insert(*conflict, opened);
            }
            OpportunityEvent::ConflictEscalated { conflict, to, .. } => {
                if let Some(conflict) = self.conflicts.get_mut(conflict) {
                    conflict.escalated_to = Some(to.clone());
                }
            }
            OpportunityEvent::ConflictResolved { conflict, winner, loser, .. } => {
                // The key passes to the winner, unless a third deal has got it since.
                self.holder = self.holder.filter(|holder| holder.deal != *loser);
                self.settle(*conflict, |conflict| conflict.contender == *winner);
            }
            OpportunityEvent::ConflictClosed { conflict, cause, .. } => {
                self.settle(*conflict, |_| *cause == ConflictEnd::HolderEnded);
            }
        }
        self
    }

    /// An opportunity is nobody's own: partners see it through their deals only.
    fn partner(&self) -> Option<PartnerId> {
        None
    }
}

/// How a person resolves a conflict.
struct Resolution {
    winner: DealId,
    rule: ReasonCode,
    reason: String,
    involved: Vec<Subject>,
}

impl Opportunity {
    /// Whether the key is this deal's.
    pub fn is_held_by(&self, deal: DealId) -> bool {
        self.holder.as_ref().is_some_and(|holder| holder.deal == deal)
    }

    /// The unresolved conflict in which this deal contends for the key.
    pub fn conflict_for(&self, deal: DealId) -> Option<(ConflictId, &Conflict)> {
        let is_open = |conflict: &Conflict| conflict.contender == deal && !conflict.resolved;
        let found = self.conflicts.iter().find(|(_, conflict)| is_open(conflict));
        found.map(|(id, conflict)| (*id, conflict))
    }

    fn claim(
        &self,
        deal: DealId,
        partner: PartnerId,
        context: &Context,
    ) -> Result<Vec<OpportunityEvent>, OpportunityError> {
        let today = context.today;
        match &self.holder {
            None => Ok(vec![OpportunityEvent::Claimed { deal, partner, claimed_on: today }]),
            Some(holder) if holder.deal == deal || self.conflict_for(deal).is_some() => {
                Ok(Vec::new())
            }
            // Nobody is in conflict with itself.
            Some(holder) if holder.partner == partner => {
                Err(OpportunityError::HeldByOwnDeal { deal: holder.deal })
            }
            Some(holder) => {
                // Counting the conflicts keeps a later one between the same deals apart.
                let name = format!("conflict/{}/{deal}", self.conflicts.len());
                let conflict = Uuid::new_v5(&context.aggregate_id, name.as_bytes());
                let until_at_most = today.plus_days(context.rules.deals.protection_days);
                let until = holder.protected_until.unwrap_or(until_at_most);
                Ok(vec![OpportunityEvent::ConflictOpened {
                    conflict: ConflictId(conflict),
                    holder: holder.deal,
                    holder_partner: holder.partner,
                    contender: deal,
                    contender_partner: partner,
                    opened_on: today,
                    earliest_free_day: until.plus_days(1),
                }])
            }
        }
    }

    /// Ends a conflict; where the contender has won it, a free key is the contender's at once, so
    /// that nobody comes between.
    fn settle(&mut self, id: ConflictId, is_won: impl FnOnce(&Conflict) -> bool) {
        let Some(conflict) = self.conflicts.get_mut(&id) else { return };
        conflict.resolved = true;
        if self.holder.is_none() && is_won(conflict) {
            self.holder = Some(Holder {
                deal: conflict.contender,
                partner: conflict.contender_partner,
                claimed_on: conflict.opened_on,
                protected_until: None,
            });
        }
    }

    fn release(&self, deal: DealId) -> Vec<OpportunityEvent> {
        if let Some((conflict, _)) = self.conflict_for(deal) {
            let cause = ConflictEnd::ContenderEnded;
            return vec![OpportunityEvent::ConflictClosed { conflict, contender: deal, cause }];
        }
        if !self.is_held_by(deal) {
            return Vec::new();
        }
        let open = self.conflicts.iter().filter(|(_, conflict)| !conflict.resolved);
        let next = open.min_by_key(|(_, conflict)| conflict.number);
        let handed_on = next.map(|(id, conflict)| OpportunityEvent::ConflictClosed {
            conflict: *id,
            contender: conflict.contender,
            cause: ConflictEnd::HolderEnded,
        });
        [OpportunityEvent::Released { deal }].into_iter().chain(handed_on).collect()
    }

    fn protect(&self, deal: DealId, until: Day) -> Result<Vec<OpportunityEvent>, OpportunityError> {
        match &self.holder {
            Some(holder) if holder.deal == deal => match holder.protected_until {
                Some(day) if day == until => Ok(Vec::new()),
                _ => Ok(vec![OpportunityEvent::Protected { deal, until }]),
            },
            _ => Err(OpportunityError::NotTheHolder { deal }),
        }
    }

    fn open_conflict(&self, id: ConflictId) -> Result<&Conflict, OpportunityError> {
        let conflict = self.conflicts.get(&id).ok_or(OpportunityError::ConflictNotFound)?;
        if conflict.resolved {
            return Err(OpportunityError::ConflictAlreadyResolved);
        }
        Ok(conflict)
    }

    fn escalate(
        &self,
        id: ConflictId,
        to: String,
        reason: String,
    ) -> Result<Vec<OpportunityEvent>, OpportunityError> {
        let conflict = self.open_conflict(id)?;
        if to.trim().is_empty() {
            return Err(OpportunityError::EscalationWithoutRecipient);
        }
        check_text_up_to("to", &to, RECIPIENT_CHARS_MAX)?;
        check_reason(&reason, OpportunityError::ReasonMissing)?;
        if conflict.escalated_to.as_ref() == Some(&to) {
            return Ok(Vec::new());
        }
        Ok(vec![OpportunityEvent::ConflictEscalated { conflict: id, to, reason }])
    }

    fn resolve(
        &self,
        id: ConflictId,
        resolution: Resolution,
        context: &Context,
    ) -> Result<Vec<OpportunityEvent>, OpportunityError> {
        let conflict = self.open_conflict(id)?;
        let Resolution { winner, rule, reason, involved } = resolution;
        if context.actor.acting_for.is_some() || involved.contains(&context.actor.subject) {
            return Err(OpportunityError::ResolverNotNeutral);
        }
        let loser = match winner {
            winner if winner == conflict.holder => conflict.contender,
            winner if winner == conflict.contender => conflict.holder,
            _ => return Err(OpportunityError::WinnerNotInConflict),
        };
        if !context.rules.deals.conflict_rules.contains(&rule) {
            return Err(OpportunityError::UnknownConflictRule { rule });
        }
        check_reason(&reason, OpportunityError::ReasonMissing)?;
        let resolved_by = context.actor.subject.clone();
        let conflict = id;
        let resolved = OpportunityEvent::ConflictResolved {
            conflict,
            winner,
            loser,
            rule,
            reason,
            resolved_by,
        };
        Ok(vec![resolved])
    }
}

#[cfg(test)]
mod tests;
