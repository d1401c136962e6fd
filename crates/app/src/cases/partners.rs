//! Designating a technical resource: the certificate's facts come from its own stream.

use accord_domain::certificate::Certificate;
use accord_domain::partner::{CertificateFact, Partner, PartnerCommand};
use accord_domain::{CertificateId, PartnerId};

use crate::{App, AppError, Call, Outcome};

impl App {
    /// Names the holder of a certificate as the partner's technical reference.
    pub async fn designate_technical_resource(
        &self,
        partner: PartnerId,
        certificate: CertificateId,
        call: &Call,
    ) -> Result<Outcome, AppError> {
        let state = self.state::<Certificate>(certificate.0, call).await?;
        let (facts, valid) = match state {
            Certificate::Unissued => return Err(AppError::NotFound),
            Certificate::Valid(facts) => {
                let valid = self.clock.today() <= facts.expires_on;
                (facts, valid)
            }
            Certificate::Revoked { facts, .. } | Certificate::Expired(facts) => (facts, false),
        };
        let certificate = CertificateFact {
            certificate,
            partner: facts.partner,
            person: facts.person,
            certification: facts.certification,
            expires_on: facts.expires_on,
            valid,
        };
        let command = PartnerCommand::DesignateTechnicalResource { certificate };
        self.execute::<Partner>(partner.0, command, call).await
    }
}
