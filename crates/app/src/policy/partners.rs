//! What reviews and certificates mean for their partner.

use accord_domain::certificate::{Certificate, CertificateEvent};
use accord_domain::level_review::{LevelReviewEvent, ReviewOutcome};
use accord_domain::partner::{Partner, PartnerCommand};
use accord_domain::{Aggregate, CertificateId, LevelId, LevelReviewId, PartnerId, TrackId};
use accord_eventlog::StreamName;

use crate::{App, AppError, Outcome, policy::Trigger};

/// A review's result, by decision or by appeal.
struct Verdict<'a> {
    partner: PartnerId,
    track: &'a TrackId,
    outcome: &'a ReviewOutcome,
    level: &'a Option<LevelId>,
    reason: &'a str,
}

impl App {
    pub(super) async fn after_review(
        &self,
        trigger: &Trigger,
        event: &LevelReviewEvent,
    ) -> Result<Vec<Outcome>, AppError> {
        use LevelReviewEvent as E;
        let verdict = match event {
            E::Decided { partner, track, outcome, level, reason, .. }
            | E::AppealDecided { partner, track, outcome, level, reason, upheld: false, .. } => {
                Verdict { partner: *partner, track, outcome, level, reason }
            }
            E::AppealDecided { .. }
            | E::Opened { .. }
            | E::Judged { .. }
            | E::Recommended { .. }
            | E::Appealed { .. }
            | E::Withdrawn { .. } => return Ok(Vec::new()),
        };
        let done = self.apply(trigger, &verdict).await?;
        Ok(done.into_iter().collect())
    }

    async fn apply(
        &self,
        trigger: &Trigger,
        verdict: &Verdict<'_>,
    ) -> Result<Option<Outcome>, AppError> {
        let probation_until = match verdict.outcome {
            ReviewOutcome::Probation { until } => Some(*until),
            _ => None,
        };
        let command = PartnerCommand::ApplyReviewDecision {
            review: LevelReviewId(trigger.aggregate),
            track: verdict.track.clone(),
            level: verdict.level.clone(),
            probation_until,
            reason: verdict.reason.to_owned(),
        };
        let key = (verdict.partner.0, "apply");
        self.react::<Partner>(trigger, key, "apply-review-decision", command).await
    }

    pub(super) async fn after_certificate(
        &self,
        trigger: &Trigger,
        event: &CertificateEvent,
    ) -> Result<Vec<Outcome>, AppError> {
        let reason = match event {
            CertificateEvent::Expired { expires_on } => {
                format!("the certificate expired after {expires_on}")
            }
            CertificateEvent::Revoked { reason, .. } => {
                format!("the certificate was revoked: {reason}")
            }
            CertificateEvent::Issued { .. } | CertificateEvent::Renewed { .. } => {
                return Ok(Vec::new());
            }
        };
        let stream = StreamName::of(Certificate::CATEGORY, trigger.aggregate);
        let loaded = self.repository.load::<Certificate>(&stream).await?;
        let Some(partner) = loaded.state.partner() else { return Ok(Vec::new()) };
        let certificate = CertificateId(trigger.aggregate);
        let command = PartnerCommand::OpenTechnicalGap { certificate, reason };
        let key = (partner.0, "gap");
        let done = self.react::<Partner>(trigger, key, "open-technical-gap", command).await?;
        Ok(done.into_iter().chain(self.reconsider(trigger, partner).await?).collect())
    }
}
