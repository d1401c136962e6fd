//! Read model `certificates`: who has proven what, until when, and how urgent the expiry is.

use accord_domain::{
    CertificateId, CertificationCode, Day, DomainEvent, PartnerId, PersonId, PersonalData,
    ProgramId, Timestamp,
    certificate::{CertificateEvent, ExpiryIndicator},
};
use rusqlite::Connection;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page, QueryError, Scope, Views,
    column::word_columns,
    event::Event,
    page::{Conditions, cursor, limit, page},
    row::{record, select},
    tables::{ApplyError, Projection, Tables},
};

pub(crate) const CERTIFICATES: Projection = Projection {
    name: "certificates",
    version: 1,
    tables: include_str!("certificates.sql"),
    apply,
};

/// What became of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateStatus {
    Valid,
    Revoked,
    Expired,
}

word_columns!(CertificateStatus);

record! {
    /// A certificate of one person at one partner.
    pub struct CertificateRow in "certificates" key(id: CertificateId)
        fixed(program, partner, person, holder, certification, issued_on)
        indexed(expires_on: Day)
    {
        pub id: CertificateId,
        pub program: ProgramId,
        pub partner: PartnerId,
        pub person: PersonId,
        /// Sealed as in the event.
        pub holder: PersonalData,
        pub certification: CertificationCode,
        pub status: CertificateStatus,
        pub issued_on: Day,
        /// Last day of validity.
        pub expires_on: Day,
        pub renewed_on: Option<Day>,
        pub revoked_on: Option<Day>,
        pub revocation_reason: Option<String>,
        #[schemars(with = "String", extend("format" = "date-time"))]
        pub updated_at: Timestamp,
        pub revision: u64,
    }
}

/// A certificate as it looks on a day.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CertificateView {
    #[serde(flatten)]
    pub certificate: CertificateRow,
    /// How urgent the expiry is, by the days left and the rulebook's limits. With the usual limits
    /// of 90 and 30 days: more than 90 `active`, 30 to 90 `expiring-soon`, 0 to 29 `critical` (the
    /// last day itself is valid and critical), afterwards `expired`. Null for a revoked one.
    pub indicator: Option<ExpiryIndicator>,
    /// Days to the last day of validity; 0 on that day, negative afterwards.
    pub days_left: i64,
}

/// How many certificates that are not revoked show which indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct IndicatorCounts {
    pub active: u64,
    pub expiring_soon: u64,
    pub critical: u64,
    pub expired: u64,
}

/// Which certificates; every given field must match. An indicator leaves revoked ones out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateFilter {
    pub partner: Option<PartnerId>,
    pub certification: Option<CertificationCode>,
    pub indicator: Option<ExpiryIndicator>,
    pub status: Option<CertificateStatus>,
    /// 1 to 200; 50 where absent.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

fn apply(tables: &mut Tables, event: &Event) -> Result<(), ApplyError> {
    let Some(DomainEvent::Certificate(body)) = &event.body else { return Ok(()) };
    let id = CertificateId(event.aggregate);
    if let CertificateEvent::Issued { partner, holder, certification, issued_on, expires_on } = body
    {
        tables.certificates.put(CertificateRow {
            id,
            program: event.program.clone(),
            partner: *partner,
            person: holder.person(),
            holder: holder.clone(),
            certification: certification.clone(),
            status: CertificateStatus::Valid,
            issued_on: *issued_on,
            expires_on: *expires_on,
            renewed_on: None,
            revoked_on: None,
            revocation_reason: None,
            updated_at: event.recorded_at,
            revision: event.revision,
        });
        return Ok(());
    }
    let row = tables.certificates.edit(&(id,))?.ok_or(ApplyError::Missing("certificate"))?;
    match body {
        CertificateEvent::Issued { .. } => {}
        CertificateEvent::Renewed { renewed_on, expires_on } => {
            row.status = CertificateStatus::Valid;
            row.renewed_on = Some(*renewed_on);
            row.expires_on = *expires_on;
        }
        CertificateEvent::Revoked { revoked_on, reason } => {
            row.status = CertificateStatus::Revoked;
            row.revoked_on = Some(*revoked_on);
            row.revocation_reason = Some(reason.clone());
        }
        CertificateEvent::Expired { .. } => row.status = CertificateStatus::Expired,
    }
    row.updated_at = event.recorded_at;
    row.revision = event.revision;
    Ok(())
}

/// Where the indicators begin as seen from a day: [`ExpiryIndicator::of`] as ranges of days.
struct Thresholds {
    today: Day,
    /// The first last-day-of-validity that is no longer critical.
    expiring_soon_from: Day,
    /// The first last-day-of-validity that is active.
    active_from: Day,
}

impl Thresholds {
    fn of(today: Day, critical_days: u32, expiring_soon_days: u32) -> Self {
        Self {
            today,
            expiring_soon_from: today.plus_days(critical_days),
            active_from: today.plus_days(expiring_soon_days).plus_days(1),
        }
    }

    fn indicator(&self, expires_on: Day) -> ExpiryIndicator {
        if expires_on < self.today {
            ExpiryIndicator::Expired
        } else if expires_on < self.expiring_soon_from {
            ExpiryIndicator::Critical
        } else if expires_on < self.active_from {
            ExpiryIndicator::ExpiringSoon
        } else {
            ExpiryIndicator::Active
        }
    }

    /// The range of last days that show an indicator: from inclusive, to exclusive.
    fn range(&self, indicator: ExpiryIndicator) -> (Option<Day>, Option<Day>) {
        match indicator {
            ExpiryIndicator::Expired => (None, Some(self.today)),
            ExpiryIndicator::Critical => (Some(self.today), Some(self.expiring_soon_from)),
            ExpiryIndicator::ExpiringSoon => {
                (Some(self.expiring_soon_from), Some(self.active_from))
            }
            ExpiryIndicator::Active => (Some(self.active_from), None),
        }
    }

    fn view(&self, certificate: CertificateRow) -> CertificateView {
        let expires_on = certificate.expires_on;
        let counts = certificate.status != CertificateStatus::Revoked;
        CertificateView {
            certificate,
            indicator: counts.then(|| self.indicator(expires_on)),
            days_left: self.today.days_until(expires_on),
        }
    }
}

impl Views {
    /// Certificates, those that end first first.
    pub async fn certificates(
        &self,
        scope: Scope,
        filter: CertificateFilter,
        today: Day,
    ) -> Result<Page<CertificateView>, QueryError> {
        let limit = limit(filter.limit)?;
        let after: Option<(Day, CertificateId)> = cursor(filter.cursor.as_deref())?;
        let rulebooks = self.rulebook_cache();
        self.query(move |connection| {
            let thresholds = rulebooks.thresholds(connection, &scope, today)?;
            let range = filter.indicator.map(|indicator| thresholds.range(indicator));
            let (from, to) = range.unwrap_or_default();
            let revoked = filter.indicator.map(|_| CertificateStatus::Revoked);
            let mut conditions = Conditions::within(&scope);
            conditions.and_some("partner = ?", filter.partner.as_ref());
            conditions.and_some("certification = ?", filter.certification.as_ref());
            conditions.and_some("status = ?", filter.status.as_ref());
            conditions.and_some("status <> ?", revoked.as_ref());
            conditions.and_some("expires_on >= ?", from.as_ref());
            conditions.and_some("expires_on < ?", to.as_ref());
            if let Some((first, second)) = &after {
                conditions.past("(expires_on, id) >", &[first, second]);
            }
            let tail = conditions.ordered("expires_on, id", limit);
            let rows: Vec<CertificateRow> =
                select(connection, "certificates", &tail, &conditions.values)?;
            let views = rows.into_iter().map(|row| thresholds.view(row)).collect();
            Ok(page(views, limit, |view: &CertificateView| {
                (view.certificate.expires_on, view.certificate.id)
            }))
        })
        .await
    }

    /// One certificate.
    pub async fn certificate(
        &self,
        scope: Scope,
        id: CertificateId,
        today: Day,
    ) -> Result<Option<CertificateView>, QueryError> {
        let rulebooks = self.rulebook_cache();
        self.query(move |connection| {
            let thresholds = rulebooks.thresholds(connection, &scope, today)?;
            let mut conditions = Conditions::within(&scope);
            conditions.and("id = ?", &id);
            let rows: Vec<CertificateRow> =
                select(connection, "certificates", conditions.sql(), &conditions.values)?;
            Ok(rows.into_iter().next().map(|row| thresholds.view(row)))
        })
        .await
    }

    /// How many certificates show which indicator.
    pub async fn certificate_indicators(
        &self,
        scope: Scope,
        today: Day,
    ) -> Result<IndicatorCounts, QueryError> {
        let rulebooks = self.rulebook_cache();
        self.query(move |connection| {
            let thresholds = rulebooks.thresholds(connection, &scope, today)?;
            let count = |indicator| count(connection, &scope, thresholds.range(indicator));
            Ok(IndicatorCounts {
                active: count(ExpiryIndicator::Active)?,
                expiring_soon: count(ExpiryIndicator::ExpiringSoon)?,
                critical: count(ExpiryIndicator::Critical)?,
                expired: count(ExpiryIndicator::Expired)?,
            })
        })
        .await
    }
}

fn count(
    connection: &Connection,
    scope: &Scope,
    (from, to): (Option<Day>, Option<Day>),
) -> rusqlite::Result<u64> {
    let mut conditions = Conditions::within(scope);
    conditions.and("status <> ?", &CertificateStatus::Revoked);
    conditions.and_some("expires_on >= ?", from.as_ref());
    conditions.and_some("expires_on < ?", to.as_ref());
    let sql = format!("SELECT count(*) FROM certificates {}", conditions.sql());
    let mut select = connection.prepare_cached(&sql)?;
    let count: i64 =
        select.query_row(rusqlite::params_from_iter(&conditions.values), |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

impl crate::views::RulebookCache {
    fn thresholds(
        &self,
        connection: &Connection,
        scope: &Scope,
        today: Day,
    ) -> rusqlite::Result<Thresholds> {
        let rules = self.in_force(connection, &scope.program, today)?;
        // Without a rulebook in force there is no certificate either.
        let (critical, soon) = rules.map_or((0, 0), |(_, rules)| {
            (rules.certificates.critical_days, rules.certificates.expiring_soon_days)
        });
        Ok(Thresholds::of(today, critical, soon))
    }
}

#[cfg(test)]
mod tests;
