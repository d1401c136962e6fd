//! A small history runs through, is the same every time, and its read models agree with its log.

use std::collections::BTreeMap;

use accord_eventlog::{Direction, Filter};
use accord_projections::verify;

use super::*;
use crate::verify::Chains;

async fn made(seed: u64) -> (tempfile::TempDir, Stores) {
    let folder = tempfile::tempdir().unwrap();
    let stores = Stores::open(folder.path()).unwrap();
    let now = "2026-03-02T10:00:00Z".parse().unwrap();
    let plan = Plan { partners: 5, days: 60, seed, now };
    let (_run_on, stop) = watch::channel(false);
    let history = History::new(&stores, plan).unwrap();
    history.live(|_, _| {}, &stop).await.unwrap().unwrap();
    (folder, stores)
}

/// The types of events of every stream, in their order.
async fn told(stores: &Stores) -> BTreeMap<String, Vec<String>> {
    let filter = Filter::default();
    let log = stores.log();
    let read = log.read_all(Direction::Forward, None, &filter, 100_000);
    let mut streams = BTreeMap::<String, Vec<String>>::new();
    for event in read.await.unwrap() {
        streams.entry(event.stream.to_string()).or_default().push(event.kind.to_string());
    }
    streams
}

#[tokio::test]
async fn a_small_history_agrees_with_a_fresh_fold_and_its_chains_hold() {
    let (folder, stores) = made(1).await;
    let tables = verify(&*stores.log(), folder.path()).await.unwrap();
    let differing: Vec<_> = tables.iter().filter(|table| !table.agrees()).collect();
    assert!(differing.is_empty(), "{differing:?}");
    assert_eq!(stores.views.status().quarantined, 0);
    let chains = Chains::walk(&*stores.log()).await.unwrap();
    assert!(chains.broken.is_empty(), "{:?}", chains.broken);
    stores.close().await;
}

#[tokio::test]
async fn the_same_seed_tells_the_same_history_and_another_seed_another() {
    let mut histories = Vec::new();
    for seed in [1, 1, 2] {
        let (_folder, stores) = made(seed).await;
        histories.push(told(&stores).await);
        stores.close().await;
    }
    assert_eq!(histories[0], histories[1]);
    assert_ne!(histories[0], histories[2]);
}
