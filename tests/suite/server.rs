//! The real `accord` binary: built by the cargo that runs these tests, started on data directories
//! of their own, ended with its handle.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak, mpsc};
use std::time::Duration;

use accord_http::Issuer;
use serde_json::Value;
use tempfile::TempDir;

use crate::tidy::root;

/// A server that is not ready by then never will be.
const START_TIME_MAX: Duration = Duration::from_secs(60);

/// The binary as of the sources, with the profile of these tests.
pub(crate) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(build)
}

/// Asks for the whole workspace and for these tests as well, because cargo chooses the features of
/// dependencies by what it is asked for: after `cargo test --workspace` only the binary is linked.
fn build() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.ancestors().nth(2).unwrap().file_name().unwrap().to_str().unwrap();
    let profile = if folder == "debug" { "dev" } else { folder };
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["build", "--quiet", "--workspace", "--bin", "accord", "--test", "suite"])
        .args(["--profile", profile, "--message-format", "json"])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "`accord` does not build");
    let messages = String::from_utf8(output.stdout).unwrap();
    let executable = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_it = message["target"]["name"] == "accord" && message["profile"]["test"] == false;
        Some(message["executable"].as_str().filter(|_| is_it)?.to_owned())
    };
    messages.lines().find_map(executable).expect("cargo names what it has built").into()
}

/// Runs a command of the binary to its end.
pub(crate) fn accord<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Output {
    command().args(arguments).output().unwrap()
}

/// The binary, without the settings of whoever runs the tests.
fn command() -> Command {
    let mut command = Command::new(binary());
    command.env_clear().args(["--log", "warn"]).stdin(Stdio::null());
    command
}

/// Set, it makes every server work over a log process of its own: the same stories, over the wire.
const OVER_THE_WIRE: &str = "ACCORD_TEST_OVER_THE_WIRE";

/// A process of the binary that listens; killed when dropped.
struct Listening {
    child: Child,
    url: String,
}

impl Listening {
    /// Starts a command on a data directory and waits until it says where it listens.
    fn start(name: &str, data: &Path, flags: &[&str]) -> Self {
        let log = data.join(format!("{name}.txt"));
        let mut child = command()
            .arg(name)
            .arg("--data")
            .arg(data)
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        let (sender, receiver) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            let mut lines = output.lines().map_while(Result::ok);
            let url = lines.find_map(|line| Some(line.strip_prefix("listening on ")?.to_owned()));
            // Nobody waits any more once the time is over.
            let _ = sender.send(url);
            // Read to the end, or the process could not write any more.
            lines.for_each(drop);
        });
        let url = receiver.recv_timeout(START_TIME_MAX).ok().flatten();
        let mut process = Self { child, url: String::new() };
        process.url = url.unwrap_or_else(|| {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            panic!("`accord {name}` does not listen; it says:\n{said}")
        });
        process
    }

    /// Asks the process to end and waits for it.
    fn terminate(mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An event log in a process of its own; killed when dropped.
pub(crate) struct LogServer(Listening);

impl LogServer {
    /// Starts it at an address; port 0 picks a free one.
    pub(crate) fn start(data: &Path, listen: &str) -> Self {
        Self(Listening::start("event-log", data, &["--listen", listen]))
    }

    /// Asks the process to end and waits for it.
    pub(crate) fn terminate(self) -> ExitStatus {
        self.0.terminate()
    }

    /// For example `esdb://127.0.0.1:40001?tls=false`.
    pub(crate) fn url(&self) -> &str {
        &self.0.url
    }

    /// For example `127.0.0.1:40001`, where another one can take its place.
    pub(crate) fn address(&self) -> String {
        let address = self.url().strip_prefix("esdb://").and_then(|url| url.split('?').next());
        address.unwrap().to_owned()
    }
}

/// A running server, with its log process where it has one; killed when dropped.
pub(crate) struct Server {
    // Dropped first: the log goes last.
    process: Listening,
    log: Option<LogServer>,
}

impl Server {
    /// Starts a server and waits until it says that it listens.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// Starts a server with further flags.
    pub(crate) fn start_with(data: &Path, flags: &[&str]) -> Self {
        let elsewhere =
            std::env::var_os(OVER_THE_WIRE).is_some() && !flags.contains(&"--event-log");
        let log = elsewhere.then(|| LogServer::start(data, "127.0.0.1:0"));
        let mut flags = [&["--listen", "127.0.0.1:0"], flags].concat();
        if let Some(log) = &log {
            flags.extend(["--event-log", log.url()]);
        }
        let process = Listening::start("serve", data, &flags);
        Self { process, log }
    }

    /// For example `http://127.0.0.1:40001`.
    pub(crate) fn url(&self) -> &str {
        &self.process.url
    }

    /// Kills the log process under the running server and puts another one in its place; false
    /// where the server has the log itself.
    fn replace_log(&mut self, data: &Path) -> bool {
        let Some(log) = self.log.take() else { return false };
        let address = log.address();
        drop(log);
        self.log = Some(LogServer::start(data, &address));
        true
    }

    /// Asks the server to end and waits for it, and for its log.
    pub(crate) fn terminate(self) -> ExitStatus {
        let status = self.process.terminate();
        if let Some(log) = self.log {
            assert!(log.terminate().success());
        }
        status
    }
}

/// A server on a data directory that goes with it.
pub(crate) struct Site {
    // Dropped first: the server ends before its data does.
    server: Server,
    issuer: Issuer,
    data: TempDir,
}

impl Site {
    /// A server of one's own.
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::of(tempfile::tempdir().unwrap(), flags)
    }

    /// A server on data that is there already.
    pub(crate) fn of(data: TempDir, flags: &[&str]) -> Self {
        let server = Server::start_with(data.path(), flags);
        let issuer = Issuer::open(data.path()).unwrap();
        Self { server, issuer, data }
    }

    /// The server that tests share as long as any of them runs; each works in a program of its own.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Site>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let site = Arc::new(Self::start(&[]));
            *shared = Arc::downgrade(&site);
            site
        })
    }

    /// Kills the log process under the running server and puts another one in its place; false
    /// where the server has the log itself.
    pub(crate) fn replace_log(&mut self) -> bool {
        self.server.replace_log(self.data.path())
    }

    /// Ends the server in some way, then starts another one on the same data.
    pub(crate) fn restart(self, end: impl FnOnce(Server)) -> Self {
        let Self { server, issuer, data } = self;
        end(server);
        Self { server: Server::start(data.path()), issuer, data }
    }

    pub(crate) fn url(&self) -> &str {
        self.server.url()
    }

    pub(crate) fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// Stops the server and keeps the data.
    pub(crate) fn stop(self) -> TempDir {
        assert!(self.server.terminate().success());
        self.data
    }
}
