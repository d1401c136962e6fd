//! Standing: how a partner's levels hold against today's evidence, and what the next one lacks.
//!
//! Evaluated when asked, because it depends on the day: nothing here can go stale.

use accord_domain::{
    Day, LevelId, PartnerId, RequirementId, TrackId,
    evidence::{Evaluation, Evidence, Fact, Outcome, evaluate_level},
    rulebook::{LevelRef, Rulebook},
};
use rusqlite::Connection;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    Page, QueryError, Scope, Views,
    evidence::FactRow,
    generation,
    levels::{LevelFilter, LevelReportRow, LevelRow},
    page::Conditions,
    row::select,
};

/// A partner's standing on one track.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LevelStanding {
    #[serde(flatten)]
    pub level: LevelRow,
    /// The current level's requirements as they stand today; empty without a level.
    pub current: Vec<Evaluation>,
    /// Absent at the top of the track.
    pub next: Option<NextLevel>,
    /// Present when something that ends would cost the current level.
    pub at_risk: Option<LevelRisk>,
    /// Version of the rulebook that was applied.
    pub evaluated_under: Option<u32>,
}

/// The level after the current one, and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NextLevel {
    pub level: LevelId,
    pub progress: Vec<Evaluation>,
    /// Requirements that are not met or still to be judged.
    pub gap: Vec<RequirementId>,
}

/// What would cost the current level if nothing is added.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LevelRisk {
    /// The first day on which the level's requirements are no longer met.
    pub lost_on: Day,
    pub requirements: Vec<RequirementId>,
    /// The certificates and licences whose last day is the one before.
    pub ending: Vec<Fact>,
}

/// A line of the report `levels` with what the next level lacks and what this one may lose.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LevelReportLine {
    #[serde(flatten)]
    pub line: LevelReportRow,
    /// Absent at the top of the track.
    pub next_level: Option<LevelId>,
    /// Requirements of the next level that are not met or still to be judged.
    pub gap: Vec<RequirementId>,
    /// The first day on which the level's requirements are no longer met if nothing is added;
    /// absent where nothing that counts ends.
    pub lost_on: Option<Day>,
    /// The requirements that are then no longer met.
    pub at_risk: Vec<RequirementId>,
}

impl Views {
    /// The report `levels` with every line's standing on a day, by partner and track.
    pub async fn level_report(
        &self,
        scope: Scope,
        filter: LevelFilter,
        today: Day,
    ) -> Result<Page<LevelReportLine>, QueryError> {
        let page = self.report_levels(scope.clone(), filter).await?;
        let rulebooks = self.rulebook_cache();
        self.query(move |connection| {
            let snapshot = connection.unchecked_transaction()?;
            let rules = rulebooks.in_force(&snapshot, &scope.program, today)?;
            let rules = rules.as_ref().map(|(version, rules)| (*version, &**rules));
            let mut items = Vec::with_capacity(page.items.len());
            let mut known: Option<(PartnerId, Vec<LevelStanding>)> = None;
            for line in page.items {
                // A partner's lines follow each other.
                let standings = match known.take() {
                    Some((partner, standings)) if partner == line.partner => standings,
                    _ => standings(&snapshot, &scope, (line.partner, today), rules)?,
                };
                let standing = standings.iter().find(|standing| *standing.track() == line.track);
                items.push(report_line(line.clone(), standing));
                known = Some((line.partner, standings));
            }
            Ok(Page { items, next: page.next })
        })
        .await
    }

    /// A partner's standing on all its tracks, as of a day.
    pub async fn level_standing(
        &self,
        scope: Scope,
        partner: PartnerId,
        today: Day,
    ) -> Result<Vec<LevelStanding>, QueryError> {
        let rulebooks = self.rulebook_cache();
        self.query(move |connection| {
            let snapshot = connection.unchecked_transaction()?;
            let rules = rulebooks.in_force(&snapshot, &scope.program, today)?;
            let rules = rules.as_ref().map(|(version, rules)| (*version, &**rules));
            standings(&snapshot, &scope, (partner, today), rules)
        })
        .await
    }

    /// What is known of a partner on a day, for a level review; its position is the read models'.
    /// A partner that is not in scope has no facts.
    pub async fn evidence(
        &self,
        scope: Scope,
        partner: PartnerId,
        today: Day,
    ) -> Result<Evidence, QueryError> {
        let rulebooks = self.rulebook_cache();
        self.query(move |connection| {
            let snapshot = connection.unchecked_transaction()?;
            let levels = levels_of(&snapshot, &scope, partner)?;
            let rules = rulebooks.in_force(&snapshot, &scope.program, today)?;
            evidence(&snapshot, &levels, (partner, today), rules.as_ref().map(|rules| &*rules.1))
        })
        .await
    }
}

fn report_line(line: LevelReportRow, standing: Option<&LevelStanding>) -> LevelReportLine {
    let next = standing.and_then(|standing| standing.next.as_ref());
    let risk = standing.and_then(|standing| standing.at_risk.as_ref());
    LevelReportLine {
        line,
        next_level: next.map(|next| next.level.clone()),
        gap: next.map(|next| next.gap.clone()).unwrap_or_default(),
        lost_on: risk.map(|risk| risk.lost_on),
        at_risk: risk.map(|risk| risk.requirements.clone()).unwrap_or_default(),
    }
}

fn standings(
    connection: &Connection,
    scope: &Scope,
    (partner, today): (PartnerId, Day),
    rules: Option<(u32, &Rulebook)>,
) -> rusqlite::Result<Vec<LevelStanding>> {
    let levels = levels_of(connection, scope, partner)?;
    let evidence = evidence(connection, &levels, (partner, today), rules.map(|rules| rules.1))?;
    Ok(levels.into_iter().map(|level| standing(level, &evidence, rules)).collect())
}

fn levels_of(
    connection: &Connection,
    scope: &Scope,
    partner: PartnerId,
) -> rusqlite::Result<Vec<LevelRow>> {
    let mut conditions = Conditions::within(scope);
    conditions.and("partner = ?", &partner);
    let tail = format!("{} ORDER BY track", conditions.sql());
    select(connection, "levels", &tail, &conditions.values)
}

fn evidence(
    connection: &Connection,
    levels: &[LevelRow],
    (partner, today): (PartnerId, Day),
    rules: Option<&Rulebook>,
) -> rusqlite::Result<Evidence> {
    let position = generation::checkpoint(connection)?.unwrap_or_default().0;
    let mut facts = Vec::new();
    // Only a member of the scope's program has levels.
    if !levels.is_empty() {
        let mut conditions = Conditions::of("partner = ?", &partner);
        conditions.and("valid_from <= ?", &today);
        let tail = format!("{} ORDER BY kind, subject", conditions.sql());
        let rows: Vec<FactRow> = select(connection, "facts", &tail, &conditions.values)?;
        facts.extend(rows.into_iter().map(|row| with_cadence(row.data, levels, rules)));
    }
    Ok(Evidence { position, day: today, facts })
}

/// A fulfilled duty stays fulfilled for the months that the rulebook gives to the partner's levels.
fn with_cadence(mut fact: Fact, levels: &[LevelRow], rules: Option<&Rulebook>) -> Fact {
    if let Fact::Obligation { obligation, fulfilled_until, .. } = &mut fact {
        let duty =
            rules.and_then(|rules| rules.obligations.iter().find(|duty| duty.id == *obligation));
        let held = |level: &LevelRef| {
            levels
                .iter()
                .any(|row| row.track == level.track && row.level.as_ref() == Some(&level.level))
        };
        let cadence = duty.and_then(|duty| {
            duty.cadence
                .iter()
                .find(|cadence| cadence.levels.is_empty() || cadence.levels.iter().any(held))
        });
        if let Some(cadence) = cadence {
            *fulfilled_until = fulfilled_until.plus_months(cadence.months);
        }
    }
    fact
}

fn standing(
    level: LevelRow,
    evidence: &Evidence,
    rules: Option<(u32, &Rulebook)>,
) -> LevelStanding {
    let track = rules.and_then(|(_, rules)| rules.track(&level.track));
    let current = track.zip(level.level.as_ref()).and_then(|(track, id)| track.level(id));
    let current = current.map(|current| evaluate_level(current, evidence)).unwrap_or_default();
    let next = track.and_then(|track| track.next_level(level.level.as_ref())).map(|next| {
        let progress = evaluate_level(next, evidence);
        let open = progress.iter().filter(|evaluation| evaluation.outcome != Outcome::Met);
        let gap = open.map(|evaluation| evaluation.requirement.clone()).collect();
        NextLevel { level: next.id.clone(), progress, gap }
    });
    let at_risk = risk(&current, evidence);
    LevelStanding {
        level,
        current,
        next,
        at_risk,
        evaluated_under: rules.map(|(version, _)| version),
    }
}

fn risk(current: &[Evaluation], evidence: &Evidence) -> Option<LevelRisk> {
    let held_until = current.iter().filter_map(|evaluation| evaluation.met_until).min()?;
    let endangered = current.iter().filter(|evaluation| evaluation.met_until == Some(held_until));
    let ends = |fact: &&Fact| match fact {
        Fact::Certificate { expires_on: last, .. } | Fact::Licence { ends_on: last, .. } => {
            *last == held_until
        }
        Fact::Obligation { fulfilled_until, .. } => *fulfilled_until == held_until,
        Fact::Reference { .. } | Fact::Acknowledgement { .. } => false,
    };
    Some(LevelRisk {
        lost_on: held_until.plus_days(1),
        requirements: endangered.map(|evaluation| evaluation.requirement.clone()).collect(),
        ending: evidence.facts.iter().filter(ends).cloned().collect(),
    })
}

/// The tracks that a standing list covers, for callers that look one up.
impl LevelStanding {
    pub fn track(&self) -> &TrackId {
        &self.level.track
    }
}

#[cfg(test)]
mod tests;
