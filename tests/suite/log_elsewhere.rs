//! A server whose event log is elsewhere: everything works over it, an outage is told and heals,
//! and a log moves between a data directory and a server.
//!
//! With `ACCORD_TEST_OVER_THE_WIRE` set, all other stories run over a log process too.

use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Answer;
use crate::server::{LogServer, Site, accord};
use crate::stage::{QUAZZAR, Stage, company, contact};

/// What is promised after an event log has come back.
const HEALING_TIME_MAX: Duration = Duration::from_secs(10);

/// An event log that keeps its address while it comes and goes.
struct Log {
    data: TempDir,
    address: String,
}

impl Log {
    /// With the port that its first process was given.
    fn new() -> (Self, LogServer) {
        let data = tempfile::tempdir().unwrap();
        let running = LogServer::start(data.path(), "127.0.0.1:0");
        (Self { data, address: running.address() }, running)
    }

    fn start(&self) -> LogServer {
        LogServer::start(self.data.path(), &self.address)
    }

    fn url(&self) -> String {
        format!("esdb://{}?tls=false", self.address)
    }

    fn site(&self) -> Site {
        Site::start(&["--event-log", &self.url()])
    }

    /// A command over this log and a data directory.
    fn accord(&self, command: &str, data: &Path) -> Output {
        accord([command, "--data", data.to_str().unwrap(), "--event-log", &self.url()])
    }
}

#[track_caller]
fn said(output: &Output) -> String {
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
    said
}

async fn readiness(site: &Site) -> Answer {
    Answer::of(reqwest::get(format!("{}/readyz", site.url())).await.unwrap()).await
}

async fn until_ready(site: &Site) {
    let began = Instant::now();
    while readiness(site).await.status != 200 {
        assert!(began.elapsed() < HEALING_TIME_MAX, "{}", readiness(site).await.text);
        tokio::task::yield_now().await;
    }
}

fn partner(name: &str) -> Value {
    json!({
        "command": "add", "company": company(name), "track": "partner", "level": "silver",
        "contacts": [contact("sales", name)],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_runs_over_a_log_elsewhere_and_every_command_works_with_it() {
    let (log, running) = Log::new();
    let site = log.site();
    let stage = Stage::on(&site, QUAZZAR).await;
    let id = stage.add_partner("Nube Srl", "silver").await;
    let shown = stage.manager().get(&format!("partners/{id}")).await.done();
    assert_eq!(shown["tracks"]["partner"], "silver", "{shown}");
    assert!(!site.data().join("log.db").exists(), "the log is elsewhere");

    let data = site.stop();
    let told = said(&log.accord("replay", data.path()));
    assert!(told.lines().count() >= 4 && told.contains(&format!("partner-{id}")), "{told}");
    assert_eq!(said(&accord(["replay", "--event-log", &log.url()])), told);
    assert!(said(&log.accord("verify", data.path())).contains("tables agree"));
    assert!(said(&log.accord("rebuild", data.path())).contains("now live"));
    let settings = format!("event_log = \"{}\"", log.url());
    std::fs::write(data.path().join("accord.toml"), settings).unwrap();
    assert!(said(&accord(["verify", "--data", data.path().to_str().unwrap()])).contains("agree"));
    drop(running);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_log_is_away_nothing_is_acknowledged_and_all_heals_when_it_is_back() {
    let (log, running) = Log::new();
    let site = log.site();
    let stage = Stage::on(&site, QUAZZAR).await;
    let before = stage.add_partner("Nube Srl", "silver").await;
    let manager = stage.manager();
    manager.get(&format!("partners/{before}")).await.done();

    drop(running);
    let refused = manager.post_once("again-and-again", "partners", partner("Cielo Srl")).await;
    refused.refused(503, "event-log-unavailable");
    assert!(!refused.header("retry-after").is_empty());
    let unready = readiness(&site).await;
    assert_eq!((unready.status, &unready.json()["event_log"]), (503, &json!(false)));
    manager.get(&format!("partners/{before}")).await.done();

    let running = log.start();
    until_ready(&site).await;
    let added = manager.post_once("again-and-again", "partners", partner("Cielo Srl")).await;
    let again = manager.post_once("again-and-again", "partners", partner("Cielo Srl")).await;
    assert_eq!(added.done(), again.done());
    manager.get(&format!("partners/{}", added.id())).await.done();
    let told = said(&log.accord("replay", site.data()));
    let first = format!("\"stream\":\"partner-{}\",\"revision\":0,", added.id());
    assert_eq!(told.matches(&first).count(), 1, "{told}");
    drop(running);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_may_start_before_its_log() {
    let (log, running) = Log::new();
    drop(running);
    let site = log.site();
    assert_eq!(readiness(&site).await.status, 503);
    let running = log.start();
    until_ready(&site).await;
    let stage = Stage::on(&site, QUAZZAR).await;
    stage.add_partner("Nube Srl", "silver").await;
    drop(running);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_moves_to_a_server_and_the_program_goes_on_there() {
    let site = Site::start(&[]);
    let stage = Stage::on(&site, QUAZZAR).await;
    let id = stage.add_partner("Nube Srl", "silver").await;
    let data = site.stop();
    let (log, running) = Log::new();
    let directory = data.path().to_str().unwrap();
    let copy = ["event-log", "copy", "--from", directory, "--to", &log.url()];
    let copied = said(&accord(copy));
    assert!(copied.contains("events agree, in order"), "{copied}");
    assert!(said(&accord(copy)).starts_with("copied 0 events"));
    assert_eq!(
        said(&accord(["replay", "--event-log", &log.url()])).lines().count(),
        said(&accord(["replay", "--data", directory])).lines().count()
    );

    // A directory keeps to its log until it is told otherwise.
    let other = Log::new();
    let site = Site::of(data, &["--event-log", &other.0.url()]);
    assert_eq!(readiness(&site).await.json()["event_log"], json!(false));
    let stage = stage.moved_to(&site);
    let refused = stage.manager().post_once("here", "partners", partner("Cielo Srl")).await;
    refused.refused(500, "internal");
    let data = site.stop();

    // The keys stay; what counts positions of the old log goes.
    std::fs::remove_dir_all(data.path().join("views")).unwrap();
    std::fs::remove_file(data.path().join("policies.position")).ok();
    std::fs::remove_file(data.path().join("log.identity")).unwrap();
    std::fs::remove_file(data.path().join("log.db")).unwrap();
    let site = Site::of(data, &["--event-log", &log.url()]);
    until_ready(&site).await;
    let stage = stage.moved_to(&site);
    let shown = stage.manager().get(&format!("partners/{id}")).await.done();
    assert_eq!(shown["name"], "Nube Srl", "{shown}");
    drop(running);
}

#[test]
fn a_password_in_an_address_is_nowhere_repeated() {
    for address in ["esdb://ops:geheim@127.0.0.1:port", "esdb://ops:geheim@127.0.0.1:1?tls=false"] {
        let outputs = [
            accord(["replay", "--event-log", address]),
            accord(["event-log", "copy", "--from", address, "--to", address]),
            accord(["replay", "--event-log", address, "--nonsense"]),
        ];
        for output in outputs {
            let told = [output.stdout, output.stderr].concat();
            let told = String::from_utf8_lossy(&told);
            assert!(!output.status.success() && !told.is_empty());
            assert!(!told.contains("geheim"), "{told}");
        }
    }
}
