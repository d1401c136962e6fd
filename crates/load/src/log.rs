//! `accord-load log`: how fast a log is written, replayed, and folded into all read models.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use accord_domain::DomainEvent;
use accord_domain::metadata::Metadata;
use accord_eventlog::{Direction, EventLog, Filter, RecordedEvent};
use accord_eventlog_sqlite::SqliteEventLog;
use accord_projections::{Rebuilt, rebuild};
use anyhow::{Context, bail};
use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::drive::Stop;
use crate::generate::{World, generate};
use crate::probe;
use crate::report::{Figure, Report};

/// As in a data directory of `accord serve`.
const LOG_FILE: &str = "log.db";

const PAGE_EVENTS: usize = 4_096;

const STOP_LOOKED_AT_EVERY: Duration = Duration::from_millis(100);

/// Generate an event log, and measure replay and the rebuild of all read models.
#[derive(Debug, Args)]
#[command(after_help = "\
The directory becomes a data directory: `accord serve --data DIR` serves it, for example to measure
queries over many partners with `accord-load http --mix pages`. A log that is there already is not
written to, only measured. The data stays; delete the directory when done.")]
pub(crate) struct LogArgs {
    /// Directory for the log and the read models; about 1.3 kB on disk for each event
    #[arg(long)]
    dir: PathBuf,
    /// Events to generate
    #[arg(
        long,
        default_value_t = 1_000_000,
        value_parser = clap::value_parser!(u64).range(10_000..=50_000_000)
    )]
    events: u64,
    /// Partners among them; they join first
    #[arg(
        long,
        default_value_t = 2_000,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000)
    )]
    partners: u64,
    /// The program that it all happens in
    #[arg(long, default_value = "load")]
    program: String,
}

pub(crate) async fn run(args: &LogArgs, stop: &Stop) -> anyhow::Result<Report> {
    std::fs::create_dir_all(&args.dir)
        .with_context(|| format!("cannot make {}", args.dir.display()))?;
    let run = format!("log: {} events, {} partners", args.events, args.partners);
    let mut report = Report { run, ..Report::default() };
    let (appends, elapsed) = probe::durable_append(&args.dir)?;
    report.figures.push(Figure::of("probe: durable append", &appends, elapsed));
    let path = args.dir.join(LOG_FILE);
    if path.exists() {
        report.run = format!("log: what is in {}", args.dir.display());
    } else {
        report.figures.push(write(args, &path, stop).await?);
    }
    let log = SqliteEventLog::open_read_only(&path)?;
    for (name, look) in PASSES {
        if !stop.is_set() {
            report.figures.push(read_all(&log, name, look, stop).await?);
        }
    }
    if !stop.is_set() {
        report.figures.push(rebuild_all(&log, &args.dir, stop).await?);
    }
    let mib = std::fs::metadata(&path)?.len() / (1024 * 1024);
    report.facts.insert("log on disk", format!("{mib} MiB"));
    report.interrupted = stop.is_set();
    Ok(report)
}

async fn write(args: &LogArgs, path: &Path, stop: &Stop) -> anyhow::Result<Figure> {
    eprintln!("generating about {} events", args.events);
    let log = SqliteEventLog::open(path)?;
    let mut world = World::new(&args.program)?;
    let begin = Instant::now();
    let written = generate(&log, &mut world, (args.events, args.partners), stop).await?;
    let elapsed = begin.elapsed();
    log.close().await;
    Ok(Figure::rate("decide and append", written, elapsed))
}

/// What is done with every event of a pass over the log.
type Look = fn(&RecordedEvent) -> anyhow::Result<()>;

const PASSES: [(&str, Look); 3] = [
    ("replay: read", |_| Ok(())),
    ("replay: read, decode event", |event| decode(event).map(drop)),
    ("replay: the same with metadata", |event| {
        decode(event)?;
        serde_json::from_slice::<Metadata>(&event.metadata)?;
        Ok(())
    }),
];

fn decode(event: &RecordedEvent) -> anyhow::Result<DomainEvent> {
    Ok(DomainEvent::decode(event.stream.category(), &event.kind, &event.data)?)
}

/// Reads the whole log, page by page, on one thread beside the log's own reader.
async fn read_all(
    log: &dyn EventLog,
    name: &str,
    look: Look,
    stop: &Stop,
) -> anyhow::Result<Figure> {
    eprintln!("{name}");
    let (begin, mut from, mut count) = (Instant::now(), None, 0);
    while !stop.is_set() {
        let page = log.read_all(Direction::Forward, from, &Filter::default(), PAGE_EVENTS).await?;
        let Some(last) = page.last() else { break };
        from = Some(last.position);
        count += page.len() as u64;
        page.iter().try_for_each(look)?;
    }
    Ok(Figure::rate(name, count, begin.elapsed()))
}

async fn rebuild_all(log: &dyn EventLog, dir: &Path, stop: &Stop) -> anyhow::Result<Figure> {
    eprintln!("rebuilding all read models");
    let cancel = CancellationToken::new();
    let (cancelling, stop) = (cancel.clone(), stop.clone());
    let watch = tokio::spawn(async move {
        while !stop.is_set() {
            tokio::time::sleep(STOP_LOOKED_AT_EVERY).await;
        }
        cancelling.cancel();
    });
    let begin = Instant::now();
    let rebuilt = rebuild(log, dir, |_| {}, &cancel).await?;
    watch.abort();
    match rebuilt {
        Rebuilt::Swapped { folded, quarantined: 0, .. } => {
            Ok(Figure::rate("rebuild of all read models", folded, begin.elapsed()))
        }
        Rebuilt::Swapped { quarantined, .. } => bail!("{quarantined} events were quarantined"),
        Rebuilt::Cancelled { .. } => bail!("the rebuild was interrupted"),
    }
}
