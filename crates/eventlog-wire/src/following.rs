//! Subscriptions: a confirmation, history, caught up, live events. They end with a reason, never
//! with success: a client whose subscription ends well asks again without a pause.

use accord_eventlog::{Direction, Filter, Position, StreamName, Subscription, SubscriptionMessage};
use tonic::Status;

use crate::{
    answering::{Answer, Halt},
    filtering::{Sieve, everything},
    messages::{AllFrom, StreamFrom},
    reading::{PageSize, Visible},
    refusals,
    standing::{TOMBSTONE_KIND, last_event},
    wire::Wire,
};

/// The whole log, strictly after a position.
pub(crate) async fn follow_all(
    wire: &Wire,
    answer: &mut Answer,
    from: AllFrom,
    mut sieve: Option<Sieve>,
) -> Result<(), Halt> {
    let from = match from {
        AllFrom::Start(()) => None,
        // Clients also write the end as the largest number.
        AllFrom::Position(position) if position.commit < u64::MAX => {
            Some(Position(position.commit))
        }
        AllFrom::Position(_) | AllFrom::End(()) => {
            let last = wire.log.read_all(Direction::Backward, None, &everything(), 1).await?;
            last.first().map(|event| event.position)
        }
    };
    answer.confirmation();
    answer.flush().await?;
    // Unfiltered: checkpoints count the events that do not pass, too.
    let mut subscription = wire.log.subscribe(from, everything()).await?;
    let mut considered = 0;
    loop {
        match next(wire, answer, &mut subscription).await? {
            SubscriptionMessage::Events(events) => {
                for event in events {
                    let position = event.position;
                    let Some(sieve) = &mut sieve else {
                        answer.event(event);
                        continue;
                    };
                    // A regular expression may take its time; others run meanwhile.
                    tokio::task::coop::consume_budget().await;
                    if sieve.passes(&event)? {
                        answer.event(event);
                    }
                    considered += 1;
                    if considered >= sieve.checkpoint_every {
                        answer.checkpoint(position);
                        considered = 0;
                    }
                }
            }
            SubscriptionMessage::CaughtUp(position) => {
                if let (Some(_), Some(position)) = (&sieve, position) {
                    answer.checkpoint(position);
                    considered = 0;
                }
                answer.caught_up_at(position);
            }
        }
        answer.flush().await?;
    }
}

/// One stream, strictly after a revision; it need not exist yet.
pub(crate) async fn follow_stream(
    wire: &Wire,
    answer: &mut Answer,
    stream: &StreamName,
    from: StreamFrom,
) -> Result<(), Halt> {
    // Looked at first: whatever the history does not show is after this position.
    let head = wire.log.head().await?;
    let visible = Visible::of(wire, stream).await?;
    let mut seen = match from {
        StreamFrom::Start(()) => None,
        StreamFrom::Revision(revision) => Some(revision),
        StreamFrom::End(()) => last_event(&*wire.log, stream).await?.map(|event| event.revision),
    };
    answer.confirmation();
    answer.flush().await?;
    if let (Some(visible), false) = (visible, matches!(from, StreamFrom::End(()))) {
        history(wire, answer, (stream, &visible), &mut seen).await?;
    }
    let filter = Filter { stream_prefixes: vec![stream.to_string()], ..everything() };
    let mut subscription = wire.log.subscribe(head, filter).await?;
    loop {
        match next(wire, answer, &mut subscription).await? {
            SubscriptionMessage::Events(events) => {
                for event in events {
                    if event.stream != *stream || seen.is_some_and(|seen| event.revision <= seen) {
                        continue;
                    }
                    if &*event.kind == TOMBSTONE_KIND {
                        answer.flush().await?;
                        return Err(refusals::deleted(stream).into());
                    }
                    seen = Some(event.revision);
                    answer.event(event);
                }
            }
            SubscriptionMessage::CaughtUp(_) => answer.caught_up_with(seen),
        }
        answer.flush().await?;
    }
}

/// What a stream holds already; `seen` moves along.
async fn history(
    wire: &Wire,
    answer: &mut Answer,
    (stream, visible): (&StreamName, &Visible),
    seen: &mut Option<u64>,
) -> Result<(), Halt> {
    let mut size = PageSize::first();
    loop {
        let from = seen.map_or(0, |seen| seen.saturating_add(1)).max(visible.lowest());
        let max = size.events(u64::MAX);
        let page = wire.log.read_stream(stream, Direction::Forward, Some(from), max).await?;
        size.learn(&page);
        let ended = page.len() < max;
        for event in page {
            *seen = Some(event.revision);
            if visible.shows(&event) {
                answer.event(event);
            }
        }
        answer.flush().await?;
        if ended {
            return Ok(());
        }
    }
}

/// The next message, unless the client goes away or the listener stops meanwhile.
async fn next(
    wire: &Wire,
    answer: &Answer,
    subscription: &mut Subscription,
) -> Result<SubscriptionMessage, Halt> {
    tokio::select! {
        message = subscription.next() => message.map_err(Halt::from),
        () = answer.gone() => Err(Halt::Gone),
        () = wire.stopped() => Err(Status::unavailable("the server is stopping").into()),
    }
}
