//! `accord-load http`: commands and queries by many keep-alive clients against a running server.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use accord_domain::Day;
use anyhow::{Context, ensure};
use clap::Args;

use crate::check::check;
use crate::drive::{Stop, Tally, Window, drive};
use crate::lag;
use crate::latency::Latencies;
use crate::mix::Mix;
use crate::prepare::{Directory, Preparation};
use crate::probe;
use crate::report::{Figure, Report, ratio};
use crate::seat::{Scene, Seat};
use crate::target::{Caller, Server};

/// Put a running server under load over HTTP.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct HttpArgs {
    /// The server, for example http://127.0.0.1:8080
    #[arg(long)]
    url: String,
    /// The program to work in; one of its own keeps the load's partners away from others
    #[arg(long, default_value = "load")]
    program: String,
    /// Token of a channel manager, who sends all requests
    #[arg(long, env = "ACCORD_LOAD_TOKEN", hide_env_values = true)]
    token: String,
    /// Token of a program admin, who drafts the rulebook of a program that has none
    #[arg(long, env = "ACCORD_LOAD_TOKEN_ADMIN", hide_env_values = true)]
    token_admin: Option<String>,
    /// Token of a second program admin or channel director, who approves it
    #[arg(long, env = "ACCORD_LOAD_TOKEN_APPROVER", hide_env_values = true)]
    token_approver: Option<String>,
    /// Keep-alive clients, each with one request at a time
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    clients: u16,
    /// Seconds that count
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Seconds of the same load before, which do not count
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=600))]
    warm_up: u32,
    /// What the clients send
    #[arg(long, value_enum, default_value = "commands")]
    mix: Mix,
    /// Partners to work with; missing ones are added first
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    partners: u32,
    /// Protected deals, and as many certificates, prepared for the clients
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    cases: u32,
    /// Where the probe of durable appends writes; best beside the server's data
    #[arg(long, default_value = ".")]
    probe_dir: PathBuf,
    /// Leave the probes out
    #[arg(long)]
    no_probes: bool,
    /// Allow a server on another machine
    #[arg(long)]
    allow_remote: bool,
}

const EXAMPLE: &str = "\
Example, with a server on a fresh data directory:
  accord serve --data /tmp/a --listen 127.0.0.1:8080 &
  token() { accord token --data /tmp/a --program load --role $1 --subject $2; }
  accord-load http --url http://127.0.0.1:8080 --token $(token channel-manager m) \\
    --token-admin $(token program-admin a) --token-approver $(token channel-director b)

Exits with 1 when any answer was no success, when anything acknowledged is missing afterwards, or
when a client was left without an answer; with 130 after Ctrl-C, which shows what was measured so
far. A later run on the same data needs the first token only.";

/// Everything that the run has come to.
struct Measured {
    tally: Tally,
    lags: Latencies,
    checked: String,
}

pub(crate) async fn run(args: &HttpArgs, stop: &Stop) -> anyhow::Result<Report> {
    let server = Server::parse(&args.url, args.allow_remote)?;
    let mut report = Report { run: describe(args), ..Report::default() };
    let echo = if args.no_probes { None } else { Some(probes(args, stop, &mut report).await?) };
    let scene = prepare(args, &server, stop).await?;
    let measured = measure(args, &server, scene, stop).await?;
    let rates = figures(args.mix, &measured.tally);
    if let Some(echo) = echo {
        for figure in rates.iter().filter(|figure| TOTALS.contains(&figure.name.as_str())) {
            let name = if figure.name == COMMANDS { "commands : echo" } else { "queries : echo" };
            report.facts.insert(name, ratio(figure.per_second, echo));
        }
    }
    report.figures.extend(rates);
    report.figures.push(Figure::of("projection lag", &measured.lags, measured.tally.elapsed));
    report.facts.insert("checked afterwards", measured.checked);
    refuse_unexpected(&measured.tally, &mut report);
    report.problems.extend(measured.tally.problems);
    report.statuses = measured.tally.statuses;
    report.interrupted = stop.is_set();
    Ok(report)
}

fn describe(args: &HttpArgs) -> String {
    let HttpArgs { clients, seconds, warm_up, partners, .. } = args;
    let mix = args.mix.name();
    format!("{mix}: {clients} clients, {seconds} s after {warm_up} s, {partners} partners")
}

/// Adds the probes' figures; returns the echo server's rate.
async fn probes(args: &HttpArgs, stop: &Stop, report: &mut Report) -> anyhow::Result<u64> {
    eprintln!("probing the machine");
    let (appends, elapsed) = probe::durable_append(&args.probe_dir)?;
    report.figures.push(Figure::of("probe: durable append", &appends, elapsed));
    let echo = probe::echo(args.clients.into(), stop).await?;
    let latencies = echo.latencies.values().next().cloned().unwrap_or_default();
    let figure = Figure::of("probe: bare HTTP echo", &latencies, echo.elapsed);
    let rate = figure.per_second;
    report.figures.push(figure);
    report.problems.extend(echo.problems);
    Ok(rate)
}

/// The scene and every client's own deals and certificates.
async fn prepare(
    args: &HttpArgs,
    server: &Server,
    stop: &Stop,
) -> anyhow::Result<(Arc<Scene>, Vec<Seat>)> {
    let caller = Caller::new(server, &args.program, &args.token);
    let now = chrono::Utc::now();
    let preparation = Preparation {
        server: server.clone(),
        caller: caller.clone(),
        program: args.program.clone(),
        run: format!("r{}", now.timestamp_millis()),
        clients: args.clients.into(),
        today: Day::of_instant(now),
        stop: stop.clone(),
        position: Arc::new(AtomicU64::new(0)),
    };
    if !preparation.has_rulebook().await? {
        let tokens = args.token_admin.as_deref().zip(args.token_approver.as_deref());
        let (admin, approver) = tokens.context(
            "the program has no rulebook: give --token-admin and --token-approver to publish one",
        )?;
        preparation.publish(admin, approver).await?;
    }
    let directory = directory(args, &preparation).await?;
    let partners = &directory.partners;
    let cases = if args.mix.needs_cases() { args.cases as usize } else { 0 };
    let deals = preparation.deals(cases, partners).await?;
    let certificates = preparation.certificates(cases, partners).await?;
    let scene = Arc::new(Scene {
        caller,
        mix: args.mix,
        today: preparation.today,
        run: preparation.run,
        partners: directory.partners,
        cursors: directory.cursors,
        position: preparation.position,
    });
    let seats = usize::from(args.clients);
    let seat = |number| Seat::new(&scene, (number, seats), &deals, &certificates);
    let seats = (0..seats).map(seat).collect();
    Ok((scene, seats))
}

async fn directory(args: &HttpArgs, preparation: &Preparation) -> anyhow::Result<Directory> {
    let wanted = args.partners as usize;
    let found = preparation.directory().await?;
    if found.partners.len() >= wanted {
        return Ok(found);
    }
    preparation.partners(found.partners.len(), wanted).await?;
    let found = preparation.directory().await?;
    ensure!(found.partners.len() >= wanted, "only {} partners are listed", found.partners.len());
    Ok(found)
}

/// The load itself, the watch on the read models beside it, and the check afterwards.
async fn measure(
    args: &HttpArgs,
    server: &Server,
    (scene, seats): (Arc<Scene>, Vec<Seat>),
    stop: &Stop,
) -> anyhow::Result<Measured> {
    eprintln!("running for {} s", args.warm_up + args.seconds);
    let over = Arc::new(AtomicBool::new(false));
    let watched = (server.clone(), scene.caller.clone());
    let watch = tokio::spawn(lag::watch(watched, scene.position.clone(), over.clone()));
    let window = Window {
        warm_up: Duration::from_secs(args.warm_up.into()),
        counted: Duration::from_secs(args.seconds.into()),
    };
    let (mut tally, seats) = drive(server.address, seats, &window, stop).await?;
    over.store(true, Ordering::Relaxed);
    let mut lags = watch.await??;
    lags.record(lag::catch_up(server, &scene.caller, &scene.position).await?);
    // After Ctrl-C what was acknowledged is still looked for.
    let (checked, problems) =
        check(server.address, &scene.caller, &seats, &Stop::default()).await?;
    refuse_unexpected_reads(&problems, &mut tally);
    let checked = format!("{} streams, {} new deals", checked.streams, checked.drafts);
    Ok(Measured { tally, lags, checked })
}

fn refuse_unexpected_reads(checks: &Tally, tally: &mut Tally) {
    for problem in &checks.problems {
        tally.problem(format!("afterwards: {problem}"));
    }
}

fn refuse_unexpected(tally: &Tally, report: &mut Report) {
    let refused = tally.statuses.iter().filter(|(status, _)| !(200..300).contains(*status));
    let refused: u64 = refused.map(|(_, count)| count).sum();
    if refused > 0 {
        report.problems.push(format!("{refused} answers were no success"));
    }
}

const COMMANDS: &str = "all commands";
const QUERIES: &str = "all queries";
const TOTALS: [&str; 2] = [COMMANDS, QUERIES];

/// A total of the commands, one of the queries, and every operation below its total.
fn figures(mix: Mix, tally: &Tally) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (total, commands) in [(COMMANDS, true), (QUERIES, false)] {
        let operations: Vec<_> =
            mix.operations().filter(|operation| operation.is_command() == commands).collect();
        if operations.is_empty() {
            continue;
        }
        let mut sum = Latencies::default();
        let mut rows = Vec::new();
        for operation in operations {
            let latencies = tally.latencies.get(&(operation as usize)).cloned().unwrap_or_default();
            sum.merge(&latencies);
            rows.push(Figure::of(format!("  {}", operation.name()), &latencies, tally.elapsed));
        }
        figures.push(Figure::of(total, &sum, tally.elapsed));
        figures.extend(rows);
    }
    figures
}
