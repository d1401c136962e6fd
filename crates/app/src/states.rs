//! Folded states kept in memory, never one that the log has moved past.
//!
//! Whoever reads a stream from the log may be overtaken by a writer while reading. What was read is
//! then used once, which is no worse than having asked a moment earlier, but it is not kept.

use std::any::Any;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use accord_eventlog::StreamName;
use quick_cache::sync::Cache;

/// Aggregates kept in memory.
const STATES_MAX: usize = 20_000;

/// Streams share this many counts of writes.
const SHARES: usize = 1_024;

/// A state of any aggregate with its revision.
pub(crate) type State = (u64, Arc<dyn Any + Send + Sync>);

/// The number of writes seen before a stream was read from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Writes(u64);

pub(crate) struct States {
    cache: Cache<StreamName, State>,
    /// Writes to any stream of a share.
    writes: Vec<Mutex<Writes>>,
}

impl States {
    pub(crate) fn new() -> Self {
        let writes = (0..SHARES).map(|_| Mutex::new(Writes(0))).collect();
        Self { cache: Cache::new(STATES_MAX), writes }
    }

    pub(crate) fn get(&self, stream: &StreamName) -> Option<State> {
        self.cache.get(stream)
    }

    /// To be asked before a stream is read from the log.
    pub(crate) fn writes(&self, stream: &StreamName) -> Writes {
        *self.share(stream)
    }

    /// Keeps what was read, unless something was written since.
    pub(crate) fn keep_read(&self, stream: &StreamName, state: State, before: Writes) {
        let writes = self.share(stream);
        if *writes == before {
            self.cache.insert(stream.clone(), state);
        }
    }

    /// Keeps what was written.
    pub(crate) fn keep_written(&self, stream: &StreamName, state: State) {
        let mut writes = self.share(stream);
        writes.0 += 1;
        self.cache.insert(stream.clone(), state);
    }

    /// Forgets a stream that is about to be written to.
    pub(crate) fn forget(&self, stream: &StreamName) {
        let mut writes = self.share(stream);
        writes.0 += 1;
        self.cache.remove(stream);
    }

    /// Forgets a state before this revision, whoever has written it.
    pub(crate) fn observe(&self, stream: &StreamName, revision: u64) {
        let mut writes = self.share(stream);
        if self.cache.get(stream).is_none_or(|(known, _)| known < revision) {
            writes.0 += 1;
            self.cache.remove(stream);
        }
    }

    fn share(&self, stream: &StreamName) -> MutexGuard<'_, Writes> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(stream);
        self.writes[hash as usize % SHARES].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> StreamName {
        "deal-1".parse().unwrap()
    }

    fn state(revision: u64) -> State {
        (revision, Arc::new(()))
    }

    fn known(states: &States) -> Option<u64> {
        states.get(&stream()).map(|(revision, _)| revision)
    }

    #[test]
    fn what_was_read_is_kept() {
        let states = States::new();
        let before = states.writes(&stream());
        states.keep_read(&stream(), state(1), before);
        assert_eq!(known(&states), Some(1));
    }

    #[test]
    fn what_was_read_before_a_write_never_replaces_what_was_written() {
        let states = States::new();
        let before = states.writes(&stream());
        states.forget(&stream());
        states.keep_written(&stream(), state(2));
        states.keep_read(&stream(), state(1), before);
        assert_eq!(known(&states), Some(2));
    }

    #[test]
    fn what_was_read_while_somebody_writes_is_not_kept() {
        let states = States::new();
        states.forget(&stream());
        let before = states.writes(&stream());
        states.keep_written(&stream(), state(2));
        states.forget(&stream());
        states.keep_read(&stream(), state(1), before);
        assert_eq!(known(&states), None);
    }

    #[test]
    fn an_event_seen_in_the_log_drives_older_states_out_and_keeps_them_out() {
        let states = States::new();
        states.keep_written(&stream(), state(1));
        let before = states.writes(&stream());
        states.observe(&stream(), 1);
        assert_eq!(known(&states), Some(1));
        states.observe(&stream(), 2);
        states.keep_read(&stream(), state(1), before);
        assert_eq!(known(&states), None);
    }
}
