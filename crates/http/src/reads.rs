//! The table of reads: what can be asked for, by whom, and what comes back.

use std::sync::LazyLock;

use accord_domain::Role::{
    self, Auditor, ChannelDirector, ChannelManager, Compliance, Enablement, Finance, Marketing,
    PartnerAdmin, PartnerUser, ProgramAdmin, Reporting,
};
use accord_domain::rulebook::PriceList;
use accord_projections as views;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::audit_events::StoredEvent;
use crate::changes::{Change, ChangesQuery};
use crate::health::Readiness;
use crate::resources::NoFilter;

/// Who may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everyone, without a token.
    Open,
    /// Tokens with one of these roles; partners' roles see their own partner's data only.
    Roles(&'static [Role]),
}

/// One read over HTTP.
pub struct ReadRoute {
    pub path: &'static str,
    pub access: Access,
    /// One line for the documentation.
    pub summary: &'static str,
    pub query: fn(&mut SchemaGenerator) -> Schema,
    pub response: fn(&mut SchemaGenerator) -> Schema,
    pub media: &'static [&'static str],
    /// Takes `as_of` and `at_position`.
    pub past: bool,
}

impl ReadRoute {
    /// The roles that may read; none where no token is asked for.
    pub(crate) fn roles(&self) -> &'static [Role] {
        match self.access {
            Access::Roles(roles) => roles,
            Access::Open => &[],
        }
    }
}

/// Everybody but pure reporting tokens, which read reports alone.
pub(crate) const EVERYONE_BUT_REPORTING: &[Role] = &[
    ProgramAdmin,
    ChannelManager,
    ChannelDirector,
    Enablement,
    Finance,
    Marketing,
    Compliance,
    Auditor,
    PartnerAdmin,
    PartnerUser,
];

/// The vendor's own people.
pub(crate) const STAFF: &[Role] = &[
    ProgramAdmin,
    ChannelManager,
    ChannelDirector,
    Enablement,
    Finance,
    Marketing,
    Compliance,
    Auditor,
];

/// Who reads reports; partners see their own figures.
pub(crate) const REPORTERS: &[Role] = &[
    ProgramAdmin,
    ChannelManager,
    ChannelDirector,
    Finance,
    Auditor,
    Reporting,
    PartnerAdmin,
    PartnerUser,
];

/// Who reads the whole history.
pub(crate) const AUDITORS: &[Role] = &[Auditor, Compliance, ProgramAdmin];

const JSON: &[&str] = &["application/json"];
const JSON_OR_CSV: &[&str] = &["application/json", "text/csv"];

/// All reads.
pub fn reads() -> &'static [ReadRoute] {
    &READS
}

/// The row of a path.
pub(crate) fn route(path: &str) -> Option<&'static ReadRoute> {
    reads().iter().find(|row| row.path == path)
}

fn row<Q: JsonSchema, R: JsonSchema>(
    path: &'static str,
    roles: &'static [Role],
    summary: &'static str,
) -> ReadRoute {
    ReadRoute {
        path,
        access: Access::Roles(roles),
        summary,
        query: Q::json_schema,
        response: SchemaGenerator::subschema_for::<R>,
        media: JSON,
        past: false,
    }
}

/// One resource that can be looked at as it was.
fn with_past<R: JsonSchema>(path: &'static str, summary: &'static str) -> ReadRoute {
    ReadRoute { past: true, ..row::<NoFilter, R>(path, EVERYONE_BUT_REPORTING, summary) }
}

fn report<Q: JsonSchema, R: JsonSchema>(path: &'static str, summary: &'static str) -> ReadRoute {
    ReadRoute { media: JSON_OR_CSV, ..row::<Q, R>(path, REPORTERS, summary) }
}

static READS: LazyLock<Vec<ReadRoute>> = LazyLock::new(|| {
    let mut all = program();
    all.extend(partners());
    all.extend(business());
    all.extend(records());
    all
});

#[rustfmt::skip] // One row a line reads as the table it is.
fn program() -> Vec<ReadRoute> {
    const EVERYONE: &[Role] = &[
        ProgramAdmin, ChannelManager, ChannelDirector, Enablement, Finance, Marketing, Compliance,
        Auditor, Reporting, PartnerAdmin, PartnerUser,
    ];
    vec![
        row::<NoFilter, Vec<views::ProgramRow>>("/v1/programs", EVERYONE, "Programs that the token may see"),
        row::<NoFilter, Vec<views::RulebookSummary>>("/v1/programs/{program}/rulebooks", EVERYONE_BUT_REPORTING, "Versions of the rulebook"),
        row::<NoFilter, views::RulebookRow>("/v1/programs/{program}/rulebooks/{id}", EVERYONE_BUT_REPORTING, "One version of the rulebook"),
        row::<NoFilter, Vec<PriceList>>("/v1/programs/{program}/price-lists", EVERYONE_BUT_REPORTING, "The official price lists in force"),
        row::<views::DueFilter, views::Page<views::DueRow>>("/v1/programs/{program}/due", STAFF, "What time will do: protections, certificates, licences, deadlines"),
    ]
}

#[rustfmt::skip] // One row a line reads as the table it is.
fn partners() -> Vec<ReadRoute> {
    vec![
        row::<views::PartnerFilter, views::Page<views::PartnerSummary>>("/v1/programs/{program}/partners", EVERYONE_BUT_REPORTING, "Partners in the order of their names"),
        with_past::<views::PartnerRow>("/v1/programs/{program}/partners/{id}", "One partner, now or as of a time"),
        row::<NoFilter, Vec<views::LevelStanding>>("/v1/programs/{program}/partners/{id}/levels", EVERYONE_BUT_REPORTING, "Levels, progress, the gap to the next level and what is at risk"),
        row::<NoFilter, Vec<views::LevelChange>>("/v1/programs/{program}/partners/{id}/level-history", EVERYONE_BUT_REPORTING, "Every change of the partner's levels"),
        row::<views::LevelFilter, views::Page<views::LevelRow>>("/v1/programs/{program}/levels", EVERYONE_BUT_REPORTING, "Levels by partner and track"),
        row::<views::CertificateFilter, views::Page<views::CertificateView>>("/v1/programs/{program}/certificates", EVERYONE_BUT_REPORTING, "Certificates with their expiry indicator"),
        row::<NoFilter, views::IndicatorCounts>("/v1/programs/{program}/certificate-indicators", EVERYONE_BUT_REPORTING, "Certificates by expiry indicator"),
        row::<NoFilter, views::CertificateView>("/v1/programs/{program}/certificates/{id}", EVERYONE_BUT_REPORTING, "One certificate"),
        row::<views::LevelReviewFilter, views::Page<views::LevelReviewSummary>>("/v1/programs/{program}/level-reviews", EVERYONE_BUT_REPORTING, "Level reviews, the newest first"),
        row::<NoFilter, views::LevelReviewRow>("/v1/programs/{program}/level-reviews/{id}", EVERYONE_BUT_REPORTING, "One review: evidence, evaluations, decision and reasons"),
    ]
}

#[rustfmt::skip] // One row a line reads as the table it is.
fn business() -> Vec<ReadRoute> {
    vec![
        row::<views::DealFilter, views::Page<views::DealRow>>("/v1/programs/{program}/deals", EVERYONE_BUT_REPORTING, "Deals, the newest first"),
        with_past::<views::DealRow>("/v1/programs/{program}/deals/{id}", "One deal, now or as of a time"),
        row::<NoFilter, Vec<views::NearMatch>>("/v1/programs/{program}/deals/{id}/near-matches", STAFF, "Deals of customers with a similar name, for the reviewer"),
        row::<NoFilter, Vec<views::DealCount>>("/v1/programs/{program}/deal-board", EVERYONE_BUT_REPORTING, "How many deals have which status"),
        row::<views::ConflictFilter, views::Page<views::ConflictRow>>("/v1/programs/{program}/conflicts", STAFF, "Conflicts, the newest first"),
        row::<NoFilter, views::ConflictDossier>("/v1/programs/{program}/conflicts/{id}", STAFF, "One conflict with both registrations"),
        row::<views::OrderFilter, views::Page<views::OrderRow>>("/v1/programs/{program}/orders", EVERYONE_BUT_REPORTING, "Orders, the newest first"),
        row::<NoFilter, views::OrderRow>("/v1/programs/{program}/orders/{id}", EVERYONE_BUT_REPORTING, "One order with its quote"),
        row::<views::LicenceFilter, views::Page<views::LicenceRow>>("/v1/programs/{program}/licences", EVERYONE_BUT_REPORTING, "Licences"),
        row::<NoFilter, views::LicenceRow>("/v1/programs/{program}/licences/{id}", EVERYONE_BUT_REPORTING, "One licence with its terms"),
    ]
}

#[rustfmt::skip] // One row a line reads as the table it is.
fn records() -> Vec<ReadRoute> {
    vec![
        report::<views::LevelFilter, views::Page<views::LevelReportLine>>("/v1/programs/{program}/reports/levels", "Report: levels by partner and track, what the next one lacks and when this one is lost"),
        report::<views::DealFilter, views::Page<views::DealReportRow>>("/v1/programs/{program}/reports/deals", "Report: deals and their protections"),
        report::<views::RevenueFilter, views::Page<views::RevenueRow>>("/v1/programs/{program}/reports/revenue", "Report: recurring revenue by partner, month and currency"),
        ReadRoute {
            media: &["application/json", "application/x-ndjson"],
            ..row::<views::AuditEventFilter, views::Page<StoredEvent>>("/v1/programs/{program}/audit/events", AUDITORS, "The program's events as stored, oldest first")
        },
        row::<NoFilter, Vec<views::QuarantinedEvent>>("/v1/programs/{program}/audit/quarantine", AUDITORS, "Events that no read model could take"),
        ReadRoute {
            media: &["text/event-stream"],
            ..row::<ChangesQuery, Change<'static>>("/v1/programs/{program}/changes", EVERYONE_BUT_REPORTING, "What happens, as server-sent events")
        },
        ReadRoute { access: Access::Open, media: &["text/plain"], ..row::<NoFilter, String>("/healthz", &[], "The process lives") },
        ReadRoute { access: Access::Open, ..row::<NoFilter, Readiness>("/readyz", &[], "Whether the service can do its work") },
        ReadRoute { access: Access::Open, media: &["text/plain"], ..row::<NoFilter, String>("/metrics", &[], "Metrics for Prometheus") },
    ]
}
