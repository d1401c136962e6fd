//! Deal registration: a partner claims an opportunity and, once validated, owns it until a day.
//!
//! Draft -> submitted (keys are being claimed) -> in review <-> information requested -> protected
//! -> won, lost, expired, revoked or released; or rejected, withdrawn, contested on the way.
//! That an opportunity has one protection only is decided in [`crate::opportunity`]; a deal that
//! finds its opportunity taken becomes *contested* and waits for the conflict's resolution.

mod case;
mod protection;
mod registration;
mod review;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use case::DealCase;
use registration::Particulars;
pub use registration::may_register;

use crate::customer::Company;
use crate::partner::{PartnerStanding, PartnerStatus};
use crate::wording::word;
use crate::{
    Aggregate, ConflictId, Context, Country, Day, DealId, Money, OpportunityId, OrderId, PartnerId,
    ProductScope, ReasonCode, Refusal, RefusalKind, Subject, aggregate,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum DealCommand {
    /// Starts a registration. `standing` is the partner's own, taken from its stream.
    Draft {
        customer: Company,
        product_scope: ProductScope,
        value: Money,
        expected_close: Day,
        standing: PartnerStanding,
    },
    Revise {
        customer: Company,
        product_scope: ProductScope,
        value: Money,
        expected_close: Day,
    },
    /// Submits the draft: its opportunity's keys are claimed next.
    Submit {
        standing: PartnerStanding,
        /// Another deal of the same partner that holds the opportunity.
        own: Option<DealId>,
    },
    /// All keys are claimed (by policy only): in review, or protected where validation is
    /// automatic.
    ConfirmClaim {},
    /// A key was taken (by policy only).
    Contest {
        conflict: ConflictId,
        opportunity: OpportunityId,
        earliest_free_day: Day,
    },
    RequestInformation {
        question: String,
    },
    ProvideInformation {
        answer: String,
        standing: PartnerStanding,
    },
    /// Validates the registration: protected from today.
    Approve {},
    Reject {
        reason: ReasonCode,
        note: String,
    },
    Withdraw {
        reason: String,
    },
    RecordActivity {
        activity: String,
        on: Day,
        standing: PartnerStanding,
    },
    /// Prolongs the protection by the rulebook's days.
    Extend {
        reason: String,
        standing: PartnerStanding,
    },
    MarkWon {
        closed_on: Day,
        value: Money,
    },
    MarkLost {
        reason: String,
    },
    /// The vendor ends the protection for a cause.
    Revoke {
        reason: String,
    },
    /// The customer releases itself from the partner.
    Release {
        statement: String,
    },
    /// The scheduler's: protection has run out or nothing happened for too long.
    Expire {},
    /// An order was placed with the deal's discount: until it is cancelled, there is no other one
    /// (by policy only).
    Reserve {
        order: OrderId,
    },
    /// The order that had the deal's discount will not be paid (by policy only).
    ReleaseReservation {
        order: OrderId,
    },
    /// A conflict was resolved for this deal (by policy only): its keys are claimed anew.
    WinConflict {
        conflict: ConflictId,
    },
    /// A conflict was resolved against this deal (by policy only).
    LoseConflict {
        conflict: ConflictId,
        rule: ReasonCode,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExpiryCause {
    /// The protection's last day has passed.
    ProtectionEnded,
    /// No activity for longer than the rulebook allows.
    Inactive,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DealEvent {
    #[serde(rename = "DealDrafted")]
    Drafted {
        partner: PartnerId,
        customer: Company,
        product_scope: ProductScope,
        value: Money,
        expected_close: Day,
        /// The version that this case keeps.
        rulebook_version: u32,
    },
    #[serde(rename = "DealRevised")]
    Revised { customer: Company, product_scope: ProductScope, value: Money, expected_close: Day },
    #[serde(rename = "DealSubmitted")]
    Submitted { submitted_on: Day, submitted_by: Subject, opportunities: Vec<OpportunityId> },
    #[serde(rename = "DealReviewStarted")]
    ReviewStarted {},
    #[serde(rename = "DealContested")]
    Contested { conflict: ConflictId, opportunity: OpportunityId, earliest_free_day: Day },
    #[serde(rename = "DealInformationRequested")]
    InformationRequested { question: String },
    #[serde(rename = "DealInformationProvided")]
    InformationProvided { answer: String },
    #[serde(rename = "DealProtected")]
    Protected { from: Day, until: Day, activity_due: Day },
    #[serde(rename = "DealRejected")]
    Rejected { reason: ReasonCode, note: String },
    #[serde(rename = "DealWithdrawn")]
    Withdrawn { reason: String },
    #[serde(rename = "DealActivityRecorded")]
    ActivityRecorded { activity: String, on: Day, activity_due: Day },
    #[serde(rename = "DealProtectionExtended")]
    Extended { extended_on: Day, until: Day, extension: u32, reason: String },
    #[serde(rename = "DealWon")]
    Won { closed_on: Day, value: Money },
    #[serde(rename = "DealLost")]
    Lost { reason: String },
    #[serde(rename = "DealProtectionRevoked")]
    Revoked { reason: String },
    #[serde(rename = "DealReleasedByCustomer")]
    Released { statement: String },
    #[serde(rename = "DealExpired")]
    Expired { cause: ExpiryCause, ended_on: Day },
    /// An order has the deal's discount.
    #[serde(rename = "DealReserved")]
    Reserved { order: OrderId },
    #[serde(rename = "DealReservationReleased")]
    ReservationReleased { order: OrderId },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum DealError {
    #[error("the deal does not exist")]
    DealNotFound,
    #[error("the deal already exists")]
    DealAlreadyExists,
    #[error("a deal that is {} cannot do this", word(.status))]
    DealWrongStatus { status: DealStatus },
    #[error("a partner that is {} cannot register or pursue deals", word(.status))]
    PartnerNotActive { status: PartnerStatus },
    #[error("none of the partner's levels may register deals")]
    LevelMayNotRegister,
    #[error("deal registration is withheld from the partner")]
    DealRegistrationWithheld,
    #[error("no deal may be registered in {country}")]
    RestrictedCountry { country: Country },
    #[error("{country} is outside the partner's agreed scope")]
    OutsideAgreedScope { country: Country },
    #[error("the program has no product scope `{product_scope}`")]
    UnknownProductScope { product_scope: ProductScope },
    #[error("`{field}` is not usable: {problem}")]
    InvalidField { field: String, problem: String },
    #[error("the expected close {expected_close} is before today, {today}")]
    CloseInPast { expected_close: Day, today: Day },
    #[error("a deal is expected to close by {latest} at the latest, not on {expected_close}")]
    CloseTooFar { expected_close: Day, latest: Day },
    #[error("the partner's own deal {deal} holds the opportunity already")]
    RegisteredAlready { deal: DealId },
    #[error("order {order} has the deal's discount already")]
    DealReservedAlready { order: OrderId },
    #[error("the rulebook knows no rejection reason `{reason}`")]
    UnknownRejectionReason { reason: ReasonCode },
    #[error("a deal is validated by another person than the one who registered it")]
    ApproverIsRegistrant,
    #[error("{on} is in the future; today is {today}")]
    ActivityInFuture { on: Day, today: Day },
    #[error("{on} is too long ago; an activity is recorded from {earliest} on")]
    ActivityTooOld { on: Day, earliest: Day },
    #[error("the deal was protected on {protected_from} and cannot be won on {closed_on} before")]
    ClosedBeforeProtected { closed_on: Day, protected_from: Day },
    #[error("an extension needs activity since {since}")]
    NoActivitySinceExtension { since: Day },
    #[error("the deal has had all {count_max} extensions")]
    ExtensionsUsedUp { count_max: u32 },
    #[error("the protection ended on {ended_on}")]
    ProtectionEnded { ended_on: Day },
    #[error("the deal is protected until {until} and its next activity is due by {activity_due}")]
    ProtectionNotOver { until: Day, activity_due: Day },
    #[error("a reason is required")]
    ReasonMissing,
}

impl Refusal for DealError {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::DealNotFound => RefusalKind::NotFound,
            Self::UnknownProductScope { .. }
            | Self::InvalidField { .. }
            | Self::UnknownRejectionReason { .. }
            | Self::ReasonMissing => RefusalKind::InvalidValue,
            _ => RefusalKind::Rule,
        }
    }
}

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
pub enum DealStatus {
    #[default]
    Unknown,
    Draft,
    Submitted,
    InReview,
    InformationRequested,
    Contested,
    Protected,
    Won,
    Lost,
    Expired,
    Revoked,
    Released,
    Rejected,
    Withdrawn,
}

impl DealStatus {
    /// Whether something can still happen to the deal.
    pub fn is_open(self) -> bool {
        self == Self::Draft
            || self == Self::Submitted
            || self == Self::Contested
            || self.holds_opportunity()
    }

    /// Whether the deal has all its opportunity's keys.
    pub fn holds_opportunity(self) -> bool {
        matches!(self, Self::InReview | Self::InformationRequested | Self::Protected)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deal {
    pub status: DealStatus,
    /// Present from the draft on.
    pub case: Option<DealCase>,
}

impl aggregate::Event for DealEvent {}

impl Aggregate for Deal {
    const CATEGORY: &'static str = "deal";
    type Command = DealCommand;
    type Event = DealEvent;
    type Error = DealError;

    fn decide(&self, command: DealCommand, context: &Context) -> Result<Vec<DealEvent>, DealError> {
        use DealCommand as C;
        match command {
            C::Draft { customer, product_scope, value, expected_close, standing } => {
                let particulars = Particulars { customer, product_scope, value, expected_close };
                self.draft(particulars, &standing, context)
            }
            C::Revise { customer, product_scope, value, expected_close } => {
                let particulars = Particulars { customer, product_scope, value, expected_close };
                self.revise(particulars, context)
            }
            C::Submit { standing, own } => self.submit(&standing, own, context),
            C::ConfirmClaim {} => self.confirm_claim(context),
            C::Contest { conflict, opportunity, earliest_free_day } => {
                self.contest(conflict, opportunity, earliest_free_day)
            }
            C::RequestInformation { question } => self.request_information(question),
            C::ProvideInformation { answer, standing } => {
                self.provide_information(answer, &standing)
            }
            C::Approve {} => self.approve(context),
            C::Reject { reason, note } => self.reject(reason, note, context),
            C::Withdraw { reason } => self.withdraw(reason),
            C::RecordActivity { activity, on, standing } => {
                self.record_activity((activity, on), &standing, context)
            }
            C::Extend { reason, standing } => self.extend(reason, &standing, context),
            C::MarkWon { closed_on, value } => self.mark_won(closed_on, value, context),
            C::MarkLost { reason } => self.mark_lost(reason),
            C::Revoke { reason } => self.revoke(reason),
            C::Release { statement } => self.release(statement),
            C::Expire {} => self.expire(context),
            C::Reserve { order } => self.reserve(order),
            C::ReleaseReservation { order } => Ok(self.release_reservation(order)),
            C::WinConflict { conflict } => self.win_conflict(conflict, context),
            C::LoseConflict { conflict, rule } => self.lose_conflict(conflict, rule),
        }
    }

    fn evolve(mut self, event: &DealEvent) -> Self {
        self.status = self.status.after(event);
        self.case = match self.case {
            None => DealCase::drafted(event),
            Some(case) => Some(case.evolve(event)),
        };
        self
    }

    fn partner(&self) -> Option<PartnerId> {
        self.case.as_ref().map(|case| case.partner)
    }

    fn rulebook_version(&self) -> Option<u32> {
        self.case.as_ref().map(|case| case.rulebook_version)
    }
}

impl Deal {
    /// The case, if the deal exists and has one of these statuses.
    fn case_in(&self, statuses: &[DealStatus]) -> Result<&DealCase, DealError> {
        let case = self.case.as_ref().ok_or(DealError::DealNotFound)?;
        if statuses.contains(&self.status) { Ok(case) } else { Err(self.wrong_status()) }
    }

    fn wrong_status(&self) -> DealError {
        match self.status {
            DealStatus::Unknown => DealError::DealNotFound,
            status => DealError::DealWrongStatus { status },
        }
    }
}

#[cfg(test)]
mod tests;
