//! A log of realistic events, decided by the domain itself over two simulated years.
//!
//! Partners join first; then thousands of deals, orders and certificates run side by side, each a
//! step at a time, so that the events of one case stand as far apart in the log as in life. What
//! Accord's policies would do (claiming an opportunity's keys, delivering a licence) is done here
//! in the same order and under the same ids. Persons are sealed with keys that nobody has: they
//! read as erased.

mod deal_story;
mod order_story;
mod partner_story;
mod stream;
mod world;

use accord_eventlog::EventLog;
use futures::future::try_join_all;

use crate::drive::Stop;
use crate::random::Random;
use deal_story::DealStory;
use order_story::OrderStory;
use partner_story::{CertificateStory, PartnerStory};
use stream::Append;
pub(crate) use world::World;

/// Stories appended to at the same time; the log commits them in groups.
const APPENDS_AT_ONCE: usize = 256;

/// A working set of this share of all events lets a step take about three simulated days.
const EVENTS_PER_OPEN_STORY: u64 = 400;
const OPEN_STORIES_MIN: u64 = 16;

/// Something that happens in steps, each of which writes to one or more streams.
trait Story: Send {
    /// The next step's events, or `None` when the story is over.
    fn advance(&mut self, world: &mut World) -> anyhow::Result<Option<Vec<Append>>>;
}

/// Writes about `events` events of at least `partners` partners; returns how many it were.
pub(crate) async fn generate(
    log: &dyn EventLog,
    world: &mut World,
    (events, partners): (u64, u64),
    stop: &Stop,
) -> anyhow::Result<u64> {
    let mut random = Random::new(events);
    let open = usize::try_from((events / EVENTS_PER_OPEN_STORY).max(OPEN_STORIES_MIN))?;
    let mut written = append_all(log, vec![world.publish()?]).await?;
    let mut joining = 0..partners;
    let mut stories: Vec<Box<dyn Story>> = Vec::new();
    while !stop.is_set() && (written < events || !joining.is_empty()) {
        while stories.len() < open {
            stories.push(match joining.next() {
                Some(number) => Box::new(PartnerStory::new(world, number)),
                None if world.partners.is_empty() => break,
                None => new_case(world, &mut random),
            });
        }
        let (mut going_on, mut steps) = (Vec::with_capacity(open), Vec::with_capacity(open));
        for mut story in stories {
            if let Some(step) = story.advance(world)? {
                steps.push(step);
                going_on.push(story);
            }
        }
        stories = going_on;
        while !steps.is_empty() {
            let some = steps.split_off(steps.len().saturating_sub(APPENDS_AT_ONCE));
            written += append_all(log, some).await?;
        }
        world.advance_clock(written, events);
    }
    Ok(written)
}

fn new_case(world: &mut World, random: &mut Random) -> Box<dyn Story> {
    match random.below(100) {
        0..55 => Box::new(DealStory::new(world)),
        55..85 => Box::new(OrderStory::new(world)),
        _ => Box::new(CertificateStory::new(world)),
    }
}

/// Appends the steps of different stories side by side, each step's own appends in order.
async fn append_all(log: &dyn EventLog, steps: Vec<Vec<Append>>) -> anyhow::Result<u64> {
    let appended = steps.into_iter().map(|step| async move {
        let mut written = 0;
        for Append { stream, expected, events } in step {
            written += events.len() as u64;
            log.append(&stream, expected, events).await?;
        }
        anyhow::Ok(written)
    });
    Ok(try_join_all(appended).await?.into_iter().sum())
}
