//! A data directory keeps to one event log: its read models and checkpoints count that log's
//! positions, and would silently be wrong over another one.
//!
//! `DIR/log.identity` names the log by its first event (id and hash) and that event's position. It
//! is written when the log holds its first event, and compared before anything else is asked of the
//! log: a log over the network may not be there yet when the server starts.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use accord_eventlog::{
    Appended, Direction, EventLog, ExpectedRevision, Filter, LogError, NewEvent, Position,
    RecordedEvent, StreamName, Subscription, event_hash,
};
use async_trait::async_trait;
use tokio::sync::Mutex;

/// The file's name in a data directory.
pub(crate) const FILE_NAME: &str = "log.identity";

/// The log of a data directory; any other one is refused.
pub(crate) struct OwnLog {
    log: Arc<dyn EventLog>,
    file: PathBuf,
    known: AtomicBool,
    /// Whether the operator has been told of a refusal.
    told: AtomicBool,
    /// One at a time compares and writes.
    comparing: Mutex<()>,
}

impl OwnLog {
    pub(crate) fn new(log: Arc<dyn EventLog>, data: &std::path::Path) -> Self {
        let file = data.join(FILE_NAME);
        let (known, told) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { log, file, known, told, comparing: Mutex::new(()) }
    }

    /// Compares once; an empty log is compared again until it holds an event.
    async fn check(&self) -> Result<(), LogError> {
        if self.known.load(Ordering::Acquire) {
            return Ok(());
        }
        let _alone = self.comparing.lock().await;
        if self.known.load(Ordering::Acquire) {
            return Ok(());
        }
        let first = self.log.read_all(Direction::Forward, None, &Filter::default(), 1).await?;
        let found = first.first().map(|event| {
            let identity = (event.id, &event.stream, event.revision);
            let hash = event_hash(identity, &event.kind, &event.data, &event.metadata);
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{} {} {hash}\n", event.position, event.id)
        });
        let known = match std::fs::read_to_string(&self.file) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(LogError::Unavailable(Box::new(error))),
        };
        match (found, known) {
            (None, None) => return Ok(()),
            (Some(found), None) => {
                self.write(&found).map_err(|e| LogError::Unavailable(e.into()))?
            }
            (Some(found), Some(known)) if found == known => {}
            _ => {
                let refusal = self.refusal();
                if !self.told.swap(true, Ordering::Relaxed) {
                    tracing::error!("{refusal}");
                }
                return Err(LogError::Corrupt(refusal));
            }
        }
        self.known.store(true, Ordering::Release);
        Ok(())
    }

    fn write(&self, identity: &str) -> io::Result<()> {
        let fresh = self.file.with_extension("new");
        std::fs::write(&fresh, identity)?;
        std::fs::rename(fresh, &self.file)
    }

    fn refusal(&self) -> String {
        format!(
            "{} names another event log than this one; read models and checkpoints of the \
             directory belong to that one: to go on with this one delete `views`, \
             `policies.position` and `{FILE_NAME}`",
            self.file.display()
        )
    }
}

#[async_trait]
impl EventLog for OwnLog {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, LogError> {
        self.check().await?;
        self.log.append(stream, expected, events).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        direction: Direction,
        from: Option<u64>,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        self.check().await?;
        self.log.read_stream(stream, direction, from, max).await
    }

    async fn read_all(
        &self,
        direction: Direction,
        from: Option<Position>,
        filter: &Filter,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        self.check().await?;
        self.log.read_all(direction, from, filter, max).await
    }

    async fn subscribe(
        &self,
        from: Option<Position>,
        filter: Filter,
    ) -> Result<Subscription, LogError> {
        self.check().await?;
        self.log.subscribe(from, filter).await
    }

    async fn head(&self) -> Result<Option<Position>, LogError> {
        self.check().await?;
        self.log.head().await
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use accord_eventlog_sqlite::SqliteEventLog;
    use uuid::Uuid;

    use super::*;

    fn log(folder: &Path) -> Arc<dyn EventLog> {
        Arc::new(SqliteEventLog::open(&folder.join("log.db")).unwrap())
    }

    async fn append(log: &dyn EventLog) -> Result<Appended, LogError> {
        let event = NewEvent {
            id: Uuid::now_v7(),
            kind: "Happened".into(),
            data: "{}".into(),
            metadata: "{}".into(),
        };
        log.append(&"thing-1".parse().unwrap(), ExpectedRevision::Any, vec![event]).await
    }

    #[tokio::test]
    async fn a_directory_goes_on_with_its_own_log() {
        let folder = tempfile::tempdir().unwrap();
        let inner = log(folder.path());
        let own = OwnLog::new(inner.clone(), folder.path());
        assert!(own.head().await.unwrap().is_none());
        append(&own).await.unwrap();
        assert!(own.head().await.unwrap().is_some());
        let again = OwnLog::new(inner, folder.path());
        append(&again).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn whoever_asks_at_the_same_time_is_not_refused() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let inner = log(folder.path());
            append(&*inner).await.unwrap();
            let own = Arc::new(OwnLog::new(inner, folder.path()));
            let asking = (0..16).map(|_| {
                let own = own.clone();
                tokio::spawn(async move { own.head().await.map(|_| ()) })
            });
            for asked in futures::future::join_all(asking).await {
                asked.unwrap().unwrap();
            }
        }
    }

    #[tokio::test]
    async fn another_log_is_refused_whether_it_holds_events_or_none() {
        let [folder, other, empty] = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let own = OwnLog::new(log(folder.path()), folder.path());
        append(&own).await.unwrap();
        own.head().await.unwrap();
        let foreign = log(other.path());
        append(&*foreign).await.unwrap();
        for log in [foreign, log(empty.path())] {
            let mixed = OwnLog::new(log, folder.path());
            let refused = append(&mixed).await.unwrap_err();
            assert!(refused.to_string().contains("delete `views`"), "{refused}");
            assert!(mixed.subscribe(None, Filter::default()).await.is_err());
        }
    }
}
