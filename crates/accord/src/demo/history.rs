//! The simulation: day by day, timers first, then the partners' stories, then their quarrels.

use std::sync::Arc;
use std::time::Duration;

use accord_app::{App, Clock};
use accord_domain::{Day, PartnerId, ProgramId, Timestamp};
use anyhow::{Context, ensure};
use chrono::NaiveTime;
use futures::{StreamExt, TryStreamExt};
use tokio::sync::watch;

use crate::demo::board::Board;
use crate::demo::rivals::Rivals;
use crate::demo::story::{Cast, Span, Story};
use crate::demo::vendor::Vendor;
use crate::scheduler::{Fired, fire_due};
use crate::wiring::Stores;

/// Stories that send commands at the same time; their appends share their way to the disk.
const STORIES_AT_ONCE_MAX: usize = 32;

/// Moments of a working day, in minutes after midnight.
const TIMERS_AT: u32 = 5 * 60;
const STORIES_AT: [u32; 3] = [9 * 60, 11 * 60 + 30, 15 * 60];
const RIVALS_AT: u32 = 17 * 60;

/// The read models are never further behind.
const CATCH_UP_MAX: Duration = Duration::from_secs(60);

/// How much history to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) partners: u32,
    pub(crate) days: u32,
    pub(crate) seed: u64,
    /// The moment at which the simulated clock ends.
    pub(crate) now: Timestamp,
}

/// What there is to show afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    /// The partner of each program to whom everything happens.
    pub(crate) flagships: Vec<(ProgramId, PartnerId)>,
}

/// A world under a simulated clock.
pub(crate) struct History<'a> {
    stores: &'a Stores,
    app: Arc<App>,
    span: Span,
    now: Timestamp,
    vendors: Vec<Arc<Vendor>>,
    stories: Vec<Story>,
    boards: Vec<Board>,
    rivals: Rivals,
}

impl<'a> History<'a> {
    pub(crate) fn new(stores: &'a Stores, plan: Plan) -> anyhow::Result<Self> {
        let last = Day::of_instant(plan.now);
        let span = Span { first: last.minus_days(plan.days), last };
        let app = stores.app(Clock::simulated(at(span.first, 0)));
        let vendors = Vendor::all()?;
        let stories = cast(&vendors, &app, plan, span)?;
        let boards = vendors.iter().map(|vendor| {
            let flagship = flagship_of(&stories, vendor).map(|story| story.partner);
            Board::new(&app, vendor, flagship)
        });
        let boards = boards.collect();
        let rivals = Rivals::new(&app, plan.seed);
        Ok(Self { stores, app, span, now: plan.now, vendors, stories, boards, rivals })
    }

    /// Lives from the first day to now. `None`: stopped on the way.
    pub(crate) async fn live(
        mut self,
        progress: impl Fn(u32, u32),
        stop: &watch::Receiver<bool>,
    ) -> anyhow::Result<Option<Made>> {
        let days = self.span.days();
        for number in 0..=days {
            if *stop.borrow() {
                return Ok(None);
            }
            let today = self.span.first.plus_days(number);
            self.day(number, today).await.with_context(|| format!("on day {number}, {today}"))?;
            progress(number, days);
        }
        self.app.clock().set(self.now);
        self.stores.catch_up(CATCH_UP_MAX).await?;
        let flagships = self.vendors.iter().filter_map(|vendor| {
            let story = flagship_of(&self.stories, vendor)?;
            Some((vendor.program.clone(), story.partner))
        });
        Ok(Some(Made { flagships: flagships.collect() }))
    }

    async fn day(&mut self, number: u32, today: Day) -> anyhow::Result<()> {
        self.clock_to(today, TIMERS_AT);
        if number == 0 {
            for vendor in &self.vendors {
                vendor.publish(&self.app, today).await?;
            }
        }
        if number == self.span.days() / 2 {
            for vendor in &self.vendors {
                vendor.revise(&self.app, today).await?;
            }
        }
        self.fire_timers().await?;
        for (slot, minute) in (0..).zip(STORIES_AT) {
            self.clock_to(today, minute);
            self.stories_of(slot, number, today).await?;
        }
        self.clock_to(today, RIVALS_AT);
        self.rivals.live(&mut self.stories, today).await?;
        if today.plus_days(6) == self.span.last {
            self.rivals.contend_for_flagships(&mut self.stories, today).await?;
        }
        if number % 4 == 3 {
            self.stores.catch_up(CATCH_UP_MAX).await?;
            for board in &mut self.boards {
                board.meet(&self.stores.views, today).await?;
            }
        }
        Ok(())
    }

    /// Sets the clock to a moment of the day, never past the real now.
    fn clock_to(&self, today: Day, minute: u32) {
        // Not everything in the world happens on the full hour.
        let second = (today.0.to_epoch_days().unsigned_abs().wrapping_mul(2_654_435_761)) % 1_700;
        let moment = at(today, minute) + chrono::TimeDelta::seconds(i64::from(second));
        self.app.clock().set(moment.min(self.now));
    }

    async fn fire_timers(&self) -> anyhow::Result<()> {
        self.stores.catch_up(CATCH_UP_MAX).await?;
        let fired = fire_due(&self.app, &self.stores.views).await?;
        ensure!(fired.refused == 0, "{} of {} timers were refused", fired.refused, fired.done);
        if fired != Fired::default() {
            self.stores.catch_up(CATCH_UP_MAX).await?;
        }
        Ok(())
    }

    async fn stories_of(&mut self, slot: u32, number: u32, today: Day) -> anyhow::Result<()> {
        let slots = u32::try_from(STORIES_AT.len()).unwrap_or(1);
        let now =
            |story: &&mut Story| story.is_due(today) && (story.index + number) % slots == slot;
        let living = self.stories.iter_mut().filter(now).map(|story| story.live(today));
        futures::stream::iter(living).buffer_unordered(STORIES_AT_ONCE_MAX).try_collect().await
    }
}

/// The partners, spread over the programs by their shares; the first of each is its flagship.
fn cast(
    vendors: &[Arc<Vendor>],
    app: &Arc<App>,
    plan: Plan,
    span: Span,
) -> anyhow::Result<Vec<Story>> {
    let mut stories = Vec::new();
    for index in 0..plan.partners {
        let place = (index * 61 + 1) % 100;
        let mut share_end = 0;
        let vendor = vendors.iter().find(|vendor| {
            share_end += vendor.share;
            place < share_end
        });
        let vendor = vendor.context("the shares of the programs add up to a hundred")?;
        let flagship = flagship_of(&stories, vendor).is_none();
        let cast = Cast { index, seed: plan.seed, flagship, span };
        stories.push(Story::new(&cast, vendor, app)?);
    }
    Ok(stories)
}

fn flagship_of<'s>(stories: &'s [Story], vendor: &Vendor) -> Option<&'s Story> {
    stories.iter().find(|story| story.flagship && story.vendor.program == vendor.program)
}

/// A minute of a day, UTC.
fn at(day: Day, minute: u32) -> Timestamp {
    let time = NaiveTime::from_num_seconds_from_midnight_opt(minute * 60, 0).unwrap_or_default();
    day.0.and_time(time).and_utc()
}

#[cfg(test)]
mod tests;
