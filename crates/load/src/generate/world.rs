//! What all stories share: the rulebook, the clock, the people; and how a decision becomes events.

use std::sync::Arc;

use accord_app::program_stream_id;
use accord_domain::metadata::{ActorRecord, CommandRecord, Metadata};
use accord_domain::partner::{Partner, PartnerStanding};
use accord_domain::personal::SealedPerson;
use accord_domain::program::{Program, ProgramCommand};
use accord_domain::rulebook::Rulebook;
use accord_domain::{
    Actor, Aggregate, CommandId, Context, Day, PartnerId, PersonId, PersonalData, ProgramId, Role,
    Subject, Timestamp, aggregate::Event, event::encode,
};
use accord_eventlog::{NewEvent, event_hash};
use anyhow::{Context as _, anyhow};
use chrono::{TimeDelta, Utc};
use uuid::Uuid;

use super::stream::{Append, Stream};
use crate::bodies;
use crate::random::Random;

const SPAN_DAYS: i64 = 730;

/// Channel managers who act in turn.
const STAFF: u64 = 12;

/// Length of a sealed person with a usual name and e-mail address: nonce, data and tag in base64.
const SEALED_CHARS: usize = 216;

/// Why a command is sent.
pub(crate) enum Cause {
    /// A member of staff wants it.
    Staff,
    /// A policy reacts to an event; the step tells several reactions apart.
    Event(Uuid, String),
}

/// What a decision came to.
pub(crate) struct Decided<A: Aggregate> {
    pub(crate) append: Append,
    pub(crate) events: Vec<(Uuid, A::Event)>,
}

/// The simulated program.
pub(crate) struct World {
    rules: Arc<Rulebook>,
    program: ProgramId,
    begin: Timestamp,
    now: Timestamp,
    counter: u64,
    pub(crate) random: Random,
    /// Standing of every partner that has joined.
    pub(crate) partners: Vec<PartnerStanding>,
}

impl World {
    /// A program under the load rulebook, two years ago.
    pub(crate) fn new(program: &str) -> anyhow::Result<Self> {
        let rules = Rulebook::from_toml(&bodies::rulebook(program))
            .map_err(|mistakes| anyhow!("the load rulebook is wrong: {mistakes:?}"))?;
        let begin = Utc::now() - TimeDelta::days(SPAN_DAYS);
        Ok(Self {
            rules: Arc::new(rules),
            program: program.parse()?,
            begin,
            now: begin,
            counter: 0,
            random: Random::new(0),
            partners: Vec::new(),
        })
    }

    pub(crate) fn today(&self) -> Day {
        Day::of_instant(self.now)
    }

    /// Moves the clock to where `done` of `all` events belong.
    pub(crate) fn advance_clock(&mut self, done: u64, all: u64) {
        let span_ms = u128::from(SPAN_DAYS.unsigned_abs()) * 86_400_000;
        let passed_ms = span_ms * u128::from(done.min(all)) / u128::from(all.max(1));
        let passed_ms = i64::try_from(passed_ms).unwrap_or(i64::MAX);
        self.now = self.now.max(self.begin + TimeDelta::milliseconds(passed_ms));
    }

    /// A number that was not there before.
    pub(crate) fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub(crate) fn new_id(&mut self) -> Uuid {
        let number = self.count();
        Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes())
    }

    /// One of the partners; the caller makes sure that there is one.
    pub(crate) fn partner(&mut self) -> PartnerStanding {
        self.partners[self.random.index(self.partners.len())].clone()
    }

    /// The rulebook, drafted, approved by another person and in force from the first day.
    pub(crate) fn publish(&mut self) -> anyhow::Result<Vec<Append>> {
        let mut stream = Stream::<Program>::new(program_stream_id(&self.program));
        let document = Box::new(Rulebook::clone(&self.rules));
        let (version, effective_on) = (1, self.today());
        let commands = [
            ("draft", ProgramCommand::DraftRulebook { document }),
            ("approve", ProgramCommand::ApproveRulebook { version }),
            ("announce", ProgramCommand::AnnounceRulebook { version, effective_on }),
        ];
        let decided = commands
            .into_iter()
            .map(|command| Ok(self.decide(&mut stream, command, Cause::Staff)?.append));
        decided.collect()
    }

    /// Lets the aggregate decide, and packs its events as Accord does.
    pub(crate) fn decide<A: Aggregate>(
        &mut self,
        stream: &mut Stream<A>,
        (name, command): (&str, A::Command),
        cause: Cause,
    ) -> anyhow::Result<Decided<A>> {
        let (context, causation) = self.context(stream.id, cause);
        let mut events = stream
            .state
            .decide(command, &context)
            .with_context(|| format!("`{name}` was refused on {}", context.today))?;
        for event in &events {
            stream.state = std::mem::take(&mut stream.state).evolve(event);
        }
        events.iter_mut().flat_map(Event::personal_data).for_each(seal);
        let is_partner = A::CATEGORY == Partner::CATEGORY;
        let partner = if is_partner { Some(PartnerId(stream.id)) } else { stream.state.partner() };
        let (expected, ids) = (stream.expected(), event_ids(context.command_id));
        let mut metadata = self.metadata(&context, name, (causation, partner));
        let mut packed = Vec::with_capacity(events.len());
        for (event, id) in events.iter().zip(ids) {
            metadata.previous = stream.last_hash.map(hex::encode);
            packed.push(pack(stream, id, event, &metadata)?);
        }
        let append = Append { stream: stream.name(), expected, events: packed };
        let events = event_ids(context.command_id).zip(events).collect();
        Ok(Decided { append, events })
    }

    fn context(&mut self, aggregate_id: Uuid, cause: Cause) -> (Context, Uuid) {
        self.now += TimeDelta::microseconds(1);
        let (command_id, subject, role) = match &cause {
            Cause::Staff => {
                let number = self.count();
                let subject = format!("staff-{}", number % STAFF);
                (
                    Uuid::new_v5(&Uuid::NAMESPACE_URL, &number.to_be_bytes()),
                    subject,
                    Role::ChannelManager,
                )
            }
            Cause::Event(event, step) => {
                (Uuid::new_v5(event, step.as_bytes()), "accord".to_owned(), Role::System)
            }
        };
        let causation = match cause {
            Cause::Staff => command_id,
            Cause::Event(event, _) => event,
        };
        let context = Context {
            now: self.now,
            today: self.today(),
            actor: Actor {
                name: subject.clone(),
                subject: Subject(subject),
                role,
                acting_for: None,
            },
            command_id: CommandId(command_id),
            aggregate_id,
            rules: self.rules.clone(),
            rulebook_version: 1,
        };
        (context, causation)
    }

    fn metadata(
        &self,
        context: &Context,
        name: &str,
        (causation, partner): (Uuid, Option<PartnerId>),
    ) -> Metadata {
        let actor = &context.actor;
        let person = PersonId(Uuid::new_v5(&Uuid::NAMESPACE_OID, actor.subject.0.as_bytes()));
        let digest = if actor.role == Role::System { [0; 32] } else { [7; 32] };
        Metadata {
            correlation: causation,
            causation,
            program: self.program.clone(),
            partner,
            actor: ActorRecord {
                subject: actor.subject.clone(),
                role: actor.role,
                acting_for: None,
                name: (actor.role != Role::System).then(|| sealed(person)),
            },
            command: CommandRecord {
                id: context.command_id,
                name: name.to_owned(),
                digest: hex::encode(digest),
            },
            recorded_at: context.now,
            rulebook_version: context.rulebook_version,
            reason: None,
            schema_version: 1,
            previous: None,
        }
    }
}

/// Ids of a command's events, in order.
fn event_ids(command: CommandId) -> impl Iterator<Item = Uuid> {
    (0_u64..).map(move |index| Uuid::new_v5(&command.0, &index.to_be_bytes()))
}

fn pack<A: Aggregate>(
    stream: &mut Stream<A>,
    id: Uuid,
    event: &A::Event,
    metadata: &Metadata,
) -> anyhow::Result<NewEvent> {
    let (kind, data) = encode(event);
    let metadata = serde_json::to_vec(metadata)?;
    let place = (id, &stream.name(), stream.length);
    stream.last_hash = Some(event_hash(place, &kind, &data, &metadata));
    stream.length += 1;
    Ok(NewEvent { id, kind: kind.into(), data: data.into(), metadata: metadata.into() })
}

fn seal(data: &mut PersonalData) {
    *data = PersonalData::Sealed(sealed(data.person()));
}

fn sealed(person: PersonId) -> SealedPerson {
    SealedPerson { person, sealed: "A".repeat(SEALED_CHARS) }
}
