//! Opening level reviews: by a person, or because a certificate ended.

use accord_domain::evidence::{Outcome as Standing, evaluate_level};
use accord_domain::level_review::{LevelReview, LevelReviewCommand};
use accord_domain::partner::Partner;
use accord_domain::rulebook::ExpiryEffect;
use accord_domain::{LevelId, LevelReviewId, PartnerId, TrackId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::policy::Trigger;
use crate::{App, AppError, Call, Outcome};

/// What a review is to be about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewRequest {
    pub partner: PartnerId,
    pub track: TrackId,
    /// The next level for a promotion, the current one for its standing.
    pub target: LevelId,
    pub reason: String,
}

impl App {
    /// Opens a level review on the evidence of this moment, which it freezes.
    pub async fn open_review(
        &self,
        request: ReviewRequest,
        call: &Call,
    ) -> Result<Outcome, AppError> {
        let ReviewRequest { partner, track, target, reason } = request;
        let standing = self.standing(partner, call).await?;
        let head = self.log.head().await?;
        let evidence = self.facts.evidence(&call.program, partner, head).await?;
        // A retry of this command finds its own review.
        let own = LevelReviewId(call.created_id());
        let open = self.facts.open_review(&call.program, (partner, &track), head).await?;
        let other = open.filter(|review| *review != own);
        let command = LevelReviewCommand::Open { standing, track, target, evidence, other, reason };
        self.execute::<LevelReview>(call.created_id(), command, call).await
    }

    /// A certificate ended: where the rulebook wants it so, a level whose requirements are no
    /// longer met is put under review. It is never taken away by this.
    pub(crate) async fn reconsider(
        &self,
        trigger: &Trigger,
        partner: PartnerId,
    ) -> Result<Vec<Outcome>, AppError> {
        let (_, rules) = self.rules(&trigger.program, None, self.clock.today()).await?;
        if rules.certificates.on_expiry != ExpiryEffect::Review {
            return Ok(Vec::new());
        }
        let standing = self.any_state::<Partner>(partner.0).await?.standing(partner);
        let head = self.log.head().await?;
        let evidence = self.facts.evidence(&trigger.program, partner, head).await?;
        let mut done = Vec::new();
        for (track, current) in standing.tracks.clone() {
            let Some(current) = current else { continue };
            let Some(level) = rules.level(&track, &current) else { continue };
            let unmet = |evaluation: &accord_domain::evidence::Evaluation| {
                evaluation.outcome == Standing::NotMet
            };
            if !evaluate_level(level, &evidence).iter().any(unmet) {
                continue;
            }
            let step = format!("review:{track}");
            let review = Uuid::new_v5(&trigger.event_id.0, step.as_bytes());
            let open = self.facts.open_review(&trigger.program, (partner, &track), head).await?;
            let command = LevelReviewCommand::Open {
                standing: standing.clone(),
                track,
                target: current,
                evidence: evidence.clone(),
                // The review that is open already will see what is no longer met.
                other: open.filter(|open| open.0 != review),
                reason: "a certificate ended and a requirement is no longer met".to_owned(),
            };
            let key = (review, step.as_str());
            done.extend(self.react::<LevelReview>(trigger, key, "open", command).await?);
        }
        Ok(done)
    }
}
