//! `accord serve`: the HTTP API over a data directory, with policies and timers behind it.

mod checkpoint;

use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use accord_app::{App, Clock, policy::PolicyRunner};
use accord_eventlog_wire::{Listener, Mode};
use accord_http::{Http, Issuer, Limits};
use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::cli::ServeArgs;
use crate::event_log::Gate;
use crate::scheduler;
use crate::serve::checkpoint::Checkpoint;
use crate::settings::Settings;
use crate::signals::stop_signal;
use crate::wiring::Stores;

pub(crate) use checkpoint::write as write_checkpoint;

/// How often metrics forget what has gone out of their windows.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// Upper bounds of the classes into which answer times are counted, in seconds.
const SECONDS_BUCKETS: &[f64] =
    &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

pub(crate) async fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(&args)?;
    let stop = stop_signal()?;
    let (listener, address) = bind(&settings.listen).await?;
    let gate = match &settings.event_log_listen {
        Some(listen) => Some(Gate::open(listen, &settings.event_log_access, Mode::ReadOnly).await?),
        None => None,
    };
    let stores = match &settings.event_log {
        Some(url) => Stores::open_at(&args.data, url.address()?)?,
        None => Stores::open(&args.data)?,
    };
    let issuer = Issuer::open(&args.data)?;
    let service = Service { stores, issuer, limits: settings.limits, gate };
    service.run(listener, stop, || announce(address)).await?;
    Ok(ExitCode::SUCCESS)
}

/// Takes the address, so that a busy port is told before anything else happens.
pub(crate) async fn bind(listen: &str) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen} (HOST:PORT; port 0 picks a free one)")
    })?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// The one line that scripts wait for.
pub(crate) fn announce(address: SocketAddr) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "listening on http://{address}")?;
    Ok(out.flush()?)
}

/// A service about to run.
pub(crate) struct Service {
    pub(crate) stores: Stores,
    pub(crate) issuer: Issuer,
    pub(crate) limits: Limits,
    /// Where event log clients may read.
    pub(crate) gate: Option<Gate>,
}

impl Service {
    /// Serves until `stop` turns true; `ready` is called once requests are accepted. The end: no
    /// new connections, running requests end, then policies, timers and read models, at last the
    /// log.
    pub(crate) async fn run(
        self,
        listener: TcpListener,
        stop: watch::Receiver<bool>,
        ready: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let Self { stores, issuer, limits, gate } = self;
        let app = stores.app(Clock::System);
        let seconds = Matcher::Full(accord_http::REQUEST_SECONDS.to_owned());
        let metrics = PrometheusBuilder::new().set_buckets_for_metric(seconds, SECONDS_BUCKETS)?;
        let metrics = metrics.install_recorder().context("metrics")?;
        let background = Background::start(&app, &stores, metrics.clone())?;
        let http = Http::new(app, Arc::clone(&stores.views), issuer, limits.clone(), metrics);
        let router = accord_http::router(Arc::new(http.until(stop.clone())));
        let readers = gate.map(|gate| serve_log(gate, &stores, stop.clone())).transpose()?;
        let serving = tokio::spawn(accord_http::serve(listener, router, limits, stop));
        ready()?;
        serving.await.context("the listener failed")?;
        if let Some(readers) = readers {
            readers.await.context("the event log's listener failed")?;
        }
        background.stop().await;
        stores.close().await;
        Ok(())
    }
}

/// Lets event log clients read what is served.
fn serve_log(
    gate: Gate,
    stores: &Stores,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<JoinHandle<()>> {
    tracing::info!(url = gate.url(), "event log clients may read");
    let listener = Listener::new(gate.listener, stores.log(), gate.setup)?;
    Ok(tokio::spawn(listener.serve(stop)))
}

/// What runs behind the requests.
struct Background {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Background {
    fn start(app: &Arc<App>, stores: &Stores, metrics: PrometheusHandle) -> anyhow::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let checkpoint = Checkpoint::open(&stores.data)?;
        let policies = PolicyRunner::new(Arc::clone(app), checkpoint.position());
        let reached = checkpoint.clone();
        tasks.spawn(policies.run(stopped.clone(), move |position| reached.set(position)));
        tasks.spawn(checkpoint.keep(stopped.clone()));
        let views = Arc::clone(&stores.views);
        tasks.spawn(scheduler::run(Arc::clone(app), views, stopped.clone()));
        tasks.spawn(upkeep(metrics, stopped));
        Ok(Self { stop, tasks })
    }

    async fn stop(mut self) {
        // All receivers gone means that all tasks have ended.
        let _ = self.stop.send(true);
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(error = &error as &dyn std::error::Error, "a task failed");
            }
        }
    }
}

async fn upkeep(metrics: PrometheusHandle, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(METRICS_UPKEEP) => metrics.run_upkeep(),
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}
