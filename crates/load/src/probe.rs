//! What this machine can do at all, measured in the same run: one durable append after the other,
//! and a bare HTTP server that echoes JSON to the same clients.

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::{Json, Router, routing::post};
use serde_json::Value;

use crate::bodies;
use crate::drive::{Source, Stop, Tally, Window, drive};
use crate::latency::Latencies;
use crate::random::Random;
use crate::target::{Caller, Server};
use crate::wire::Answer;

/// About what one event takes: its data and its metadata.
const APPEND_BYTES: usize = 800;
const APPEND_TIME: Duration = Duration::from_secs(2);

const ECHO_WARM_UP: Duration = Duration::from_secs(1);
const ECHO_TIME: Duration = Duration::from_secs(4);

/// Appends to a file in `directory` by one writer, each one on disk (`fdatasync`) before the next.
pub(crate) fn durable_append(directory: &Path) -> anyhow::Result<(Latencies, Duration)> {
    let path = directory.join(format!("accord-load-probe-{}", std::process::id()));
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let appended = append_for_a_while(file);
    std::fs::remove_file(&path)?;
    Ok(appended?)
}

fn append_for_a_while(mut file: File) -> std::io::Result<(Latencies, Duration)> {
    let (record, mut latencies) = ([b'p'; APPEND_BYTES], Latencies::default());
    let begin = Instant::now();
    while begin.elapsed() < APPEND_TIME {
        let start = Instant::now();
        file.write_all(&record)?;
        file.sync_data()?;
        latencies.record(start.elapsed());
    }
    Ok((latencies, begin.elapsed()))
}

/// Requests to a bare axum server on loopback, in this process, that reads JSON and writes it back:
/// the same body as a command, the same number of clients.
pub(crate) async fn echo(clients: usize, stop: &Stop) -> anyhow::Result<Tally> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no runtime for the echo server")?;
    runtime.spawn(async move {
        let router = Router::new()
            .route("/{*path}", post(|Json(body): Json<Value>| async move { Json(body) }));
        let listener = tokio::net::TcpListener::from_std(listener)?;
        axum::serve(listener, router).await
    });
    let tally = echo_at(address, clients, stop).await;
    runtime.shutdown_background();
    tally
}

async fn echo_at(address: SocketAddr, clients: usize, stop: &Stop) -> anyhow::Result<Tally> {
    let server = Server { address, host: address.to_string() };
    let sources = (0..clients).map(|number| {
        let (mut request, mut body) = (String::new(), String::new());
        let today = accord_domain::Day::of(2026, 1, 1).expect("a day of the calendar");
        let customer = (uuid::Uuid::nil(), "echo");
        bodies::draft_deal(&mut body, customer, today, &mut Random::new(number as u64));
        Caller::new(&server, "echo", "none").post(&mut request, "deals", "echo", &body);
        Echo { request }
    });
    let window = Window { warm_up: ECHO_WARM_UP, counted: ECHO_TIME };
    Ok(drive(address, sources.collect(), &window, stop).await?.0)
}

/// Sends the same request over and over.
struct Echo {
    request: String,
}

impl Source for Echo {
    fn next(&mut self, request: &mut String) -> Option<usize> {
        request.clone_from(&self.request);
        Some(0)
    }

    fn answered(&mut self, _: &Answer<'_>) -> anyhow::Result<()> {
        Ok(())
    }
}
