//! Policies: what an event sets off in other streams.
//!
//! Each reaction is a command whose id derives from the event, so it takes effect exactly once: at
//! once within the request that caused it, and without effect when the policy runner comes by later
//! or the log is replayed.

mod deals;
mod orders;
mod partners;
mod runner;

use accord_domain::{Actor, Aggregate, CommandId, DomainEvent, EventId, ProgramId, Role, Subject};
use futures::future::BoxFuture;
use uuid::Uuid;

use crate::transact::Executed;
use crate::{App, AppError, Call, Outcome};

pub use runner::PolicyRunner;

/// An event that a policy may react to.
#[derive(Debug, Clone)]
pub struct Trigger {
    pub program: ProgramId,
    /// The aggregate that the event belongs to.
    pub aggregate: Uuid,
    pub event_id: EventId,
    pub correlation: Uuid,
    pub event: DomainEvent,
}

impl Trigger {
    /// The call of one reaction; `step` tells several reactions to one event apart.
    fn call(&self, name: &str, step: &str) -> Call {
        let command_id = CommandId(Uuid::new_v5(&self.event_id.0, step.as_bytes()));
        let mut call = system_call(&self.program, command_id, name, self.event_id.0);
        call.correlation = self.correlation;
        call
    }
}

/// A call by Accord itself.
pub(crate) fn system_call(
    program: &ProgramId,
    command_id: CommandId,
    name: &str,
    causation: Uuid,
) -> Call {
    Call {
        program: program.clone(),
        actor: Actor {
            subject: Subject("accord".to_owned()),
            name: String::new(),
            role: Role::System,
            acting_for: None,
        },
        command_id,
        command: name.to_owned(),
        // A derived id stands for one command only; there is no body to tell apart.
        digest: [0; 32],
        correlation: causation,
        causation,
        if_match: None,
        reason: None,
    }
}

impl App {
    /// Carries out a command and everything that policies make of it.
    pub async fn execute<A: Aggregate>(
        &self,
        id: Uuid,
        command: A::Command,
        call: &Call,
    ) -> Result<Outcome, AppError> {
        // A reaction belongs to the command that set it off.
        let is_first = call.correlation == call.command_id.0;
        let _underway = is_first.then(|| self.running.begin(call.correlation));
        let Executed { mut outcome, events } = self.transact::<A>(id, command, call).await?;
        for (event_id, event) in events {
            let trigger = Trigger {
                program: call.program.clone(),
                aggregate: id,
                event_id,
                correlation: call.correlation,
                event,
            };
            match self.follow(&trigger).await {
                Ok(followed) => followed.into_iter().for_each(|it| merge(&mut outcome, it)),
                // The command itself is done and on disk; the policy runner finishes the rest.
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(event = %trigger.event_id, error, "left to the policy runner");
                }
            }
        }
        Ok(outcome)
    }

    /// Carries out what policies make of one event. Without effect where that was done before.
    pub fn follow<'a>(
        &'a self,
        trigger: &'a Trigger,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, AppError>> {
        // Boxed, because a reaction is a command that may have reactions.
        Box::pin(async move {
            match &trigger.event {
                DomainEvent::Deal(event) => self.after_deal(trigger, event).await,
                DomainEvent::Opportunity(event) => self.after_opportunity(trigger, event).await,
                DomainEvent::Order(event) => self.after_order(trigger, event).await,
                DomainEvent::LevelReview(event) => self.after_review(trigger, event).await,
                DomainEvent::Certificate(event) => self.after_certificate(trigger, event).await,
                DomainEvent::Partner(event) => self.after_partner(trigger, event).await,
                DomainEvent::Program(_) | DomainEvent::Licence(_) => Ok(Vec::new()),
            }
        })
    }

    /// One reaction. A refusal means that the world has moved on since the event: no effect.
    pub(crate) async fn react<A: Aggregate>(
        &self,
        trigger: &Trigger,
        (id, step): (Uuid, &str),
        name: &str,
        command: A::Command,
    ) -> Result<Option<Outcome>, AppError> {
        let call = trigger.call(name, step);
        match self.execute::<A>(id, command, &call).await {
            Ok(outcome) => Ok(Some(outcome)),
            Err(AppError::Refused(report)) => {
                tracing::debug!(event = %trigger.event_id, name, code = report.code, "no reaction");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Adds what a reaction did to the answer of the command that caused it.
fn merge(outcome: &mut Outcome, followed: Outcome) {
    outcome.position = outcome.position.max(followed.position);
    if followed.stream == outcome.stream && followed.revision > outcome.revision {
        outcome.revision = followed.revision;
        outcome.events.extend(followed.events);
    }
}
