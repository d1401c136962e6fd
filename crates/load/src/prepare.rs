//! What a run needs, made over HTTP: a rulebook in force, partners, protected deals, certificates.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use accord_domain::Day;
use anyhow::{Context, bail};
use serde_json::Value;
use uuid::Uuid;

use crate::bodies;
use crate::drive::{Source, Stop, Window, drive};
use crate::random::Random;
use crate::seat::FIRST_EXPIRY_DAYS;
use crate::target::{Caller, Server};
use crate::wire::{Answer, Connection};

/// The preparation as a whole is cut off after this time, each step for itself.
const STEP_TIME_MAX: Duration = Duration::from_secs(1800);

/// Pages read to find partners and places to begin at.
const PAGES_MAX: usize = 1_000;
const PAGE_ROWS: usize = 200;

/// Who prepares what, and where.
pub(crate) struct Preparation {
    pub(crate) server: Server,
    pub(crate) caller: Caller,
    pub(crate) program: String,
    pub(crate) run: String,
    pub(crate) clients: usize,
    pub(crate) today: Day,
    pub(crate) stop: Stop,
    /// The highest position answered.
    pub(crate) position: Arc<AtomicU64>,
}

/// Partners of the program, and cursors at every 200th.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    pub(crate) partners: Vec<Uuid>,
    pub(crate) cursors: Vec<String>,
}

impl Preparation {
    /// Publishes the load rulebook where the program has none: drafted by one person, approved by
    /// another one, in force from today.
    pub(crate) async fn publish(&self, admin: &str, approver: &str) -> anyhow::Result<()> {
        let (admin, approver) = (self.as_caller(admin), self.as_caller(approver));
        let mut connection = Connection::open(self.server.address).await?;
        let mut request = String::new();
        let draft = bodies::rulebook(&self.program);
        admin.post_toml(&mut request, "rulebooks", "load-draft", &draft);
        expect_success(&connection.exchange(request.as_bytes()).await?, "drafting a rulebook")?;
        approver.post(&mut request, "rulebooks/1/approve", "load-approve", "{}");
        expect_success(&connection.exchange(request.as_bytes()).await?, "approving it")?;
        let effective = format!(r#"{{"effective_on":"{}"}}"#, self.today);
        admin.post(&mut request, "rulebooks/1/announce", "load-announce", &effective);
        expect_success(&connection.exchange(request.as_bytes()).await?, "announcing it")
    }

    fn as_caller(&self, token: &str) -> Caller {
        Caller::new(&self.server, &self.program, token)
    }

    /// Whether any version of a rulebook is there.
    pub(crate) async fn has_rulebook(&self) -> anyhow::Result<bool> {
        let mut connection = Connection::open(self.server.address).await?;
        let mut request = String::new();
        self.caller.get(&mut request, "rulebooks");
        let answer = connection.exchange(request.as_bytes()).await?;
        if answer.status == 404 {
            return Ok(false);
        }
        expect_success(&answer, "reading the rulebooks")?;
        Ok(answer.body != b"[]")
    }

    /// All partners that the program has, by name.
    pub(crate) async fn directory(&self) -> anyhow::Result<Directory> {
        let mut connection = Connection::open(self.server.address).await?;
        let (mut request, mut found) = (String::new(), Directory::default());
        let position = self.position.load(Ordering::Relaxed);
        let first = format!("partners?limit={PAGE_ROWS}&min_position={position}");
        self.caller.get(&mut request, &first);
        for _ in 0..PAGES_MAX {
            let answer = connection.exchange(request.as_bytes()).await?;
            if answer.status == 503 {
                continue; // The read models are still catching up; every try waits.
            }
            expect_success(&answer, "reading the partners")?;
            let page: Value = serde_json::from_slice(answer.body)?;
            let items = page["items"].as_array().context("a page has no `items`")?;
            let id = |item: &Value| item["id"].as_str()?.parse::<Uuid>().ok();
            let ids = items.iter().filter_map(id);
            found.partners.extend(ids);
            let Some(cursor) = page["next"].as_str() else { break };
            found.cursors.push(cursor.to_owned());
            self.caller.get(&mut request, &format!("partners?limit={PAGE_ROWS}&cursor={cursor}"));
        }
        Ok(found)
    }

    /// Adds partners `from..to`.
    pub(crate) async fn partners(&self, from: usize, to: usize) -> anyhow::Result<Vec<Uuid>> {
        let caller = self.caller.clone();
        self.send("partners", to.saturating_sub(from), move |index, body, request| {
            let number = from + index;
            bodies::add_partner(body, number as u64);
            caller.post(request, "partners", &format!("load-partner-{number}"), body);
        })
        .await
    }

    /// Drafts and submits deals, which protects them.
    pub(crate) async fn deals(&self, count: usize, of: &[Uuid]) -> anyhow::Result<Vec<Uuid>> {
        let (caller, run, partners) = (self.caller.clone(), self.run.clone(), of.to_vec());
        let today = self.today;
        let deals = self.send("deals", count, move |index, body, request| {
            let key = format!("{run}-deal-{index}");
            let partner = partners[index % partners.len()];
            let mut random = Random::new(index as u64);
            bodies::draft_deal(body, (partner, &key), today, &mut random);
            caller.post(request, "deals", &key, body);
        });
        let deals = deals.await?;
        let (caller, run, drafts) = (self.caller.clone(), self.run.clone(), deals.clone());
        self.send("submissions", count, move |index, _, request| {
            let path = format!("deals/{}/submit", drafts[index]);
            caller.post(request, &path, &format!("{run}-submit-{index}"), "{}");
        })
        .await?;
        Ok(deals)
    }

    pub(crate) async fn certificates(
        &self,
        count: usize,
        of: &[Uuid],
    ) -> anyhow::Result<Vec<Uuid>> {
        let (caller, run, partners) = (self.caller.clone(), self.run.clone(), of.to_vec());
        let days = (self.today, self.today.plus_days(FIRST_EXPIRY_DAYS));
        self.send("certificates", count, move |index, body, request| {
            let partner = partners[index % partners.len()];
            bodies::issue_certificate(body, partner, days, &mut Random::new(index as u64));
            caller.post(request, "certificates", &format!("{run}-certificate-{index}"), body);
        })
        .await
    }

    /// Sends a number of commands over all clients; returns the answered ids in order.
    async fn send<W>(&self, what: &str, count: usize, write: W) -> anyhow::Result<Vec<Uuid>>
    where
        W: Fn(usize, &mut String, &mut String) + Send + Sync + 'static,
    {
        if count == 0 {
            return Ok(Vec::new());
        }
        eprintln!("preparing {count} {what}");
        let (next, write) = (Arc::new(AtomicUsize::new(0)), Arc::new(write));
        let maker = || Maker {
            next: next.clone(),
            count,
            write: write.clone(),
            body: String::new(),
            current: 0,
            made: Vec::new(),
            position: self.position.clone(),
        };
        let makers = (0..self.clients.min(count)).map(|_| maker()).collect();
        let window = Window { warm_up: Duration::ZERO, counted: STEP_TIME_MAX };
        let (tally, makers) = drive(self.server.address, makers, &window, &self.stop).await?;
        if let Some(problem) = tally.problems.first() {
            bail!("preparing {what}: {problem}");
        }
        let mut made: Vec<_> = makers.into_iter().flat_map(|maker| maker.made).collect();
        if made.len() < count {
            bail!("preparing {what} was stopped after {} of {count}", made.len());
        }
        made.sort_unstable();
        Ok(made.into_iter().map(|(_, id)| id).collect())
    }
}

pub(crate) fn expect_success(answer: &Answer<'_>, what: &str) -> anyhow::Result<()> {
    if answer.is_success() {
        return Ok(());
    }
    bail!("{what}: status {}: {}", answer.status, answer.excerpt())
}

/// A client that takes the next number, sends its command and keeps the answered id.
struct Maker<W> {
    next: Arc<AtomicUsize>,
    count: usize,
    write: Arc<W>,
    body: String,
    current: usize,
    made: Vec<(usize, Uuid)>,
    position: Arc<AtomicU64>,
}

impl<W: Fn(usize, &mut String, &mut String) + Send + Sync + 'static> Source for Maker<W> {
    fn next(&mut self, request: &mut String) -> Option<usize> {
        self.current = self.next.fetch_add(1, Ordering::Relaxed);
        if self.current >= self.count {
            return None;
        }
        (self.write)(self.current, &mut self.body, request);
        Some(0)
    }

    fn answered(&mut self, answer: &Answer<'_>) -> anyhow::Result<()> {
        let id = answer.member("id").and_then(|id| id.parse().ok());
        self.made.push((self.current, id.context("an answer has no `id`")?));
        let position = answer.member("position").and_then(|text| text.parse().ok());
        self.position
            .fetch_max(position.context("an answer has no `position`")?, Ordering::Relaxed);
        Ok(())
    }

    fn goes_on_after_refusal(&self) -> bool {
        false
    }
}
