//! Orders that renew or upgrade a licence.

use super::*;

#[test]
fn a_renewal_is_placed_for_its_licence_and_follows_its_order() {
    let outcome = given::<Order>([]).when(place(renew("2028-02-29"), licence_facts()), &today());
    let events = outcome.unwrap();
    let [OrderEvent::Placed { partner, customer: of_order, licence, quote, previous_order, .. }] =
        events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!((*partner, *licence, *previous_order), (Some(PARTNER), LICENCE, Some(PREVIOUS)));
    assert_eq!(*of_order, customer());
    assert_eq!((quote.starts_on, quote.ends_on), (day("2027-03-01"), day("2028-02-29")));
}

#[test]
fn a_renewal_ends_later_than_its_licence() {
    let ends_on = day("2027-02-28");
    let refusal = Err(OrderError::RenewalNotLater { ends_on });
    assert_eq!(quote(&renew("2027-02-28"), &licence_facts(), &today()), refusal);
    assert!(quote(&renew("2027-03-01"), &licence_facts(), &today()).is_ok());
}

#[test]
fn a_licence_is_not_prolonged_by_more_than_the_longest_term() {
    let rules = &today().rules.orders;
    let (term_months_min, term_months_max) = (rules.term_months_min, rules.term_months_max);
    let last = day("2027-03-01").plus_months(term_months_max).minus_days(1);
    let later = last.plus_days(1);
    let refusal = Err(OrderError::TermOutOfRange { term_months_min, term_months_max });
    let quote = |request: OrderRequest| quote(&request, &licence_facts(), &today());
    let renew = |ends_on| OrderRequest::Renew { licence: LICENCE, ends_on };
    assert!(quote(renew(last)).is_ok());
    assert_eq!(quote(renew(later)), refusal);
    assert!(quote(upgrade(servers(15), Some(last))).is_ok());
    assert_eq!(quote(upgrade(servers(15), Some(later))), refusal);
}

#[test]
fn an_upgrade_names_the_new_total_and_is_charged_for_what_it_adds() {
    let quote = quote(&upgrade(servers(15), None), &licence_facts(), &today()).unwrap();
    assert_eq!((quote.servers, quote.items.clone()), (15, servers(15)));
    assert_eq!((quote.starts_on, quote.ends_on), (day(TODAY), licence().ends_on));
    let list = today().rules.price_list(Currency::EUR).unwrap().prices[0].amount_minor;
    assert_eq!(quote.lines[0].amount_minor, (list * 5 * 12).into());
}

#[test]
fn an_upgrade_may_end_later_but_not_earlier() {
    let outcome =
        |ends_on| quote(&upgrade(servers(15), Some(day(ends_on))), &licence_facts(), &today());
    assert_eq!(outcome("2027-08-31").unwrap().ends_on, day("2027-08-31"));
    assert_eq!(outcome("2027-02-28").unwrap().ends_on, day("2027-02-28"));
    let ends_on = licence().ends_on;
    assert_eq!(outcome("2027-02-27"), Err(OrderError::RenewalNotLater { ends_on }));
}

#[test]
fn an_upgrade_to_the_same_total_or_less_is_refused() {
    for quantity in [10, 9] {
        let outcome = quote(&upgrade(servers(quantity), None), &licence_facts(), &today());
        let (sku, quantity_now) = ("cloud-os-server".parse().unwrap(), 10);
        assert_eq!(outcome, Err(OrderError::UpgradeNotMore { sku, quantity_now }));
    }
}

#[test]
fn an_upgrade_of_one_article_keeps_the_others() {
    let outcome = |servers_now, kubernetes_now| {
        quote(&upgrade(platform(servers_now, kubernetes_now), None), &platform_facts(), &today())
    };
    assert_eq!(outcome(15, 5).unwrap().lines.len(), 2, "one list line, the level's discount");
    let (sku, quantity_now) = ("kubernetes".parse().unwrap(), 5);
    assert_eq!(outcome(15, 4), Err(OrderError::UpgradeNotMore { sku, quantity_now }));
}

#[test]
fn an_upgrade_neither_adds_nor_drops_an_article() {
    let sku: Sku = "kubernetes".parse().unwrap();
    let refusal = Err(OrderError::PlanChange { sku });
    let added = quote(&upgrade(platform(15, 5), None), &licence_facts(), &today());
    assert_eq!(added, refusal);
    let dropped = quote(&upgrade(servers(15), None), &platform_facts(), &today());
    assert_eq!(dropped, refusal);
}

#[test]
fn an_upgrade_passes_the_checks_of_a_new_order() {
    let outcome = quote(&upgrade(platform(11, 12), None), &platform_facts(), &today());
    let (sku, requires) = ("kubernetes".parse().unwrap(), "cloud-os-server".parse().unwrap());
    assert_eq!(outcome, Err(OrderError::RequiredArticleMissing { sku, requires }));
    let outcome = quote(&upgrade(vec![], None), &licence_facts(), &today());
    assert_eq!(outcome, Err(OrderError::NothingOrdered));
}

#[test]
fn a_licence_that_is_unknown_or_another_partners_is_not_found() {
    let other = PartnerId(Uuid::from_u128(0xb2));
    let of_other = LicenceFact { partner: Some(other), ..licence() };
    let another = LicenceFact { licence: LicenceId(Uuid::from_u128(0xe2)), ..licence() };
    for licence in [None, Some(of_other), Some(another)] {
        let facts = OrderFacts { licence, ..facts() };
        for request in [renew("2028-02-29"), upgrade(servers(15), None)] {
            assert_eq!(quote(&request, &facts, &today()), Err(OrderError::LicenceNotFound));
        }
    }
}

#[test]
fn a_licence_can_be_changed_through_its_last_day_only() {
    let on = |today: &str, request: OrderRequest| {
        quote(&request, &licence_facts(), &context(QUAZZAR, today, "alice"))
    };
    let ends_on = day("2027-02-28");
    for request in [renew("2028-02-29"), upgrade(servers(15), None)] {
        assert!(on("2027-02-28", request.clone()).is_ok());
        assert_eq!(on("2027-03-01", request), Err(OrderError::LicenceEnded { ends_on }));
    }
}

#[test]
fn a_direct_customer_renews_its_own_licence() {
    let licence = Some(LicenceFact { partner: None, ..licence() });
    let direct = OrderFacts { standing: None, licence, ..facts() };
    let quote = quote(&renew("2028-02-29"), &direct, &today()).unwrap();
    let list = today().rules.price_list(Currency::EUR).unwrap().prices[0].amount_minor;
    assert_eq!(quote.total, Money::new(list * 10 * 12, Currency::EUR));
}

fn renew(ends_on: &str) -> OrderRequest {
    OrderRequest::Renew { licence: LICENCE, ends_on: day(ends_on) }
}

fn upgrade(items: Vec<Item>, ends_on: Option<Day>) -> OrderRequest {
    OrderRequest::Upgrade { licence: LICENCE, items, ends_on }
}

fn platform(servers_now: u32, kubernetes_now: u32) -> Vec<Item> {
    vec![item("cloud-os-server", servers_now), item("kubernetes", kubernetes_now)]
}

/// Of a licence with 10 servers, 5 of them with Kubernetes.
fn platform_facts() -> OrderFacts {
    let licence = Some(LicenceFact { items: platform(10, 5), ..licence() });
    OrderFacts { licence, ..licence_facts() }
}

#[test]
fn a_licence_is_changed_by_one_order_at_a_time() {
    let fact = LicenceFact { reserved_by: Some(RENEWAL), ..licence() };
    let facts = OrderFacts { licence: Some(fact), ..licence_facts() };
    let outcome = given::<Order>([]).when(place(renew("2028-02-29"), facts.clone()), &today());
    assert_eq!(outcome, Err(OrderError::LicenceChangePending { order: RENEWAL }));
    assert!(quote(&renew("2028-02-29"), &facts, &today()).is_ok(), "its price may be asked");
}

#[test]
fn an_order_that_came_second_is_refused_once_and_never_completed() {
    let refuse = OrderCommand::Refuse { reserved_by: RENEWAL };
    let outcome = given::<Order>([placed()]).when(refuse.clone(), &today());
    assert_eq!(outcome, Ok(vec![refused()]));
    assert_eq!(given::<Order>([placed(), refused()]).when(refuse.clone(), &today()), Ok(vec![]));
    let cancelled_status = OrderError::OrderWrongStatus { status: OrderStatus::Cancelled };
    let outcome = given::<Order>([placed(), refused()]).when(complete(TODAY, "R-1"), &today());
    assert_eq!(outcome, Err(cancelled_status));
    let paid = given::<Order>([placed(), completed()]).when(refuse, &today());
    assert_eq!(paid, Err(OrderError::OrderWrongStatus { status: OrderStatus::Complete }));
}
