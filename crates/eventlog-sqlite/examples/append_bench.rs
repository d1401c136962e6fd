//! Measures durable appends under concurrency, beside a probe of the disk in the same run, and the
//! rate at which the whole log reads back.
//!
//! `append_bench [--appenders N] [--seconds S] [--streams N] [--order random|sequential|new]
//! [--prefill EVENTS] [--dir DIR]`: `random` appends to streams picked at random, `sequential`
//! goes round through them, `new` begins a stream with every append.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use accord_eventlog::{
    Direction, EventLog, ExpectedRevision, Filter, LogError, NewEvent, StreamName,
    SubscriptionMessage,
};
use accord_eventlog_sqlite::SqliteEventLog;
use anyhow::{Context, bail};
use bytes::Bytes;
use tokio::task::JoinSet;
use uuid::Uuid;

const DATA_BYTES: usize = 300;
const METADATA_BYTES: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Random,
    Sequential,
    New,
}

#[derive(Debug, Clone)]
struct Plan {
    appenders: usize,
    seconds: u64,
    streams: u64,
    order: Order,
    prefill: u64,
    directory: PathBuf,
}

fn plan() -> anyhow::Result<Plan> {
    let mut plan = Plan {
        appenders: 64,
        seconds: 5,
        streams: 10_000,
        order: Order::Random,
        prefill: 0,
        directory: std::env::temp_dir(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--appenders" => plan.appenders = value.parse()?,
            "--seconds" => plan.seconds = value.parse()?,
            "--streams" => plan.streams = value.parse()?,
            "--prefill" => plan.prefill = value.parse()?,
            "--dir" => plan.directory = value.into(),
            "--order" => {
                plan.order = match value.as_str() {
                    "random" => Order::Random,
                    "sequential" => Order::Sequential,
                    "new" => Order::New,
                    other => bail!("no such order: {other}"),
                }
            }
            other => bail!("no such flag: {other}"),
        }
    }
    Ok(plan)
}

fn main() -> anyhow::Result<()> {
    let plan = plan()?;
    let directory = tempfile::tempdir_in(&plan.directory)?;
    println!("{plan:?}");
    probe(directory.path())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let path = directory.path().join("log.db");
    runtime.block_on(async {
        let log = Arc::new(SqliteEventLog::open(&path)?);
        let lengths: Arc<Lengths> =
            Arc::new((0..plan.streams).map(|_| AtomicU64::new(0)).collect());
        prefill(&log, &plan, &lengths).await?;
        appends(&log, &plan, &lengths).await?;
        println!("  wal file               {:>9} KiB", kib(&path.with_extension("db-wal"))?);
        read_back(&log).await?;
        follow(&log).await?;
        println!("  data file              {:>9} KiB", kib(&path)?);
        println!("  memory (resident, max) {:>9} KiB", peak_memory_kib());
        Ok(())
    })
}

fn kib(file: &Path) -> anyhow::Result<u64> {
    Ok(std::fs::metadata(file)?.len() / 1024)
}

/// The highest resident size of this process; 0 where the system does not tell.
fn peak_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// What one durable append costs without any log around it.
fn probe(directory: &Path) -> anyhow::Result<()> {
    let mut file = File::create(directory.join("probe"))?;
    let record = vec![b'p'; DATA_BYTES + METADATA_BYTES];
    let mut latencies = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(1) {
        let start = Instant::now();
        file.write_all(&record)?;
        file.sync_data()?;
        latencies.push(start.elapsed());
    }
    report("probe: bare fdatasync", latencies, begin.elapsed());
    Ok(())
}

fn report(what: &str, mut latencies: Vec<Duration>, elapsed: Duration) {
    latencies.sort_unstable();
    let at = |per_mille: usize| {
        let index = (latencies.len() * per_mille / 1000).min(latencies.len().saturating_sub(1));
        latencies.get(index).map_or(0, Duration::as_micros)
    };
    println!(
        "{what:<24} {:>9}/s  p50 {} us  p99 {} us  p99.9 {} us  max {} us",
        per_second(latencies.len() as u64, elapsed),
        at(500),
        at(990),
        at(999),
        at(1000)
    );
}

fn per_second(count: u64, elapsed: Duration) -> u128 {
    u128::from(count) * 1_000_000 / elapsed.as_micros().max(1)
}

fn event() -> NewEvent {
    NewEvent {
        id: Uuid::new_v4(),
        kind: "DealSubmitted".into(),
        data: Bytes::from(vec![b'd'; DATA_BYTES]),
        metadata: Bytes::from(vec![b'm'; METADATA_BYTES]),
    }
}

fn stream(number: u64) -> StreamName {
    StreamName::of("deal", Uuid::from_u128(u128::from(number) << 64))
}

/// A log that has grown: appends of 100 events, round through the streams.
async fn prefill(log: &SqliteEventLog, plan: &Plan, lengths: &Lengths) -> anyhow::Result<()> {
    let begin = Instant::now();
    for number in (0..plan.streams).cycle().take(usize::try_from(plan.prefill / 100)?) {
        append(log, lengths, number, (0..100).map(|_| event()).collect()).await?;
    }
    if plan.prefill > 0 {
        println!("prefilled in {} ms", begin.elapsed().as_millis());
    }
    Ok(())
}

async fn appends(
    log: &Arc<SqliteEventLog>,
    plan: &Plan,
    lengths: &Arc<Lengths>,
) -> anyhow::Result<()> {
    let (begin, duration) = (Instant::now(), Duration::from_secs(plan.seconds));
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for appender in 0..plan.appenders {
        let (log, next, plan) = (Arc::clone(log), Arc::clone(&next), plan.clone());
        let lengths = Arc::clone(lengths);
        tasks.spawn(async move {
            let mut random = appender as u64 + 1;
            let mut latencies = Vec::new();
            while begin.elapsed() < duration {
                let sequence = next.fetch_add(1, Ordering::Relaxed);
                random = scrambled(random);
                let number = match plan.order {
                    Order::Random => random % plan.streams,
                    Order::Sequential => sequence % plan.streams,
                    Order::New => plan.streams + sequence,
                };
                let start = Instant::now();
                append(&log, &lengths, number, vec![event()]).await?;
                latencies.push(start.elapsed());
            }
            anyhow::Ok(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        latencies.extend(joined??);
    }
    report("appends", latencies, begin.elapsed());
    Ok(())
}

/// How many events every known stream has: what a service knows from its cached states.
type Lengths = Vec<AtomicU64>;

/// As a command does: at the exact revision, and again where somebody else was faster.
async fn append(
    log: &SqliteEventLog,
    lengths: &Lengths,
    number: u64,
    events: Vec<NewEvent>,
) -> anyhow::Result<()> {
    let stream = stream(number);
    let length = usize::try_from(number).ok().and_then(|index| lengths.get(index));
    let mut last = length.and_then(|length| length.load(Ordering::Relaxed).checked_sub(1));
    loop {
        let expected = last.map_or(ExpectedRevision::NoStream, ExpectedRevision::Exact);
        match log.append(&stream, expected, events.clone()).await {
            Ok(appended) => {
                if let Some(length) = length {
                    length.fetch_max(appended.revision + 1, Ordering::Relaxed);
                }
                return Ok(());
            }
            Err(LogError::WrongExpectedVersion { actual, .. }) => last = actual,
            Err(error) => return Err(error.into()),
        }
    }
}

/// A step of xorshift: spread evenly enough to pick streams.
fn scrambled(mut number: u64) -> u64 {
    number ^= number << 13;
    number ^= number >> 7;
    number ^ (number << 17)
}

async fn read_back(log: &SqliteEventLog) -> anyhow::Result<()> {
    for round in ["read_all, first", "read_all, again"] {
        let (begin, mut from, mut count) = (Instant::now(), None, 0);
        loop {
            let page = log.read_all(Direction::Forward, from, &Filter::default(), 4096).await?;
            let Some(last) = page.last() else { break };
            from = Some(last.position);
            count += page.len() as u64;
        }
        println!("{round:<24} {:>9}/s  of {count} events", per_second(count, begin.elapsed()));
    }
    Ok(())
}

async fn follow(log: &SqliteEventLog) -> anyhow::Result<()> {
    let (begin, mut count) = (Instant::now(), 0);
    let mut subscription = log.subscribe(None, Filter::default()).await?;
    while let SubscriptionMessage::Events(events) = subscription.next().await? {
        count += events.len() as u64;
    }
    println!("{:<24} {:>9}/s", "subscription, history", per_second(count, begin.elapsed()));
    Ok(())
}
