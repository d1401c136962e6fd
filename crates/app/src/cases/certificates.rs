//! Issuing a certificate: how the partner stands and whom it is known by comes from its records.

use std::collections::BTreeSet;

use accord_domain::certificate::{Certificate, CertificateCommand, CertificateError, PersonInput};
use accord_domain::evidence::Fact;
use accord_domain::partner::Partner;
use accord_domain::{CertificationCode, Day, PartnerId, PersonId};
use accord_eventlog::KeyStoreError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{App, AppError, Call, Outcome, RefusalReport};

/// What is told about a new certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateDraft {
    pub partner: PartnerId,
    pub holder: PersonInput,
    pub certification: CertificationCode,
    pub issued_on: Day,
    /// Absent: as long as the rulebook's catalogue says.
    #[serde(default)]
    pub expires_on: Option<Day>,
}

impl App {
    /// Issues a certificate to a person at a partner.
    pub async fn issue_certificate(
        &self,
        draft: CertificateDraft,
        call: &Call,
    ) -> Result<Outcome, AppError> {
        let CertificateDraft { partner, holder, certification, issued_on, expires_on } = draft;
        let state = self.state::<Partner>(partner.0, call).await?;
        let mut persons: BTreeSet<PersonId> = state.contacts.keys().copied().collect();
        if holder.person.is_some_and(|person| !persons.contains(&person)) {
            persons.extend(self.holders(partner, call).await?);
        }
        let person = holder.person.unwrap_or_else(|| holder.id_at(&call.program, partner));
        let standing = state.standing(partner);
        let command = CertificateCommand::Issue {
            standing,
            persons,
            holder,
            certification,
            issued_on,
            expires_on,
        };
        match self.execute::<Certificate>(call.created_id(), command, call).await {
            Err(AppError::Keys(KeyStoreError::Erased)) => {
                let refusal = CertificateError::HolderErased { person };
                Err(AppError::Refused(RefusalReport::of(&refusal)))
            }
            issued => issued,
        }
    }

    /// Everybody who holds or held a certificate at the partner.
    async fn holders(&self, partner: PartnerId, call: &Call) -> Result<Vec<PersonId>, AppError> {
        let head = self.log.head().await?;
        let evidence = self.facts.evidence(&call.program, partner, head).await?;
        let holder = |fact: Fact| match fact {
            Fact::Certificate { person, .. } => Some(person),
            _ => None,
        };
        Ok(evidence.facts.into_iter().filter_map(holder).collect())
    }
}
