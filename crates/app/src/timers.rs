//! What time does: commands that nobody sends, issued when their day has come.

use accord_domain::certificate::{Certificate, CertificateCommand};
use accord_domain::deal::{Deal, DealCommand};
use accord_domain::licence::{Licence, LicenceCommand};
use accord_domain::partner::{Partner, PartnerCommand};
use accord_domain::{Aggregate, CommandId, ProgramId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::call::NAMESPACE;
use crate::{App, AppError, Outcome, policy::system_call};

/// A due timer of one aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub program: ProgramId,
    pub kind: DueKind,
    /// The aggregate's id.
    pub id: Uuid,
    /// What makes this occasion unique, usually the day: a timer fires once per occasion.
    pub occasion: String,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DueKind {
    /// A deal's protection has run out, or its activity is overdue.
    DealExpiry,
    CertificateExpiry,
    LicenceExpiry,
    /// The deadline to restore a technical resource has passed.
    TechnicalGap,
}

impl App {
    /// Issues the timer's command. Firing twice has no second effect; a timer that came too early
    /// or too late is refused by its aggregate.
    pub async fn fire(&self, due: &Due) -> Result<Outcome, AppError> {
        match due.kind {
            DueKind::DealExpiry => self.expire::<Deal>(due, DealCommand::Expire {}).await,
            DueKind::CertificateExpiry => {
                self.expire::<Certificate>(due, CertificateCommand::Expire {}).await
            }
            DueKind::LicenceExpiry => self.expire::<Licence>(due, LicenceCommand::Expire {}).await,
            DueKind::TechnicalGap => {
                self.expire::<Partner>(due, PartnerCommand::LapseTechnicalGap {}).await
            }
        }
    }

    async fn expire<A: Aggregate>(
        &self,
        due: &Due,
        command: A::Command,
    ) -> Result<Outcome, AppError> {
        let occasion = format!("timer\n{}-{}\n{}", A::CATEGORY, due.id, due.occasion);
        let command_id = CommandId(Uuid::new_v5(&NAMESPACE, occasion.as_bytes()));
        let name = match due.kind {
            DueKind::TechnicalGap => "lapse-technical-gap",
            _ => "expire",
        };
        let call = system_call(&due.program, command_id, name, command_id.0);
        self.execute::<A>(due.id, command, &call).await
    }
}
