//! Aggregates as loaded: folded from their stream once, then kept and evolved.

use std::sync::Arc;

use accord_domain::metadata::Metadata;
use accord_domain::{Aggregate, CommandId, EventId, ProgramId};
use accord_eventlog::{
    Direction, EventHash, EventLog, ExpectedRevision, Position, RecordedEvent, StreamName,
};

use crate::{AppError, EventRef, envelope, states::States};

/// Events read from the log at a time.
const PAGE_EVENTS: usize = 1_000;

/// A folded stream: the state and what a further append needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Loaded<A> {
    pub(crate) state: A,
    /// The program that the stream belongs to; `None` before its first event.
    pub(crate) program: Option<ProgramId>,
    pub(crate) revision: Option<u64>,
    pub(crate) position: Position,
    pub(crate) last_hash: Option<EventHash>,
    commands: Vec<CommandEntry>,
}

/// A command that this stream holds.
#[derive(Debug, Clone)]
pub(crate) struct CommandEntry {
    id: CommandId,
    pub(crate) digest: [u8; 32],
    pub(crate) position: Position,
    pub(crate) events: Vec<EventRef>,
}

impl CommandEntry {
    /// The stream's revision right after the command.
    pub(crate) fn revision(&self) -> u64 {
        self.events.last().map_or(0, |event| event.revision)
    }
}

impl<A: Aggregate> Default for Loaded<A> {
    fn default() -> Self {
        Self {
            state: A::default(),
            program: None,
            revision: None,
            position: Position::default(),
            last_hash: None,
            commands: Vec::new(),
        }
    }
}

impl<A: Aggregate> Loaded<A> {
    pub(crate) fn expected(&self) -> ExpectedRevision {
        self.revision.map_or(ExpectedRevision::NoStream, ExpectedRevision::Exact)
    }

    pub(crate) fn next_revision(&self) -> u64 {
        self.revision.map_or(0, |revision| revision + 1)
    }

    /// What an earlier command with this id did here. Newest first: retries follow soon.
    pub(crate) fn command(&self, id: CommandId) -> Option<&CommandEntry> {
        self.commands.iter().rev().find(|entry| entry.id == id)
    }

    /// Takes note of an event that the state has been evolved by.
    pub(crate) fn note(
        &mut self,
        (command, digest): (CommandId, [u8; 32]),
        event: EventRef,
        position: Position,
    ) {
        self.revision = Some(event.revision);
        self.position = position;
        match self.commands.last_mut() {
            Some(entry) if entry.id == command => {
                entry.position = position;
                entry.events.push(event);
            }
            _ => self.commands.push(CommandEntry {
                id: command,
                digest,
                position,
                events: vec![event],
            }),
        }
    }

    fn fold(mut self, recorded: &RecordedEvent) -> Result<Self, AppError> {
        let event = envelope::decode_event::<A::Event>(recorded)?;
        let metadata: Metadata = serde_json::from_slice(&recorded.metadata)?;
        self.state = self.state.evolve(&event);
        self.last_hash = Some(envelope::hash_of(recorded));
        let mut digest = [0; 32];
        // A digest that is not ours leaves zeros: it matches no request, so nothing is replayed.
        let _ = hex::decode_to_slice(&metadata.command.digest, &mut digest);
        let event = EventRef {
            id: EventId(recorded.id),
            kind: recorded.kind.clone(),
            revision: recorded.revision,
        };
        self.program.get_or_insert(metadata.program);
        self.note((metadata.command.id, digest), event, recorded.position);
        Ok(self)
    }
}

/// The streams' folded states, from memory or from the log.
pub(crate) struct Repository {
    log: Arc<dyn EventLog>,
    states: States,
}

impl Repository {
    pub(crate) fn new(log: Arc<dyn EventLog>) -> Self {
        Self { log, states: States::new() }
    }

    /// The stream as last seen here, or as the log has it.
    pub(crate) async fn load<A: Aggregate>(
        &self,
        stream: &StreamName,
    ) -> Result<Arc<Loaded<A>>, AppError> {
        if let Some(loaded) = self.cached(stream) {
            return Ok(loaded);
        }
        let writes = self.states.writes(stream);
        let mut loaded = Loaded::<A>::default();
        loop {
            let page = self
                .log
                .read_stream(stream, Direction::Forward, Some(loaded.next_revision()), PAGE_EVENTS)
                .await?;
            let last_page = page.len() < PAGE_EVENTS;
            for recorded in &page {
                loaded = loaded.fold(recorded)?;
            }
            if last_page {
                break;
            }
        }
        let loaded = Arc::new(loaded);
        // An empty stream is not worth keeping.
        if let Some(revision) = loaded.revision {
            self.states.keep_read(stream, (revision, loaded.clone()), writes);
        }
        Ok(loaded)
    }

    /// The stream as last seen here.
    fn cached<A: Aggregate>(&self, stream: &StreamName) -> Option<Arc<Loaded<A>>> {
        self.states.get(stream).and_then(|(_, loaded)| loaded.downcast().ok())
    }

    /// Keeps a state just written for the next command.
    pub(crate) fn keep<A: Aggregate>(&self, stream: &StreamName, loaded: Arc<Loaded<A>>) {
        if let Some(revision) = loaded.revision {
            self.states.keep_written(stream, (revision, loaded));
        }
    }

    /// Forgets a state that is about to be outdated.
    pub(crate) fn forget(&self, stream: &StreamName) {
        self.states.forget(stream);
    }

    /// Takes note of an event in the log: an earlier state is outdated, whoever wrote the event.
    pub(crate) fn observe(&self, stream: &StreamName, revision: u64) {
        self.states.observe(stream, revision);
    }
}
