//! The contract of an aggregate, and what a decision may know.

use std::{fmt::Debug, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    CommandId, Day, DomainEvent, PartnerId, PersonalData, Subject, Timestamp, rulebook::Rulebook,
};

/// A consistency boundary: one stream, one state, one decider.
pub trait Aggregate: Default + Clone + Debug + PartialEq + Send + Sync + 'static {
    /// The stream's category: streams are named `{CATEGORY}-{uuid}`.
    const CATEGORY: &'static str;

    /// Imperative. Externally tagged in kebab-case, which is also its place in a URL.
    type Command: Clone + Debug + Serialize + DeserializeOwned + JsonSchema + Send + Sync;

    /// Past tense. Externally tagged; the tag is the stored type name, a contract for ever.
    type Event: Event;

    /// Why a command is refused.
    type Error: Refusal;

    /// Decides a command. No events: the wish already holds.
    fn decide(
        &self,
        command: Self::Command,
        context: &Context,
    ) -> Result<Vec<Self::Event>, Self::Error>;

    /// Folds one event. Never fails: an event carries all that is needed.
    #[must_use]
    fn evolve(self, event: &Self::Event) -> Self;

    /// The partner that this aggregate belongs to, once it has one: the scope of partners' users.
    fn partner(&self) -> Option<PartnerId>;

    /// The rulebook version that an open case keeps; `None` lets the one in force decide.
    fn rulebook_version(&self) -> Option<u32> {
        None
    }
}

/// A fact of one aggregate, as stored.
pub trait Event:
    Clone
    + Debug
    + PartialEq
    + Serialize
    + DeserializeOwned
    + JsonSchema
    + Into<DomainEvent>
    + Send
    + Sync
    + 'static
{
    /// The persons' data inside, to be sealed before storing and opened after reading.
    fn personal_data(&mut self) -> Vec<&mut PersonalData> {
        Vec::new()
    }
}

/// What kind of no a refusal is; the edge turns it into a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// A rule of the program or of the aggregate's life cycle says no.
    Rule,
    /// The aggregate does not exist.
    NotFound,
    /// A value in the command cannot be right, whatever the state.
    InvalidValue,
}

/// A typed refusal. Its serialised form is flat: `{"code": "<rule>", ...facts}`; the code is the
/// variant's name in kebab-case and is stable. Display is one plain sentence for the caller.
pub trait Refusal:
    std::error::Error + Clone + PartialEq + Serialize + JsonSchema + Send + Sync + 'static
{
    fn kind(&self) -> RefusalKind {
        RefusalKind::Rule
    }
}

/// Roles a token may carry. `System` is Accord itself: policies and timers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    ProgramAdmin,
    ChannelManager,
    ChannelDirector,
    Enablement,
    Finance,
    Marketing,
    Compliance,
    Auditor,
    Reporting,
    PartnerAdmin,
    PartnerUser,
    System,
}

impl Role {
    /// Whether the role belongs to a partner's own people, who see only their partner's data.
    pub fn is_partner(self) -> bool {
        matches!(self, Self::PartnerAdmin | Self::PartnerUser)
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub subject: Subject,
    /// Display name; a person's data.
    pub name: String,
    /// The role under which this command is allowed.
    pub role: Role,
    /// The partner that the actor acts for, where the role is a partner's.
    pub acting_for: Option<PartnerId>,
}

/// All that a decision may know besides the state: nothing is fetched, nothing is random.
#[derive(Debug, Clone)]
pub struct Context {
    pub now: Timestamp,
    /// Today in the program's calendar.
    pub today: Day,
    pub actor: Actor,
    /// The command being decided; ids of whatever it creates derive from it.
    pub command_id: CommandId,
    /// The aggregate's own id (the stream's).
    pub aggregate_id: Uuid,
    /// The rulebook in force for this case, and its version.
    pub rules: Arc<Rulebook>,
    pub rulebook_version: u32,
}

impl Context {
    /// An id for something that this command creates, the same on every retry.
    pub fn derived_id(&self, name: &str) -> Uuid {
        Uuid::new_v5(&self.command_id.0, name.as_bytes())
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! Given past events, when a command, then events or a refusal.

    use std::sync::Arc;

    use uuid::Uuid;

    use super::{Actor, Aggregate, Context, Role};
    use crate::{CommandId, Day, Subject, rulebook::Rulebook};

    pub(crate) struct Given<A>(pub(crate) A);

    pub(crate) fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
        Given(events.into_iter().fold(A::default(), |state, event| state.evolve(&event)))
    }

    impl<A: Aggregate> Given<A> {
        pub(crate) fn when(
            self,
            command: A::Command,
            context: &Context,
        ) -> Result<Vec<A::Event>, A::Error> {
            self.0.decide(command, context)
        }
    }

    /// A channel manager named `subject` on that day, under version 1 of the rulebook.
    pub(crate) fn context(rules: &str, today: &str, subject: &str) -> Context {
        let today: Day = today.parse().unwrap();
        Context {
            now: today.0.and_hms_opt(12, 0, 0).unwrap().and_utc(),
            today,
            actor: Actor {
                subject: Subject(subject.to_owned()),
                name: subject.to_owned(),
                role: Role::ChannelManager,
                acting_for: None,
            },
            command_id: CommandId(Uuid::from_u128(7)),
            aggregate_id: Uuid::from_u128(1),
            rules: Arc::new(Rulebook::from_toml(rules).unwrap()),
            rulebook_version: 1,
        }
    }

    /// The shipped rulebook of a vendor whose levels set prices.
    pub(crate) const QUAZZAR: &str = include_str!("../../../ops/programs/quazzar.toml");
    /// The shipped rulebook of a vendor whose levels are decided in reviews.
    pub(crate) const ZEXTRAS: &str = include_str!("../../../ops/programs/zextras.toml");
}
