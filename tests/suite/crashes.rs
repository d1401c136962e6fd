//! kill -9 at random moments under load: nothing acknowledged is lost, nothing is done twice.
//!
//! Clients retry with the same idempotency key until they have an answer. The moment of a kill is a
//! random number of answers after the start, so that it falls anywhere within the work.

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
            let (start, url) = server.borrow_and_update().clone();
            let base = format!("{url}/v1/programs/{}", self.program);
            let caller = Caller { base, ..self.caller.clone() };
            match attempt(&caller, key, path, body).await {
                None => {
                    let next = server.wait_for(|(current, _)| *current != start).await;
                    drop(next.expect("there is always another server"));
                }
                // After a crash a submission may be acknowledged before its policies have followed.
                Some((409, problem)) if problem["code"] == "deal-wrong-status" => {}
                Some((503, _)) => {}
                Some((200 | 201, answer)) => {
                    let position = answer["position"].as_u64().unwrap();
                    self.caller.seen.fetch_max(position, Ordering::Relaxed);
                    self.answers.fetch_add(1, Ordering::Relaxed);
                    self.answered.notify_one();
                    return answer;
                }
                Some((status, problem)) => panic!("{key}: {status} {problem:#}"),
            }
        }
    }

    /// One client's work: a partner, its deal, activity; over and over. Returns all answers.
    async fn work(self: Arc<Self>, client: usize) -> Vec<Value> {
        let mut answers = Vec::new();
        for turn in 0.. {
            if self.over.load(Ordering::Relaxed) {
                break;
            }
            let name = format!("Company {client} {turn}");
            let body = json!({
                "command": "add", "company": company(&name), "track": "partner",
                "level": "silver", "contacts": [contact("sales", &name)],
            });
            let key = |step: &str| format!("{name} {step}");
            answers.push(self.insist(&key("add"), "partners", &body).await);
            let partner = crate::partners::id(&answers[answers.len() - 1]);
            let body = deal(partner, &company(&name), "cloud-os");
            answers.push(self.insist(&key("draft"), "deals", &body).await);
            let deal = format!("deals/{}", crate::partners::id(&answers[answers.len() - 1]));
            let submit = format!("{deal}/submit");
            answers.push(self.insist(&key("submit"), &submit, &json!({})).await);
            for step in ["call", "visit"] {
                let body = json!({ "activity": key(step), "on": today() });
                let path = format!("{deal}/record-activity");
                answers.push(self.insist(&key(step), &path, &body).await);
            }
        }
        answers
    }
}

/// Status and body; nothing where the server has gone.
async fn attempt(caller: &Caller, key: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
    let request = caller.request(reqwest::Method::POST, path).header("Idempotency-Key", key);
    let response = request.json(body).send().await.ok()?;
    let status = response.status().as_u16();
    Some((status, response.json().await.ok()?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_under_load_lose_no_acknowledged_command_and_double_none() {
    let mut site = Site::start(&[]);
    let stage = Stage::on(&site, QUAZZAR).await;
    let (sender, server) = watch::channel((0, site.url().to_owned()));
    let load = Arc::new(Load {
        caller: stage.staff("mia", Role::ChannelManager),
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
        // Dropping a server kills it at once.
        site = site.restart(drop);
        sender.send((kill, site.url().to_owned())).unwrap();
    }
    load.over.store(true, Ordering::Relaxed);
    let answers = join_all(clients).await.into_iter().flat_map(Result::unwrap).collect();
    let stage = stage.moved_to(&site);
    check_log(&stage, answers).await;
    check_read_models(&stage).await;
    let data = site.stop();
    let verified = accord(["verify", "--data", data.path().to_str().unwrap()]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

/// Every acknowledged event is in the log once, and the log holds nothing that was not wanted.
async fn check_log(stage: &Stage, answers: Vec<Value>) {
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
    for answer in &answers {
        for event in answer["events"].as_array().unwrap() {
            let id = crate::partners::id(event);
            let place = places.get(&id).unwrap_or_else(|| panic!("{id} is lost: {answer:#}"));
            assert_eq!(answer["stream"], place.0);
            assert_eq!(event["revision"], place.1);
        }
    }
    assert!(activities.values().all(|count| *count == 1), "an activity was recorded twice");
    let turns = answers.len() / 5;
    assert!(turns >= CLIENTS, "only {turns} turns");
    for kind in ["PartnerRegistered", "DealDrafted", "DealSubmitted", "DealProtected"] {
        assert_eq!(counts[kind], turns, "{kind}");
    }
    assert_eq!(counts["OpportunityClaimed"], turns);
    assert_eq!(activities.len(), 2 * turns);
}

/// Read models and keys have come through as well.
async fn check_read_models(stage: &Stage) {
    let deals = stage.manager().all("deals?limit=200").await;
    assert!(deals.iter().all(|deal| deal["status"] == "protected" && deal["activities"] == 2));
    let partners = stage.manager().all("partners?limit=200").await;
    assert_eq!(partners.len(), deals.len());
    for partner in partners.iter().take(CONTACTS_OPENED) {
        let path = format!("partners/{}", partner["id"].as_str().unwrap());
        let row = stage.manager().get(&path).await.done();
        let name = row["name"].as_str().unwrap();
        assert_eq!(row["contacts"][0]["person"]["email"], email("sales", name));
    }
}
