//! The accept loop: our own, because a stalled connection must end.
//!
//! HTTP/1.1 only, with a deadline for headers (the builder's) and for bodies (the handlers'), a
//! bound on connections and a drain on shutdown.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::traffic::Traffic;

/// Pause after a failed accept (usually: out of file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Bounds of the listener.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time; more wait to be accepted.
    pub connections_max: usize,
    /// Time for a request's headers to arrive, also between two requests of one connection.
    pub header_time_max: Duration,
    /// Time for running requests to end after the stop.
    pub drain_time_max: Duration,
    /// Event streams (`changes`) at a time.
    pub change_streams_max: usize,
    /// Requests per second of one caller; `None`: as many as the service can take.
    pub requests_per_second_max: Option<NonZeroU32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 4_096,
            header_time_max: Duration::from_secs(30),
            drain_time_max: Duration::from_secs(10),
            change_streams_max: 256,
            requests_per_second_max: None,
        }
    }
}

/// Serves until `stop` turns true, then lets running requests end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time_max)
        .max_buf_size(64 * 1024);
    let connections = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();
    let traffic = Arc::new(Traffic::new());
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &connections) => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Some((stream, permit)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Small answers must not wait for more data.
        let _ = stream.set_nodelay(true);
        let (router, traffic) = (router.clone(), Arc::clone(&traffic));
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let (router, traffic) = (router.clone(), Arc::clone(&traffic));
            async move { traffic.count(router, request.map(axum::body::Body::new)).await }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            // A broken connection is its client's affair.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.drain_time_max, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were cut off after the drain time");
    }
}

async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let permit = connections.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "accept failed");
            None
        }
    }
}
