//! Rivals: now and then two partners want the same customer, and somebody neutral has to decide.
//!
//! Runs when no story does, because it touches two partners at once.

use std::sync::Arc;

use accord_app::{App, ConflictResolution, DealDraft};
use accord_domain::customer::Company;
use accord_domain::deal::{Deal, DealCase, DealStatus};
use accord_domain::opportunity::{Opportunity, OpportunityCommand};
use accord_domain::partner::PartnerStatus;
use accord_domain::{ConflictId, Day, DealId, Money, OpportunityId, Role};

use crate::demo::desk::{Desk, actor};
use crate::demo::random::Random;
use crate::demo::story::Story;

/// Tries to find a pair of rivals on a day that has some.
const TRIES_MAX: usize = 6;

/// An open conflict and the day on which it is to be resolved.
struct Dispute {
    due: Day,
    desk: Desk,
    conflict: ConflictId,
    opportunity: OpportunityId,
    holder: DealId,
    contender: DealId,
    contending_story: usize,
}

/// All disputes of the demo.
pub(crate) struct Rivals {
    app: Arc<App>,
    random: Random,
    disputes: Vec<Dispute>,
    opened: u32,
}

impl Rivals {
    pub(crate) fn new(app: &Arc<App>, seed: u64) -> Self {
        Self {
            app: Arc::clone(app),
            random: Random::new(seed, u64::MAX),
            disputes: Vec::new(),
            opened: 0,
        }
    }

    /// What a day brings: conflicts resolved, and new ones.
    pub(crate) async fn live(&mut self, stories: &mut [Story], today: Day) -> anyhow::Result<()> {
        let disputes = std::mem::take(&mut self.disputes);
        let (due, waiting): (Vec<_>, Vec<_>) = disputes.into_iter().partition(|it| it.due <= today);
        self.disputes = waiting;
        for dispute in due {
            self.resolve(dispute, stories, today).await?;
        }
        let percent = u32::try_from(stories.len()).unwrap_or(u32::MAX).min(400) / 10;
        if self.random.percent(percent.max(4)) {
            for _ in 0..TRIES_MAX {
                let last = u32::try_from(stories.len()).unwrap_or(1).saturating_sub(1);
                let holding = self.random.between(0, last) as usize;
                if self.contend(holding, stories, today).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Somebody registers what the flagships hold, too late to be decided within the demo.
    pub(crate) async fn contend_for_flagships(
        &mut self,
        stories: &mut [Story],
        today: Day,
    ) -> anyhow::Result<()> {
        for holding in 0..stories.len() {
            if stories.get(holding).is_some_and(|story| story.flagship) {
                self.contend(holding, stories, today).await?;
            }
        }
        Ok(())
    }

    /// Another partner registers what a story holds; false where that is not possible.
    async fn contend(
        &mut self,
        holding: usize,
        stories: &mut [Story],
        today: Day,
    ) -> anyhow::Result<bool> {
        let Some(case) = held(&mut stories[holding], &mut self.random).await? else {
            return Ok(false);
        };
        let program = stories[holding].vendor.program.clone();
        let others: Vec<usize> = (0..stories.len())
            .filter(|other| *other != holding && stories[*other].vendor.program == program)
            .collect();
        let Some(contending) = self.random.pick(&others).copied() else { return Ok(false) };
        let rival = &mut stories[contending];
        if !is_free_to_register(rival, &case.customer).await? {
            return Ok(false);
        }
        let currency = rival.vendor.rules.price_lists.first().map(|list| list.currency);
        let Some(currency) = currency else { return Ok(false) };
        let draft = DealDraft {
            partner: rival.partner,
            // The same company, as somebody else would write it.
            customer: Company { name: case.customer.name.to_uppercase(), ..case.customer.clone() },
            product_scope: case.product_scope.clone(),
            value: Money::new(i64::from(self.random.between(20, 600)) * 10_000, currency),
            expected_close: today.plus_days(60),
        };
        let contender = rival.register_draft(draft, today).await?;
        self.opened += 1;
        let name = format!("dispute-{}", self.opened);
        let desk = Desk::new(&self.app, &program, name);
        self.note(desk, contender, contending, today).await
    }

    async fn note(
        &mut self,
        mut desk: Desk,
        contender: DealId,
        contending_story: usize,
        today: Day,
    ) -> anyhow::Result<bool> {
        let state: Deal = desk.state(contender.0).await?;
        let Some(case) = state.case else { return Ok(false) };
        let Some(conflict) = case.conflict else { return Ok(false) };
        for opportunity in case.opportunities {
            let found: Opportunity = match desk.state(opportunity.0).await {
                Ok(found) => found,
                // Keys after the contested one were not claimed.
                Err(_) => continue,
            };
            if let Some(open) = found.conflicts.get(&conflict) {
                let due = today.plus_days(self.random.between(7, 16));
                let holder = open.holder;
                let dispute = Dispute {
                    due,
                    desk,
                    conflict,
                    opportunity,
                    holder,
                    contender,
                    contending_story,
                };
                self.disputes.push(dispute);
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn resolve(
        &mut self,
        dispute: Dispute,
        stories: &mut [Story],
        today: Day,
    ) -> anyhow::Result<()> {
        let Dispute {
            mut desk, conflict, opportunity, holder, contender, contending_story, ..
        } = dispute;
        let story = &mut stories[contending_story];
        let found: Opportunity = desk.state(opportunity.0).await?;
        // One of the two may have ended by itself.
        if found.conflicts.get(&conflict).is_none_or(|conflict| conflict.resolved) {
            return Ok(());
        }
        let by = actor(&desk.program, Role::ChannelDirector, 2);
        let key = Some(opportunity.0);
        if self.random.percent(30) {
            let to = "channel director".to_owned();
            let reason = "both partners show recent work with the customer".to_owned();
            let escalate = OpportunityCommand::Escalate { conflict, to, reason };
            let manager = actor(&desk.program, Role::ChannelManager, 1);
            desk.send::<Opportunity>(&manager, key, escalate).await?;
        }
        let Some(rule) = self.random.pick(&story.vendor.rules.deals.conflict_rules).cloned() else {
            return Ok(());
        };
        let winner = if self.random.percent(70) { holder } else { contender };
        let reason = "the dossier of both registrations speaks for it".to_owned();
        let call = desk.call(&by, "resolve", Some(reason.clone()));
        let resolution = ConflictResolution { conflict, winner, rule, reason };
        self.app.resolve_conflict(opportunity, resolution, &call).await?;
        if winner == contender {
            story.take_up(contender, today).await?;
        }
        Ok(())
    }
}

/// A registration of the story that holds its opportunity; others are forgotten.
async fn held(story: &mut Story, random: &mut Random) -> anyhow::Result<Option<DealCase>> {
    let mut holding = Vec::new();
    let mut open = Vec::new();
    for deal in std::mem::take(&mut story.open_deals) {
        let state = story.deal(deal).await?;
        if state.status.is_open() {
            open.push(deal);
        }
        let is_contestable = matches!(state.status, DealStatus::Protected | DealStatus::InReview);
        holding.extend(state.case.filter(|_| is_contestable));
    }
    story.open_deals = open;
    if story.flagship {
        return Ok(holding.pop());
    }
    Ok(random.pick(&holding).cloned())
}

async fn is_free_to_register(rival: &mut Story, customer: &Company) -> anyhow::Result<bool> {
    // One that has not even entered yet cannot be read.
    let Ok(partner) = rival.standing().await else { return Ok(false) };
    let in_scope = partner.scope.is_empty() || partner.scope.contains(&customer.country);
    let is_member = matches!(partner.status, PartnerStatus::Active | PartnerStatus::Restricted);
    Ok(in_scope && is_member && rival.may_register(&partner))
}
