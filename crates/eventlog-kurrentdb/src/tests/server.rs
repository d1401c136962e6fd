//! A server in a runtime of its own, so that it can be killed without a word.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use accord_eventlog_sqlite::SqliteEventLog;
use accord_eventlog_wire::{Listener, Mode, Setup};
use tempfile::TempDir;
use tokio::{
    runtime::{Builder, Runtime},
    sync::{Mutex, watch},
    time::Instant,
};

use crate::{Address, KurrentLog};

/// A server that is not up or down by then never will be.
const TIME_MAX: Duration = Duration::from_secs(30);

/// Where a server is, whether or not it runs.
pub(super) struct Place {
    directory: TempDir,
    address: SocketAddr,
    running: Mutex<Option<Running>>,
}

struct Running {
    runtime: Runtime,
    _stop: watch::Sender<bool>,
}

impl Place {
    pub(super) fn new() -> Self {
        // Taken once to find a free port, and again by every start.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        Self {
            directory: tempfile::tempdir().unwrap(),
            address: free.local_addr().unwrap(),
            running: Mutex::new(None),
        }
    }

    pub(super) async fn running() -> Self {
        let place = Self::new();
        place.start().await;
        place
    }

    pub(super) fn address(&self) -> Address {
        Address::parse(&format!("esdb://{}?tls=false", self.host())).unwrap()
    }

    pub(super) fn host(&self) -> SocketAddr {
        self.address
    }

    /// The adapter over this place.
    pub(super) fn log(&self) -> KurrentLog {
        KurrentLog::new(self.address())
    }

    /// Starts the server, unless it runs.
    pub(super) async fn start(&self) {
        let mut running = self.running.lock().await;
        if running.is_some() {
            return;
        }
        let (path, address) = (self.directory.path().join("log.db"), self.address);
        let started = tokio::task::spawn_blocking(move || {
            let deadline = Instant::now() + TIME_MAX;
            // The lock and the port of the one before may be held for another moment.
            loop {
                match start(path.clone(), address) {
                    Ok(started) => return started,
                    Err(error) => assert!(Instant::now() < deadline, "{error:#}"),
                }
                std::thread::yield_now();
            }
        });
        *running = Some(started.await.unwrap());
    }

    /// Ends the server without a word to its clients.
    pub(super) async fn kill(&self) {
        let Some(running) = self.running.lock().await.take() else { return };
        let ending = move || running.runtime.shutdown_timeout(TIME_MAX);
        tokio::task::spawn_blocking(ending).await.unwrap();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(running) = self.running.get_mut().take() {
            running.runtime.shutdown_background();
        }
    }
}

fn start(path: PathBuf, address: SocketAddr) -> anyhow::Result<Running> {
    let log = SqliteEventLog::open(&path)?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind(address))?;
    let (stop, stopped) = watch::channel(false);
    let setup = Setup { mode: Mode::Full, ..Setup::default() };
    let listener = Listener::new(listener, Arc::new(log), setup)?;
    runtime.spawn(listener.serve(stopped));
    Ok(Running { runtime, _stop: stop })
}
