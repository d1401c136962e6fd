//! Batch appends: parts, answers by correlation id, and the errors inside answers.

use prost::Message;
use tonic::Code;
use uuid::Uuid;

use super::scene::{
    ANY, NO_STREAM, STREAM_EXISTS, Scene, at, event_of, events, identifier, sent, within_deadline,
};
use crate::messages::{
    BatchOptions, BatchReply, BatchRequest, BatchResult, ConflictDetail, Deadline, ErrorStatus,
    Expected, Proposed, Span, StreamDeletedDetail, TooLargeDetail, WireUuid,
};

fn part(id: Uuid, options: Option<BatchOptions>, proposed: Vec<Proposed>) -> BatchRequest {
    BatchRequest { correlation: Some(WireUuid::text(id)), options, proposed, complete: false }
}

fn options(stream: &str, expected: Expected) -> Option<BatchOptions> {
    let deadline = Some(Deadline::Within(Span { seconds: 315_576_000_000, nanos: 0 }));
    Some(BatchOptions { stream: Some(identifier(stream)), expected: Some(expected), deadline })
}

fn whole(stream: &str, expected: Expected, proposed: Vec<Proposed>) -> BatchRequest {
    BatchRequest { complete: true, ..part(Uuid::new_v4(), options(stream, expected), proposed) }
}

impl Scene {
    async fn answers(&self, parts: Vec<BatchRequest>) -> Vec<BatchReply> {
        let mut replies = self.client.batches(parts).await.unwrap();
        let mut all = Vec::new();
        while let Some(reply) = within_deadline(replies.message()).await.unwrap() {
            all.push(reply);
        }
        all
    }

    async fn error(&self, request: BatchRequest) -> ErrorStatus {
        let mut answers = self.answers(vec![request]).await;
        match answers.remove(0).result {
            Some(BatchResult::Error(error)) => error,
            other => panic!("expected an error, got {other:?}"),
        }
    }
}

fn detail<T: Message + Default>(error: &ErrorStatus, name: &str) -> T {
    let any = error.detail.as_ref().unwrap();
    assert_eq!(any.type_url, format!("type.googleapis.com/event_store.client.{name}"));
    T::decode(any.value.clone()).unwrap()
}

#[tokio::test]
async fn the_parts_of_a_batch_are_one_append() {
    let scene = Scene::full().await;
    let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
    let batch = events(5);
    let last = BatchRequest { complete: true, ..part(one, None, batch[3..].to_vec()) };
    let parts = vec![
        part(one, options("deal-1", NO_STREAM), batch[..2].to_vec()),
        BatchRequest { complete: true, ..part(other, options("deal-2", at(9)), events(1)) },
        part(one, None, batch[2..3].to_vec()),
        last,
    ];
    let answers = scene.answers(parts).await;
    assert_eq!(answers.len(), 2);
    let of = |id| {
        let mut found =
            answers.iter().filter(|answer| answer.correlation == Some(WireUuid::text(id)));
        found.next().unwrap()
    };
    assert!(matches!(of(other).result, Some(BatchResult::Error(_))));
    let Some(BatchResult::Success(placed)) = &of(one).result else { panic!("{answers:?}") };
    assert_eq!(placed.revision, Some(4));
    assert_eq!(of(one).stream, Some(identifier("deal-1")));
    assert_eq!(of(one).expected_no_stream, Some(()));
    assert_eq!(of(other).expected_revision, Some(9));
    let stored: Vec<Uuid> = scene.stored("deal-1").await.iter().map(|event| event.id).collect();
    assert_eq!(stored, sent(&batch));
}

#[tokio::test]
async fn batches_for_one_stream_happen_in_the_order_of_their_coming() {
    let scene = Scene::full().await;
    let batches: Vec<Vec<Proposed>> = (0..200).map(|_| events(1)).collect();
    let parts = batches.iter().map(|batch| whole("deal-1", ANY, batch.clone())).collect();
    assert_eq!(scene.answers(parts).await.len(), 200);
    let stored: Vec<Uuid> = scene.stored("deal-1").await.iter().map(|event| event.id).collect();
    assert_eq!(stored, batches.iter().flat_map(|batch| sent(batch)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_refused_batch_says_why() {
    let scene = Scene::full().await;
    scene.client.write("deal-1", NO_STREAM, events(3)).await;
    let error = scene.error(whole("deal-1", at(7), events(1))).await;
    assert_eq!(error.code, i32::from(Code::AlreadyExists));
    let conflict: ConflictDetail = detail(&error, "WrongExpectedVersion");
    assert_eq!((conflict.current_revision, conflict.expected_revision), (Some(2), Some(7)));
    let error = scene.error(whole("deal-2", STREAM_EXISTS, events(1))).await;
    let conflict: ConflictDetail = detail(&error, "WrongExpectedVersion");
    assert_eq!((conflict.current_revision, conflict.current_no_stream), (None, Some(())));
    assert_eq!(conflict.expected_stream_exists, Some(()));

    let large = event_of("Sold", &vec![b'x'; accord_eventlog::EVENT_BYTES_MAX]);
    let error = scene.error(whole("deal-1", ANY, vec![large])).await;
    assert_eq!(error.code, i32::from(Code::InvalidArgument));
    let limit: TooLargeDetail = detail(&error, "MaximumAppendSizeExceeded");
    assert_eq!(limit.bytes_max, 1024 * 1024);

    scene.client.end("Tombstone", "deal-1", ANY).await.unwrap();
    let error = scene.error(whole("deal-1", ANY, events(1))).await;
    assert_eq!(error.code, i32::from(Code::NotFound));
    let deleted: StreamDeletedDetail = detail(&error, "StreamDeleted");
    assert_eq!(deleted.stream, Some(identifier("deal-1")));
}

#[tokio::test]
async fn batches_that_never_end_are_bounded() {
    let scene = Scene::full().await;
    let parts = (0..100).map(|_| part(Uuid::new_v4(), options("deal-1", ANY), events(1))).collect();
    let mut replies = scene.client.batches(parts).await.unwrap();
    let status = within_deadline(replies.message()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let orphan = BatchRequest { complete: true, ..part(Uuid::new_v4(), None, events(1)) };
    let mut replies = scene.client.batches(vec![orphan]).await.unwrap();
    assert_eq!(within_deadline(replies.message()).await.unwrap_err().code(), Code::InvalidArgument);
    assert!(scene.stored("deal-1").await.is_empty());
}
