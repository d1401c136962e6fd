//! The contract suite against any server: `event-log-contract esdb://HOST:PORT?tls=false`.
//!
//! Runs every case over the adapter, prints `ok` or `FAILED` for each and a closing line, and exits
//! with 1 when one failed. The server needs nothing but to be there; the cases write streams of
//! their own (`case...`) and leave them. A login may stand in the environment
//! (`ACCORD_EVENT_LOG_USER`, `ACCORD_EVENT_LOG_PASSWORD`). A server that limits whole appends to
//! 1 MiB, as EventStoreDB does unless `--max-append-size` says otherwise, fails the case of the
//! largest event.

use std::{process::ExitCode, sync::Arc, time::Instant};

use accord_eventlog::{
    EventLog,
    contract::{Subject, cases},
};
use accord_eventlog_kurrentdb::{Address, KurrentLog};
use anyhow::Context;
use async_trait::async_trait;

struct Server(Address);

#[async_trait]
impl Subject for Server {
    async fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(KurrentLog::new(self.0.clone()))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let usage = "usage: event-log-contract esdb://HOST:PORT";
    let address = Address::parse(&std::env::args().nth(1).context(usage)?)?;
    let address = address.with_login_of_environment()?;
    let head = KurrentLog::new(address.clone()).head().await;
    head.with_context(|| format!("no event log answers at {address}"))?;
    let (cases, mut failed) = (cases(), 0);
    let all = cases.len();
    for case in cases {
        let (subject, began) = (Server(address.clone()), Instant::now());
        // In a task of its own, so that a failed case is told and does not end the others.
        let outcome = tokio::spawn(async move { (case.run)(&subject).await }).await;
        let verdict = if outcome.is_ok() { "ok    " } else { "FAILED" };
        failed += usize::from(outcome.is_err());
        println!("{verdict} {} ({} ms)", case.name, began.elapsed().as_millis());
    }
    println!("{} of {all} cases passed at {address}", all - failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
