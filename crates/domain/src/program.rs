//! Program: the versions of its rulebook, from draft to effect.
//!
//! A version is drafted, approved by a second person, announced with the notice that the rulebook
//! in force demands, and takes effect on a day; nothing is ever backdated.

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aggregate;
use crate::rulebook::{
    Rulebook,
    check::{Mistake, check},
};
use crate::text::check_reason;
use crate::{Aggregate, Context, Day, PartnerId, ProgramId, Refusal, RefusalKind, Subject};

/// A version takes effect within so many years of its announcement.
const EFFECT_YEARS_AHEAD_MAX: u32 = 10;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ProgramCommand {
    /// Drafts the next version; the first draft founds the program.
    DraftRulebook { document: Box<Rulebook> },
    /// Approves a drafted version; the approver is not the drafter.
    ApproveRulebook { version: u32 },
    /// Announces an approved version. The first version needs no notice.
    AnnounceRulebook { version: u32, effective_on: Day },
    /// Takes a version back that is not yet in effect.
    WithdrawRulebook { version: u32, reason: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ProgramEvent {
    #[serde(rename = "RulebookDrafted")]
    RulebookDrafted {
        program: ProgramId,
        /// Counts from 1.
        version: u32,
        document: Box<Rulebook>,
        drafted_by: Subject,
    },
    #[serde(rename = "RulebookApproved")]
    RulebookApproved { version: u32, approved_by: Subject },
    #[serde(rename = "RulebookAnnounced")]
    RulebookAnnounced { version: u32, announced_on: Day, effective_on: Day },
    #[serde(rename = "RulebookWithdrawn")]
    RulebookWithdrawn { version: u32, reason: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum ProgramError {
    #[error("the rulebook has no version {version}")]
    NoSuchVersion { version: u32 },
    #[error("the rulebook has {} mistakes", .mistakes.len())]
    RulebookInvalid { mistakes: Vec<String> },
    #[error("the rulebook is of program `{document}`, not of `{program}`")]
    RulebookOfAnotherProgram { program: ProgramId, document: ProgramId },
    #[error("a rulebook is approved by another person than the one who drafted it")]
    ApproverIsDrafter,
    #[error("version {version} is not approved")]
    RulebookNotApproved { version: u32 },
    #[error("version {version} was withdrawn")]
    RulebookWithdrawn { version: u32 },
    #[error("version {version} is already announced for {effective_on}")]
    AlreadyAnnounced { version: u32, effective_on: Day },
    #[error("a rulebook cannot take effect on {effective_on}, before today, {today}")]
    Backdated { effective_on: Day, today: Day },
    #[error("a rulebook takes effect on {latest} at the latest, not on {effective_on}")]
    EffectTooFar { effective_on: Day, latest: Day },
    #[error("the rulebook in force demands {days} days of notice: {earliest} at the earliest")]
    NoticeTooShort { days: u32, earliest: Day },
    #[error("version {version} is in effect since {effective_on}")]
    AlreadyInEffect { version: u32, effective_on: Day },
    #[error("`{field}` is not usable: {problem}")]
    InvalidField { field: String, problem: String },
    #[error("a reason is required")]
    ReasonMissing,
    #[error("a version effective on {other} is already announced; the next one is later")]
    NotAfterAnnounced { other: Day },
}

impl Refusal for ProgramError {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::NoSuchVersion { .. } => RefusalKind::NotFound,
            Self::RulebookInvalid { .. }
            | Self::RulebookOfAnotherProgram { .. }
            | Self::InvalidField { .. }
            | Self::ReasonMissing => RefusalKind::InvalidValue,
            _ => RefusalKind::Rule,
        }
    }
}

/// All versions ever drafted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Program {
    pub id: Option<ProgramId>,
    pub versions: BTreeMap<u32, RulebookVersion>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulebookVersion {
    pub document: Arc<Rulebook>,
    pub drafted_by: Subject,
    pub approved_by: Option<Subject>,
    pub announced_on: Option<Day>,
    pub effective_on: Option<Day>,
    pub withdrawn: bool,
}

impl aggregate::Event for ProgramEvent {}

impl Aggregate for Program {
    const CATEGORY: &'static str = "program";
    type Command = ProgramCommand;
    type Event = ProgramEvent;
    type Error = ProgramError;

    fn decide(
        &self,
        command: ProgramCommand,
        context: &Context,
    ) -> Result<Vec<ProgramEvent>, ProgramError> {
        use ProgramCommand::*;
        match command {
            DraftRulebook { document } => self.draft(document, context),
            ApproveRulebook { version } => self.approve(version, context),
            AnnounceRulebook { version, effective_on } => {
                self.announce(version, effective_on, context)
            }
            WithdrawRulebook { version, reason } => self.withdraw(version, reason, context.today),
        }
    }

    fn evolve(mut self, event: &ProgramEvent) -> Self {
        use ProgramEvent::*;
        match event {
            RulebookDrafted { program, version, document, drafted_by } => {
                self.id = Some(program.clone());
                let entry = RulebookVersion {
                    document: Arc::new(Rulebook::clone(document)),
                    drafted_by: drafted_by.clone(),
                    approved_by: None,
                    announced_on: None,
                    effective_on: None,
                    withdrawn: false,
                };
                self.versions.insert(*version, entry);
            }
            RulebookApproved { version, approved_by } => {
                self.change(*version, |entry| entry.approved_by = Some(approved_by.clone()));
            }
            RulebookAnnounced { version, announced_on, effective_on } => {
                self.change(*version, |entry| {
                    entry.announced_on = Some(*announced_on);
                    entry.effective_on = Some(*effective_on);
                });
            }
            RulebookWithdrawn { version, .. } => {
                self.change(*version, |entry| entry.withdrawn = true);
            }
        }
        self
    }

    fn partner(&self) -> Option<PartnerId> {
        None
    }
}

impl Program {
    /// The version in effect on a day, and its document.
    pub fn in_force(&self, day: Day) -> Option<(u32, &Arc<Rulebook>)> {
        let effective = self.announced().filter(|(_, effective_on)| *effective_on <= day);
        let (version, _) = effective.max_by_key(|(_, effective_on)| *effective_on)?;
        Some((version, &self.versions.get(&version)?.document))
    }

    pub fn version(&self, version: u32) -> Option<&RulebookVersion> {
        self.versions.get(&version)
    }

    /// Versions that are, were or will be in effect, with the day from which on.
    fn announced(&self) -> impl Iterator<Item = (u32, Day)> {
        let standing = self.versions.iter().filter(|(_, entry)| !entry.withdrawn);
        standing.filter_map(|(version, entry)| Some((*version, entry.effective_on?)))
    }

    fn change(&mut self, version: u32, change: impl FnOnce(&mut RulebookVersion)) {
        if let Some(entry) = self.versions.get_mut(&version) {
            change(entry);
        }
    }

    fn standing(&self, version: u32) -> Result<&RulebookVersion, ProgramError> {
        let entry = self.version(version).ok_or(ProgramError::NoSuchVersion { version })?;
        if entry.withdrawn {
            return Err(ProgramError::RulebookWithdrawn { version });
        }
        Ok(entry)
    }

    fn draft(
        &self,
        document: Box<Rulebook>,
        context: &Context,
    ) -> Result<Vec<ProgramEvent>, ProgramError> {
        let program = document.identity.program.clone();
        if let Some(own) = self.id.as_ref().filter(|own| **own != program) {
            let program = own.clone();
            let document = document.identity.program;
            return Err(ProgramError::RulebookOfAnotherProgram { program, document });
        }
        let mistakes: Vec<_> = check(&document).iter().map(Mistake::to_string).collect();
        if !mistakes.is_empty() {
            return Err(ProgramError::RulebookInvalid { mistakes });
        }
        let version = self.versions.last_key_value().map_or(1, |(last, _)| last + 1);
        let drafted_by = context.actor.subject.clone();
        Ok(vec![ProgramEvent::RulebookDrafted { program, version, document, drafted_by }])
    }

    fn approve(&self, version: u32, context: &Context) -> Result<Vec<ProgramEvent>, ProgramError> {
        let entry = self.standing(version)?;
        let approved_by = context.actor.subject.clone();
        if entry.drafted_by == approved_by {
            return Err(ProgramError::ApproverIsDrafter);
        }
        if entry.approved_by.is_some() {
            return Ok(Vec::new());
        }
        Ok(vec![ProgramEvent::RulebookApproved { version, approved_by }])
    }

    fn announce(
        &self,
        version: u32,
        effective_on: Day,
        context: &Context,
    ) -> Result<Vec<ProgramEvent>, ProgramError> {
        let entry = self.standing(version)?;
        match entry.effective_on {
            Some(announced) if announced == effective_on => return Ok(Vec::new()),
            Some(effective_on) => {
                return Err(ProgramError::AlreadyAnnounced { version, effective_on });
            }
            None if entry.approved_by.is_none() => {
                return Err(ProgramError::RulebookNotApproved { version });
            }
            None => {}
        }
        let today = context.today;
        if effective_on < today {
            return Err(ProgramError::Backdated { effective_on, today });
        }
        let latest = today.plus_years(EFFECT_YEARS_AHEAD_MAX);
        if effective_on > latest {
            return Err(ProgramError::EffectTooFar { effective_on, latest });
        }
        if let Some((_, in_force)) = self.in_force(today) {
            let days = in_force.notice.days;
            let earliest = today.plus_days(days);
            if effective_on < earliest {
                return Err(ProgramError::NoticeTooShort { days, earliest });
            }
        }
        if let Some(other) = self.announced().map(|(_, day)| day).max()
            && effective_on <= other
        {
            return Err(ProgramError::NotAfterAnnounced { other });
        }
        Ok(vec![ProgramEvent::RulebookAnnounced { version, announced_on: today, effective_on }])
    }

    fn withdraw(
        &self,
        version: u32,
        reason: String,
        today: Day,
    ) -> Result<Vec<ProgramEvent>, ProgramError> {
        let entry = self.version(version).ok_or(ProgramError::NoSuchVersion { version })?;
        if entry.withdrawn {
            return Ok(Vec::new());
        }
        if let Some(effective_on) = entry.effective_on.filter(|day| *day <= today) {
            return Err(ProgramError::AlreadyInEffect { version, effective_on });
        }
        check_reason(&reason, ProgramError::ReasonMissing)?;
        Ok(vec![ProgramEvent::RulebookWithdrawn { version, reason }])
    }
}

#[cfg(test)]
mod tests;
