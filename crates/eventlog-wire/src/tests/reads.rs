//! Reads that end: of one stream and of the whole log, both ways, filtered and limited.

use std::time::{Duration, Instant};

use tonic::Code;
use uuid::Uuid;

use super::scene::{
    ANY, NO_STREAM, Scene, backwards, event_of, events, filtered, identifier, ids, of_all,
    of_stream, sent,
};
use crate::{
    Limits,
    messages::{
        AllFrom, Content, Expression, FilterOn, FilterOptions, NotFound, PositionPair, Proposed,
        ReadOptions, StreamFrom, UuidForm, UuidOption,
    },
};

const START: AllFrom = AllFrom::Start(());
const END: AllFrom = AllFrom::End(());

fn position(commit: u64) -> AllFrom {
    AllFrom::Position(PositionPair { commit, prepare: commit })
}

fn filter(on: FilterOn) -> FilterOptions {
    FilterOptions { on: Some(on), window: None, checkpoint_multiplier: 1 }
}

fn regex(regex: &str) -> Expression {
    Expression { regex: regex.to_owned(), prefixes: vec![] }
}

fn prefix(prefix: &str) -> Expression {
    Expression { regex: String::new(), prefixes: vec!["nothing".into(), prefix.to_owned()] }
}

#[tokio::test]
async fn a_stream_reads_both_ways_from_any_place() {
    let scene = Scene::full().await;
    let batch = events(10);
    scene.client.write("deal-1", NO_STREAM, batch.clone()).await;
    scene.client.write("deal-10", NO_STREAM, events(2)).await;
    let (start, end) = (StreamFrom::Start(()), StreamFrom::End(()));
    let from = StreamFrom::Revision;
    let cases = [
        (false, start, 100, (0..10).collect::<Vec<u64>>()),
        (false, start, 3, vec![0, 1, 2]),
        (false, from(8), 100, vec![8, 9]),
        (false, from(10), 100, vec![]),
        (false, end, 100, vec![]),
        (false, start, 0, vec![]),
        (true, end, 3, vec![9, 8, 7]),
        (true, end, u64::MAX, (0..10).rev().collect()),
        (true, from(2), 100, vec![2, 1, 0]),
        (true, from(99), 2, vec![9, 8]),
        (true, start, 100, vec![0]),
    ];
    for (backward, from, count, expected) in cases {
        let options = of_stream("deal-1", from, count);
        let options = if backward { backwards(options) } else { options };
        let found = scene.client.events(options).await;
        let revisions: Vec<u64> = found.iter().map(|event| event.revision).collect();
        assert_eq!(revisions, expected, "backwards {backward}, {from:?}, {count}");
    }
    let found = scene.client.events(of_stream("deal-1", start, 100)).await;
    assert_eq!(ids(&found), sent(&batch));
}

#[tokio::test]
async fn a_missing_stream_is_not_found() {
    let scene = Scene::full().await;
    for from in [StreamFrom::Start(()), StreamFrom::Revision(5), StreamFrom::End(())] {
        for options in [of_stream("deal-1", from, 10), backwards(of_stream("deal-1", from, 10))] {
            let found = scene.client.all(options).await.unwrap();
            let stream = Some(identifier("deal-1"));
            assert_eq!(found, [Content::NotFound(NotFound { stream })]);
        }
    }
}

#[tokio::test]
async fn an_event_comes_back_with_everything_that_clients_need() {
    let scene = Scene::full().await;
    let json = event_of("Sold", br#" {"a": [1, 2.50]}"#);
    let bytes = event_of("Raw", b"\x00\xff{}");
    scene.client.write("deal-1", NO_STREAM, vec![json.clone(), bytes.clone()]).await;
    let stored = scene.stored("deal-1").await;
    let options = of_stream("deal-1", StreamFrom::Start(()), 10);
    for form in [None, Some(UuidForm::Text(())), Some(UuidForm::Structured(()))] {
        let uuid = form.map(|form| UuidOption { form: Some(form) });
        let all = scene.client.all(ReadOptions { uuid, ..options.clone() }).await.unwrap();
        for (content, stored) in all.iter().zip(&stored) {
            let Content::Event(read) = content else { panic!("{content:?}") };
            assert_eq!(read.commit, Some(stored.position.0));
            let event = read.event.as_ref().unwrap();
            assert_eq!(event.id.as_ref().unwrap().id(), Some(stored.id));
            assert_eq!((event.commit, event.prepare), (stored.position.0, stored.position.0));
            assert_eq!((&event.data, &event.metadata), (&stored.data, &stored.metadata));
            let property = |key: &str| {
                let mut found = event.properties.iter().filter(|property| property.key == key);
                found.next().unwrap().value.clone()
            };
            assert_eq!(property("type"), *stored.kind);
            assert_eq!(property("created"), (stored.created_micros * 10).to_string());
            let expected = if &*stored.kind == "Sold" {
                "application/json"
            } else {
                "application/octet-stream"
            };
            assert_eq!(property("content-type"), expected);
        }
    }
}

#[tokio::test]
async fn the_whole_log_reads_both_ways_and_shows_system_events() {
    let scene = Scene::full().await;
    scene.client.write("deal-1", NO_STREAM, events(3)).await;
    scene.client.write("$$deal-1", NO_STREAM, vec![event_of("$metadata", b"{}")]).await;
    scene.client.write("deal-2", NO_STREAM, events(1)).await;
    let all = scene.client.events(of_all(START, 100)).await;
    let at: Vec<u64> = all.iter().map(|event| event.commit).collect();
    assert_eq!(at.len(), 5);
    let cases = [
        (false, START, 2, at[..2].to_vec()),
        (false, position(0), 100, at.clone()),
        (false, position(at[2]), 2, at[2..4].to_vec()),
        (false, position(u64::MAX), 100, vec![]),
        (false, END, 100, vec![]),
        (true, END, 2, vec![at[4], at[3]]),
        (true, position(u64::MAX), 1, vec![at[4]]),
        (true, position(at[2]), 100, vec![at[1], at[0]]),
        (true, position(at[0]), 100, vec![]),
        (true, START, 100, vec![]),
    ];
    for (backward, from, count, expected) in cases {
        let options = of_all(from, count);
        let options = if backward { backwards(options) } else { options };
        let found = scene.client.events(options).await;
        let found: Vec<u64> = found.iter().map(|event| event.commit).collect();
        assert_eq!(found, expected, "backwards {backward}, {from:?}, {count}");
    }
    assert_eq!(all[3].stream, Some(identifier("$$deal-1")));
}

#[tokio::test]
async fn a_filter_lets_through_what_matches_and_counts_only_that() {
    let scene = Scene::full().await;
    let kinds = ["DealWon", "OrderPlaced", "DealLost"];
    let written: Vec<(usize, Proposed)> =
        (0..600).map(|index| (index, event_of(kinds[index % 3], b"{}"))).collect();
    for (index, event) in &written {
        let stream = if index % 2 == 0 { "deal-1" } else { "order-1" };
        scene.client.write(stream, ANY, vec![event.clone()]).await;
    }
    let of = |test: &dyn Fn(usize) -> bool| -> Vec<Uuid> {
        let matching = written.iter().filter(|(index, _)| test(*index));
        matching.flat_map(|(_, event)| sent(std::slice::from_ref(event))).collect()
    };
    let deals = of(&|index| index % 3 != 1);
    let even = of(&|index| index % 2 == 0);
    let cases = [
        (FilterOn::Kind(prefix("Deal")), &deals),
        (FilterOn::Kind(regex("Deal.*")), &deals),
        (FilterOn::Kind(regex("^(?!(Order.*$))")), &deals),
        (FilterOn::Stream(prefix("deal")), &even),
        (FilterOn::Stream(regex("^deal-[0-9]$")), &even),
    ];
    for (on, expected) in cases {
        let read = |count| filtered(of_all(START, count), filter(on.clone()));
        assert_eq!(ids(&scene.client.events(read(u64::MAX)).await), *expected, "{on:?}");
        assert_eq!(ids(&scene.client.events(read(150)).await), expected[..150], "{on:?}");
        let last = filtered(backwards(of_all(END, 1)), filter(on.clone()));
        assert_eq!(ids(&scene.client.events(last).await), expected[expected.len() - 1..]);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    let scene = Scene::full().await;
    scene.client.write(&"a".repeat(200), ANY, events(1)).await;
    let on = |expression| filtered(of_all(START, 10), filter(FilterOn::Stream(expression)));
    let plain = of_all(START, 10);
    for options in [
        on(regex("(")),
        on(Expression::default()),
        on(regex(r"^(?:(a|aa)+)\1b$")),
        ReadOptions { stream: None, ..plain.clone() },
        ReadOptions { count: None, ..plain.clone() },
        ReadOptions { direction: 2, ..plain.clone() },
        of_stream("", StreamFrom::Start(()), 1),
    ] {
        let status = scene.client.all(options.clone()).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{options:?}: {status:?}");
    }
}

#[tokio::test]
async fn metadata_limits_what_is_read_of_a_stream() {
    let scene = Scene::full().await;
    scene.client.write("deal-1", NO_STREAM, events(10)).await;
    let cases = [
        (r#"{"$maxCount":3}"#, vec![7, 8, 9]),
        (r#"{"$tb":6}"#, vec![6, 7, 8, 9]),
        (r#"{"$tb":8,"$maxCount":5}"#, vec![8, 9]),
        (r#"{"$tb":2,"$maxCount":2}"#, vec![8, 9]),
        (r#"{"$tb":10}"#, vec![]),
        (r#"{"$maxAge":3600}"#, (0..10).collect()),
        (r#"{"$maxCount":0,"$tb":"x"}"#, (0..10).collect()),
        ("no json", (0..10).collect::<Vec<u64>>()),
    ];
    for (metadata, expected) in cases {
        let about = event_of("$metadata", metadata.as_bytes());
        scene.client.write("$$deal-1", ANY, vec![about]).await;
        assert_eq!(scene.client.revisions("deal-1").await, expected, "{metadata}");
        let backward = backwards(of_stream("deal-1", StreamFrom::End(()), 100));
        let found = scene.client.events(backward).await;
        let revisions: Vec<u64> = found.iter().rev().map(|event| event.revision).collect();
        assert_eq!(revisions, expected, "{metadata}");
        let all = filtered(of_all(START, 100), filter(FilterOn::Kind(prefix("Sold"))));
        assert_eq!(scene.client.events(all).await.len(), 10, "the whole log keeps everything");
    }
    let about = scene.client.revisions("$$deal-1").await;
    assert_eq!(about, [7], "of metadata only the last counts");
}

#[tokio::test]
async fn events_past_the_greatest_age_are_not_read() {
    let scene = Scene::full().await;
    scene.client.write("deal-1", NO_STREAM, events(2)).await;
    let about = event_of("$metadata", br#"{"$maxAge":1}"#);
    scene.client.write("$$deal-1", ANY, vec![about]).await;
    let begun = Instant::now();
    while !scene.client.revisions("deal-1").await.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the events do not grow old");
    }
    scene.client.write("deal-1", ANY, events(1)).await;
    let backward = backwards(of_stream("deal-1", StreamFrom::End(()), 100));
    assert!(scene.client.events(backward).await.iter().all(|event| event.revision == 2));
}

#[tokio::test]
async fn long_streams_and_large_events_read_without_gap_or_double() {
    let scene = Scene::full().await;
    for _ in 0..5 {
        scene.client.write("deal-1", ANY, events(700)).await;
    }
    for _ in 0..40 {
        scene.client.write("large", ANY, vec![event_of("Sold", &[b'x'; 300_000])]).await;
    }
    assert_eq!(scene.client.revisions("deal-1").await, (0..3500).collect::<Vec<u64>>());
    assert_eq!(scene.client.revisions("large").await, (0..40).collect::<Vec<u64>>());
    let all = scene.client.events(of_all(START, u64::MAX)).await;
    assert_eq!(all.len(), 3540);
    assert!(all.windows(2).all(|pair| pair[0].commit < pair[1].commit));
    let mut backward = scene.client.events(backwards(of_all(END, u64::MAX))).await;
    backward.reverse();
    assert_eq!(ids(&backward), ids(&all));
}

#[tokio::test]
async fn reads_are_bounded_in_number() {
    let scene = Scene::limited(Limits { reads_max: 2, ..Limits::default() }).await;
    let follow = super::scene::following(of_all(START, 0));
    let first = scene.client.read(follow.clone()).await.unwrap();
    let _second = scene.client.read(follow.clone()).await.unwrap();
    let status = scene.client.read(follow.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    drop(first);
    let begun = Instant::now();
    while scene.client.read(follow.clone()).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the room is free again");
    }
}
