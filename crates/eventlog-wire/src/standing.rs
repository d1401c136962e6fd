//! What a stream's system events say about it: how much of it may be read, and whether it is gone.
//!
//! A stream's metadata is the last `$metadata` event of its stream `$$name`; a stream that ends
//! with `$streamDeleted` was deleted for good. A listener that lets write remembers both, so that
//! an append does not read them again; it must then be the only one that writes system events.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use accord_eventlog::{Direction, EventLog, LogError, RecordedEvent, StreamName};
use quick_cache::sync::Cache;
use serde_json::Value;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The type of an event that holds a stream's metadata.
pub(crate) const METADATA_KIND: &str = "$metadata";
/// The type of the event that ends a stream for good.
pub(crate) const TOMBSTONE_KIND: &str = "$streamDeleted";
/// The property below whose revision a stream cannot be read.
pub(crate) const TRUNCATE_BEFORE: &str = "$tb";
/// The value of [`TRUNCATE_BEFORE`] that stands for a deleted stream.
pub(crate) const DELETED_BEFORE: u64 = i64::MAX.cast_unsigned();

/// Streams whose standing is remembered: about 10 MB.
const STANDINGS_MAX: usize = 64 * 1024;
/// Streams share this many gates.
const GATES: usize = 1024;

/// What is known about a stream. The default is what most streams have: nothing special.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Standing {
    /// Deleted for good.
    pub(crate) tombstoned: bool,
    /// Only so many of the last events can be read.
    pub(crate) max_count: Option<u64>,
    /// Only events of so many seconds can be read.
    pub(crate) max_age_seconds: Option<u64>,
    /// Only events from this revision on can be read.
    pub(crate) truncate_before: Option<u64>,
}

impl Standing {
    /// Deleted in such a way that an append brings the stream back.
    pub(crate) fn is_deleted(&self) -> bool {
        self.truncate_before == Some(DELETED_BEFORE)
    }

    /// The first revision that can be read of a stream that ends with `last`.
    pub(crate) fn lowest(&self, last: u64) -> u64 {
        let counted = self.max_count.map_or(0, |count| (last + 1).saturating_sub(count));
        counted.max(self.truncate_before.unwrap_or(0))
    }

    /// The last metadata event's properties; what cannot be understood limits nothing.
    fn limited_by(mut self, metadata: Option<&RecordedEvent>) -> Self {
        let event = metadata.filter(|event| &*event.kind == METADATA_KIND);
        let Some(event) = event else { return self };
        let Ok(properties) = serde_json::from_slice::<Value>(&event.data) else { return self };
        let number = |key: &str| properties.get(key).and_then(Value::as_u64);
        self.max_count = number("$maxCount").filter(|count| *count > 0);
        self.max_age_seconds = number("$maxAge").filter(|seconds| *seconds > 0);
        self.truncate_before = number(TRUNCATE_BEFORE);
        self
    }
}

/// The last event of a stream.
pub(crate) async fn last_event(
    log: &dyn EventLog,
    stream: &StreamName,
) -> Result<Option<RecordedEvent>, LogError> {
    Ok(log.read_stream(stream, Direction::Backward, None, 1).await?.pop())
}

/// The standings of all streams.
pub(crate) struct Standings {
    log: Arc<dyn EventLog>,
    /// `None` where others may write system events meanwhile.
    remembered: Option<Cache<StreamName, Standing>>,
    /// Appends pass a gate together; whoever changes a standing passes it alone.
    gates: Vec<RwLock<()>>,
}

impl Standings {
    /// With a memory only where nobody else writes system events.
    pub(crate) fn new(log: Arc<dyn EventLog>, remember: bool) -> Self {
        let remembered = remember.then(|| Cache::new(STANDINGS_MAX));
        Self { log, remembered, gates: (0..GATES).map(|_| RwLock::default()).collect() }
    }

    /// A stream and its metadata have one gate.
    fn gate(&self, stream: &StreamName) -> &RwLock<()> {
        let name = stream.as_str().strip_prefix("$$").unwrap_or(stream.as_str());
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(name);
        // Less than the number of gates, which any index can hold.
        &self.gates[usize::try_from(hash % GATES as u64).unwrap_or(0)]
    }

    /// While this is held the stream's standing stays as it is.
    pub(crate) async fn share(&self, stream: &StreamName) -> Shared<'_> {
        Shared { _gate: self.gate(stream).read().await, standings: self }
    }

    /// While this is held nobody appends to the stream or deletes it.
    pub(crate) async fn hold(&self, stream: &StreamName) -> Held<'_> {
        Held { _gate: self.gate(stream).write().await, standings: self }
    }

    async fn find(&self, stream: &StreamName) -> Result<Standing, LogError> {
        let known = self.remembered.as_ref().and_then(|remembered| remembered.get(stream));
        if let Some(standing) = known {
            return Ok(standing);
        }
        let standing = self.load(stream).await?;
        self.remember(stream, standing);
        Ok(standing)
    }

    fn remember(&self, stream: &StreamName, standing: Standing) {
        if let Some(remembered) = &self.remembered {
            remembered.insert(stream.clone(), standing);
        }
    }

    async fn load(&self, stream: &StreamName) -> Result<Standing, LogError> {
        let log = &*self.log;
        if let Some(described) = stream.described() {
            // Of a stream's metadata only the last counts, and it goes with the stream.
            let last = last_event(log, &described).await?;
            let tombstoned = is_tombstone(last.as_ref());
            return Ok(Standing { tombstoned, max_count: Some(1), ..Standing::default() });
        }
        let metadata = stream.metadata();
        let (last, metadata) =
            futures::try_join!(last_event(log, stream), last_event(log, &metadata))?;
        let standing = Standing { tombstoned: is_tombstone(last.as_ref()), ..Standing::default() };
        Ok(standing.limited_by(metadata.as_ref()))
    }
}

fn is_tombstone(last: Option<&RecordedEvent>) -> bool {
    last.is_some_and(|event| &*event.kind == TOMBSTONE_KIND)
}

/// A stream's gate, passed together with others.
pub(crate) struct Shared<'a> {
    _gate: RwLockReadGuard<'a, ()>,
    standings: &'a Standings,
}

impl Shared<'_> {
    /// The standing of the stream whose gate this is.
    pub(crate) async fn standing(&self, stream: &StreamName) -> Result<Standing, LogError> {
        self.standings.find(stream).await
    }
}

/// A stream's gate, passed alone.
pub(crate) struct Held<'a> {
    _gate: RwLockWriteGuard<'a, ()>,
    standings: &'a Standings,
}

impl Held<'_> {
    /// The standing of the stream whose gate this is.
    pub(crate) async fn standing(&self, stream: &StreamName) -> Result<Standing, LogError> {
        self.standings.find(stream).await
    }

    /// The next reader looks at the log again. Called after every change, also after one that
    /// failed: it may have happened all the same.
    pub(crate) fn forget(&self, stream: &StreamName) {
        if let Some(remembered) = &self.standings.remembered {
            remembered.remove(stream);
            remembered.remove(&stream.metadata());
        }
    }
}
