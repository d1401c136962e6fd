//! Read model `programs`: every program's rulebook versions.

use std::sync::Arc;

use accord_domain::{
    Day, DomainEvent, ProgramId, Subject, Timestamp, program::ProgramEvent, rulebook::Rulebook,
};
use rusqlite::Connection;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    QueryError, Views,
    column::{Column, RawJson, word_columns},
    event::Event,
    page::Conditions,
    row::{record, select},
    tables::{ApplyError, Projection, Tables},
};

pub(crate) const PROGRAMS: Projection =
    Projection { name: "programs", version: 1, tables: include_str!("programs.sql"), apply };

/// How far a rulebook version has come. Stored up to `announced`; what is in force is a matter of
/// the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RulebookStatus {
    Drafted,
    Approved,
    /// Takes effect on a later day.
    Announced,
    InForce,
    /// Was in force; a later version is now.
    Superseded,
    Withdrawn,
}

word_columns!(RulebookStatus);

record! {
    /// One version of a program's rulebook.
    pub struct RulebookRow in "rulebooks" key(program: ProgramId, version: u32) {
        pub program: ProgramId,
        pub version: u32,
        pub status: RulebookStatus,
        /// The program's name for people.
        pub name: String,
        pub vendor: String,
        pub drafted_by: Subject,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub drafted_at: Timestamp,
        pub approved_by: Option<Subject>,
        pub announced_on: Option<Day>,
        pub effective_on: Option<Day>,
        pub withdrawn_reason: Option<String>,
        #[schemars(with = "Rulebook")]
        pub document: RawJson,
    }
}

record! {
    /// A rulebook version without its document.
    pub struct RulebookSummary {
        pub program: ProgramId,
        pub version: u32,
        pub status: RulebookStatus,
        pub name: String,
        pub vendor: String,
        pub drafted_by: Subject,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub drafted_at: Timestamp,
        pub approved_by: Option<Subject>,
        pub announced_on: Option<Day>,
        pub effective_on: Option<Day>,
        pub withdrawn_reason: Option<String>,
    }
}

/// A program and what is in force today.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ProgramRow {
    pub id: ProgramId,
    pub name: String,
    pub vendor: String,
    /// Absent before the first rulebook takes effect.
    pub rulebook_version: Option<u32>,
}

fn apply(tables: &mut Tables, event: &Event) -> Result<(), ApplyError> {
    let Some(DomainEvent::Program(body)) = &event.body else { return Ok(()) };
    match body {
        ProgramEvent::RulebookDrafted { program, version, document, drafted_by } => {
            tables.rulebooks.put(RulebookRow {
                program: program.clone(),
                version: *version,
                status: RulebookStatus::Drafted,
                name: document.identity.name.clone(),
                vendor: document.identity.vendor.clone(),
                drafted_by: drafted_by.clone(),
                drafted_at: event.recorded_at,
                approved_by: None,
                announced_on: None,
                effective_on: None,
                withdrawn_reason: None,
                document: RawJson::of(document),
            });
        }
        ProgramEvent::RulebookApproved { version, approved_by } => {
            let row = rulebook(tables, event, *version)?;
            row.status = RulebookStatus::Approved;
            row.approved_by = Some(approved_by.clone());
        }
        ProgramEvent::RulebookAnnounced { version, announced_on, effective_on } => {
            let row = rulebook(tables, event, *version)?;
            row.status = RulebookStatus::Announced;
            row.announced_on = Some(*announced_on);
            row.effective_on = Some(*effective_on);
        }
        ProgramEvent::RulebookWithdrawn { version, reason } => {
            let row = rulebook(tables, event, *version)?;
            row.status = RulebookStatus::Withdrawn;
            row.withdrawn_reason = Some(reason.clone());
        }
    }
    Ok(())
}

fn rulebook<'t>(
    tables: &'t mut Tables,
    event: &Event,
    version: u32,
) -> Result<&'t mut RulebookRow, ApplyError> {
    let row = tables.rulebooks.edit(&(event.program.clone(), version))?;
    row.ok_or(ApplyError::Missing("rulebook version"))
}

/// The version in force on a day: the announced one with the latest effective day.
pub(crate) fn version_in_force(
    connection: &Connection,
    program: &ProgramId,
    day: Day,
) -> rusqlite::Result<Option<u32>> {
    let mut select = connection.prepare_cached(
        "SELECT version FROM rulebooks
         WHERE program = ?1 AND status = 'announced' AND effective_on <= ?2
         ORDER BY effective_on DESC, version DESC LIMIT 1",
    )?;
    let mut rows = select.query([program.to_column(), day.to_column()])?;
    rows.next()?.map(|row| row.get(0)).transpose()
}

/// Says of announced versions whether they are in force on a day.
fn on_day(
    status: RulebookStatus,
    (version, in_force): (u32, Option<u32>),
    effective: bool,
) -> RulebookStatus {
    match status {
        RulebookStatus::Announced if in_force == Some(version) => RulebookStatus::InForce,
        RulebookStatus::Announced if effective => RulebookStatus::Superseded,
        status => status,
    }
}

impl Views {
    /// Every program, with the rulebook version in force on that day.
    pub async fn programs(&self, today: Day) -> Result<Vec<ProgramRow>, QueryError> {
        self.query(move |connection| {
            let newest: Vec<RulebookSummary> = select(
                connection,
                "rulebooks AS r",
                "WHERE version = (SELECT max(version) FROM rulebooks WHERE program = r.program)
                 ORDER BY program",
                &[] as &[i64],
            )?;
            let program = |row: RulebookSummary| {
                let rulebook_version = version_in_force(connection, &row.program, today)?;
                Ok(ProgramRow {
                    id: row.program,
                    name: row.name,
                    vendor: row.vendor,
                    rulebook_version,
                })
            };
            newest.into_iter().map(program).collect()
        })
        .await
    }

    /// All versions of a program's rulebook, the newest first.
    pub async fn rulebooks(
        &self,
        program: ProgramId,
        today: Day,
    ) -> Result<Vec<RulebookSummary>, QueryError> {
        self.query(move |connection| {
            let conditions = Conditions::of("program = ?", &program);
            let tail = format!("{} ORDER BY version DESC", conditions.sql());
            let mut rows: Vec<RulebookSummary> =
                select(connection, "rulebooks", &tail, &conditions.values)?;
            let in_force = version_in_force(connection, &program, today)?;
            for row in &mut rows {
                let effective = row.effective_on.is_some_and(|day| day <= today);
                row.status = on_day(row.status, (row.version, in_force), effective);
            }
            Ok(rows)
        })
        .await
    }

    /// One version with its document.
    pub async fn rulebook(
        &self,
        program: ProgramId,
        version: u32,
        today: Day,
    ) -> Result<Option<RulebookRow>, QueryError> {
        self.query(move |connection| {
            let mut conditions = Conditions::of("program = ?", &program);
            conditions.and("version = ?", &version);
            let rows: Vec<RulebookRow> =
                select(connection, "rulebooks", conditions.sql(), &conditions.values)?;
            let in_force = version_in_force(connection, &program, today)?;
            Ok(rows.into_iter().next().map(|mut row| {
                let effective = row.effective_on.is_some_and(|day| day <= today);
                row.status = on_day(row.status, (row.version, in_force), effective);
                row
            }))
        })
        .await
    }

    /// The rulebook in force on a day and its version; documents are read once and remembered.
    pub async fn rulebook_in_force(
        &self,
        program: ProgramId,
        today: Day,
    ) -> Result<Option<(u32, Arc<Rulebook>)>, QueryError> {
        let rulebooks = self.rulebook_cache();
        self.query(move |connection| rulebooks.in_force(connection, &program, today)).await
    }
}

#[cfg(test)]
mod tests;
