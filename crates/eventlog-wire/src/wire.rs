//! What all calls share: the log, what may be done with it, and the bounds.

use std::sync::Arc;

use accord_eventlog::{EventLog, StreamName};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tonic::Status;
use uuid::Uuid;

use crate::{
    messages::StreamIdentifier,
    refusals,
    setup::{Limits, Mode},
    standing::Standings,
};

/// One listener's state.
pub(crate) struct Wire {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) mode: Mode,
    pub(crate) standings: Standings,
    stop: watch::Receiver<bool>,
    /// This listener among the nodes of its one-node cluster.
    pub(crate) instance: Uuid,
    reads: Arc<Semaphore>,
    /// In KiB.
    uploads: Arc<Semaphore>,
}

impl Wire {
    pub(crate) fn new(
        log: Arc<dyn EventLog>,
        mode: Mode,
        limits: &Limits,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self {
            standings: Standings::new(Arc::clone(&log), mode == Mode::Full),
            log,
            mode,
            stop,
            instance: Uuid::new_v4(),
            reads: Arc::new(Semaphore::new(limits.reads_max)),
            uploads: Arc::new(Semaphore::new(limits.uploads_bytes_max / 1024)),
        }
    }

    /// Whether writes are let through.
    pub(crate) fn check_writable(&self) -> Result<(), Status> {
        match self.mode {
            Mode::Full => Ok(()),
            Mode::ReadOnly => Err(refusals::read_only()),
        }
    }

    /// Waits until the listener stops.
    pub(crate) async fn stopped(&self) {
        // Without a sender nobody can stop it any more, and then it has stopped.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }

    /// Room for one more read or subscription.
    pub(crate) fn admit_read(&self) -> Result<OwnedSemaphorePermit, Status> {
        let room = Arc::clone(&self.reads).try_acquire_owned();
        room.map_err(|_| Status::resource_exhausted("too many reads and subscriptions at a time"))
    }

    /// Room for one more event on its way into the log.
    pub(crate) fn admit_event(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Status> {
        let kib = u32::try_from(bytes / 1024).unwrap_or(u32::MAX - 1) + 1;
        let room = Arc::clone(&self.uploads).try_acquire_many_owned(kib);
        room.map_err(|_| Status::resource_exhausted("too many events on their way into the log"))
    }
}

/// The stream a request means.
pub(crate) fn stream_name(stream: Option<&StreamIdentifier>) -> Result<StreamName, Status> {
    let stream = stream.ok_or_else(|| Status::invalid_argument("no stream is named"))?;
    let name = std::str::from_utf8(&stream.name)
        .map_err(|_| Status::invalid_argument("the stream's name is not UTF-8"))?;
    StreamName::including_system(name).map_err(|error| Status::invalid_argument(error.to_string()))
}

/// A stream's name as an answer gives it.
pub(crate) fn identifier(stream: &StreamName) -> StreamIdentifier {
    StreamIdentifier { name: bytes::Bytes::copy_from_slice(stream.as_str().as_bytes()) }
}
