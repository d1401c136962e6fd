//! What a deal carries from its draft on, and how events change it.

use crate::customer::Company;
use crate::deal::{DealEvent, DealStatus};
use crate::{ConflictId, Day, OpportunityId, OrderId, PartnerId, ProductScope, Subject};

/// What a deal carries from its draft on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DealCase {
    pub partner: PartnerId,
    pub customer: Company,
    pub product_scope: ProductScope,
    pub rulebook_version: u32,
    /// The claimed keys, in claiming order; empty before submission.
    pub opportunities: Vec<OpportunityId>,
    pub submitted_by: Option<Subject>,
    pub conflict: Option<ConflictId>,
    pub protected_until: Option<Day>,
    pub activity_due: Option<Day>,
    pub last_activity_on: Option<Day>,
    /// Day of the last extension, or of the protection's start.
    pub extended_on: Option<Day>,
    pub extensions: u32,
    pub protected_from: Option<Day>,
    /// The pending or completed order that has the deal's discount.
    pub reserved_by: Option<OrderId>,
}

impl DealCase {
    /// A deal's first event makes its case.
    pub(super) fn drafted(event: &DealEvent) -> Option<Self> {
        let DealEvent::Drafted { partner, customer, product_scope, rulebook_version, .. } = event
        else {
            return None;
        };
        Some(Self {
            partner: *partner,
            customer: customer.clone(),
            product_scope: product_scope.clone(),
            rulebook_version: *rulebook_version,
            opportunities: Vec::new(),
            submitted_by: None,
            conflict: None,
            protected_until: None,
            activity_due: None,
            last_activity_on: None,
            extended_on: None,
            extensions: 0,
            protected_from: None,
            reserved_by: None,
        })
    }

    pub(super) fn evolve(mut self, event: &DealEvent) -> Self {
        use DealEvent as E;
        match event {
            E::Revised { customer, product_scope, .. } => {
                self.customer = customer.clone();
                self.product_scope = product_scope.clone();
            }
            E::Submitted { submitted_by, opportunities, .. } => {
                self.submitted_by = Some(submitted_by.clone());
                self.opportunities = opportunities.clone();
                self.conflict = None;
            }
            E::Contested { conflict, .. } => self.conflict = Some(*conflict),
            E::Protected { from, until, activity_due } => {
                self.protected_until = Some(*until);
                self.activity_due = Some(*activity_due);
                self.extended_on = Some(*from);
                self.protected_from = Some(*from);
            }
            E::ActivityRecorded { on, activity_due, .. } => {
                self.last_activity_on = self.last_activity_on.max(Some(*on));
                self.activity_due = Some(*activity_due);
            }
            E::Extended { extended_on, until, extension, .. } => {
                self.protected_until = Some(*until);
                self.extended_on = Some(*extended_on);
                self.extensions = *extension;
            }
            E::Reserved { order } => self.reserved_by = Some(*order),
            E::ReservationReleased { .. } => self.reserved_by = None,
            E::Drafted { .. }
            | E::ReviewStarted {}
            | E::InformationRequested { .. }
            | E::InformationProvided { .. }
            | E::Rejected { .. }
            | E::Withdrawn { .. }
            | E::Won { .. }
            | E::Lost { .. }
            | E::Revoked { .. }
            | E::Released { .. }
            | E::Expired { .. } => {}
        }
        self
    }
}

impl DealStatus {
    /// The status that an event leads to.
    pub(super) fn after(self, event: &DealEvent) -> Self {
        use DealEvent as E;
        match event {
            E::Drafted { .. } => Self::Draft,
            E::Submitted { .. } => Self::Submitted,
            E::ReviewStarted {} | E::InformationProvided { .. } => Self::InReview,
            E::Contested { .. } => Self::Contested,
            E::InformationRequested { .. } => Self::InformationRequested,
            E::Protected { .. } => Self::Protected,
            E::Rejected { .. } => Self::Rejected,
            E::Withdrawn { .. } => Self::Withdrawn,
            E::Won { .. } => Self::Won,
            E::Lost { .. } => Self::Lost,
            E::Revoked { .. } => Self::Revoked,
            E::Released { .. } => Self::Released,
            E::Expired { .. } => Self::Expired,
            E::Revised { .. }
            | E::ActivityRecorded { .. }
            | E::Extended { .. }
            | E::Reserved { .. }
            | E::ReservationReleased { .. } => self,
        }
    }
}
