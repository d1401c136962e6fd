//! What is put together from what: the data directory's stores, the facts, the application.
//!
//! ```text
//! DIR/log.db       the event log, unless a server elsewhere has it
//! DIR/log.identity which event log all the rest belongs to
//! DIR/keys.db      persons' keys
//! DIR/issuer.pem   the token issuer's key
//! DIR/views/       the read models' generations
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use accord_app::{App, AppError, Clock, FactSource, Managed};
use accord_audit::SqliteKeyStore;
use accord_domain::{DealId, LevelReviewId, PartnerId, ProgramId, TrackId, evidence::Evidence};
use accord_eventlog::{EventLog, KeyStore, Position};
use accord_eventlog_kurrentdb::Address;
use accord_eventlog_sqlite::SqliteEventLog;
use accord_projections::{
    DealFilter, LevelReviewFilter, LevelReviewStatus, QueryError, Runner, Scope, Views,
};
use anyhow::{Context, ensure};
use async_trait::async_trait;

use crate::chosen_log::OpenLog;

/// How long a command waits for the read models to see what came before it.
const FACTS_WAIT_MAX: Duration = Duration::from_secs(2);

/// Deals that are read at a time.
const DEALS_PAGE: u32 = 200;

/// The name of the event log in a data directory.
pub(crate) const LOG_FILE: &str = "log.db";

/// Everything that lives in a data directory, opened for writing by this process alone, and the
/// event log, wherever it lives.
pub(crate) struct Stores {
    pub(crate) data: PathBuf,
    log: OpenLog,
    pub(crate) views: Arc<Views>,
    keys: Arc<dyn KeyStore>,
    runner: Runner,
}

impl Stores {
    /// Opens a data directory with its embedded log, making what is missing, and starts to follow
    /// the log.
    pub(crate) fn open(data: &Path) -> anyhow::Result<Self> {
        Self::over(data, OpenLog::embedded(data)?)
    }

    /// Opens a data directory for the log at an address, which need not answer yet.
    pub(crate) fn open_at(data: &Path, address: Address) -> anyhow::Result<Self> {
        make_private(data)
            .with_context(|| format!("cannot use the data directory {}", data.display()))?;
        Self::over(data, OpenLog::at(address))
    }

    fn over(data: &Path, log: OpenLog) -> anyhow::Result<Self> {
        let log = log.kept_to(data);
        let keys = SqliteKeyStore::open(&data.join("keys.db"))
            .with_context(|| format!("cannot open the key store in {}", data.display()))?;
        let views = Views::open(data)
            .with_context(|| format!("cannot open the read models in {}", data.display()))?;
        let runner = Runner::start(Arc::clone(&log.log), Arc::clone(&views));
        let (data, keys) = (data.to_owned(), Arc::new(keys));
        Ok(Self { data, log, views, keys, runner })
    }

    /// The event log.
    pub(crate) fn log(&self) -> Arc<dyn EventLog> {
        Arc::clone(&self.log.log)
    }

    /// The application under a clock.
    pub(crate) fn app(&self, clock: Clock) -> Arc<App> {
        let facts = ViewFacts { views: Arc::clone(&self.views), clock: clock.clone() };
        Arc::new(App::new(self.log(), Arc::clone(&self.keys), clock, Arc::new(facts)))
    }

    /// Waits until the read models have seen everything that the log holds now.
    pub(crate) async fn catch_up(&self, time_max: Duration) -> anyhow::Result<()> {
        if let Some(head) = self.log.log.head().await? {
            self.views.wait_for(head, time_max).await?;
        }
        Ok(())
    }

    /// Stops the read models, then closes the log.
    pub(crate) async fn close(self) {
        self.runner.stop().await;
        self.log.close().await;
    }
}

/// The event log of a data directory, for writing; makes what is missing.
pub(crate) fn open_log(data: &Path) -> anyhow::Result<SqliteEventLog> {
    make_private(data)
        .with_context(|| format!("cannot use the data directory {}", data.display()))?;
    SqliteEventLog::open(&data.join(LOG_FILE))
        .with_context(|| format!("cannot open the event log in {}", data.display()))
}

/// A directory that only its owner may enter: it holds keys.
fn make_private(data: &Path) -> std::io::Result<()> {
    if data.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(data)
}

/// A data directory that must be there already.
pub(crate) fn existing(data: &Path) -> anyhow::Result<&Path> {
    ensure!(
        data.is_dir(),
        "there is no data directory {}; `accord serve` or `accord demo` makes one",
        data.display()
    );
    Ok(data)
}

/// Facts that span streams, from the read models.
struct ViewFacts {
    views: Arc<Views>,
    clock: Clock,
}

impl ViewFacts {
    async fn wait(&self, at_least: Option<Position>) -> Result<(), AppError> {
        match at_least {
            None => Ok(()),
            Some(position) => {
                let waited = self.views.wait_for(position, FACTS_WAIT_MAX).await;
                waited.map_err(|_| AppError::FactsBehind)
            }
        }
    }
}

#[async_trait]
impl FactSource for ViewFacts {
    async fn evidence(
        &self,
        program: &ProgramId,
        partner: PartnerId,
        at_least: Option<Position>,
    ) -> Result<Evidence, AppError> {
        self.wait(at_least).await?;
        let scope = Scope::program(program.clone());
        self.views.evidence(scope, partner, self.clock.today()).await.map_err(unreadable)
    }

    async fn open_review(
        &self,
        program: &ProgramId,
        (partner, track): (PartnerId, &TrackId),
        at_least: Option<Position>,
    ) -> Result<Option<LevelReviewId>, AppError> {
        self.wait(at_least).await?;
        for status in [LevelReviewStatus::Open, LevelReviewStatus::Recommended] {
            let scope = Scope::partner(program.clone(), partner);
            let filter = LevelReviewFilter {
                track: Some(track.clone()),
                status: Some(status),
                limit: Some(1),
                ..LevelReviewFilter::default()
            };
            let found = self.views.level_reviews(scope, filter).await.map_err(unreadable)?;
            if let Some(review) = found.items.first() {
                return Ok(Some(review.id));
            }
        }
        Ok(None)
    }

    async fn open_deals(
        &self,
        program: &ProgramId,
        partner: PartnerId,
        at_least: Option<Position>,
    ) -> Result<Vec<DealId>, AppError> {
        self.wait(at_least).await?;
        let (mut open, mut cursor) = (Vec::new(), None);
        loop {
            let scope = Scope::partner(program.clone(), partner);
            let filter = DealFilter { limit: Some(DEALS_PAGE), cursor, ..DealFilter::default() };
            let page = self.views.deals(scope, filter).await.map_err(unreadable)?;
            let still_open = page.items.into_iter().filter(|deal| deal.status.is_open());
            open.extend(still_open.map(|deal| deal.id));
            cursor = page.next;
            if cursor.is_none() {
                return Ok(open);
            }
        }
    }

    async fn managed(
        &self,
        program: &ProgramId,
        partner: PartnerId,
        at_least: Option<Position>,
    ) -> Result<Managed, AppError> {
        self.wait(at_least).await?;
        let scope = Scope::program(program.clone());
        let found = self.views.managed(scope, partner, self.clock.today()).await;
        let found = found.map_err(unreadable)?;
        Ok(Managed { servers: found.servers, seats: found.seats })
    }
}

/// To the caller the facts are not there yet; the operator learns why.
fn unreadable(error: QueryError) -> AppError {
    tracing::error!(error = &error as &dyn std::error::Error, "facts cannot be read");
    AppError::FactsBehind
}
