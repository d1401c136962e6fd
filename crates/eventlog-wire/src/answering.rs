//! What a read answers: events and messages, in batches, to a reader who may be slow.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{SystemTime, UNIX_EPOCH};

use accord_eventlog::{LogError, Position, RecordedEvent};
use futures::Stream;
use serde::de::IgnoredAny;
use tokio::sync::mpsc;
use tonic::Status;
use uuid::Uuid;

use crate::{
    messages::{
        CaughtUp, Checkpoint, Confirmation, Content, NotFound, PositionPair, Property, ReadEvent,
        ReadReply, Recorded, StreamIdentifier, Timestamp, UuidForm, WireUuid,
    },
    refusals,
    wire::identifier,
};

/// Batches that wait for the reader while the next one is read; then reading stops.
const BATCHES_MAX: usize = 1;

/// Why a read ends early.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The reader went away.
    Gone,
    /// The reader is to be told.
    Failed(Status),
}

impl From<LogError> for Halt {
    fn from(error: LogError) -> Self {
        Self::Failed(refusals::failed(&error))
    }
}

impl From<Status> for Halt {
    fn from(status: Status) -> Self {
        Self::Failed(status)
    }
}

/// The reading side of an answer; a batch at a time comes in, a message at a time goes out.
pub(crate) struct Replies {
    batches: mpsc::Receiver<Result<Vec<ReadReply>, Status>>,
    batch: std::vec::IntoIter<ReadReply>,
}

impl Stream for Replies {
    type Item = Result<ReadReply, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(reply) = self.batch.next() {
                return Poll::Ready(Some(Ok(reply)));
            }
            match std::task::ready!(self.batches.poll_recv(context)) {
                Some(Ok(batch)) => self.batch = batch.into_iter(),
                Some(Err(status)) => return Poll::Ready(Some(Err(status))),
                None => return Poll::Ready(None),
            }
        }
    }
}

/// The writing side of an answer.
pub(crate) struct Answer {
    batches: mpsc::Sender<Result<Vec<ReadReply>, Status>>,
    batch: Vec<ReadReply>,
    structured_ids: bool,
}

impl Answer {
    /// Both sides of an answer.
    pub(crate) fn new(ids: Option<UuidForm>) -> (Self, Replies) {
        let (sender, batches) = mpsc::channel(BATCHES_MAX);
        let structured_ids = matches!(ids, Some(UuidForm::Structured(())));
        let answer = Self { batches: sender, batch: Vec::new(), structured_ids };
        (answer, Replies { batches, batch: Vec::new().into_iter() })
    }

    /// Adds an event to the next batch.
    pub(crate) fn event(&mut self, event: RecordedEvent) {
        let id = match self.structured_ids {
            true => WireUuid::structured(event.id),
            false => WireUuid::text(event.id),
        };
        let position = event.position.0;
        let recorded = Recorded {
            id: Some(id),
            stream: Some(identifier(&event.stream)),
            revision: event.revision,
            prepare: position,
            commit: position,
            properties: properties(&event),
            metadata: event.metadata,
            data: event.data,
        };
        let event = ReadEvent { event: Some(recorded), commit: Some(position) };
        self.add(Content::Event(event));
    }

    pub(crate) fn confirmation(&mut self) {
        let subscription_id = Uuid::new_v4().to_string();
        self.add(Content::Confirmation(Confirmation { subscription_id }));
    }

    pub(crate) fn checkpoint(&mut self, position: Position) {
        let PositionPair { commit, prepare } = PositionPair::new(position);
        self.add(Content::Checkpoint(Checkpoint { commit, prepare, at: Some(now()) }));
    }

    /// The whole log was delivered up to here.
    pub(crate) fn caught_up_at(&mut self, position: Option<Position>) {
        let position = position.map(PositionPair::new);
        self.add(Content::CaughtUp(CaughtUp { at: Some(now()), revision: None, position }));
    }

    /// A stream was delivered up to here.
    pub(crate) fn caught_up_with(&mut self, revision: Option<u64>) {
        let revision = revision.map(u64::cast_signed);
        self.add(Content::CaughtUp(CaughtUp { at: Some(now()), revision, position: None }));
    }

    pub(crate) fn not_found(&mut self, stream: StreamIdentifier) {
        self.add(Content::NotFound(NotFound { stream: Some(stream) }));
    }

    fn add(&mut self, content: Content) {
        self.batch.push(ReadReply { content: Some(content) });
    }

    /// Hands over what was added, as soon as the reader has room.
    pub(crate) async fn flush(&mut self) -> Result<(), Halt> {
        if self.batch.is_empty() {
            return if self.batches.is_closed() { Err(Halt::Gone) } else { Ok(()) };
        }
        let batch = std::mem::take(&mut self.batch);
        self.batches.send(Ok(batch)).await.map_err(|_| Halt::Gone)
    }

    /// Waits until the reader goes away.
    pub(crate) async fn gone(&self) {
        self.batches.closed().await;
    }

    /// Ends the answer, telling why where it ends early.
    pub(crate) async fn end(self, outcome: Result<(), Halt>) {
        if let Err(Halt::Failed(status)) = outcome {
            // Nobody listens any more: nobody needs the reason.
            let _ = self.batches.send(Err(status)).await;
        }
    }
}

/// Type, content type and time, which every event carries.
fn properties(event: &RecordedEvent) -> Vec<Property> {
    let property = |key: &str, value: String| Property { key: key.to_owned(), value };
    let content_type = if is_json(&event.data) { JSON } else { BYTES };
    vec![
        property("type", event.kind.to_string()),
        property("content-type", content_type.to_owned()),
        property("created", event.created_micros.saturating_mul(10).to_string()),
    ]
}

const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";

/// The log does not keep what the writer called the bytes. Clients parse what is called JSON, so
/// that it must be JSON; a number or a word alone is more often something else.
fn is_json(data: &[u8]) -> bool {
    matches!(data.trim_ascii_start().first(), Some(b'{' | b'['))
        && serde_json::from_slice::<IgnoredAny>(data).is_ok()
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp { seconds: since.as_secs().cast_signed(), nanos: since.subsec_nanos().cast_signed() }
}
