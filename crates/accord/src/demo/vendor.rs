//! A vendor in the demo: its rulebook, its people, and the publication of its rules.

use std::sync::Arc;

use accord_app::{App, program_stream_id};
use accord_domain::program::{Program, ProgramCommand};
use accord_domain::rulebook::Rulebook;
use accord_domain::{Actor, Day, ProgramId, Role};
use anyhow::anyhow;

use crate::demo::desk::{Desk, actor};

/// The shipped rulebooks, with the share of partners (in percent) that the demo gives to each.
const SHIPPED: [(&str, u32); 4] = [
    (include_str!("../../../../ops/programs/quazzar.toml"), 45),
    (include_str!("../../../../ops/programs/zextras.toml"), 35),
    (include_str!("../../../../ops/programs/opennebula.toml"), 12),
    (include_str!("../../../../ops/programs/open-xchange.toml"), 8),
];

/// A program with its rules and the people who run it.
pub(crate) struct Vendor {
    pub(crate) program: ProgramId,
    pub(crate) rules: Arc<Rulebook>,
    /// Share of the demo's partners in percent.
    pub(crate) share: u32,
}

impl Vendor {
    /// All vendors whose rulebooks are shipped.
    pub(crate) fn all() -> anyhow::Result<Vec<Arc<Self>>> {
        SHIPPED.iter().map(|(text, share)| Self::read(text, *share).map(Arc::new)).collect()
    }

    fn read(text: &str, share: u32) -> anyhow::Result<Self> {
        let rules = Rulebook::from_toml(text).map_err(|mistakes| {
            let first = mistakes.first().map(ToString::to_string).unwrap_or_default();
            anyhow!("a shipped rulebook has {} mistakes, first: {first}", mistakes.len())
        })?;
        Ok(Self { program: rules.identity.program.clone(), rules: Arc::new(rules), share })
    }

    /// One of the people of the vendor.
    pub(crate) fn staff(&self, role: Role, number: u32) -> Actor {
        actor(&self.program, role, number)
    }

    /// Drafts, approves by another person and announces the rulebook.
    pub(crate) async fn publish(&self, app: &Arc<App>, today: Day) -> anyhow::Result<()> {
        self.bring_into_effect(app, 1, Rulebook::clone(&self.rules), today).await
    }

    /// A second version that gives one more extension of a protection, with the notice due. Cases
    /// opened before keep the first.
    pub(crate) async fn revise(&self, app: &Arc<App>, today: Day) -> anyhow::Result<()> {
        let mut rules = Rulebook::clone(&self.rules);
        rules.deals.extension.count_max += 1;
        let effective_on = today.plus_days(rules.notice.days);
        self.bring_into_effect(app, 2, rules, effective_on).await
    }

    async fn bring_into_effect(
        &self,
        app: &Arc<App>,
        version: u32,
        rules: Rulebook,
        effective_on: Day,
    ) -> anyhow::Result<()> {
        let mut desk = Desk::new(app, &self.program, format!("rulebook-{version}"));
        let stream = Some(program_stream_id(&self.program));
        let drafter = self.staff(Role::ProgramAdmin, 1);
        let approver = self.staff(Role::ProgramAdmin, 2);
        let draft = ProgramCommand::DraftRulebook { document: Box::new(rules) };
        desk.send::<Program>(&drafter, stream, draft).await?;
        let approve = ProgramCommand::ApproveRulebook { version };
        desk.send::<Program>(&approver, stream, approve).await?;
        let announce = ProgramCommand::AnnounceRulebook { version, effective_on };
        desk.send::<Program>(&approver, stream, announce).await?;
        Ok(())
    }
}
