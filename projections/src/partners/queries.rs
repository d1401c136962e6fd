//! Reading partners.

use accord_domain::{
    Country, Day, LevelId, PartnerId, PhaseId, Timestamp, TrackId, partner::PartnerStatus,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::PartnerRow;
use crate::{
    Page, QueryError, Scope, Views,
    column::RawJson,
    page::{Conditions, cursor, limit, page, search_key},
    row::{record, select},
};

record! {
    /// A partner in a list.
    pub struct PartnerSummary {
        pub id: PartnerId,
        pub name: String,
        #[serde(skip)]
        pub(crate) name_key: String,
        pub country: Country,
        pub status: PartnerStatus,
        /// Level by track; null on a track without a level yet.
        #[schemars(with = "std::collections::BTreeMap<TrackId, Option<LevelId>>")]
        pub tracks: RawJson,
        pub phase: Option<PhaseId>,
        pub agreement_ends_on: Option<Day>,
        pub technical_gap_until: Option<Day>,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub created_at: Timestamp,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub updated_at: Timestamp,
        pub revision: u64,
    }
}

/// Which partners; every given field must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartnerFilter {
    pub status: Option<PartnerStatus>,
    pub track: Option<TrackId>,
    /// On the given track, or on any.
    pub level: Option<LevelId>,
    pub country: Option<Country>,
    pub phase: Option<PhaseId>,
    /// Beginning of the company's name, in any case.
    pub name: Option<String>,
    /// 1 to 200; 50 where absent.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl Views {
    /// Partners in the order of their names.
    pub async fn partners(
        &self,
        scope: Scope,
        filter: PartnerFilter,
    ) -> Result<Page<PartnerSummary>, QueryError> {
        let limit = limit(filter.limit)?;
        let after: Option<(String, PartnerId)> = cursor(filter.cursor.as_deref())?;
        self.query(move |connection| {
            let from = filter.name.as_deref().map(search_key);
            let to = from.as_ref().map(|name| format!("{name}{}", char::MAX));
            let mut conditions = Conditions::of("program = ?", &scope.program);
            conditions.and_some("id = ?", scope.partner.as_ref());
            conditions.and_some("status = ?", filter.status.as_ref());
            conditions.and_some("country = ?", filter.country.as_ref());
            conditions.and_some("phase = ?", filter.phase.as_ref());
            conditions.and_some("name_key >= ?", from.as_ref());
            conditions.and_some("name_key < ?", to.as_ref());
            on_track(&mut conditions, &filter);
            if let Some((first, second)) = &after {
                conditions.past("(name_key, id) >", &[first, second]);
            }
            let tail = conditions.ordered("name_key, id", limit);
            let rows = select(connection, "partners", &tail, &conditions.values)?;
            Ok(page(rows, limit, |row: &PartnerSummary| (row.name_key.clone(), row.id)))
        })
        .await
    }

    /// One partner with everything known of it.
    pub async fn partner(
        &self,
        scope: Scope,
        id: PartnerId,
    ) -> Result<Option<PartnerRow>, QueryError> {
        self.query(move |connection| {
            let mut conditions = Conditions::of("program = ?", &scope.program);
            conditions.and("id = ?", &id);
            conditions.and_some("id = ?", scope.partner.as_ref());
            let rows = select(connection, "partners", conditions.sql(), &conditions.values)?;
            Ok(rows.into_iter().next())
        })
        .await
    }
}

fn on_track<'a>(conditions: &mut Conditions<'a>, filter: &'a PartnerFilter) {
    let on = "EXISTS (SELECT 1 FROM levels AS l WHERE l.partner = partners.id";
    match (&filter.track, &filter.level) {
        (Some(track), Some(level)) => {
            conditions.and(&format!("{on} AND l.track = ?"), track);
            conditions.and("l.level = ?)", level);
        }
        (Some(track), None) => conditions.and(&format!("{on} AND l.track = ?)"), track),
        (None, Some(level)) => conditions.and(&format!("{on} AND l.level = ?)"), level),
        (None, None) => {}
    }
}
