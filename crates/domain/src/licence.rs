//! Licence: what one end customer may use, until a day.
//!
//! A licence is issued, renewed and upgraded by completed orders only, and ends on its own day. Its
//! partner's restriction, suspension or termination never touches it.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::customer::Company;
use crate::pricing::Item;
use crate::rulebook::LicenceModel;
use crate::{Aggregate, Context, Day, Money, OrderId, PartnerId, Refusal, RefusalKind, aggregate};

/// Commands come from completed orders and the scheduler, never from a caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LicenceCommand {
    Issue {
        order: OrderId,
        partner: Option<PartnerId>,
        customer: Company,
        model: LicenceModel,
        terms: LicenceTerms,
    },
    Renew {
        order: OrderId,
        terms: LicenceTerms,
    },
    Upgrade {
        order: OrderId,
        terms: LicenceTerms,
    },
    /// A renewal or an upgrade was ordered: until it is paid or cancelled, there is no other one.
    Reserve {
        order: OrderId,
    },
    /// The order that reserved the licence will not be paid.
    ReleaseReservation {
        order: OrderId,
    },
    /// The scheduler's: the last day has passed.
    Expire {},
}

/// Contents and duration of a licence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LicenceTerms {
    pub items: Vec<Item>,
    pub seats: u64,
    pub servers: u64,
    pub mrr: Money,
    /// First day on which these terms hold.
    pub starts_on: Day,
    /// Last day of the licence, included.
    pub ends_on: Day,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LicenceEvent {
    #[serde(rename = "LicenceIssued")]
    Issued {
        order: OrderId,
        partner: Option<PartnerId>,
        customer: Company,
        model: LicenceModel,
        terms: LicenceTerms,
    },
    #[serde(rename = "LicenceRenewed")]
    Renewed { order: OrderId, terms: LicenceTerms },
    #[serde(rename = "LicenceUpgraded")]
    Upgraded { order: OrderId, terms: LicenceTerms },
    #[serde(rename = "LicenceReserved")]
    Reserved { order: OrderId },
    #[serde(rename = "LicenceReservationReleased")]
    ReservationReleased { order: OrderId },
    #[serde(rename = "LicenceExpired")]
    Expired { ends_on: Day },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum LicenceError {
    #[error("the licence does not exist")]
    LicenceNotFound,
    #[error("the licence is already issued")]
    LicenceAlreadyIssued,
    #[error("the licence ended on {ends_on}")]
    LicenceEnded { ends_on: Day },
    #[error("the licence runs until {ends_on}, that day included")]
    LicenceStillRuns { ends_on: Day },
    #[error("the new last day {ends_on} is before the current one, {ends_on_now}")]
    LicenceShortened { ends_on: Day, ends_on_now: Day },
    #[error("order {order} already changes the licence")]
    LicenceReservedAlready { order: OrderId },
}

impl Refusal for LicenceError {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::LicenceNotFound => RefusalKind::NotFound,
            _ => RefusalKind::Rule,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Licence {
    #[default]
    Unissued,
    Running(LicenceRecord),
    Expired(LicenceRecord),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenceRecord {
    /// The order that the current terms came from.
    pub order: OrderId,
    pub partner: Option<PartnerId>,
    pub customer: Company,
    /// In force now; `starts_on` stays the licence's first day through renewals and upgrades.
    pub terms: LicenceTerms,
    /// All orders that the licence was ever issued, renewed or upgraded by.
    pub applied: BTreeSet<OrderId>,
    /// The renewal or upgrade that was ordered and is neither paid nor cancelled.
    pub reserved_by: Option<OrderId>,
}

impl aggregate::Event for LicenceEvent {}

impl Aggregate for Licence {
    const CATEGORY: &'static str = "licence";
    type Command = LicenceCommand;
    type Event = LicenceEvent;
    type Error = LicenceError;

    fn decide(
        &self,
        command: LicenceCommand,
        context: &Context,
    ) -> Result<Vec<LicenceEvent>, LicenceError> {
        match command {
            LicenceCommand::Issue { order, partner, customer, model, terms } => {
                match self.record() {
                    None => {
                        Ok(vec![LicenceEvent::Issued { order, partner, customer, model, terms }])
                    }
                    Some(_) if self.has_applied(order) => Ok(Vec::new()),
                    Some(_) => Err(LicenceError::LicenceAlreadyIssued),
                }
            }
            LicenceCommand::Renew { order, .. } | LicenceCommand::Upgrade { order, .. }
                if self.has_applied(order) =>
            {
                Ok(Vec::new())
            }
            LicenceCommand::Renew { order, terms } => {
                self.check_change(&terms, context)?;
                Ok(vec![LicenceEvent::Renewed { order, terms }])
            }
            LicenceCommand::Upgrade { order, terms } => {
                self.check_change(&terms, context)?;
                Ok(vec![LicenceEvent::Upgraded { order, terms }])
            }
            LicenceCommand::Reserve { order } => self.reserve(order),
            LicenceCommand::ReleaseReservation { order } => {
                let released = LicenceEvent::ReservationReleased { order };
                Ok(if self.reserved_by() == Some(order) { vec![released] } else { Vec::new() })
            }
            LicenceCommand::Expire {} => self.expire(context),
        }
    }

    fn evolve(self, event: &LicenceEvent) -> Self {
        match (self, event) {
            (_, LicenceEvent::Issued { order, partner, customer, terms, model: _ }) => {
                Self::Running(LicenceRecord {
                    order: *order,
                    applied: BTreeSet::from([*order]),
                    partner: *partner,
                    customer: customer.clone(),
                    terms: terms.clone(),
                    reserved_by: None,
                })
            }
            (
                Self::Running(record) | Self::Expired(record),
                LicenceEvent::Renewed { order, terms } | LicenceEvent::Upgraded { order, terms },
            ) => Self::Running(record.with(*order, terms)),
            (Self::Running(record), LicenceEvent::Expired { .. }) => Self::Expired(record),
            (state, LicenceEvent::Reserved { order }) => state.reserved(Some(*order)),
            (state, LicenceEvent::ReservationReleased { .. }) => state.reserved(None),
            (state, _) => state,
        }
    }

    fn partner(&self) -> Option<PartnerId> {
        self.record()?.partner
    }
}

impl Licence {
    fn record(&self) -> Option<&LicenceRecord> {
        match self {
            Self::Unissued => None,
            Self::Running(record) | Self::Expired(record) => Some(record),
        }
    }

    /// The renewal or upgrade that was ordered and is neither paid nor cancelled.
    pub fn reserved_by(&self) -> Option<OrderId> {
        self.record()?.reserved_by
    }

    fn reserved(mut self, order: Option<OrderId>) -> Self {
        if let Self::Running(record) | Self::Expired(record) = &mut self {
            record.reserved_by = order;
        }
        self
    }

    /// Two changes that know nothing of each other would each bring its own terms: the second one
    /// paid would undo the first.
    fn reserve(&self, order: OrderId) -> Result<Vec<LicenceEvent>, LicenceError> {
        let record = self.record().ok_or(LicenceError::LicenceNotFound)?;
        if record.applied.contains(&order) {
            return Ok(Vec::new());
        }
        match record.reserved_by {
            None => Ok(vec![LicenceEvent::Reserved { order }]),
            Some(other) if other == order => Ok(Vec::new()),
            Some(order) => Err(LicenceError::LicenceReservedAlready { order }),
        }
    }

    fn has_applied(&self, order: OrderId) -> bool {
        self.record().is_some_and(|record| record.applied.contains(&order))
    }

    /// Whether the terms that a completed order brings can hold.
    ///
    /// The customer has paid for them. So an order that was placed in time and paid after the
    /// licence's end still counts, as long as its own last day has not passed.
    fn check_change(&self, terms: &LicenceTerms, context: &Context) -> Result<(), LicenceError> {
        let record = self.record().ok_or(LicenceError::LicenceNotFound)?;
        let (ends_on, ends_on_now) = (terms.ends_on, record.terms.ends_on);
        if ends_on < ends_on_now {
            return Err(LicenceError::LicenceShortened { ends_on, ends_on_now });
        }
        if ends_on < context.today {
            return Err(LicenceError::LicenceEnded { ends_on });
        }
        Ok(())
    }

    fn expire(&self, context: &Context) -> Result<Vec<LicenceEvent>, LicenceError> {
        match self {
            Self::Unissued => Err(LicenceError::LicenceNotFound),
            Self::Expired(_) => Ok(Vec::new()),
            Self::Running(LicenceRecord { terms: LicenceTerms { ends_on, .. }, .. }) => {
                let ends_on = *ends_on;
                if context.today <= ends_on {
                    return Err(LicenceError::LicenceStillRuns { ends_on });
                }
                Ok(vec![LicenceEvent::Expired { ends_on }])
            }
        }
    }
}

impl LicenceRecord {
    fn with(mut self, order: OrderId, terms: &LicenceTerms) -> Self {
        let starts_on = self.terms.starts_on.min(terms.starts_on);
        self.terms = LicenceTerms { starts_on, ..terms.clone() };
        self.order = order;
        self.applied.insert(order);
        self.reserved_by = self.reserved_by.filter(|reserved_by| *reserved_by != order);
        self
    }
}

#[cfg(test)]
mod tests;
