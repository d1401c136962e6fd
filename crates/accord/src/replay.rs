//! `accord replay`: the log as NDJSON, or a state as of a time.

use std::io::{BufWriter, Write, stdout};
use std::process::ExitCode;

use accord_domain::{PartnerId, ProgramId, Timestamp};
use accord_eventlog::{Direction, EventLog, Filter, Position, RecordedEvent, StreamName};
use accord_projections::{deal_as_of, partner_as_of};
use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::chosen_log::open_to_read;
use crate::cli::ReplayArgs;

/// Events read at a time.
const PAGE_EVENTS: usize = 2_000;

/// An event byte for byte as stored, in its envelope.
#[derive(Serialize)]
struct Line<'a> {
    id: Uuid,
    stream: &'a str,
    revision: u64,
    position: Position,
    #[serde(rename = "type")]
    kind: &'a str,
    recorded_at: Timestamp,
    data: &'a RawValue,
    metadata: &'a RawValue,
}

/// The parts of the metadata that are filtered by.
#[derive(Deserialize)]
struct Head {
    program: ProgramId,
    partner: Option<PartnerId>,
    recorded_at: Timestamp,
}

pub(crate) async fn run(args: ReplayArgs) -> anyhow::Result<ExitCode> {
    let log = open_to_read(args.data.as_deref(), args.event_log.url.as_ref())?;
    match (&args.as_of, &args.stream) {
        (Some(time), Some(stream)) => print_state(&*log, stream, *time).await?,
        _ => print_events(&*log, &args).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn print_events(log: &dyn EventLog, args: &ReplayArgs) -> anyhow::Result<()> {
    let mut out = BufWriter::new(stdout().lock());
    let mut pages = Pages::new(log, args);
    let mut printed = false;
    while let Some(events) = pages.next().await? {
        for event in &events {
            printed |= print_event(&mut out, event, args)?;
        }
    }
    out.flush()?;
    if !printed {
        // A name that nobody has is usually a slip.
        eprintln!("accord: no event matches");
    }
    Ok(())
}

/// Prints an event where it matches, and tells whether it did.
fn print_event(
    out: &mut impl Write,
    event: &RecordedEvent,
    args: &ReplayArgs,
) -> anyhow::Result<bool> {
    if args.kind.as_ref().is_some_and(|kind| **kind != *event.kind) {
        return Ok(false);
    }
    let unreadable = || format!("event at position {} cannot be read", event.position);
    let head: Head = serde_json::from_slice(&event.metadata).with_context(unreadable)?;
    let matches = args.program.as_ref().is_none_or(|program| *program == head.program)
        && (args.partner.is_none() || args.partner == head.partner)
        && args.from.is_none_or(|from| from <= head.recorded_at)
        && args.to.is_none_or(|to| head.recorded_at < to);
    if !matches {
        return Ok(false);
    }
    let line = Line {
        id: event.id,
        stream: event.stream.as_str(),
        revision: event.revision,
        position: event.position,
        kind: &event.kind,
        recorded_at: head.recorded_at,
        data: serde_json::from_slice(&event.data).with_context(unreadable)?,
        metadata: serde_json::from_slice(&event.metadata).with_context(unreadable)?,
    };
    serde_json::to_writer(&mut *out, &line).map_err(std::io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(true)
}

/// The log, or one stream of it, page by page.
struct Pages<'a> {
    log: &'a dyn EventLog,
    stream: Option<&'a StreamName>,
    filter: Filter,
    after: Option<Position>,
    revision: u64,
    done: bool,
}

impl<'a> Pages<'a> {
    fn new(log: &'a dyn EventLog, args: &'a ReplayArgs) -> Self {
        let kind_prefixes = args.kind.iter().cloned().collect();
        let filter = Filter { kind_prefixes, ..Filter::default() };
        let stream = args.stream.as_ref();
        Self { log, stream, filter, after: None, revision: 0, done: false }
    }

    async fn next(&mut self) -> anyhow::Result<Option<Vec<RecordedEvent>>> {
        if self.done {
            return Ok(None);
        }
        let (log, forward) = (self.log, Direction::Forward);
        let events = match self.stream {
            Some(stream) => {
                log.read_stream(stream, forward, Some(self.revision), PAGE_EVENTS).await?
            }
            None => log.read_all(forward, self.after, &self.filter, PAGE_EVENTS).await?,
        };
        self.done = events.len() < PAGE_EVENTS;
        self.revision += events.len() as u64;
        self.after = events.last().map(|event| event.position).or(self.after);
        Ok(Some(events))
    }
}

async fn print_state(
    log: &dyn EventLog,
    stream: &StreamName,
    time: Timestamp,
) -> anyhow::Result<()> {
    let events = events_until(log, stream, time).await?;
    let state = match stream.category() {
        "partner" => partner_as_of(&events)?.map(serde_json::to_value),
        "deal" => deal_as_of(&events)?.map(serde_json::to_value),
        _ => bail!("`--as-of` knows the streams partner-... and deal-..., not {stream}"),
    };
    let state = state.with_context(|| format!("{stream} had no event by {time}"))??;
    let mut out = stdout().lock();
    serde_json::to_writer_pretty(&mut out, &state).map_err(std::io::Error::from)?;
    Ok(writeln!(out)?)
}

async fn events_until(
    log: &dyn EventLog,
    stream: &StreamName,
    time: Timestamp,
) -> anyhow::Result<Vec<RecordedEvent>> {
    let mut events = Vec::new();
    loop {
        let from = Some(events.len() as u64);
        let page = log.read_stream(stream, Direction::Forward, from, PAGE_EVENTS).await?;
        let is_last = page.len() < PAGE_EVENTS;
        for event in page {
            let head: Head = serde_json::from_slice(&event.metadata)
                .with_context(|| format!("event at position {} cannot be read", event.position))?;
            if head.recorded_at > time {
                return Ok(events);
            }
            events.push(event);
        }
        if is_last {
            return Ok(events);
        }
    }
}
