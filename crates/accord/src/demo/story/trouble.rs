//! Trouble: restrictions, suspensions and, seldom, the end of a partnership.

use accord_domain::partner::{PartnerCommand, PartnerStatus};
use accord_domain::{BenefitId, Day};

use super::{Story, Task};

impl Story {
    pub(super) async fn misstep(&mut self, today: Day) -> anyhow::Result<()> {
        self.plan_within(today, (120, 500), Task::Misstep);
        let Some(partner) = self.member().await?.filter(Self::is_active) else { return Ok(()) };
        let level = self.level_of(&partner);
        let rules = self.vendor.rules.clone();
        let level = level.and_then(|level| rules.level(&self.track, &level));
        let benefits: Vec<BenefitId> =
            level.into_iter().flat_map(|level| &level.benefits).map(|it| it.id.clone()).collect();
        let benefit = self.random.pick(&benefits).cloned();
        match (self.random.between(0, 99), benefit) {
            (0..12, Some(benefit)) => {
                let benefits = [benefit].into();
                let reason = "reports are overdue for two quarters".to_owned();
                let restrict = PartnerCommand::Restrict { benefits, reason };
                self.send(&self.manager(), restrict).await?;
                self.plan_within(today, (20, 70), Task::MakeGood);
                Ok(())
            }
            (12..22, _) => {
                let reason = "the code of conduct was violated; an inquiry runs".to_owned();
                self.send(&self.manager(), PartnerCommand::Suspend { reason }).await?;
                self.plan_within(today, (15, 60), Task::MakeGood);
                Ok(())
            }
            (22..28, _) => {
                let reason = "the partner has given up this business".to_owned();
                self.send(&self.director(), PartnerCommand::Terminate { reason }).await?;
                let plan = "Customers are looked after by the vendor until the end of their terms.";
                let record = PartnerCommand::RecordTransitionPlan { plan: plan.to_owned() };
                self.send(&self.manager(), record).await
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn make_good(&mut self) -> anyhow::Result<()> {
        let reason = "everything asked for has been done".to_owned();
        match self.standing().await?.status {
            PartnerStatus::Restricted => {
                self.send(&self.manager(), PartnerCommand::LiftRestriction { reason }).await
            }
            PartnerStatus::Suspended => {
                self.send(&self.manager(), PartnerCommand::Reinstate { reason }).await
            }
            _ => Ok(()),
        }
    }
}
