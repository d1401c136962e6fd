//! Tests of `certificates`.

use accord_domain::rulebook::Rulebook;
use serde_json::json;

use super::*;
use crate::testing::{History, ZEXTRAS, acme, acme_partner, day, partner};

/// Certificates that on 2026-01-01 have 91, 90, 30, 29, 0 and -1 days left, in this order.
fn six() -> History {
    let mut history = History::new();
    history.rulebook(ZEXTRAS).partner(1, "Alpha", "silver");
    let ends = ["2026-04-02", "2026-04-01", "2026-01-31", "2026-01-30", "2026-01-01", "2025-12-31"];
    for (id, expires_on) in (10..).zip(ends) {
        history.certificate(id, 1, expires_on);
    }
    history
}

#[tokio::test]
async fn the_indicator_follows_the_days_left() {
    let folded = six().folded();
    let today = day("2026-01-01");
    let page =
        folded.views.certificates(acme(), CertificateFilter::default(), today).await.unwrap();
    let seen: Vec<_> =
        page.items.iter().rev().map(|view| (view.days_left, view.indicator.unwrap())).collect();
    use ExpiryIndicator::{Active, Critical, Expired, ExpiringSoon};
    assert_eq!(
        seen,
        [
            (91, Active),
            (90, ExpiringSoon),
            (30, ExpiringSoon),
            (29, Critical),
            (0, Critical),
            (-1, Expired)
        ]
    );
}

#[tokio::test]
async fn counts_and_filter_agree() {
    let folded = six().folded();
    let today = day("2026-01-01");
    let counts = folded.views.certificate_indicators(acme(), today).await.unwrap();
    let expected = IndicatorCounts { active: 1, expiring_soon: 2, critical: 2, expired: 1 };
    assert_eq!(counts, expected);
    let filter = CertificateFilter {
        indicator: Some(ExpiryIndicator::ExpiringSoon),
        partner: Some(partner(1)),
        ..CertificateFilter::default()
    };
    assert_eq!(folded.views.certificates(acme(), filter, today).await.unwrap().items.len(), 2);
}

#[tokio::test]
async fn a_revoked_certificate_counts_for_no_indicator() {
    let mut history = six();
    let revoked = json!({"revoked_on": "2026-01-01", "reason": "left"});
    history.add("certificate", 10, "CertificateRevoked", revoked);
    let folded = history.folded();
    let counts = folded.views.certificate_indicators(acme(), day("2026-01-01")).await.unwrap();
    assert_eq!(counts.active, 0);
}

#[tokio::test]
async fn the_holder_stays_sealed() {
    let folded = six().folded();
    let id = CertificateId(uuid::Uuid::from_u128(10));
    let view = folded.views.certificate(acme(), id, day("2026-01-01")).await.unwrap().unwrap();
    let json = serde_json::to_value(&view).unwrap();
    assert_eq!(json["holder"]["sealed"], "c2VhbGVk");
    assert_eq!(json["indicator"], "active");
}

#[tokio::test]
async fn a_partner_sees_its_own_certificates_only() {
    let folded = six().folded();
    let filter = CertificateFilter { partner: Some(partner(1)), ..CertificateFilter::default() };
    let page = folded.views.certificates(acme_partner(2), filter, day("2026-01-01")).await.unwrap();
    assert!(page.items.is_empty());
}

#[test]
fn the_days_of_an_indicator_are_those_of_the_rule() {
    let rules = Rulebook::from_toml(ZEXTRAS).unwrap().certificates;
    let today = day("2026-01-01");
    let thresholds = Thresholds::of(today, rules.critical_days, rules.expiring_soon_days);
    for days in 0..200 {
        let expires_on = today.minus_days(50).plus_days(days);
        let indicator = ExpiryIndicator::of(expires_on, today, &rules);
        let (from, to) = thresholds.range(indicator);
        assert!(from.is_none_or(|from| from <= expires_on), "{expires_on}");
        assert!(to.is_none_or(|to| expires_on < to), "{expires_on}");
    }
}
