//! `BatchAppend`: many appends over one call, each in parts, answered as they are done.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use accord_eventlog::{ExpectedRevision, StreamName};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};
use uuid::Uuid;

use crate::{
    appending::{APPEND_BYTES_MAX, Events, Wish, expected_revision},
    messages::{
        Any, BatchOptions, BatchReply, BatchRequest, BatchResult, ConflictDetail, Deadline,
        ErrorStatus, Span, StreamDeletedDetail, Timestamp, TooLargeDetail, WireUuid,
    },
    refusals::Refusal,
    wire::{Wire, identifier, stream_name},
};

/// Appends of one call that run at a time.
const RUNNING_MAX: usize = 64;
/// Appends of one call whose last part has not come yet, and what they may hold together.
const OPEN_MAX: usize = 64;
const OPEN_BYTES_MAX: usize = 2 * APPEND_BYTES_MAX;
/// Answers that wait for the client; then no more appends are taken.
const REPLIES_MAX: usize = 64;
/// Clients send deadlines of centuries, and of moments long past.
const DEADLINE_MIN: Duration = Duration::from_secs(1);
const DEADLINE_MAX: Duration = Duration::from_secs(60);

pub(crate) type Replies = ReceiverStream<Result<BatchReply, Status>>;

/// Answers at once; the appends go on behind it.
pub(crate) fn batch_append(
    wire: Arc<Wire>,
    request: Request<Streaming<BatchRequest>>,
) -> Result<Response<Replies>, Status> {
    wire.check_writable()?;
    let (out, replies) = mpsc::channel(REPLIES_MAX);
    let call = Call {
        wire,
        out,
        open: HashMap::new(),
        running: FuturesUnordered::new(),
        busy: HashSet::new(),
    };
    tokio::spawn(call.run(request.into_inner()));
    Ok(Response::new(ReceiverStream::new(replies)))
}

/// An append whose parts are still coming.
struct Open {
    stream: StreamName,
    expected: ExpectedRevision,
    time_max: Duration,
    events: Events,
    /// What was wrong with an earlier part; told when the last one has come.
    refusal: Option<Refusal>,
}

struct Done {
    stream: StreamName,
    reply: Result<BatchReply, Status>,
}

struct Call {
    wire: Arc<Wire>,
    out: mpsc::Sender<Result<BatchReply, Status>>,
    open: HashMap<Uuid, Open>,
    running: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Streams that are being appended to. The next append to one of them waits, so that appends to
    /// one stream happen in the order of their coming.
    busy: HashSet<StreamName>,
}

impl Call {
    async fn run(mut self, mut requests: Streaming<BatchRequest>) {
        let outcome = self.serve(&mut requests).await;
        if let Err(Some(status)) = outcome {
            // Whoever went away needs no reason.
            let _ = self.out.send(Err(status)).await;
        }
    }

    /// Ends with a status to tell, or with none when the client went away.
    async fn serve(
        &mut self,
        requests: &mut Streaming<BatchRequest>,
    ) -> Result<(), Option<Status>> {
        let wire = Arc::clone(&self.wire);
        let mut stopped = pin!(wire.stopped());
        loop {
            let may_take = self.running.len() < RUNNING_MAX;
            tokio::select! {
                Some(done) = self.running.next(), if !self.running.is_empty() => {
                    self.reply(done).await?;
                }
                message = requests.message(), if may_take => match message {
                    Ok(Some(part)) => self.take(part).await?,
                    Ok(None) => break,
                    // The connection is gone; there is nobody to tell.
                    Err(_) => return Err(None),
                },
                () = &mut stopped => {
                    self.finish().await?;
                    return Err(Some(Status::unavailable("the server is stopping")));
                }
            }
        }
        self.finish().await
    }

    async fn finish(&mut self) -> Result<(), Option<Status>> {
        while let Some(done) = self.running.next().await {
            self.reply(done).await?;
        }
        Ok(())
    }

    async fn reply(&mut self, done: Done) -> Result<(), Option<Status>> {
        self.busy.remove(&done.stream);
        let reply = done.reply.map_err(Some)?;
        self.out.send(Ok(reply)).await.map_err(|_| None)
    }

    /// One part of an append.
    async fn take(&mut self, part: BatchRequest) -> Result<(), Option<Status>> {
        let invalid = |reason: &str| Some(Status::invalid_argument(reason.to_owned()));
        let id = part.correlation.as_ref().and_then(WireUuid::id);
        let id = id.ok_or_else(|| invalid("a batch has no correlation id"))?;
        let mut open = match (self.open.remove(&id), part.options) {
            (Some(open), _) => open,
            (None, Some(options)) => Open::new(&options).map_err(Some)?,
            (None, None) => return Err(invalid("the first part of a batch has no options")),
        };
        for proposed in part.proposed {
            if open.refusal.is_none() {
                open.refusal = open.events.add(&self.wire, proposed).err();
            }
        }
        if part.complete {
            while self.busy.contains(&open.stream) {
                let Some(done) = self.running.next().await else { break };
                self.reply(done).await?;
            }
            self.busy.insert(open.stream.clone());
            let running = run(Arc::clone(&self.wire), id, open).boxed();
            self.running.push(running);
            return Ok(());
        }
        self.open.insert(id, open);
        let bytes: usize = self.open.values().map(|open| open.events.bytes).sum();
        if self.open.len() > OPEN_MAX || bytes > OPEN_BYTES_MAX {
            return Err(Some(Status::resource_exhausted("too many unfinished batches")));
        }
        Ok(())
    }
}

impl Open {
    fn new(options: &BatchOptions) -> Result<Self, Status> {
        Ok(Self {
            stream: stream_name(options.stream.as_ref())?,
            expected: expected_revision(options.expected)?,
            time_max: time_max(options.deadline, SystemTime::now()),
            events: Events::default(),
            refusal: None,
        })
    }
}

/// How long the client waits, within reason.
fn time_max(deadline: Option<Deadline>, now: SystemTime) -> Duration {
    let asked = match deadline {
        None => None,
        Some(Deadline::Within(within)) => length(within),
        Some(Deadline::At(Timestamp { seconds, nanos })) => {
            let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
            length(Span { seconds, nanos }).map(|at| at.saturating_sub(now))
        }
    };
    asked.unwrap_or(DEADLINE_MAX).clamp(DEADLINE_MIN, DEADLINE_MAX)
}

/// `None` where it is negative, or no length at all.
fn length(span: Span) -> Option<Duration> {
    let (seconds, nanos) = (u64::try_from(span.seconds).ok()?, u32::try_from(span.nanos).ok()?);
    Some(Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanos.into())))
}

async fn run(wire: Arc<Wire>, id: Uuid, open: Open) -> Done {
    let Open { stream, expected, time_max, events, refusal } = open;
    let Events { all, room: _room, .. } = events;
    let wish = Wish { stream: stream.clone(), expected, events: all };
    let outcome = match refusal {
        Some(refusal) => Err(Some(refusal)),
        None => match tokio::time::timeout(time_max, wire.append(wish)).await {
            Ok(outcome) => outcome.map_err(Some),
            // It may still happen; the client tries again with the same event ids.
            Err(_) => Err(None),
        },
    };
    let result = match outcome {
        Ok(landed) => Ok(BatchResult::Success(landed.into())),
        Err(None) => Ok(error(Code::DeadlineExceeded, "Timeout", "Timeout", &())),
        Err(Some(refusal)) => refused(refusal, &stream),
    };
    let is = |other: ExpectedRevision| (expected == other).then_some(());
    let reply = result.map(|result| BatchReply {
        correlation: Some(WireUuid::text(id)),
        result: Some(result),
        stream: Some(identifier(&stream)),
        expected_revision: exact(expected),
        expected_no_stream: is(ExpectedRevision::NoStream),
        expected_any: is(ExpectedRevision::Any),
        expected_stream_exists: is(ExpectedRevision::StreamExists),
    });
    Done { stream, reply }
}

fn exact(expected: ExpectedRevision) -> Option<u64> {
    match expected {
        ExpectedRevision::Exact(revision) => Some(revision),
        _ => None,
    }
}

/// What one append's refusal says; a failing log ends the whole call.
fn refused(refusal: Refusal, stream: &StreamName) -> Result<BatchResult, Status> {
    match refusal {
        Refusal::Conflict { expected, current } => {
            let is = |other: ExpectedRevision| (expected == other).then_some(());
            let detail = ConflictDetail {
                current_revision: current,
                current_no_stream: current.is_none().then_some(()),
                expected_revision: exact(expected),
                expected_any: is(ExpectedRevision::Any),
                expected_stream_exists: is(ExpectedRevision::StreamExists),
                expected_no_stream: is(ExpectedRevision::NoStream),
            };
            let name = "WrongExpectedVersion";
            Ok(error(Code::AlreadyExists, name, name, &detail))
        }
        Refusal::Deleted => {
            let detail = StreamDeletedDetail { stream: Some(identifier(stream)) };
            Ok(error(Code::NotFound, "StreamDeleted", "StreamDeleted", &detail))
        }
        Refusal::TooLarge { bytes_max } => {
            let detail = TooLargeDetail { bytes_max: u32::try_from(bytes_max).unwrap_or(u32::MAX) };
            let name = "MaximumAppendSizeExceeded";
            Ok(error(Code::InvalidArgument, name, name, &detail))
        }
        Refusal::Other(status) => Err(status),
    }
}

fn error(code: Code, name: &str, message: &str, detail: &impl prost::Message) -> BatchResult {
    let detail = Some(Any::pack(name, detail));
    BatchResult::Error(ErrorStatus { code: code.into(), message: message.to_owned(), detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_deadlines_are_brought_within_reason() {
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let within = |seconds| time_max(Some(Deadline::Within(Span { seconds, nanos: 0 })), now);
        assert_eq!(within(315_576_000_000), DEADLINE_MAX);
        assert_eq!(within(i64::MAX), DEADLINE_MAX);
        assert_eq!(within(0), DEADLINE_MIN);
        assert_eq!(within(-5), DEADLINE_MAX);
        assert_eq!(within(7), Duration::from_secs(7));
        let at = |seconds| time_max(Some(Deadline::At(Timestamp { seconds, nanos: 0 })), now);
        assert_eq!(at(0), DEADLINE_MIN);
        assert_eq!(at(1_700_000_009), Duration::from_secs(9));
        assert_eq!(time_max(None, now), DEADLINE_MAX);
    }
}
