//! Orders of new licences.

use super::*;

#[test]
fn an_order_is_placed_at_the_price_of_its_quote() {
    let context = today();
    let request = request(servers(50));
    let command = place(request.clone(), facts());
    let OrderCommand::Place { payment, .. } = command else { unreachable!() };
    let expected = OrderEvent::Placed {
        partner: Some(PARTNER),
        customer: customer(),
        licence: LicenceId(context.derived_id("licence")),
        request: request.clone(),
        payment,
        quote: quote(&request, &facts(), &context).unwrap(),
        previous_order: None,
    };
    assert_eq!(given::<Order>([]).when(command, &context), Ok(vec![expected]));
}

#[test]
fn a_quote_runs_to_the_day_before_the_same_day_of_its_last_month() {
    let quote = quote(&request(servers(50)), &facts(), &today()).unwrap();
    assert_eq!((quote.starts_on, quote.ends_on), (day(TODAY), day("2027-02-28")));
    assert_eq!((quote.discount, quote.rulebook_version), (Rate("0.2".parse().unwrap()), 1));
}

#[test]
fn an_order_is_placed_once() {
    let command = place(request(servers(50)), facts());
    let outcome = given::<Order>([placed()]).when(command, &today());
    assert_eq!(outcome, Err(OrderError::OrderAlreadyExists));
}

#[test]
fn only_an_active_or_restricted_partner_orders() {
    use PartnerStatus::*;
    let outcome = |status| {
        let standing = Some(PartnerStanding { status, ..standing() });
        quote(&request(servers(1)), &OrderFacts { standing, ..facts() }, &today())
    };
    let refused =
        [Unknown, Prospect, Applied, Approved, Declined, Withdrawn, Suspended, Terminated];
    for status in refused {
        assert_eq!(outcome(status), Err(OrderError::PartnerNotActive { status }));
    }
    assert!(outcome(Active).is_ok() && outcome(Restricted).is_ok());
}

#[test]
fn an_order_without_a_partner_needs_direct_sales() {
    let direct = OrderFacts { standing: None, ..facts() };
    let zextras = context(ZEXTRAS, TODAY, "alice");
    let request = request(servers(50));
    assert_eq!(quote(&request, &direct, &zextras), Err(OrderError::NoDirectSales));

    let outcome = given::<Order>([]).when(place(request, direct), &today()).unwrap();
    let [OrderEvent::Placed { partner: None, quote, .. }] = outcome.as_slice() else {
        panic!("{outcome:?}");
    };
    assert_eq!(quote.discount, Rate::ZERO);
}

#[test]
fn a_payment_method_is_one_that_the_program_offers() {
    let payment = PaymentMethod::PayNow;
    assert!(!today().rules.orders.payment_methods.contains(&payment));
    let command = OrderCommand::Place { request: request(servers(1)), payment, facts: facts() };
    let outcome = given::<Order>([]).when(command, &today());
    assert_eq!(outcome, Err(OrderError::PaymentNotOffered { payment }));
}

#[test]
fn a_customer_that_cannot_be_right_is_refused_by_field() {
    let mut request = request(servers(1));
    if let OrderRequest::New { customer, .. } = &mut request {
        customer.name.clear();
    }
    let outcome = quote(&request, &facts(), &today());
    assert!(is_invalid(&outcome, "customer.name"), "{outcome:?}");
}

#[test]
fn a_currency_without_a_price_list_is_refused() {
    let currency = Currency::JPY;
    let mut request = request(servers(1));
    if let OrderRequest::New { currency: of_request, .. } = &mut request {
        *of_request = currency;
    }
    let expected = Err(OrderError::NoPriceList { currency });
    assert_eq!(quote(&request, &facts(), &today()), expected);
}

#[test]
fn something_must_be_ordered() {
    assert_eq!(quote_items(vec![]), Err(OrderError::NothingOrdered));
}

#[test]
fn an_article_is_on_the_price_list_and_named_once() {
    let sku: Sku = "spaceship".parse().unwrap();
    assert_eq!(quote_items(vec![item("spaceship", 1)]), Err(OrderError::UnknownSku { sku }));
    let sku: Sku = "cloud-os-server".parse().unwrap();
    let twice = [servers(1), servers(2)].concat();
    assert_eq!(quote_items(twice), Err(OrderError::SkuTwice { sku }));
}

#[test]
fn a_quantity_is_at_least_the_smallest_one_of_its_article() {
    let (sku, quantity_min): (Sku, u32) = ("email".parse().unwrap(), 10);
    let outcome = |quantity| {
        let facts = OrderFacts { standing: Some(standing()), ..facts() };
        quote(&request(vec![item("email", quantity)]), &facts, &context(ZEXTRAS, TODAY, "alice"))
    };
    let too_small = OrderError::QuantityTooSmall { sku, quantity: 9, quantity_min };
    assert_eq!(outcome(9), Err(too_small));
    assert!(outcome(10).is_ok());
}

#[test]
fn nothing_is_ordered_zero_times() {
    let context = with_rules(|rules| rules.price_lists[0].prices[0].quantity_min = 0);
    let outcome = quote(&request(servers(0)), &facts(), &context);
    assert!(matches!(outcome, Err(OrderError::QuantityTooSmall { .. })), "{outcome:?}");
}

#[test]
fn what_is_for_the_whole_installation_is_ordered_once() {
    assert!(quote_items(vec![item("white-label", 1)]).is_ok());
    assert!(is_invalid(&quote_items(vec![item("white-label", 2)]), "items"));
}

#[test]
fn an_article_that_needs_another_comes_with_as_many_of_it() {
    let (sku, requires): (Sku, Sku) =
        ("kubernetes".parse().unwrap(), "cloud-os-server".parse().unwrap());
    let missing = Err(OrderError::RequiredArticleMissing { sku, requires });
    assert_eq!(quote_items(vec![item("kubernetes", 5)]), missing);
    assert_eq!(quote_items([vec![item("kubernetes", 5)], servers(4)].concat()), missing);
    assert!(quote_items([vec![item("kubernetes", 5)], servers(5)].concat()).is_ok());
}

#[test]
fn a_term_lies_within_the_rulebooks_bounds() {
    let rules = &today().rules.orders;
    let (term_months_min, term_months_max) = (rules.term_months_min, rules.term_months_max);
    let refusal = Err(OrderError::TermOutOfRange { term_months_min, term_months_max });
    assert_eq!(quote_term(TODAY, term_months_min - 1), refusal);
    assert!(quote_term(TODAY, term_months_min).is_ok());
    assert!(quote_term(TODAY, term_months_max).is_ok());
    assert_eq!(quote_term(TODAY, term_months_max + 1), refusal);
}

#[test]
fn a_term_starts_today_or_later() {
    let (starts_on, today) = (day("2026-02-28"), day(TODAY));
    let refusal = Err(OrderError::StartInPast { starts_on, today });
    assert_eq!(quote_term("2026-02-28", 12), refusal);
    assert!(quote_term("2026-06-01", 12).is_ok());
}

#[test]
fn a_deal_counts_if_it_is_the_partners_own_and_protected_or_won() {
    let extra: Rate = Rate("0.02".parse().unwrap());
    let context = with_rules(|rules| rules.deals.extra_discount = Some(extra));
    let refusal = Err(OrderError::DealDoesNotCount { deal: DEAL });
    assert_eq!(quote(&from_deal(), &facts(), &context), refusal);
    let foreign = DealFact { partner: PartnerId(Uuid::from_u128(0xb9)), ..deal() };
    assert_eq!(quote(&from_deal(), &with_deal(foreign), &context), refusal);
    let expired = DealFact { status: DealStatus::Expired, ..deal() };
    assert_eq!(quote(&from_deal(), &with_deal(expired), &context), refusal);
    for status in [DealStatus::Protected, DealStatus::Won] {
        let facts = with_deal(DealFact { status, ..deal() });
        let quote = quote(&from_deal(), &facts, &context).unwrap();
        assert!(quote.lines.iter().any(|line| line.rate == Some(extra)), "{quote:?}");
    }
}

#[test]
fn a_deal_counts_for_its_own_customer_and_product_and_once() {
    let outcome = |fact| quote(&from_deal(), &with_deal(fact), &today());
    let named_otherwise = Company { name: "ACME srl".into(), ..customer() };
    assert!(outcome(DealFact { customer: named_otherwise, ..deal() }).is_ok());
    let another =
        Company { name: "Comune di Bari".into(), domain: None, tax_id: None, ..customer() };
    let refusal = OrderError::DealOfAnotherCustomer { deal: DEAL };
    assert_eq!(outcome(DealFact { customer: another, ..deal() }), Err(refusal));

    let product_scope: ProductScope = "kubernetes".parse().unwrap();
    let refusal =
        OrderError::DealOfAnotherProduct { deal: DEAL, product_scope: product_scope.clone() };
    assert_eq!(outcome(DealFact { product_scope: product_scope.clone(), ..deal() }), Err(refusal));
    let untold = with_rules(|rules| {
        rules.price_lists[0].prices.iter_mut().for_each(|price| price.product_scope = None);
    });
    let facts = with_deal(DealFact { product_scope, ..deal() });
    assert!(quote(&from_deal(), &facts, &untold).is_ok(), "articles that tell nothing may be it");

    let order = OrderId(Uuid::from_u128(0xf9));
    let refusal = OrderError::DealUsed { deal: DEAL, order };
    assert_eq!(outcome(DealFact { reserved_by: Some(order), ..deal() }), Err(refusal));
}

#[test]
fn a_renewal_for_another_partner_than_the_licences_is_refused() {
    let request = OrderRequest::Renew { licence: LICENCE, ends_on: day("2028-02-29") };
    let named = |partner| OrderFacts { named: Some(partner), ..licence_facts() };
    assert!(quote(&request, &named(PARTNER), &today()).is_ok());
    let other = named(PartnerId(Uuid::from_u128(0xb9)));
    let refusal = OrderError::LicenceOfAnotherPartner { licence: LICENCE };
    assert_eq!(quote(&request, &other, &today()), Err(refusal));
}

#[test]
fn a_term_starts_within_a_year_and_a_day() {
    let starting_on = |starts_on: Day| {
        let mut request = request(servers(1));
        if let OrderRequest::New { starts_on: of_request, .. } = &mut request {
            *of_request = starts_on;
        }
        quote(&request, &facts(), &today())
    };
    let latest = today().today.plus_days(366);
    assert!(starting_on(latest).is_ok());
    for starts_on in [latest.plus_days(1), day("9999-12-31")] {
        assert_eq!(starting_on(starts_on), Err(OrderError::StartTooFar { starts_on, latest }));
    }
}

const DEAL: DealId = DealId(Uuid::from_u128(0xa1));

/// A new licence from the deal.
fn from_deal() -> OrderRequest {
    let mut request = request(servers(1));
    if let OrderRequest::New { deal, .. } = &mut request {
        *deal = Some(DEAL);
    }
    request
}

fn with_deal(fact: DealFact) -> OrderFacts {
    OrderFacts { deal: Some(fact), ..facts() }
}

fn deal() -> DealFact {
    DealFact {
        deal: DEAL,
        partner: PARTNER,
        status: DealStatus::Won,
        customer: customer(),
        product_scope: "cloud-os".parse().unwrap(),
        reserved_by: None,
    }
}

#[test]
fn an_amount_beyond_all_reason_is_refused() {
    let context = with_rules(|rules| rules.price_lists[0].prices[0].amount_minor = i64::MAX);
    let outcome = quote(&request(servers(u32::MAX)), &facts(), &context);
    assert_eq!(outcome, Err(OrderError::AmountTooLarge));
}

fn quote_items(items: Vec<Item>) -> Result<Quote, OrderError> {
    quote(&request(items), &facts(), &today())
}

fn quote_term(starts_on: &str, term_months: u32) -> Result<Quote, OrderError> {
    let request = OrderRequest::New {
        customer: customer(),
        currency: Currency::EUR,
        items: servers(1),
        starts_on: day(starts_on),
        term_months,
        deal: None,
    };
    quote(&request, &facts(), &today())
}
