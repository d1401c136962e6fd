//! Growing: levels, phases, targets, references, duties and an own discount.

use accord_app::{AppError, ReviewRequest};
use accord_domain::partner::{Partner, PartnerCommand};
use accord_domain::rulebook::DecisionMode;
use accord_domain::{Day, LevelId, Money, ObligationId, Rate};
use rust_decimal::Decimal;

use super::{Story, Task};

impl Story {
    /// The next level: set by an administrator, or asked for in a review.
    pub(super) async fn advance(&mut self, today: Day) -> anyhow::Result<()> {
        self.plan_within(today, (150, 300), Task::Advance);
        let Some(partner) = self.member().await? else { return Ok(()) };
        self.enter_phase(&partner).await?;
        let current = self.level_of(&partner);
        let rules = self.vendor.rules.clone();
        let track = rules.track(&self.track);
        let Some(next) = track.and_then(|track| track.next_level(current.as_ref())) else {
            return Ok(());
        };
        // The flagship stays where the second level's benefits can be shown.
        let rank = track.and_then(|track| track.rank(&next.id)).unwrap_or(0);
        if self.flagship && rank > 1 {
            return Ok(());
        }
        match next.decision {
            DecisionMode::Automatic => Ok(()),
            DecisionMode::Administrator => {
                let percent = if rank > 1 { 12 } else { 45 };
                if !self.flagship && !self.random.percent(percent) {
                    return Ok(());
                }
                let reason = "volume and expertise of the last quarters".to_owned();
                let (track, level) = (self.track.clone(), next.id.clone());
                let set = PartnerCommand::SetLevel { track, level, reason };
                self.send(&self.manager(), set).await
            }
            DecisionMode::Review => {
                let level = next.id.clone();
                self.open_review(level, "the partner asks for the next level").await
            }
        }
    }

    /// A look at whether the current level still stands.
    pub(super) async fn ask_for_review(&mut self) -> anyhow::Result<()> {
        let Some(partner) = self.member().await? else { return Ok(()) };
        let Some(level) = self.level_of(&partner) else { return Ok(()) };
        self.open_review(level, "yearly look at the level's requirements").await
    }

    async fn open_review(&mut self, target: LevelId, reason: &str) -> anyhow::Result<()> {
        let request = ReviewRequest {
            partner: self.partner,
            track: self.track.clone(),
            target,
            reason: reason.to_owned(),
        };
        let by = self.manager();
        let call = self.desk.call(&by, "open", Some(reason.to_owned()));
        match self.desk.app.open_review(request, &call).await {
            // Whoever looks at the level already looks at this as well.
            Err(AppError::Refused(report)) if report.code == "another-review-open" => Ok(()),
            opened => Ok(opened.map(drop)?),
        }
    }

    async fn enter_phase(&mut self, partner: &Partner) -> anyhow::Result<()> {
        let phases = &self.vendor.rules.phases;
        let now = phases.iter().position(|phase| Some(&phase.id) == partner.phase.as_ref());
        let next = now.map_or(0, |now| now + 1);
        let Some(phase) = phases.get(next).map(|phase| phase.id.clone()) else { return Ok(()) };
        let reason = "agreed in the progress meeting".to_owned();
        self.send(&self.manager(), PartnerCommand::EnterPhase { phase, reason }).await
    }

    pub(super) async fn fulfil(
        &mut self,
        obligation: ObligationId,
        today: Day,
    ) -> anyhow::Result<()> {
        let rules = self.vendor.rules.clone();
        let duty = rules.obligations.iter().find(|duty| duty.id == obligation);
        let months = duty.and_then(|duty| duty.cadence.first()).map_or(3, |cadence| cadence.months);
        // Mostly in time; now and then late.
        let days = months * 30;
        self.plan_within(today, (days * 3 / 4, days * 11 / 10), Task::Fulfil(obligation.clone()));
        if self.member().await?.is_none() {
            return Ok(());
        }
        let note = "held as agreed; minutes are in the portal".to_owned();
        let fulfil = PartnerCommand::FulfilObligation { obligation, on: today, note };
        self.send(&self.manager(), fulfil).await
    }

    pub(super) async fn target(&mut self, today: Day) -> anyhow::Result<()> {
        if self.member().await?.is_none() {
            return Ok(());
        }
        let period_to = today.plus_months(6);
        let minor = i64::from(self.random.between(10, 200) * self.size) * 100_000;
        let amount = Money::new(minor, self.currency);
        let agree = PartnerCommand::AgreeTarget { period_from: today, period_to, amount };
        self.send(&self.manager(), agree).await?;
        self.plan_within(period_to, (1, 10), Task::Assess(today));
        self.plan_within(period_to, (11, 30), Task::Target);
        Ok(())
    }

    pub(super) async fn assess(&mut self, period_from: Day) -> anyhow::Result<()> {
        let Some(partner) = self.member().await? else { return Ok(()) };
        let Some(amount) = partner.targets.get(&period_from) else { return Ok(()) };
        let percent = i64::from(self.random.between(60, 140));
        let achieved = Money::new(amount.minor / 100 * percent, amount.currency);
        let discussion = "discussed with the business manager and the channel director".to_owned();
        let assess = PartnerCommand::AssessTarget { period_from, achieved, discussion };
        self.send(&self.manager(), assess).await
    }

    pub(super) async fn refer(&mut self) -> anyhow::Result<()> {
        let customer = self.random.pick(&self.customers).map(|customer| customer.name.clone());
        let Some(customer) = customer else { return Ok(()) };
        if self.member().await?.is_none() {
            return Ok(());
        }
        let statement = "We would choose the same partner again.".to_owned();
        let record = PartnerCommand::RecordReference { customer, statement };
        self.send(&self.manager(), record).await
    }

    /// Two percent more for a while, where the rulebook allows an adjustment.
    pub(super) async fn adjust(&mut self) -> anyhow::Result<()> {
        let rate = Rate(Decimal::new(2, 2));
        let allowed = self.vendor.rules.discounts.adjustment_max.is_some_and(|most| most >= rate);
        if !allowed || !self.random.percent(25) || self.member().await?.is_none() {
            return Ok(());
        }
        let reason = "introductory agreement for the first large customer".to_owned();
        self.send(&self.director(), PartnerCommand::AdjustDiscount { rate, reason }).await
    }
}
