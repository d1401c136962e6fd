//! Certificate: what one person at one partner has proven, until a day.
//!
//! `expires_on` is the last day of validity: on that day the certificate still counts (0 days left,
//! critical), on the next it has expired. Renewal, revocation and expiry are final facts; the
//! indicator (active, expiring soon, critical, expired) is only a way to look at the days left.

mod person;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use person::{PersonInput, PersonProblem};

use crate::partner::{PartnerStanding, PartnerStatus};
use crate::rulebook::CertificateRules;
use crate::text::check_reason;
use crate::{
    Aggregate, CertificationCode, Context, Day, PartnerId, PersonId, PersonalData, Refusal,
    RefusalKind, aggregate,
};

/// A certificate is recorded within so many years: no earlier one says anything today.
const YEARS_AGO_MAX: u32 = 10;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CertificateCommand {
    /// `standing` and `persons` come from the partner's records: how it stands, and its contacts
    /// and earlier holders.
    Issue {
        standing: PartnerStanding,
        persons: BTreeSet<PersonId>,
        holder: PersonInput,
        certification: CertificationCode,
        issued_on: Day,
        /// Absent: as long as the rulebook's catalogue says.
        #[serde(default)]
        expires_on: Option<Day>,
    },
    Renew {
        renewed_on: Day,
        #[serde(default)]
        expires_on: Option<Day>,
        standing: PartnerStanding,
    },
    Revoke {
        reason: String,
    },
    /// The scheduler's: validity has ended.
    Expire {},
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CertificateEvent {
    #[serde(rename = "CertificateIssued")]
    Issued {
        partner: PartnerId,
        holder: PersonalData,
        certification: CertificationCode,
        issued_on: Day,
        expires_on: Day,
    },
    #[serde(rename = "CertificateRenewed")]
    Renewed { renewed_on: Day, expires_on: Day },
    #[serde(rename = "CertificateRevoked")]
    Revoked { revoked_on: Day, reason: String },
    #[serde(rename = "CertificateExpired")]
    Expired { expires_on: Day },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum CertificateError {
    #[error("the certificate does not exist")]
    CertificateNotFound,
    #[error("the certificate is already issued")]
    CertificateAlreadyIssued,
    #[error("the catalogue has no entry `{certification}`")]
    UnknownCertification { certification: CertificationCode },
    #[error("the certificate was revoked on {revoked_on}")]
    CertificateRevoked { revoked_on: Day },
    #[error("{day} is in the future; today is {today}")]
    CertificateDateInFuture { day: Day, today: Day },
    #[error("{day} is too long ago; certificates are recorded from {earliest} on")]
    CertificateDateTooOld { day: Day, earliest: Day },
    #[error("the certificate was issued on {issued_on} and cannot be renewed on {renewed_on}")]
    RenewedBeforeIssue { renewed_on: Day, issued_on: Day },
    #[error("the partner was terminated; it gets no certificates any more")]
    PartnerTerminated,
    #[error("person {person} is neither a contact nor a certificate holder of the partner")]
    HolderNotOfPartner { person: PersonId },
    #[error("person {person} was erased; add the holder as a new contact and name that one")]
    HolderErased { person: PersonId },
    #[error("the expiry day {expires_on} is not after {from}")]
    ExpiryNotAfterIssue { from: Day, expires_on: Day },
    #[error("{expires_on} exceeds the catalogue's validity, which ends on {expires_on_max}")]
    ValidityTooLong { expires_on: Day, expires_on_max: Day },
    #[error("a renewal must prolong the certificate, which is valid until {expires_on}")]
    RenewalDoesNotProlong { expires_on: Day },
    #[error("the certificate is valid until {expires_on}, that day included")]
    CertificateStillValid { expires_on: Day },
    #[error("`{field}` is not usable: {problem}")]
    InvalidPerson { field: String, problem: String },
    #[error("`{field}` is not usable: {problem}")]
    InvalidField { field: String, problem: String },
    #[error("a reason is required")]
    ReasonMissing,
}

impl Refusal for CertificateError {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::CertificateNotFound => RefusalKind::NotFound,
            Self::UnknownCertification { .. }
            | Self::InvalidPerson { .. }
            | Self::HolderNotOfPartner { .. }
            | Self::InvalidField { .. }
            | Self::ReasonMissing => RefusalKind::InvalidValue,
            _ => RefusalKind::Rule,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Certificate {
    #[default]
    Unissued,
    Valid(CertificateFacts),
    Revoked {
        facts: CertificateFacts,
        revoked_on: Day,
    },
    Expired(CertificateFacts),
}

/// What stays true of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    pub partner: PartnerId,
    pub person: PersonId,
    pub certification: CertificationCode,
    pub issued_on: Day,
    pub expires_on: Day,
}

/// How urgent a certificate's expiry is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ExpiryIndicator {
    Active,
    ExpiringSoon,
    Critical,
    Expired,
}

impl ExpiryIndicator {
    /// The last day of validity itself has 0 days left and is critical; the next day is expired.
    pub fn of(expires_on: Day, today: Day, rules: &CertificateRules) -> Self {
        match today.days_until(expires_on) {
            days if days < 0 => Self::Expired,
            days if days < rules.critical_days.into() => Self::Critical,
            days if days <= rules.expiring_soon_days.into() => Self::ExpiringSoon,
            _ => Self::Active,
        }
    }
}

impl aggregate::Event for CertificateEvent {
    fn personal_data(&mut self) -> Vec<&mut PersonalData> {
        match self {
            Self::Issued { holder, .. } => vec![holder],
            Self::Renewed { .. } | Self::Revoked { .. } | Self::Expired { .. } => Vec::new(),
        }
    }
}

impl Aggregate for Certificate {
    const CATEGORY: &'static str = "certificate";
    type Command = CertificateCommand;
    type Event = CertificateEvent;
    type Error = CertificateError;

    fn decide(
        &self,
        command: CertificateCommand,
        context: &Context,
    ) -> Result<Vec<CertificateEvent>, CertificateError> {
        use CertificateCommand as C;
        match (self, command) {
            (
                Self::Unissued,
                C::Issue { standing, persons, holder, certification, issued_on, expires_on },
            ) => {
                check_not_terminated(&standing)?;
                let expires_on = valid_until(&certification, issued_on, expires_on, context)?;
                let partner = standing.partner;
                Ok(vec![CertificateEvent::Issued {
                    partner,
                    holder: checked_holder(holder, partner, &persons, context)?,
                    certification,
                    issued_on,
                    expires_on,
                }])
            }
            (_, C::Issue { .. }) => Err(CertificateError::CertificateAlreadyIssued),
            (Self::Unissued, C::Renew { .. } | C::Revoke { .. } | C::Expire {}) => {
                Err(CertificateError::CertificateNotFound)
            }
            (
                Self::Valid(facts) | Self::Expired(facts),
                C::Renew { renewed_on, expires_on, standing },
            ) => {
                check_not_terminated(&standing)?;
                renew(facts, renewed_on, expires_on, context)
            }
            (Self::Revoked { revoked_on, .. }, C::Renew { .. } | C::Expire {}) => {
                Err(CertificateError::CertificateRevoked { revoked_on: *revoked_on })
            }
            // Revoking an expired certificate keeps it from being renewed.
            (Self::Valid(_) | Self::Expired(_), C::Revoke { reason }) => {
                check_reason(&reason, CertificateError::ReasonMissing)?;
                Ok(vec![CertificateEvent::Revoked { revoked_on: context.today, reason }])
            }
            (Self::Revoked { .. }, C::Revoke { .. }) | (Self::Expired(_), C::Expire {}) => {
                Ok(Vec::new())
            }
            (Self::Valid(CertificateFacts { expires_on, .. }), C::Expire {}) => {
                let expires_on = *expires_on;
                if context.today <= expires_on {
                    return Err(CertificateError::CertificateStillValid { expires_on });
                }
                Ok(vec![CertificateEvent::Expired { expires_on }])
            }
        }
    }

    fn evolve(self, event: &CertificateEvent) -> Self {
        use CertificateEvent as E;
        match (self, event) {
            (_, E::Issued { partner, holder, certification, issued_on, expires_on }) => {
                Self::Valid(CertificateFacts {
                    partner: *partner,
                    person: holder.person(),
                    certification: certification.clone(),
                    issued_on: *issued_on,
                    expires_on: *expires_on,
                })
            }
            // A certificate's first event issues it: nothing else can happen to an unissued one.
            (Self::Unissued, E::Renewed { .. } | E::Revoked { .. } | E::Expired { .. }) => {
                Self::Unissued
            }
            (
                Self::Valid(facts) | Self::Expired(facts) | Self::Revoked { facts, .. },
                E::Renewed { expires_on, .. },
            ) => Self::Valid(CertificateFacts { expires_on: *expires_on, ..facts }),
            (
                Self::Valid(facts) | Self::Expired(facts) | Self::Revoked { facts, .. },
                E::Revoked { revoked_on, .. },
            ) => Self::Revoked { facts, revoked_on: *revoked_on },
            (
                Self::Valid(facts) | Self::Expired(facts) | Self::Revoked { facts, .. },
                E::Expired { .. },
            ) => Self::Expired(facts),
        }
    }

    fn partner(&self) -> Option<PartnerId> {
        match self {
            Self::Unissued => None,
            Self::Valid(facts) | Self::Revoked { facts, .. } | Self::Expired(facts) => {
                Some(facts.partner)
            }
        }
    }
}

/// A certificate tells of a partner's people; who is no partner any more has none.
fn check_not_terminated(standing: &PartnerStanding) -> Result<(), CertificateError> {
    match standing.status {
        PartnerStatus::Terminated => Err(CertificateError::PartnerTerminated),
        _ => Ok(()),
    }
}

/// The holder, with an id: without one from the caller, the same address at the same partner is the
/// same person, so that nobody counts as two. An id from the caller must be known at the partner.
///
/// What cannot be known: whose an id is that the partner's records do not hold (so it is refused
/// rather than trusted to be nobody else's), whether a contact has the holder's address (contacts
/// are sealed once stored), and whether two addresses are one person's.
fn checked_holder(
    holder: PersonInput,
    partner: PartnerId,
    persons: &BTreeSet<PersonId>,
    context: &Context,
) -> Result<PersonalData, CertificateError> {
    let by_email = holder.id_at(&context.rules.identity.program, partner);
    let unknown = |person: &PersonId| *person != by_email && !persons.contains(person);
    if let Some(person) = holder.person.filter(unknown) {
        return Err(CertificateError::HolderNotOfPartner { person });
    }
    holder.into_personal_data(by_email).map_err(|PersonProblem { field, problem }| {
        let (field, problem) = (format!("holder.{field}"), problem.to_owned());
        CertificateError::InvalidPerson { field, problem }
    })
}

/// The last day of validity of a certificate from `from` on: the one asked for, within the
/// catalogue's validity, or else the catalogue's.
fn valid_until(
    certification: &CertificationCode,
    from: Day,
    asked: Option<Day>,
    context: &Context,
) -> Result<Day, CertificateError> {
    let entry = context.rules.certificates.certification(certification).ok_or_else(|| {
        CertificateError::UnknownCertification { certification: certification.clone() }
    })?;
    let today = context.today;
    if from > today {
        return Err(CertificateError::CertificateDateInFuture { day: from, today });
    }
    let earliest = today.minus_years(YEARS_AGO_MAX);
    if from < earliest {
        return Err(CertificateError::CertificateDateTooOld { day: from, earliest });
    }
    let expires_on_max = from.plus_months(entry.valid_months);
    let expires_on = asked.unwrap_or(expires_on_max);
    if expires_on <= from {
        return Err(CertificateError::ExpiryNotAfterIssue { from, expires_on });
    }
    if expires_on > expires_on_max {
        return Err(CertificateError::ValidityTooLong { expires_on, expires_on_max });
    }
    Ok(expires_on)
}

fn renew(
    facts: &CertificateFacts,
    renewed_on: Day,
    asked: Option<Day>,
    context: &Context,
) -> Result<Vec<CertificateEvent>, CertificateError> {
    let issued_on = facts.issued_on;
    if renewed_on < issued_on {
        return Err(CertificateError::RenewedBeforeIssue { renewed_on, issued_on });
    }
    let expires_on = valid_until(&facts.certification, renewed_on, asked, context)?;
    if expires_on <= facts.expires_on {
        return Err(CertificateError::RenewalDoesNotProlong { expires_on: facts.expires_on });
    }
    Ok(vec![CertificateEvent::Renewed { renewed_on, expires_on }])
}

#[cfg(test)]
mod tests;
