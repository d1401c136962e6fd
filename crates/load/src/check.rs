//! After the run: is everything there that was acknowledged, and nothing twice?
//!
//! Each stream that a client owned must stand at the revision of its last answer, exactly; of the
//! new deals a sample must be found.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use uuid::Uuid;

use crate::drive::{Source, Stop, Tally, Window, drive};
use crate::seat::Seat;
use crate::target::Caller;
use crate::wire::Answer;

const TIME_MAX: Duration = Duration::from_secs(300);

/// Something promised.
#[derive(Debug)]
struct Promise {
    collection: &'static str,
    id: Uuid,
    /// `None`: any revision will do.
    revision: Option<u64>,
}

/// What was looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checked {
    pub(crate) streams: usize,
    pub(crate) drafts: usize,
}

/// Reads back what the clients were promised. Whatever is missing stands in the tally's problems.
pub(crate) async fn check(
    address: SocketAddr,
    caller: &Caller,
    seats: &[Seat],
    stop: &Stop,
) -> anyhow::Result<(Checked, Tally)> {
    let promises: Vec<Vec<Promise>> = seats.iter().map(promises).collect();
    let all = || promises.iter().flatten();
    let checked = Checked {
        streams: all().filter(|promise| promise.revision.is_some()).count(),
        drafts: all().filter(|promise| promise.revision.is_none()).count(),
    };
    let checkers = promises.into_iter().map(|promises| Checker {
        caller: caller.clone(),
        promises: promises.into_iter(),
        current: None,
    });
    let window = Window { warm_up: Duration::ZERO, counted: TIME_MAX };
    let (mut tally, checkers) = drive(address, checkers.collect(), &window, stop).await?;
    if checkers.iter().any(|checker| checker.promises.len() > 0) {
        tally.problem("not everything that was acknowledged could be looked for".to_owned());
    }
    Ok((checked, tally))
}

fn promises(seat: &Seat) -> Vec<Promise> {
    let owned = [
        ("deals", &seat.deals),
        ("certificates", &seat.certificates),
        ("partners", &seat.partners),
    ];
    let streams = owned.into_iter().flat_map(|(collection, owned)| {
        let written = owned.iter().filter(|owned| owned.revision.is_some());
        written.map(move |owned| Promise { collection, id: owned.id, revision: owned.revision })
    });
    let drafts = seat.drafts.iter();
    let drafts = drafts.map(|id| Promise { collection: "deals", id: *id, revision: None });
    streams.chain(drafts).collect()
}

struct Checker {
    caller: Caller,
    promises: std::vec::IntoIter<Promise>,
    current: Option<Promise>,
}

impl Source for Checker {
    fn next(&mut self, request: &mut String) -> Option<usize> {
        let promise = self.promises.next()?;
        self.caller.get(request, &format!("{}/{}", promise.collection, promise.id));
        self.current = Some(promise);
        Some(0)
    }

    fn answered(&mut self, answer: &Answer<'_>) -> anyhow::Result<()> {
        let Some(Promise { collection, id, revision: Some(promised) }) = self.current else {
            return Ok(());
        };
        let found = answer.member("revision").and_then(|text| text.parse::<u64>().ok());
        let found = found.with_context(|| format!("{collection}/{id} has no revision"))?;
        ensure!(
            found == promised,
            "{collection}/{id} is at revision {found}, but {promised} was the last acknowledged"
        );
        Ok(())
    }
}
