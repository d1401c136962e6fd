//! A desk: where somebody in the demo sends commands from. Real ones, through the application.

use std::sync::Arc;

use accord_app::{App, Call, Outcome, command_id};
use accord_domain::partner::{Partner, PartnerStanding};
use accord_domain::{Actor, Aggregate, PartnerId, ProgramId, Role, Subject};
use anyhow::Context;
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::cli::role_name;

/// Sends commands of one program; its name and a counter make the idempotency keys.
pub(crate) struct Desk {
    pub(crate) app: Arc<App>,
    pub(crate) program: ProgramId,
    name: String,
    sent: u32,
}

impl Desk {
    pub(crate) fn new(app: &Arc<App>, program: &ProgramId, name: String) -> Self {
        Self { app: Arc::clone(app), program: program.clone(), name, sent: 0 }
    }

    /// The circumstances of the next command.
    pub(crate) fn call(&mut self, by: &Actor, command: &str, reason: Option<String>) -> Call {
        self.sent += 1;
        let key = format!("demo-{}-{}", self.name, self.sent);
        let id = command_id(&self.program, &by.subject.0, &key);
        Call {
            program: self.program.clone(),
            actor: by.clone(),
            command_id: id,
            command: command.to_owned(),
            digest: Sha256::digest(format!("{command}\n{key}")).into(),
            correlation: id.0,
            causation: id.0,
            if_match: None,
            reason,
        }
    }

    /// Sends a command to an aggregate, or to a new one. A refusal is an error: the demo only does
    /// what the rules allow.
    pub(crate) async fn send<A: Aggregate>(
        &mut self,
        by: &Actor,
        id: Option<Uuid>,
        command: A::Command,
    ) -> anyhow::Result<Outcome> {
        let (name, reason) = name_and_reason(&command)?;
        let call = self.call(by, &name, reason);
        let id = id.unwrap_or_else(|| call.created_id());
        let sent = self.app.execute::<A>(id, command, &call).await;
        sent.with_context(|| format!("`{name}` on {}-{id}", A::CATEGORY))
    }

    /// How the partner of an aggregate stands.
    pub(crate) async fn standing_of<A: Aggregate>(
        &mut self,
        id: Uuid,
    ) -> anyhow::Result<PartnerStanding> {
        let partner = self.state::<A>(id).await?.partner();
        let partner = partner.with_context(|| format!("{}-{id} has no partner", A::CATEGORY))?;
        Ok(self.state::<Partner>(partner.0).await?.standing(partner))
    }

    /// An aggregate as it stands.
    pub(crate) async fn state<A: Aggregate>(&mut self, id: Uuid) -> anyhow::Result<A> {
        let by = actor(&self.program, Role::Auditor, 1);
        let call = self.call(&by, "look", None);
        let found = self.app.state::<A>(id, &call).await;
        found.with_context(|| format!("{}-{id} cannot be read", A::CATEGORY))
    }
}

/// Commands are externally tagged: the tag is the name.
fn name_and_reason(command: &impl Serialize) -> anyhow::Result<(String, Option<String>)> {
    let json = serde_json::to_value(command)?;
    let tagged = json.as_object().and_then(|object| object.iter().next());
    let (name, body) = tagged.context("a command is an object with one field")?;
    let reason = body.get("reason").and_then(|reason| reason.as_str()).map(str::to_owned);
    Ok((name.clone(), reason))
}

/// One of the vendor's people. The subject is opaque; the name is sealed in the log.
pub(crate) fn actor(program: &ProgramId, role: Role, number: u32) -> Actor {
    let place = role as u32 * 10 + number;
    Actor {
        subject: Subject(format!("staff-{place:03}")),
        name: format!("{} {number} of {program}", words(role)),
        role,
        acting_for: None,
    }
}

/// One of a partner's people.
pub(crate) fn partner_actor(partner: PartnerId, role: Role, name: &str) -> Actor {
    Actor {
        subject: Subject(format!("member-{}-{}", role as u32, partner.0.as_simple())),
        name: name.to_owned(),
        role,
        acting_for: Some(partner),
    }
}

fn words(role: Role) -> String {
    let name = role_name(role).replace('-', " ");
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
