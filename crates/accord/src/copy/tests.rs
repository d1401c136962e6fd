//! Copies between data directories and over the wire.

use std::path::Path;
use std::sync::Arc;

use accord_eventlog::StreamName;
use accord_eventlog_wire::{Listener, Mode, Setup};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::*;
use crate::chosen_log::LogPlace;
use crate::wiring::open_log;

fn event(number: usize) -> NewEvent {
    let data = format!("{{\"number\": {number}}}\n").into();
    let kind = if number.is_multiple_of(7) { "DealWon" } else { "DealSubmitted" };
    NewEvent { id: Uuid::new_v4(), kind: kind.into(), data, metadata: vec![0, 255].into() }
}

fn place(data: &Path) -> LogPlace {
    LogPlace::Directory(data.to_owned())
}

/// Appends to five streams in turn, and one stream's metadata among them.
async fn write(data: &Path, numbers: std::ops::Range<usize>) {
    let log = open_log(data).unwrap();
    for number in numbers {
        let stream: StreamName = format!("deal-{}", number % 5).parse().unwrap();
        let events: Vec<_> = (0..1 + number % 3).map(|_| event(number)).collect();
        log.append(&stream, ExpectedRevision::Any, events).await.unwrap();
        if number == 10 {
            let about = NewEvent { kind: "$metadata".into(), ..event(number) };
            log.append(&stream.metadata(), ExpectedRevision::Any, vec![about]).await.unwrap();
        }
    }
    log.close().await;
}

async fn contents(place: &LogPlace) -> Vec<(StreamName, u64, Uuid, EventHash)> {
    let log = place.open_to_read().unwrap();
    let forward = Direction::Forward;
    let events = log.read_all(forward, None, &everything(), usize::MAX).await.unwrap();
    events
        .iter()
        .map(|event| (event.stream.clone(), event.revision, event.id, hash(event)))
        .collect()
}

async fn copied(from: &LogPlace, to: &LogPlace) -> anyhow::Result<Copied> {
    let to = to.open_to_write()?;
    let outcome = copy(&*from.open_to_read()?, &to, &ProgressBar::hidden()).await;
    to.close().await;
    outcome
}

/// A log served over the wire.
struct Served {
    _folder: TempDir,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    place: LogPlace,
}

impl Served {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("esdb://{}?tls=false", listener.local_addr().unwrap());
        let setup = Setup { mode: Mode::Full, ..Setup::default() };
        let log = Arc::new(open_log(folder.path()).unwrap());
        let listener = Listener::new(listener, log, setup).unwrap();
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(listener.serve(stopped));
        Self { _folder: folder, stop, serving, place: url.parse().unwrap() }
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        self.serving.await.unwrap();
    }
}

#[tokio::test]
async fn a_copy_between_directories_agrees_and_goes_on_where_it_ended() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (source, target) = (place(from.path()), place(to.path()));
    write(from.path(), 0..60).await;
    let first = copied(&source, &target).await.unwrap();
    assert_eq!((first.copied, first.agreed), (121, 121));
    assert_eq!(contents(&target).await, contents(&source).await);

    let again = copied(&source, &target).await.unwrap();
    assert_eq!((again.copied, again.agreed, &again.digest), (0, 121, &first.digest));

    write(from.path(), 60..90).await;
    let rest = copied(&source, &target).await.unwrap();
    assert_eq!((rest.copied, rest.agreed), (60, 181));
    assert_eq!(contents(&target).await, contents(&source).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_keeps_the_order_of_many_appends_to_several_streams() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(from.path(), 0..900).await;
    copied(&place(from.path()), &place(to.path())).await.unwrap();
    assert_eq!(contents(&place(to.path())).await, contents(&place(from.path())).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_over_the_wire_and_back_is_the_same_log() {
    let (from, back) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let served = Served::start().await;
    write(from.path(), 0..60).await;

    let there = copied(&place(from.path()), &served.place).await.unwrap();
    let returned = copied(&served.place, &place(back.path())).await.unwrap();

    assert_eq!(there, returned);
    assert_eq!(there.agreed, 121);
    assert_eq!(contents(&place(back.path())).await, contents(&place(from.path())).await);
    served.stop().await;
}

#[tokio::test]
async fn a_target_that_holds_something_else_is_refused_and_left_alone() {
    let (from, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(from.path(), 0..20).await;
    write(other.path(), 0..10).await;
    let before = contents(&place(other.path())).await;
    let refused = copied(&place(from.path()), &place(other.path())).await.unwrap_err();
    assert!(format!("{refused:#}").contains("deal-0 at revision 0"), "{refused:#}");
    assert_eq!(contents(&place(other.path())).await, before);
}

#[tokio::test]
async fn a_target_with_more_than_the_source_is_refused() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(from.path(), 0..20).await;
    copied(&place(from.path()), &place(to.path())).await.unwrap();
    write(to.path(), 20..21).await;
    let refused = copied(&place(from.path()), &place(to.path())).await.unwrap_err();
    assert!(format!("{refused:#}").contains("in the second log only"), "{refused:#}");
}

#[tokio::test]
async fn an_empty_log_is_copied_to_an_empty_log() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(from.path(), 0..0).await;
    let done = copied(&place(from.path()), &place(to.path())).await.unwrap();
    assert_eq!((done.copied, done.agreed), (0, 0));
}
