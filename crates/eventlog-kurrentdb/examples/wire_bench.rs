//! What the wire costs: appends and reads through the adapter and a listener, beside the same log
//! in the same process and a probe of the disk, in one run.
//!
//! `wire_bench [--seconds S] [--events N] [--dir DIR]`: 64 writers append single events for S
//! seconds; then N events are read from the whole log. Aims over the wire: 5,000 appends/s and
//! 100,000 events/s.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use accord_eventlog::{
    Direction, EventLog, ExpectedRevision, Filter, NewEvent, StreamName, SubscriptionMessage,
};
use accord_eventlog_kurrentdb::{Address, KurrentLog};
use accord_eventlog_sqlite::SqliteEventLog;
use accord_eventlog_wire::{Listener, Mode, Setup};
use anyhow::{Context, bail};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use uuid::Uuid;

const WRITERS: usize = 64;
const DATA_BYTES: usize = 300;
const METADATA_BYTES: usize = 500;
const PAGE_EVENTS: usize = 10_000;
const FILL_EVENTS: usize = 500;

struct Plan {
    seconds: u64,
    events: usize,
    directory: PathBuf,
}

fn plan() -> anyhow::Result<Plan> {
    let mut plan = Plan { seconds: 5, events: 300_000, directory: std::env::temp_dir() };
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--seconds" => plan.seconds = value.parse()?,
            "--events" => plan.events = value.parse()?,
            "--dir" => plan.directory = value.into(),
            other => bail!("no such flag: {other}"),
        }
    }
    Ok(plan)
}

fn event() -> NewEvent {
    NewEvent {
        id: Uuid::now_v7(),
        kind: "DealSubmitted".into(),
        data: format!("{{\"text\":\"{}\"}}", "d".repeat(DATA_BYTES - 11)).into(),
        metadata: vec![b'm'; METADATA_BYTES].into(),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let plan = plan()?;
    let directory = tempfile::tempdir_in(&plan.directory)?;
    println!("probe: one durable write     {:>9}/s", probe(directory.path())?);

    let embedded: Arc<dyn EventLog> =
        Arc::new(SqliteEventLog::open(&directory.path().join("embedded.db"))?);
    let inside = measure("in process", &embedded, &plan).await?;

    let served = Arc::new(SqliteEventLog::open(&directory.path().join("served.db"))?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("esdb://{}?tls=false", listener.local_addr()?);
    let setup = Setup { mode: Mode::Full, ..Setup::default() };
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(Listener::new(listener, served, setup)?.serve(stopped));
    let log: Arc<dyn EventLog> = Arc::new(KurrentLog::new(Address::parse(&url)?));
    let outside = measure("over the wire", &log, &plan).await?;

    for (what, inside, outside) in [
        ("appends", inside.appends, outside.appends),
        ("reads", inside.reads, outside.reads),
        ("history of a subscription", inside.history, outside.history),
    ] {
        println!("{what}: over the wire {} % of in process", outside * 100 / inside.max(1));
    }
    drop(log);
    stop.send_replace(true);
    Ok(serving.await?)
}

/// Rates per second.
struct Rates {
    appends: u64,
    reads: u64,
    history: u64,
}

async fn measure(name: &str, log: &Arc<dyn EventLog>, plan: &Plan) -> anyhow::Result<Rates> {
    let (appends, mut latencies) = append(log, Duration::from_secs(plan.seconds)).await?;
    latencies.sort_unstable();
    let at = |percent: usize| {
        let index = (latencies.len() * percent / 100).min(latencies.len().saturating_sub(1));
        latencies.get(index).copied().unwrap_or_default().as_micros()
    };
    println!("{name}: {WRITERS} writers      {appends:>9}/s  p50 {} us, p99 {} us", at(50), at(99));
    let one = alone(log).await?;
    println!("{name}: one writer      {one:>9}/s");
    fill(log, plan.events).await?;
    let reads = read(log, plan.events).await?;
    println!("{name}: read all        {reads:>9} events/s");
    let history = follow(log, plan.events).await?;
    println!("{name}: subscription    {history:>9} events/s");
    Ok(Rates { appends, reads, history })
}

fn rate(count: usize, began: Instant) -> u64 {
    let micros = began.elapsed().as_micros().max(1);
    u64::try_from(count as u128 * 1_000_000 / micros).unwrap_or(u64::MAX)
}

/// What one durable append costs without any log around it, as writes per second.
fn probe(directory: &Path) -> anyhow::Result<u64> {
    let mut file = File::create(directory.join("probe"))?;
    let record = vec![b'p'; DATA_BYTES + METADATA_BYTES];
    let (began, mut count) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(1) {
        file.write_all(&record)?;
        file.sync_data()?;
        count += 1;
    }
    Ok(rate(count, began))
}

async fn append(log: &Arc<dyn EventLog>, time: Duration) -> anyhow::Result<(u64, Vec<Duration>)> {
    let began = Instant::now();
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let log = Arc::clone(log);
        writers.spawn(async move {
            let stream = StreamName::of("deal", Uuid::now_v7());
            let (mut expected, mut latencies) = (ExpectedRevision::NoStream, Vec::new());
            while began.elapsed() < time {
                let sent = Instant::now();
                let appended = log.append(&stream, expected, vec![event()]).await?;
                latencies.push(sent.elapsed());
                expected = ExpectedRevision::Exact(appended.revision);
            }
            anyhow::Ok(latencies)
        });
    }
    let mut latencies = Vec::new();
    for written in writers.join_all().await {
        latencies.extend(written?);
    }
    Ok((rate(latencies.len(), began), latencies))
}

/// One writer, for a second.
async fn alone(log: &Arc<dyn EventLog>) -> anyhow::Result<u64> {
    let stream = StreamName::of("deal", Uuid::now_v7());
    let (began, mut count) = (Instant::now(), 0);
    let mut expected = ExpectedRevision::NoStream;
    while began.elapsed() < Duration::from_secs(1) {
        let appended = log.append(&stream, expected, vec![event()]).await?;
        expected = ExpectedRevision::Exact(appended.revision);
        count += 1;
    }
    Ok(rate(count, began))
}

async fn fill(log: &Arc<dyn EventLog>, events: usize) -> anyhow::Result<()> {
    let stored = usize::try_from(log.head().await?.unwrap_or_default().0)?;
    for _ in 0..events.saturating_sub(stored).div_ceil(FILL_EVENTS) {
        let stream = StreamName::of("deal", Uuid::now_v7());
        let batch = (0..FILL_EVENTS).map(|_| event()).collect();
        log.append(&stream, ExpectedRevision::NoStream, batch).await?;
    }
    Ok(())
}

async fn read(log: &Arc<dyn EventLog>, events: usize) -> anyhow::Result<u64> {
    let (began, mut count, mut after) = (Instant::now(), 0, None);
    while count < events {
        let all = Filter::default();
        let page = log.read_all(Direction::Forward, after, &all, PAGE_EVENTS).await?;
        after = page.last().map(|event| event.position);
        count += page.len();
    }
    Ok(rate(count, began))
}

async fn follow(log: &Arc<dyn EventLog>, events: usize) -> anyhow::Result<u64> {
    let (began, mut count) = (Instant::now(), 0);
    let mut subscription = log.subscribe(None, Filter::default()).await?;
    while count < events {
        if let SubscriptionMessage::Events(events) = subscription.next().await? {
            count += events.len();
        }
    }
    Ok(rate(count, began))
}
