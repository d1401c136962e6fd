//! `accord verify`: the read models against a fresh fold, and every stream's chain of hashes.

use std::collections::HashMap;
use std::io::{Write, stdout};
use std::process::ExitCode;

use accord_eventlog::{
    Direction, EventHash, EventLog, Filter, Position, RecordedEvent, StreamName, event_hash,
};
use accord_projections::{TableReport, verify};
use anyhow::Context;
use comfy_table::{Cell, CellAlignment, Table, presets::NOTHING};
use serde::Deserialize;

use crate::chosen_log::open_to_read;
use crate::cli::VerifyArgs;

/// Events read at a time.
const PAGE_EVENTS: usize = 4_000;

/// Broken links that are named; more are counted only.
const BROKEN_NAMED_MAX: usize = 20;

pub(crate) async fn run(args: VerifyArgs) -> anyhow::Result<ExitCode> {
    let data = &args.data.directory;
    let log = open_to_read(Some(data), args.event_log.url.as_ref())?;
    let tables = verify(&*log, data).await?;
    let chains = Chains::walk(&*log).await?;
    let mut out = stdout().lock();
    writeln!(out, "{}", table(&tables))?;
    writeln!(out, "{} events in {} streams:", chains.events, chains.last.len())?;
    for broken in chains.broken.iter().take(BROKEN_NAMED_MAX) {
        writeln!(out, "  broken chain: {broken}")?;
    }
    let differing = tables.iter().filter(|report| !report.agrees()).count();
    if differing == 0 && chains.broken.is_empty() {
        writeln!(out, "every chain of hashes holds; all {} tables agree", tables.len())?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{} broken links; {differing} tables differ", chains.broken.len())?;
    Ok(ExitCode::FAILURE)
}

fn table(reports: &[TableReport]) -> Table {
    let number = |count: u64| Cell::new(count).set_alignment(CellAlignment::Right);
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["table", "rows", "afresh", "digest"]);
    for report in reports {
        let verdict = if report.agrees() { "equal" } else { "DIFFERENT" };
        table.add_row([
            Cell::new(report.table),
            number(report.rows_live),
            number(report.rows_fresh),
            Cell::new(verdict),
        ]);
    }
    table
}

/// The chains of hashes of all streams: each event names its stream's previous event.
#[derive(Default)]
pub(crate) struct Chains {
    events: u64,
    last: HashMap<StreamName, EventHash>,
    /// The events whose link does not hold.
    pub(crate) broken: Vec<String>,
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    previous: Option<String>,
}

impl Chains {
    /// Walks through the whole log.
    pub(crate) async fn walk(log: &dyn EventLog) -> anyhow::Result<Self> {
        let mut chains = Self::default();
        let mut after: Option<Position> = None;
        loop {
            let filter = Filter::default();
            let events = log.read_all(Direction::Forward, after, &filter, PAGE_EVENTS).await?;
            for event in &events {
                chains.add(event)?;
            }
            match events.last() {
                Some(event) => after = Some(event.position),
                None => return Ok(chains),
            }
        }
    }

    fn add(&mut self, event: &RecordedEvent) -> anyhow::Result<()> {
        let link: Link = serde_json::from_slice(&event.metadata)
            .with_context(|| format!("the metadata at position {}", event.position))?;
        let identity = (event.id, &event.stream, event.revision);
        let hash = event_hash(identity, &event.kind, &event.data, &event.metadata);
        let previous = self.last.insert(event.stream.clone(), hash);
        if link.previous != previous.map(hex) {
            self.broken.push(format!("{} at revision {}", event.stream, event.revision));
        }
        self.events += 1;
        Ok(())
    }
}

fn hex(hash: EventHash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
