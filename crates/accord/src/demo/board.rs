//! The board: level reviews are judged and recommended by one person, decided by another.

use std::collections::BTreeMap;
use std::sync::Arc;

use accord_app::App;
use accord_domain::evidence::Outcome as Finding;
use accord_domain::level_review::{LevelReview, LevelReviewCommand, OpenReview, ReviewOutcome};
use accord_domain::partner::{PartnerStanding, PartnerStatus};
use accord_domain::{Day, LevelId, PartnerId, RequirementId, Role};
use accord_projections::{LevelReviewFilter, LevelReviewStatus, LevelReviewSummary, Scope, Views};
use uuid::Uuid;

use crate::demo::desk::{Desk, partner_actor};
use crate::demo::vendor::Vendor;

/// Reviews rest so many days before somebody looks at them.
const REST_DAYS: i64 = 5;

/// The board of one program.
pub(crate) struct Board {
    vendor: Arc<Vendor>,
    desk: Desk,
    /// The partner whose second level the demo shows.
    flagship: Option<PartnerId>,
}

impl Board {
    pub(crate) fn new(app: &Arc<App>, vendor: &Arc<Vendor>, flagship: Option<PartnerId>) -> Self {
        let desk = Desk::new(app, &vendor.program, "board".to_owned());
        Self { vendor: Arc::clone(vendor), desk, flagship }
    }

    /// A meeting: what was recommended is decided, what is open is recommended.
    pub(crate) async fn meet(&mut self, views: &Views, today: Day) -> anyhow::Result<()> {
        for status in [LevelReviewStatus::Appealed, LevelReviewStatus::Recommended] {
            for review in self.reviews(views, status).await? {
                match status {
                    LevelReviewStatus::Appealed => self.decide_appeal(review.id.0).await?,
                    _ => self.decide(&review, today).await?,
                }
            }
        }
        for review in self.reviews(views, LevelReviewStatus::Open).await? {
            if Day::of_instant(review.opened_at).days_until(today) >= REST_DAYS {
                self.recommend(review.id.0, today).await?;
            }
        }
        Ok(())
    }

    async fn reviews(
        &self,
        views: &Views,
        status: LevelReviewStatus,
    ) -> anyhow::Result<Vec<LevelReviewSummary>> {
        let mut reviews = Vec::new();
        let mut cursor = None;
        loop {
            let filter = LevelReviewFilter {
                status: Some(status),
                limit: Some(200),
                cursor,
                ..LevelReviewFilter::default()
            };
            let scope = Scope::program(self.vendor.program.clone());
            let page = views.level_reviews(scope, filter).await?;
            reviews.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(reviews);
            }
        }
    }

    async fn recommend(&mut self, id: Uuid, today: Day) -> anyhow::Result<()> {
        let by = self.vendor.staff(Role::ChannelManager, 1);
        let LevelReview::Open(review) = self.desk.state(id).await? else { return Ok(()) };
        let to_judge = review.evaluations.iter().filter(|it| it.outcome == Finding::ToBeJudged);
        let to_judge: Vec<RequirementId> = to_judge.map(|it| it.requirement.clone()).collect();
        for (place, requirement) in to_judge.into_iter().enumerate() {
            let met = self.is_flagship(&review) || !(id.as_u128() >> place).is_multiple_of(9);
            let note = if met { "shown in the last projects" } else { "more experience is needed" };
            let judge = LevelReviewCommand::Judge { requirement, met, note: note.to_owned() };
            self.desk.send::<LevelReview>(&by, Some(id), judge).await?;
        }
        let LevelReview::Open(review) = self.desk.state(id).await? else { return Ok(()) };
        let command = match self.outcome(&review, id, today) {
            Some((outcome, _)) => {
                let reason = "from the evidence and the talks with the partner".to_owned();
                LevelReviewCommand::Recommend { outcome, reason }
            }
            None => {
                let reason = "too early: there is no level to keep".to_owned();
                LevelReviewCommand::Withdraw { reason }
            }
        };
        self.desk.send::<LevelReview>(&by, Some(id), command).await?;
        Ok(())
    }

    async fn decide(&mut self, row: &LevelReviewSummary, today: Day) -> anyhow::Result<()> {
        let id = row.id.0;
        let LevelReview::Open(review) = self.desk.state(id).await? else { return Ok(()) };
        let Some((outcome, overrides)) = self.outcome(&review, id, today) else { return Ok(()) };
        let by = self.vendor.staff(Role::ChannelDirector, 1);
        let standing = self.desk.standing_of::<LevelReview>(id).await?;
        if !still_about(review.current.as_ref(), &review, &standing) {
            let reason = "the partner no longer is what the review is about".to_owned();
            let withdraw = LevelReviewCommand::Withdraw { reason };
            self.desk.send::<LevelReview>(&by, Some(id), withdraw).await?;
            return Ok(());
        }
        let is_promotion = outcome == ReviewOutcome::Promote;
        let reason = if is_promotion { "earned" } else { "the gap is named in the review" };
        let reason = reason.to_owned();
        let decide = LevelReviewCommand::Decide { outcome, reason, overrides, standing };
        self.desk.send::<LevelReview>(&by, Some(id), decide).await?;
        if !is_promotion && id.as_u128().is_multiple_of(3) {
            let by = partner_actor(row.partner, Role::PartnerAdmin, "Owner");
            let reason = "the last two projects were not counted".to_owned();
            let appeal = LevelReviewCommand::Appeal { reason };
            self.desk.send::<LevelReview>(&by, Some(id), appeal).await?;
        }
        Ok(())
    }

    async fn decide_appeal(&mut self, id: Uuid) -> anyhow::Result<()> {
        let LevelReview::Decided(decided) = self.desk.state(id).await? else { return Ok(()) };
        let can_keep = decided.review.current.is_some() && id.as_u128().is_multiple_of(2);
        let standing = self.desk.standing_of::<LevelReview>(id).await?;
        let fits = still_about(decided.level.as_ref(), &decided.review, &standing);
        let outcome = (can_keep && fits).then_some(ReviewOutcome::Retain);
        let by = self.vendor.staff(Role::ChannelDirector, 2);
        let reason = "after a talk with both sides".to_owned();
        let decide = LevelReviewCommand::DecideAppeal { outcome, reason, standing };
        self.desk.send::<LevelReview>(&by, Some(id), decide).await?;
        Ok(())
    }

    /// A function of the review alone, so that the decision follows the recommendation. `None`:
    /// there is nothing to decide yet.
    fn outcome(&self, review: &OpenReview, id: Uuid, today: Day) -> Option<Verdict> {
        let unmet = review.evaluations.iter().filter(|it| it.outcome != Finding::Met);
        let unmet: Vec<RequirementId> = unmet.map(|it| it.requirement.clone()).collect();
        let is_promotion = review.current.as_ref() != Some(&review.target);
        let dice = id.as_u128() % 100;
        let lenient = self.is_flagship(review) || dice < 30;
        if is_promotion && (unmet.is_empty() || lenient) {
            let why = |requirement| (requirement, "shown elsewhere; close to the mark".to_owned());
            return Some((ReviewOutcome::Promote, unmet.into_iter().map(why).collect()));
        }
        let current = review.current.as_ref()?;
        let lower = self.vendor.rules.track(&review.track).and_then(|track| {
            let below = track.rank(current)?.checked_sub(1)?;
            Some(track.levels.get(below)?.id.clone())
        });
        let outcome = match (is_promotion || unmet.is_empty(), dice) {
            (true, _) | (false, 80..) => ReviewOutcome::Retain,
            (false, 45..80) => ReviewOutcome::Probation { until: today.plus_days(90) },
            (false, _) => ReviewOutcome::Downgrade { to: lower },
        };
        Some((outcome, BTreeMap::new()))
    }

    fn is_flagship(&self, review: &OpenReview) -> bool {
        self.flagship == Some(review.partner)
    }
}

type Verdict = (ReviewOutcome, BTreeMap<RequirementId, String>);

/// Whether a decision about this level would still fit the partner.
fn still_about(level: Option<&LevelId>, review: &OpenReview, standing: &PartnerStanding) -> bool {
    matches!(standing.status, PartnerStatus::Active | PartnerStatus::Restricted)
        && standing.level_on(&review.track) == level
}
