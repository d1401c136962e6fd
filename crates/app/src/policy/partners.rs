//! What reviews and certificates mean for their partner, and a partner's end for its deals.

use accord_domain::certificate::{Certificate, CertificateEvent};
use accord_domain::deal::{Deal, DealCommand, DealStatus};
use accord_domain::level_review::{LevelReview, LevelReviewEvent, ReviewOutcome};
use accord_domain::partner::{Partner, PartnerCommand, PartnerEvent};
use accord_domain::{Aggregate, CertificateId, DealId, LevelId, LevelReviewId, PartnerId, TrackId};
use accord_eventlog::StreamName;

use crate::{App, AppError, Outcome, policy::Trigger};

/// A review's result, by decision or by appeal.
struct Verdict<'a> {
    partner: PartnerId,
    track: &'a TrackId,
    outcome: &'a ReviewOutcome,
    level: &'a Option<LevelId>,
    reason: &'a str,
    on_appeal: bool,
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
                let on_appeal = matches!(event, E::AppealDecided { .. });
                Verdict { partner: *partner, track, outcome, level, reason, on_appeal }
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
        let review = self.any_state::<LevelReview>(trigger.aggregate).await?;
        let command = PartnerCommand::ApplyReviewDecision {
            review: LevelReviewId(trigger.aggregate),
            track: verdict.track.clone(),
            current: review.level_presumed(verdict.on_appeal).cloned(),
            level: verdict.level.clone(),
            probation_until,
            reason: verdict.reason.to_owned(),
        };
        let key = (verdict.partner.0, "apply");
        self.react::<Partner>(trigger, key, "apply-review-decision", command).await
    }

    pub(super) async fn after_partner(
        &self,
        trigger: &Trigger,
        event: &PartnerEvent,
    ) -> Result<Vec<Outcome>, AppError> {
        match event {
            PartnerEvent::Terminated { .. } => self.end_deals(trigger).await,
            _ => Ok(Vec::new()),
        }
    }

    /// Who is no partner any more protects no opportunity and waits for none.
    async fn end_deals(&self, trigger: &Trigger) -> Result<Vec<Outcome>, AppError> {
        let partner = PartnerId(trigger.aggregate);
        // The event is in the log already: the read models have seen it, and all deals before it.
        let head = self.log.head().await?;
        let mut done = Vec::new();
        for deal in self.facts.open_deals(&trigger.program, partner, head).await? {
            done.extend(self.end_deal(trigger, deal).await?);
        }
        Ok(done)
    }

    /// Ends a deal of a partner that was terminated.
    pub(super) async fn end_deal(
        &self,
        trigger: &Trigger,
        deal: DealId,
    ) -> Result<Option<Outcome>, AppError> {
        let reason = "the partnership was terminated".to_owned();
        let (name, command) = match self.any_state::<Deal>(deal.0).await?.status {
            DealStatus::Protected => ("revoke", DealCommand::Revoke { reason }),
            _ => ("withdraw", DealCommand::Withdraw { reason }),
        };
        let step = format!("{name}:{deal}");
        self.react::<Deal>(trigger, (deal.0, step.as_str()), name, command).await
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
