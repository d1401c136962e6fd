//! A licence's life.

use uuid::Uuid;

use super::*;
use crate::Currency;
use crate::aggregate::testing::{QUAZZAR, context, given};

const PARTNER: PartnerId = PartnerId(Uuid::from_u128(0xb1));

#[test]
fn a_completed_order_issues_a_licence() {
    let outcome = given::<Licence>([]).when(issue(1), &at("2026-03-01"));
    assert_eq!(outcome, Ok(vec![issued()]));
}

#[test]
fn a_licence_belongs_to_its_orders_partner() {
    assert_eq!(given::<Licence>([issued()]).0.partner(), Some(PARTNER));
    assert_eq!(Licence::default().partner(), None);
}

#[test]
fn issuing_by_the_same_order_again_changes_nothing() {
    let outcome = given::<Licence>([issued(), renewed()]).when(issue(1), &at("2026-03-01"));
    assert_eq!(outcome, Ok(vec![]));
}

#[test]
fn a_licence_is_issued_once() {
    let outcome = given::<Licence>([issued()]).when(issue(2), &at("2026-03-01"));
    assert_eq!(outcome, Err(LicenceError::LicenceAlreadyIssued));
}

#[test]
fn a_renewal_moves_the_last_day_and_keeps_the_first() {
    let outcome = given::<Licence>([issued()]).when(renew(2), &at("2026-12-01"));
    assert_eq!(outcome, Ok(vec![renewed()]));
    let record = running([issued(), renewed()]);
    assert_eq!((record.order, record.terms.ends_on), (order(2), day("2028-02-29")));
    assert_eq!(record.terms.starts_on, day("2026-03-01"));
}

#[test]
fn an_upgrade_brings_new_quantities() {
    let outcome = given::<Licence>([issued()]).when(upgrade(2), &at("2026-09-01"));
    assert_eq!(outcome, Ok(vec![upgraded()]));
    let record = running([issued(), upgraded()]);
    assert_eq!((record.order, record.terms.servers), (order(2), 15));
    assert_eq!(record.terms.starts_on, day("2026-03-01"));
}

#[test]
fn an_order_is_applied_once_even_after_a_later_one() {
    let later = LicenceEvent::Renewed { order: order(3), terms: renewed_terms() };
    let events = [issued(), upgraded(), later];
    for command in [upgrade(2), renew(3), renew(1)] {
        let outcome = given::<Licence>(events.clone()).when(command, &at("2026-09-01"));
        assert_eq!(outcome, Ok(vec![]));
    }
}

#[test]
fn no_order_shortens_a_licence() {
    let (ends_on, ends_on_now) = (day("2027-02-28"), day("2028-02-29"));
    let shortened = Err(LicenceError::LicenceShortened { ends_on, ends_on_now });
    let outcome = given::<Licence>([issued(), renewed()]).when(upgrade(3), &at("2026-09-01"));
    assert_eq!(outcome, shortened);
    let renew = LicenceCommand::Renew { order: order(3), terms: terms() };
    let outcome = given::<Licence>([issued(), renewed()]).when(renew, &at("2026-09-01"));
    assert_eq!(outcome, shortened);
}

#[test]
fn a_licence_is_reserved_for_one_change_at_a_time() {
    let reserve = |order| LicenceCommand::Reserve { order };
    let reserved = LicenceEvent::Reserved { order: order(2) };
    let now = at("2026-09-01");
    let outcome = given::<Licence>([issued()]).when(reserve(order(2)), &now);
    assert_eq!(outcome, Ok(vec![reserved.clone()]));
    let again = given::<Licence>([issued(), reserved.clone()]).when(reserve(order(2)), &now);
    assert_eq!(again, Ok(vec![]));
    let other = given::<Licence>([issued(), reserved]).when(reserve(order(3)), &now);
    assert_eq!(other, Err(LicenceError::LicenceReservedAlready { order: order(2) }));
}

#[test]
fn a_licence_that_does_not_exist_is_not_reserved() {
    let reserve = LicenceCommand::Reserve { order: order(2) };
    let outcome = given::<Licence>([]).when(reserve, &at("2026-09-01"));
    assert_eq!(outcome, Err(LicenceError::LicenceNotFound));
}

#[test]
fn the_change_that_was_reserved_ends_its_reservation() {
    let reserved = LicenceEvent::Reserved { order: order(2) };
    assert_eq!(given::<Licence>([issued(), reserved, upgraded()]).0.reserved_by(), None);
    let reserve = LicenceCommand::Reserve { order: order(2) };
    let late = given::<Licence>([issued(), upgraded()]).when(reserve, &at("2026-09-01"));
    assert_eq!(late, Ok(vec![]), "an order that is already applied reserves nothing");
}

#[test]
fn a_reservation_is_released_by_its_own_order_only() {
    let reserved = LicenceEvent::Reserved { order: order(2) };
    let release = |order| LicenceCommand::ReleaseReservation { order };
    let now = at("2026-09-01");
    let outcome = given::<Licence>([issued(), reserved.clone()]).when(release(order(3)), &now);
    assert_eq!(outcome, Ok(vec![]));
    let released = LicenceEvent::ReservationReleased { order: order(2) };
    let outcome = given::<Licence>([issued(), reserved.clone()]).when(release(order(2)), &now);
    assert_eq!(outcome, Ok(vec![released.clone()]));
    assert_eq!(given::<Licence>([issued(), reserved, released]).0.reserved_by(), None);
}

#[test]
fn a_reservation_outlives_the_licences_end() {
    let reserved = LicenceEvent::Reserved { order: order(2) };
    let state = given::<Licence>([issued(), reserved, expired()]).0;
    assert_eq!(state.reserved_by(), Some(order(2)));
}

#[test]
fn a_licence_runs_through_its_last_day_and_then_expires() {
    let on = |today| given::<Licence>([issued()]).when(LicenceCommand::Expire {}, &at(today));
    let ends_on = day("2027-02-28");
    assert_eq!(on("2027-02-28"), Err(LicenceError::LicenceStillRuns { ends_on }));
    assert_eq!(on("2027-03-01"), Ok(vec![expired()]));
}

#[test]
fn expiring_again_changes_nothing() {
    let outcome =
        given::<Licence>([issued(), expired()]).when(LicenceCommand::Expire {}, &at("2027-03-01"));
    assert_eq!(outcome, Ok(vec![]));
}

#[test]
fn a_renewal_paid_after_the_end_makes_the_licence_run_again() {
    let outcome = given::<Licence>([issued(), expired()]).when(renew(2), &at("2027-03-05"));
    assert_eq!(outcome, Ok(vec![renewed()]));
    assert_eq!(running([issued(), expired(), renewed()]).terms.ends_on, day("2028-02-29"));
}

#[test]
fn an_order_whose_own_last_day_has_passed_comes_too_late() {
    let ends_on = day("2027-02-28");
    for events in [vec![issued()], vec![issued(), expired()]] {
        let outcome = given::<Licence>(events).when(upgrade(2), &at("2027-03-01"));
        assert_eq!(outcome, Err(LicenceError::LicenceEnded { ends_on }));
    }
    let ends_on = day("2028-02-29");
    let outcome = given::<Licence>([issued()]).when(renew(2), &at("2028-03-01"));
    assert_eq!(outcome, Err(LicenceError::LicenceEnded { ends_on }));
}

#[test]
fn a_licence_that_was_never_issued_is_not_found() {
    for command in [renew(2), upgrade(2), LicenceCommand::Expire {}] {
        let outcome = given::<Licence>([]).when(command, &at("2026-03-01"));
        assert_eq!(outcome, Err(LicenceError::LicenceNotFound));
    }
}

fn at(today: &str) -> Context {
    context(QUAZZAR, today, "alice")
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn order(number: u128) -> OrderId {
    OrderId(Uuid::from_u128(number))
}

fn running<const N: usize>(events: [LicenceEvent; N]) -> LicenceRecord {
    match given::<Licence>(events).0 {
        Licence::Running(record) => record,
        other => panic!("{other:?}"),
    }
}

fn customer() -> Company {
    Company { name: "Acme".into(), country: "IT".parse().unwrap(), domain: None, tax_id: None }
}

/// 10 servers from March 2026 to February 2027.
fn terms() -> LicenceTerms {
    LicenceTerms {
        items: vec![Item { sku: "cloud-os-server".parse().unwrap(), quantity: 10 }],
        seats: 0,
        servers: 10,
        mrr: Money::new(20_000, Currency::EUR),
        starts_on: day("2026-03-01"),
        ends_on: day("2027-02-28"),
    }
}

fn renewed_terms() -> LicenceTerms {
    LicenceTerms { starts_on: day("2027-03-01"), ends_on: day("2028-02-29"), ..terms() }
}

fn upgraded_terms() -> LicenceTerms {
    LicenceTerms { servers: 15, starts_on: day("2026-09-01"), ..terms() }
}

fn issue(number: u128) -> LicenceCommand {
    LicenceCommand::Issue {
        order: order(number),
        partner: Some(PARTNER),
        customer: customer(),
        model: LicenceModel::Subscription,
        terms: terms(),
    }
}

fn renew(number: u128) -> LicenceCommand {
    LicenceCommand::Renew { order: order(number), terms: renewed_terms() }
}

fn upgrade(number: u128) -> LicenceCommand {
    LicenceCommand::Upgrade { order: order(number), terms: upgraded_terms() }
}

fn issued() -> LicenceEvent {
    LicenceEvent::Issued {
        order: order(1),
        partner: Some(PARTNER),
        customer: customer(),
        model: LicenceModel::Subscription,
        terms: terms(),
    }
}

fn renewed() -> LicenceEvent {
    LicenceEvent::Renewed { order: order(2), terms: renewed_terms() }
}

fn upgraded() -> LicenceEvent {
    LicenceEvent::Upgraded { order: order(2), terms: upgraded_terms() }
}

fn expired() -> LicenceEvent {
    LicenceEvent::Expired { ends_on: day("2027-02-28") }
}
