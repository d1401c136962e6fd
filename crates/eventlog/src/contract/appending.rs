//! Expected revisions, the unity of an append, and writers that race.

use std::{collections::HashSet, sync::Arc};

use tokio::task::JoinSet;

use super::{
    Subject,
    scene::{Scene, assert_wrong_version, event, events, ids, new_ids, within_deadline},
};
use crate::{Direction, ExpectedRevision, LogError};

const WRITERS: usize = 64;

/// Revision and position of the answer are those of the last event.
pub async fn an_append_answers_with_the_place_of_its_last_event(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);

    let first = scene.append(&stream, ExpectedRevision::Any, events(3)).await;
    let second = scene.append(&stream, ExpectedRevision::Any, events(1)).await;

    assert_eq!((first.revision, second.revision), (2, 3));
    let stored = scene.read(&stream).await;
    assert_eq!(stored[2].position, first.position);
    assert_eq!(stored[3].position, second.position);
    assert!(first.position < second.position);
}

/// `Any` never refuses for the stream's revision.
pub async fn any_appends_to_a_missing_and_to_an_existing_stream(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    for revision in 0..3 {
        let appended = scene.append(&stream, ExpectedRevision::Any, events(1)).await;
        assert_eq!(appended.revision, revision);
    }
}

/// `NoStream` creates a stream and never continues one.
pub async fn no_stream_appends_only_to_a_missing_stream(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);

    let created = scene.append(&stream, ExpectedRevision::NoStream, events(2)).await;
    assert_eq!(created.revision, 1);

    let refused = scene.log.append(&stream, ExpectedRevision::NoStream, events(1)).await;
    assert_wrong_version(refused, Some(1));
    assert_eq!(scene.read(&stream).await.len(), 2);
}

/// `StreamExists` continues a stream and never creates one.
pub async fn stream_exists_appends_only_to_an_existing_stream(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);

    let refused = scene.log.append(&stream, ExpectedRevision::StreamExists, events(1)).await;
    assert_wrong_version(refused, None);
    assert!(scene.read(&stream).await.is_empty());

    scene.append(&stream, ExpectedRevision::NoStream, events(1)).await;
    let continued = scene.append(&stream, ExpectedRevision::StreamExists, events(1)).await;
    assert_eq!(continued.revision, 1);
}

/// `Exact` is refused behind the end, ahead of the end and on a missing stream.
pub async fn exact_appends_only_at_the_actual_last_revision(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let exact = |revision| scene.log.append(&stream, ExpectedRevision::Exact(revision), events(1));

    assert_wrong_version(exact(0).await, None);
    scene.append(&stream, ExpectedRevision::NoStream, events(2)).await;
    assert_wrong_version(exact(0).await, Some(1));
    assert_wrong_version(exact(2).await, Some(1));
    assert_wrong_version(exact(1_000_000).await, Some(1));
    assert_eq!(exact(1).await.expect("appended").revision, 2);
    assert_eq!(scene.read(&stream).await.len(), 3);
}

/// One append's events are neighbours in the stream, in the given order.
pub async fn the_events_of_one_append_stand_together_in_order(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let batch = events(50);

    scene.append(&stream, ExpectedRevision::NoStream, batch.clone()).await;

    let stored = scene.read(&stream).await;
    assert_eq!(ids(&stored), new_ids(&batch));
    for (revision, (event, new)) in stored.iter().zip(&batch).enumerate() {
        assert_eq!(event.revision, revision as u64);
        assert_eq!(event.stream, stream);
        assert_eq!((&event.kind, &event.data), (&new.kind, &new.data));
        assert_eq!(event.metadata, new.metadata);
        assert!(event.created_micros > 1_600_000_000_000_000, "microseconds since 1970");
    }
    assert!(stored.windows(2).all(|pair| pair[0].position < pair[1].position));
}

/// A refusal touches neither the stream nor the whole log.
pub async fn a_refused_append_leaves_nothing_behind(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let kept = events(1);
    scene.append(&stream, ExpectedRevision::NoStream, kept.clone()).await;

    let refused = scene.log.append(&stream, ExpectedRevision::Exact(7), events(5)).await;

    assert_wrong_version(refused, Some(0));
    assert_eq!(ids(&scene.read(&stream).await), new_ids(&kept));
    assert_eq!(ids(&scene.read_all().await), new_ids(&kept));
}

/// Nothing to append is a mistake of the caller, not a success.
pub async fn an_append_without_events_is_refused(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    assert!(scene.log.append(&stream, ExpectedRevision::Any, Vec::new()).await.is_err());
    assert!(scene.read(&stream).await.is_empty());
}

/// Optimistic concurrency: one winner, and every loser learns the actual revision.
pub async fn of_64_writers_at_the_same_revision_exactly_one_wins(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    scene.append(&stream, ExpectedRevision::NoStream, events(1)).await;

    let mut tasks = JoinSet::new();
    for _ in 0..WRITERS {
        let (log, stream) = (Arc::clone(&scene.log), stream.clone());
        tasks
            .spawn(async move { log.append(&stream, ExpectedRevision::Exact(0), events(1)).await });
    }
    let outcomes = within_deadline(tasks.join_all()).await;

    let (winners, losers): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(winners.len(), 1);
    for loser in losers {
        assert_wrong_version(loser, Some(1));
    }
    assert_eq!(scene.read(&stream).await.len(), 2);
}

/// 64 writers each land one event on one stream; a loser goes on from the revision it was told.
pub async fn racing_writers_win_every_revision_exactly_once(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);

    let mut tasks = JoinSet::new();
    for _ in 0..WRITERS {
        let (log, stream, new) = (Arc::clone(&scene.log), stream.clone(), event());
        tasks.spawn(async move {
            let mut expected = ExpectedRevision::NoStream;
            loop {
                match log.append(&stream, expected, vec![new.clone()]).await {
                    Ok(appended) => return (appended, new.id),
                    Err(LogError::WrongExpectedVersion { actual: Some(actual), .. }) => {
                        expected = ExpectedRevision::Exact(actual);
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        });
    }
    let mut won = within_deadline(tasks.join_all()).await;

    won.sort_by_key(|(appended, _)| appended.revision);
    let stored = scene.read(&stream).await;
    assert_eq!(stored.len(), WRITERS);
    for (revision, ((appended, id), event)) in won.iter().zip(&stored).enumerate() {
        assert_eq!((appended.revision, event.revision), (revision as u64, revision as u64));
        assert_eq!((appended.position, *id), (event.position, event.id));
    }
}

/// 64 writers, each with streams of its own and one that all share.
pub async fn writers_of_many_streams_all_land_without_gaps(subject: &dyn Subject) {
    const APPENDS: u64 = 10;
    let scene = Scene::open(subject).await;
    let shared = scene.stream("shared");

    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let (log, own, shared) = (Arc::clone(&scene.log), scene.stream(writer), shared.clone());
        tasks.spawn(async move {
            let mut expected = ExpectedRevision::NoStream;
            for _ in 0..APPENDS {
                let appended = log.append(&own, expected, events(1)).await.expect("appended");
                expected = ExpectedRevision::Exact(appended.revision);
                log.append(&shared, ExpectedRevision::Any, events(1)).await.expect("appended");
            }
        });
    }
    within_deadline(tasks.join_all()).await;

    let mut streams = vec![(shared, WRITERS as u64 * APPENDS)];
    streams.extend((0..WRITERS).map(|writer| (scene.stream(writer), APPENDS)));
    for (stream, length) in streams {
        let revisions: Vec<u64> = scene
            .log
            .read_stream(&stream, Direction::Forward, None, 10_000)
            .await
            .expect("readable")
            .iter()
            .map(|event| event.revision)
            .collect();
        assert_eq!(revisions, (0..length).collect::<Vec<_>>());
    }
    let all = scene.read_all().await;
    assert_eq!(all.len() as u64, 2 * WRITERS as u64 * APPENDS);
    assert_eq!(all.iter().map(|event| event.position).collect::<HashSet<_>>().len(), all.len());
}
