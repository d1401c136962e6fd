//! Tests of `as_of`.

use accord_domain::{deal::DealStatus, partner::PartnerStatus};
use serde_json::json;

use super::*;
use crate::testing::History;

#[test]
fn a_partner_is_told_as_it_was_after_the_given_events() {
    let mut history = History::new();
    history.partner(1, "Alpha", "silver");
    history.add("partner", 1, "PartnerSuspended", json!({"reason": "audit"}));
    let at = |count: usize| partner_as_of(&history.events[..count]).unwrap();
    assert_eq!(at(0), None);
    assert_eq!(at(2).unwrap().status, PartnerStatus::Active);
    assert_eq!(at(3).unwrap().status, PartnerStatus::Suspended);
}

#[test]
fn a_deal_is_told_as_it_was_after_the_given_events() {
    let mut history = History::new();
    history.protected_deal(1, 1, "2026-06-30");
    let at = |count: usize| deal_as_of(&history.events[..count]).unwrap().unwrap().status;
    assert_eq!(
        [at(1), at(2), at(3)],
        [DealStatus::Draft, DealStatus::Submitted, DealStatus::Protected]
    );
}

#[test]
fn a_stream_that_cannot_be_read_is_an_error() {
    let mut history = History::new();
    history.deal(1, 1, "Customer").add("deal", 1, "DealTeleported", json!({}));
    assert!(matches!(deal_as_of(&history.events), Err(AsOfError::Unreadable { revision: 1, .. })));
}
