//! `accord-load`: what Accord carries, measured beside what the machine can do.
//!
//! `http` puts a running server under load; `log` makes an event log of a given size and measures
//! how fast it is replayed and how fast all read models are rebuilt from it. Beside every figure
//! stands a probe of the machine from the same run, because a rate alone says nothing.
//!
//! The clients share the machine with the server, so they cost as little as they can: one thread,
//! requests written as they are, answers looked at only where they have to be.

mod bodies;
mod check;
mod drive;
mod generate;
mod http;
mod lag;
mod latency;
mod log;
mod mix;
mod prepare;
mod probe;
mod random;
mod report;
mod seat;
mod target;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::drive::Stop;
use crate::report::Report;

/// Measure Accord under load, beside probes of the machine.
#[derive(Debug, Parser)]
#[command(name = "accord-load", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Write the figures to this file as well, as JSON
    #[arg(long, global = true)]
    json: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Http(http::HttpArgs),
    Log(log::LogArgs),
}

/// What a shell reports of a process that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(report) if !report.problems.is_empty() => ExitCode::FAILURE,
        Ok(report) if report.interrupted => ExitCode::from(INTERRUPTED),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("accord-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<Report> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    let report = runtime.block_on(async {
        let stop = Stop::on_ctrl_c();
        match &arguments.command {
            Command::Http(args) => http::run(args, &stop).await,
            Command::Log(args) => log::run(args, &stop).await,
        }
    })?;
    report.print();
    if let Some(path) = &arguments.json {
        report.write_json(path)?;
    }
    Ok(report)
}
