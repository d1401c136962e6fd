//! Certificate: what one person at one partner has proven, until a day.
//!
//! `expires_on` is the last day of validity: on that day the certificate still counts (0 days left,
//! critical), on the next it has expired. Renewal, revocation and expiry are final facts; the
//! indicator (active, expiring soon, critical, expired) is only a way to look at the days left.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rulebook::CertificateRules;
use crate::{
    Aggregate, CertificationCode, Context, Day, PartnerId, PersonId, PersonalData, Refusal,
    RefusalKind, aggregate,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CertificateCommand {
    Issue {
        partner: PartnerId,
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
    },
    Revoke {
        reason: String,
    },
    /// The scheduler's: validity has ended.
    Expire {},
}

/// A person as a caller names them: by an id known from before, or anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonInput {
    /// A person that the program already knows; absent makes a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    #[schemars(length(min = 3, max = 254))]
    pub email: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
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
}

impl Refusal for CertificateError {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::CertificateNotFound => RefusalKind::NotFound,
            Self::UnknownCertification { .. } | Self::InvalidPerson { .. } => {
                RefusalKind::InvalidValue
            }
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

impl aggregate::Event for CertificateEvent {}

impl Aggregate for Certificate {
    const CATEGORY: &'static str = "certificate";
    type Command = CertificateCommand;
    type Event = CertificateEvent;
    type Error = CertificateError;

    fn decide(
        &self,
        _: CertificateCommand,
        _: &Context,
    ) -> Result<Vec<CertificateEvent>, CertificateError> {
        unimplemented!()
    }

    fn evolve(self, _: &CertificateEvent) -> Self {
        unimplemented!()
    }

    fn partner(&self) -> Option<PartnerId> {
        None
    }
}
