//! `changes`: what happens, as server-sent events, without a gap after a reconnection.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Caller;
use crate::deals::protected;
use crate::reviews::ready;
use crate::server::Site;
use crate::stage::{QUAZZAR, Stage, ZEXTRAS};

/// A change that has not come by then never will.
const PATIENCE: Duration = Duration::from_secs(30);

/// One stream of changes.
struct Feed {
    response: reqwest::Response,
    unread: String,
}

impl Feed {
    async fn open(caller: &Caller, last_event_id: Option<&str>) -> Self {
        let mut request = caller.request(Method::GET, "changes");
        if let Some(id) = last_event_id {
            request = request.header("Last-Event-ID", id);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, unread: String::new() }
    }

    /// The next change: its id and its data.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.unread = rest;
                let field = |name: &str| {
                    let found = event.lines().find_map(|line| line.strip_prefix(name));
                    found.map(|text| text.trim_start().to_owned())
                };
                match (field("id:"), field("data:")) {
                    (Some(id), Some(data)) => return (id, serde_json::from_str(&data).unwrap()),
                    // A sign of life.
                    _ => continue,
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            let chunk = chunk.expect("no change came").unwrap().expect("the stream ended");
            self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn types(&mut self, count: usize) -> Vec<String> {
        let mut types = Vec::new();
        for _ in 0..count {
            types.push(self.next().await.1["type"].as_str().unwrap().to_owned());
        }
        types
    }
}

#[tokio::test]
async fn a_client_learns_what_a_command_did_and_misses_nothing_after_a_reconnection() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let manager = stage.manager();
    let mut feed = Feed::open(&manager, None).await;
    let body = json!({ "reason": "unpaid" });
    let answer = manager.post(&format!("partners/{partner}/suspend"), body).await.done();
    let (id, change) = feed.next().await;
    assert_eq!(change["type"], "PartnerSuspended");
    assert_eq!((&change["position"], &change["stream"]), (&answer["position"], &answer["stream"]));
    assert_eq!((id, &change["partner"]), (answer["position"].to_string(), &json!(partner)));
    assert_eq!(change.get("data"), None, "what happened is told, not what it says");
    let id = answer["position"].to_string();
    drop(feed);
    let body = json!({ "reason": "paid" });
    manager.post(&format!("partners/{partner}/reinstate"), body).await.done();
    let mut feed = Feed::open(&manager, Some(&id)).await;
    let body = json!({ "track": "partner", "level": "gold", "reason": "certified" });
    manager.post(&format!("partners/{partner}/set-level"), body).await.done();
    assert_eq!(feed.types(2).await, ["PartnerReinstated", "LevelChanged"]);
}

#[tokio::test]
async fn a_client_may_follow_from_the_beginning() {
    let stage = Stage::open(QUAZZAR).await;
    let mut feed = Feed::open(&stage.manager(), Some("0")).await;
    let published = ["RulebookDrafted", "RulebookApproved", "RulebookAnnounced"];
    assert_eq!(feed.types(3).await, published);
}

#[tokio::test]
async fn partners_are_told_of_their_own_changes_only() {
    let stage = Stage::open(QUAZZAR).await;
    let [own, other] =
        [stage.add_partner("Uno", "gold").await, stage.add_partner("Due", "gold").await];
    let mut feed = Feed::open(&stage.seller(own), None).await;
    protected(&stage, other, "Comune di Bari").await;
    let deal = protected(&stage, own, "Comune di Lecce").await;
    for expected in ["DealDrafted", "DealSubmitted"] {
        let change = feed.next().await.1;
        assert_eq!((&change["type"], &change["partner"]), (&json!(expected), &json!(own)));
        assert_eq!(change["stream"], format!("deal-{deal}"));
    }
}

#[tokio::test]
async fn partners_are_not_told_of_the_steps_towards_a_decision() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = stage.admit_partner("Rete Nova").await;
    let mut feed = Feed::open(&stage.partner_admin(partner), None).await;
    let review = ready(&stage, partner, "silver").await;
    let body = json!({ "reason": "opened twice" });
    stage.manager().post(&format!("level-reviews/{review}/withdraw"), body).await.done();
    assert_eq!(feed.types(2).await, ["LevelReviewOpened", "LevelReviewWithdrawn"]);
}

#[tokio::test]
async fn a_stream_of_changes_ends_with_the_service_and_does_not_hold_it_up() {
    let site = Site::start(&["--drain-time-max", "60s"]);
    let stage = Stage::on(&site, QUAZZAR).await;
    let mut feed = Feed::open(&stage.manager(), None).await;
    let started = std::time::Instant::now();
    let stopped = tokio::task::spawn_blocking(move || site.stop());
    let end = tokio::time::timeout(PATIENCE, feed.response.chunk()).await;
    assert_eq!(end.expect("the stream stays open").unwrap(), None, "it ends properly");
    stopped.await.unwrap();
    assert!(started.elapsed() < PATIENCE, "it took {:?}", started.elapsed());
}

#[tokio::test]
async fn a_last_event_id_that_is_no_position_is_refused() {
    let stage = Stage::open(QUAZZAR).await;
    let manager = stage.manager();
    let request = manager.request(Method::GET, "changes").header("Last-Event-ID", "yesterday");
    manager.send(request).await.refused(400, "malformed-request");
}
