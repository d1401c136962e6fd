//! Reads: pages of bounded size, each in one call that may be repeated.

use std::time::Duration;

use accord_eventlog::{Direction, Filter, LogError, Position, RecordedEvent, StreamName};
use eventstore::{
    Error, Position as WirePosition, ReadAllOptions, ReadStream, ReadStreamOptions, ResolvedEvent,
    StreamPosition, SubscriptionFilter,
};

use crate::{
    envelope::from_wire,
    error::{CallError, from_call},
    link::{Link, Session},
};

/// Longest time for one page.
const PAGE_TIME_MAX: Duration = Duration::from_secs(30);
/// Events asked for at a time, and at least where something is dropped here.
const PAGE_EVENTS_MAX: usize = 4096;
const PAGE_EVENTS_MIN: usize = 32;
/// A page ends early after so many bytes of events.
const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A part of the log to look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scan<'a> {
    pub(crate) direction: Direction,
    /// Strictly after (forward) or before (backward) this position.
    pub(crate) from: Option<Position>,
    pub(crate) filter: &'a Filter,
    /// Events considered here; the server may consider more.
    pub(crate) events_max: usize,
}

/// What a scan saw.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) events: Vec<RecordedEvent>,
    /// The last position that the server told of, whether or not it passed the filter.
    pub(crate) considered: Option<Position>,
    /// Whether the scan came to the end of the log.
    pub(crate) at_end: bool,
}

/// What the server itself can sort out: one list of prefixes. The whole filter is applied here too.
pub(crate) fn server_filter(filter: &Filter) -> Option<SubscriptionFilter> {
    let usable = |prefixes: &[String]| !prefixes.is_empty() && !prefixes.contains(&String::new());
    let add = |all: SubscriptionFilter, prefix: &String| all.add_prefix(prefix);
    if usable(&filter.stream_prefixes) {
        let empty = SubscriptionFilter::on_stream_name();
        Some(filter.stream_prefixes.iter().fold(empty, add))
    } else if usable(&filter.kind_prefixes) {
        let empty = SubscriptionFilter::on_event_type();
        Some(filter.kind_prefixes.iter().fold(empty, add))
    } else {
        None
    }
}

/// The server's position for one of ours.
pub(crate) fn to_wire(position: Position) -> WirePosition {
    WirePosition { commit: position.0, prepare: position.0 }
}

/// Up to `max` events of the whole log, over as many pages as it takes.
pub(crate) async fn read_all(
    link: &Link,
    (direction, from): (Direction, Option<Position>),
    filter: &Filter,
    max: usize,
) -> Result<Vec<RecordedEvent>, LogError> {
    let mut events = Vec::new();
    let (mut from, mut events_min) = (from, 1);
    while events.len() < max {
        let events_max = (max - events.len()).max(events_min).min(PAGE_EVENTS_MAX);
        let page = scan(link, Scan { direction, from, filter, events_max }).await?;
        let room = max - events.len();
        events.extend(page.events.into_iter().take(room));
        if page.at_end {
            break;
        }
        from = page.considered.or(from);
        events_min = (events_min * 2).max(PAGE_EVENTS_MIN);
    }
    Ok(events)
}

/// The next page of the whole log.
pub(crate) async fn scan(link: &Link, scan: Scan<'_>) -> Result<Page, LogError> {
    link.call(PAGE_TIME_MAX, |session| scan_once(session, scan)).await.map_err(from_call)
}

/// The server reads forward from a position inclusive, and backward from it exclusive.
async fn scan_once(session: Session, scan: Scan<'_>) -> Result<Page, Error> {
    let forward = scan.direction == Direction::Forward;
    let asked = scan.events_max + usize::from(forward && scan.from.is_some());
    let start = match scan.from {
        Some(position) => StreamPosition::Position(to_wire(position)),
        None if forward => StreamPosition::Start,
        None => StreamPosition::End,
    };
    let options = ReadAllOptions::default().position(start).max_count(asked);
    let options = if forward { options.forwards() } else { options.backwards() };
    let options = match server_filter(scan.filter) {
        Some(filter) => options.filter(filter),
        None => options,
    };
    let options = session.log_in(options, ReadAllOptions::authenticated);
    let mut wire = session.client.read_all(&options).await?;
    let mut page = Page { considered: scan.from, ..Page::default() };
    let (mut told, mut bytes) = (0, 0);
    while let Some(event) = next(&mut wire).await? {
        told += 1;
        let position = Position(event.position.commit);
        let is_outside = match scan.from {
            Some(from) if forward => position <= from,
            Some(from) => position >= from,
            None => false,
        };
        if is_outside {
            continue;
        }
        page.considered = Some(position);
        if scan.filter.matches(event.stream_id(), &event.event_type) {
            bytes += event.data.len() + event.custom_metadata.len();
            page.events.push(from_wire(event)?);
            if bytes >= PAGE_BYTES_MAX {
                return Ok(page);
            }
        }
    }
    page.at_end = told < asked;
    Ok(page)
}

/// Up to `max` events of one stream, `from` inclusive, over as many pages as it takes.
pub(crate) async fn read_stream(
    link: &Link,
    stream: &StreamName,
    (direction, from): (Direction, Option<u64>),
    max: usize,
) -> Result<Vec<RecordedEvent>, LogError> {
    let mut events: Vec<RecordedEvent> = Vec::new();
    let mut from = from;
    while events.len() < max {
        let part =
            Part { stream, direction, from, events_max: (max - events.len()).min(PAGE_EVENTS_MAX) };
        let mut page = stream_page(link, part).await?;
        if page.events.is_empty() && direction == Direction::Backward && page.at_end {
            let Some(above) = from.filter(|_| page.exists) else { break };
            // A start beyond the end counts as the end; not every version of the server agrees.
            page = stream_page(link, Part { from: None, ..part }).await?;
            page.events.retain(|event| event.revision <= above);
        }
        let last = page.events.last().map(|event| event.revision);
        events.append(&mut page.events);
        from = match (last, direction) {
            _ if page.at_end => break,
            (Some(last), Direction::Forward) => Some(last + 1),
            (Some(last), Direction::Backward) if last > 0 => Some(last - 1),
            _ => break,
        };
    }
    Ok(events)
}

/// A part of one stream to look at.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    stream: &'a StreamName,
    direction: Direction,
    from: Option<u64>,
    events_max: usize,
}

struct StreamPage {
    events: Vec<RecordedEvent>,
    exists: bool,
    at_end: bool,
}

async fn stream_page(link: &Link, part: Part<'_>) -> Result<StreamPage, LogError> {
    match link.call(PAGE_TIME_MAX, |session| stream_page_once(session, part)).await {
        Err(CallError::Client(Error::ResourceNotFound)) => {
            Ok(StreamPage { events: Vec::new(), exists: false, at_end: true })
        }
        outcome => outcome.map_err(from_call),
    }
}

async fn stream_page_once(session: Session, part: Part<'_>) -> Result<StreamPage, Error> {
    let forward = part.direction == Direction::Forward;
    let start = match part.from {
        Some(revision) => StreamPosition::Position(revision),
        None if forward => StreamPosition::Start,
        None => StreamPosition::End,
    };
    let options = ReadStreamOptions::default().position(start).max_count(part.events_max);
    let options = if forward { options.forwards() } else { options.backwards() };
    let options = session.log_in(options, ReadStreamOptions::authenticated);
    let mut wire = session.client.read_stream(part.stream.as_str(), &options).await?;
    let mut page = StreamPage { events: Vec::new(), exists: true, at_end: false };
    let mut bytes = 0;
    while let Some(event) = next(&mut wire).await? {
        bytes += event.data.len() + event.custom_metadata.len();
        page.events.push(from_wire(event)?);
        if bytes >= PAGE_BYTES_MAX {
            return Ok(page);
        }
    }
    page.at_end = page.events.len() < part.events_max;
    Ok(page)
}

async fn next(wire: &mut ReadStream) -> Result<Option<eventstore::RecordedEvent>, Error> {
    wire.next().await?.map(original).transpose()
}

/// The event itself; links are not followed.
pub(crate) fn original(told: ResolvedEvent) -> Result<eventstore::RecordedEvent, Error> {
    let missing = || Error::InternalParsingError("the server told of an event without it".into());
    told.link.or(told.event).ok_or_else(missing)
}
