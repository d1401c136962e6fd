//! `accord event-log copy`: a log into another one, event by event, and the proof that both agree.
//!
//! Ids, order, stream revisions, types, data and metadata stay as they are; positions and times of
//! storing are the target's own. What a server writes about itself is not copied, metadata of
//! streams is. First both logs are compared as far as the target goes, so that an interrupted copy
//! is taken up where it ended; then the rest is copied, and compared too.

use std::collections::VecDeque;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::process::ExitCode;

use accord_eventlog::{
    Appended, Direction, EventHash, EventLog, ExpectedRevision, Filter, LogError, NewEvent,
    Position, RecordedEvent, event_hash,
};
use anyhow::{Context, bail, ensure};
use futures::future::BoxFuture;
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};

use crate::chosen_log::OpenLog;
use crate::cli::CopyArgs;

/// Events read at a time.
const PAGE_EVENTS: usize = 2_000;
/// Neighbours in one stream that go into one append: less than servers take at once.
const APPEND_EVENTS_MAX: usize = 100;
const APPEND_BYTES_MAX: usize = 512 * 1024;
/// Appends on their way at a time, where they cannot overtake each other: well within what the log
/// takes at once, so that the first look at each one gives it to the log.
const APPENDS_WAITING_MAX: usize = 12;

pub(crate) async fn run(args: CopyArgs) -> anyhow::Result<ExitCode> {
    let from = args.from.open_to_read().context("the log to copy from")?;
    let to = args.to.open_to_write().context("the log to copy to")?;
    let outcome = copy(&*from, &to, &bar()).await;
    to.close().await;
    let copied = outcome?;
    let mut out = stdout().lock();
    writeln!(out, "copied {} events", copied.copied)?;
    writeln!(out, "{} events agree, in order, sha256 {}", copied.agreed, copied.digest)?;
    Ok(ExitCode::SUCCESS)
}

/// What came of a copy.
#[derive(Debug, PartialEq, Eq)]
struct Copied {
    /// Events that this run copied.
    copied: u64,
    /// Events that both logs hold, in the same order: all of them.
    agreed: u64,
    /// SHA-256 over their hashes.
    digest: String,
}

/// Copies everything that `from` holds now.
async fn copy(from: &dyn EventLog, to: &OpenLog, bar: &ProgressBar) -> anyhow::Result<Copied> {
    let last = from.read_all(Direction::Backward, None, &everything(), 1).await?;
    let until = last.first().map(|event| event.position);
    bar.set_length(until.unwrap_or_default().0);
    let mut walk = Walk::new(Events::until(from, until), Events::of(&*to.log));
    walk.walk(bar).await.context("the log to copy to is no part of the log to copy from")?;
    let mut rest = Events { after: walk.after, ..Events::until(from, until) };
    let mut target = Target::new(to);
    bar.set_message("copying");
    let mut neighbours: Vec<RecordedEvent> = Vec::new();
    while let Some(event) = rest.next().await? {
        if !neighbours.is_empty() && !belongs_to(&event, &neighbours) {
            bar.set_position(event.position.0);
            target.append(std::mem::take(&mut neighbours)).await?;
        }
        neighbours.push(event);
    }
    target.append(neighbours).await?;
    target.finish().await?;
    walk.walk(bar).await.context("the copy is not what was copied")?;
    let agreed = walk.agreed;
    let digest = walk.end().await.context("the copy is not complete")?;
    bar.finish_and_clear();
    Ok(Copied { copied: target.copied, agreed, digest })
}

/// Two logs side by side.
struct Walk<'a> {
    from: Events<'a>,
    to: Events<'a>,
    /// The last event of `from` that was found in `to`.
    after: Option<Position>,
    agreed: u64,
    digest: Sha256,
}

impl<'a> Walk<'a> {
    fn new(from: Events<'a>, to: Events<'a>) -> Self {
        Self { from, to, after: None, agreed: 0, digest: Sha256::new() }
    }

    /// Compares as far as the second log goes; it must hold nothing else.
    async fn walk(&mut self, bar: &ProgressBar) -> anyhow::Result<()> {
        bar.set_message("comparing");
        while let Some(copy) = self.to.next().await? {
            let place = format!("{} at revision {}", copy.stream, copy.revision);
            let Some(original) = self.from.next().await? else {
                bail!("{place} is in the second log only");
            };
            let hash = hash(&original);
            ensure!(
                hash == self::hash(&copy),
                "{place} is where {} at revision {} should be, or is not the same",
                original.stream,
                original.revision
            );
            self.digest.update(hash);
            self.agreed += 1;
            self.after = Some(original.position);
            if self.agreed.is_multiple_of(PAGE_EVENTS as u64) {
                bar.set_position(original.position.0);
            }
        }
        Ok(())
    }

    /// The digest, once the first log has nothing more.
    async fn end(mut self) -> anyhow::Result<String> {
        if let Some(missing) = self.from.next().await? {
            bail!("{} at revision {} is missing", missing.stream, missing.revision);
        }
        Ok(self.digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

fn hash(event: &RecordedEvent) -> EventHash {
    let identity = (event.id, &event.stream, event.revision);
    event_hash(identity, &event.kind, &event.data, &event.metadata)
}

/// Whether an event is copied: all but what a server writes about itself.
fn is_copied(event: &RecordedEvent) -> bool {
    match event.stream.described() {
        Some(described) => !described.is_system(),
        None => !event.stream.is_system(),
    }
}

fn everything() -> Filter {
    Filter { system: true, ..Filter::default() }
}

/// What is copied of a log, in order. After the end it may be asked again.
struct Events<'a> {
    log: &'a dyn EventLog,
    after: Option<Position>,
    /// The last position to look at; what is appended meanwhile waits for another copy.
    until: Position,
    page: VecDeque<RecordedEvent>,
}

impl<'a> Events<'a> {
    fn of(log: &'a dyn EventLog) -> Self {
        Self { log, after: None, until: Position(u64::MAX), page: VecDeque::new() }
    }

    fn until(log: &'a dyn EventLog, until: Option<Position>) -> Self {
        Self { until: until.unwrap_or_default(), ..Self::of(log) }
    }

    async fn next(&mut self) -> Result<Option<RecordedEvent>, LogError> {
        while self.page.is_empty() && self.after.unwrap_or_default() < self.until {
            let (forward, all) = (Direction::Forward, everything());
            let page = self.log.read_all(forward, self.after, &all, PAGE_EVENTS).await?;
            let Some(last) = page.last() else { return Ok(None) };
            self.after = Some(last.position);
            let until = self.until;
            let wanted = |event: &RecordedEvent| event.position <= until && is_copied(event);
            self.page.extend(page.into_iter().filter(wanted));
        }
        Ok(self.page.pop_front())
    }
}

/// Whether an event may go into one append with the events before it.
fn belongs_to(event: &RecordedEvent, before: &[RecordedEvent]) -> bool {
    let bytes = |event: &RecordedEvent| event.data.len() + event.metadata.len();
    before.last().is_some_and(|last| last.stream == event.stream)
        && before.len() < APPEND_EVENTS_MAX
        && before.iter().chain([event]).map(bytes).sum::<usize>() <= APPEND_BYTES_MAX
}

/// Where events go, in order. An embedded log takes appends in the order in which they are given,
/// and many of them with one write to disk. Over the network one could overtake another, so that
/// each waits for the one before.
struct Target<'a> {
    log: &'a dyn EventLog,
    waiting_max: usize,
    waiting: VecDeque<Waiting<'a>>,
    copied: u64,
}

struct Waiting<'a> {
    /// The stream and the last revision, to tell where it failed.
    place: String,
    outcome: BoxFuture<'a, Result<Appended, LogError>>,
}

impl<'a> Target<'a> {
    fn new(to: &'a OpenLog) -> Self {
        let waiting_max = if to.is_embedded() { APPENDS_WAITING_MAX } else { 1 };
        Self { log: &*to.log, waiting_max, waiting: VecDeque::new(), copied: 0 }
    }

    /// Appends neighbours of one stream at the revisions that they have.
    async fn append(&mut self, events: Vec<RecordedEvent>) -> anyhow::Result<()> {
        let Some(first) = events.first() else { return Ok(()) };
        let (stream, log) = (first.stream.clone(), self.log);
        let expected = match first.revision.checked_sub(1) {
            Some(last) => ExpectedRevision::Exact(last),
            None => ExpectedRevision::NoStream,
        };
        let place = format!("{stream} at revision {}", first.revision);
        self.copied += events.len() as u64;
        let events = events.into_iter().map(|event| NewEvent {
            id: event.id,
            kind: event.kind,
            data: event.data,
            metadata: event.metadata,
        });
        let events: Vec<NewEvent> = events.collect();
        // The first look at it gives it to the log. It must not be put off to be fair to other
        // tasks, or the appends after it would come first.
        let append = async move { log.append(&stream, expected, events).await };
        let mut outcome: BoxFuture<'a, _> = Box::pin(tokio::task::unconstrained(append));
        let early = futures::poll!(&mut outcome);
        if let std::task::Poll::Ready(early) = early {
            outcome = Box::pin(std::future::ready(early));
        }
        self.waiting.push_back(Waiting { place, outcome });
        while self.waiting.len() >= self.waiting_max {
            self.wait_for_first().await?;
        }
        Ok(())
    }

    async fn finish(&mut self) -> anyhow::Result<()> {
        while !self.waiting.is_empty() {
            self.wait_for_first().await?;
        }
        Ok(())
    }

    async fn wait_for_first(&mut self) -> anyhow::Result<()> {
        let Some(first) = self.waiting.pop_front() else { return Ok(()) };
        first.outcome.await.map(drop).with_context(|| {
            format!("{} cannot be appended; the same command goes on from here", first.place)
        })
    }
}

/// A bar for a person; nothing for everything else.
fn bar() -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {percent}% {msg} {eta}");
    ProgressBar::no_length().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(test)]
mod tests;
