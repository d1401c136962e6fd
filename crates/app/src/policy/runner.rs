//! The policy runner: follows the log and carries out whatever a crash left undone.

use std::{sync::Arc, time::Duration};

use accord_eventlog::{Filter, LogError, Position, RecordedEvent, SubscriptionMessage};
use tokio::sync::watch;

use crate::policy::Trigger;
use crate::{App, AppError, DecodedEvent};

/// Pause after a failure, before the runner tries again.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Follows the log behind the requests.
pub struct PolicyRunner {
    app: Arc<App>,
    position: Option<Position>,
}

impl PolicyRunner {
    /// A runner that goes on after a position; `None` starts at the log's beginning, which is safe
    /// and slow.
    pub fn new(app: Arc<App>, from: Option<Position>) -> Self {
        Self { app, position: from }
    }

    /// Runs until `stop` turns true, telling `checkpoint` how far it has come.
    pub async fn run(
        mut self,
        mut stop: watch::Receiver<bool>,
        checkpoint: impl Fn(Position) + Send,
    ) {
        while !*stop.borrow() {
            let failed = tokio::select! {
                ended = self.follow_log(&checkpoint) => ended,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            tracing::warn!(error = &failed as &dyn std::error::Error, "policies pause");
            tokio::select! {
                () = tokio::time::sleep(RETRY_PAUSE) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn follow_log(&mut self, checkpoint: &(impl Fn(Position) + Send)) -> AppError {
        match self.try_follow_log(checkpoint).await {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    async fn try_follow_log(
        &mut self,
        checkpoint: &(impl Fn(Position) + Send),
    ) -> Result<std::convert::Infallible, AppError> {
        let mut subscription = self.app.log.subscribe(self.position, Filter::default()).await?;
        loop {
            match subscription.next().await? {
                SubscriptionMessage::Events(events) => {
                    for event in &events {
                        self.handle(event).await?;
                        self.position = Some(event.position);
                    }
                }
                SubscriptionMessage::CaughtUp(_) => {}
            }
            if let Some(position) = self.position {
                checkpoint(position);
            }
        }
    }

    async fn handle(&self, recorded: &RecordedEvent) -> Result<(), AppError> {
        self.app.repository.observe(&recorded.stream, recorded.revision);
        if nothing_follows(recorded.stream.category(), &recorded.kind) {
            return Ok(());
        }
        let Some(aggregate) = recorded.stream.id() else { return Ok(()) };
        let decoded = match DecodedEvent::read(recorded) {
            Ok(decoded) => decoded,
            Err(error) => {
                // The projections quarantine it, visibly; there is nothing to react to.
                let error = &error as &dyn std::error::Error;
                tracing::error!(position = %recorded.position, error, "unreadable event");
                return Ok(());
            }
        };
        let trigger = Trigger {
            program: decoded.metadata.program,
            aggregate,
            event_id: decoded.id,
            correlation: decoded.metadata.correlation,
            event: decoded.event,
        };
        self.app.running.end_of(trigger.correlation).await;
        match self.app.follow(&trigger).await {
            Ok(_) => Ok(()),
            Err(error) if may_pass(&error) => Err(error),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(event = %trigger.event_id, error, "a policy failed");
                Ok(())
            }
        }
    }
}

/// Whether the same reaction may succeed a moment later.
fn may_pass(error: &AppError) -> bool {
    let unavailable = matches!(error, AppError::Log(LogError::Unavailable(_)));
    unavailable || matches!(error, AppError::FactsBehind | AppError::Contention)
}

/// Categories and types of events that no policy reacts to: they are not even decoded. Whatever is
/// not named here is followed, so that a new event is never forgotten.
const NOTHING_FOLLOWS: &[(&str, &[&str])] = &[
    ("certificate", &["CertificateIssued", "CertificateRenewed"]),
    (
        "deal",
        &[
            "DealActivityRecorded",
            "DealDrafted",
            "DealReservationReleased",
            "DealReserved",
            "DealRevised",
        ],
    ),
    ("opportunity", &["OpportunityClaimed", "OpportunityProtected", "OpportunityReleased"]),
];

fn nothing_follows(category: &str, kind: &str) -> bool {
    NOTHING_FOLLOWS.iter().any(|(known, kinds)| *known == category && kinds.contains(&kind))
}

#[cfg(test)]
mod tests;
