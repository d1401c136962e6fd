//! Licence: what one end customer may use, until a day.
//!
//! A licence is issued, renewed and upgraded by completed orders only, and ends on its own day. Its
//! partner's restriction, suspension or termination never touches it.

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
    #[serde(rename = "LicenceExpired")]
    Expired { ends_on: Day },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
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
    pub terms: LicenceTerms,
}

impl aggregate::Event for LicenceEvent {}

impl Aggregate for Licence {
    const CATEGORY: &'static str = "licence";
    type Command = LicenceCommand;
    type Event = LicenceEvent;
    type Error = LicenceError;

    fn decide(&self, _: LicenceCommand, _: &Context) -> Result<Vec<LicenceEvent>, LicenceError> {
        unimplemented!()
    }

    fn evolve(self, _: &LicenceEvent) -> Self {
        unimplemented!()
    }

    fn partner(&self) -> Option<PartnerId> {
        None
    }
}
