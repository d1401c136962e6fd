//! Subscriptions: history, caught up, live; no gap, no double, one order for everybody.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{
    Subject,
    scene::{
        Scene, event_of_kind, events, ids, new_ids, next, take, until_caught_up, within_deadline,
    },
};
use crate::{
    ExpectedRevision::{Any, NoStream},
    Filter, Position, SubscriptionMessage,
};

/// First what was there, then `CaughtUp`, then what is appended from now on.
pub async fn a_subscription_goes_through_history_to_live(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let (history, live) = (events(20), events(3));
    let appended = scene.append(&stream, Any, history.clone()).await;

    let mut subscription = scene.subscribe(scene.start).await;
    let (seen, caught_up_at) = until_caught_up(&mut subscription).await;
    assert_eq!(ids(&seen), new_ids(&history));
    assert!(caught_up_at >= Some(appended.position));

    scene.append(&stream, Any, live.clone()).await;
    assert_eq!(ids(&take(&mut subscription, 3).await), new_ids(&live));
    assert_eq!(scene.read(&stream).await.len(), 23);
}

/// The last position seen is all that a reader must keep.
pub async fn a_subscription_resumes_strictly_after_a_position(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    scene.append(&stream, Any, events(10)).await;
    let all = scene.read_all().await;

    for (index, event) in all.iter().enumerate() {
        let mut subscription = scene.subscribe(Some(event.position)).await;
        let (seen, _) = until_caught_up(&mut subscription).await;
        assert_eq!(seen, all[index + 1..]);
    }
}

/// Nothing after the position is not a reason to wait for the first event.
pub async fn a_subscription_with_nothing_to_tell_is_caught_up_at_once(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;

    let mut subscription = scene.subscribe(scene.start).await;
    let (seen, caught_up_at) = until_caught_up(&mut subscription).await;
    assert_eq!(seen, []);
    assert!(caught_up_at >= scene.start);

    let batch = events(1);
    scene.append(&scene.stream(1), Any, batch.clone()).await;
    assert_eq!(ids(&take(&mut subscription, 1).await), new_ids(&batch));
}

/// `CaughtUp` carries how far the log was considered, even where nothing passed the filter.
pub async fn a_filtered_subscription_tells_how_far_it_looked(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let appended = scene.append(&scene.stream(1), Any, events(50)).await;

    let filter = Filter { kind_prefixes: vec!["Missing".to_owned()], ..scene.filter() };
    let mut subscription = scene.log.subscribe(scene.start, filter).await.expect("readable");
    let (seen, caught_up_at) = until_caught_up(&mut subscription).await;

    assert_eq!(seen, []);
    assert!(caught_up_at >= Some(appended.position));
}

/// The filter holds for history and for live events alike.
pub async fn a_filtered_subscription_delivers_only_what_passes(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let mixed = || {
        let wanted = event_of_kind("WantedToo");
        (wanted.id, vec![event_of_kind("Other"), wanted, event_of_kind("Unwanted")])
    };
    let (historical, batch) = mixed();
    scene.append(&stream, Any, batch).await;

    let filter = Filter { kind_prefixes: vec!["Wanted".to_owned()], ..scene.filter() };
    let mut subscription = scene.log.subscribe(scene.start, filter).await.expect("readable");
    let (seen, _) = until_caught_up(&mut subscription).await;
    assert_eq!(ids(&seen), [historical]);

    let (first_live, batch) = mixed();
    scene.append(&stream, Any, batch).await;
    let (second_live, batch) = mixed();
    scene.append(&stream, Any, batch).await;
    assert_eq!(ids(&take(&mut subscription, 2).await), [first_live, second_live]);
}

/// In history and live alike.
pub async fn a_subscription_delivers_system_events_only_when_asked_to(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let prefixes = vec![stream.to_string(), stream.metadata().to_string()];
    let without = Filter { stream_prefixes: prefixes, ..Filter::default() };
    let with = Filter { system: true, ..without.clone() };
    let (mut all, mut plain) = (Vec::new(), Vec::new());
    let mut append = async || {
        let (usual, about) = (event_of_kind("Usual"), event_of_kind("$metadata"));
        all.extend([about.id, usual.id]);
        plain.push(usual.id);
        scene.append(&stream.metadata(), Any, vec![about]).await;
        scene.append(&stream, Any, vec![usual]).await;
    };
    append().await;

    let mut everything = scene.log.subscribe(scene.start, with).await.expect("readable");
    let mut usual = scene.log.subscribe(scene.start, without).await.expect("readable");
    let mut seen = ids(&until_caught_up(&mut everything).await.0);
    let mut seen_usual = ids(&until_caught_up(&mut usual).await.0);
    append().await;
    append().await;
    seen.extend(ids(&take(&mut everything, 4).await));
    seen_usual.extend(ids(&take(&mut usual, 2).await));

    assert_eq!(seen, all);
    assert_eq!(seen_usual, plain);
}

const WRITERS: usize = 16;
const APPENDS: usize = 60;

fn spawn_writers(scene: &Scene) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let (log, stream) = (Arc::clone(&scene.log), scene.stream(writer));
        tasks.spawn(async move {
            for round in 0..APPENDS {
                log.append(&stream, Any, events(1 + round % 2)).await.expect("appended");
            }
        });
    }
    tasks
}

const WRITTEN: usize = WRITERS * (APPENDS + APPENDS / 2);

/// Subscribed again and again in the middle of the writing, each time from where the last ended.
pub async fn a_subscription_among_running_writers_has_no_gap_and_no_double(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let mut from_start = scene.subscribe(scene.start).await;
    let writers = spawn_writers(&scene);

    let (mut resumed, mut from): (Vec<_>, Option<Position>) = (Vec::new(), scene.start);
    while resumed.len() < WRITTEN {
        let mut subscription = scene.subscribe(from).await;
        // A few messages cross the seam between history and live, then the reader starts over.
        for _ in 0..4 {
            if resumed.len() >= WRITTEN {
                break;
            }
            if let SubscriptionMessage::Events(events) = next(&mut subscription).await {
                from = events.last().map(|event| event.position);
                resumed.extend(events);
            }
        }
    }
    within_deadline(writers.join_all()).await;

    let all = scene.read_all().await;
    assert_eq!(all.len(), WRITTEN);
    assert_eq!(ids(&resumed), ids(&all));
    assert_eq!(take(&mut from_start, WRITTEN).await, all);
}

/// Whoever does not read for a while falls behind, and then gets everything exactly once.
pub async fn a_slow_reader_of_a_subscription_misses_nothing(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let mut subscription = scene.subscribe(scene.start).await;
    let (seen, _) = until_caught_up(&mut subscription).await;
    assert_eq!(seen, []);

    // Far more than any live buffer holds, while nobody reads.
    within_deadline(spawn_writers(&scene).join_all()).await;
    for _ in 0..100 {
        scene.append(&scene.stream("bulk"), Any, events(100)).await;
    }

    let all = scene.read_all().await;
    assert_eq!(all.len(), WRITTEN + 10_000);
    let seen = take(&mut subscription, all.len()).await;
    assert_eq!(ids(&seen), ids(&all));
}

/// One order of the log, whoever looks and whenever they began.
pub async fn all_subscriptions_see_the_same_order(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    scene.append(&scene.stream("first"), NoStream, events(1)).await;
    let mut subscriptions = Vec::new();
    let writers = spawn_writers(&scene);
    for _ in 0..4 {
        subscriptions.push(scene.subscribe(scene.start).await);
    }
    within_deadline(writers.join_all()).await;

    let all = scene.read_all().await;
    for mut subscription in subscriptions {
        assert_eq!(take(&mut subscription, all.len()).await, all);
    }
}
