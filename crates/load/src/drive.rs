//! Many clients at once: each sends a request, waits for the answer, and sends the next one.
//!
//! The loop is closed: a slow server is asked less often. So a rate is what this many clients get,
//! and a latency is what each of them sees.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::latency::Latencies;
use crate::wire::{Answer, Connection, WireError};

/// Time for the last answers after the end; who has none by then is cut off.
const GRACE: Duration = Duration::from_secs(10);

/// Set once by Ctrl-C; whatever runs ends soon after.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Stops on Ctrl-C from now on.
    pub(crate) fn on_ctrl_c() -> Self {
        let stop = Self::default();
        let set = stop.clone();
        tokio::spawn(async move {
            // Without a handler Ctrl-C ends the process, which is what it should do then.
            if tokio::signal::ctrl_c().await.is_ok() {
                set.0.store(true, Ordering::Relaxed);
            }
        });
        stop
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What one client sends.
pub(crate) trait Source: Send + 'static {
    /// Replaces `request` by the next one and tells the row of the report that it belongs to;
    /// `None` ends the client.
    fn next(&mut self, request: &mut String) -> Option<usize>;

    /// Looks at a successful answer to the last request; an error ends the client.
    fn answered(&mut self, answer: &Answer<'_>) -> anyhow::Result<()>;

    /// Whether an answer that is no success is only counted, or ends the client.
    fn goes_on_after_refusal(&self) -> bool {
        true
    }
}

/// When requests are sent, and when they begin to count.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) warm_up: Duration,
    pub(crate) counted: Duration,
}

/// What came of it. Requests of the warm-up count in `statuses` only.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// By row; requests answered with success only.
    pub(crate) latencies: BTreeMap<usize, Latencies>,
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// What was not as it should be, in words; at most [`PROBLEMS_MAX`].
    pub(crate) problems: Vec<String>,
    pub(crate) elapsed: Duration,
}

const PROBLEMS_MAX: usize = 5;

impl Tally {
    pub(crate) fn problem(&mut self, problem: String) {
        if self.problems.len() < PROBLEMS_MAX && !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn merge(&mut self, other: Self) {
        for (row, latencies) in other.latencies {
            self.latencies.entry(row).or_default().merge(&latencies);
        }
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        other.problems.into_iter().for_each(|problem| self.problem(problem));
    }
}

/// Lets every source run on a connection of its own until the window ends, the source ends or
/// `stop` is set. Returns what was measured, and the sources that were not cut off.
pub(crate) async fn drive<S: Source>(
    address: SocketAddr,
    sources: Vec<S>,
    window: &Window,
    stop: &Stop,
) -> Result<(Tally, Vec<S>), WireError> {
    let mut connections = Vec::with_capacity(sources.len());
    for _ in &sources {
        connections.push(Connection::open(address).await?);
    }
    let begin = Instant::now();
    let counted_from = begin + window.warm_up;
    let until = counted_from + window.counted;
    let mut clients = JoinSet::new();
    for (source, connection) in sources.into_iter().zip(connections) {
        let stop = stop.clone();
        let client = Client { source, connection, tally: Tally::default() };
        clients.spawn(client.run(counted_from, until, stop));
    }
    let (mut tally, mut sources) = (Tally::default(), Vec::new());
    let cut_off = tokio::time::Instant::from_std(until + GRACE);
    while let Ok(Some(joined)) = tokio::time::timeout_at(cut_off, clients.join_next()).await {
        match joined {
            Ok((counts, source)) => {
                tally.merge(counts);
                sources.push(source);
            }
            Err(error) => tally.problem(format!("a client failed: {error}")),
        }
    }
    tally.elapsed = counted_from.elapsed().min(window.counted);
    if !clients.is_empty() {
        tally.problem(format!("{} clients got no answer in {GRACE:?}", clients.len()));
    }
    Ok((tally, sources))
}

struct Client<S> {
    source: S,
    connection: Connection,
    tally: Tally,
}

impl<S: Source> Client<S> {
    async fn run(mut self, counted_from: Instant, until: Instant, stop: Stop) -> (Tally, S) {
        let mut request = String::new();
        let mut begin = Instant::now();
        while begin < until && !stop.is_set() {
            let Some(row) = self.source.next(&mut request) else { break };
            let exchanged = self.connection.exchange(request.as_bytes()).await;
            let end = Instant::now();
            let answer = match exchanged {
                Ok(answer) => answer,
                Err(error) => {
                    self.tally.problem(chain(&error));
                    break;
                }
            };
            *self.tally.statuses.entry(answer.status).or_default() += 1;
            if !answer.is_success() {
                let problem = format!("status {}: {}", answer.status, answer.excerpt());
                self.tally.problem(problem);
                if !self.source.goes_on_after_refusal() {
                    break;
                }
            } else if let Err(error) = self.source.answered(&answer) {
                self.tally.problem(format!("{error:#}"));
                break;
            } else if end >= counted_from && end <= until {
                self.tally.latencies.entry(row).or_default().record(end - begin);
            }
            begin = end;
        }
        (self.tally, self.source)
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
