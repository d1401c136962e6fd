//! Tests of `fold`.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    testing::{History, fold_into, terms, uuid},
    verify::{TableDigest, digests},
};

/// A step of a history over a handful of aggregates; many steps come too early, and are
/// quarantined.
fn step(history: &mut History, (what, id): (u8, u128)) {
    let deal = |kind: &str, data: Value| ("deal", kind.to_owned(), data);
    let licence = |kind: &str, starts_on: &str, ends_on: &str| {
        let data = json!({"order": uuid(50), "terms": terms(starts_on, ends_on)});
        ("licence", kind.to_owned(), data)
    };
    let (category, kind, data) = match what % 12 {
        0 => {
            history.partner(id, "Alpha", "silver");
            return;
        }
        1 => {
            history.certificate(id, id % 3, "2026-09-30");
            return;
        }
        2 => {
            history.licence(id, id % 3, terms("2026-01-01", "2026-12-31"));
            return;
        }
        3 => {
            history.protected_deal(id, id % 3, "2026-06-30");
            return;
        }
        4 => deal(
            "DealActivityRecorded",
            json!({"activity": "call", "on": "2026-01-02",
            "activity_due": format!("2026-03-{:02}", id % 28 + 1)}),
        ),
        5 => deal("DealLost", json!({"reason": "price"})),
        6 => deal("DealTeleported", json!({})),
        7 => licence("LicenceUpgraded", "2026-04-15", "2026-12-31"),
        8 => licence("LicenceRenewed", "2027-01-01", "2027-12-31"),
        9 => (
            "certificate",
            "CertificateRevoked".to_owned(),
            json!({"revoked_on": "2026-05-01", "reason": "left"}),
        ),
        10 => ("partner", "PartnerTerminated".to_owned(), json!({"reason": "breach"})),
        _ => ("partner", "TrackLeft".to_owned(), json!({"track": "partner"})),
    };
    history.add(category, id, &kind, data);
}

fn folded_in(history: &History, batches: &[usize]) -> (Vec<TableDigest>, u64) {
    let directory = tempfile::tempdir().unwrap();
    fold_into(directory.path(), &history.decoded(), batches);
    let path = generation::file(&generation::directory(directory.path()).unwrap(), 1);
    let connection = generation::open_reader(&path).unwrap();
    (digests(&connection).unwrap(), generation::quarantined(&connection).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_rows_do_not_depend_on_the_batches_nor_on_restarts(
        steps in prop::collection::vec((any::<u8>(), 0_u128..12), 1..80),
        batches in prop::collection::vec(1_usize..20, 1..6),
    ) {
        let mut history = History::new();
        for one in steps {
            step(&mut history, one);
        }
        let at_once = folded_in(&history, &[usize::MAX]);
        prop_assert_eq!(&folded_in(&history, &batches), &at_once);
    }
}

#[test]
fn what_cannot_be_read_is_quarantined_and_the_rest_goes_on() {
    let mut history = History::new();
    history.deal(1, 1, "Customer").add("deal", 1, "DealTeleported", json!({}));
    history.add("deal", 2, "DealLost", json!({"reason": "no such deal"}));
    history.add("deal", 1, "DealLost", json!({"reason": "price"}));
    history.add("weather", 1, "Rained", json!({}));
    let (mut folder, _directory) = folder();
    folder.fold(&history.decoded()).unwrap();
    assert_eq!((folder.folded, folder.quarantined), (5, 3));
    let status: String = folder
        .store
        .connection
        .query_row("SELECT status FROM deals", [], |row| row.get(0))
        .unwrap();
    assert_eq!(status, "lost");
}

#[test]
fn an_unreadable_event_is_still_listed_for_auditors() {
    let mut history = History::new();
    history.add("deal", 1, "DealTeleported", json!({}));
    let (mut folder, _directory) = folder();
    folder.fold(&history.decoded()).unwrap();
    let listed: i64 = folder
        .store
        .connection
        .query_row("SELECT count(*) FROM events", [], |row| row.get(0))
        .unwrap();
    assert_eq!(listed, 1);
}

#[test]
fn a_batch_that_cannot_be_stored_leaves_nothing_behind_and_can_be_repeated() {
    let mut history = History::new();
    history.deal(1, 1, "Customer").add("deal", 1, "DealLost", json!({"reason": "price"}));
    let (mut folder, _directory) = folder();
    let fail = "CREATE TRIGGER fail BEFORE INSERT ON deals BEGIN SELECT raise(ABORT, 'full'); END";
    folder.store.connection.execute_batch(fail).unwrap();
    assert!(folder.fold(&history.decoded()).is_err());
    assert_eq!(
        (folder.folded, generation::checkpoint(&folder.store.connection).unwrap()),
        (0, None)
    );
    folder.store.connection.execute_batch("DROP TRIGGER fail").unwrap();
    folder.fold(&history.decoded()).unwrap();
    assert_eq!(generation::checkpoint(&folder.store.connection).unwrap(), folder.position);
}

/// A folder over an empty generation, and the directory that it lives in.
fn folder() -> (Folder, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let writer = generation::open_writer(&directory.path().join("views.db")).unwrap();
    (Folder::following(writer).unwrap(), directory)
}
