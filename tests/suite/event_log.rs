//! The event log over the EventStoreDB protocol, as far as its command line goes. What clients see
//! is tested in the crate itself, and by real ones in `tests/clients`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::server::{LogServer, accord};

/// What every HTTP/2 client says first, and an empty frame of settings.
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[test]
fn an_event_log_alone_listens_where_it_says_and_ends_well() {
    let data = tempfile::tempdir().unwrap();
    let server = LogServer::start(data.path(), "127.0.0.1:0");
    let mut connection = TcpStream::connect(server.address()).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    connection.write_all(GREETING).unwrap();
    let mut header = [0; 9];
    connection.read_exact(&mut header).unwrap();
    assert_eq!(header[3], 4, "an HTTP/2 server answers with its settings");

    assert!(server.terminate().success());
    assert!(data.path().join("log.db").is_file());
}

#[test]
fn an_event_log_is_not_opened_to_strangers() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("data");
    let path = path.to_str().unwrap();
    let open = "0.0.0.0:0";
    let runs: [&[&str]; 3] = [
        &["event-log", "--data", path, "--listen", open],
        &["serve", "--data", path, "--listen", "127.0.0.1:0", "--event-log-listen", open],
        &[
            "event-log",
            "--data",
            path,
            "--listen",
            "127.0.0.1:0",
            "--event-log-listen-user",
            "reader",
        ],
    ];
    for run in runs {
        let output = accord(run.iter().copied());
        assert!(!output.status.success(), "{run:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("TLS") || said.contains("ACCORD_EVENT_LOG_LISTEN_PASSWORD"),
            "{said}"
        );
        assert!(output.stdout.is_empty(), "{run:?} says that it listens");
    }
    assert!(!data.path().join("data").exists(), "nothing was made before the refusal");
}
