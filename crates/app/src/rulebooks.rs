//! Which rulebook decides: the case's own version, or the one in force today.

use std::sync::Arc;

use accord_domain::program::Program;
use accord_domain::rulebook::Rulebook;
use accord_domain::{Aggregate, Day, ProgramId};
use accord_eventlog::StreamName;
use uuid::Uuid;

use crate::{App, AppError, call::NAMESPACE};

/// A rulebook and its version.
pub(crate) type Rules = (u32, Arc<Rulebook>);

/// The id of a program's stream: a function of its name.
pub fn program_stream_id(program: &ProgramId) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("program\n{program}").as_bytes())
}

impl App {
    /// The program as its own stream has it; the default for one that does not exist.
    pub async fn program(&self, program: &ProgramId) -> Result<Program, AppError> {
        let stream = StreamName::of(Program::CATEGORY, program_stream_id(program));
        Ok(self.repository.load::<Program>(&stream).await?.state.clone())
    }

    /// The rulebook of a version, or the one in force on a day.
    pub async fn rules(
        &self,
        program: &ProgramId,
        version: Option<u32>,
        day: Day,
    ) -> Result<Rules, AppError> {
        let stream = StreamName::of(Program::CATEGORY, program_stream_id(program));
        let loaded = self.repository.load::<Program>(&stream).await?;
        let found = match version {
            Some(version) => {
                loaded.state.version(version).map(|found| (version, found.document.clone()))
            }
            None => loaded.state.in_force(day).map(|(version, rules)| (version, rules.clone())),
        };
        found.ok_or_else(|| AppError::NoRulebook(program.clone()))
    }
}
