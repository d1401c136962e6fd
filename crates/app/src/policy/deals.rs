//! Deals and the opportunities they hold.

use accord_domain::deal::{Deal, DealCommand, DealEvent, DealStatus};
use accord_domain::opportunity::{ConflictEnd, Opportunity, OpportunityCommand, OpportunityEvent};
use accord_domain::partner::{Partner, PartnerStatus};
use accord_domain::{Aggregate, ConflictId, Day, DealId, OpportunityId, PartnerId, ReasonCode};
use accord_eventlog::StreamName;

use crate::{App, AppError, Outcome, policy::Trigger};

/// A key that is another deal's.
struct Taken {
    opportunity: OpportunityId,
    conflict: ConflictId,
    earliest_free_day: Day,
}

impl App {
    pub(super) async fn after_deal(
        &self,
        trigger: &Trigger,
        event: &DealEvent,
    ) -> Result<Vec<Outcome>, AppError> {
        use DealEvent as E;
        match event {
            E::Submitted { opportunities, .. } => self.claim(trigger, opportunities).await,
            E::Protected { until, .. } | E::Extended { until, .. } => {
                self.protect(trigger, *until).await
            }
            E::Rejected { .. }
            | E::Withdrawn { .. }
            | E::Won { .. }
            | E::Lost { .. }
            | E::Revoked { .. }
            | E::Released { .. }
            | E::Expired { .. } => self.release_all(trigger).await,
            E::Drafted { .. }
            | E::Revised { .. }
            | E::ReviewStarted {}
            | E::Contested { .. }
            | E::InformationRequested { .. }
            | E::InformationProvided { .. }
            | E::Reserved { .. }
            | E::ReservationReleased { .. }
            | E::ActivityRecorded { .. } => Ok(Vec::new()),
        }
    }

    /// Claims all keys of a submitted deal, in their order; the first one taken makes it contested
    /// and gives the keys claimed before back.
    async fn claim(
        &self,
        trigger: &Trigger,
        opportunities: &[OpportunityId],
    ) -> Result<Vec<Outcome>, AppError> {
        let state = self.deal_of(trigger).await?;
        let Some(case) = state.case.filter(|_| state.status == DealStatus::Submitted) else {
            return Ok(Vec::new());
        };
        let deal = DealId(trigger.aggregate);
        // Its end may have come between the submission and now, and found no deal to end yet.
        let partner = self.any_state::<Partner>(case.partner.0).await?;
        if partner.status == PartnerStatus::Terminated {
            return Ok(self.end_deal(trigger, deal).await?.into_iter().collect());
        }
        let mut done = Vec::new();
        for (claimed, opportunity) in opportunities.iter().enumerate() {
            let step = format!("claim:{opportunity}");
            let command = OpportunityCommand::Claim { deal, partner: case.partner };
            let key = (opportunity.0, step.as_str());
            done.extend(self.react::<Opportunity>(trigger, key, "claim", command).await?);
            if let Some(own) = self.own_holder(*opportunity, (deal, case.partner)).await? {
                done.extend(self.release(trigger, &opportunities[..claimed]).await?);
                let reason = format!("the partner's own deal {own} holds the opportunity");
                let command = DealCommand::Withdraw { reason };
                let key = (deal.0, "withdraw");
                done.extend(self.react::<Deal>(trigger, key, "withdraw", command).await?);
                return Ok(done);
            }
            if let Some(taken) = self.taken_from(*opportunity, deal).await? {
                done.extend(self.release(trigger, &opportunities[..claimed]).await?);
                done.extend(self.contest(trigger, &taken).await?);
                return Ok(done);
            }
        }
        let key = (deal.0, "confirm");
        let command = DealCommand::ConfirmClaim {};
        done.extend(self.react::<Deal>(trigger, key, "confirm-claim", command).await?);
        Ok(done)
    }

    /// Another deal of the same partner that has the key.
    pub(crate) async fn own_holder(
        &self,
        opportunity: OpportunityId,
        (deal, partner): (DealId, PartnerId),
    ) -> Result<Option<DealId>, AppError> {
        let stream = StreamName::of(Opportunity::CATEGORY, opportunity.0);
        let loaded = self.repository.load::<Opportunity>(&stream).await?;
        let holder = loaded.state.holder.as_ref();
        let own = holder.filter(|holder| holder.partner == partner && holder.deal != deal);
        Ok(own.map(|holder| holder.deal))
    }

    async fn contest(&self, trigger: &Trigger, taken: &Taken) -> Result<Vec<Outcome>, AppError> {
        let deal = DealId(trigger.aggregate);
        let conflict = taken.conflict;
        let command = DealCommand::Contest {
            conflict,
            opportunity: taken.opportunity,
            earliest_free_day: taken.earliest_free_day,
        };
        let contested =
            self.react::<Deal>(trigger, (deal.0, "contest"), "contest", command).await?;
        // The conflict may have been won while the deal did not know of it yet.
        if self.taken_from(taken.opportunity, deal).await?.is_some() {
            return Ok(contested.into_iter().collect());
        }
        let win = DealCommand::WinConflict { conflict };
        let won = self.react::<Deal>(trigger, (deal.0, "win"), "win-conflict", win).await?;
        Ok(contested.into_iter().chain(won).collect())
    }

    /// What stands in the deal's way at this key; `None` when the deal has it.
    async fn taken_from(
        &self,
        opportunity: OpportunityId,
        deal: DealId,
    ) -> Result<Option<Taken>, AppError> {
        let stream = StreamName::of(Opportunity::CATEGORY, opportunity.0);
        let state = &self.repository.load::<Opportunity>(&stream).await?.state;
        if state.holder.as_ref().is_some_and(|holder| holder.deal == deal) {
            return Ok(None);
        }
        let open = |conflict: &&accord_domain::opportunity::Conflict| {
            conflict.contender == deal && !conflict.resolved
        };
        let found = state.conflicts.iter().find(|(_, conflict)| open(conflict));
        // Neither held nor contested: somebody released or resolved it this very moment. The policy
        // runner claims it again.
        let (id, conflict) = found.ok_or(AppError::Contention)?;
        let earliest_free_day = conflict.earliest_free_day;
        Ok(Some(Taken { opportunity, conflict: *id, earliest_free_day }))
    }

    async fn protect(&self, trigger: &Trigger, until: Day) -> Result<Vec<Outcome>, AppError> {
        let deal = DealId(trigger.aggregate);
        let mut done = Vec::new();
        for opportunity in self.keys_of(trigger).await? {
            let step = format!("protect:{opportunity}");
            let command = OpportunityCommand::Protect { deal, until };
            let key = (opportunity.0, step.as_str());
            done.extend(self.react::<Opportunity>(trigger, key, "protect", command).await?);
        }
        Ok(done)
    }

    async fn release_all(&self, trigger: &Trigger) -> Result<Vec<Outcome>, AppError> {
        let keys = self.keys_of(trigger).await?;
        self.release(trigger, &keys).await
    }

    async fn release(
        &self,
        trigger: &Trigger,
        opportunities: &[OpportunityId],
    ) -> Result<Vec<Outcome>, AppError> {
        let deal = DealId(trigger.aggregate);
        let mut done = Vec::new();
        for opportunity in opportunities {
            let step = format!("release:{opportunity}");
            let command = OpportunityCommand::Release { deal };
            let key = (opportunity.0, step.as_str());
            done.extend(self.react::<Opportunity>(trigger, key, "release", command).await?);
        }
        Ok(done)
    }

    async fn keys_of(&self, trigger: &Trigger) -> Result<Vec<OpportunityId>, AppError> {
        let state = self.deal_of(trigger).await?;
        Ok(state.case.map(|case| case.opportunities).unwrap_or_default())
    }

    async fn deal_of(&self, trigger: &Trigger) -> Result<Deal, AppError> {
        let stream = StreamName::of(Deal::CATEGORY, trigger.aggregate);
        Ok(self.repository.load::<Deal>(&stream).await?.state.clone())
    }

    pub(super) async fn after_opportunity(
        &self,
        trigger: &Trigger,
        event: &OpportunityEvent,
    ) -> Result<Vec<Outcome>, AppError> {
        use OpportunityEvent as E;
        match event {
            E::ConflictResolved { conflict, winner, loser, rule, .. } => {
                self.settle(trigger, *conflict, (*winner, *loser), rule).await
            }
            E::ConflictClosed { conflict, contender, cause: ConflictEnd::HolderEnded } => {
                let win = DealCommand::WinConflict { conflict: *conflict };
                let key = (contender.0, "win");
                let won = self.react::<Deal>(trigger, key, "win-conflict", win).await?;
                Ok(won.into_iter().collect())
            }
            E::ConflictClosed { cause: ConflictEnd::ContenderEnded, .. }
            | E::Claimed { .. }
            | E::Protected { .. }
            | E::Released { .. }
            | E::ConflictOpened { .. }
            | E::ConflictEscalated { .. } => Ok(Vec::new()),
        }
    }

    /// The loser gives way first, so that the winner finds its keys free.
    async fn settle(
        &self,
        trigger: &Trigger,
        conflict: ConflictId,
        (winner, loser): (DealId, DealId),
        rule: &ReasonCode,
    ) -> Result<Vec<Outcome>, AppError> {
        let lose = DealCommand::LoseConflict { conflict, rule: rule.clone() };
        let lost = self.react::<Deal>(trigger, (loser.0, "lose"), "lose-conflict", lose).await?;
        let win = DealCommand::WinConflict { conflict };
        let won = self.react::<Deal>(trigger, (winner.0, "win"), "win-conflict", win).await?;
        Ok(lost.into_iter().chain(won).collect())
    }
}
