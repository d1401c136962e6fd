//! The scheduler: every few seconds it fires the timers whose day has come.

use std::{sync::Arc, time::Duration};

use accord_app::{App, AppError, Due, DueKind};
use accord_projections::{self as projections, DueRow, QueryError, Views};
use futures::StreamExt;
use tokio::sync::watch;

/// Pause between two looks at the list.
const INTERVAL: Duration = Duration::from_secs(5);

/// Timers read at a time, and fired at a time.
const PAGE_TIMERS: usize = 200;
const FIRED_AT_ONCE_MAX: usize = 16;

/// Pages of one look; the rest waits for the next one.
const PAGES_MAX: usize = 20;

/// What one look at the list came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fired {
    pub(crate) done: usize,
    /// Timers that their aggregates did not accept.
    pub(crate) refused: usize,
}

/// Fires due timers until it is stopped.
pub(crate) async fn run(app: Arc<App>, views: Arc<Views>, mut stop: watch::Receiver<bool>) {
    loop {
        match fire_due(&app, &views).await {
            Ok(Fired { done: 0, .. }) | Err(FireError::Views(QueryError::Building)) => {}
            Ok(fired) => tracing::info!(done = fired.done, "timers fired"),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "timers wait");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Why timers could not be fired.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FireError {
    #[error("the list of timers cannot be read")]
    Views(#[from] QueryError),
    #[error("a timer failed")]
    App(#[from] AppError),
}

/// Fires what is due today; a timer that is refused is passed over.
pub(crate) async fn fire_due(app: &App, views: &Views) -> Result<Fired, FireError> {
    let mut fired = Fired::default();
    let mut cursor = None;
    for _ in 0..PAGES_MAX {
        let page = views.due(app.clock().today(), PAGE_TIMERS, cursor).await?;
        let timers = page.items.iter().filter_map(due);
        let mut outcomes = futures::stream::iter(timers)
            .map(|due| async move { fire(app, &due).await })
            .buffer_unordered(FIRED_AT_ONCE_MAX);
        while let Some(outcome) = outcomes.next().await {
            match outcome? {
                true => fired.done += 1,
                false => fired.refused += 1,
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(fired)
}

/// Whether the timer's aggregate accepted it.
async fn fire(app: &App, due: &Due) -> Result<bool, AppError> {
    match app.fire(due).await {
        Ok(_) => Ok(true),
        Err(AppError::Refused(report)) => {
            tracing::debug!(kind = ?due.kind, id = %due.id, code = report.code, "timer refused");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// The timer's command; `None` where only people act on the day.
fn due(row: &DueRow) -> Option<Due> {
    let kind = match row.kind {
        projections::DueKind::DealProtection | projections::DueKind::DealActivity => {
            DueKind::DealExpiry
        }
        projections::DueKind::CertificateExpiry => DueKind::CertificateExpiry,
        projections::DueKind::LicenceExpiry => DueKind::LicenceExpiry,
        projections::DueKind::TechnicalGap => DueKind::TechnicalGap,
        projections::DueKind::ProbationEnd => return None,
    };
    let program = row.program.clone();
    Some(Due { program, kind, id: row.aggregate, occasion: row.occasion() })
}
