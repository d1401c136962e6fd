//! One command, from state to stored events.

use std::sync::Arc;

use accord_domain::aggregate::Event;
use accord_domain::partner::Partner;
use accord_domain::personal::{PersonDetails, SealedPerson};
use accord_domain::program::Program;
use accord_domain::{
    Actor, Aggregate, CommandId, Context, DomainEvent, EventId, PartnerId, PersonId, ProgramId,
    Role,
};
use accord_eventlog::{EventLog, KeyStore, KeyStoreError, LogError, NewEvent, StreamName};
use quick_cache::sync::Cache;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::call::NAMESPACE;
use crate::envelope::Envelope;
use crate::repository::{Loaded, Repository};
use crate::rulebooks::Rules;
use crate::running::Running;
use crate::{AppError, Call, Clock, EventRef, FactSource, Outcome, PersonalVault, RefusalReport};

/// How often a command is decided anew after another writer was faster.
const ATTEMPTS_MAX: usize = 8;

/// Commands remembered across streams, to notice a key that is reused for another target.
const RECENT_COMMANDS_MAX: usize = 50_000;

/// Sealed names of actors kept in memory.
const ACTOR_NAMES_MAX: usize = 10_000;

/// Writers to one stream in this process wait for each other; streams share this many locks.
const LOCKS: usize = 1_024;

/// The application service. Cheap to share behind an `Arc`.
pub struct App {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) repository: Repository,
    pub(crate) clock: Clock,
    pub(crate) facts: Arc<dyn FactSource>,
    pub(crate) running: Running,
    vault: PersonalVault,
    locks: Vec<Mutex<()>>,
    recent: Cache<CommandId, [u8; 32]>,
    actor_names: Cache<(PersonId, String), Option<SealedPerson>>,
}

/// A decision on its way into the log.
struct Decision<A: Aggregate> {
    events: Vec<A::Event>,
    state: A,
    partner: Option<PartnerId>,
    rulebook_version: u32,
}

/// What a command came to, and which of its events policies react to.
pub(crate) struct Executed {
    pub(crate) outcome: Outcome,
    pub(crate) events: Vec<(EventId, DomainEvent)>,
}

impl App {
    /// Wires the application to a log, a key store, a clock and a source of facts.
    pub fn new(
        log: Arc<dyn EventLog>,
        keys: Arc<dyn KeyStore>,
        clock: Clock,
        facts: Arc<dyn FactSource>,
    ) -> Self {
        Self {
            repository: Repository::new(log.clone()),
            log,
            clock,
            facts,
            running: Running::default(),
            vault: PersonalVault::new(keys),
            locks: (0..LOCKS).map(|_| Mutex::new(())).collect(),
            recent: Cache::new(RECENT_COMMANDS_MAX),
            actor_names: Cache::new(ACTOR_NAMES_MAX),
        }
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub fn vault(&self) -> &PersonalVault {
        &self.vault
    }

    pub fn log(&self) -> &Arc<dyn EventLog> {
        &self.log
    }

    /// An aggregate's current state, if it exists in this program and the actor may see it.
    pub async fn state<A: Aggregate>(&self, id: Uuid, call: &Call) -> Result<A, AppError> {
        let stream = StreamName::of(A::CATEGORY, id);
        let loaded = self.repository.load::<A>(&stream).await?;
        check_visible(&*loaded, id, call)?;
        if loaded.revision.is_none() {
            return Err(AppError::NotFound);
        }
        Ok(loaded.state.clone())
    }

    /// Carries out a command on one aggregate, without the policies that follow.
    pub(crate) async fn transact<A: Aggregate>(
        &self,
        id: Uuid,
        command: A::Command,
        call: &Call,
    ) -> Result<Executed, AppError> {
        self.check_key(call)?;
        let stream = StreamName::of(A::CATEGORY, id);
        let _alone = self.lock(&stream).await;
        // A creation reads its stream as well: it may be a retry, which the log would take for done
        // already and which must not pass for a first one, least of all with another body.
        let mut loaded = self.repository.load::<A>(&stream).await?;
        for _ in 0..ATTEMPTS_MAX {
            check_visible(&*loaded, id, call)?;
            if let Some(outcome) = replay(&loaded, id, &stream, call)? {
                return Ok(Executed { outcome, events: Vec::new() });
            }
            check_revision(&*loaded, call)?;
            let decision = self.decide(id, &loaded, command.clone(), call).await?;
            if decision.events.is_empty() {
                let outcome = unchanged(&loaded, id, &stream);
                return Ok(Executed { outcome, events: Vec::new() });
            }
            match self.append(id, &stream, loaded, decision, call).await {
                Err(AppError::Log(LogError::WrongExpectedVersion { actual, .. })) => {
                    if let Some(expected) = call.if_match {
                        return Err(AppError::RevisionMismatch { expected, actual });
                    }
                    loaded = self.repository.load(&stream).await?;
                }
                done => return done,
            }
        }
        Err(AppError::Contention)
    }

    async fn decide<A: Aggregate>(
        &self,
        id: Uuid,
        loaded: &Loaded<A>,
        command: A::Command,
        call: &Call,
    ) -> Result<Decision<A>, AppError> {
        let now = self.clock.now();
        let today = accord_domain::Day::of_instant(now);
        let (rulebook_version, rules) = self.rules_for(loaded, &command, call).await?;
        let context = Context {
            now,
            today,
            actor: call.actor.clone(),
            command_id: call.command_id,
            aggregate_id: id,
            rules,
            rulebook_version,
        };
        let events = loaded
            .state
            .decide(command, &context)
            .map_err(|refusal| AppError::Refused(RefusalReport::of(&refusal)))?;
        let state = events.iter().fold(loaded.state.clone(), |state, event| state.evolve(event));
        let partner = partner_of(&state, id);
        if !may_act(&call.actor, partner) {
            return Err(AppError::NotFound);
        }
        Ok(Decision { events, state, partner, rulebook_version })
    }

    /// The version that decides: the case's own, or the one in force. A program's first rulebook is
    /// drafted under none: the draft stands in for it.
    async fn rules_for<A: Aggregate>(
        &self,
        loaded: &Loaded<A>,
        command: &A::Command,
        call: &Call,
    ) -> Result<Rules, AppError> {
        let version = loaded.state.rulebook_version();
        match self.rules(&call.program, version, self.clock.today()).await {
            Err(AppError::NoRulebook(program)) if A::CATEGORY == Program::CATEGORY => {
                let known = self.program(&program).await?;
                let last = known.versions.values().next_back().map(|found| found.document.clone());
                last.or_else(|| drafted::<A>(command))
                    .map(|rules| (0, rules))
                    .ok_or(AppError::NoRulebook(program))
            }
            found => found,
        }
    }

    async fn append<A: Aggregate>(
        &self,
        id: Uuid,
        stream: &StreamName,
        loaded: Arc<Loaded<A>>,
        mut decision: Decision<A>,
        call: &Call,
    ) -> Result<Executed, AppError> {
        self.seal(&mut decision.events).await?;
        let envelope = Envelope {
            call,
            stream,
            partner: decision.partner,
            actor_name: self.actor_name(call).await?,
            recorded_at: self.clock.now(),
            rulebook_version: decision.rulebook_version,
        };
        let first = loaded.next_revision();
        let (packed, last_hash) = envelope.pack(&decision.events, first, loaded.last_hash)?;
        let references = references(&packed, first);
        let expected = loaded.expected();
        // The kept state leaves the cache before the append: whatever becomes of this task, a state
        // that the log has moved past is never kept.
        self.repository.forget(stream);
        let appended = self.log.append(stream, expected, packed).await?;
        let mut next = Arc::unwrap_or_clone(loaded);
        next.state = decision.state;
        next.program.get_or_insert_with(|| call.program.clone());
        next.last_hash = last_hash;
        for reference in &references {
            next.note((call.command_id, call.digest), reference.clone(), appended.position);
        }
        self.repository.keep(stream, Arc::new(next));
        self.recent.insert(call.command_id, call.digest);
        let outcome = Outcome {
            id,
            stream: stream.clone(),
            revision: appended.revision,
            position: appended.position,
            events: references,
            replayed: false,
        };
        let ids = outcome.events.iter().map(|event| event.id);
        let events = ids.zip(decision.events.into_iter().map(Into::into)).collect();
        Ok(Executed { outcome, events })
    }

    /// Seals persons' data; off the runtime's threads, for a new key goes to disk first.
    async fn seal<E: Event>(&self, events: &mut Vec<E>) -> Result<(), AppError> {
        if events.iter_mut().all(|event| event.personal_data().is_empty()) {
            return Ok(());
        }
        let vault = self.vault.clone();
        let mut sealed = std::mem::take(events);
        *events = blocking(move || {
            for data in sealed.iter_mut().flat_map(Event::personal_data) {
                vault.seal(data)?;
            }
            Ok(sealed)
        })
        .await?;
        Ok(())
    }

    /// The actor's sealed name, sealed once per name and kept; nothing once the actor was erased.
    async fn actor_name(&self, call: &Call) -> Result<Option<SealedPerson>, AppError> {
        if call.actor.role == Role::System {
            return Ok(None);
        }
        let person = actor_person(&call.program, &call.actor);
        let key = (person, call.actor.name.clone());
        if let Some(sealed) = self.actor_names.get(&key) {
            return Ok(sealed);
        }
        let vault = self.vault.clone();
        let name = call.actor.name.clone();
        let details = PersonDetails { person, name, email: String::new(), phone: None };
        let sealed = match blocking(move || vault.seal_details(&details)).await {
            Ok(sealed) => Some(sealed),
            Err(AppError::Keys(KeyStoreError::Erased)) => None,
            Err(error) => return Err(error),
        };
        self.actor_names.insert(key, sealed.clone());
        Ok(sealed)
    }

    fn check_key(&self, call: &Call) -> Result<(), AppError> {
        match self.recent.get(&call.command_id) {
            Some(digest) if digest != call.digest => Err(AppError::KeyReused),
            _ => Ok(()),
        }
    }

    async fn lock(&self, stream: &StreamName) -> tokio::sync::MutexGuard<'_, ()> {
        use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(stream);
        self.locks[hash as usize % LOCKS].lock().await
    }
}

/// The person behind an actor, whose key seals the actor's name.
pub(crate) fn actor_person(program: &ProgramId, actor: &Actor) -> PersonId {
    PersonId(Uuid::new_v5(&NAMESPACE, format!("actor\n{program}\n{}", actor.subject).as_bytes()))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyStoreError> + Send + 'static,
) -> Result<T, AppError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| KeyStoreError::Unavailable(Box::new(error)))?;
    Ok(done?)
}

/// A partner's own stream belongs to that partner.
fn partner_of<A: Aggregate>(state: &A, id: Uuid) -> Option<PartnerId> {
    if A::CATEGORY == Partner::CATEGORY { Some(PartnerId(id)) } else { state.partner() }
}

fn may_act(actor: &Actor, partner: Option<PartnerId>) -> bool {
    !actor.role.is_partner() || (partner.is_some() && actor.acting_for == partner)
}

/// An existing stream of another program or another partner is not found, as if it did not exist.
fn check_visible<A: Aggregate>(loaded: &Loaded<A>, id: Uuid, call: &Call) -> Result<(), AppError> {
    let Some(program) = &loaded.program else { return Ok(()) };
    if *program == call.program && may_act(&call.actor, partner_of(&loaded.state, id)) {
        Ok(())
    } else {
        Err(AppError::NotFound)
    }
}

fn check_revision<A: Aggregate>(loaded: &Loaded<A>, call: &Call) -> Result<(), AppError> {
    match call.if_match {
        Some(expected) if loaded.revision != Some(expected) => {
            Err(AppError::RevisionMismatch { expected, actual: loaded.revision })
        }
        _ => Ok(()),
    }
}

/// The first answer again, when the stream already holds this command.
fn replay<A: Aggregate>(
    loaded: &Loaded<A>,
    id: Uuid,
    stream: &StreamName,
    call: &Call,
) -> Result<Option<Outcome>, AppError> {
    let Some(entry) = loaded.command(call.command_id) else { return Ok(None) };
    if entry.digest != call.digest {
        return Err(AppError::KeyReused);
    }
    Ok(Some(Outcome {
        id,
        stream: stream.clone(),
        revision: entry.revision(),
        position: entry.position,
        events: entry.events.clone(),
        replayed: true,
    }))
}

fn unchanged<A: Aggregate>(loaded: &Loaded<A>, id: Uuid, stream: &StreamName) -> Outcome {
    Outcome {
        id,
        stream: stream.clone(),
        revision: loaded.revision.unwrap_or_default(),
        position: loaded.position,
        events: Vec::new(),
        replayed: false,
    }
}

fn references(packed: &[NewEvent], first: u64) -> Vec<EventRef> {
    let numbered = packed.iter().zip(first..);
    numbered
        .map(|(event, revision)| EventRef {
            id: EventId(event.id),
            kind: event.kind.clone(),
            revision,
        })
        .collect()
}

/// The rulebook inside a draft command.
fn drafted<A: Aggregate>(command: &A::Command) -> Option<Arc<accord_domain::rulebook::Rulebook>> {
    use accord_domain::program::ProgramCommand;
    let command: &dyn std::any::Any = command;
    match command.downcast_ref::<ProgramCommand>()? {
        ProgramCommand::DraftRulebook { document } => Some(Arc::new((**document).clone())),
        _ => None,
    }
}
