//! Deals from the draft to their end.

use accord_app::DealDraft;
use accord_domain::customer::Company;
use accord_domain::deal::{Deal, DealCommand, DealStatus, may_register};
use accord_domain::partner::Partner;
use accord_domain::{Day, DealId, Money};

use super::{Story, Task};

const ACTIVITIES: [&str; 6] = [
    "demonstration at the customer's site",
    "workshop on migration and sizing",
    "proof of concept extended by a team",
    "offer discussed with purchasing",
    "reference call with a similar customer",
    "security questionnaire answered",
];

impl Story {
    pub(super) async fn draft(&mut self, today: Day) -> anyhow::Result<()> {
        // The next one is already in sight.
        let pause = if self.size > 2 { (25, 80) } else { (50, 150) };
        self.plan_within(today, pause, Task::Draft);
        let Some(partner) = self.member().await? else { return Ok(()) };
        if !self.may_register(&partner) {
            return Ok(());
        }
        let mut customer = self.customer();
        let outside = !partner.scope.is_empty() && !partner.scope.contains(&customer.country);
        if outside {
            customer.country = self.company.country;
        }
        self.register(customer, today).await?;
        Ok(())
    }

    /// What the rulebook and the agreement say about registrations by this partner.
    pub(crate) fn may_register(&self, partner: &Partner) -> bool {
        may_register(&partner.standing(self.partner), &self.vendor.rules).is_ok()
    }

    /// Drafts and submits a registration, and plans what follows from its status.
    pub(crate) async fn register(
        &mut self,
        customer: Company,
        today: Day,
    ) -> anyhow::Result<DealId> {
        let scope = self.random.pick(&self.vendor.rules.deals.product_scopes).cloned();
        let scope = scope.ok_or_else(|| anyhow::anyhow!("a program has a product scope"))?;
        let minor = i64::from(self.random.between(20, 900) * self.size) * 10_000;
        let draft = DealDraft {
            partner: self.partner,
            customer,
            product_scope: scope,
            value: Money::new(minor, self.currency),
            expected_close: today.plus_days(self.random.between(40, 150)),
        };
        self.register_draft(draft, today).await
    }

    pub(crate) async fn register_draft(
        &mut self,
        draft: DealDraft,
        today: Day,
    ) -> anyhow::Result<DealId> {
        let (by, app) = (self.user(), self.desk.app.clone());
        let call = self.desk.call(&by, "draft", None);
        let deal = DealId(app.draft_deal(draft, &call).await?.id);
        let call = self.desk.call(&by, "submit", None);
        app.submit_deal(deal, &call).await?;
        let state: Deal = self.desk.state(deal.0).await?;
        match state.status {
            DealStatus::InReview => self.plan_within(today, (1, 5), Task::Review(deal)),
            DealStatus::Protected => self.plan_to_engage(deal, today),
            _ => {}
        }
        self.open_deals.push(deal);
        Ok(deal)
    }

    /// Goes on with a deal that has won its conflict.
    pub(crate) async fn take_up(&mut self, deal: DealId, today: Day) -> anyhow::Result<()> {
        let state: Deal = self.desk.state(deal.0).await?;
        match state.status {
            DealStatus::InReview => self.plan_within(today, (1, 5), Task::Review(deal)),
            DealStatus::Protected => self.plan_to_engage(deal, today),
            _ => {}
        }
        Ok(())
    }

    fn plan_to_engage(&mut self, deal: DealId, today: Day) {
        let interval = self.vendor.rules.deals.activity_interval_days;
        self.plan_within(today, (interval / 4 + 1, interval * 4 / 5), Task::Engage(deal));
    }

    pub(super) async fn review(&mut self, deal: DealId, today: Day) -> anyhow::Result<()> {
        let state: Deal = self.desk.state(deal.0).await?;
        if state.status != DealStatus::InReview {
            return Ok(());
        }
        let dice = if self.flagship { 0 } else { self.random.between(0, 99) };
        let reason = self.random.pick(&self.vendor.rules.deals.rejection_reasons).cloned();
        let by = self.manager();
        match (dice, reason) {
            (88.., Some(reason)) => {
                let note = String::new();
                let reject = DealCommand::Reject { reason, note };
                self.desk.send::<Deal>(&by, Some(deal.0), reject).await?;
            }
            (76..88, _) => {
                let question = "Who decides at the customer, and by when?".to_owned();
                let ask = DealCommand::RequestInformation { question };
                self.desk.send::<Deal>(&by, Some(deal.0), ask).await?;
                self.plan_within(today, (1, 6), Task::Answer(deal));
            }
            _ => {
                self.desk.send::<Deal>(&by, Some(deal.0), DealCommand::Approve {}).await?;
                self.plan_to_engage(deal, today);
            }
        }
        Ok(())
    }

    pub(super) async fn answer(&mut self, deal: DealId, today: Day) -> anyhow::Result<()> {
        let state: Deal = self.desk.state(deal.0).await?;
        if state.status != DealStatus::InformationRequested {
            return Ok(());
        }
        let Some(member) = self.member().await? else {
            self.plan_within(today, (10, 30), Task::Answer(deal));
            return Ok(());
        };
        let answer = "The head of IT decides; the board confirms next month.".to_owned();
        let standing = member.standing(self.partner);
        let provide = DealCommand::ProvideInformation { answer, standing };
        let by = self.user();
        self.desk.send::<Deal>(&by, Some(deal.0), provide).await?;
        self.plan_within(today, (1, 4), Task::Review(deal));
        Ok(())
    }

    /// Something happens in the deal; or nothing any more, and it will expire.
    pub(super) async fn engage(&mut self, deal: DealId, today: Day) -> anyhow::Result<()> {
        let state: Deal = self.desk.state(deal.0).await?;
        let Some(case) = state.case.filter(|_| state.status == DealStatus::Protected) else {
            return Ok(());
        };
        let Some(member) = self.member().await? else {
            self.plan_to_engage(deal, today);
            return Ok(());
        };
        let lively = self.is_finale(today) || self.random.percent(90);
        if !lively {
            return Ok(());
        }
        let activity = self.random.pick(&ACTIVITIES).copied().unwrap_or_default().to_owned();
        let standing = member.standing(self.partner);
        let record = DealCommand::RecordActivity { activity, on: today, standing };
        let by = self.user();
        self.desk.send::<Deal>(&by, Some(deal.0), record).await?;
        if !self.is_finale(today) && self.random.percent(25) {
            return self.close(deal, today).await;
        }
        let days_left = case.protected_until.map_or(0, |until| today.days_until(until));
        let rules = self.vendor.rules.deals.clone();
        if days_left <= i64::from(rules.activity_interval_days) {
            if case.extensions >= rules.extension.count_max || case.extended_on >= Some(today) {
                let days_left = u32::try_from(days_left).unwrap_or(0);
                self.plan(today.plus_days(days_left.min(3)), Task::Close(deal));
                return Ok(());
            }
            let reason = "the customer's decision moves to the next quarter".to_owned();
            let standing = member.standing(self.partner);
            let extend = DealCommand::Extend { reason, standing };
            self.desk.send::<Deal>(&by, Some(deal.0), extend).await?;
        }
        self.plan_to_engage(deal, today);
        Ok(())
    }

    pub(super) async fn close(&mut self, deal: DealId, today: Day) -> anyhow::Result<()> {
        let state: Deal = self.desk.state(deal.0).await?;
        if state.status != DealStatus::Protected {
            return Ok(());
        }
        let user = self.user();
        let (by, command) = match self.random.between(0, 99) {
            0..64 => {
                let minor = i64::from(self.random.between(20, 900) * self.size) * 10_000;
                let value = Money::new(minor, self.currency);
                self.plan_within(today, (0, 12), Task::Order { deal: Some(deal) });
                (user, DealCommand::MarkWon { closed_on: today, value })
            }
            64..86 => {
                let reason = "the customer chose another product".to_owned();
                (user, DealCommand::MarkLost { reason })
            }
            86..93 => {
                let reason = "the project was cancelled".to_owned();
                (user, DealCommand::Withdraw { reason })
            }
            93..97 => {
                let statement = "We wish to choose our supplier anew.".to_owned();
                (self.manager(), DealCommand::Release { statement })
            }
            _ => {
                let reason = "no progress in good faith since the registration".to_owned();
                (self.manager(), DealCommand::Revoke { reason })
            }
        };
        self.desk.send::<Deal>(&by, Some(deal.0), command).await?;
        self.open_deals.retain(|open| *open != deal);
        Ok(())
    }
}
