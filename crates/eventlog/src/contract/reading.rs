//! Reads of a stream and of the whole log: order, bounds, pages and filters.

use super::{
    Subject,
    scene::{Scene, event, event_of_kind, events, ids, new_ids},
};
use crate::{Direction::Backward, Direction::Forward, ExpectedRevision::Any, Filter};

/// A stream nobody wrote to is empty, not an error.
pub async fn a_missing_stream_reads_as_empty(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    for direction in [Forward, Backward] {
        assert_eq!(
            scene.log.read_stream(&stream, direction, None, 10).await.expect("readable"),
            []
        );
        assert_eq!(
            scene.log.read_stream(&stream, direction, Some(3), 10).await.expect("readable"),
            []
        );
    }
}

/// `from` belongs to the page; `max` bounds it; beyond the end there is nothing forward.
pub async fn a_stream_reads_in_both_directions_from_a_revision_inclusive(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    scene.append(&stream, Any, events(5)).await;
    scene.append(&scene.stream(2), Any, events(5)).await;

    let cases = [
        (Forward, None, 10, vec![0, 1, 2, 3, 4]),
        (Forward, None, 2, vec![0, 1]),
        (Forward, Some(0), 1, vec![0]),
        (Forward, Some(3), 10, vec![3, 4]),
        (Forward, Some(5), 10, vec![]),
        (Forward, Some(0), 0, vec![]),
        (Backward, None, 10, vec![4, 3, 2, 1, 0]),
        (Backward, None, 2, vec![4, 3]),
        (Backward, Some(4), 1, vec![4]),
        (Backward, Some(2), 10, vec![2, 1, 0]),
        (Backward, Some(0), 10, vec![0]),
        (Backward, Some(100), 2, vec![4, 3]),
    ];
    for (direction, from, max, expected) in cases {
        let page = scene.log.read_stream(&stream, direction, from, max).await.expect("readable");
        let revisions: Vec<u64> = page.iter().map(|event| event.revision).collect();
        assert_eq!(revisions, expected, "{direction:?} from {from:?}, at most {max}");
        assert!(page.iter().all(|event| event.stream == stream));
    }
}

/// Pages of a size that does not divide the stream's length.
pub async fn a_stream_reads_page_by_page_without_gap_or_double(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let batch = events(100);
    scene.append(&stream, Any, batch.clone()).await;

    let (mut forward, mut backward) = (Vec::new(), Vec::new());
    let mut from = None;
    loop {
        let page = scene.log.read_stream(&stream, Forward, from, 7).await.expect("readable");
        let Some(last) = page.last() else { break };
        from = Some(last.revision + 1);
        forward.extend(ids(&page));
    }
    from = None;
    loop {
        let page = scene.log.read_stream(&stream, Backward, from, 7).await.expect("readable");
        backward.extend(ids(&page));
        match page.last().and_then(|event| event.revision.checked_sub(1)) {
            Some(next) => from = Some(next),
            None => break,
        }
    }

    assert_eq!(forward, new_ids(&batch));
    backward.reverse();
    assert_eq!(backward, new_ids(&batch));
}

/// The log's order is the order in which appends were acknowledged, whatever the stream.
pub async fn the_whole_log_reads_in_the_order_of_the_appends(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let mut written = Vec::new();
    for round in 0..30 {
        let batch = events(1 + round % 3);
        written.extend(new_ids(&batch));
        scene.append(&scene.stream(round % 4), Any, batch).await;
    }

    let forward = scene.read_all().await;
    assert_eq!(ids(&forward), written);
    assert!(forward.windows(2).all(|pair| pair[0].position < pair[1].position));

    let mut backward =
        scene.log.read_all(Backward, None, &scene.filter(), written.len()).await.expect("readable");
    backward.reverse();
    assert_eq!(backward, forward);
}

/// `from` itself never belongs to the page, so that the last position seen continues a read.
pub async fn the_whole_log_reads_strictly_after_or_before_a_position(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    scene.append(&scene.stream(1), Any, events(5)).await;
    let all = scene.read_all().await;
    let middle = Some(all[2].position);
    let filter = scene.filter();

    let after = scene.log.read_all(Forward, middle, &filter, 10).await.expect("readable");
    assert_eq!(after, all[3..]);
    let before = scene.log.read_all(Backward, middle, &filter, 2).await.expect("readable");
    assert_eq!(ids(&before), [all[1].id, all[0].id]);
    let beyond =
        scene.log.read_all(Forward, Some(all[4].position), &filter, 10).await.expect("readable");
    assert_eq!(beyond, []);
    assert_eq!(scene.log.read_all(Forward, middle, &filter, 0).await.expect("readable"), []);
}

/// Pages of matching events among others that do not match.
pub async fn the_whole_log_reads_page_by_page_without_gap_or_double(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let mut written = Vec::new();
    for _ in 0..40 {
        let (wanted, other) = (event_of_kind("Wanted"), event_of_kind("Other"));
        written.push(wanted.id);
        scene.append(&scene.stream(1), Any, vec![wanted, other]).await;
    }
    let filter = Filter { kind_prefixes: vec!["Wanted".to_owned()], ..scene.filter() };

    let (mut seen, mut from) = (Vec::new(), scene.start);
    loop {
        let page = scene.log.read_all(Forward, from, &filter, 7).await.expect("readable");
        let Some(last) = page.last() else { break };
        from = Some(last.position);
        seen.extend(ids(&page));
    }
    assert_eq!(seen, written);
}

/// Any prefix of a list may match, both lists must; no character has a special meaning.
pub async fn a_filter_matches_prefixes_literally(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    for (id, kind) in
        [("50%off", "DealWon"), ("50_off", "DealLost"), ("50xoff", "LevelReached"), ("*", "deal")]
    {
        scene.append(&scene.stream(id), Any, vec![event_of_kind(kind)]).await;
    }

    let cases: [(&[&str], &[&str], &[&str]); 8] = [
        (&["50"], &[], &["DealWon", "DealLost", "LevelReached"]),
        (&["50%"], &[], &["DealWon"]),
        (&["50_"], &[], &["DealLost"]),
        (&["*"], &[], &["deal"]),
        (&["50%", "50x"], &[], &["DealWon", "LevelReached"]),
        (&[""], &["Deal"], &["DealWon", "DealLost"]),
        (&["50x", "*"], &["Deal", "Level"], &["LevelReached"]),
        (&["missing"], &["Deal"], &[]),
    ];
    for (streams, kinds, expected) in cases {
        let filter = Filter {
            stream_prefixes: streams.iter().map(|id| scene.stream(id).to_string()).collect(),
            kind_prefixes: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            ..Filter::default()
        };
        let page = scene.log.read_all(Forward, scene.start, &filter, 100).await.expect("readable");
        let seen: Vec<&str> = page.iter().map(|event| &*event.kind).collect();
        assert_eq!(seen, expected, "{streams:?} and {kinds:?}");
    }
}

/// What the log writes about itself is not what its readers come for; whoever copies it wants all.
pub async fn the_whole_log_shows_system_events_only_when_asked_to(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let (first, second, about) = (event(), event(), event_of_kind("$metadata"));
    scene.append(&stream, Any, vec![first.clone()]).await;
    scene.append(&stream.metadata(), Any, vec![about.clone()]).await;
    scene.append(&stream, Any, vec![second.clone()]).await;

    let without = Filter {
        stream_prefixes: vec![stream.to_string(), stream.metadata().to_string()],
        ..Filter::default()
    };
    let with = Filter { system: true, ..without.clone() };
    let only = Filter { kind_prefixes: vec!["$meta".to_owned()], ..with.clone() };
    let cases = [
        (&without, vec![first.id, second.id]),
        (&with, vec![first.id, about.id, second.id]),
        (&only, vec![about.id]),
    ];
    for (filter, expected) in cases {
        let page = scene.log.read_all(Forward, scene.start, filter, 100).await.expect("readable");
        assert_eq!(ids(&page), expected, "{filter:?}");
        let page = scene.log.read_all(Forward, scene.start, filter, 2).await.expect("readable");
        assert_eq!(ids(&page), expected[..expected.len().min(2)], "{filter:?}");
        let page = scene.log.read_all(Backward, None, filter, 1).await.expect("readable");
        assert_eq!(ids(&page), expected[expected.len() - 1..], "{filter:?}");
    }
}

/// Other writers may be ahead of this case, never behind it.
pub async fn the_head_is_the_position_of_the_last_event(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    for _ in 0..3 {
        let appended = scene.append(&scene.stream(1), Any, events(2)).await;
        let head = scene.log.head().await.expect("readable").expect("the log has events");
        assert!(head >= appended.position);
        let everything = Filter { system: true, ..Filter::default() };
        let last = scene.log.read_all(Backward, None, &everything, 1).await.expect("readable");
        assert!(last[0].position >= head);
    }
}

/// What nobody is shown unless they ask for it is not where the log ends for them.
pub async fn the_head_is_never_a_system_events(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    scene.append(&scene.stream(1), Any, events(1)).await;
    let metadata = vec![event_of_kind("$metadata")];
    scene.append(&scene.stream(1).metadata(), Any, metadata).await;
    let head = scene.log.head().await.expect("readable").expect("the log has events");
    let shown = scene.log.read_all(Forward, scene.start, &Filter::default(), 100_000).await;
    let shown = shown.expect("readable");
    assert!(shown.iter().any(|event| event.position == head), "nobody is shown an event at {head}");
}
