//! Partner: from prospect to active member, and what it is allowed and owes on the way.
//!
//! Ways in (the rulebook's entry mode): *application* (optional MOU, application, evaluation,
//! approval, signature), *registration* (active at once), *administrator* (added by the vendor).
//! An active partner may be restricted, suspended, reinstated; termination is final and touches no
//! licence.

mod admission;
mod agreement;
mod command;
mod contacts;
mod decide;
mod duties;
mod entry;
mod error;
mod event;
mod evolve;
mod levels;
mod membership;
mod technical;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use command::{CertificateFact, ContactInput, PartnerCommand};
pub use error::PartnerError;
pub use event::{Contact, LevelCause, PartnerEvent};

use crate::customer::Company;
use crate::rulebook::ContactRole;
use crate::{
    Aggregate, BenefitId, CertificateId, Context, Country, CriterionId, Day, DocumentId, LevelId,
    LevelReviewId, Money, PartnerId, PersonId, PhaseId, Rate, TrackId,
};

#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PartnerStatus {
    /// Not known at all.
    #[default]
    Unknown,
    /// Known by an MOU, without an application.
    Prospect,
    Applied,
    /// Approved; the agreement waits for its signature.
    Approved,
    Declined,
    Withdrawn,
    Active,
    /// Active, with some benefits withheld.
    Restricted,
    Suspended,
    Terminated,
}

/// Only what decisions need.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Partner {
    pub status: PartnerStatus,
    /// Status before a suspension, to return to.
    pub status_before_suspension: Option<PartnerStatus>,
    pub company: Option<Company>,
    /// Level by track; `None` on a track without a level yet.
    pub tracks: BTreeMap<TrackId, Option<LevelId>>,
    pub contacts: BTreeMap<PersonId, ContactRole>,
    pub evaluated: BTreeMap<CriterionId, bool>,
    pub agreement_ends_on: Option<Day>,
    pub scope: BTreeSet<Country>,
    pub withheld_benefits: BTreeSet<BenefitId>,
    pub phase: Option<PhaseId>,
    pub technical_resource: Option<CertificateId>,
    /// Last day to restore a technical resource; present while there is a gap.
    pub technical_gap_until: Option<Day>,
    /// By which review, and until which day, the level of a track is on probation.
    pub probations: BTreeMap<TrackId, (LevelReviewId, Day)>,
    pub acknowledged: BTreeSet<DocumentId>,
    /// Agreed amount by first day of the period.
    pub targets: BTreeMap<Day, Money>,
    pub discount_adjustment: Option<Rate>,
}

/// A partner's standing as other aggregates' decisions need it, taken from its own stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartnerStanding {
    pub partner: PartnerId,
    pub status: PartnerStatus,
    pub tracks: BTreeMap<TrackId, Option<LevelId>>,
    /// Countries in which the partner may register deals; empty means everywhere.
    pub scope: BTreeSet<Country>,
    pub withheld_benefits: BTreeSet<BenefitId>,
    pub discount_adjustment: Option<Rate>,
}

impl PartnerStanding {
    /// The level held on a track; none also where the partner is not on it.
    pub fn level_on(&self, track: &TrackId) -> Option<&LevelId> {
        self.tracks.get(track)?.as_ref()
    }
}

impl Partner {
    /// The partner's standing; `id` is its stream's own id, which a state does not hold.
    pub fn standing(&self, id: PartnerId) -> PartnerStanding {
        PartnerStanding {
            partner: id,
            status: self.status,
            tracks: self.tracks.clone(),
            scope: self.scope.clone(),
            withheld_benefits: self.withheld_benefits.clone(),
            discount_adjustment: self.discount_adjustment,
        }
    }
}

impl Aggregate for Partner {
    const CATEGORY: &'static str = "partner";
    type Command = PartnerCommand;
    type Event = PartnerEvent;
    type Error = PartnerError;

    fn decide(
        &self,
        command: PartnerCommand,
        context: &Context,
    ) -> Result<Vec<PartnerEvent>, PartnerError> {
        decide::admit(self.status, &command)?;
        decide::decide(self, command, context)
    }

    fn evolve(self, event: &PartnerEvent) -> Self {
        evolve::evolve(self, event)
    }

    /// A partner is its own partner: its id is the stream's, which only the application knows.
    fn partner(&self) -> Option<PartnerId> {
        None
    }
}

#[cfg(test)]
mod tests;
