//! What survives closing and opening the log: everything that was acknowledged.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{
    Subject,
    scene::{Scene, assert_wrong_version, events, ids, new_ids, until_caught_up, within_deadline},
};
use crate::ExpectedRevision::{Any, Exact, NoStream};

/// Same events, same order, same positions, same bytes.
pub async fn everything_acknowledged_is_there_after_a_restart(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let mut tasks = JoinSet::new();
    for writer in 0..16 {
        let (log, stream) = (Arc::clone(&scene.log), scene.stream(writer));
        tasks.spawn(async move {
            for _ in 0..10 {
                log.append(&stream, Any, events(2)).await.expect("appended");
            }
        });
    }
    within_deadline(tasks.join_all()).await;
    let before = scene.read_all().await;
    assert_eq!(before.len(), 320);

    let scene = scene.restarted(subject).await;

    assert_eq!(scene.read_all().await, before);
    assert!(scene.log.head().await.expect("readable") >= before.last().map(|event| event.position));
}

/// The stream's end is known again, and no position is given twice.
pub async fn positions_and_revisions_go_on_after_a_restart(subject: &dyn Subject) {
    let mut scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let mut last = scene.append(&stream, NoStream, events(2)).await;

    for _ in 0..3 {
        scene = scene.restarted(subject).await;
        let late = scene.log.append(&stream, NoStream, events(1)).await;
        assert_wrong_version(late, Some(last.revision));
        let next = scene.append(&stream, Exact(last.revision), events(1)).await;
        assert_eq!(next.revision, last.revision + 1);
        assert!(next.position > last.position);
        last = next;
    }
}

/// The client that never got its answer asks again after the server came back.
pub async fn a_retry_is_recognised_after_a_restart(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let (one, two) = (scene.stream(1), scene.stream(2));
    let (at_revision, at_end) = (events(2), events(2));
    scene.append(&one, NoStream, events(1)).await;
    let first = scene.append(&one, Exact(0), at_revision.clone()).await;
    let second = scene.append(&two, Any, at_end.clone()).await;
    scene.append(&two, Any, events(1)).await;

    let scene = scene.restarted(subject).await;

    assert_eq!(scene.append(&one, Exact(0), at_revision).await, first);
    assert_eq!(scene.append(&two, Any, at_end).await, second);
    assert_eq!((scene.read(&one).await.len(), scene.read(&two).await.len()), (3, 3));
}

/// A position kept by a reader means the same after the restart.
pub async fn a_subscription_resumes_after_a_restart(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let (seen, unseen) = (events(5), events(5));
    let stream = scene.stream(1);
    let kept = scene.append(&stream, Any, seen).await.position;
    scene.append(&stream, Any, unseen.clone()).await;

    let scene = scene.restarted(subject).await;
    let mut subscription = scene.subscribe(Some(kept)).await;

    let (resumed, _) = until_caught_up(&mut subscription).await;
    assert_eq!(ids(&resumed), new_ids(&unseen));
}
