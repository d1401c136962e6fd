//! Prices with every line of their calculation.

mod terms;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::aggregate::testing::{QUAZZAR, ZEXTRAS, context};
use crate::customer::Company;
use crate::partner::PartnerStatus;
use crate::rulebook::{LevelDiscount, VolumeBonus, VolumeMeasure};
use crate::{Context, LicenceId, OrderId, PartnerId};
use QuoteLineKind as Kind;

#[test]
fn gold_with_50_servers_pays_with_15_plus_5_percent_less() {
    let rules = quazzar();
    let gold = standing("gold");
    let quote =
        quote_new(&basis(&rules, &gold), &servers(50), day("2026-03-01"), day("2027-02-28"));
    let quote = quote.unwrap();

    let list = amount_of("cloud-os-server", &rules) * Decimal::from(50 * 12);
    let expected = [
        line(Kind::List, None, list),
        line(Kind::LevelDiscount, Some("0.15"), -list * dec("0.15")),
        line(Kind::VolumeBonus, Some("0.05"), -list * dec("0.05")),
    ];
    assert_eq!(quote.lines.iter().map(facts).collect::<Vec<_>>(), expected);
    assert_eq!(quote.discount, Rate(dec("0.2")));
    assert_eq!(quote.total.exact(), list * dec("0.8"));
    assert_eq!(quote.mrr.exact(), list * dec("0.8") / Decimal::from(12));
    assert_eq!((quote.servers, quote.seats), (50, 0));
}

#[test]
fn every_line_says_its_calculation_in_words() {
    let rules = quazzar();
    let gold = standing("gold");
    let quote =
        quote_new(&basis(&rules, &gold), &servers(50), day("2026-03-01"), day("2027-02-28"));
    let texts: Vec<String> = quote.unwrap().lines.into_iter().map(|line| line.text).collect();
    let unit = Money::new(rules.price_lists[0].prices[0].amount_minor, Currency::EUR);
    let list = format!("50 x {unit} x 12 months");
    assert_eq!(texts, [&list, "level Gold: 15 %", "50 servers, from 50 on: 5 %"]);
}

#[test]
fn the_bonus_counts_servers_managed_before_and_those_of_the_order() {
    let rules = quazzar();
    let gold = standing("gold");
    let discount = |servers_managed, ordered| {
        let basis = Basis { servers_managed, ..basis(&rules, &gold) };
        quote_year(&basis, &servers(ordered)).discount
    };
    assert_eq!(discount(0, 49), Rate(dec("0.15")));
    assert_eq!(discount(1, 49), Rate(dec("0.2")));
    assert_eq!(discount(45, 5), Rate(dec("0.2")));
}

#[test]
fn only_the_highest_threshold_reached_counts() {
    let rules = quazzar();
    let highest = rules.discounts.volume.iter().max_by_key(|bonus| bonus.at_least).unwrap();
    let silver = standing("silver");
    let basis = Basis { servers_managed: highest.at_least, ..basis(&rules, &silver) };
    let quote = quote_year(&basis, &servers(1));
    let bonuses: Vec<Option<Rate>> = rates(&quote, Kind::VolumeBonus);
    assert_eq!(bonuses, [Some(highest.rate)]);
}

#[test]
fn servers_and_seats_each_give_their_bonus() {
    let seats = |rules: &mut Rulebook| {
        rules.price_lists[0].prices[0].counts_as_seats = true;
        let (measure, rate) = (VolumeMeasure::Seats, Rate(dec("0.01")));
        rules.discounts.volume.push(VolumeBonus { measure, at_least: 50, rate });
    };
    let rules = quazzar_with(seats);
    let gold = standing("gold");
    let quote = quote_year(&basis(&rules, &gold), &servers(50));
    let expected = [Some(Rate(dec("0.05"))), Some(Rate(dec("0.01")))];
    assert_eq!(rates(&quote, Kind::VolumeBonus), expected);
}

#[test]
fn of_several_levels_the_best_one_counts() {
    let rules = quazzar_with(|rules| {
        let (track, level) = ("second".parse().unwrap(), "expert".parse().unwrap());
        rules.discounts.levels.push(LevelDiscount { track, level, rate: Rate(dec("0.18")) });
    });
    let mut partner = standing("gold");
    partner.tracks.insert("second".parse().unwrap(), Some("expert".parse().unwrap()));
    let quote = quote_year(&basis(&rules, &partner), &servers(1));
    assert_eq!(rates(&quote, Kind::LevelDiscount), [Some(Rate(dec("0.18")))]);
}

#[test]
fn a_level_counts_on_its_own_track_only() {
    let rules = quazzar();
    let mut partner = standing("gold");
    partner.tracks = BTreeMap::from([("other".parse().unwrap(), Some("gold".parse().unwrap()))]);
    assert_eq!(quote_year(&basis(&rules, &partner), &servers(1)).discount, Rate::ZERO);
}

#[test]
fn where_levels_set_no_price_silver_and_platinum_pay_the_same() {
    let rules = rules_of(ZEXTRAS);
    let items = [item("workspace", 6000)];
    let price = |level| quote_year(&basis(&rules, &standing(level)), &items);
    assert_eq!(price("silver"), price("platinum"));
    assert_eq!(price("platinum").discount, Rate::ZERO);
}

#[test]
fn a_partners_own_adjustment_adds_to_its_level_or_takes_from_it() {
    let rules = quazzar();
    let discount = |adjustment: &str| {
        let discount_adjustment = Some(Rate(dec(adjustment)));
        let partner = PartnerStanding { discount_adjustment, ..standing("gold") };
        let quote = quote_year(&basis(&rules, &partner), &servers(1));
        (quote.discount, rates(&quote, Kind::PartnerAdjustment))
    };
    assert_eq!(discount("0.03"), (Rate(dec("0.18")), vec![Some(Rate(dec("0.03")))]));
    assert_eq!(discount("-0.05"), (Rate(dec("0.1")), vec![Some(Rate(dec("-0.05")))]));
    assert_eq!(discount("0"), (Rate(dec("0.15")), vec![]));
}

#[test]
fn a_deal_that_counts_gives_the_rulebooks_extra_discount() {
    let rules = quazzar_with(|rules| rules.deals.extra_discount = Some(Rate(dec("0.02"))));
    let gold = standing("gold");
    let with = |deal_counts, rules: &Rulebook| {
        let basis = Basis { deal_counts, ..basis(rules, &gold) };
        rates(&quote_year(&basis, &servers(1)), Kind::DealDiscount)
    };
    assert_eq!(with(true, &rules), [Some(Rate(dec("0.02")))]);
    assert_eq!(with(false, &rules), []);
    assert_eq!(with(true, &quazzar()), []);
}

#[test]
fn the_largest_total_cuts_the_discount_that_crosses_it_and_the_line_says_so() {
    let rules = quazzar_with(|rules| rules.discounts.total_max = Some(Rate(dec("0.18"))));
    let gold = standing("gold");
    let quote = quote_year(&basis(&rules, &gold), &servers(50));
    assert_eq!(quote.discount, Rate(dec("0.18")));
    assert_eq!(rates(&quote, Kind::VolumeBonus), [Some(Rate(dec("0.03")))]);
    let text = &quote.lines[2].text;
    let expected = "50 servers, from 50 on: 5 %, limited to 3 %: all together is from 0 % to 18 %";
    assert_eq!(text, expected);
}

#[test]
fn an_adjustment_never_raises_a_price_above_the_list() {
    let rules = quazzar_with(|rules| rules.discounts.levels.clear());
    let discount_adjustment = Some(Rate(dec("-0.1")));
    let partner = PartnerStanding { discount_adjustment, ..standing("gold") };
    assert_eq!(quote_year(&basis(&rules, &partner), &servers(1)).discount, Rate::ZERO);
}

#[test]
fn a_direct_sale_pays_the_list_price() {
    let rules = quazzar();
    let gold = standing("gold");
    let basis = Basis { standing: None, ..basis(&rules, &gold) };
    let quote = quote_year(&basis, &servers(500));
    assert_eq!((quote.lines.len(), quote.discount), (1, Rate::ZERO));
}

#[test]
fn a_yearly_price_counts_by_months() {
    let rules = rules_of(ZEXTRAS);
    let gold = standing("gold");
    let items = [item("email", 10)];
    let quote = quote_new(&basis(&rules, &gold), &items, day("2026-01-01"), day("2027-06-30"));
    let yearly = amount_of("email", &rules);
    assert_eq!(quote.unwrap().total.exact(), yearly * Decimal::from(15));
}

#[test]
fn the_total_is_rounded_once_and_the_quote_shows_it() {
    let rules = quazzar_at(1);
    let gold = standing("none");
    let half_month = (day("2026-04-01"), day("2026-04-15"));
    let price = |quantity| {
        let basis = basis(&rules, &gold);
        let quote = quote_new(&basis, &servers(quantity), half_month.0, half_month.1).unwrap();
        let rounding = quote.lines.iter().find(|line| line.kind == Kind::Rounding).cloned();
        (quote.total.minor, rounding.map(|line| line.amount_minor))
    };
    assert_eq!(price(1), (0, Some(dec("-0.5"))));
    assert_eq!(price(3), (2, Some(dec("0.5"))));
    assert_eq!(price(4), (2, None));
}

#[test]
fn sixths_that_add_up_to_a_half_are_rounded_as_a_half() {
    let rules = quazzar_with(|rules| {
        for price in &mut rules.price_lists[0].prices {
            price.amount_minor = 1;
        }
    });
    let none = standing("none");
    let items = [item("cloud-os-server", 1), item("kubernetes", 1), item("white-label", 7)];
    // 5 of 30 days: 1/6 + 1/6 + 7/6 = 3/2.
    let quote = quote_new(&basis(&rules, &none), &items, day("2026-04-01"), day("2026-04-05"));
    assert_eq!(quote.unwrap().total.minor, 2);
}

#[test]
fn monthly_revenue_is_rounded_half_to_even() {
    let none = standing("none");
    let mrr = |amount_minor| {
        let rules = quazzar_with(|rules| {
            let price = &mut rules.price_lists[0].prices[0];
            (price.period, price.amount_minor) = (PricePeriod::Year, amount_minor);
        });
        quote_year(&basis(&rules, &none), &servers(1)).mrr.minor
    };
    assert_eq!([mrr(6), mrr(18), mrr(30)], [0, 2, 2]);
}

#[test]
fn a_renewal_charges_everything_from_the_day_after_the_old_end() {
    let rules = quazzar();
    let gold = standing("gold");
    let basis = Basis { servers_managed: 10, ..basis(&rules, &gold) };
    let quote = quote_renewal(&basis, &licence(10), day("2027-08-31")).unwrap();
    assert_eq!((quote.starts_on, quote.ends_on), (day("2027-03-01"), day("2027-08-31")));
    let list = amount_of("cloud-os-server", &rules) * Decimal::from(10 * 6);
    assert_eq!(quote.lines[0].amount_minor, list);
    assert_eq!(quote.total.exact(), list * dec("0.85"));
}

#[test]
fn a_renewed_licence_is_not_counted_twice_for_the_bonus() {
    let rules = quazzar();
    let gold = standing("gold");
    let discount = |servers_managed| {
        let basis = Basis { servers_managed, ..basis(&rules, &gold) };
        quote_renewal(&basis, &licence(30), day("2027-08-31")).unwrap().discount
    };
    assert_eq!(discount(30), Rate(dec("0.15")));
    assert_eq!(discount(50), Rate(dec("0.2")));
}

#[test]
fn an_upgrade_from_10_to_15_charges_5_for_the_rest_of_the_term() {
    let rules = quazzar();
    let none = standing("none");
    let basis = Basis { servers_managed: 10, ..basis(&rules, &none) };
    let end = licence(10).ends_on;
    let quote = quote_upgrade(&basis, &licence(10), &servers(15), day("2026-09-01"), end).unwrap();
    let unit = amount_of("cloud-os-server", &rules);
    assert_eq!(quote.total.exact(), unit * Decimal::from(5 * 6));
    assert_eq!(quote.mrr.exact(), unit * Decimal::from(15));
    assert_eq!((quote.servers, quote.items.clone()), (15, servers(15)));
    assert_eq!((quote.starts_on, quote.ends_on), (day("2026-09-01"), end));
    assert!(quote.lines[0].text.starts_with("5 more x "), "{}", quote.lines[0].text);
}

#[test]
fn an_upgrade_with_a_later_end_charges_everything_for_the_time_after_the_old_one() {
    let rules = quazzar();
    let none = standing("none");
    let basis = basis(&rules, &none);
    let end = day("2027-04-30");
    let quote = quote_upgrade(&basis, &licence(10), &servers(15), day("2026-09-01"), end).unwrap();
    let unit = amount_of("cloud-os-server", &rules);
    let amounts: Vec<Decimal> = quote.lines.iter().map(|line| line.amount_minor).collect();
    assert_eq!(amounts, [unit * Decimal::from(5 * 6), unit * Decimal::from(15 * 2)]);
    assert_eq!(quote.ends_on, end);
}

#[test]
fn an_upgrade_counts_only_what_it_adds_for_the_bonus() {
    let rules = quazzar();
    let gold = standing("gold");
    let discount = |servers_managed| {
        let basis = Basis { servers_managed, ..basis(&rules, &gold) };
        let from = day("2026-09-01");
        quote_upgrade(&basis, &licence(30), &servers(40), from, licence(30).ends_on).unwrap()
    };
    assert_eq!(discount(39).discount, Rate(dec("0.15")));
    assert_eq!(discount(40).discount, Rate(dec("0.2")));
}

#[test]
fn an_upgrade_before_the_licence_starts_is_charged_from_its_start() {
    let rules = quazzar();
    let none = standing("none");
    let from = day("2026-01-10");
    let end = licence(10).ends_on;
    let quote =
        quote_upgrade(&basis(&rules, &none), &licence(10), &servers(11), from, end).unwrap();
    assert_eq!(quote.starts_on, licence(10).starts_on);
    assert_eq!(quote.total.exact(), amount_of("cloud-os-server", &rules) * Decimal::from(12));
}

#[test]
fn without_a_price_there_is_no_quote() {
    let rules = quazzar();
    let gold = standing("gold");
    let quote = |basis: Basis<'_>, items: &[Item]| {
        quote_new(&basis, items, day("2026-03-01"), day("2027-02-28")).unwrap_err()
    };
    let in_yen = Basis { currency: Currency::JPY, ..basis(&rules, &gold) };
    let currency = Currency::JPY;
    assert_eq!(quote(in_yen, &servers(1)), PricingError::NoPriceList { currency });
    let sku: Sku = "spaceship".parse().unwrap();
    let unknown = PricingError::UnknownSku { sku };
    assert_eq!(quote(basis(&rules, &gold), &[item("spaceship", 1)]), unknown);
}

#[test]
fn an_amount_beyond_all_reason_is_refused_and_not_overflown() {
    for amount_minor in [i64::MAX, 1_000_000_000] {
        let rules =
            quazzar_with(|rules| rules.price_lists[0].prices[0].amount_minor = amount_minor);
        let gold = standing("gold");
        let basis = basis(&rules, &gold);
        let outcome = quote_new(&basis, &servers(u32::MAX), day("2026-03-01"), day("2027-02-28"));
        assert_eq!(outcome, Err(PricingError::AmountTooLarge));
    }
}

proptest! {
    #[test]
    fn all_lines_of_a_quote_add_up_to_its_total(
        quantities in prop::collection::vec(1..50_000u32, 1..4),
        term in (0..2000u32, 1..2000u32),
        amount_minor in 1..1_000_000i64,
        partner in partners(),
    ) {
        let rules = quazzar_at(amount_minor);
        let skus = ["cloud-os-server", "kubernetes", "white-label"].into_iter().zip(quantities);
        let items: Vec<Item> = skus.map(|(sku, quantity)| item(sku, quantity)).collect();
        let starts_on = day("2026-01-01").plus_days(term.0);
        let ends_on = starts_on.plus_days(term.1);
        let quote = quote_new(&basis(&rules, &partner), &items, starts_on, ends_on).unwrap();
        let sum: Decimal = quote.lines.iter().map(|line| line.amount_minor).sum();
        prop_assert_eq!(sum, quote.total.exact());
        let rounding = quote.lines.iter().filter(|line| line.kind == Kind::Rounding);
        for line in rounding {
            prop_assert!(line.amount_minor.abs() <= dec("0.5") && !line.amount_minor.is_zero());
        }
        let rates = quote.lines.iter().filter_map(|line| line.rate);
        prop_assert_eq!(rates.map(|rate| rate.0).sum::<Decimal>(), quote.discount.0);
    }
}

/// Of any level, with any adjustment of up to 10 % in tenths of a percent.
fn partners() -> impl Strategy<Value = PartnerStanding> {
    let levels = prop::sample::select(vec!["none", "silver", "gold", "platinum"]);
    (levels, -100..=100i64).prop_map(|(level, adjustment)| {
        let discount_adjustment = Some(Rate(Decimal::new(adjustment, 3)));
        PartnerStanding { discount_adjustment, ..standing(level) }
    })
}

fn rules_of(program: &str) -> Arc<Rulebook> {
    context(program, "2026-03-01", "alice").rules
}

fn quazzar() -> Arc<Rulebook> {
    rules_of(QUAZZAR)
}

fn quazzar_with(change: impl FnOnce(&mut Rulebook)) -> Arc<Rulebook> {
    let Context { mut rules, .. } = context(QUAZZAR, "2026-03-01", "alice");
    change(Arc::make_mut(&mut rules));
    rules
}

/// With this price of one server a month.
fn quazzar_at(amount_minor: i64) -> Arc<Rulebook> {
    quazzar_with(|rules| rules.price_lists[0].prices[0].amount_minor = amount_minor)
}

fn basis<'a>(rules: &'a Rulebook, standing: &'a PartnerStanding) -> Basis<'a> {
    Basis {
        rules,
        rulebook_version: 1,
        currency: Currency::EUR,
        standing: Some(standing),
        servers_managed: 0,
        seats_managed: 0,
        deal_counts: false,
    }
}

fn standing(level: &str) -> PartnerStanding {
    PartnerStanding {
        partner: PartnerId(Uuid::from_u128(0xb1)),
        status: PartnerStatus::Active,
        tracks: BTreeMap::from([("partner".parse().unwrap(), Some(level.parse().unwrap()))]),
        scope: BTreeSet::new(),
        withheld_benefits: BTreeSet::new(),
        discount_adjustment: None,
    }
}

/// So many servers from 1 March 2026 to 28 February 2027.
fn licence(quantity: u32) -> LicenceFact {
    LicenceFact {
        licence: LicenceId(Uuid::from_u128(0xe1)),
        partner: Some(standing("gold").partner),
        customer: Company {
            name: "Acme".into(),
            country: "IT".parse().unwrap(),
            domain: None,
            tax_id: None,
        },
        currency: Currency::EUR,
        items: servers(quantity),
        starts_on: day("2026-03-01"),
        ends_on: day("2027-02-28"),
        order: OrderId(Uuid::from_u128(0xf1)),
        reserved_by: None,
    }
}

fn quote_year(basis: &Basis<'_>, items: &[Item]) -> Quote {
    quote_new(basis, items, day("2026-03-01"), day("2027-02-28")).unwrap()
}

fn item(sku: &str, quantity: u32) -> Item {
    Item { sku: sku.parse().unwrap(), quantity }
}

fn servers(quantity: u32) -> Vec<Item> {
    vec![item("cloud-os-server", quantity)]
}

fn amount_of(sku: &str, rules: &Rulebook) -> Decimal {
    let list = rules.price_list(Currency::EUR).unwrap();
    list.price(&sku.parse().unwrap()).unwrap().amount_minor.into()
}

fn line(kind: Kind, rate: Option<&str>, amount_minor: Decimal) -> (Kind, Option<Rate>, Decimal) {
    (kind, rate.map(|rate| Rate(dec(rate))), amount_minor)
}

fn facts(line: &QuoteLine) -> (Kind, Option<Rate>, Decimal) {
    (line.kind, line.rate, line.amount_minor)
}

fn rates(quote: &Quote, kind: Kind) -> Vec<Option<Rate>> {
    quote.lines.iter().filter(|line| line.kind == kind).map(|line| line.rate).collect()
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}
