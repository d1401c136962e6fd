//! `accord`: one binary for everything. This crate is the only place where things are wired
//! together; each command has a module of its own.

mod chosen_log;
mod cli;
mod copy;
mod demo;
mod durations;
mod event_log;
mod openapi;
mod own_log;
mod rebuild;
mod replay;
mod rulebook;
mod scheduler;
mod serve;
mod settings;
mod signals;
mod telemetry;
mod token;
mod verify;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

/// Keeps memory small and fast under many short-lived allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The first thing of all: there are two providers among the dependencies, and whoever uses TLS
    // must find one chosen. An error says that one is.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let cli = Cli::parse();
    telemetry::start(&cli.log);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure(&anyhow::Error::new(error).context("no runtime")),
    };
    match runtime.block_on(run(cli.command)) {
        Ok(code) => code,
        // Whoever reads our output has had enough; that is no failure.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => failure(&error),
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(args) => serve::run(args).await,
        Command::EventLog(args) => event_log::run(args).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Replay(args) => replay::run(args).await,
        Command::Rebuild(args) => rebuild::run(args).await,
        Command::Verify(args) => verify::run(args).await,
        Command::Token(args) => token::run(&args).await,
        Command::Rulebook(args) => rulebook::run(&args),
        Command::Openapi => openapi::run(),
    }
}

/// Says once what went wrong, with all its causes.
fn failure(error: &anyhow::Error) -> ExitCode {
    eprintln!("accord: {error:#}");
    ExitCode::FAILURE
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let mut inputs = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    inputs.any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}
