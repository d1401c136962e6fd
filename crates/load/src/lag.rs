//! How far the read models are behind: how long a read takes that asks for what was just promised.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::latency::Latencies;
use crate::prepare::expect_success;
use crate::target::{Caller, Server};
use crate::wire::Connection;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Read models further behind than this are not measured but an error.
const LAG_MAX: Duration = Duration::from_secs(60);

/// Takes the last promised position, reads with it as `min_position`, and notes how long the answer
/// took; until `over` is set. The read itself is part of the time, so it is never too short.
pub(crate) async fn watch(
    (server, caller): (Server, Caller),
    position: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
) -> anyhow::Result<Latencies> {
    let mut connection = Connection::open(server.address).await?;
    let (mut request, mut lags) = (String::new(), Latencies::default());
    while !over.load(Ordering::Relaxed) {
        let promised = position.load(Ordering::Relaxed);
        caller.get(&mut request, &format!("partners?limit=1&min_position={promised}"));
        lags.record(visible_after(&mut connection, &request).await?);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(lags)
}

/// The server waits a while by itself and then answers 503; the same read is sent until it is 200.
async fn visible_after(connection: &mut Connection, request: &str) -> anyhow::Result<Duration> {
    let begin = Instant::now();
    loop {
        let answer = connection.exchange(request.as_bytes()).await?;
        if answer.status != 503 {
            expect_success(&answer, "reading what was just written")?;
            return Ok(begin.elapsed());
        }
        if begin.elapsed() > LAG_MAX {
            bail!("the read models are more than {LAG_MAX:?} behind");
        }
    }
}

/// How long it takes until everything promised so far is visible.
pub(crate) async fn catch_up(
    server: &Server,
    caller: &Caller,
    position: &AtomicU64,
) -> anyhow::Result<Duration> {
    let (mut connection, mut request) = (Connection::open(server.address).await?, String::new());
    let promised = position.load(Ordering::Relaxed);
    caller.get(&mut request, &format!("partners?limit=1&min_position={promised}"));
    visible_after(&mut connection, &request).await
}
