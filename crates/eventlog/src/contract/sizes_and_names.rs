//! The edges of what may be stored: sizes, bytes and names.

use bytes::Bytes;

use super::{
    Subject,
    scene::{Scene, event, events, ids, new_ids},
};
use crate::{
    EVENT_BYTES_MAX, ExpectedRevision::Any, ExpectedRevision::NoStream, LogError, NewEvent,
    StreamName,
};

fn event_of_bytes(data: usize, metadata: usize) -> NewEvent {
    NewEvent { data: vec![b'd'; data].into(), metadata: vec![b'm'; metadata].into(), ..event() }
}

/// No byte is special, and nothing at all is a value too.
pub async fn data_and_metadata_come_back_byte_for_byte(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let every_byte: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
    let batch: Vec<NewEvent> = [
        (Bytes::from(every_byte.clone()), Bytes::from_static(b"\0")),
        (Bytes::new(), Bytes::new()),
        (Bytes::from_static(b"{\"a\" : 1.0 }\n"), Bytes::from_static("{\"ä\":\"€\"}".as_bytes())),
        (Bytes::from_static(b"\xff\xfe not utf-8"), Bytes::from(every_byte)),
    ]
    .into_iter()
    .map(|(data, metadata)| NewEvent { data, metadata, ..event() })
    .collect();

    scene.append(&stream, NoStream, batch.clone()).await;

    for (stored, new) in scene.read(&stream).await.iter().zip(&batch) {
        assert_eq!((&stored.data, &stored.metadata), (&new.data, &new.metadata));
    }
    assert_eq!(scene.read_all().await, scene.read(&stream).await);
}

/// The limit itself is allowed, however it is split between data and metadata.
pub async fn an_event_of_exactly_the_limit_is_stored(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    for (data, metadata) in [(EVENT_BYTES_MAX, 0), (EVENT_BYTES_MAX - 500, 500)] {
        let event = event_of_bytes(data, metadata);
        scene.append(&stream, Any, vec![event.clone()]).await;
        let stored = scene.read(&stream).await.pop().expect("an event");
        assert_eq!((stored.data, stored.metadata), (event.data, event.metadata));
    }
}

/// One byte more is refused with both numbers, and nothing is stored.
pub async fn an_event_one_byte_over_the_limit_is_refused(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    for (data, metadata) in [(EVENT_BYTES_MAX + 1, 0), (EVENT_BYTES_MAX, 1), (1, EVENT_BYTES_MAX)] {
        let outcome = scene.log.append(&stream, Any, vec![event_of_bytes(data, metadata)]).await;
        match outcome {
            Err(LogError::TooLarge { bytes, bytes_max }) => {
                assert_eq!((bytes, bytes_max), (EVENT_BYTES_MAX + 1, EVENT_BYTES_MAX));
            }
            other => panic!("expected TooLarge, got {other:?}"),
        }
    }
    assert!(scene.read(&stream).await.is_empty());
}

/// All or none: the small events beside a large one are not stored either.
pub async fn one_event_too_large_refuses_the_whole_append(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let batch = vec![event(), event_of_bytes(EVENT_BYTES_MAX + 1, 0), event()];

    let outcome = scene.log.append(&stream, Any, batch).await;

    assert!(matches!(outcome, Err(LogError::TooLarge { .. })), "got {outcome:?}");
    assert!(scene.read(&stream).await.is_empty());
    assert!(scene.read_all().await.is_empty());
}

/// A stream's name is text, never code, pattern or path.
pub async fn hostile_stream_names_come_back_as_they_are(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let longest = "x".repeat(256 - scene.stream("").as_str().len());
    let names = [
        "'; DROP TABLE events; --",
        "\"quoted\" `ticked` \\slashed\\",
        "%_*?[]{}()^$",
        "../../etc/passwd",
        "a b  c ",
        "straße-Ω-火-🦀-\u{202e}reversed-\u{200b}",
        "NULL",
        "?1 :name @at $dollar",
        &longest,
    ];
    for name in names {
        let stream = scene.stream(name);
        let batch = events(2);
        scene.append(&stream, NoStream, batch.clone()).await;
        let stored = scene.read(&stream).await;
        assert_eq!(ids(&stored), [batch[0].id, batch[1].id], "{name}");
        assert!(stored.iter().all(|event| event.stream == stream), "{name}");
    }
    assert_eq!(scene.read_all().await.len(), 2 * names.len());
    let too_long = "x".repeat(257);
    for refused in ["", "$all", "nul\0byte", "line\nbreak", &too_long] {
        assert!(refused.parse::<StreamName>().is_err(), "{refused:?}");
    }
}

/// Case, trailing blanks and composed characters all count.
pub async fn names_that_differ_slightly_are_different_streams(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let names = ["deal", "Deal", "deal ", "dea", "deal1", "é", "e\u{301}"];
    for name in names {
        scene.append(&scene.stream(name), NoStream, events(1)).await;
    }
    for name in names {
        assert_eq!(scene.read(&scene.stream(name)).await.len(), 1, "{name:?}");
    }
}

/// A stream and the system streams around it have nothing in common but a part of their names.
pub async fn system_streams_stand_beside_the_others(subject: &dyn Subject) {
    let scene = Scene::open(subject).await;
    let stream = scene.stream(1);
    let metadata = stream.metadata();
    // Servers let only the last event of a metadata stream be read.
    let (of_stream, of_metadata) = (events(2), events(1));

    scene.append(&metadata, NoStream, of_metadata.clone()).await;
    scene.append(&stream, NoStream, of_stream.clone()).await;

    assert_eq!(ids(&scene.read(&stream).await), new_ids(&of_stream));
    let stored = scene.read(&metadata).await;
    assert_eq!(ids(&stored), new_ids(&of_metadata));
    assert!(stored.iter().all(|event| event.stream == metadata));
}
