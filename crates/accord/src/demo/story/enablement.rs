//! People get certified, renew, let it lapse; one of them is the technical reference.

use accord_app::CertificateDraft;
use accord_domain::certificate::{Certificate, CertificateCommand, PersonInput};
use accord_domain::{CertificateId, CertificationCode, Day, PersonId, Role};

use super::{Story, Task};
use crate::demo::names;

/// Somebody with a certificate, to be found again for the next one.
pub(super) struct Person {
    id: PersonId,
    details: PersonInput,
}

impl Story {
    pub(super) async fn certify(
        &mut self,
        expires_on: Option<Day>,
        today: Day,
    ) -> anyhow::Result<()> {
        let entry = self.random.pick(&self.vendor.rules.certificates.catalogue).cloned();
        let Some(entry) = entry else { return Ok(()) };
        if self.member().await?.is_none() {
            return Ok(());
        }
        let (holder, is_new) = self.holder(expires_on.is_some());
        let expires_on = match expires_on {
            Some(day) => Some(day),
            // Exams taken in a bridge course count for a shorter time.
            None if self.random.percent(60) => {
                let months = self.random.between(5, entry.valid_months.max(6));
                Some(today.plus_months(months.min(entry.valid_months)))
            }
            None => None,
        };
        let draft = CertificateDraft {
            partner: self.partner,
            holder: holder.clone(),
            certification: entry.code.clone(),
            issued_on: today,
            expires_on,
        };
        let (by, app) = (self.vendor.staff(Role::Enablement, 1), self.desk.app.clone());
        let call = self.desk.call(&by, "issue", None);
        let outcome = app.issue_certificate(draft, &call).await?;
        let certificate = CertificateId(outcome.id);
        if let Certificate::Valid(facts) = self.desk.state(outcome.id).await? {
            if is_new {
                let person = facts.person;
                self.people.push(Person { id: person, details: holder });
            }
            let notice = self.random.between(4, 45);
            self.plan(facts.expires_on.minus_days(notice), Task::Recertify(certificate));
        }
        self.designate(certificate, &entry.code).await
    }

    /// A person certified before in three of ten cases, or somebody new.
    fn holder(&mut self, fresh: bool) -> (PersonInput, bool) {
        if !fresh
            && self.random.percent(30)
            && let Some(known) = self.random.pick(&self.people)
        {
            return (PersonInput { person: Some(known.id), ..known.details.clone() }, false);
        }
        (names::person(&self.company, &mut self.random), true)
    }

    /// Where the program asks for a technical reference and there is none, the new one it is.
    async fn designate(
        &mut self,
        certificate: CertificateId,
        code: &CertificationCode,
    ) -> anyhow::Result<()> {
        let asked = self.vendor.rules.certificates.technical_resource.as_ref();
        if !asked.is_some_and(|asked| asked.any_of.contains(code)) {
            return Ok(());
        }
        if self.standing().await?.technical_resource.is_some() {
            return Ok(());
        }
        let by = self.admin();
        let call = self.desk.call(&by, "designate-technical-resource", None);
        let app = self.desk.app.clone();
        app.designate_technical_resource(self.partner, certificate, &call).await?;
        Ok(())
    }

    /// Shortly before the end: renewed, revoked, or left to lapse with somebody new later on.
    pub(super) async fn recertify(
        &mut self,
        certificate: CertificateId,
        today: Day,
    ) -> anyhow::Result<()> {
        let state: Certificate = self.desk.state(certificate.0).await?;
        let Certificate::Valid(facts) = state else { return Ok(()) };
        if self.flagship || self.member().await?.is_none() {
            return Ok(());
        }
        let by = self.vendor.staff(Role::Enablement, 1);
        match self.random.between(0, 99) {
            0..62 => {
                let standing = self.standing().await?.standing(self.partner);
                let renew =
                    CertificateCommand::Renew { renewed_on: today, expires_on: None, standing };
                self.desk.send::<Certificate>(&by, Some(certificate.0), renew).await?;
            }
            62..66 => {
                let reason = "the holder has left the company".to_owned();
                let revoke = CertificateCommand::Revoke { reason };
                self.desk.send::<Certificate>(&by, Some(certificate.0), revoke).await?;
                self.plan_within(today, (20, 80), Task::Certify { expires_on: None });
            }
            _ => {
                let after = facts.expires_on;
                self.plan_within(after, (5, 90), Task::Certify { expires_on: None });
            }
        }
        Ok(())
    }
}
