//! Subscriptions: confirmation, history, caught up, live; checkpoints; and how they end.

use tonic::{Code, Streaming};
use uuid::Uuid;

use super::scene::{
    ANY, NO_STREAM, Scene, event_of, events, filtered, following, of_all, of_stream, sent, trailer,
    within_deadline,
};
use crate::messages::{
    AllFrom, Content, Expression, FilterOn, FilterOptions, PositionPair, ReadOptions, ReadReply,
    StreamFrom, Window, WireUuid,
};

const START: AllFrom = AllFrom::Start(());

/// What a subscription has told, in short.
#[derive(Debug, Clone, PartialEq)]
enum Told {
    Event(Uuid),
    Checkpoint(u64),
    CaughtUp { revision: Option<i64>, position: Option<u64> },
}

struct Follower(Streaming<ReadReply>);

impl Follower {
    /// Subscribes; the first message confirms it.
    async fn new(scene: &Scene, options: ReadOptions) -> Self {
        let mut replies = scene.client.read(following(options)).await.unwrap();
        let first = within_deadline(replies.message()).await.unwrap().unwrap();
        let Some(Content::Confirmation(confirmation)) = first.content else { panic!("{first:?}") };
        assert!(Uuid::parse_str(&confirmation.subscription_id).is_ok());
        Self(replies)
    }

    async fn next(&mut self) -> Told {
        let reply = within_deadline(self.0.message()).await.unwrap().unwrap();
        match reply.content.unwrap() {
            Content::Event(read) => {
                Told::Event(read.event.unwrap().id.as_ref().and_then(WireUuid::id).unwrap())
            }
            Content::Checkpoint(checkpoint) => Told::Checkpoint(checkpoint.commit),
            Content::CaughtUp(caught_up) => Told::CaughtUp {
                revision: caught_up.revision,
                position: caught_up.position.map(|position| position.commit),
            },
            other => panic!("not expected: {other:?}"),
        }
    }

    async fn take(&mut self, count: usize) -> Vec<Told> {
        let mut told = Vec::new();
        for _ in 0..count {
            told.push(self.next().await);
        }
        told
    }
}

fn told(ids: &[Uuid]) -> Vec<Told> {
    ids.iter().copied().map(Told::Event).collect()
}

fn only_deals(window: u32, multiplier: u32) -> FilterOptions {
    let on = Expression { regex: "^Deal".to_owned(), prefixes: vec![] };
    FilterOptions {
        on: Some(FilterOn::Kind(on)),
        window: Some(Window::Max(window)),
        checkpoint_multiplier: multiplier,
    }
}

#[tokio::test]
async fn the_whole_log_is_followed_through_history_to_live() {
    let scene = Scene::full().await;
    let mut from_nothing = Follower::new(&scene, of_all(START, 0)).await;
    let caught_up = Told::CaughtUp { revision: None, position: None };
    assert_eq!(from_nothing.next().await, caught_up);
    let history = events(300);
    let last = scene.client.write("deal-1", NO_STREAM, history.clone()).await;
    let last = last.position.unwrap().commit;
    assert_eq!(from_nothing.take(300).await, told(&sent(&history)));

    let mut from_start = Follower::new(&scene, of_all(START, 0)).await;
    assert_eq!(from_start.take(300).await, told(&sent(&history)));
    let caught_up = Told::CaughtUp { revision: None, position: Some(last) };
    assert_eq!(from_start.next().await, caught_up);
    let place = PositionPair { commit: last - 2, prepare: last - 2 };
    let mut resumed = Follower::new(&scene, of_all(AllFrom::Position(place), 0)).await;
    assert_eq!(resumed.take(2).await, told(&sent(&history[298..])));
    assert_eq!(resumed.next().await, caught_up);
    let mut ends = Vec::new();
    for end in
        [AllFrom::End(()), AllFrom::Position(PositionPair { commit: u64::MAX, prepare: u64::MAX })]
    {
        let mut from_end = Follower::new(&scene, of_all(end, 0)).await;
        assert_eq!(from_end.next().await, caught_up);
        ends.push(from_end);
    }

    let live = events(2);
    scene.client.write("deal-2", NO_STREAM, live.clone()).await;
    for follower in [&mut from_nothing, &mut from_start, &mut resumed].into_iter().chain(&mut ends)
    {
        assert_eq!(follower.take(2).await, told(&sent(&live)));
    }
}

#[tokio::test]
async fn a_filtered_subscription_tells_how_far_it_looked() {
    let scene = Scene::full().await;
    let mut batch = Vec::new();
    for index in 0..25 {
        batch.push(event_of(if index % 10 == 0 { "DealWon" } else { "OrderPlaced" }, b"{}"));
    }
    scene.client.write("all", NO_STREAM, batch.clone()).await;
    let stored = scene.stored("all").await;
    let at = |index: usize| stored[index].position.0;

    let mut follower = Follower::new(&scene, filtered(of_all(START, 0), only_deals(2, 3))).await;
    // Six events considered make a checkpoint; events 0, 10 and 20 pass.
    let event = |index: usize| Told::Event(stored[index].id);
    let expected = vec![
        event(0),
        Told::Checkpoint(at(5)),
        event(10),
        Told::Checkpoint(at(11)),
        Told::Checkpoint(at(17)),
        event(20),
        Told::Checkpoint(at(23)),
        Told::Checkpoint(at(24)),
        Told::CaughtUp { revision: None, position: Some(at(24)) },
    ];
    assert_eq!(follower.take(expected.len()).await, expected);

    let orders: Vec<_> = (0..6).map(|_| event_of("OrderPlaced", b"{}")).collect();
    let placed = scene.client.write("all", ANY, orders).await;
    assert_eq!(follower.next().await, Told::Checkpoint(placed.position.unwrap().commit));
}

#[tokio::test]
async fn a_stream_is_followed_strictly_after_a_revision() {
    let scene = Scene::full().await;
    let history = events(300);
    scene.client.write("deal-1", NO_STREAM, history.clone()).await;
    // Its name begins alike, and it is another stream.
    scene.client.write("deal-10", NO_STREAM, events(5)).await;
    let caught_up = Told::CaughtUp { revision: Some(299), position: None };
    let mut followers = Vec::new();
    for (from, after) in [
        (StreamFrom::Start(()), 0),
        (StreamFrom::Revision(9), 10),
        (StreamFrom::Revision(299), 300),
        (StreamFrom::End(()), 300),
    ] {
        let mut follower = Follower::new(&scene, of_stream("deal-1", from, 0)).await;
        let expected = told(&sent(&history[after..]));
        assert_eq!(follower.take(expected.len()).await, expected, "{from:?}");
        assert_eq!(follower.next().await, caught_up, "{from:?}");
        followers.push(follower);
    }
    let live = events(2);
    scene.client.write("deal-10", ANY, events(1)).await;
    scene.client.write("deal-1", ANY, live.clone()).await;
    for follower in &mut followers {
        assert_eq!(follower.take(2).await, told(&sent(&live)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_followed_while_it_is_written_has_no_gap_and_no_double() {
    const APPENDS: usize = 600;
    let scene = Scene::full().await;
    let client = scene.client.clone();
    let writer = tokio::spawn(async move {
        let mut written = Vec::new();
        for _ in 0..APPENDS {
            let batch = events(1);
            written.extend(sent(&batch));
            client.write("deal-1", ANY, batch).await;
        }
        written
    });
    let mut followers = tokio::task::JoinSet::new();
    while !writer.is_finished() && followers.len() < 50 {
        // One after another begins in the middle of the writing.
        let options = of_stream("deal-1", StreamFrom::Start(()), 0);
        let mut follower = Follower::new(&scene, options).await;
        followers.spawn(async move {
            let mut seen = Vec::new();
            while seen.len() < APPENDS {
                if let Told::Event(id) = follower.next().await {
                    seen.push(id);
                }
            }
            seen
        });
    }
    let written = within_deadline(writer).await.unwrap();
    assert!(followers.len() > 1);
    for seen in within_deadline(followers.join_all()).await {
        assert_eq!(seen, written);
    }
}

#[tokio::test]
async fn a_stream_can_be_followed_before_it_exists_and_until_it_is_buried() {
    let scene = Scene::full().await;
    let mut follower = Follower::new(&scene, of_stream("deal-1", StreamFrom::Start(()), 0)).await;
    assert_eq!(follower.next().await, Told::CaughtUp { revision: None, position: None });
    let first = events(1);
    scene.client.write("deal-1", NO_STREAM, first.clone()).await;
    assert_eq!(follower.next().await, Told::Event(sent(&first)[0]));
    scene.client.end("Tombstone", "deal-1", ANY).await.unwrap();
    let status = within_deadline(follower.0.message()).await.unwrap_err();
    assert_eq!(trailer(&status, "exception"), "stream-deleted");
    let again = following(of_stream("deal-1", StreamFrom::Start(()), 0));
    let status = scene.client.all(again).await.unwrap_err();
    assert_eq!(trailer(&status, "exception"), "stream-deleted");
}

#[tokio::test]
async fn history_of_a_stream_begins_where_it_may_be_read() {
    let scene = Scene::full().await;
    let history = events(10);
    scene.client.write("deal-1", NO_STREAM, history.clone()).await;
    let about = event_of("$metadata", br#"{"$tb":7}"#);
    scene.client.write("$$deal-1", ANY, vec![about]).await;
    let mut follower = Follower::new(&scene, of_stream("deal-1", StreamFrom::Start(()), 0)).await;
    assert_eq!(follower.take(3).await, told(&sent(&history[7..])));
    assert_eq!(follower.next().await, Told::CaughtUp { revision: Some(9), position: None });
}

#[tokio::test]
async fn a_slow_reader_misses_nothing() {
    let scene = Scene::full().await;
    let mut all = Follower::new(&scene, of_all(START, 0)).await;
    let mut one = Follower::new(&scene, of_stream("deal-1", StreamFrom::Start(()), 0)).await;
    let mut written = Vec::new();
    for _ in 0..60 {
        // Far more than every buffer on the way holds, while nobody reads.
        let batch: Vec<_> = (0..8).map(|_| event_of("Sold", &[b'x'; 100_000])).collect();
        written.extend(sent(&batch));
        scene.client.write("deal-1", ANY, batch).await;
    }
    for follower in [&mut all, &mut one] {
        let mut seen = Vec::new();
        while seen.len() < written.len() {
            if let Told::Event(id) = follower.next().await {
                seen.push(id);
            }
        }
        assert_eq!(seen, written);
    }
}

#[tokio::test]
async fn a_subscription_never_ends_well() {
    let scene = Scene::full().await;
    let mut all = Follower::new(&scene, of_all(START, 0)).await;
    let mut one = Follower::new(&scene, of_stream("deal-1", StreamFrom::Start(()), 0)).await;
    all.next().await;
    one.next().await;
    scene.stop.send(true).unwrap();
    for follower in [&mut all, &mut one] {
        let status = within_deadline(follower.0.message()).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
    }
    within_deadline(scene.serving).await.unwrap();

    let scene = Scene::full().await;
    let mut all = Follower::new(&scene, of_all(START, 0)).await;
    all.next().await;
    scene.log.close().await;
    let status = within_deadline(all.0.message()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
}
