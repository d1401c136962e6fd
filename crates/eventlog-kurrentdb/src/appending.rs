//! Appends, and the laws that the server alone does not keep.
//!
//! At an exact revision the server recognises a retry for ever, by the ids that stand there.
//! Without one (`Any`, `StreamExists`) it remembers ids only until it restarts. Such an append is
//! therefore turned into one at an exact revision: the stream is read first, which tells both
//! whether the ids are there already and where the stream ends. That costs a read of the whole
//! stream, or of what is new in one of the last few; Accord itself appends at exact revisions only.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use accord_eventlog::{
    Appended, Direction, EVENT_BYTES_MAX, ExpectedRevision, LogError, NewEvent, Position,
    StreamName,
};
use eventstore::{AppendToStreamOptions, Error, StreamState, WriteResult};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{
    envelope::to_wire,
    error::from_append,
    link::{Link, Session},
    reading::read_stream,
};

/// Longest time for one attempt to append.
const APPEND_TIME_MAX: Duration = Duration::from_secs(10);
/// Events read at a time while a stream is searched for ids.
const SEARCH_EVENTS: usize = 4096;
/// How often somebody else may be faster before an append without a revision gives up.
const CONFLICTS_MAX: usize = 1000;
const TURNS: usize = 16;
/// Ids kept at most of a stream that is read; of a longer one only those that are looked for.
const IDS_KEPT_MAX: usize = 20_000;

/// Appends without a revision to the same stream take turns: among themselves they would only
/// conflict. Each turn remembers the stream that it read last.
pub(crate) struct Turns([Mutex<Option<Search>>; TURNS]);

impl Turns {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(None)))
    }

    fn of(&self, stream: &StreamName) -> &Mutex<Option<Search>> {
        let mut hasher = DefaultHasher::new();
        stream.as_str().hash(&mut hasher);
        &self.0[hasher.finish() as usize % TURNS]
    }
}

/// Appends the events, all or none.
pub(crate) async fn append(
    link: &Link,
    turns: &Turns,
    stream: &StreamName,
    expected: ExpectedRevision,
    events: &[NewEvent],
) -> Result<Appended, LogError> {
    if events.is_empty() {
        return Err(LogError::Unavailable("an append needs at least one event".into()));
    }
    for event in events {
        let bytes = event.data.len() + event.metadata.len();
        if bytes > EVENT_BYTES_MAX {
            return Err(LogError::TooLarge { bytes, bytes_max: EVENT_BYTES_MAX });
        }
    }
    match expected {
        ExpectedRevision::NoStream => append_after(link, stream, None, events).await,
        ExpectedRevision::Exact(last) => append_after(link, stream, Some(last), events).await,
        ExpectedRevision::Any | ExpectedRevision::StreamExists => {
            let mut turn = turns.of(stream).lock().await;
            let known = turn.take().filter(|search| search.stream == *stream);
            let mut search = known.unwrap_or_else(|| Search::of(stream));
            let outcome = append_at_the_end(link, &mut search, expected, events).await;
            *turn = Some(search).filter(|search| search.knows_all);
            outcome
        }
    }
}

/// Appends after this last revision (`None`: to a stream without events).
async fn append_after(
    link: &Link,
    stream: &StreamName,
    last: Option<u64>,
    events: &[NewEvent],
) -> Result<Appended, LogError> {
    let state = last.map_or(StreamState::NoStream, StreamState::StreamRevision);
    let outcome =
        link.call(APPEND_TIME_MAX, |session| append_once(session, stream, state, events)).await;
    let written = outcome.map_err(|error| {
        let expected = last.map_or(ExpectedRevision::NoStream, ExpectedRevision::Exact);
        let bytes = events.iter().map(|event| event.data.len() + event.metadata.len()).sum();
        from_append(error, expected, bytes)
    })?;
    let revision = last.map_or(0, |last| last + 1) + events.len() as u64 - 1;
    if written.next_expected_version == revision && written.position.commit > 0 {
        return Ok(Appended { revision, position: Position(written.position.commit) });
    }
    // To a retry some versions of the server answer without the original place.
    look_up(link, stream, revision, events).await
}

async fn append_once(
    session: Session,
    stream: &StreamName,
    state: StreamState,
    events: &[NewEvent],
) -> Result<WriteResult, Error> {
    let options = AppendToStreamOptions::default().stream_state(state).deadline(APPEND_TIME_MAX);
    let options = session.log_in(options, AppendToStreamOptions::authenticated);
    let wire: Vec<_> = events.iter().map(to_wire).collect();
    session.client.append_to_stream(stream.as_str(), &options, wire).await
}

async fn look_up(
    link: &Link,
    stream: &StreamName,
    revision: u64,
    events: &[NewEvent],
) -> Result<Appended, LogError> {
    let at = (Direction::Forward, Some(revision));
    let found = read_stream(link, stream, at, 1).await?;
    let place = found.iter().find(|found| {
        found.revision == revision && events.last().is_some_and(|event| event.id == found.id)
    });
    place.map(|event| Appended { revision, position: event.position }).ok_or_else(|| {
        let why = format!("{stream} does not hold at {revision} what the server says it does");
        LogError::Corrupt(why)
    })
}

/// Appends wherever the stream ends, unless the events are there already.
async fn append_at_the_end(
    link: &Link,
    search: &mut Search,
    expected: ExpectedRevision,
    events: &[NewEvent],
) -> Result<Appended, LogError> {
    let wanted: HashSet<Uuid> = events.iter().map(|event| event.id).collect();
    for _ in 0..CONFLICTS_MAX {
        search.read_on(link, &wanted).await?;
        if let Some(outcome) = search.outcome(expected, events) {
            return outcome;
        }
        match append_after(link, &search.stream, search.last, events).await {
            Err(LogError::WrongExpectedVersion { actual, .. }) if actual > search.last => {
                search.last_told = actual;
            }
            Err(LogError::WrongExpectedVersion { actual, .. }) => {
                return Err(LogError::WrongExpectedVersion { expected, actual });
            }
            outcome => return outcome,
        }
    }
    Err(LogError::Unavailable("others append to the same stream all the time".into()))
}

/// A search through a stream for the ids of appends.
struct Search {
    stream: StreamName,
    /// Where the events are that were found.
    places: HashMap<Uuid, Appended>,
    /// Whether those are all.
    knows_all: bool,
    next: u64,
    last: Option<u64>,
    /// The end as a refusal told it; streams may begin or end with events that cannot be read.
    last_told: Option<u64>,
}

impl Search {
    fn of(stream: &StreamName) -> Self {
        let (stream, places) = (stream.clone(), HashMap::new());
        Self { stream, places, knows_all: true, next: 0, last: None, last_told: None }
    }

    /// Reads what was appended since.
    async fn read_on(&mut self, link: &Link, wanted: &HashSet<Uuid>) -> Result<(), LogError> {
        loop {
            let from = (Direction::Forward, Some(self.next));
            let page = read_stream(link, &self.stream, from, SEARCH_EVENTS).await?;
            for event in &page {
                if self.places.len() >= IDS_KEPT_MAX && !wanted.contains(&event.id) {
                    self.knows_all = false;
                    continue;
                }
                let place = Appended { revision: event.revision, position: event.position };
                self.places.entry(event.id).or_insert(place);
            }
            if let Some(event) = page.last() {
                self.next = event.revision + 1;
                self.last = self.last.max(Some(event.revision));
            }
            if page.len() < SEARCH_EVENTS {
                self.last = self.last.max(self.last_told);
                return Ok(());
            }
        }
    }

    /// The outcome where nothing needs to be appended, or nothing may be.
    fn outcome(
        &self,
        expected: ExpectedRevision,
        events: &[NewEvent],
    ) -> Option<Result<Appended, LogError>> {
        let place = |event: &NewEvent| self.places.get(&event.id).copied();
        let refused = Err(LogError::WrongExpectedVersion { expected, actual: self.last });
        if events.first().and_then(place).is_some() {
            let all = events.iter().all(|event| place(event).is_some());
            let last = events.last().and_then(place).filter(|_| all);
            return Some(last.map_or(refused, Ok));
        }
        let is_missing = expected == ExpectedRevision::StreamExists && self.last.is_none();
        is_missing.then_some(refused)
    }
}
