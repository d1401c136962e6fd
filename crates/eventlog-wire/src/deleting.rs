//! Deletes, which an append takes back, and tombstones, which are final.

use std::sync::Arc;

use accord_eventlog::{Appended, ExpectedRevision, NewEvent, StreamName};
use bytes::Bytes;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{
    appending::{check_expected, expected_revision},
    messages::{ChangeReply, ChangeRequest, PositionPair},
    refusals::Refusal,
    standing::{DELETED_BEFORE, Standing, TOMBSTONE_KIND, last_event},
    wire::{Wire, stream_name},
};

/// How a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Its events go out of sight until something is appended.
    Delete,
    /// For good.
    Tombstone,
}

/// `Delete` and `Tombstone`.
pub(crate) async fn end(
    wire: Arc<Wire>,
    end: End,
    request: Request<ChangeRequest>,
) -> Result<Response<ChangeReply>, Status> {
    wire.check_writable()?;
    let target = request.into_inner().target;
    let target = target.ok_or_else(|| Status::invalid_argument("no stream is named"))?;
    let (stream, expected) =
        (stream_name(target.stream.as_ref())?, expected_revision(target.expected)?);
    if stream.described().is_some() {
        return Err(Status::invalid_argument("a stream's metadata ends with the stream"));
    }
    let (name, shared) = (stream.clone(), Arc::clone(&wire));
    // Runs to its end even when the client goes away, see `append_alone`.
    let task = tokio::spawn(async move {
        let gate = shared.standings.hold(&name).await;
        let standing = gate.standing(&name).await?;
        let outcome = shared.end_stream(&name, standing, expected, end).await;
        gate.forget(&name);
        outcome
    });
    let ended = task.await.unwrap_or_else(|_| Err(Status::internal("the call failed").into()));
    let appended = ended.map_err(|refusal| refusal.into_status(&stream))?;
    Ok(Response::new(ChangeReply { position: Some(PositionPair::new(appended.position)) }))
}

impl Wire {
    async fn end_stream(
        &self,
        stream: &StreamName,
        standing: Standing,
        expected: ExpectedRevision,
        end: End,
    ) -> Result<Appended, Refusal> {
        if standing.tombstoned {
            return Err(Refusal::Deleted);
        }
        let last = last_event(&*self.log, stream).await?.map(|event| event.revision);
        match expected {
            ExpectedRevision::StreamExists if standing.is_deleted() => {
                return Err(Refusal::Deleted);
            }
            // Whoever deletes a deleted stream has the wish fulfilled.
            ExpectedRevision::NoStream if standing.is_deleted() => {}
            expected => check_expected(expected, last)?,
        }
        match end {
            End::Delete => self.truncate(stream, DELETED_BEFORE).await,
            End::Tombstone => self.bury(stream, last).await,
        }
    }

    async fn bury(&self, stream: &StreamName, last: Option<u64>) -> Result<Appended, Refusal> {
        let at_end = last.map_or(ExpectedRevision::NoStream, ExpectedRevision::Exact);
        let event = NewEvent {
            id: Uuid::now_v7(),
            kind: TOMBSTONE_KIND.into(),
            data: Bytes::new(),
            metadata: Bytes::new(),
        };
        Ok(self.log.append(stream, at_end, vec![event]).await?)
    }
}
