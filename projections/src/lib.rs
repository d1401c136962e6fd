//! The read side: everything that people and reports look at, folded from the event log into
//! SQLite.
//!
//! [`Views`] answers queries, a [`Runner`] keeps it up to date:
//!
//! ```text
//! let views = Views::open(data_dir)?;
//! let runner = Runner::start(log, Arc::clone(&views));
//! views.wait_for(position, timeout).await?;            // `min_position`
//! let page = views.deals(Scope::program(program), filter).await?;
//! ```
//!
//! Queries are methods of [`Views`] and stand beside their read model: [`Views::partners`],
//! [`Views::level_standing`], [`Views::certificates`], [`Views::deals`], [`Views::conflict`],
//! [`Views::orders`], [`Views::revenue`], [`Views::due`], [`Views::audit_events`] and so on. Each
//! takes a [`Scope`] (a program, or one partner of it: nothing else is ever returned) and a filter
//! whose fields are those of the query string; each answers with the row itself. Persons' data is
//! sealed in rows as it is in events.
//!
//! How it works: all read models live in one file, a *generation* (`generation`). A batch of events
//! is decoded (`event`), folded in memory by every read model in turn (`tables`, `table`), and what
//! has changed is written with the checkpoint in one transaction (`fold`). A read model is a plain
//! struct, a `.sql` file and an `apply` function. When one changes its version, the runner builds a
//! new generation from the log before it serves; [`rebuild`] does so beside the live one,
//! [`verify`] compares the live one with a fresh fold.
//!
//! Invariants: no decision is made here; no clock (the day comes with the question); the fold is a
//! function of the log alone, whatever the batches; what cannot be folded is quarantined, counted
//! and reported, never skipped.

mod as_of;
mod audit_events;
mod build;
mod certificates;
mod column;
mod conflicts;
mod deals;
mod due;
mod event;
mod evidence;
mod fold;
mod generation;
mod level_reviews;
mod levels;
mod licences;
mod orders;
mod page;
mod partners;
mod programs;
mod readers;
mod rebuild;
mod revenue;
mod row;
mod runner;
mod standing;
mod table;
mod tables;
#[cfg(test)]
mod testing;
mod verify;
mod views;

pub use as_of::{AsOfError, deal_as_of, partner_as_of};
pub use audit_events::{AuditEvent, AuditEventFilter};
pub use build::{BuildError, Progress};
pub use certificates::{
    CertificateFilter, CertificateRow, CertificateStatus, CertificateView, IndicatorCounts,
};
pub use column::RawJson;
pub use conflicts::{ConflictDossier, ConflictFilter, ConflictRow, ConflictStatus, CustomerMatch};
pub use deals::{DealCount, DealFilter, DealReportRow, DealRow, NearMatch};
pub use due::{DueFilter, DueKind, DueRow};
pub use level_reviews::{
    Appeal, Decision, Judgement, LevelReviewFilter, LevelReviewRow, LevelReviewStatus,
    LevelReviewSummary, Recommendation,
};
pub use levels::{LevelChange, LevelFilter, LevelReportRow, LevelRow};
pub use licences::{LicenceFilter, LicenceRow, LicenceStatus};
pub use orders::{OrderFilter, OrderKind, OrderRow};
pub use page::{Page, Scope};
pub use partners::{PartnerFilter, PartnerRow, PartnerSummary, Target, TechnicalResource};
pub use programs::{ProgramRow, RulebookRow, RulebookStatus, RulebookSummary};
pub use rebuild::{Rebuilt, rebuild};
pub use revenue::{Managed, RevenueFilter, RevenueRow};
pub use runner::Runner;
pub use standing::{LevelReportLine, LevelRisk, LevelStanding, NextLevel};
pub use verify::{TableReport, VerifyError, verify};
pub use views::{Behind, OpenError, QuarantinedEvent, QueryError, Status, Views};
