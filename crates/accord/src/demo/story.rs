//! A partner's story: an agenda of things to do, each of which may put more on the agenda.
//!
//! Nothing here knows a vendor: what a partner does follows from the rulebook. Before a step looks
//! at the present state, so that only what the rules allow is sent.

mod deals;
mod enablement;
mod entry;
mod growth;
mod orders;
mod trouble;

use std::collections::BTreeMap;
use std::sync::Arc;

use accord_app::App;
use accord_domain::customer::Company;
use accord_domain::deal::Deal;
use accord_domain::partner::{Partner, PartnerCommand, PartnerStatus};
use accord_domain::{
    Actor, CertificateId, Currency, Day, DealId, DocumentId, LevelId, LicenceId, ObligationId,
    OrderId, PartnerId, Role, TrackId,
};
use anyhow::Context;
use uuid::Uuid;

use crate::demo::desk::{Desk, partner_actor};
use crate::demo::names;
use crate::demo::random::Random;
use crate::demo::vendor::Vendor;
use enablement::Person;

/// Something to do on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Task {
    Enter,
    Apply,
    Evaluate,
    Sign,
    Settle,
    RenewAgreement,
    Acknowledge(DocumentId),
    Fulfil(ObligationId),
    Certify { expires_on: Option<Day> },
    Recertify(CertificateId),
    Draft,
    Review(DealId),
    Answer(DealId),
    Engage(DealId),
    Close(DealId),
    Order { deal: Option<DealId> },
    Pay(OrderId),
    EndOfTerm(LicenceId),
    Upgrade(LicenceId),
    Advance,
    AskForReview,
    Target,
    Assess(Day),
    Refer,
    Adjust,
    ChangePeople,
    Misstep,
    MakeGood,
}

/// First and last day of the demo.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) first: Day,
    pub(crate) last: Day,
}

impl Span {
    pub(crate) fn days(self) -> u32 {
        u32::try_from(self.first.days_until(self.last)).unwrap_or(0)
    }
}

/// One partner and its future.
pub(crate) struct Story {
    pub(crate) index: u32,
    pub(crate) vendor: Arc<Vendor>,
    pub(crate) partner: PartnerId,
    /// The one partner of each program to whom everything happens that a visitor wants to see.
    pub(crate) flagship: bool,
    /// Registrations that may still hold an opportunity.
    pub(crate) open_deals: Vec<DealId>,
    company: Company,
    span: Span,
    /// 1 for a small company, 4 for a large one.
    size: u32,
    track: TrackId,
    currency: Currency,
    desk: Desk,
    random: Random,
    agenda: BTreeMap<Day, Vec<Task>>,
    people: Vec<Person>,
    customers: Vec<Company>,
}

/// Who and when.
pub(crate) struct Cast {
    pub(crate) index: u32,
    pub(crate) seed: u64,
    pub(crate) flagship: bool,
    pub(crate) span: Span,
}

impl Story {
    pub(crate) fn new(cast: &Cast, vendor: &Arc<Vendor>, app: &Arc<App>) -> anyhow::Result<Self> {
        let Cast { index, seed, flagship, span } = *cast;
        let mut random = Random::new(seed, u64::from(index) + 1);
        let rules = &vendor.rules;
        let open: Vec<_> = rules.tracks.iter().filter(|track| track.open).collect();
        let track = if flagship { open.first() } else { random.pick(&open) };
        let list =
            if flagship { rules.price_lists.first() } else { random.pick(&rules.price_lists) };
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("demo/{seed}/{index}").as_bytes());
        let mut story = Self {
            index,
            vendor: Arc::clone(vendor),
            partner: PartnerId(id),
            flagship,
            open_deals: Vec::new(),
            company: names::partner(index, &mut random),
            span,
            size: if flagship { 4 } else { random.between(1, 4).min(random.between(1, 4)) },
            track: track.context("a program has an open track")?.id.clone(),
            currency: list.context("a program has a price list")?.currency,
            desk: Desk::new(app, &vendor.program, format!("{seed}-{index}")),
            random,
            agenda: BTreeMap::new(),
            people: Vec::new(),
            customers: Vec::new(),
        };
        let entered_on = story.entry_day();
        story.plan(entered_on, Task::Enter);
        Ok(story)
    }

    /// A third has been there from the beginning; the others join over the years.
    fn entry_day(&mut self) -> Day {
        let days = self.span.days();
        let after = match (self.flagship, self.random.percent(35)) {
            (true, _) => 0,
            (false, true) => self.random.between(0, days / 12),
            (false, false) => self.random.between(0, days - days / 8),
        };
        self.span.first.plus_days(after)
    }

    pub(crate) fn is_due(&self, today: Day) -> bool {
        self.agenda.first_key_value().is_some_and(|(day, _)| *day <= today)
    }

    /// Does what is on the agenda up to today.
    pub(crate) async fn live(&mut self, today: Day) -> anyhow::Result<()> {
        while let Some(entry) = self.agenda.first_entry().filter(|entry| *entry.key() <= today) {
            for task in entry.remove() {
                let what = format!("{task:?} of partner {} on {today}", self.index);
                self.perform(task, today).await.context(what)?;
            }
        }
        Ok(())
    }

    async fn perform(&mut self, task: Task, today: Day) -> anyhow::Result<()> {
        match task {
            Task::Enter => self.enter(today).await,
            Task::Apply => self.apply(today).await,
            Task::Evaluate => self.evaluate(today).await,
            Task::Sign => self.sign(today).await,
            Task::Settle => self.settle(today),
            Task::RenewAgreement => self.renew_agreement(today).await,
            Task::Acknowledge(document) => self.acknowledge(document).await,
            Task::Fulfil(obligation) => self.fulfil(obligation, today).await,
            Task::Certify { expires_on } => self.certify(expires_on, today).await,
            Task::Recertify(certificate) => self.recertify(certificate, today).await,
            Task::Draft => self.draft(today).await,
            Task::Review(deal) => self.review(deal, today).await,
            Task::Answer(deal) => self.answer(deal, today).await,
            Task::Engage(deal) => self.engage(deal, today).await,
            Task::Close(deal) => self.close(deal, today).await,
            Task::Order { deal } => self.order(deal, today).await,
            Task::Pay(order) => self.pay(order, today).await,
            Task::EndOfTerm(licence) => self.end_of_term(licence, today).await,
            Task::Upgrade(licence) => self.upgrade(licence, today).await,
            Task::Advance => self.advance(today).await,
            Task::AskForReview => self.ask_for_review().await,
            Task::Target => self.target(today).await,
            Task::Assess(from) => self.assess(from).await,
            Task::Refer => self.refer().await,
            Task::Adjust => self.adjust().await,
            Task::ChangePeople => self.change_people(today).await,
            Task::Misstep => self.misstep(today).await,
            Task::MakeGood => self.make_good().await,
        }
    }

    /// Puts something on the agenda; what comes after the demo's end never happens.
    fn plan(&mut self, day: Day, task: Task) {
        if day <= self.span.last {
            self.agenda.entry(day).or_default().push(task);
        }
    }

    /// Puts something on the agenda, so many days from a day on.
    fn plan_within(&mut self, from: Day, (low, high): (u32, u32), task: Task) {
        let days = self.random.between(low, high);
        self.plan(from.plus_days(days), task);
    }

    async fn send(&mut self, by: &Actor, command: PartnerCommand) -> anyhow::Result<()> {
        self.desk.send::<Partner>(by, Some(self.partner.0), command).await?;
        Ok(())
    }

    pub(crate) async fn standing(&mut self) -> anyhow::Result<Partner> {
        self.desk.state::<Partner>(self.partner.0).await
    }

    /// The partner where it is a member in good standing, possibly restricted.
    async fn member(&mut self) -> anyhow::Result<Option<Partner>> {
        let partner = self.standing().await?;
        let is_member = matches!(partner.status, PartnerStatus::Active | PartnerStatus::Restricted);
        Ok(is_member.then_some(partner))
    }

    pub(crate) async fn deal(&mut self, deal: DealId) -> anyhow::Result<Deal> {
        self.desk.state(deal.0).await
    }

    fn level_of(&self, partner: &Partner) -> Option<LevelId> {
        partner.tracks.get(&self.track).cloned().flatten()
    }

    fn admin(&self) -> Actor {
        partner_actor(self.partner, Role::PartnerAdmin, &format!("Owner of {}", self.company.name))
    }

    pub(crate) fn user(&self) -> Actor {
        partner_actor(self.partner, Role::PartnerUser, &format!("Sales of {}", self.company.name))
    }

    /// The channel manager who looks after this partner.
    pub(crate) fn manager(&self) -> Actor {
        self.vendor.staff(Role::ChannelManager, self.index % 3 + 1)
    }

    fn customer(&mut self) -> Company {
        // Room for a thousand customers per partner before names come again.
        let number = self.index * 1_009 + u32::try_from(self.customers.len()).unwrap_or(0);
        let customer = names::customer(number, &mut self.random);
        self.customers.push(customer.clone());
        customer
    }

    /// Whether the demo is about to end: from here on the flagship leaves things open to be seen.
    fn is_finale(&self, today: Day) -> bool {
        self.flagship && today.days_until(self.span.last) <= 20
    }
}
