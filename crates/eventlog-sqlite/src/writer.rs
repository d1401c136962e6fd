//! The writer thread: takes what waits in the queue, commits it as one transaction, then answers.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use accord_eventlog::{Appended, ExpectedRevision, LogError, NewEvent, RecordedEvent, StreamName};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc, oneshot};

use crate::{
    checkpointing::Checkpointer,
    error::{BatchFailed, from_io, from_sqlite, unavailable},
    locking::WriterLock,
    placing::{HEADS_MAX, Placing, Wish},
};

/// Room in the queue, in KiB; an append takes what its events take, and at least one.
const QUEUE_KIB_MAX: u32 = 16 * 1024;
/// How long an append waits for room before it is told that the log cannot keep up.
const QUEUE_WAIT_MAX: Duration = Duration::from_secs(10);
const BATCH_EVENTS_MAX: usize = 2048;
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Batches a subscription may be behind before it reads from disk again.
const LIVE_BATCHES_MAX: usize = 64;
/// A larger batch is not held in memory for subscriptions; they read it from disk.
const LIVE_BATCH_BYTES_MAX: usize = 256 * 1024;

/// What live subscriptions get after a commit; `None` stands for a batch too large to pass on.
pub(crate) type LiveBatch = Option<Arc<[RecordedEvent]>>;

struct Request {
    wish: Wish,
    bytes: usize,
    waiting: Waiting,
}

/// Whoever waits for an answer. Its room in the queue is free again once it has one.
struct Waiting {
    answer: oneshot::Sender<Outcome>,
    _room: OwnedSemaphorePermit,
}

type Outcome = Result<Appended, LogError>;

enum Job {
    Append(Request),
    Close,
}

/// The way to the writer thread. Dropping it waits until the writer has ended.
pub(crate) struct Writer {
    queue: mpsc::UnboundedSender<Job>,
    room: Arc<Semaphore>,
    live: broadcast::WeakSender<LiveBatch>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread, which holds the lock until it ends.
    pub(crate) fn start(
        connection: Connection,
        lock: WriterLock,
        checkpointer: Checkpointer,
    ) -> Result<Self, LogError> {
        let placing = Placing::load(&connection, HEADS_MAX).map_err(from_sqlite)?;
        let (queue, jobs) = mpsc::unbounded_channel();
        let (live, _) = broadcast::channel(LIVE_BATCHES_MAX);
        let weak_live = live.downgrade();
        let mut worker = Worker { connection, placing, jobs, live, checkpointer, now_micros: 0 };
        let thread = std::thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || {
                worker.run();
                worker.finish();
                // Only when the file is closed may the next writer come.
                drop(worker);
                drop(lock);
            })
            .map_err(from_io)?;
        Ok(Self {
            queue,
            room: Arc::new(Semaphore::new(QUEUE_KIB_MAX as usize)),
            live: weak_live,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Queues the append and waits for its commit.
    pub(crate) async fn append(
        &self,
        stream: StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, LogError> {
        let bytes = events.iter().map(|event| event.data.len() + event.metadata.len()).sum();
        let kib = u32::try_from(bytes / 1024).map_or(QUEUE_KIB_MAX, |kib| kib + 1);
        let room = Arc::clone(&self.room).acquire_many_owned(kib.min(QUEUE_KIB_MAX));
        let room = tokio::time::timeout(QUEUE_WAIT_MAX, room)
            .await
            .map_err(|_| unavailable("the queue of appends is full"))?
            .map_err(|_| unavailable(CLOSED))?;
        let (answer, outcome) = oneshot::channel();
        let wish = Wish { stream, expected, events };
        let request = Request { wish, bytes, waiting: Waiting { answer, _room: room } };
        self.queue.send(Job::Append(request)).map_err(|_| unavailable(CLOSED))?;
        outcome.await.unwrap_or_else(|_| Err(unavailable(CLOSED)))
    }

    /// Everything committed from now on; `None` once the log is closed.
    pub(crate) fn live(&self) -> Option<broadcast::Receiver<LiveBatch>> {
        self.live.upgrade().map(|live| live.subscribe())
    }

    /// Lets the writer finish what is queued. The handle is returned to whoever asks first.
    pub(crate) fn close(&self) -> Option<JoinHandle<()>> {
        // Fails only when the writer has already ended.
        let _ = self.queue.send(Job::Close);
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Why a closed log refuses.
pub(crate) const CLOSED: &str = "the log is closed";

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(thread) = self.close() {
            // A panic of the writer was reported on its own thread.
            let _ = thread.join();
        }
    }
}

/// What the thread owns.
struct Worker {
    connection: Connection,
    placing: Placing,
    jobs: mpsc::UnboundedReceiver<Job>,
    live: broadcast::Sender<LiveBatch>,
    checkpointer: Checkpointer,
    now_micros: i64,
}

impl Worker {
    fn run(&mut self) {
        while let Some(first) = self.jobs.blocking_recv() {
            let batch = self.collect(first);
            if batch.is_empty() {
                continue;
            }
            let bytes = batch.iter().map(|request| request.bytes).sum();
            self.commit(batch, bytes);
            self.checkpointer.after_commit(&self.connection, bytes);
        }
    }

    /// Everything that waits, up to the bounds of a batch. What waits when the log closes is still
    /// committed; what comes later is refused.
    fn collect(&mut self, first: Job) -> Vec<Request> {
        let mut batch = Vec::new();
        let (mut events, mut bytes) = (0, 0);
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Append(request) => {
                    events += request.wish.events.len();
                    bytes += request.bytes;
                    batch.push(request);
                }
                Job::Close => self.jobs.close(),
            }
            let full = events >= BATCH_EVENTS_MAX || bytes >= BATCH_BYTES_MAX;
            next = if full { None } else { self.jobs.try_recv().ok() };
        }
        batch
    }

    fn commit(&mut self, batch: Vec<Request>, bytes: usize) {
        let (wishes, waiting): (Vec<Wish>, Vec<Waiting>) =
            batch.into_iter().map(|request| (request.wish, request.waiting)).unzip();
        let mut recorded = Vec::new();
        let outcomes = match self.store(wishes, &mut recorded) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                tracing::error!(%error, appends = waiting.len(), "a batch was rolled back");
                recorded.clear();
                self.recover();
                let failed = BatchFailed(Arc::new(error));
                waiting.iter().map(|_| Err(failed.clone().into())).collect()
            }
        };
        for (waiting, outcome) in waiting.into_iter().zip(outcomes) {
            // Whoever no longer waits will ask again with the same ids.
            let _ = waiting.answer.send(outcome);
        }
        if !recorded.is_empty() && self.live.receiver_count() > 0 {
            let passed_on = bytes <= LIVE_BATCH_BYTES_MAX;
            let _ = self.live.send(passed_on.then(|| recorded.into()));
        }
    }

    /// One transaction. Refusals are found before anything is inserted, so that one append never
    /// spoils another; an error of SQLite rolls everything back.
    fn store(
        &mut self,
        wishes: Vec<Wish>,
        recorded: &mut Vec<RecordedEvent>,
    ) -> rusqlite::Result<Vec<Outcome>> {
        // The log's own clock never runs backwards.
        self.now_micros = self.now_micros.max(micros_since_epoch());
        let transaction =
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        let mut outcomes = Vec::with_capacity(wishes.len());
        for wish in wishes {
            outcomes.push(self.placing.place(&transaction, wish, self.now_micros, recorded)?);
        }
        transaction.commit()?;
        Ok(outcomes)
    }

    /// The transaction is rolled back; what was remembered of it must go too.
    fn recover(&mut self) {
        if let Err(error) = self.placing.forget(&self.connection) {
            // Without knowing where the log ends nothing can be appended: the writer ends, and
            // everybody is told that the log is unavailable.
            tracing::error!(%error, "the log cannot be read after a failure; no more appends");
            self.jobs.close();
            while self.jobs.try_recv().is_ok() {}
        }
    }

    fn finish(&mut self) {
        self.checkpointer.finish(&self.connection);
    }
}

fn micros_since_epoch() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bytes::Bytes;
    use uuid::Uuid;

    use super::*;
    use crate::{checkpointing::Bounds, schema::open_writer};

    fn worker(path: &Path) -> Worker {
        let connection = open_writer(path).unwrap();
        let placing = Placing::load(&connection, HEADS_MAX).unwrap();
        let checkpointer = Checkpointer::start(path, Bounds::default()).unwrap();
        let (live, _) = broadcast::channel(1);
        let (_, jobs) = mpsc::unbounded_channel();
        Worker { connection, placing, jobs, live, checkpointer, now_micros: 0 }
    }

    fn request(
        stream: &str,
        expected: ExpectedRevision,
        data_bytes: usize,
    ) -> (Request, oneshot::Receiver<Outcome>) {
        let (answer, outcome) = oneshot::channel();
        let room = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let event = NewEvent {
            id: Uuid::new_v4(),
            kind: "Written".into(),
            data: vec![0; data_bytes].into(),
            metadata: Bytes::new(),
        };
        let wish = Wish { stream: stream.parse().unwrap(), expected, events: vec![event] };
        (Request { wish, bytes: data_bytes, waiting: Waiting { answer, _room: room } }, outcome)
    }

    fn commit(
        worker: &mut Worker,
        requests: Vec<(Request, oneshot::Receiver<Outcome>)>,
    ) -> Vec<Outcome> {
        let (batch, outcomes): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
        worker.commit(batch, 0);
        outcomes.into_iter().map(|outcome| outcome.blocking_recv().unwrap()).collect()
    }

    #[test]
    fn a_refused_append_does_not_touch_its_neighbours_in_the_batch() {
        let directory = tempfile::tempdir().unwrap();
        let mut worker = worker(&directory.path().join("log.db"));

        let outcomes = commit(
            &mut worker,
            vec![
                request("a-1", ExpectedRevision::NoStream, 10),
                request("a-1", ExpectedRevision::Exact(5), 10),
                request("a-2", ExpectedRevision::StreamExists, 10),
                request("a-1", ExpectedRevision::Exact(0), 10),
                request("a-2", ExpectedRevision::NoStream, 10),
            ],
        );

        let positions: Vec<Option<u64>> =
            outcomes.iter().map(|o| o.as_ref().ok().map(|place| place.position.0)).collect();
        assert_eq!(positions, [Some(1), None, None, Some(2), Some(3)]);
        assert!(matches!(outcomes[1], Err(LogError::WrongExpectedVersion { actual: Some(0), .. })));
    }

    #[test]
    fn a_full_disk_fails_the_whole_batch_and_leaves_the_log_usable() {
        let directory = tempfile::tempdir().unwrap();
        let mut worker = worker(&directory.path().join("log.db"));
        commit(&mut worker, vec![request("a-1", ExpectedRevision::NoStream, 10)])
            .remove(0)
            .unwrap();

        worker.connection.pragma_update(None, "max_page_count", 40).unwrap();
        let outcomes = commit(
            &mut worker,
            vec![
                request("a-1", ExpectedRevision::Exact(0), 10),
                request("a-2", ExpectedRevision::NoStream, 500_000),
                request("a-3", ExpectedRevision::NoStream, 10),
            ],
        );
        assert_eq!(outcomes.len(), 3);
        for outcome in outcomes {
            assert!(matches!(outcome, Err(LogError::Unavailable(_))), "got {outcome:?}");
        }

        worker.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
        let outcomes = commit(
            &mut worker,
            vec![
                request("a-1", ExpectedRevision::Exact(0), 10),
                request("a-2", ExpectedRevision::NoStream, 500_000),
            ],
        );
        let positions: Vec<u64> =
            outcomes.into_iter().map(|outcome| outcome.unwrap().position.0).collect();
        assert_eq!(positions, [2, 3]);
    }

    #[test]
    fn a_batch_ends_at_its_bounds_and_the_rest_waits_for_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let mut worker = worker(&directory.path().join("log.db"));
        let (queue, jobs) = mpsc::unbounded_channel();
        worker.jobs = jobs;
        for _ in 0..10 {
            let (request, _) = request("a-1", ExpectedRevision::Any, BATCH_BYTES_MAX / 2);
            assert!(queue.send(Job::Append(request)).is_ok());
        }
        let first = worker.jobs.try_recv().ok().unwrap();
        assert_eq!(worker.collect(first).len(), 2);
        let first = worker.jobs.try_recv().ok().unwrap();
        assert_eq!(worker.collect(first).len(), 2);
    }
}
