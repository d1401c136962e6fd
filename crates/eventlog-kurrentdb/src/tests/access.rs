//! Encryption, logins, and several nodes.

use std::{path::Path, sync::Arc, time::Duration};

use accord_eventlog::{Direction, EventLog, ExpectedRevision, LogError, NewEvent};
use accord_eventlog_sqlite::SqliteEventLog;
use accord_eventlog_wire::{Credentials, Listener, Mode, Setup, Tls};
use tokio::{net::TcpListener, sync::watch, time::Instant};
use uuid::Uuid;

use super::server::Place;
use crate::{Address, KurrentLog};

const HEALING_TIME_MAX: Duration = Duration::from_secs(10);

/// A server with TLS for one user; its connection string, which names its certificate.
async fn guarded(folder: &Path) -> (String, watch::Sender<bool>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let file = folder.join("certificate.pem");
    std::fs::write(&file, &certificate).unwrap();
    let setup = Setup {
        mode: Mode::Full,
        tls: Some(Tls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap()),
        credentials: Some(Credentials::new("accord", "p@ss:word/?")),
        ..Setup::default()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let log = Arc::new(SqliteEventLog::open(&folder.join("log.db")).unwrap());
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(Listener::new(listener, log, setup).unwrap().serve(stopped));
    (format!("localhost:{port}?tlsCaFile={}", file.display()), stop)
}

fn event() -> NewEvent {
    let (data, metadata) = ("{}".into(), "{}".into());
    NewEvent { id: Uuid::new_v4(), kind: "Tested".into(), data, metadata }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_the_password_is_used_and_a_wrong_one_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _stop) = guarded(folder.path()).await;
    let stream = "test-1".parse().unwrap();

    let escaped = format!("esdb://accord:p%40ss%3Aword%2F%3F@{server}");
    let log = KurrentLog::new(Address::parse(&escaped).unwrap());
    log.append(&stream, ExpectedRevision::NoStream, vec![event()]).await.unwrap();
    assert_eq!(log.read_stream(&stream, Direction::Forward, None, 9).await.unwrap().len(), 1);

    let stranger = Address::parse(&format!("esdb://{server}")).unwrap();
    let stranger = stranger.with_login("accord", "guessed").unwrap();
    let refused = KurrentLog::new(stranger).head().await.unwrap_err();
    let LogError::Unavailable(why) = &refused else { panic!("{refused}") };
    assert!(why.to_string().contains("password"), "{why}");
    assert!(!format!("{refused:?} {why}").contains("guessed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_nodes_one_that_is_there_is_found_again_and_again() {
    let (one, other) = (Place::new(), Place::new());
    let hosts = format!("{},{}", one.host(), other.host());
    let log = KurrentLog::new(Address::parse(&format!("esdb://{hosts}?tls=false")).unwrap());
    for (coming, going) in [(&one, &other), (&other, &one), (&one, &other)] {
        going.kill().await;
        coming.start().await;
        let began = Instant::now();
        while log.head().await.is_err() {
            assert!(began.elapsed() < HEALING_TIME_MAX);
        }
    }
}
