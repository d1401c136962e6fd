//! kill -9 at random moments under load: nothing acknowledged is lost, nothing is done twice.
//!
//! Clients retry with the same idempotency key until they have an answer. The moment of a kill is a
//! random number of answers after the start, so that it falls anywhere within the work. Where the
//! event log is a process of its own, it is killed as well.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use accord_domain::Role;
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::audit::Exported;
use crate::client::Caller;
use crate::server::{Site, accord};
use crate::stage::{QUAZZAR, Stage, company, contact, deal, email, today};

const KILLS: usize = 50;
const CLIENTS: usize = 16;
/// The longest life of a server, in answers.
const ANSWERS_MAX: u64 = 120;
/// Partners whose sealed contact is opened at the end.
const CONTACTS_OPENED: usize = 50;

/// Refusals of a command that came before the policies of the one before it, which a crash cut
/// short.
const UNFINISHED: &[&str] = &["deal-wrong-status", "licence-not-found", "licence-change-pending"];

/// A server's address, and which start it was: a port may come back.
type Address = (usize, String);

/// What all clients share.
struct Load {
    caller: Caller,
    program: String,
    server: watch::Receiver<Address>,
    answers: AtomicU64,
    answered: Notify,
    over: AtomicBool,
}

impl Load {
    /// Sends a command until it is acknowledged, whatever happens to the server meanwhile.
    async fn insist(&self, key: &str, path: &str, body: &Value) -> Value {
        let mut server = self.server.clone();
        loop {
            let (start, caller) = self.caller_now(&mut server);
            let request = caller.request(reqwest::Method::POST, path);
            match attempt(request.header("Idempotency-Key", key).json(body)).await {
                None => gone(&mut server, start).await,
                // After a crash a command may be acknowledged before its policies have followed.
                Some((409, problem)) if UNFINISHED.iter().any(|code| problem["code"] == *code) => {}
                Some((503, _)) => {}
                // Whoever comes second is told so; that is the answer.
                Some((409, problem)) if problem["code"] == "opportunity-taken" => {
                    return self.answered(problem);
                }
                Some((200 | 201, answer)) => return self.answered(answer),
                Some((status, problem)) => panic!("{key}: {status} {problem:#}"),
            }
        }
    }

    /// Reads a resource, whatever happens to the server meanwhile.
    async fn look(&self, path: &str) -> Value {
        let mut server = self.server.clone();
        loop {
            let (start, caller) = self.caller_now(&mut server);
            let seen = self.caller.seen.load(Ordering::Relaxed);
            let path = format!("{path}?min_position={seen}");
            match attempt(caller.request(reqwest::Method::GET, &path)).await {
                None => gone(&mut server, start).await,
                Some((200, row)) => return row,
                Some((503, _)) => {}
                Some((status, problem)) => panic!("{path}: {status} {problem:#}"),
            }
        }
    }

    /// The caller on the server of this moment.
    fn caller_now(&self, server: &mut watch::Receiver<Address>) -> (usize, Caller) {
        let (start, url) = server.borrow_and_update().clone();
        let base = format!("{url}/v1/programs/{}", self.program);
        (start, Caller { base, ..self.caller.clone() })
    }

    fn answered(&self, answer: Value) -> Value {
        let position = answer["position"].as_u64().unwrap();
        self.caller.seen.fetch_max(position, Ordering::Relaxed);
        self.answers.fetch_add(1, Ordering::Relaxed);
        self.answered.notify_one();
        answer
    }

    /// One client's work, turn by turn. Returns the answers of each.
    async fn work(self: Arc<Self>, client: usize) -> Vec<Vec<Value>> {
        let mut turns = Vec::new();
        while !self.over.load(Ordering::Relaxed) {
            let name = format!("Company {client} {}", turns.len());
            let mut turn = Turn { load: &self, name, answers: Vec::new() };
            let holder = turn.register_deal().await;
            turn.contend(holder, turns.len() % 2 == 1).await;
            turn.change_licence().await;
            turns.push(turn.answers);
        }
        turns
    }
}

/// One round of a client: everything in it has the round's own name.
struct Turn<'a> {
    load: &'a Load,
    name: String,
    answers: Vec<Value>,
}

impl Turn<'_> {
    /// Sends a command under a key of its own; the id in its answer.
    async fn send(&mut self, step: &str, path: &str, body: &Value) -> Uuid {
        let answer = self.load.insist(&format!("{} {step}", self.name), path, body).await;
        let id = if answer["id"].is_null() { &answer["deal"] } else { &answer["id"] };
        let id = crate::client::id_in(id);
        self.answers.push(answer);
        id
    }

    async fn add_partner(&mut self, name: &str) -> Uuid {
        let body = json!({
            "command": "add", "company": company(name), "track": "partner",
            "level": "silver", "contacts": [contact("sales", name)],
        });
        self.send(&format!("add {name}"), "partners", &body).await
    }

    /// A deal that is protected, with some activity.
    async fn register_deal(&mut self) -> Uuid {
        let partner = self.add_partner(&self.name.clone()).await;
        let body = deal(partner, &company(&self.name), "cloud-os");
        let deal = self.send("draft", "deals", &body).await;
        self.send("submit", &format!("deals/{deal}/submit"), &json!({})).await;
        for step in ["call", "visit"] {
            let body = json!({ "activity": format!("{} {step}", self.name), "on": today() });
            self.send(step, &format!("deals/{deal}/record-activity"), &body).await;
        }
        deal
    }

    /// Another partner registers the same; it steps back, or the holder loses its deal.
    async fn contend(&mut self, holder: Uuid, holder_ends: bool) {
        let partner = self.add_partner(&format!("Rival of {}", self.name)).await;
        let body = deal(partner, &company(&self.name), "cloud-os");
        let contender = self.send("draft again", "deals", &body).await;
        self.send("submit again", &format!("deals/{contender}/submit"), &json!({})).await;
        let body = json!({ "reason": "no budget" });
        if holder_ends {
            self.send("lose", &format!("deals/{holder}/mark-lost"), &body).await;
        } else {
            self.send("withdraw", &format!("deals/{contender}/withdraw"), &body).await;
        }
    }

    /// A licence, an upgrade that is cancelled and one that is paid.
    async fn change_licence(&mut self) {
        let servers = |quantity: u32| json!([{ "sku": "cloud-os-server", "quantity": quantity }]);
        let request = json!({
            "kind": "new", "customer": company(&self.name), "currency": "EUR",
            "items": servers(10), "starts_on": today(), "term_months": 12,
        });
        let body = json!({ "payment": "invoice", "request": request });
        let order = self.send("order", "orders", &body).await;
        let paid = json!({ "paid_on": today(), "reference": "INV-2026-0042" });
        self.send("pay", &format!("orders/{order}/complete"), &paid).await;
        let licence = self.load.look(&format!("orders/{order}")).await["licence"].clone();
        let upgrade = |quantity: u32| {
            let items = servers(quantity);
            let request = json!({ "kind": "upgrade", "licence": licence, "items": items });
            json!({ "payment": "invoice", "request": request })
        };
        let dropped = self.send("upgrade", "orders", &upgrade(11)).await;
        let body = json!({ "reason": "another quantity" });
        self.send("cancel", &format!("orders/{dropped}/cancel"), &body).await;
        let order = self.send("upgrade again", "orders", &upgrade(12)).await;
        self.send("pay again", &format!("orders/{order}/complete"), &paid).await;
    }
}

/// Status and body; nothing where the server has gone.
async fn attempt(request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    Some((status, response.json().await.ok()?))
}

/// Waits for the server after the one of this start.
async fn gone(server: &mut watch::Receiver<Address>, start: usize) {
    let next = server.wait_for(|(current, _)| *current != start).await;
    drop(next.expect("there is always another server"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_under_load_lose_no_acknowledged_command_and_double_none() {
    let mut site = Site::start(&[]);
    let stage = Stage::on(&site, QUAZZAR).await;
    let (sender, server) = watch::channel((0, site.url().to_owned()));
    let load = Arc::new(Load {
        caller: stage.bearer(&stage.claims("mia", &[Role::ChannelManager, Role::Finance], None)),
        program: stage.program.to_string(),
        server,
        answers: AtomicU64::new(0),
        answered: Notify::new(),
        over: AtomicBool::new(false),
    });
    let clients: Vec<_> =
        (0..CLIENTS).map(|client| tokio::spawn(load.clone().work(client))).collect();
    for kill in 1..=KILLS {
        let random = Uuid::new_v4().as_u128() as u64 % ANSWERS_MAX;
        let enough = load.answers.load(Ordering::Relaxed) + 1 + random;
        while load.answers.load(Ordering::Relaxed) < enough {
            load.answered.notified().await;
        }
        // Over the wire it is the log's process every second time, and the server goes on.
        if kill % 2 == 0 && site.replace_log() {
            continue;
        }
        // Dropping a server kills it at once.
        site = site.restart(drop);
        sender.send((kill, site.url().to_owned())).unwrap();
    }
    load.over.store(true, Ordering::Relaxed);
    let clients = join_all(clients).await.into_iter().map(Result::unwrap).collect::<Vec<_>>();
    let stage = stage.moved_to(&site);
    check_deals(&stage, &clients).await;
    check_licences(&stage, clients.iter().map(Vec::len).sum()).await;
    check_log(&stage, &clients).await;
    check_partners(&stage).await;
    let data = site.stop();
    let verified = accord(["verify", "--data", data.path().to_str().unwrap()]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

/// Every acknowledged event is in the log once, and the log holds nothing that was not wanted.
async fn check_log(stage: &Stage, clients: &[Vec<Vec<Value>>]) {
    let lines = stage.auditor().export("").await;
    let mut places: HashMap<Uuid, (String, u64)> = HashMap::new();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut activities: HashMap<String, usize> = HashMap::new();
    for event in lines.iter().map(|line| Exported::read(line)) {
        let place = (event.stream.to_owned(), event.revision);
        assert_eq!(places.insert(event.id, place), None, "{} is there twice", event.id);
        *counts.entry(event.kind).or_default() += 1;
        if event.kind == "DealActivityRecorded" {
            let text = event.data()["activity"].as_str().unwrap().to_owned();
            *activities.entry(text).or_default() += 1;
        }
    }
    for answer in clients.iter().flatten().flatten() {
        // A refusal has no events.
        for event in answer["events"].as_array().into_iter().flatten() {
            let id = crate::partners::id(event);
            let place = places.get(&id).unwrap_or_else(|| panic!("{id} is lost: {answer:#}"));
            assert_eq!(answer["stream"], place.0);
            assert_eq!(event["revision"], place.1);
        }
    }
    assert!(activities.values().all(|count| *count == 1), "an activity was recorded twice");
    let turns: usize = clients.iter().map(Vec::len).sum();
    assert!(turns >= CLIENTS, "only {turns} turns");
    assert_eq!(activities.len(), 2 * turns);
    let expected = [
        ("PartnerRegistered", 2),
        ("DealDrafted", 2),
        ("OrderPlaced", 3),
        ("OrderCompleted", 2),
        ("OrderCancelled", 1),
        ("LicenceIssued", 1),
        ("LicenceUpgraded", 1),
    ];
    for (kind, times) in expected {
        assert_eq!(counts[kind], times * turns, "{kind}");
    }
    // A crash may leave no time to reserve: the payment or the cancellation has come first then.
    assert!(
        counts["LicenceReserved"] <= 2 * turns && counts["LicenceReservationReleased"] <= turns
    );
    assert_eq!(counts.get("OrderRefused"), None, "nobody else changed a licence");
}

/// Of two registrations of one opportunity one is protected in the end, and no conflict is open.
async fn check_deals(stage: &Stage, clients: &[Vec<Vec<Value>>]) {
    let turns: usize = clients.iter().map(Vec::len).sum();
    let lost: usize = clients.iter().map(|turns| turns.len() / 2).sum();
    let mut expected = vec![
        json!({ "status": "lost", "count": lost }),
        json!({ "status": "protected", "count": turns }),
        json!({ "status": "withdrawn", "count": turns - lost }),
    ];
    expected.retain(|column| column["count"] != 0);
    let manager = stage.manager();
    // What a crash cut short is finished behind the requests.
    manager.get_until("deal-board", |board| *board == json!(expected)).await;
    let settled = |page: &Value| page["items"].as_array().unwrap().is_empty();
    manager.get_until("conflicts?status=open", settled).await;
    let protections = stage.auditor().export("&type=DealProtected").await;
    assert_eq!(protections.len(), turns + lost, "a holder, and whoever came after one that lost");
}

/// Every licence has taken the paid upgrade, and nothing of the cancelled one.
async fn check_licences(stage: &Stage, turns: usize) {
    let licences = stage.manager().all("licences?limit=200").await;
    assert_eq!(licences.len(), turns);
    for licence in licences {
        assert_eq!(licence["servers"], 12, "{licence:#}");
        // What a crash cut short is finished behind the requests.
        let path = format!("licences/{}", licence["id"].as_str().unwrap());
        stage.manager().get_until(&path, |licence| licence["reserved_by"].is_null()).await;
    }
}

/// Read models and keys have come through as well.
async fn check_partners(stage: &Stage) {
    let partners = stage.manager().all("partners?limit=200").await;
    for partner in partners.iter().take(CONTACTS_OPENED) {
        let path = format!("partners/{}", partner["id"].as_str().unwrap());
        let row = stage.manager().get(&path).await.done();
        let name = row["name"].as_str().unwrap();
        assert_eq!(row["contacts"][0]["person"]["email"], email("sales", name));
    }
}
