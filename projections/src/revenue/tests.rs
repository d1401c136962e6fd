//! Tests of `revenue`.

use serde_json::{Value, json};

use crate::{
    Managed, RevenueFilter, RevenueRow,
    testing::{History, acme, acme_partner, day, partner, terms, uuid},
};

fn terms_of(mrr: i64, servers: u64, starts_on: &str, ends_on: &str) -> Value {
    let mut terms = terms(starts_on, ends_on);
    terms["mrr"]["minor"] = json!(mrr);
    terms["servers"] = json!(servers);
    terms
}

async fn revenue(history: &History, from: &str, to: &str) -> Vec<RevenueRow> {
    let filter =
        RevenueFilter { from: from.parse().ok(), to: to.parse().ok(), ..RevenueFilter::default() };
    let folded = history.folded();
    folded.views.revenue(acme(), filter, day("2026-06-15")).await.unwrap().items
}

fn months(rows: &[RevenueRow]) -> Vec<(String, i64)> {
    rows.iter().map(|row| (row.month.to_string(), row.mrr_minor)).collect()
}

#[tokio::test]
async fn a_licence_counts_in_every_month_of_which_it_covers_a_day() {
    let mut history = History::new();
    history.licence(1, 1, terms("2026-01-31", "2026-03-01"));
    let rows = revenue(&history, "2025-12", "2026-04").await;
    let expected = [("2026-01", 10_000), ("2026-02", 10_000), ("2026-03", 10_000)];
    assert_eq!(months(&rows), expected.map(|(month, mrr)| (month.to_owned(), mrr)));
    assert_eq!(rows[0].annual_minor, 120_000);
}

#[tokio::test]
async fn of_two_terms_within_a_month_the_later_one_counts() {
    let mut history = History::new();
    history.licence(1, 1, terms("2026-01-01", "2026-12-31"));
    let upgraded = json!({"order": uuid(2), "terms":
        terms_of(15_000, 2, "2026-02-15", "2026-12-31")});
    history.add("licence", 1, "LicenceUpgraded", upgraded);
    let rows = revenue(&history, "2026-01", "2026-03").await;
    let expected = [("2026-01", 10_000), ("2026-02", 15_000), ("2026-03", 15_000)];
    assert_eq!(months(&rows), expected.map(|(month, mrr)| (month.to_owned(), mrr)));
    assert_eq!(rows[1].change_minor, 5_000);
    assert_eq!(rows[1].trend.unwrap().0.to_string(), "0.5");
    assert_eq!(rows[2].trend.unwrap().0.to_string(), "0");
}

#[tokio::test]
async fn an_upgrade_replaces_a_renewal_that_has_not_begun() {
    let mut history = History::new();
    history.licence(1, 1, terms("2026-01-01", "2026-12-31"));
    let renewed = json!({"order": uuid(2), "terms": terms("2027-01-01", "2027-12-31")});
    let upgraded = json!({"order": uuid(3), "terms":
        terms_of(20_000, 3, "2026-10-10", "2027-12-31")});
    history.add("licence", 1, "LicenceRenewed", renewed);
    history.add("licence", 1, "LicenceUpgraded", upgraded);
    let rows = revenue(&history, "2026-09", "2027-01").await;
    let mrr: Vec<i64> = rows.iter().map(|row| row.mrr_minor).collect();
    assert_eq!(mrr, [10_000, 20_000, 20_000, 20_000, 20_000]);
}

#[tokio::test]
async fn clients_are_counted_once_and_currencies_kept_apart() {
    let mut history = History::new();
    history.licence(1, 1, terms("2026-01-01", "2026-12-31"));
    history.licence(101, 1, terms("2026-01-01", "2026-12-31"));
    history.licence(2, 1, terms("2026-01-01", "2026-12-31"));
    let mut dollars = terms("2026-01-01", "2026-12-31");
    dollars["mrr"]["currency"] = json!("USD");
    history.licence(3, 1, dollars);
    let rows = revenue(&history, "2026-05", "2026-05").await;
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.currency.code(), row.mrr_minor, row.clients, row.servers, row.seats))
        .collect();
    assert_eq!(seen, [("EUR", 30_000, 2, 3, 30), ("USD", 10_000, 1, 1, 10)]);
}

#[tokio::test]
async fn the_first_months_trend_is_null() {
    let mut history = History::new();
    history.licence(1, 1, terms("2026-01-01", "2026-12-31"));
    let rows = revenue(&history, "2026-01", "2026-01").await;
    assert_eq!((rows[0].change_minor, rows[0].trend), (10_000, None));
}

#[tokio::test]
async fn a_partner_sees_its_own_revenue_only() {
    let mut history = History::new();
    history.licence(1, 1, terms("2026-01-01", "2026-12-31"));
    history.licence(2, 2, terms("2026-01-01", "2026-12-31"));
    let folded = history.folded();
    let today = day("2026-02-01");
    let rows =
        folded.views.revenue(acme_partner(2), RevenueFilter::default(), today).await.unwrap();
    assert!(rows.items.iter().all(|row| row.partner == Some(partner(2))));
    let other = RevenueFilter { partner: Some(partner(1)), ..RevenueFilter::default() };
    assert!(folded.views.revenue(acme_partner(2), other, today).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn pages_hold_whole_partners() {
    let mut history = History::new();
    for id in 1..=3 {
        history.licence(id, id, terms("2026-01-01", "2026-12-31"));
    }
    let folded = history.folded();
    let (mut partners, mut cursor) = (Vec::new(), None);
    loop {
        let filter = RevenueFilter { limit: Some(2), cursor, ..RevenueFilter::default() };
        let page = folded.views.revenue(acme(), filter, day("2026-02-01")).await.unwrap();
        partners.extend(page.items.iter().map(|row| row.partner.unwrap()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (1..=3).flat_map(|id| [partner(id), partner(id)]).collect();
    assert_eq!(partners, expected);
}

#[tokio::test]
async fn what_a_partner_manages_follows_the_terms_of_the_day() {
    let mut history = History::new();
    history.licence(1, 1, terms("2026-01-01", "2026-12-31"));
    let upgraded = json!({"order": uuid(2), "terms":
        terms_of(15_000, 50, "2026-02-15", "2026-12-31")});
    history.add("licence", 1, "LicenceUpgraded", upgraded);
    let folded = history.folded();
    let managed = async |today| folded.views.managed(acme(), partner(1), day(today)).await.unwrap();
    assert_eq!(managed("2026-02-14").await, Managed { servers: 1, seats: 10 });
    assert_eq!(managed("2026-02-15").await, Managed { servers: 50, seats: 10 });
    assert_eq!(managed("2027-01-01").await, Managed::default());
}

#[tokio::test]
async fn the_reporting_view_agrees_with_the_query() {
    let mut history = History::new();
    history.licence(1, 1, terms("2026-01-15", "2026-03-01"));
    let folded = history.folded();
    let rows = folded.views.query(|connection| {
        let sql =
            "SELECT month, mrr_minor, annual_minor, clients FROM report_revenue ORDER BY month";
        let mut select = connection.prepare(sql)?;
        let rows = select.query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
        rows.collect::<Result<Vec<(String, i64, i64, i64)>, _>>()
    });
    let expected = ["2026-01", "2026-02", "2026-03"].map(|m| (m.to_owned(), 10_000, 120_000, 1));
    assert_eq!(rows.await.unwrap(), expected);
}

#[tokio::test]
async fn too_many_months_are_refused() {
    let filter = RevenueFilter { from: "1990-01".parse().ok(), ..RevenueFilter::default() };
    let outcome = History::new().folded().views.revenue(acme(), filter, day("2026-01-01")).await;
    assert!(matches!(outcome, Err(crate::QueryError::InvalidMonths { .. })));
}
