//! One client's work: it picks requests from the mix, keeps its own deals and certificates, and
//! knows what it was promised.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use accord_domain::Day;
use anyhow::{Context, ensure};
use uuid::Uuid;

use crate::bodies;
use crate::drive::Source;
use crate::mix::{Mix, Operation};
use crate::random::Random;
use crate::target::Caller;
use crate::wire::Answer;

/// Days from today to a prepared certificate's first expiry.
pub(crate) const FIRST_EXPIRY_DAYS: u32 = 30;

/// Every renewal adds a day; the catalogue allows 24 months from today.
const RENEWALS_MAX: u64 = 690;

/// Every so many-th new deal is looked for after the run.
const DRAFTS_CHECKED_EVERY: u64 = 16;

/// What all clients share.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) caller: Caller,
    pub(crate) mix: Mix,
    pub(crate) today: Day,
    /// Tells this run's keys and customers from other runs'.
    pub(crate) run: String,
    pub(crate) partners: Vec<Uuid>,
    /// Where pages of partners begin.
    pub(crate) cursors: Vec<String>,
    /// The highest position that any answer has named.
    pub(crate) position: Arc<AtomicU64>,
}

/// A stream that only this client writes to.
#[derive(Debug, Clone)]
pub(crate) struct Owned {
    pub(crate) id: Uuid,
    /// Revision in the last answer; each answer must name the next one.
    pub(crate) revision: Option<u64>,
    sent: u64,
}

impl Owned {
    pub(crate) fn new(id: Uuid) -> Self {
        Self { id, revision: None, sent: 0 }
    }
}

/// One client.
pub(crate) struct Seat {
    scene: Arc<Scene>,
    number: usize,
    random: Random,
    sent: u64,
    body: String,
    last: (Operation, usize),
    pub(crate) deals: Vec<Owned>,
    pub(crate) certificates: Vec<Owned>,
    pub(crate) partners: Vec<Owned>,
    /// Deals drafted during the run, to be looked for afterwards.
    pub(crate) drafts: Vec<Uuid>,
}

impl Seat {
    /// The client of this number out of `seats`, with its share of everything.
    pub(crate) fn new(
        scene: &Arc<Scene>,
        (number, seats): (usize, usize),
        deals: &[Uuid],
        certificates: &[Uuid],
    ) -> Self {
        let share = |ids: &[Uuid]| -> Vec<Owned> {
            ids.iter().skip(number).step_by(seats).map(|id| Owned::new(*id)).collect()
        };
        Self {
            scene: scene.clone(),
            number,
            random: Random::new(number as u64),
            sent: 0,
            body: String::new(),
            last: (Operation::DraftDeal, 0),
            deals: share(deals),
            certificates: share(certificates),
            partners: share(&scene.partners),
            drafts: Vec::new(),
        }
    }

    /// What the client is about to do; work that it has nothing left for becomes a new deal.
    fn choose(&mut self) -> (Operation, usize) {
        let operation = self.scene.mix.pick(&mut self.random);
        let owned = match operation {
            Operation::RecordActivity | Operation::ReadDeal => &self.deals,
            Operation::RenewCertificate => &self.certificates,
            Operation::RecordReference => &self.partners,
            _ => return (operation, 0),
        };
        let index = self.random.index(owned.len());
        let renewable = |owned: &Owned| owned.sent < RENEWALS_MAX;
        match owned.get(index) {
            Some(found) if operation != Operation::RenewCertificate || renewable(found) => {
                (operation, index)
            }
            _ => (Operation::DraftDeal, 0),
        }
    }

    fn owned_mut(&mut self) -> Option<&mut Owned> {
        let (operation, index) = self.last;
        match operation {
            Operation::RecordActivity => self.deals.get_mut(index),
            Operation::RenewCertificate => self.certificates.get_mut(index),
            Operation::RecordReference => self.partners.get_mut(index),
            _ => None,
        }
    }

    fn write_command(&mut self, request: &mut String) {
        let (operation, _) = self.last;
        let scene = self.scene.clone();
        self.sent += 1;
        let (sent, today) = (self.sent, scene.today);
        let owned = self.owned_mut().map(|owned| {
            owned.sent += 1;
            (owned.id, u32::try_from(owned.sent).unwrap_or(u32::MAX))
        });
        let (id, renewals) = owned.unwrap_or_default();
        let key = format!("{}-{}-{sent}", scene.run, self.number);
        let body = &mut self.body;
        let path = match operation {
            Operation::RecordActivity => {
                bodies::record_activity(body, sent, today);
                format!("deals/{id}/record-activity")
            }
            Operation::RenewCertificate => {
                let expires_on = today.plus_days(FIRST_EXPIRY_DAYS + renewals);
                bodies::renew_certificate(body, today, expires_on);
                format!("certificates/{id}/renew")
            }
            Operation::RecordReference => {
                bodies::record_reference(body, sent);
                format!("partners/{id}/record-reference")
            }
            _ => {
                let partner = self.random.pick(&scene.partners).copied().unwrap_or_default();
                bodies::draft_deal(body, (partner, &key), today, &mut self.random);
                "deals".to_owned()
            }
        };
        scene.caller.post(request, &path, &key, body);
    }

    fn write_query(&mut self, request: &mut String) {
        let (scene, random) = (&self.scene, &mut self.random);
        let partner = random.pick(&scene.partners).copied().unwrap_or_default();
        let path = match self.last {
            (Operation::PageByCursor, _) if !scene.cursors.is_empty() => {
                let cursor = &scene.cursors[random.index(scene.cursors.len())];
                format!("partners?limit=20&cursor={cursor}")
            }
            (Operation::ReadPartner, _) => format!("partners/{partner}"),
            (Operation::ReadDeal, index) => format!("deals/{}", self.deals[index].id),
            (Operation::DealBoard, _) => {
                format!("deals?limit=20&status=protected&partner={partner}")
            }
            _ => format!("partners?limit=20&name={}", bodies::name_prefix(random)),
        };
        scene.caller.get(request, &path);
    }

    /// A promise: it must hold after the run, and it must be the next one of its stream.
    fn acknowledged(&mut self, answer: &Answer<'_>) -> anyhow::Result<()> {
        let number = |name: &str| -> anyhow::Result<u64> {
            let found = answer.member(name).and_then(|text| text.parse().ok());
            found.with_context(|| format!("an answer has no `{name}`: {}", answer.excerpt()))
        };
        let (revision, position) = (number("revision")?, number("position")?);
        ensure!(
            answer.member("type").is_some(),
            "a command was accepted but recorded nothing: {}",
            answer.excerpt()
        );
        self.scene.position.fetch_max(position, Ordering::Relaxed);
        if let Some(owned) = self.owned_mut() {
            let expected = owned.revision.map(|last| last + 1);
            ensure!(
                expected.is_none_or(|expected| expected == revision),
                "{}: revision {revision} was answered, {expected:?} was due",
                owned.id
            );
            owned.revision = Some(revision);
        } else if self.sent.is_multiple_of(DRAFTS_CHECKED_EVERY) {
            let id = answer.member("id").and_then(|id| id.parse().ok());
            self.drafts.push(id.context("an answer has no `id`")?);
        }
        Ok(())
    }
}

impl Source for Seat {
    fn next(&mut self, request: &mut String) -> Option<usize> {
        self.last = self.choose();
        if self.last.0.is_command() {
            self.write_command(request);
        } else {
            self.write_query(request);
        }
        Some(self.last.0 as usize)
    }

    fn answered(&mut self, answer: &Answer<'_>) -> anyhow::Result<()> {
        if self.last.0.is_command() { self.acknowledged(answer) } else { Ok(()) }
    }
}
