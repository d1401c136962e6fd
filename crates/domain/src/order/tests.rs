//! An order's life, and samples of requests.

mod changes;
mod placing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::aggregate::testing::{QUAZZAR, ZEXTRAS, context, given};
use crate::rulebook::Rulebook;
use crate::{Money, Rate};

const PARTNER: PartnerId = PartnerId(Uuid::from_u128(0xb1));
const LICENCE: LicenceId = LicenceId(Uuid::from_u128(0xe1));
const PREVIOUS: OrderId = OrderId(Uuid::from_u128(0xf1));
const RENEWAL: OrderId = OrderId(Uuid::from_u128(0xf2));
const TODAY: &str = "2026-03-01";

#[test]
fn a_paid_order_is_complete() {
    let outcome = given::<Order>([placed()]).when(complete("2026-02-27", "R-1"), &today());
    assert_eq!(outcome, Ok(vec![completed()]));
    assert_eq!(given::<Order>([placed(), completed()]).0.status, OrderStatus::Complete);
}

#[test]
fn completing_again_with_the_same_reference_changes_nothing() {
    for events in [vec![placed(), completed()], vec![placed(), completed(), renewed()]] {
        let outcome = given::<Order>(events).when(complete("2026-02-27", "R-1"), &today());
        assert_eq!(outcome, Ok(vec![]));
    }
}

#[test]
fn a_second_payment_is_refused() {
    let outcome = given::<Order>([placed(), completed()]).when(complete(TODAY, "R-2"), &today());
    let status = OrderStatus::Complete;
    assert_eq!(outcome, Err(OrderError::OrderWrongStatus { status }));
}

#[test]
fn a_payment_is_not_in_the_future() {
    let outcome = given::<Order>([placed()]).when(complete("2026-03-02", "R-1"), &today());
    let (paid_on, today) = (day("2026-03-02"), day(TODAY));
    assert_eq!(outcome, Err(OrderError::PaymentInFuture { paid_on, today }));
}

#[test]
fn a_payment_is_not_before_the_order() {
    let outcome = given::<Order>([placed()]).when(complete("2026-02-19", "R-1"), &today());
    let (paid_on, placed_on) = (day("2026-02-19"), day("2026-02-20"));
    assert_eq!(outcome, Err(OrderError::PaymentBeforeOrder { paid_on, placed_on }));
}

#[test]
fn a_payment_has_a_reference_of_at_most_200_characters() {
    for reference in [" ", &"x".repeat(201)] {
        let outcome = given::<Order>([placed()]).when(complete(TODAY, reference), &today());
        assert!(is_invalid(&outcome, "reference"), "{outcome:?}");
    }
}

#[test]
fn a_pending_order_is_cancelled_with_a_reason() {
    let cancel = |reason: &str| {
        let command = OrderCommand::Cancel { reason: reason.into() };
        given::<Order>([placed()]).when(command, &today())
    };
    assert_eq!(cancel("Not paid"), Ok(vec![cancelled()]));
    assert_eq!(cancel(" "), Err(OrderError::ReasonMissing));
    assert!(is_invalid(&cancel(&"x".repeat(4001)), "reason"));
}

#[test]
fn cancelling_again_changes_nothing() {
    let command = OrderCommand::Cancel { reason: "Twice".into() };
    assert_eq!(given::<Order>([placed(), cancelled()]).when(command, &today()), Ok(vec![]));
}

#[test]
fn a_paid_or_cancelled_order_is_settled() {
    let cancel = OrderCommand::Cancel { reason: "Too late".into() };
    for (events, status) in [
        (vec![placed(), completed()], OrderStatus::Complete),
        (vec![placed(), completed(), renewed()], OrderStatus::Renewed),
    ] {
        let outcome = given::<Order>(events).when(cancel.clone(), &today());
        assert_eq!(outcome, Err(OrderError::OrderWrongStatus { status }));
    }
    let outcome = given::<Order>([placed(), cancelled()]).when(complete(TODAY, "R-1"), &today());
    let status = OrderStatus::Cancelled;
    assert_eq!(outcome, Err(OrderError::OrderWrongStatus { status }));
}

#[test]
fn a_complete_order_is_marked_as_renewed_once() {
    let renew = OrderCommand::MarkRenewed { renewal: RENEWAL };
    let outcome = given::<Order>([placed(), completed()]).when(renew.clone(), &today());
    assert_eq!(outcome, Ok(vec![renewed()]));
    let again = given::<Order>([placed(), completed(), renewed()]).when(renew, &today());
    assert_eq!(again, Ok(vec![]));
}

#[test]
fn only_a_complete_order_is_renewed() {
    let renew = OrderCommand::MarkRenewed { renewal: RENEWAL };
    for (events, status) in [
        (vec![placed()], OrderStatus::Pending),
        (vec![placed(), cancelled()], OrderStatus::Cancelled),
    ] {
        let outcome = given::<Order>(events).when(renew.clone(), &today());
        assert_eq!(outcome, Err(OrderError::OrderWrongStatus { status }));
    }
}

#[test]
fn an_order_that_does_not_exist_is_not_found() {
    let commands = [
        complete(TODAY, "R-1"),
        OrderCommand::Cancel { reason: "Not paid".into() },
        OrderCommand::MarkRenewed { renewal: RENEWAL },
    ];
    for command in commands {
        assert_eq!(given::<Order>([]).when(command, &today()), Err(OrderError::OrderNotFound));
    }
}

#[test]
fn an_order_belongs_to_its_partner_and_keeps_its_quotes_rulebook_version() {
    let order = given::<Order>([placed()]).0;
    assert_eq!((order.partner(), order.rulebook_version()), (Some(PARTNER), Some(1)));
    assert_eq!((Order::default().partner(), Order::default().rulebook_version()), (None, None));
}

fn today() -> Context {
    context(QUAZZAR, TODAY, "alice")
}

fn with_rules(change: impl FnOnce(&mut Rulebook)) -> Context {
    let mut context = today();
    change(Arc::make_mut(&mut context.rules));
    context
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn item(sku: &str, quantity: u32) -> Item {
    Item { sku: sku.parse().unwrap(), quantity }
}

fn servers(quantity: u32) -> Vec<Item> {
    vec![item("cloud-os-server", quantity)]
}

fn customer() -> Company {
    Company { name: "Acme".into(), country: "IT".parse().unwrap(), domain: None, tax_id: None }
}

fn standing() -> PartnerStanding {
    PartnerStanding {
        partner: PARTNER,
        status: PartnerStatus::Active,
        tracks: BTreeMap::from([("partner".parse().unwrap(), Some("gold".parse().unwrap()))]),
        scope: BTreeSet::new(),
        withheld_benefits: BTreeSet::new(),
        discount_adjustment: None,
    }
}

fn facts() -> OrderFacts {
    OrderFacts {
        standing: Some(standing()),
        servers_managed: 0,
        seats_managed: 0,
        licence: None,
        deal: None,
        named: None,
    }
}

/// 10 servers from March 2026 to February 2027.
fn licence() -> LicenceFact {
    LicenceFact {
        licence: LICENCE,
        partner: Some(PARTNER),
        customer: customer(),
        currency: Currency::EUR,
        items: servers(10),
        starts_on: day("2026-03-01"),
        ends_on: day("2027-02-28"),
        order: PREVIOUS,
        reserved_by: None,
    }
}

fn licence_facts() -> OrderFacts {
    OrderFacts { licence: Some(licence()), servers_managed: 10, ..facts() }
}

fn request(items: Vec<Item>) -> OrderRequest {
    OrderRequest::New {
        customer: customer(),
        currency: Currency::EUR,
        items,
        starts_on: day(TODAY),
        term_months: 12,
        deal: None,
    }
}

fn place(request: OrderRequest, facts: OrderFacts) -> OrderCommand {
    let payment = today().rules.orders.payment_methods[0];
    OrderCommand::Place { request, payment, facts }
}

fn complete(paid_on: &str, reference: &str) -> OrderCommand {
    let (paid_on, placed_on) = (day(paid_on), day("2026-02-20"));
    OrderCommand::Complete { paid_on, reference: reference.into(), placed_on }
}

fn placed() -> OrderEvent {
    let outcome = given::<Order>([]).when(place(request(servers(50)), facts()), &today());
    outcome.unwrap().remove(0)
}

fn completed() -> OrderEvent {
    OrderEvent::Completed { paid_on: day("2026-02-27"), reference: "R-1".into() }
}

fn cancelled() -> OrderEvent {
    OrderEvent::Cancelled { reason: "Not paid".into() }
}

fn refused() -> OrderEvent {
    OrderEvent::Refused { reserved_by: RENEWAL }
}

fn renewed() -> OrderEvent {
    OrderEvent::Renewed { renewal: RENEWAL }
}

fn is_invalid<T>(outcome: &Result<T, OrderError>, name: &str) -> bool {
    matches!(outcome, Err(OrderError::InvalidField { field, .. }) if field == name)
}
