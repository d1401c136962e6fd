//! Idempotence by event ids: the table in the documentation of [`EventLog`](crate::EventLog).

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{
    Subject,
    scene::{Scene, assert_wrong_version, event, events, ids, new_ids, within_deadline},
};
use crate::ExpectedRevision::{self, Any, Exact, NoStream, StreamExists};

/// A retry finds its events where they were put, however far the stream has gone on.
pub async fn a_repeated_exact_append_answers_with_its_first_place(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let (first, batch) = (events(2), events(3));
    scene.append(&stream, NoStream, first).await;

    let original = scene.append(&stream, Exact(1), batch.clone()).await;
    assert_eq!(scene.append(&stream, Exact(1), batch.clone()).await, original);
    scene.append(&stream, Exact(4), events(4)).await;
    assert_eq!(scene.append(&stream, Exact(1), batch).await, original);

    assert_eq!(scene.read(&stream).await.len(), 9);
}

/// The same for the append that created the stream.
pub async fn a_repeated_no_stream_append_answers_with_its_first_place(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let batch = events(2);

    let original = scene.append(&stream, NoStream, batch.clone()).await;
    scene.append(&stream, Exact(1), events(1)).await;
    assert_eq!(scene.append(&stream, NoStream, batch).await, original);

    assert_eq!(scene.read(&stream).await.len(), 3);
}

/// Somebody else wrote at the expected revision: that is a conflict, not a retry.
pub async fn an_exact_append_of_other_ids_is_refused(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let batch = events(3);
    scene.append(&stream, NoStream, batch.clone()).await;

    assert_wrong_version(scene.log.append(&stream, Exact(0), events(2)).await, Some(2));
    // The right ids, but not at the revisions that follow the expected one.
    let moved = vec![batch[2].clone()];
    assert_wrong_version(scene.log.append(&stream, Exact(0), moved).await, Some(2));
    let swapped = vec![batch[2].clone(), batch[1].clone()];
    assert_wrong_version(scene.log.append(&stream, Exact(0), swapped).await, Some(2));
    let first_alike = vec![batch[1].clone(), event()];
    assert_wrong_version(scene.log.append(&stream, Exact(0), first_alike).await, Some(2));

    assert_eq!(ids(&scene.read(&stream).await), new_ids(&batch));
}

/// A retry with more events than the original is another append.
pub async fn an_exact_append_that_is_only_partly_there_is_refused(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let mut batch = events(2);
    scene.append(&stream, NoStream, batch.clone()).await;

    batch.push(event());
    assert_wrong_version(scene.log.append(&stream, NoStream, batch.clone()).await, Some(1));
    let tail = batch.split_off(1);
    assert_wrong_version(scene.log.append(&stream, Exact(0), tail).await, Some(1));

    assert_eq!(scene.read(&stream).await.len(), 2);
}

/// With `Any`, the ids alone tell a retry.
pub async fn a_repeated_any_append_answers_with_its_first_place(subject: &dyn Subject) {
    repeats(subject, Any).await;
}

/// With `StreamExists`, the ids alone tell a retry.
pub async fn a_repeated_stream_exists_append_answers_with_its_first_place(subject: &dyn Subject) {
    repeats(subject, StreamExists).await;
}

async fn repeats(subject: &dyn Subject, expected: ExpectedRevision) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let batch = events(2);
    scene.append(&stream, NoStream, events(1)).await;

    let original = scene.append(&stream, expected, batch.clone()).await;
    assert_eq!(scene.append(&stream, expected, batch.clone()).await, original);
    for _ in 0..20 {
        scene.append(&stream, expected, events(1)).await;
    }
    assert_eq!(scene.append(&stream, expected, batch).await, original);

    assert_eq!(scene.read(&stream).await.len(), 23);
}

/// The first id known and a later one unknown: neither a retry nor a new append.
pub async fn an_any_append_that_is_only_partly_there_is_refused(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let known = event();
    scene.append(&stream, Any, vec![known.clone()]).await;

    for expected in [Any, StreamExists] {
        let partly = vec![known.clone(), event()];
        assert_wrong_version(scene.log.append(&stream, expected, partly).await, Some(0));
    }
    assert_eq!(ids(&scene.read(&stream).await), [known.id]);
}

/// It does not matter with which expectation the ids were appended first.
pub async fn an_any_append_knows_ids_that_were_appended_at_a_revision(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let (first, second) = (events(1), events(2));
    let created = scene.append(&stream, NoStream, first.clone()).await;
    let original = scene.append(&stream, Exact(0), second.clone()).await;

    assert_eq!(scene.append(&stream, Any, second.clone()).await, original);
    assert_eq!(scene.append(&stream, StreamExists, first).await, created);
    let third = events(1);
    let continued = scene.append(&stream, Exact(2), third.clone()).await;
    assert_eq!(scene.append(&stream, Any, third).await, continued);

    assert_eq!(scene.read(&stream).await.len(), 4);
}

/// The same append sent many times at once lands once, and everybody is told the same place.
pub async fn a_retry_that_races_its_original_lands_once(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    for (name, expected) in [("any", Any), ("none", NoStream)] {
        let (stream, batch) = (scene.stream(name), events(2));
        let mut tasks = JoinSet::new();
        for _ in 0..16 {
            let (log, stream, batch) = (Arc::clone(&scene.log), stream.clone(), batch.clone());
            tasks.spawn(
                async move { log.append(&stream, expected, batch).await.expect("appended") },
            );
        }
        let places = within_deadline(tasks.join_all()).await;

        let stored = scene.read(&stream).await;
        assert_eq!(ids(&stored), new_ids(&batch));
        assert!(places.iter().all(|place| place.position == stored[1].position));
        assert!(places.iter().all(|place| place.revision == 1));
    }
}
