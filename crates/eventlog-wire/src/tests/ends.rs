//! Deletes, tombstones, and streams that come back.

use tonic::{Code, Status};

use super::scene::{
    ANY, NO_STREAM, STREAM_EXISTS, Scene, at, event_of, events, of_stream, trailer,
};
use crate::messages::{AppendResult, Content, StreamFrom};

fn is_deleted(status: &Status) -> bool {
    status.code() == Code::FailedPrecondition && trailer(status, "exception") == "stream-deleted"
}

impl Scene {
    async fn is_not_found(&self, stream: &str) -> bool {
        let found = self.client.all(of_stream(stream, StreamFrom::Start(()), 10)).await.unwrap();
        matches!(found[..], [Content::NotFound(_)])
    }
}

#[tokio::test]
async fn a_deleted_stream_is_not_found_until_an_append_brings_it_back() {
    let scene = Scene::full().await;
    for (stream, expected) in [("a", ANY), ("b", NO_STREAM), ("c", at(2))] {
        scene.client.write(stream, NO_STREAM, events(3)).await;
        let reply = scene.client.end("Delete", stream, at(2)).await.unwrap();
        assert!(reply.position.is_some());
        assert!(scene.is_not_found(stream).await);
        let status = scene.client.append(stream, STREAM_EXISTS, events(1)).await.unwrap_err();
        assert!(is_deleted(&status), "{status:?}");
        scene.client.conflict(stream, at(1), events(1)).await;
        assert!(scene.is_not_found(stream).await, "a refused append brings nothing back");

        let back = events(2);
        let placed = scene.client.write(stream, expected, back.clone()).await;
        assert_eq!(placed.revision, Some(4), "{expected:?}");
        assert_eq!(scene.client.revisions(stream).await, [3, 4]);
        assert_eq!(scene.client.write(stream, expected, back).await, placed, "a retry");
        scene.client.write(stream, at(4), events(1)).await;
        assert_eq!(scene.client.revisions(stream).await, [3, 4, 5]);
    }
}

#[tokio::test]
async fn a_delete_keeps_the_other_metadata() {
    let scene = Scene::full().await;
    scene.client.write("deal-1", NO_STREAM, events(9)).await;
    let about = event_of("$metadata", br#"{"$maxCount":4,"owner":"me"}"#);
    scene.client.write("$$deal-1", NO_STREAM, vec![about]).await;
    assert_eq!(scene.client.revisions("deal-1").await, [5, 6, 7, 8]);
    scene.client.end("Delete", "deal-1", ANY).await.unwrap();
    scene.client.write("deal-1", ANY, events(6)).await;
    assert_eq!(scene.client.revisions("deal-1").await, [11, 12, 13, 14]);
    let last = scene.stored("$$deal-1").await.pop().unwrap();
    let properties: serde_json::Value = serde_json::from_slice(&last.data).unwrap();
    assert_eq!(properties, serde_json::json!({ "$maxCount": 4, "owner": "me", "$tb": 9 }));
}

#[tokio::test]
async fn a_delete_at_a_wrong_revision_tells_the_right_one() {
    let scene = Scene::full().await;
    scene.client.write("deal-1", NO_STREAM, events(3)).await;
    for method in ["Delete", "Tombstone"] {
        for (stream, expected, numbers) in [
            ("deal-1", at(7), ("7", "2")),
            ("deal-1", NO_STREAM, ("-1", "2")),
            ("deal-2", STREAM_EXISTS, ("-4", "-1")),
            ("deal-2", at(0), ("0", "-1")),
        ] {
            let status = scene.client.end(method, stream, expected).await.unwrap_err();
            assert_eq!(status.code(), Code::FailedPrecondition);
            assert_eq!(trailer(&status, "exception"), "wrong-expected-version");
            assert_eq!(trailer(&status, "stream-name"), stream);
            let told = (trailer(&status, "expected-version"), trailer(&status, "actual-version"));
            assert_eq!(told, numbers, "{stream} {expected:?}");
        }
    }
    assert_eq!(scene.client.revisions("deal-1").await, [0, 1, 2]);
}

#[tokio::test]
async fn a_tombstone_is_final() {
    let scene = Scene::full().await;
    for (stream, existing) in [("a", 3), ("b", 0)] {
        if existing > 0 {
            scene.client.write(stream, NO_STREAM, events(existing)).await;
        }
        scene.client.end("Tombstone", stream, ANY).await.unwrap();
        for expected in [ANY, NO_STREAM, STREAM_EXISTS, at(2), at(3)] {
            let status = scene.client.append(stream, expected, events(1)).await.unwrap_err();
            assert!(is_deleted(&status), "{status:?}");
        }
        let about = event_of("$metadata", b"{}");
        let metadata = format!("$${stream}");
        let refusals = [
            scene.client.end("Delete", stream, ANY).await.unwrap_err(),
            scene.client.end("Tombstone", stream, ANY).await.unwrap_err(),
            scene.client.append(&metadata, ANY, vec![about]).await.unwrap_err(),
            scene.client.all(of_stream(stream, StreamFrom::Start(()), 10)).await.unwrap_err(),
            scene.client.all(of_stream(stream, StreamFrom::End(()), 10)).await.unwrap_err(),
        ];
        assert!(refusals.iter().all(is_deleted), "{refusals:?}");
        assert_eq!(scene.stored(stream).await.len(), existing + 1);
    }
}

#[tokio::test]
async fn a_deleted_stream_can_be_buried_and_deleted_again() {
    let scene = Scene::full().await;
    scene.client.write("deal-1", NO_STREAM, events(1)).await;
    for expected in [ANY, NO_STREAM, at(0)] {
        scene.client.end("Delete", "deal-1", expected).await.unwrap();
    }
    let status = scene.client.end("Delete", "deal-1", STREAM_EXISTS).await.unwrap_err();
    assert!(is_deleted(&status));
    scene.client.end("Tombstone", "deal-1", ANY).await.unwrap();
    let status = scene.client.append("deal-1", ANY, events(1)).await.unwrap_err();
    assert!(is_deleted(&status));
}

#[tokio::test]
async fn nothing_lands_behind_a_tombstone_however_many_write() {
    let scene = Scene::full().await;
    for round in 0..10 {
        let stream = format!("deal-{round}");
        let mut writers = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let (client, stream) = (scene.client.clone(), stream.clone());
            writers.spawn(async move {
                match client.append(&stream, ANY, events(1)).await {
                    Ok(AppendResult::Success(_)) => 1,
                    Ok(other) => panic!("{other:?}"),
                    Err(status) => {
                        assert!(is_deleted(&status), "{status:?}");
                        0
                    }
                }
            });
        }
        scene.client.end("Tombstone", &stream, ANY).await.unwrap();
        let landed: usize = writers.join_all().await.into_iter().sum();
        let stored = scene.stored(&stream).await;
        assert_eq!(stored.len(), landed + 1);
        assert_eq!(&*stored.last().unwrap().kind, "$streamDeleted");
    }
}
