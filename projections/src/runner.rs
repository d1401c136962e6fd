//! The runner: follows the log and keeps the live read models up to date.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use accord_eventlog::{EventLog, Filter, LogError, Position, RecordedEvent, SubscriptionMessage};
use tokio::{sync::oneshot, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    BuildError, OpenError, QueryError, Views, event::decode, fold::Folder, generation,
    rebuild::rebuild_in,
};

/// Events folded within one transaction while following.
const BATCH_EVENTS_MAX: usize = 5_000;
/// A batch of this size tells that much is going on: the next one starts no earlier than
/// [`BUSY_PACE`] after it, so that a page that many events touch is written once. A reader with
/// `min_position` waits that much longer.
const BUSY_BATCH_EVENTS: usize = 256;
const BUSY_PACE: Duration = Duration::from_millis(150);
/// How often a swapped generation is looked for.
const SWAP_CHECK_EVERY: Duration = Duration::from_secs(1);
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// A running runner. There is one per data directory at most: the process that owns the log's
/// writing side has it. Dropping it stops it in the background; [`stop`](Self::stop) waits.
#[derive(Debug)]
pub struct Runner {
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Runner {
    /// Starts to follow the log. Where the read models are missing, or of another program version,
    /// they are built first; [`Views::status`] tells how far.
    pub fn start(log: Arc<dyn EventLog>, views: Arc<Views>) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(log, views, stop.clone()));
        Self { stop, task: Some(task) }
    }

    /// Finishes the batch at hand and stops.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            // A panic of the task was reported where it happened.
            let _ = task.await;
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Why following had to be interrupted; it is taken up again after a pause.
#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error("the event log failed")]
    Log(#[from] LogError),
    #[error("the read models cannot be stored")]
    Store(#[from] rusqlite::Error),
    #[error("the read models cannot be opened")]
    Open(#[from] OpenError),
    #[error("the read models cannot be served")]
    Serve(#[from] QueryError),
    #[error("the read models cannot be built")]
    Build(#[from] BuildError),
    #[error("the directory of the read models cannot be used")]
    Directory(#[from] io::Error),
    #[error("the folding thread ended unexpectedly")]
    Died,
}

/// Why following ended in good order.
enum Ended {
    Stopped,
    /// Another generation is live now.
    Swapped,
}

async fn run(log: Arc<dyn EventLog>, views: Arc<Views>, stop: CancellationToken) {
    let mut pause = BACKOFF_MIN;
    while !stop.is_cancelled() {
        let began = Instant::now();
        match follow(&*log, &views, &stop).await {
            Ok(Ended::Stopped) => return,
            Ok(Ended::Swapped) => pause = BACKOFF_MIN,
            Err(error) => {
                warn(&error);
                views.state().caught_up = false;
                if began.elapsed() > BACKOFF_MAX {
                    pause = BACKOFF_MIN;
                }
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = stop.cancelled() => return,
                }
                pause = (pause * 2).min(BACKOFF_MAX);
            }
        }
    }
}

fn warn(error: &FollowError) {
    let error: &dyn std::error::Error = error;
    tracing::warn!(error, "the read models do not follow the log; trying again");
}

/// Follows the log with the live generation until it is stopped, swapped or something fails.
async fn follow(
    log: &dyn EventLog,
    views: &Arc<Views>,
    stop: &CancellationToken,
) -> Result<Ended, FollowError> {
    let number = match views.usable()? {
        Some(number) => number,
        None => {
            if !build(log, views, stop).await? {
                return Ok(Ended::Stopped);
            }
            return Ok(Ended::Swapped);
        }
    };
    let worker = Worker::start(generation::file(views.directory(), number)).await?;
    let subscription = log.subscribe(worker.position, Filter::default()).await?;
    let mut following = Following { views, worker, number, served: false, waiting: Vec::new() };
    following.serve(following.worker.position)?;
    following.run(subscription, stop).await
}

/// Builds the first generation, or one for this program version; false when stopped.
async fn build(
    log: &dyn EventLog,
    views: &Arc<Views>,
    stop: &CancellationToken,
) -> Result<bool, FollowError> {
    let told = Arc::clone(views);
    let progress = move |progress| told.state().building = Some(progress);
    let rebuilt = rebuild_in(log, views.directory(), progress, stop).await?;
    Ok(matches!(rebuilt, crate::Rebuilt::Swapped { .. }))
}

/// Deletes generations that are no longer live. What cannot be deleted now is deleted another time.
fn delete_older(views: &Views, live: u64) {
    let numbers = generation::numbers(views.directory()).unwrap_or_default();
    for number in numbers.into_iter().filter(|number| *number < live) {
        if let Err(error) = generation::delete(&generation::file(views.directory(), number)) {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, number, "an old generation of read models cannot be deleted");
        }
    }
}

struct Following<'v> {
    views: &'v Views,
    worker: Worker,
    number: u64,
    /// Whether queries are answered from this generation already.
    served: bool,
    /// Received and not yet given to the worker.
    waiting: Vec<RecordedEvent>,
}

type Folding = oneshot::Receiver<rusqlite::Result<Folded>>;

impl Following<'_> {
    async fn run(
        mut self,
        mut subscription: accord_eventlog::Subscription,
        stop: &CancellationToken,
    ) -> Result<Ended, FollowError> {
        let mut folding: Option<Folding> = None;
        let mut swap_check = tokio::time::interval(SWAP_CHECK_EVERY);
        let mut next_fold = tokio::time::Instant::now();
        loop {
            let may_fold = folding.is_none() && !self.waiting.is_empty();
            if may_fold && next_fold <= tokio::time::Instant::now() {
                if self.waiting.len() >= BUSY_BATCH_EVENTS && self.views.state().caught_up {
                    next_fold = tokio::time::Instant::now() + BUSY_PACE;
                }
                folding = Some(self.worker.fold(std::mem::take(&mut self.waiting))?);
            }
            tokio::select! {
                () = tokio::time::sleep_until(next_fold), if may_fold && folding.is_none() => {}
                folded = finished(&mut folding) => {
                    folding = None;
                    self.tell(folded?)?;
                }
                message = subscription.next(), if self.waiting.len() < BATCH_EVENTS_MAX => {
                    self.receive(message?);
                }
                _ = swap_check.tick(), if folding.is_none() => {
                    if generation::current(self.views.directory())? != Some(self.number) {
                        return Ok(Ended::Swapped);
                    }
                }
                () = stop.cancelled() => {
                    if folding.is_some() {
                        self.tell(finished(&mut folding).await?)?;
                    }
                    self.worker.join().await;
                    return Ok(Ended::Stopped);
                }
            }
        }
    }

    fn receive(&mut self, message: SubscriptionMessage) {
        let mut state = self.views.state();
        match message {
            SubscriptionMessage::Events(events) => {
                let oldest = events.first().map(|event| event.created_micros);
                state.oldest_waiting_micros = state.oldest_waiting_micros.or(oldest);
                self.waiting.extend(events);
            }
            SubscriptionMessage::CaughtUp(_) => state.caught_up = true,
        }
    }

    /// Answers queries from this generation once it is where the one before was: nobody may be
    /// shown less than they were told was there.
    fn serve(&mut self, position: Option<Position>) -> Result<(), FollowError> {
        if position >= *self.views.positions().borrow() {
            self.views.serve(self.number)?;
            delete_older(self.views, self.number);
            self.served = true;
        }
        Ok(())
    }

    fn tell(&mut self, folded: Folded) -> Result<(), FollowError> {
        if !self.served {
            self.serve(folded.position)?;
        }
        if !self.served {
            return Ok(());
        }
        let mut state = self.views.state();
        state.folded = folded.folded;
        state.quarantined = folded.quarantined;
        state.oldest_waiting_micros = self.waiting.first().map(|event| event.created_micros);
        drop(state);
        self.views.publish(folded.position);
        Ok(())
    }
}

/// Waits for the fold at hand, for ever where there is none.
async fn finished(folding: &mut Option<Folding>) -> Result<Folded, FollowError> {
    match folding {
        Some(folding) => Ok(folding.await.map_err(|_| FollowError::Died)??),
        None => std::future::pending().await,
    }
}

/// Where the read models are after a batch.
struct Folded {
    position: Option<Position>,
    folded: u64,
    quarantined: u64,
}

struct Job {
    events: Vec<RecordedEvent>,
    done: oneshot::Sender<rusqlite::Result<Folded>>,
}

/// The thread that folds; it ends when the worker is dropped.
struct Worker {
    jobs: mpsc::Sender<Job>,
    position: Option<Position>,
    thread: thread::JoinHandle<()>,
}

impl Worker {
    async fn start(path: PathBuf) -> Result<Self, FollowError> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let (opened, start) = oneshot::channel();
        let thread = thread::Builder::new().name("views-writer".into()).spawn(move || {
            match generation::open_writer(&path).and_then(Folder::following) {
                Ok(folder) => {
                    // A worker that nobody waits for finds its queue closed.
                    let _ = opened.send(Ok(folder.position));
                    work(folder, &queue);
                }
                Err(error) => drop(opened.send(Err(error))),
            }
        })?;
        let position = start.await.map_err(|_| FollowError::Died)??;
        Ok(Self { jobs, position, thread })
    }

    fn fold(&self, events: Vec<RecordedEvent>) -> Result<Folding, FollowError> {
        let (done, folding) = oneshot::channel();
        self.jobs.send(Job { events, done }).map_err(|_| FollowError::Died)?;
        Ok(folding)
    }

    async fn join(self) {
        drop(self.jobs);
        // A panic of the thread was reported on its own.
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }
}

fn work(mut folder: Folder, queue: &mpsc::Receiver<Job>) {
    while let Ok(Job { events, done }) = queue.recv() {
        let decoded: Vec<_> = events.iter().map(decode).collect();
        let outcome = folder.fold(&decoded).map(|()| Folded {
            position: folder.position,
            folded: folder.folded,
            quarantined: folder.quarantined,
        });
        // Nobody waits any more: the checkpoint tells where to go on.
        let _ = done.send(outcome);
    }
}

#[cfg(test)]
mod tests;
