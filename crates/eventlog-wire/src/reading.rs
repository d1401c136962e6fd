//! `Read`: what a request asks for, and the reads that end. Those that go on are in `following`.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use accord_eventlog::{Direction, Filter, Position, RecordedEvent, StreamName};
use tonic::{Request, Response, Status};

use crate::{
    answering::{Answer, Halt, Replies},
    filtering::{Sieve, everything},
    following,
    messages::{
        AllFrom, CountOption, FilterOption, ReadOptions, ReadRequest, StreamFrom, StreamOption,
    },
    refusals,
    standing::{Standing, TOMBSTONE_KIND, last_event},
    wire::{Wire, identifier, stream_name},
};

/// What a request asks for.
pub(crate) enum Plan {
    Stream { stream: StreamName, direction: Direction, from: StreamFrom, count: u64 },
    All { direction: Direction, from: AllFrom, count: u64, sieve: Option<Sieve> },
    FollowStream { stream: StreamName, from: StreamFrom },
    FollowAll { from: AllFrom, sieve: Option<Sieve> },
}

impl Plan {
    fn new(options: ReadOptions) -> Result<Self, Status> {
        let direction = match options.direction {
            0 => Direction::Forward,
            1 => Direction::Backward,
            _ => return Err(Status::invalid_argument("the direction is unknown")),
        };
        let sieve = match options.filter {
            Some(FilterOption::Filter(filter)) => Some(Sieve::new(filter)?),
            Some(FilterOption::None(())) | None => None,
        };
        let count = options.count;
        let count =
            count.ok_or_else(|| Status::invalid_argument("neither count nor subscription"))?;
        match options.stream {
            Some(StreamOption::Stream(options)) => {
                let stream = stream_name(options.stream.as_ref())?;
                let from = options.from.unwrap_or(StreamFrom::Start(()));
                Ok(match count {
                    CountOption::Count(count) => Self::Stream { stream, direction, from, count },
                    CountOption::Subscription(()) => Self::FollowStream { stream, from },
                })
            }
            Some(StreamOption::All(options)) => {
                let from = options.from.unwrap_or(AllFrom::Start(()));
                Ok(match count {
                    CountOption::Count(count) => Self::All { direction, from, count, sieve },
                    CountOption::Subscription(()) => Self::FollowAll { from, sieve },
                })
            }
            None => Err(Status::invalid_argument("neither a stream nor the whole log is named")),
        }
    }
}

/// Answers at once; the reading goes on behind it.
pub(crate) fn read(
    wire: Arc<Wire>,
    request: Request<ReadRequest>,
) -> Result<Response<Replies>, Status> {
    let options = request.into_inner().options;
    let options = options.ok_or_else(|| Status::invalid_argument("the request has no options"))?;
    let ids = options.uuid.as_ref().and_then(|uuid| uuid.form);
    let plan = Plan::new(options)?;
    let room = wire.admit_read()?;
    let (mut answer, replies) = Answer::new(ids);
    tokio::spawn(async move {
        let _room = room;
        let outcome = match plan {
            Plan::Stream { stream, direction, from, count } => {
                read_stream(&wire, &mut answer, (&stream, direction, from), count).await
            }
            Plan::All { direction, from, count, sieve } => {
                read_all(&wire, &mut answer, (direction, from, sieve), count).await
            }
            Plan::FollowStream { stream, from } => {
                following::follow_stream(&wire, &mut answer, &stream, from).await
            }
            Plan::FollowAll { from, sieve } => {
                following::follow_all(&wire, &mut answer, from, sieve).await
            }
        };
        answer.end(outcome).await;
    });
    Ok(Response::new(replies))
}

/// How many events are read at a time: more while they are small, fewer when they are large, since
/// the log counts a page in events and memory is counted in bytes.
pub(crate) struct PageSize {
    events: usize,
}

const PAGE_EVENTS_MIN: usize = 16;
const PAGE_EVENTS_FIRST: usize = 128;
const PAGE_EVENTS_MAX: usize = 1024;
const PAGE_BYTES_LOW: usize = 256 * 1024;
const PAGE_BYTES_HIGH: usize = 1024 * 1024;

impl PageSize {
    pub(crate) fn first() -> Self {
        Self { events: PAGE_EVENTS_FIRST }
    }

    /// Events of the next page, of which at most `left` are wanted.
    pub(crate) fn events(&self, left: u64) -> usize {
        usize::try_from(left).map_or(self.events, |left| left.min(self.events))
    }

    pub(crate) fn learn(&mut self, page: &[RecordedEvent]) {
        let bytes: usize = page.iter().map(|event| event.data.len() + event.metadata.len()).sum();
        if bytes > PAGE_BYTES_HIGH {
            self.events = (self.events / 2).max(PAGE_EVENTS_MIN);
        } else if bytes < PAGE_BYTES_LOW && page.len() >= self.events {
            self.events = (self.events * 2).min(PAGE_EVENTS_MAX);
        }
    }
}

/// What of a stream may be seen, as of now.
pub(crate) struct Visible {
    lowest: u64,
    created_micros_min: Option<i64>,
}

impl Visible {
    /// `None` where the stream does not exist, or is deleted.
    pub(crate) async fn of(wire: &Wire, stream: &StreamName) -> Result<Option<Self>, Halt> {
        let standing = wire.standings.share(stream).await.standing(stream).await?;
        if standing.tombstoned {
            return Err(refusals::deleted(stream).into());
        }
        if standing.is_deleted() {
            return Ok(None);
        }
        if standing == Standing::default() {
            return Ok(Some(Self { lowest: 0, created_micros_min: None }));
        }
        let Some(last) = last_event(&*wire.log, stream).await? else { return Ok(None) };
        let created_micros_min = standing.max_age_seconds.map(|seconds| {
            let age_micros = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000);
            now_micros().saturating_sub(age_micros)
        });
        Ok(Some(Self { lowest: standing.lowest(last.revision), created_micros_min }))
    }

    pub(crate) fn lowest(&self) -> u64 {
        self.lowest
    }

    /// Whether an event, from the lowest revision on, is young enough.
    pub(crate) fn shows(&self, event: &RecordedEvent) -> bool {
        event.revision >= self.lowest
            && self.created_micros_min.is_none_or(|min| event.created_micros >= min)
    }
}

fn now_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

async fn read_stream(
    wire: &Wire,
    answer: &mut Answer,
    (stream, direction, from): (&StreamName, Direction, StreamFrom),
    count: u64,
) -> Result<(), Halt> {
    let Some(visible) = Visible::of(wire, stream).await? else {
        answer.not_found(identifier(stream));
        return answer.flush().await;
    };
    let mut next = match (direction, from) {
        (Direction::Forward, StreamFrom::Start(())) => Some(visible.lowest()),
        (Direction::Forward, StreamFrom::Revision(from)) => Some(from.max(visible.lowest())),
        // Past the end there is nothing.
        (Direction::Forward, StreamFrom::End(())) => Some(u64::MAX),
        (Direction::Backward, StreamFrom::Start(())) => Some(0),
        (Direction::Backward, StreamFrom::Revision(from)) => Some(from),
        (Direction::Backward, StreamFrom::End(())) => None,
    };
    let (mut left, mut size, mut found) = (count, PageSize::first(), false);
    while left > 0 {
        let max = size.events(left);
        let page = wire.log.read_stream(stream, direction, next, max).await?;
        size.learn(&page);
        let ended = page.len() < max;
        let after = page.last().map(|event| event.revision);
        found |= after.is_some();
        for event in page {
            if left == 0 {
                break;
            }
            if &*event.kind == TOMBSTONE_KIND {
                return Err(refusals::deleted(stream).into());
            }
            if visible.shows(&event) {
                answer.event(event);
                left -= 1;
            }
        }
        answer.flush().await?;
        next = match (direction, after) {
            (Direction::Forward, Some(after)) => Some(after + 1),
            (Direction::Backward, Some(after)) if after > visible.lowest() => Some(after - 1),
            _ => break,
        };
        if ended {
            break;
        }
    }
    if !found && last_event(&*wire.log, stream).await?.is_none() {
        answer.not_found(identifier(stream));
    }
    answer.flush().await
}

async fn read_all(
    wire: &Wire,
    answer: &mut Answer,
    (direction, from, mut sieve): (Direction, AllFrom, Option<Sieve>),
    count: u64,
) -> Result<(), Halt> {
    let filter: Filter = sieve.as_ref().map_or_else(everything, Sieve::pushed_down);
    let mut from = match (direction, from) {
        (Direction::Forward, AllFrom::Start(())) | (Direction::Backward, AllFrom::End(())) => None,
        (Direction::Forward, AllFrom::End(())) | (Direction::Backward, AllFrom::Start(())) => {
            return Ok(());
        }
        // The log reads strictly after a position; clients mean the position itself too.
        (Direction::Forward, AllFrom::Position(position)) => {
            position.commit.checked_sub(1).map(Position)
        }
        (Direction::Backward, AllFrom::Position(position)) => Some(Position(position.commit)),
    };
    let (mut left, mut size) = (count, PageSize::first());
    while left > 0 {
        let max = if sieve.is_some() { size.events(u64::MAX) } else { size.events(left) };
        let page = wire.log.read_all(direction, from, &filter, max).await?;
        size.learn(&page);
        let ended = page.len() < max;
        from = page.last().map(|event| event.position);
        for event in page {
            let passes = match &mut sieve {
                Some(sieve) => {
                    // A regular expression may take its time; others run meanwhile.
                    tokio::task::coop::consume_budget().await;
                    sieve.passes(&event)?
                }
                None => true,
            };
            if passes && left > 0 {
                answer.event(event);
                left -= 1;
            }
        }
        answer.flush().await?;
        if ended {
            break;
        }
    }
    Ok(())
}
