//! The accept loop: bounded connections, deadlines for silent ones, and an end in good order.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use accord_eventlog::EventLog;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::{
    service::answer,
    setup::{Credentials, Limits, Setup, SetupError},
    wire::Wire,
};

/// Pause after a failed accept (usually: out of file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// What a client may send on one call, and on all calls of a connection, before it is read.
const CALL_WINDOW_BYTES: u32 = 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// What waits on one call for a slow client before the call stops producing.
const CALL_UNSENT_BYTES_MAX: usize = 1024 * 1024;
const FRAME_BYTES_MAX: u32 = 64 * 1024;
const HEADERS_BYTES_MAX: u32 = 16 * 1024;

/// A listener that may serve: its address and its setup fit together.
pub struct Listener {
    listener: TcpListener,
    log: Arc<dyn EventLog>,
    setup: Setup,
}

impl Listener {
    /// Refuses a setup that must not be at the listener's address.
    pub fn new(
        listener: TcpListener,
        log: Arc<dyn EventLog>,
        setup: Setup,
    ) -> Result<Self, ListenError> {
        let address = listener.local_addr().map_err(ListenError::Address)?;
        setup.check(address)?;
        Ok(Self { listener, log, setup })
    }

    /// Serves until `stop` turns true. The end: no new connections, subscriptions are told, running
    /// calls end, and what then still runs is cut off.
    pub async fn serve(self, stop: watch::Receiver<bool>) {
        let Self { listener, log, setup } = self;
        let Setup { mode, credentials, tls, limits } = setup;
        let wire = Arc::new(Wire::new(log, mode, &limits, stop.clone()));
        let conversation = Conversation {
            builder: builder(&limits),
            wire,
            credentials: credentials.map(Arc::new),
            tls: tls.map(|tls| TlsAcceptor::from(tls.config)),
            greeting_time_max: limits.greeting_time_max,
        };
        let (graceful, cut) = (GracefulShutdown::new(), CancellationToken::new());
        let room = Arc::new(Semaphore::new(limits.connections_max));
        let mut stopped = stop;
        loop {
            let accepted = tokio::select! {
                accepted = accept(&listener, &room) => accepted,
                _ = stopped.wait_for(|stop| *stop) => break,
            };
            let Some((stream, permit)) = accepted else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let talk = conversation.clone().begin(stream, graceful.watcher());
            let cut = cut.clone();
            tokio::spawn(async move {
                let _permit = permit;
                cut.run_until_cancelled(talk).await;
            });
        }
        drop(listener);
        if tokio::time::timeout(limits.drain_time_max, graceful.shutdown()).await.is_err() {
            tracing::warn!("some calls were cut off after the drain time");
        }
        cut.cancel();
    }
}

/// Why a listener cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The setup must not be so.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The listener has no address.
    #[error("the listener has no address")]
    Address(#[source] std::io::Error),
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new()).http2_only();
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.keepalive)
        .keep_alive_timeout(limits.keepalive)
        .max_concurrent_streams(limits.calls_per_connection_max)
        .initial_stream_window_size(CALL_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(CALL_UNSENT_BYTES_MAX)
        .max_frame_size(FRAME_BYTES_MAX)
        .max_header_list_size(HEADERS_BYTES_MAX);
    builder
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "accept failed");
            None
        }
    }
}

/// What every connection goes through.
#[derive(Clone)]
struct Conversation {
    builder: Builder<TokioExecutor>,
    wire: Arc<Wire>,
    credentials: Option<Arc<Credentials>>,
    tls: Option<TlsAcceptor>,
    greeting_time_max: Duration,
}

impl Conversation {
    async fn begin(self, stream: TcpStream, watcher: Watcher) {
        // Small answers must not wait for more data.
        let _ = stream.set_nodelay(true);
        let Some(tls) = self.tls.clone() else { return self.talk(stream, watcher).await };
        let secured = tokio::select! {
            secured = tls.accept(stream) => secured,
            () = tokio::time::sleep(self.greeting_time_max) => return,
            () = self.wire.stopped() => return,
        };
        // A failed handshake is its client's affair.
        if let Ok(stream) = secured {
            self.talk(stream, watcher).await;
        }
    }

    /// Serves the connection's calls. One that never comes to its first call is closed; one that
    /// falls silent later is asked whether it lives (keep-alive).
    async fn talk(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        watcher: Watcher,
    ) {
        let Self { builder, wire, credentials, .. } = self;
        let greeted = Arc::new(Notify::new());
        let (greeting, shared) = (Arc::clone(&greeted), Arc::clone(&wire));
        let calls = service_fn(move |request| {
            greeting.notify_one();
            answer(Arc::clone(&shared), credentials.clone(), request)
        });
        let connection = builder.serve_connection(TokioIo::new(stream), calls).into_owned();
        let mut connection = pin!(watcher.watch(connection));
        tokio::select! {
            _ = &mut connection => return,
            () = greeted.notified() => {}
            () = tokio::time::sleep(self.greeting_time_max) => return,
            () = wire.stopped() => return,
        }
        // A broken connection is its client's affair.
        let _ = connection.await;
    }
}
