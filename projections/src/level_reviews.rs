//! Read model `level_reviews`: every review with its frozen evidence, judgements and decision.

use std::collections::BTreeMap;

use accord_domain::{
    DomainEvent, LevelId, LevelReviewId, PartnerId, ProgramId, RequirementId, Subject, Timestamp,
    TrackId,
    evidence::{Evaluation, Evidence},
    level_review::{LevelReviewEvent, ReviewOutcome},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page, QueryError, Scope, Views,
    column::{json_columns, word_columns},
    event::Event,
    page::{Conditions, cursor, limit, page},
    row::{record, select},
    tables::{ApplyError, Projection, Tables},
};

pub(crate) const LEVEL_REVIEWS: Projection = Projection {
    name: "level_reviews",
    version: 1,
    tables: include_str!("level_reviews.sql"),
    apply,
};

/// How far a review has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LevelReviewStatus {
    Open,
    Recommended,
    Decided,
    /// Decided, and the decision is contested.
    Appealed,
    AppealDecided,
    Withdrawn,
}

/// A person's answer to a judged requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Judgement {
    pub met: bool,
    pub note: String,
    pub judged_by: Subject,
}

/// What somebody recommends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recommendation {
    pub outcome: ReviewOutcome,
    pub reason: String,
    pub recommended_by: Subject,
}

/// What somebody decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    pub outcome: ReviewOutcome,
    /// The level that results; absent: none.
    pub level: Option<LevelId>,
    pub reason: String,
    /// Reasons for giving the level although these requirements are not met.
    pub overrides: BTreeMap<RequirementId, String>,
    pub decided_by: Subject,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub decided_at: Timestamp,
}

/// The partner's objection and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Appeal {
    pub reason: String,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub appealed_at: Timestamp,
    /// Whether the decision was upheld; absent while the appeal is open.
    pub upheld: Option<bool>,
    pub decision: Option<Decision>,
}

word_columns!(LevelReviewStatus);
json_columns!(BTreeMap<RequirementId, Judgement>, Recommendation, Decision, Appeal);

record! {
    /// A level review.
    pub struct LevelReviewRow in "level_reviews" key(id: LevelReviewId) {
        pub id: LevelReviewId,
        pub program: ProgramId,
        pub partner: PartnerId,
        pub track: TrackId,
        pub current: Option<LevelId>,
        pub target: LevelId,
        pub status: LevelReviewStatus,
        pub rulebook_version: u32,
        /// Why the review was opened.
        pub reason: String,
        pub opened_by: Subject,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub opened_at: Timestamp,
        /// As frozen when the review was opened.
        pub evidence: Evidence,
        pub evaluations: Vec<Evaluation>,
        pub judgements: BTreeMap<RequirementId, Judgement>,
        pub recommendation: Option<Recommendation>,
        pub decision: Option<Decision>,
        pub appeal: Option<Appeal>,
        pub withdrawn_reason: Option<String>,
        #[serde(skip)]
        pub(crate) opened: u64,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub updated_at: Timestamp,
        pub revision: u64,
    }
}

record! {
    /// A level review in a list.
    pub struct LevelReviewSummary {
        pub id: LevelReviewId,
        pub partner: PartnerId,
        pub track: TrackId,
        pub current: Option<LevelId>,
        pub target: LevelId,
        pub status: LevelReviewStatus,
        pub rulebook_version: u32,
        pub reason: String,
        pub opened_by: Subject,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub opened_at: Timestamp,
        pub decision: Option<Decision>,
        #[serde(skip)]
        pub(crate) opened: u64,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub updated_at: Timestamp,
        pub revision: u64,
    }
}

/// Which reviews; every given field must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelReviewFilter {
    pub partner: Option<PartnerId>,
    pub track: Option<TrackId>,
    pub status: Option<LevelReviewStatus>,
    /// 1 to 200; 50 where absent.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

fn apply(tables: &mut Tables, event: &Event) -> Result<(), ApplyError> {
    let Some(DomainEvent::LevelReview(body)) = &event.body else { return Ok(()) };
    if let Some(row) = opened(event, body) {
        tables.level_reviews.put(row);
        return Ok(());
    }
    let key = (LevelReviewId(event.aggregate),);
    let row = tables.level_reviews.edit(&key)?.ok_or(ApplyError::Missing("level review"))?;
    proceed(row, event, body);
    row.updated_at = event.recorded_at;
    row.revision = event.revision;
    Ok(())
}

fn opened(event: &Event, body: &LevelReviewEvent) -> Option<LevelReviewRow> {
    let LevelReviewEvent::Opened {
        partner,
        track,
        current,
        target,
        rulebook_version,
        evidence,
        evaluations,
        reason,
        opened_by,
    } = body
    else {
        return None;
    };
    Some(LevelReviewRow {
        id: LevelReviewId(event.aggregate),
        program: event.program.clone(),
        partner: *partner,
        track: track.clone(),
        current: current.clone(),
        target: target.clone(),
        status: LevelReviewStatus::Open,
        rulebook_version: *rulebook_version,
        reason: reason.clone(),
        opened_by: opened_by.clone(),
        opened_at: event.recorded_at,
        evidence: evidence.clone(),
        evaluations: evaluations.clone(),
        judgements: BTreeMap::new(),
        recommendation: None,
        decision: None,
        appeal: None,
        withdrawn_reason: None,
        opened: event.position,
        updated_at: event.recorded_at,
        revision: event.revision,
    })
}

fn proceed(row: &mut LevelReviewRow, event: &Event, body: &LevelReviewEvent) {
    match body {
        LevelReviewEvent::Opened { .. } => {}
        LevelReviewEvent::Judged { requirement, met, note, judged_by } => {
            let judgement =
                Judgement { met: *met, note: note.clone(), judged_by: judged_by.clone() };
            row.judgements.insert(requirement.clone(), judgement);
        }
        LevelReviewEvent::Recommended { outcome, reason, recommended_by } => {
            row.status = LevelReviewStatus::Recommended;
            row.recommendation = Some(Recommendation {
                outcome: outcome.clone(),
                reason: reason.clone(),
                recommended_by: recommended_by.clone(),
            });
        }
        LevelReviewEvent::Decided { outcome, level, reason, overrides, decided_by, .. } => {
            row.status = LevelReviewStatus::Decided;
            row.decision = Some(Decision {
                outcome: outcome.clone(),
                level: level.clone(),
                reason: reason.clone(),
                overrides: overrides.clone(),
                decided_by: decided_by.clone(),
                decided_at: event.recorded_at,
            });
        }
        LevelReviewEvent::Appealed { reason } => {
            row.status = LevelReviewStatus::Appealed;
            let (reason, appealed_at) = (reason.clone(), event.recorded_at);
            row.appeal = Some(Appeal { reason, appealed_at, upheld: None, decision: None });
        }
        LevelReviewEvent::AppealDecided { upheld, outcome, level, reason, decided_by, .. } => {
            row.status = LevelReviewStatus::AppealDecided;
            if let Some(appeal) = &mut row.appeal {
                appeal.upheld = Some(*upheld);
                appeal.decision = Some(Decision {
                    outcome: outcome.clone(),
                    level: level.clone(),
                    reason: reason.clone(),
                    overrides: BTreeMap::new(),
                    decided_by: decided_by.clone(),
                    decided_at: event.recorded_at,
                });
            }
        }
        LevelReviewEvent::Withdrawn { reason } => {
            row.status = LevelReviewStatus::Withdrawn;
            row.withdrawn_reason = Some(reason.clone());
        }
    }
}

impl Views {
    /// Level reviews, the newest first.
    pub async fn level_reviews(
        &self,
        scope: Scope,
        filter: LevelReviewFilter,
    ) -> Result<Page<LevelReviewSummary>, QueryError> {
        let limit = limit(filter.limit)?;
        let before: Option<u64> = cursor(filter.cursor.as_deref())?;
        self.query(move |connection| {
            let mut conditions = Conditions::within(&scope);
            conditions.and_some("partner = ?", filter.partner.as_ref());
            conditions.and_some("track = ?", filter.track.as_ref());
            conditions.and_some("status = ?", filter.status.as_ref());
            conditions.and_some("opened < ?", before.as_ref());
            let tail = conditions.ordered("opened DESC", limit);
            let rows = select(connection, "level_reviews", &tail, &conditions.values)?;
            Ok(page(rows, limit, |row: &LevelReviewSummary| row.opened))
        })
        .await
    }

    /// One level review with its evidence.
    pub async fn level_review(
        &self,
        scope: Scope,
        id: LevelReviewId,
    ) -> Result<Option<LevelReviewRow>, QueryError> {
        self.query(move |connection| {
            let mut conditions = Conditions::within(&scope);
            conditions.and("id = ?", &id);
            let rows = select(connection, "level_reviews", conditions.sql(), &conditions.values)?;
            Ok(rows.into_iter().next())
        })
        .await
    }
}

#[cfg(test)]
mod tests;
