//! Subscriptions: history by pages, then what the writer passes on after each commit.
//!
//! Positions of this log have no gap, and that is what makes the seam safe: a live batch is
//! delivered only where it continues what was delivered last; whatever is already known is
//! skipped, and wherever something is missing the subscription reads from disk again.

use std::{sync::Arc, time::Duration};

use accord_eventlog::{
    Direction, Filter, LogError, Position, RecordedEvent, Subscription, SubscriptionMessage,
};
use tokio::sync::{
    broadcast::{self, error::RecvError},
    mpsc,
};

use crate::{
    reading::{Readers, Scan},
    writer::LiveBatch,
};

/// Messages that wait for the subscriber; then reading stops.
const MESSAGES_MAX: usize = 4;
const PAGE_EVENTS_MAX: usize = 1024;
const PAGE_BYTES_MAX: usize = 1024 * 1024;
/// How often a log that another process writes is looked at.
const POLL_EVERY: Duration = Duration::from_millis(100);

/// Where new events come from.
pub(crate) enum Source {
    /// The writer of this process.
    Writer(broadcast::Receiver<LiveBatch>),
    /// Another process: the file is looked at again and again.
    File,
}

/// Starts a task that feeds the subscription until either side ends.
pub(crate) fn follow(
    readers: Arc<Readers>,
    source: Source,
    from: Option<Position>,
    filter: Filter,
) -> Subscription {
    let (out, messages) = mpsc::channel(MESSAGES_MAX);
    let mut follower = Follower { readers, filter: Arc::new(filter), after: from, out };
    tokio::spawn(async move {
        let ended = match source {
            Source::Writer(live) => follower.follow_writer(live).await,
            Source::File => follower.follow_file().await,
        };
        if let Err(Ended::Failed(error)) = ended {
            // Nobody listens any more: nobody needs the reason.
            let _ = follower.out.send(Err(error)).await;
        }
    });
    Subscription::new(messages)
}

enum Ended {
    /// The subscriber went away, or the log was closed.
    Quietly,
    Failed(LogError),
}

struct Follower {
    readers: Arc<Readers>,
    filter: Arc<Filter>,
    /// Everything up to here was considered.
    after: Option<Position>,
    out: mpsc::Sender<Result<SubscriptionMessage, LogError>>,
}

impl Follower {
    async fn follow_writer(
        &mut self,
        mut live: broadcast::Receiver<LiveBatch>,
    ) -> Result<(), Ended> {
        loop {
            // Listening begins before reading, so that nothing can fall between the two.
            live = live.resubscribe();
            while !self.deliver_page().await? {
                if live.is_closed() {
                    return Err(Ended::Quietly);
                }
            }
            self.send(SubscriptionMessage::CaughtUp(self.after)).await?;
            self.deliver_live(&mut live).await?;
        }
    }

    /// Returns when something is missing that must be read from disk.
    async fn deliver_live(
        &mut self,
        live: &mut broadcast::Receiver<LiveBatch>,
    ) -> Result<(), Ended> {
        loop {
            let received = tokio::select! {
                received = live.recv() => received,
                () = self.out.closed() => return Err(Ended::Quietly),
            };
            match received {
                Ok(Some(batch)) if self.continues(&batch) => self.deliver_batch(&batch).await?,
                Ok(_) | Err(RecvError::Lagged(_)) => return Ok(()),
                Err(RecvError::Closed) => return Err(Ended::Quietly),
            }
        }
    }

    fn continues(&self, batch: &[RecordedEvent]) -> bool {
        let after = self.after.unwrap_or_default().0;
        batch.first().is_some_and(|first| first.position.0 <= after.saturating_add(1))
    }

    async fn deliver_batch(&mut self, batch: &[RecordedEvent]) -> Result<(), Ended> {
        let events: Vec<RecordedEvent> = batch
            .iter()
            .filter(|event| Some(event.position) > self.after)
            .filter(|event| self.filter.matches(event.stream.as_str(), &event.kind))
            .cloned()
            .collect();
        self.after = self.after.max(batch.last().map(|event| event.position));
        self.send_events(events).await
    }

    async fn follow_file(&mut self) -> Result<(), Ended> {
        while !self.deliver_page().await? {}
        self.send(SubscriptionMessage::CaughtUp(self.after)).await?;
        let mut ticks = tokio::time::interval(POLL_EVERY);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.out.closed() => return Err(Ended::Quietly),
            }
            while !self.deliver_page().await? {}
        }
    }

    /// Delivers the next page from disk; true when it was the last one.
    async fn deliver_page(&mut self) -> Result<bool, Ended> {
        let scan = Scan {
            direction: Direction::Forward,
            from: self.after,
            filter: Arc::clone(&self.filter),
            events_max: PAGE_EVENTS_MAX,
            bytes_max: PAGE_BYTES_MAX,
        };
        let page =
            self.readers.run(move |reader| reader.scan(&scan)).await.map_err(Ended::Failed)?;
        self.after = page.considered;
        self.send_events(page.events).await?;
        Ok(page.at_end)
    }

    async fn send_events(&self, events: Vec<RecordedEvent>) -> Result<(), Ended> {
        if events.is_empty() {
            return if self.out.is_closed() { Err(Ended::Quietly) } else { Ok(()) };
        }
        self.send(SubscriptionMessage::Events(events)).await
    }

    async fn send(&self, message: SubscriptionMessage) -> Result<(), Ended> {
        self.out.send(Ok(message)).await.map_err(|_| Ended::Quietly)
    }
}
