//! The connection: made on first use, made again when it is lost, given up never.
//!
//! The official client ends for good when its first connection fails; then it is built anew, with
//! growing pauses. A client of a single node finds that node again by itself. A client of a cluster
//! stays with the node it chose, even when that node has gone; after an outage it is built anew
//! too, and chooses again. (A client left behind keeps one idle task, a price of the official
//! client that only outages pay.)

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use eventstore::{Client, Credentials, Error};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    Address,
    error::CallError,
    prompt::{LOOK_INTERVAL, SUSPICIOUS_TIME, hasten},
};

/// Longest time for a connection to stand.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// How long one call tries again by itself; whoever waits for it is told then. A server that
/// restarts, or a cluster that elects a leader, is usually back by then.
const RETRY_TIME_MAX: Duration = Duration::from_secs(3);
/// Pauses between attempts: they double, up to a bound that keeps healing quick.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A growing pause.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pause(Duration);

impl Pause {
    pub(crate) fn new() -> Self {
        Self(PAUSE_MIN)
    }

    /// The pause to make now; the next one is longer.
    pub(crate) fn take(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(PAUSE_MAX);
        now
    }
}

/// A client that has connected, and the login for its calls.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) client: Client,
    login: Option<Credentials>,
    number: u64,
}

impl Session {
    /// A call's options with the login, where there is one.
    pub(crate) fn log_in<O>(&self, options: O, with: impl FnOnce(O, Credentials) -> O) -> O {
        match &self.login {
            Some(login) => with(options, login.clone()),
            None => options,
        }
    }
}

/// One connection of a log to its server.
pub(crate) struct Link {
    address: Address,
    state: Mutex<State>,
    /// Held by whoever connects, so that all others wait for the same outcome.
    connecting: tokio::sync::Mutex<()>,
}

struct State {
    session: Option<Session>,
    sessions: u64,
    /// Since when every attempt has failed.
    failing_since: Option<Instant>,
    pause: Pause,
    /// No attempt to connect before.
    connect_at: Instant,
    why: Arc<str>,
    hastened_at: Option<Instant>,
}

impl Link {
    pub(crate) fn new(address: Address) -> Self {
        let state = State {
            session: None,
            sessions: 0,
            failing_since: None,
            pause: Pause::new(),
            connect_at: Instant::now(),
            why: "not connected yet".into(),
            hastened_at: None,
        };
        Self { address, state: Mutex::new(state), connecting: tokio::sync::Mutex::new(()) }
    }

    /// Carries out a call, with attempts again while an outage is short. Only calls that may be
    /// carried out twice; each attempt ends within `time_max`.
    pub(crate) async fn call<T, F>(
        &self,
        time_max: Duration,
        attempt: impl Fn(Session) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let (began, mut pause) = (Instant::now(), Pause::new());
        loop {
            let failed = match self.attempt(time_max, &attempt).await {
                Err(error) if error.is_outage() => error,
                outcome => return outcome,
            };
            let next = pause.take();
            let since = self.state().failing_since.unwrap_or(began).min(began);
            if since.elapsed() + next > RETRY_TIME_MAX {
                return Err(failed);
            }
            sleep(next).await;
        }
    }

    async fn attempt<T, F>(
        &self,
        time_max: Duration,
        attempt: &impl Fn(Session) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let session = self.session().await?;
        let began = Instant::now();
        let outcome = timeout(time_max, attempt(session.clone())).await;
        if began.elapsed() >= SUSPICIOUS_TIME {
            self.hasten();
        }
        let outcome = outcome.unwrap_or(Err(Error::DeadlineExceeded)).map_err(CallError::Client);
        match &outcome {
            Err(error) if error.is_outage() => self.failed(&session, error),
            _ => self.answered(),
        }
        outcome
    }

    /// The connected client; connects where there is none and it is time to.
    pub(crate) async fn session(&self) -> Result<Session, CallError> {
        if let Some(session) = self.state().session.clone() {
            return Ok(session);
        }
        let _alone = self.connecting.lock().await;
        {
            let state = self.state();
            if let Some(session) = state.session.clone() {
                return Ok(session);
            }
            if Instant::now() < state.connect_at {
                return Err(CallError::NotConnected(Arc::clone(&state.why)));
            }
        }
        let connected = timeout(CONNECT_TIME_MAX, connect(&self.address)).await;
        let outcome = connected.unwrap_or(Err(Error::DeadlineExceeded));
        let mut state = self.state();
        match outcome {
            Ok(client) => {
                let login = self.address.login().cloned();
                state.sessions += 1;
                let session = Session { client, login, number: state.sessions };
                state.session = Some(session.clone());
                state.pause = Pause::new();
                Ok(session)
            }
            Err(error) => {
                let error = CallError::Client(error);
                self.is_failing(&mut state, &error);
                state.connect_at = Instant::now() + state.pause.take();
                state.why = error.to_string().into();
                Err(error)
            }
        }
    }

    /// Sees to it that connections are prompt, also those that the client has made again by itself.
    fn hasten(&self) {
        let mut state = self.state();
        if state.hastened_at.is_none_or(|at| at.elapsed() >= LOOK_INTERVAL) {
            state.hastened_at = Some(Instant::now());
            let ports = self.address.ports();
            tokio::task::spawn_blocking(move || hasten(&ports));
        }
    }

    /// The server answered, whatever it said.
    pub(crate) fn answered(&self) {
        if let Some(since) = self.state().failing_since.take() {
            let away_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(address = %self.address, away_ms, "the event log answers again");
        }
    }

    /// A session's call failed by an outage: the session may be dead or at a node that is.
    pub(crate) fn failed(&self, session: &Session, error: &CallError) {
        let is_dead = matches!(
            error,
            CallError::Client(Error::ConnectionClosed | Error::GrpcConnectionError(_))
        );
        let mut state = self.state();
        self.is_failing(&mut state, error);
        let is_current =
            state.session.as_ref().is_some_and(|current| current.number == session.number);
        if is_current && (is_dead || self.address.is_cluster()) {
            state.session = None;
            state.connect_at = Instant::now();
        }
    }

    /// Tells the beginning of an outage, once.
    fn is_failing(&self, state: &mut State, error: &CallError) {
        if state.failing_since.is_none() {
            state.failing_since = Some(Instant::now());
            tracing::warn!(address = %self.address, %error, "the event log is away");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Builds a client and makes it connect. Building reads the machine's certificates from disk.
async fn connect(address: &Address) -> Result<Client, Error> {
    let settings = address.settings().clone();
    let runtime = tokio::runtime::Handle::current();
    let built =
        tokio::task::spawn_blocking(move || Client::with_runtime_handle(runtime, settings)).await;
    let client = built
        .map_err(|error| Error::InitializationError(error.to_string()))?
        .map_err(|error| Error::InitializationError(error.to_string()))?;
    client.server_info().await?;
    let ports = address.ports();
    // An attempt only, and a panic of it was reported where it happened.
    let _ = tokio::task::spawn_blocking(move || hasten(&ports)).await;
    Ok(client)
}
