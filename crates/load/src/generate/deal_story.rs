//! A deal: drafted, submitted and protected at once, worked on, won or lost.

use accord_domain::customer::Company;
use accord_domain::deal::{Deal, DealCommand, DealEvent};
use accord_domain::opportunity::{Opportunity, OpportunityCommand};
use accord_domain::partner::PartnerStanding;
use accord_domain::{Currency, DealId, Money, PartnerId};
use uuid::Uuid;

use super::Story;
use super::stream::{Append, Stream};
use super::world::{Cause, World};
use crate::bodies;

/// Most activities of a deal; with three days each the deal ends within its protection.
const ACTIVITIES_MAX: u64 = 12;

pub(crate) struct DealStory {
    partner: PartnerStanding,
    number: u64,
    deal: Stream<Deal>,
    keys: Vec<Stream<Opportunity>>,
    step: u64,
    activities: u64,
}

impl DealStory {
    pub(crate) fn new(world: &mut World) -> Self {
        Self {
            partner: world.partner(),
            number: world.count(),
            deal: Stream::new(world.new_id()),
            keys: Vec::new(),
            step: 0,
            activities: world.random.below(ACTIVITIES_MAX),
        }
    }

    fn value(&self) -> Money {
        let minor = 100_000 + i64::try_from(self.number % 1_000).unwrap_or(0) * 10_000;
        Money::new(minor, Currency::EUR)
    }

    fn draft(&self, world: &mut World) -> anyhow::Result<DealCommand> {
        Ok(DealCommand::Draft {
            customer: customer(self.number)?,
            product_scope: bodies::product_scope(self.number).parse()?,
            value: self.value(),
            expected_close: world.today().plus_days(60),
            standing: self.partner.clone(),
        })
    }

    /// Submits, claims all keys, confirms, and tells the keys how long they are protected.
    fn submit(&mut self, world: &mut World) -> anyhow::Result<Vec<Append>> {
        let (deal, partner) = (DealId(self.deal.id), self.partner.partner);
        let standing = self.partner.clone();
        let submit = ("submit", DealCommand::Submit { standing, own: None });
        let submitted = world.decide(&mut self.deal, submit, Cause::Staff)?;
        let mut appends = vec![submitted.append];
        for (event, submitted) in &submitted.events {
            let DealEvent::Submitted { opportunities, .. } = submitted else { continue };
            self.keys = opportunities.iter().map(|key| Stream::new(key.0)).collect();
            appends.extend(self.claim(world, *event, (deal, partner))?);
            let cause = Cause::Event(*event, "confirm".to_owned());
            let confirm = ("confirm-claim", DealCommand::ConfirmClaim {});
            let confirmed = world.decide(&mut self.deal, confirm, cause)?;
            appends.push(confirmed.append);
            for (event, confirmed) in &confirmed.events {
                let DealEvent::Protected { until, .. } = confirmed else { continue };
                let protect = || OpportunityCommand::Protect { deal, until: *until };
                appends.extend(self.on_keys(world, *event, ("protect", &protect))?);
            }
        }
        Ok(appends)
    }

    fn claim(
        &mut self,
        world: &mut World,
        event: Uuid,
        (deal, partner): (DealId, PartnerId),
    ) -> anyhow::Result<Vec<Append>> {
        let claim = || OpportunityCommand::Claim { deal, partner };
        self.on_keys(world, event, ("claim", &claim))
    }

    /// The same reaction on every key.
    fn on_keys(
        &mut self,
        world: &mut World,
        event: Uuid,
        (name, command): (&str, &dyn Fn() -> OpportunityCommand),
    ) -> anyhow::Result<Vec<Append>> {
        let decided = self.keys.iter_mut().map(|key| {
            let cause = Cause::Event(event, format!("{name}:{}", key.id));
            Ok(world.decide(key, (name, command()), cause)?.append)
        });
        decided.collect()
    }

    fn work_on(&mut self, world: &mut World) -> anyhow::Result<Vec<Append>> {
        let activity = format!("Call {} with the client's operations team", self.step);
        let standing = self.partner.clone();
        let command = DealCommand::RecordActivity { activity, on: world.today(), standing };
        let command = ("record-activity", command);
        Ok(vec![world.decide(&mut self.deal, command, Cause::Staff)?.append])
    }

    /// Two of three deals are won; the keys are free again.
    fn close(&mut self, world: &mut World) -> anyhow::Result<Vec<Append>> {
        let command = if self.number.is_multiple_of(3) {
            ("mark-lost", DealCommand::MarkLost { reason: "The budget was cut".to_owned() })
        } else {
            let (closed_on, value) = (world.today(), self.value());
            ("mark-won", DealCommand::MarkWon { closed_on, value })
        };
        let closed = world.decide(&mut self.deal, command, Cause::Staff)?;
        let mut appends = vec![closed.append];
        let deal = DealId(self.deal.id);
        for (event, _) in closed.events {
            let release = || OpportunityCommand::Release { deal };
            appends.extend(self.on_keys(world, event, ("release", &release))?);
        }
        Ok(appends)
    }
}

impl Story for DealStory {
    fn advance(&mut self, world: &mut World) -> anyhow::Result<Option<Vec<Append>>> {
        self.step += 1;
        Ok(Some(match self.step {
            1 => {
                let draft = ("draft", self.draft(world)?);
                vec![world.decide(&mut self.deal, draft, Cause::Staff)?.append]
            }
            2 => self.submit(world)?,
            step if step < 3 + self.activities => self.work_on(world)?,
            step if step == 3 + self.activities => self.close(world)?,
            _ => return Ok(None),
        }))
    }
}

/// A customer that no other case has.
pub(crate) fn customer(number: u64) -> anyhow::Result<Company> {
    Ok(Company {
        name: format!("Customer {number} GmbH"),
        country: bodies::country(number).parse()?,
        domain: Some(format!("customer-{number}.example")),
        tax_id: None,
    })
}
