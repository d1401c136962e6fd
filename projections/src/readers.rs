//! Reader threads: each has its own read-only connection and keeps its statements prepared, so that
//! queries neither block the runtime nor fight over one connection.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{QueryError, generation};

/// More threads are slower: two cores are busy with two or three.
const READERS: usize = 3;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// The readers of one generation. Dropping it ends the threads after their current query.
#[derive(Debug)]
pub(crate) struct Readers {
    jobs: mpsc::Sender<Job>,
}

impl Readers {
    /// Opens the generation once per thread.
    pub(crate) fn open(path: &Path) -> Result<Self, QueryError> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..READERS {
            let connection = generation::open_reader(path)?;
            let queue = Arc::clone(&queue);
            let thread = thread::Builder::new().name(format!("views-reader-{number}"));
            thread.spawn(move || serve(&connection, &queue)).map_err(start_failed)?;
        }
        Ok(Self { jobs })
    }

    /// Runs a query on one of the threads.
    pub(crate) async fn query<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, QueryError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody waits any more: nobody needs the answer.
            if !answer.is_closed() {
                let _ = answer.send(query(connection));
            }
        });
        self.jobs.send(job).map_err(|_| QueryError::Closed)?;
        Ok(answered.await.map_err(|_| QueryError::Closed)??)
    }
}

fn start_failed(error: io::Error) -> QueryError {
    QueryError::Start(Arc::new(error))
}

fn serve(connection: &Connection, queue: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            // A query that panics ends itself, not the reader: its caller sees `Closed`.
            Ok(job) => {
                let run = std::panic::AssertUnwindSafe(|| job(connection));
                if std::panic::catch_unwind(run).is_err() {
                    tracing::error!("a query panicked");
                }
            }
            Err(mpsc::RecvError) => return,
        }
    }
}
