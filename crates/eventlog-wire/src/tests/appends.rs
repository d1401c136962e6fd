//! Single appends: the rules of the server, and requests that lack something.

use tonic::Code;

use super::scene::{
    ANY, NO_STREAM, STREAM_EXISTS, Scene, at, event, event_of, events, sent, target, trailer,
};
use crate::{
    Limits,
    messages::{AppendRequest, Expected},
};

#[tokio::test]
async fn every_expectation_appends_where_it_holds() {
    let scene = Scene::full().await;
    let batch = events(2);
    let placed = scene.client.write("deal-1", NO_STREAM, batch.clone()).await;
    assert_eq!((placed.revision, placed.no_stream), (Some(1), None));
    let position = placed.position.unwrap();
    assert_eq!(position.commit, position.prepare);
    for (expected, revision) in [(at(1), 2), (STREAM_EXISTS, 3), (ANY, 4)] {
        let placed = scene.client.write("deal-1", expected, events(1)).await;
        assert_eq!(placed.revision, Some(revision), "{expected:?}");
    }
    scene.client.write("deal-2", ANY, events(1)).await;
    let stored = scene.stored("deal-1").await;
    assert_eq!((stored[0].id, stored[1].id), (sent(&batch)[0], sent(&batch)[1]));
    assert_eq!((&*stored[0].kind, &stored[0].data), ("Sold", &batch[0].data));
    assert_eq!(stored[0].metadata, batch[0].metadata);
}

#[tokio::test]
async fn a_wrong_expectation_is_told_in_old_and_in_new_fields() {
    let scene = Scene::full().await;
    scene.client.write("deal-1", NO_STREAM, events(4)).await;
    for revision in [0, 7, u64::MAX] {
        let conflict = scene.client.conflict("deal-1", at(revision), events(1)).await;
        assert_eq!((conflict.current_revision, conflict.current_revision_old), (Some(3), Some(3)));
        assert_eq!(conflict.expected_revision, Some(revision));
        assert_eq!(conflict.expected_revision_old, Some(revision));
        assert_eq!((conflict.current_no_stream, conflict.expected_no_stream), (None, None));
    }
    let conflict = scene.client.conflict("deal-1", NO_STREAM, events(1)).await;
    assert_eq!((conflict.current_revision, conflict.expected_no_stream), (Some(3), Some(())));
    let conflict = scene.client.conflict("deal-2", STREAM_EXISTS, events(1)).await;
    assert_eq!((conflict.current_revision, conflict.current_no_stream), (None, Some(())));
    assert_eq!(conflict.current_no_stream_old, Some(()));
    assert_eq!(conflict.expected_stream_exists, Some(()));
    assert_eq!(conflict.expected_stream_exists_old, Some(()));
    assert_eq!(scene.stored("deal-1").await.len(), 4);
    assert!(scene.stored("deal-2").await.is_empty());
}

#[tokio::test]
async fn a_repeated_append_lands_where_it_landed_first() {
    let scene = Scene::full().await;
    for (stream, expected) in [("a", NO_STREAM), ("b", ANY)] {
        let batch = events(3);
        let first = scene.client.write(stream, expected, batch.clone()).await;
        scene.client.write(stream, at(2), events(2)).await;
        assert_eq!(scene.client.write(stream, expected, batch.clone()).await, first);
        let mixed = vec![batch[0].clone(), event()];
        let conflict = scene.client.conflict(stream, expected, mixed).await;
        assert_eq!(conflict.current_revision, Some(4));
        assert_eq!(scene.stored(stream).await.len(), 5);
    }
}

#[tokio::test]
async fn an_append_without_events_only_asks() {
    let scene = Scene::full().await;
    let placed = scene.client.write("deal-1", NO_STREAM, vec![]).await;
    assert_eq!((placed.revision, placed.no_stream, placed.no_position), (None, Some(()), Some(())));
    scene.client.conflict("deal-1", at(0), vec![]).await;
    scene.client.write("deal-1", NO_STREAM, events(3)).await;
    let placed = scene.client.write("deal-1", at(2), vec![]).await;
    assert_eq!((placed.revision, placed.position), (Some(2), None));
    assert_eq!(scene.client.conflict("deal-1", NO_STREAM, vec![]).await.current_revision, Some(2));
}

#[tokio::test]
async fn what_a_request_lacks_is_named() {
    let scene = Scene::full().await;
    let nameless = crate::messages::Proposed { id: None, ..event() };
    let mut kindless = event();
    kindless.properties.remove(0);
    let tombstone = event_of("$streamDeleted", b"");
    let mut contentless = event();
    contentless.properties.remove(1);
    let message = |target, proposed| AppendRequest { target, proposed };
    let to = |stream: &str, expected: Option<Expected>| {
        let target = target(stream, ANY);
        Some(crate::messages::AppendTarget { expected, ..target })
    };
    let cases = [
        (vec![], ""),
        (vec![message(None, Some(event()))], ""),
        (vec![message(to("deal-1", None), None)], ""),
        (vec![message(to("", Some(ANY)), None)], ""),
        (vec![message(to("deal\n1", Some(ANY)), None)], ""),
        (vec![message(to("deal-1", Some(ANY)), None), message(None, None)], ""),
        (vec![message(to("deal-1", Some(ANY)), None), message(None, Some(nameless))], ""),
        (vec![message(to("deal-1", Some(ANY)), None), message(None, Some(kindless))], "type"),
        (vec![message(to("deal-1", Some(ANY)), None), message(None, Some(tombstone))], ""),
        (
            vec![message(to("deal-1", Some(ANY)), None), message(None, Some(contentless))],
            "content-type",
        ),
    ];
    for (messages, property) in cases {
        let status = scene.client.append_messages(messages.clone()).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{messages:?}: {status:?}");
        assert_eq!(trailer(&status, "required-metadata-properties"), property, "{messages:?}");
    }
    assert!(scene.log_is_empty().await);
}

#[tokio::test]
async fn an_event_over_the_limit_is_refused_and_one_of_the_limit_is_not() {
    let scene = Scene::full().await;
    let of_bytes = |bytes: usize| event_of("Sold", &vec![b'x'; bytes - 2]);
    let limit = accord_eventlog::EVENT_BYTES_MAX;
    scene.client.write("deal-1", ANY, vec![of_bytes(limit)]).await;
    let status = scene.client.append("deal-1", ANY, vec![of_bytes(limit + 1)]).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(trailer(&status, "exception"), "maximum-append-size-exceeded");
    assert_eq!(trailer(&status, "maximum-append-size"), limit.to_string());
    let many = vec![of_bytes(limit); 17];
    let status = scene.client.append("deal-1", ANY, many).await.unwrap_err();
    assert_eq!(trailer(&status, "maximum-append-size"), (16 * limit).to_string());
    assert_eq!(scene.stored("deal-1").await.len(), 1);
}

#[tokio::test]
async fn events_on_their_way_are_bounded_over_all_calls() {
    let limits = Limits { uploads_bytes_max: 64 * 1024, ..Limits::default() };
    let scene = Scene::limited(limits).await;
    let large = event_of("Sold", &[b'x'; 40 * 1024]);
    for _ in 0..3 {
        scene.client.write("deal-1", ANY, vec![large.clone()]).await;
    }
    let status = scene.client.append("deal-1", ANY, vec![large; 2]).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn many_writers_at_the_same_revision_leave_one_event_per_revision() {
    let scene = Scene::full().await;
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let client = scene.client.clone();
        writers.spawn(async move { client.append("deal-1", NO_STREAM, events(1)).await.unwrap() });
    }
    let outcomes = writers.join_all().await;
    let won = |outcome: &&_| matches!(outcome, crate::messages::AppendResult::Success(_));
    assert_eq!(outcomes.iter().filter(won).count(), 1);
    assert_eq!(scene.stored("deal-1").await.len(), 1);
}

impl Scene {
    async fn log_is_empty(&self) -> bool {
        accord_eventlog::EventLog::head(&*self.log).await.unwrap().is_none()
    }
}
