//! The command line over a data directory: replay, verify, rebuild, tokens, rulebooks, the demo.

use std::path::{Path, PathBuf};
use std::process::Output;

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::audit::Exported;
use crate::deals::protected;
use crate::server::{Site, accord};
use crate::stage::{QUAZZAR, Stage, ZEXTRAS};
use crate::tidy::root;

/// A data directory with some history, and what the audit trail exported of it.
struct Past {
    data: TempDir,
    program: String,
    partner: Uuid,
    deal: Uuid,
    exported: Vec<String>,
}

impl Past {
    async fn live() -> Self {
        let site = Site::start(&[]);
        let stage = Stage::on(&site, QUAZZAR).await;
        let partner = stage.add_partner("Nube Srl", "silver").await;
        let deal = protected(&stage, partner, "Ospedale Maggiore").await;
        let body = json!({ "track": "partner", "level": "gold", "reason": "a good year" });
        stage.manager().post(&format!("partners/{partner}/set-level"), body).await.done();
        let other = Stage::on(&site, ZEXTRAS).await;
        other.admit_partner("Rete Nova").await;
        let exported = stage.auditor().export("").await;
        let program = stage.program.to_string();
        // Reads have seen everything, so that nothing is still on its way into the read models.
        other.manager().all("partners").await;
        Self { data: site.stop(), program, partner, deal, exported }
    }

    fn path(&self) -> &Path {
        self.data.path()
    }

    fn run(&self, command: &str, more: &[&str]) -> Output {
        let data = self.path().to_str().unwrap();
        accord([command, "--data", data].into_iter().chain(more.iter().copied()))
    }

    /// Ids of the events that a replay prints.
    fn replayed(&self, filter: &[&str]) -> Vec<Uuid> {
        let output = succeeded(self.run("replay", filter));
        output.lines().map(|line| Exported::read(line).id).collect()
    }

    /// The live read models' file.
    fn views(&self) -> PathBuf {
        let folder = self.path().join("views");
        let name = std::fs::read_to_string(folder.join("CURRENT")).unwrap();
        folder.join(name.trim())
    }
}

#[tokio::test]
async fn replay_prints_every_event_as_it_is_stored() {
    let past = Past::live().await;
    let output = succeeded(past.run("replay", &["--program", &past.program]));
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), past.exported.len());
    for (line, exported) in lines.iter().zip(&past.exported) {
        let (line, exported) = (Exported::read(line), Exported::read(exported));
        assert_eq!((line.id, line.position), (exported.id, exported.position));
        assert_eq!((line.data(), line.metadata()), (exported.data(), exported.metadata()));
    }
    let all = past.replayed(&[]);
    assert!(all.len() > lines.len(), "without a filter all programs are replayed");
}

#[tokio::test]
async fn replay_finds_events_by_stream_partner_type_and_time() {
    let past = Past::live().await;
    let stream = format!("deal-{}", past.deal);
    let partner = past.partner.to_string();
    let kinds = |filter: &[&str]| {
        let output = succeeded(past.run("replay", filter));
        output.lines().map(|line| Exported::read(line).kind.to_owned()).collect::<Vec<_>>()
    };
    let life = ["DealDrafted", "DealSubmitted", "DealReviewStarted", "DealProtected"];
    assert_eq!(kinds(&["--stream", &stream]), life);
    let levels = ["LevelChanged", "LevelChanged"];
    assert_eq!(kinds(&["--partner", &partner, "--type", "LevelChanged"]), levels);
    let middle = Exported::read(&past.exported[past.exported.len() / 2]).metadata();
    let middle = middle["recorded_at"].as_str().unwrap().to_owned();
    let [before, after] = [past.replayed(&["--to", &middle]), past.replayed(&["--from", &middle])];
    assert!(!before.is_empty() && !after.is_empty());
    assert_eq!([before, after].concat(), past.replayed(&[]));
    assert!(kinds(&["--to", "2020-01-01"]).is_empty());
    let nobody = Uuid::new_v4().to_string();
    for filter in [["--program", "typo"], ["--partner", &nobody], ["--type", "DealDanced"]] {
        let output = past.run("replay", &filter);
        assert!(String::from_utf8_lossy(&output.stderr).contains("no event matches"));
        assert!(succeeded(output).is_empty());
    }
    let found = past.run("replay", &["--type", "DealDrafted"]);
    assert!(found.stderr.is_empty(), "{}", String::from_utf8_lossy(&found.stderr));
}

#[tokio::test]
async fn replay_shows_a_state_as_of_a_time() {
    let past = Past::live().await;
    let stream = format!("partner-{}", past.partner);
    let level_at = |time: &str| -> Value {
        let output = succeeded(past.run("replay", &["--stream", &stream, "--as-of", time]));
        serde_json::from_str::<Value>(&output).unwrap()["tracks"]["partner"].clone()
    };
    let of_partner = |line: &&String| Exported::read(line).stream == stream;
    let first = past.exported.iter().find(of_partner).unwrap();
    let added = Exported::read(first).metadata()["recorded_at"].as_str().unwrap().to_owned();
    assert_eq!((level_at(&added), level_at("2100-01-01")), (json!("silver"), json!("gold")));
    failed(past.run("replay", &["--stream", &stream, "--as-of", "2020-01-01"]));
}

#[tokio::test]
async fn verify_agrees_with_what_the_server_has_left() {
    let past = Past::live().await;
    let output = succeeded(past.run("verify", &[]));
    for table in ["partners", "deals", "levels", "segments", "rulebooks"] {
        assert!(output.contains(table), "{output}");
    }
}

#[tokio::test]
async fn verify_finds_a_read_model_that_somebody_has_changed() {
    let past = Past::live().await;
    let views = Connection::open(past.views()).unwrap();
    assert_eq!(views.execute("UPDATE deals SET status = 'lost'", []).unwrap(), 1);
    drop(views);
    let (output, _) = failed(past.run("verify", &[]));
    let row = output.lines().find(|line| line.contains("deals")).unwrap();
    assert!(row.contains("DIFFERENT"), "{output}");
}

#[tokio::test]
async fn verify_finds_an_event_that_somebody_has_changed() {
    let past = Past::live().await;
    let log = Connection::open(past.path().join("log.db")).unwrap();
    let forged = "UPDATE events SET data = CAST(replace(data, 'Maggiore', 'Minore') AS BLOB)
                  WHERE kind = (SELECT id FROM kinds WHERE name = 'DealDrafted')";
    assert_eq!(log.execute(forged, []).unwrap(), 1);
    drop(log);
    let (output, _) = failed(past.run("verify", &[]));
    assert!(output.contains("broken chain"), "{output}");
    assert!(output.contains(&format!("deal-{}", past.deal)), "{output}");
}

#[tokio::test]
async fn a_rebuild_makes_what_is_lost_or_changed_right_again() {
    let past = Past::live().await;
    let views = Connection::open(past.views()).unwrap();
    views.execute("DELETE FROM partners", []).unwrap();
    drop(views);
    failed(past.run("verify", &[]));
    succeeded(past.run("rebuild", &[]));
    succeeded(past.run("verify", &[]));
}

#[tokio::test]
async fn a_server_goes_on_answering_while_its_read_models_are_rebuilt_and_uses_the_new_ones() {
    let site = Site::start(&[]);
    let stage = Stage::on(&site, QUAZZAR).await;
    let first = stage.add_partner("Uno", "silver").await;
    let data = site.data().to_str().unwrap().to_owned();
    let current = site.data().join("views/CURRENT");
    let before = std::fs::read_to_string(&current).unwrap();
    let rebuild = tokio::task::spawn_blocking(move || accord(["rebuild", "--data", &data]));
    let mut answered = 0;
    while !rebuild.is_finished() || answered == 0 {
        stage.manager().get(&format!("partners/{first}")).await.done();
        answered += 1;
    }
    succeeded(rebuild.await.unwrap());
    assert_ne!(std::fs::read_to_string(&current).unwrap(), before, "nothing was swapped");
    let second = stage.add_partner("Due", "gold").await;
    for partner in [first, second] {
        stage.manager().get(&format!("partners/{partner}")).await.done();
    }
    // The server deletes the old generation once it serves the new one.
    let old = site.data().join("views").join(before.trim());
    while old.exists() {
        stage.manager().get(&format!("partners/{second}")).await.done();
    }
    stage.add_partner("Tre", "gold").await;
    assert_eq!(stage.manager().all("partners").await.len(), 3);
    let data = site.stop();
    succeeded(accord(["verify", "--data", data.path().to_str().unwrap()]));
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused() {
    let site = Site::start(&[]);
    let data = site.data().to_str().unwrap();
    let (_, complaint) = failed(accord(["serve", "--data", data, "--listen", "127.0.0.1:0"]));
    assert!(complaint.contains("event log"), "{complaint}");
}

#[test]
fn a_right_rulebook_is_called_right_and_every_mistake_of_a_wrong_one_has_its_place() {
    for program in ["quazzar", "zextras", "opennebula", "open-xchange"] {
        let file = root().join(format!("ops/programs/{program}.toml"));
        let output = succeeded(accord(["rulebook", "check", file.to_str().unwrap()]));
        assert!(output.contains(program), "{output}");
    }
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        failed(accord(["rulebook", "check", file.to_str().unwrap()])).1
    };
    let wrong = ZEXTRAS.replacen("days_max = 180", "days_max = 0", 1);
    let wrong = wrong.replacen("term_months = 24", "term_months = 0", 1);
    let line = |text: &str| 1 + wrong.lines().position(|line| line.contains(text)).unwrap();
    let complaint = check("wrong.toml", &wrong);
    for (place, text) in
        [("entry.mou.days_max", "days_max = 0"), ("entry.agreement.term_months", "term_months = 0")]
    {
        let named = format!("{place} (line {}, column", line(text));
        assert!(complaint.contains(&named), "{complaint}");
    }
    assert!(complaint.contains("2 mistakes"), "{complaint}");
    let help = succeeded(accord(["rulebook", "check", "--help"]));
    assert!(help.contains("The rulebook to check"), "{help}");
    assert!(check("broken.toml", "[identity\n").contains("line 1"));
    assert!(check("empty.json", "{}").contains("missing field"));
    failed(accord(["rulebook", "check", "/nowhere/at-all.toml"]));
}

#[tokio::test]
async fn the_token_command_prints_a_token_that_the_server_accepts() {
    let site = Site::start(&[]);
    let stage = Stage::on(&site, QUAZZAR).await;
    let (data, program) = (site.data().to_str().unwrap(), stage.program.to_string());
    let token = |more: &[&str]| {
        accord(
            ["token", "--data", data, "--program", &program]
                .into_iter()
                .chain(more.iter().copied()),
        )
    };
    let printed = succeeded(token(&["--role", "channel-manager", "--subject", "cli"]));
    assert_eq!(printed.lines().count(), 1);
    let manager = crate::client::Caller { token: printed.trim().to_owned(), ..stage.manager() };
    manager.get("partners").await.done();
    let slip = accord(["token", "--data", data, "--program", "typo", "--role", "auditor"]);
    let complaint = String::from_utf8_lossy(&slip.stderr).into_owned();
    assert!(complaint.contains("no program `typo`") && complaint.contains(&program), "{complaint}");
    assert_eq!(succeeded(slip).lines().count(), 1);
    let right = token(&["--role", "auditor"]);
    assert!(right.stderr.is_empty(), "{}", String::from_utf8_lossy(&right.stderr));
    failed(token(&["--role", "emperor"]));
    failed(token(&["--role", "partner-user"]));
    failed(token(&[]));
}

#[test]
fn every_command_explains_itself_and_a_wrong_one_fails() {
    let commands = ["serve", "demo", "replay", "rebuild", "verify", "token", "rulebook", "openapi"];
    let all = succeeded(accord(["--help"]));
    for command in commands {
        assert!(all.contains(command), "{all}");
        let help = succeeded(accord([command, "--help"]));
        assert!(help.contains("Usage:") && help.lines().count() > 5, "{command}: {help}");
    }
    failed(accord(["conquer"]));
    failed(accord(["verify", "--data", "/nowhere/at-all"]));
    failed(accord(["replay", "--data", "/nowhere/at-all"]));
}

#[tokio::test]
async fn a_demo_is_a_history_that_verifies_and_can_be_served() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let text = data.to_str().unwrap();
    let size = ["--partners", "12", "--years", "1", "--no-serve"];
    let demo = accord(["demo", "--data", text].into_iter().chain(size));
    let said = String::from_utf8_lossy(&demo.stderr).into_owned();
    assert!(said.contains("living through 1 year with 12 partners"), "{said}");
    succeeded(demo);
    succeeded(accord(["verify", "--data", text]));
    let events = succeeded(accord(["replay", "--data", text]));
    // Some of them are the work of days that pass, which the stories over HTTP cannot tell.
    for kind in [
        "PartnerApproved",
        "DealProtected",
        "DealProtectionExtended",
        "DealExpired",
        "OrderCompleted",
        "CertificateIssued",
    ] {
        assert!(events.contains(&format!("\"type\":\"{kind}\"")), "no {kind}");
    }
    let again = failed(accord(["demo", "--data", folder.path().to_str().unwrap(), "--no-serve"]));
    assert!(again.1.contains("empty") || again.1.contains("demo"), "{}", again.1);
    let server = crate::server::Server::start(&data);
    let ready = reqwest::get(format!("{}/readyz", server.url())).await.unwrap();
    assert_eq!(ready.status(), 200);
    assert!(server.terminate().success());
}

#[track_caller]
fn succeeded(output: Output) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaint}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Standard output and standard error of a command that must fail, with something to say.
#[track_caller]
fn failed(output: Output) -> (String, String) {
    let [said, complaint] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(!output.status.success(), "this must fail: {said}");
    assert!(!said.is_empty() || !complaint.is_empty(), "it fails without a word");
    (said, complaint)
}
