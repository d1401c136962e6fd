//! Tests of `audit_events`.

use super::*;
use crate::testing::{Folded, History, acme, acme_partner, partner};

fn history() -> History {
    let mut history = History::new();
    history.partner(1, "Alpha", "silver").on("2026-02-01").partner(2, "Beta", "gold");
    history.on("2026-03-01").certificate(3, 1, "2027-01-01");
    history
}

async fn positions(folded: &Folded, filter: AuditEventFilter) -> Vec<u64> {
    let page = folded.views.audit_events(acme(), filter).await.unwrap();
    page.items.into_iter().map(|row| row.position).collect()
}

fn by(change: impl FnOnce(&mut AuditEventFilter)) -> AuditEventFilter {
    let mut filter = AuditEventFilter::default();
    change(&mut filter);
    filter
}

#[tokio::test]
async fn events_are_listed_in_log_order_page_by_page() {
    let folded = history().folded();
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let filter = by(|filter| (filter.limit, filter.cursor) = (Some(2), cursor));
        let page = folded.views.audit_events(acme(), filter).await.unwrap();
        seen.extend(page.items.into_iter().map(|row| row.position));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, [10, 20, 30, 40, 50]);
}

#[tokio::test]
async fn a_row_spells_its_names_out() {
    let folded = history().folded();
    let page = folded.views.audit_events(acme(), AuditEventFilter::default()).await.unwrap();
    let row = &page.items[1];
    assert_eq!(row.stream, format!("partner-{}", partner(1)));
    assert_eq!((row.kind.as_str(), row.actor.as_str(), row.revision), ("LevelChanged", "ada", 1));
    assert_eq!(row.partner, Some(partner(1)));
}

#[tokio::test]
async fn every_filter_narrows_the_list() {
    let folded = history().folded();
    let stream = by(|filter| filter.stream = Some(format!("partner-{}", partner(2))));
    assert_eq!(positions(&folded, stream).await, [30, 40]);
    assert_eq!(positions(&folded, by(|filter| filter.partner = Some(partner(1)))).await, [10, 20]);
    let kind = by(|filter| filter.kind = Some("LevelChanged".into()));
    assert_eq!(positions(&folded, kind).await, [20, 40]);
    assert!(positions(&folded, by(|filter| filter.actor = Some("bob".into()))).await.is_empty());
}

#[tokio::test]
async fn a_time_range_includes_its_start_and_excludes_its_end() {
    let folded = history().folded();
    let noon = |text: &str| text.parse::<Timestamp>().ok();
    let range = |from: &str, to: &str| {
        let (from, to) = (noon(from), noon(to));
        by(|filter| (filter.from, filter.to) = (from, to))
    };
    let february = range("2026-02-01T12:00:00Z", "2026-03-01T12:00:00Z");
    assert_eq!(positions(&folded, february).await, [30, 40]);
    assert!(positions(&folded, range("2026-04-01T00:00:00Z", "")).await.is_empty());
    assert!(positions(&folded, range("", "2025-01-01T00:00:00Z")).await.is_empty());
}

#[tokio::test]
async fn a_partner_sees_its_own_history_only() {
    let folded = history().folded();
    let page = folded.views.audit_events(acme_partner(2), AuditEventFilter::default());
    assert_eq!(page.await.unwrap().items.len(), 2);
}
