//! The event log in a process of its own: what Accord does while it is away, and when it is back.
//!
//! With `ACCORD_TEST_OVER_THE_WIRE` set, all other stories run over such a process too.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Answer;
use crate::server::{LogServer, Site, accord};
use crate::stage::{QUAZZAR, Stage};

/// A log process on its data.
fn log() -> (TempDir, LogServer) {
    let data = tempfile::tempdir().unwrap();
    let log = LogServer::start(data.path(), "127.0.0.1:0");
    (data, log)
}

async fn readiness(site: &Site) -> (u16, Value) {
    let answer = Answer::of(reqwest::get(format!("{}/readyz", site.url())).await.unwrap()).await;
    (answer.status, answer.json())
}

/// Asks until the service says what is wanted of its readiness.
async fn wait_until_ready(site: &Site, ready: bool) -> Value {
    loop {
        match readiness(site).await {
            (200, found) if ready => return found,
            (503, found) if !ready => return found,
            _ => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test]
async fn while_the_log_is_away_commands_are_told_to_wait_and_its_return_heals_everything() {
    let (data, log) = log();
    let site = Site::start_over(log.url());
    let stage = Stage::on(&site, QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let manager = stage.manager();
    let body = json!({ "track": "partner", "level": "gold", "reason": "a good year" });
    let set_level = format!("partners/{partner}/set-level");
    let address = log.address();
    drop(log);

    let refused = manager.post_once("promotion", &set_level, body.clone()).await;
    refused.refused(503, "event-log-unavailable");
    assert_eq!(refused.header("retry-after"), "1");
    let told = wait_until_ready(&site, false).await;
    assert_eq!((&told["ready"], &told["event_log"]), (&json!(false), &json!(false)));
    let row = manager.get(&format!("partners/{partner}")).await.done();
    assert_eq!(row["tracks"]["partner"], "silver", "reads are served all the while");

    let _log = LogServer::start(data.path(), &address);
    wait_until_ready(&site, true).await;
    let answer = manager.post_once("promotion", &set_level, body).await.done();
    assert_eq!(answer["events"].as_array().map(Vec::len), Some(1), "{answer:#}");
    let row = manager.get(&format!("partners/{partner}")).await.done();
    assert_eq!(row["tracks"]["partner"], "gold", "the read models follow again");
}

#[tokio::test]
async fn a_server_may_start_before_its_log_is_there() {
    let (data, log) = log();
    let (url, address) = (log.url().to_owned(), log.address());
    drop(log);
    let site = Site::start_over(&url);
    wait_until_ready(&site, false).await;
    let _log = LogServer::start(data.path(), &address);
    wait_until_ready(&site, true).await;
    let stage = Stage::on(&site, QUAZZAR).await;
    stage.add_partner("Nube Srl", "silver").await;
}

#[tokio::test]
async fn replay_verify_and_rebuild_work_over_the_wire() {
    let (_data, log) = log();
    let site = Site::start_over(log.url());
    let stage = Stage::on(&site, QUAZZAR).await;
    stage.add_partner("Nube Srl", "silver").await;
    let exported = stage.auditor().export("").await;
    stage.manager().all("partners").await;
    let data = site.stop();
    let at = ["--event-log", log.url(), "--data", data.path().to_str().unwrap()];
    let run = |command: &str| accord([command].into_iter().chain(at));
    let replayed = run("replay");
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    let lines = String::from_utf8(replayed.stdout).unwrap();
    assert_eq!(lines.lines().count(), exported.len());
    for command in ["verify", "rebuild", "verify"] {
        let output = run(command);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
