//! Subscriptions: history by pages, then live, and from the beginning again after any break.
//!
//! What was delivered last is all that counts: whatever happens, following goes on after it, so
//! that nothing is missed and nothing comes twice. Only a log that contradicts itself ends a
//! subscription.
//!
//! Live events come over a connection that no other call uses. Whoever does not take them for a
//! while is disconnected, or the connection would fill up with what they do not take and hold up
//! everybody else's; later they go on by pages.

use std::{sync::Arc, time::Duration};

use accord_eventlog::{
    Direction, Filter, LogError, Position, RecordedEvent, Subscription, SubscriptionMessage,
};
use eventstore::{Error, ResolvedEvent, StreamPosition, SubscribeToAllOptions, SubscriptionEvent};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    envelope::from_wire,
    error::{CallError, from_call},
    link::{Link, Pause, Session},
    reading::{Scan, original, scan, server_filter, to_wire},
};

/// Messages that wait for the subscriber.
const MESSAGES_MAX: usize = 2;
/// Events of one page of history, and of one message of live events.
const PAGE_EVENTS_MAX: usize = 2048;
const BATCH_EVENTS_MAX: usize = 512;
const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// Live events received and not yet in a message.
const RECEIVED_EVENTS_MAX: usize = 128;
/// Longest time for the server to confirm a subscription.
const CONFIRM_TIME_MAX: Duration = Duration::from_secs(10);
/// Who does not take a live message for so long goes on by pages.
const STALL_TIME_MAX: Duration = Duration::from_secs(1);

/// Follows the log strictly after `from`, until the subscription is dropped.
pub(crate) fn follow(
    (calls, live): (Arc<Link>, Arc<Link>),
    from: Option<Position>,
    filter: Filter,
) -> Subscription {
    let (out, messages) = mpsc::channel(MESSAGES_MAX);
    let dropped = out.clone();
    let mut follower = Follower { calls, live, filter, after: from, out };
    tokio::spawn(async move {
        tokio::select! {
            error = follower.run() => {
                // Whoever has gone does not need to know.
                let _ = follower.out.send(Err(error)).await;
            }
            () = dropped.closed() => {}
        }
    });
    Subscription::new(messages)
}

/// Why following stopped for now.
enum Broken {
    /// The subscriber went away; the task ends with the next look at it.
    Dropped,
    Failed(LogError),
}

impl From<LogError> for Broken {
    fn from(error: LogError) -> Self {
        Self::Failed(error)
    }
}

struct Follower {
    calls: Arc<Link>,
    live: Arc<Link>,
    filter: Filter,
    /// Everything up to here was considered.
    after: Option<Position>,
    out: mpsc::Sender<Result<SubscriptionMessage, LogError>>,
}

impl Follower {
    /// Follows until something is wrong that trying again does not cure.
    async fn run(&mut self) -> LogError {
        let mut pause = Pause::new();
        loop {
            match self.follow(&mut pause).await {
                Ok(()) => {}
                Err(Broken::Dropped) => std::future::pending().await,
                Err(Broken::Failed(LogError::Unavailable(error))) => {
                    tracing::debug!(%error, "a subscription waits for the event log");
                    sleep(pause.take()).await;
                }
                Err(Broken::Failed(error)) => return error,
            }
        }
    }

    /// History, then live until the subscriber falls behind or something breaks.
    async fn follow(&mut self, pause: &mut Pause) -> Result<(), Broken> {
        self.deliver_history().await?;
        let live = Live::start(&self.live, self.after, &self.filter).await?;
        *pause = Pause::new();
        self.deliver_live(live).await
    }

    async fn deliver_history(&mut self) -> Result<(), Broken> {
        let everything = Filter { system: true, ..Filter::default() };
        let last =
            Scan { direction: Direction::Backward, from: None, filter: &everything, events_max: 1 };
        // Taken before the pages: when they end, everything up to here was considered.
        let head = scan(&self.calls, last).await?.considered;
        loop {
            let page = Scan {
                direction: Direction::Forward,
                from: self.after,
                filter: &self.filter,
                events_max: PAGE_EVENTS_MAX,
            };
            let page = scan(&self.calls, page).await?;
            if !page.events.is_empty() {
                self.send(SubscriptionMessage::Events(page.events)).await?;
            }
            self.after = page.considered.or(self.after);
            if page.at_end {
                self.after = self.after.max(head);
                return self.send(SubscriptionMessage::CaughtUp(self.after)).await;
            }
        }
    }

    /// Returns where the subscriber must go on by pages.
    async fn deliver_live(&mut self, mut live: Live) -> Result<(), Broken> {
        loop {
            let batch = live.next_batch(self.after, &self.filter).await?;
            self.after = batch.considered;
            if !batch.events.is_empty() {
                let message = SubscriptionMessage::Events(batch.events);
                match timeout(STALL_TIME_MAX, self.out.reserve()).await {
                    Ok(room) => room.map_err(|_| Broken::Dropped)?.send(Ok(message)),
                    Err(_) => {
                        drop(live);
                        return self.send(message).await;
                    }
                }
            }
            if batch.caught_up {
                self.send(SubscriptionMessage::CaughtUp(self.after)).await?;
            }
        }
    }

    async fn send(&self, message: SubscriptionMessage) -> Result<(), Broken> {
        self.out.send(Ok(message)).await.map_err(|_| Broken::Dropped)
    }
}

/// What came live and goes into one message.
#[derive(Default)]
struct Batch {
    events: Vec<RecordedEvent>,
    bytes: usize,
    considered: Option<Position>,
    /// The server caught up again after it had fallen behind.
    caught_up: bool,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.caught_up || self.events.len() >= BATCH_EVENTS_MAX || self.bytes >= BATCH_BYTES_MAX
    }

    fn take(&mut self, event: ResolvedEvent, filter: &Filter) -> Result<(), Error> {
        let event = original(event)?;
        let position = Position(event.position.commit);
        if Some(position) <= self.considered {
            return Ok(());
        }
        self.considered = Some(position);
        if filter.matches(event.stream_id(), &event.event_type) {
            self.bytes += event.data.len() + event.custom_metadata.len();
            self.events.push(from_wire(event)?);
        }
        Ok(())
    }
}

/// A subscription on the server.
struct Live {
    link: Arc<Link>,
    session: Session,
    told: mpsc::Receiver<Result<SubscriptionEvent, Error>>,
    task: JoinHandle<()>,
    fell_behind: bool,
}

impl Live {
    /// Subscribes, and waits until the server has confirmed it.
    async fn start(
        link: &Arc<Link>,
        after: Option<Position>,
        filter: &Filter,
    ) -> Result<Self, LogError> {
        let session = link.session().await.map_err(from_call)?;
        let from = after
            .map_or(StreamPosition::Start, |position| StreamPosition::Position(to_wire(position)));
        let options = SubscribeToAllOptions::default().position(from);
        let options = match server_filter(filter) {
            Some(filter) => options.filter(filter),
            None => options,
        };
        let options = session.log_in(options, SubscribeToAllOptions::authenticated);
        let subscription = session.client.subscribe_to_all(&options).await;
        let (teller, told) = mpsc::channel(RECEIVED_EVENTS_MAX);
        let task = tokio::spawn(receive(subscription, teller));
        let mut live = Self { link: Arc::clone(link), session, told, task, fell_behind: false };
        let confirmed = timeout(CONFIRM_TIME_MAX, live.told.recv()).await;
        match confirmed.ok().flatten().unwrap_or(Err(Error::DeadlineExceeded)) {
            Ok(SubscriptionEvent::Confirmed(_)) => live.link.answered(),
            Ok(_) => return Err(live.failed(Error::InternalClientError)),
            Err(error) => return Err(live.failed(error)),
        }
        Ok(live)
    }

    /// Waits for something to come, and takes what came with it.
    async fn next_batch(
        &mut self,
        considered: Option<Position>,
        filter: &Filter,
    ) -> Result<Batch, LogError> {
        let mut batch = Batch { considered, ..Batch::default() };
        let mut next = self.told.recv().await;
        while let Some(told) = next.take() {
            let taken = told.and_then(|event| self.take(event, &mut batch, filter));
            taken.map_err(|error| self.failed(error))?;
            if !batch.is_full() {
                next = self.told.try_recv().ok();
            }
        }
        Ok(batch)
    }

    fn take(
        &mut self,
        told: SubscriptionEvent,
        batch: &mut Batch,
        filter: &Filter,
    ) -> Result<(), Error> {
        match told {
            SubscriptionEvent::EventAppeared(event) => batch.take(event, filter)?,
            SubscriptionEvent::FellBehind(_) => self.fell_behind = true,
            SubscriptionEvent::CaughtUp(_) => {
                batch.caught_up = std::mem::take(&mut self.fell_behind);
            }
            _ => {}
        }
        Ok(())
    }

    fn failed(&self, error: Error) -> LogError {
        let error = CallError::Client(error);
        if error.is_outage() {
            self.link.failed(&self.session, &error);
        }
        from_call(error)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The client's way to wait for the next event must not be interrupted, or it would subscribe
/// again: it has a task of its own.
async fn receive(
    mut subscription: eventstore::Subscription,
    teller: mpsc::Sender<Result<SubscriptionEvent, Error>>,
) {
    loop {
        let told = subscription.next_subscription_event().await;
        let ended = told.is_err();
        if teller.send(told).await.is_err() || ended {
            return;
        }
    }
}
