//! Becoming a partner, by whatever way the rulebook offers, and settling in.

use accord_domain::partner::{ContactInput, Partner, PartnerCommand, PartnerStatus};
use accord_domain::rulebook::EntryMode;
use accord_domain::{Day, DocumentId, Role};
use anyhow::Context;

use super::{Story, Task};
use crate::demo::names;

impl Story {
    pub(super) async fn enter(&mut self, today: Day) -> anyhow::Result<()> {
        let entry = self.vendor.rules.entry.clone();
        match entry.mode {
            EntryMode::Application => match entry.mou {
                Some(mou) if !self.flagship && self.random.percent(40) => {
                    let until = today.plus_days(mou.days_max.clamp(1, 120));
                    let company = self.company.clone();
                    let resources = mou.resources.into_iter().take(3).collect();
                    let signed_on = today;
                    let sign = PartnerCommand::SignMou { company, signed_on, until, resources };
                    self.send(&self.manager(), sign).await?;
                    self.plan_within(today, (10, 60), Task::Apply);
                    Ok(())
                }
                _ => self.apply(today).await,
            },
            EntryMode::Registration => {
                let (company, track) = (self.company.clone(), self.track.clone());
                let contacts = self.contacts();
                let register = PartnerCommand::Register { company, track, contacts };
                self.send(&self.admin(), register).await?;
                self.settle(today)
            }
            EntryMode::Administrator => {
                let (company, track) = (self.company.clone(), self.track.clone());
                let level = self.vendor.rules.track(&track).and_then(|track| track.levels.first());
                let level = level.context("a track has a level")?.id.clone();
                let contacts = self.contacts();
                let add = PartnerCommand::Add { company, track, level, contacts };
                self.send(&self.manager(), add).await?;
                self.settle(today)
            }
        }
    }

    pub(super) async fn apply(&mut self, today: Day) -> anyhow::Result<()> {
        let (company, track) = (self.company.clone(), self.track.clone());
        let contacts = self.contacts();
        let apply = PartnerCommand::Apply { company, track, contacts };
        self.send(&self.admin(), apply).await?;
        let wait = if self.flagship { (1, 2) } else { (4, 15) };
        self.plan_within(today, wait, Task::Evaluate);
        Ok(())
    }

    pub(super) async fn evaluate(&mut self, today: Day) -> anyhow::Result<()> {
        if !self.flagship && self.random.percent(4) {
            let reason = "we concentrate on another market for now".to_owned();
            return self.send(&self.admin(), PartnerCommand::Withdraw { reason }).await;
        }
        let mut fits = true;
        for criterion in self.vendor.rules.entry.evaluation_criteria.clone() {
            let met = self.flagship || self.random.percent(96);
            fits &= met;
            let note = if met { "discussed and fulfilled" } else { "not there yet" }.to_owned();
            let record = PartnerCommand::RecordEvaluation { criterion, met, note };
            self.send(&self.manager(), record).await?;
        }
        if !fits {
            let reason = "not all criteria are met; welcome to apply again".to_owned();
            return self.send(&self.manager(), PartnerCommand::Decline { reason }).await;
        }
        self.send(&self.manager(), PartnerCommand::Approve {}).await?;
        let wait = if self.flagship { (1, 2) } else { (2, 14) };
        self.plan_within(today, wait, Task::Sign);
        Ok(())
    }

    pub(super) async fn sign(&mut self, today: Day) -> anyhow::Result<()> {
        let agreement = self.vendor.rules.entry.agreement.clone();
        let annexes = agreement.map(|agreement| agreement.annexes).unwrap_or_default();
        let scoped = !self.flagship && self.random.percent(30);
        let home = self.company.country;
        let near = names::countries().filter(|_| scoped).take(5).chain(scoped.then_some(home));
        let deviation = self.random.percent(8);
        let sign = PartnerCommand::SignAgreement {
            signed_on: today,
            term_months: None,
            scope: near.collect(),
            annexes: annexes.into_iter().take(2).collect(),
            deviations: deviation
                .then(|| "Invoices are due within 45 days.".to_owned())
                .into_iter()
                .collect(),
        };
        self.send(&self.manager(), sign).await?;
        if let Some(ends_on) = self.standing().await?.agreement_ends_on {
            self.plan(ends_on.minus_days(20), Task::RenewAgreement);
        }
        self.plan(today, Task::Settle);
        Ok(())
    }

    pub(super) async fn renew_agreement(&mut self, today: Day) -> anyhow::Result<()> {
        let Some(partner) = self.member().await? else { return Ok(()) };
        let Some(ends_on) = partner.agreement_ends_on else { return Ok(()) };
        let until = ends_on.plus_months(24);
        self.send(&self.manager(), PartnerCommand::RenewAgreement { until }).await?;
        self.plan_within(today, (5, 20), Task::Target);
        Ok(())
    }

    /// A new member makes plans: people to certify, deals, customers, duties.
    pub(super) fn settle(&mut self, today: Day) -> anyhow::Result<()> {
        let rules = self.vendor.rules.clone();
        for document in rules.entry.acknowledgements.clone() {
            self.plan_within(today, (0, 9), Task::Acknowledge(document));
        }
        for obligation in &rules.obligations {
            self.plan_within(today, (20, 80), Task::Fulfil(obligation.id.clone()));
        }
        for _ in 0..self.size.min(3) {
            self.plan_within(today, (3, 40), Task::Certify { expires_on: None });
        }
        for _ in 0..=self.size / 2 {
            self.plan_within(today, (8, 60), Task::Draft);
            if !self.flagship {
                self.plan_within(today, (2, 50), Task::Order { deal: None });
            }
        }
        self.plan_within(today, (60, 160), Task::Advance);
        self.plan_within(today, (15, 90), Task::Target);
        self.plan_within(today, (60, 300), Task::Refer);
        self.plan_within(today, (90, 400), Task::ChangePeople);
        if self.flagship {
            self.settle_flagship(today);
        } else {
            self.plan_within(today, (40, 500), Task::Adjust);
            self.plan_within(today, (30, 500), Task::Misstep);
        }
        Ok(())
    }

    /// The flagship grows at once and shows, at the end, one of everything.
    fn settle_flagship(&mut self, today: Day) {
        let last = self.span.last;
        for _ in 0..3 {
            self.plan_within(today, (1, 3), Task::Order { deal: None });
        }
        self.plan(today.plus_days(14), Task::Advance);
        // Active, expiring soon, critical, expired.
        let ends =
            [last.plus_days(200), last.plus_days(60), last.plus_days(15), last.minus_days(10)];
        for expires_on in ends {
            let certified_on = today.plus_days(4).max(expires_on.minus_days(500));
            self.plan(certified_on, Task::Certify { expires_on: Some(expires_on) });
        }
        self.plan(last.minus_days(12), Task::Draft);
        self.plan(last.minus_days(3), Task::AskForReview);
        self.plan(last.minus_days(2), Task::Order { deal: None });
    }

    pub(super) async fn acknowledge(&mut self, document: DocumentId) -> anyhow::Result<()> {
        if self.member().await?.is_none() {
            return Ok(());
        }
        self.send(&self.admin(), PartnerCommand::Acknowledge { document }).await
    }

    fn contacts(&mut self) -> Vec<ContactInput> {
        let roles = self.vendor.rules.entry.required_contacts.clone();
        let mut contacts = Vec::new();
        for role in roles {
            let person = names::person(&self.company, &mut self.random);
            contacts.push(ContactInput { role, person });
        }
        contacts
    }

    /// A contact leaves and another comes.
    pub(super) async fn change_people(&mut self, today: Day) -> anyhow::Result<()> {
        if self.member().await?.is_none() {
            return Ok(());
        }
        let person = names::person(&self.company, &mut self.random);
        let role = accord_domain::rulebook::ContactRole::Executive;
        self.send(&self.admin(), PartnerCommand::AddContact { role, person }).await?;
        let partner: Partner = self.standing().await?;
        let leaves = partner.contacts.iter().find(|(_, held)| **held == role);
        if let (Some((person, _)), true) = (leaves, self.random.percent(30)) {
            let remove = PartnerCommand::RemoveContact { person: *person };
            self.send(&self.admin(), remove).await?;
        }
        self.plan_within(today, (200, 500), Task::ChangePeople);
        Ok(())
    }

    /// The director of the channel.
    pub(super) fn director(&self) -> accord_domain::Actor {
        self.vendor.staff(Role::ChannelDirector, 1)
    }

    pub(super) fn is_active(partner: &Partner) -> bool {
        partner.status == PartnerStatus::Active
    }
}
