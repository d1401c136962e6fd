//! Tests of `orders`.

use serde_json::{Value, json};

use super::*;
use crate::testing::{History, acme, acme_partner, company, uuid};

fn quote() -> Value {
    json!({"lines": [{"kind": "list", "text": "10 x 1.00 EUR", "amount_minor": "1000"}],
        "discount": "0.20", "total": {"minor": 800, "currency": "EUR"},
        "mrr": {"minor": 67, "currency": "EUR"}, "starts_on": "2026-01-01",
        "ends_on": "2026-12-31", "seats": 10, "servers": 0, "items": [], "rulebook_version": 1})
}

fn placed(partner: Option<u128>) -> History {
    let mut history = History::new();
    history.add(
        "order",
        1,
        "OrderPlaced",
        json!({"partner": partner.map(uuid), "customer": company("Client"), "licence": uuid(9),
            "request": {"kind": "renew", "licence": uuid(9), "ends_on": "2026-12-31"},
            "payment": "invoice", "quote": quote(), "previous_order": uuid(2)}),
    );
    history
}

async fn row(history: &History) -> OrderRow {
    history.folded().views.order(acme(), OrderId(uuid(1))).await.unwrap().unwrap()
}

#[tokio::test]
async fn an_order_keeps_its_quote_line_by_line() {
    let row = row(&placed(Some(1))).await;
    assert_eq!((row.kind, row.status), (OrderKind::Renew, OrderStatus::Pending));
    assert_eq!(row.total.minor, 800);
    let json = serde_json::to_value(&row).unwrap();
    assert_eq!(json["quote"]["lines"][0]["text"], "10 x 1.00 EUR");
}

#[tokio::test]
async fn a_paid_order_is_complete_and_later_renewed() {
    let mut history = placed(Some(1));
    let completed = json!({"paid_on": "2026-01-03", "reference": "transfer 7"});
    history.add("order", 1, "OrderCompleted", completed);
    assert_eq!(row(&history).await.status, OrderStatus::Complete);
    history.add("order", 1, "OrderRenewed", json!({"renewal": uuid(3)}));
    let row = row(&history).await;
    assert_eq!((row.status, row.renewal), (OrderStatus::Renewed, Some(OrderId(uuid(3)))));
    assert_eq!(row.payment_reference.as_deref(), Some("transfer 7"));
}

#[tokio::test]
async fn a_direct_sale_is_seen_by_no_partner() {
    let folded = placed(None).folded();
    let count =
        async |scope| folded.views.orders(scope, OrderFilter::default()).await.unwrap().items.len();
    assert_eq!(count(acme()).await, 1);
    assert_eq!(count(acme_partner(1)).await, 0);
}
