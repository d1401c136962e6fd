//! `accord demo`: a program history made of real commands under a simulated clock, then served.

mod board;
mod desk;
mod history;
mod names;
mod place;
mod random;
mod rivals;
mod story;
mod vendor;
mod welcome;

use std::io::{IsTerminal, Write, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use accord_domain::Day;
use accord_http::{Issuer, Limits};
use chrono::Utc;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;

use crate::cli::DemoArgs;
use crate::demo::history::{History, Plan};
use crate::demo::place::{Mark, Place};
use crate::demo::welcome::Welcome;
use crate::rulebook::counted;
use crate::serve::{self, Service};
use crate::signals::stop_signal;
use crate::wiring::Stores;

const DATA_DEFAULT: &str = "accord-demo";

pub(crate) async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let data = args.data.clone().unwrap_or_else(|| PathBuf::from(DATA_DEFAULT));
    // A busy port is told before a minute of work.
    let listening = match args.no_serve {
        true => None,
        false => Some(serve::bind(&args.listen).await?),
    };
    let stop = stop_signal()?;
    let mark = match place::prepare(&data, args.force)? {
        Place::Demo(mark) => {
            eprintln!(
                "{} holds a demo made on {}; it stays as it is (--force makes a new one)",
                data.display(),
                Day::of_instant(mark.made_at)
            );
            mark
        }
        Place::Free => match make(&args, &data, &stop).await? {
            Some(made) => made,
            None => {
                eprintln!("accord: stopped; the next `accord demo` starts afresh");
                return Ok(ExitCode::FAILURE);
            }
        },
    };
    let Some((listener, address)) = listening else { return Ok(ExitCode::SUCCESS) };
    // Opened afresh: what was kept in memory for the history is of no use any more.
    let stores = Stores::open(&data)?;
    let issuer = Issuer::open(&data)?;
    let today = Day::of_instant(Utc::now());
    let welcome =
        Welcome { data: &data, issuer: &issuer, address, flagships: &mark.flagships, today };
    let text = welcome.text()?;
    let ready = || {
        write!(stdout(), "{text}")?;
        serve::announce(address)
    };
    let limits = Limits::default();
    let service = Service { stores, issuer: issuer.clone(), limits, gate: None };
    service.run(listener, stop, ready).await?;
    Ok(ExitCode::SUCCESS)
}

/// Makes the history; `None` when stopped on the way.
async fn make(
    args: &DemoArgs,
    data: &Path,
    stop: &watch::Receiver<bool>,
) -> anyhow::Result<Option<Mark>> {
    let started = Instant::now();
    let now = Utc::now();
    let mut mark = Mark { made_at: now, complete: false, flagships: Vec::new() };
    let stores = Stores::open(data)?;
    place::mark(data, &mark)?;
    let plan = Plan { partners: args.partners, days: args.years * 365, seed: args.seed, now };
    let history = History::new(&stores, plan)?;
    let made = history.live(reporter(args), stop).await;
    let head = stores.log().head().await?;
    let events = stores.views.status().folded;
    stores.close().await;
    let Some(made) = made? else { return Ok(None) };
    if let Some(head) = head {
        // Every policy was carried out with its command.
        serve::write_checkpoint(data, head)?;
    }
    mark.flagships = made.flagships;
    mark.complete = true;
    place::mark(data, &mark)?;
    let (partners, years) = size(args);
    eprintln!(
        "{partners}, {years}, {events} events in {} s, in {}",
        started.elapsed().as_secs(),
        data.display()
    );
    Ok(Some(mark))
}

fn size(args: &DemoArgs) -> (String, String) {
    (counted(args.partners as usize, "partner"), counted(args.years as usize, "year"))
}

/// A bar for a person, a few lines for everything else.
fn reporter(args: &DemoArgs) -> Box<dyn Fn(u32, u32)> {
    let (partners, years) = size(args);
    let what = format!("living through {years} with {partners}");
    if !stderr().is_terminal() {
        eprintln!("{what}");
        return Box::new(|day, days| {
            if day > 0 && day % 73 == 0 {
                eprintln!("day {day} of {days}");
            }
        });
    }
    let style = ProgressStyle::with_template("{msg} {bar:30} {percent}%, {eta} left");
    let bar = ProgressBar::no_length();
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(what);
    Box::new(move |day, days| {
        bar.set_length(days.into());
        bar.set_position(day.into());
        if day == days {
            bar.finish_and_clear();
        }
    })
}
