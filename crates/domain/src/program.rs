//! Program: the versions of its rulebook, from draft to effect.
//!
//! A version is drafted, approved by a second person, announced with the notice that the rulebook
//! in force demands, and takes effect on a day; nothing is ever backdated.

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Actor, Aggregate, Context, Day, PartnerId, ProgramId, Refusal, RefusalKind, Subject};
use crate::{aggregate, rulebook::Rulebook};

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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
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
    #[error("the rulebook in force demands {days} days of notice: {earliest} at the earliest")]
    NoticeTooShort { days: u32, earliest: Day },
    #[error("version {version} is in effect since {effective_on}")]
    AlreadyInEffect { version: u32, effective_on: Day },
    #[error("a version effective on {other} is already announced; the next one is later")]
    NotAfterAnnounced { other: Day },
}

impl Refusal for ProgramError {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::NoSuchVersion { .. } => RefusalKind::NotFound,
            Self::RulebookInvalid { .. } | Self::RulebookOfAnotherProgram { .. } => {
                RefusalKind::InvalidValue
            }
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

    fn decide(&self, _: ProgramCommand, _: &Context) -> Result<Vec<ProgramEvent>, ProgramError> {
        unimplemented!()
    }

    fn evolve(self, _: &ProgramEvent) -> Self {
        unimplemented!()
    }

    fn partner(&self) -> Option<PartnerId> {
        None
    }
}
