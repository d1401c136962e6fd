//! `accord rebuild`: all read models anew, beside the live ones.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::process::ExitCode;
use std::time::Duration;

use accord_projections::{Progress, Rebuilt, rebuild};
use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use crate::chosen_log::open_to_read;
use crate::cli::RebuildArgs;
use crate::signals::stop_signal;

pub(crate) async fn run(args: RebuildArgs) -> anyhow::Result<ExitCode> {
    let data = &args.data.directory;
    let log = open_to_read(Some(data), args.event_log.url.as_ref())?;
    let cancel = CancellationToken::new();
    let mut stop = stop_signal()?;
    let cancelling = cancel.clone();
    tokio::spawn(async move {
        if stop.wait_for(|stop| *stop).await.is_ok() {
            cancelling.cancel();
        }
    });
    let rebuilt = rebuild(&*log, data, reporter(), &cancel).await?;
    let mut out = stdout().lock();
    match rebuilt {
        Rebuilt::Swapped { generation, folded, quarantined, .. } => {
            writeln!(out, "rebuilt {folded} events into generation {generation}, now live")?;
            if quarantined > 0 {
                writeln!(out, "{quarantined} events could not be folded and are quarantined")?;
                return Ok(ExitCode::FAILURE);
            }
            Ok(ExitCode::SUCCESS)
        }
        Rebuilt::Cancelled { .. } => {
            eprintln!("accord: stopped; the next `accord rebuild` goes on from here");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// A bar for a person, lines for everything else.
fn reporter() -> Box<dyn Fn(Progress) + Send> {
    if !stderr().is_terminal() {
        return Box::new(|progress| eprintln!("{}", words(&progress)));
    }
    let style = ProgressStyle::with_template("{bar:40} {percent}% {msg}");
    let bar = ProgressBar::no_length();
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    Box::new(move |progress| {
        bar.set_length(progress.head);
        bar.set_position(progress.position);
        bar.set_message(words(&progress));
    })
}

fn words(progress: &Progress) -> String {
    let left = match progress.eta_ms {
        Some(eta_ms) => format!(", {}s left", Duration::from_millis(eta_ms).as_secs()),
        None => String::new(),
    };
    format!("{} events, {} events/s{left}", progress.done, progress.rate)
}
