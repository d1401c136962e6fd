//! Every rule of the check, by breaking a shipped rulebook in one place.

use serde_json::{Value, json};

use super::*;
use crate::aggregate::testing::{QUAZZAR, ZEXTRAS};
use crate::rulebook::DecisionMode;

#[test]
fn mistakes_of_identity_notice_and_phases_are_found_in_their_place() {
    assert_found(
        ZEXTRAS,
        &[
            ("/identity/name", json!(" "), "identity.name"),
            ("/identity/vendor", json!(""), "identity.vendor"),
            ("/identity/source", json!("x".repeat(501)), "identity.source"),
            ("/identity/currencies/-", json!("EUR"), "identity.currencies[2]"),
            ("/identity/currencies/-", json!("CHF"), "price_lists"),
            ("/notice/days", json!(40_000), "notice.days"),
            ("/phases/2/id", json!("onboarding"), "phases[2].id"),
            ("/phases/2/name", json!(""), "phases[2].name"),
            ("/phases/1/description", json!(""), "phases[1].description"),
        ],
    );
}

#[test]
fn mistakes_of_the_way_in_are_found_in_their_place() {
    let fee = |minor, currency| json!({ "minor": minor, "currency": currency });
    assert_found(
        ZEXTRAS,
        &[
            ("/entry/agreement", Value::Null, "entry.agreement"),
            ("/entry/agreement/term_months", json!(0), "entry.agreement.term_months"),
            ("/entry/agreement/annexes/3", json!("licensing"), "entry.agreement.annexes[3]"),
            ("/entry/mou/resources", json!([]), "entry.mou.resources"),
            ("/entry/mou/resources/1", json!("demo-environment"), "entry.mou.resources[1]"),
            ("/entry/mou/days_max", json!(0), "entry.mou.days_max"),
            ("/entry/evaluation_criteria/-", json!("readiness"), "entry.evaluation_criteria[3]"),
            ("/entry/required_contacts/1", json!("technical"), "entry.required_contacts[1]"),
            ("/entry/acknowledgements/1", json!("code-of-conduct"), "entry.acknowledgements[1]"),
            ("/entry/program_fee", fee(0, "EUR"), "entry.program_fee.minor"),
            ("/entry/program_fee", fee(100, "CHF"), "entry.program_fee.currency"),
        ],
    );
}

#[test]
fn rules_that_contradict_each_other_are_found() {
    assert_found(
        ZEXTRAS,
        &[
            ("/deals/activity_interval_days", json!(91), "deals.activity_interval_days"),
            ("/deals/restricted_countries/0", json!("ZZ"), "deals.restricted_countries[0]"),
        ],
    );
    let step = |at_least: u64, rate: &str| json!({ "measure": "servers", "at_least": at_least, "rate": rate });
    let steps = json!([step(50, "0.05"), step(200, "0.10"), step(100, "0.04")]);
    assert_eq!(places(&altered(QUAZZAR, "/discounts/volume", steps)), ["discounts.volume[2].rate"]);
}

#[test]
fn a_level_that_is_there_twice_is_named_once() {
    let mut rules = altered(ZEXTRAS, "/tracks/0/levels/1/id", json!("silver"));
    rules.deals.eligible_levels =
        vec![LevelRef { track: "partner".parse().unwrap(), level: "gold".parse().unwrap() }];
    let mistakes = check(&rules);
    let message = &mistakes.iter().find(|it| it.place.starts_with("deals.")).unwrap().message;
    assert_eq!(message, "`gold` is no level of track `partner`; known: `silver`, `platinum`");
}

#[test]
fn the_benefit_of_registering_deals_is_one_that_levels_list() {
    assert_found(
        ZEXTRAS,
        &[
            ("/deals/benefit", json!("free-lunch"), "deals.benefit"),
            (
                "/price_lists/0/prices/0/product_scope",
                json!("carts"),
                "price_lists[0].prices[0].product_scope",
            ),
        ],
    );
    let eligible = json!([{ "track": "partner", "level": "silver" }]);
    let mut rules = altered(ZEXTRAS, "/deals/eligible_levels", eligible);
    assert_eq!(check(&rules), []);
    rules.tracks[0].levels[0].benefits.clear();
    assert_eq!(places(&rules), ["deals.eligible_levels[0].level"]);
}

#[test]
fn registration_needs_an_automatic_first_level() {
    let mut rules = altered(QUAZZAR, "/entry/mode", json!("registration"));
    assert_eq!(places(&rules), ["tracks[0].levels[0].decision"]);
    rules.tracks[0].levels[0].decision = DecisionMode::Automatic;
    assert_eq!(check(&rules), []);
}

#[test]
fn adding_partners_needs_a_level_that_an_administrator_sets() {
    let mut rules = Rulebook::from_toml(ZEXTRAS).unwrap();
    rules.entry = Rulebook::from_toml(QUAZZAR).unwrap().entry;
    assert_eq!(places(&rules), ["tracks[0].levels"]);
}

#[test]
fn a_track_closed_to_new_partners_need_not_fit_the_way_in() {
    let mut rules = altered(QUAZZAR, "/entry/mode", json!("registration"));
    rules.tracks[0].open = false;
    assert_eq!(check(&rules), []);
}

#[test]
fn an_agreement_and_criteria_have_no_use_without_an_application() {
    assert_found(
        QUAZZAR,
        &[
            ("/entry/agreement", json!({ "term_months": 12 }), "entry.agreement"),
            ("/entry/evaluation_criteria", json!(["readiness"]), "entry.evaluation_criteria"),
        ],
    );
}

#[test]
fn mistakes_of_tracks_and_levels_are_found_in_their_place() {
    let second = json!({ "id": "partner", "name": "Twin", "open": false, "levels": [
        { "id": "only", "name": "Only", "decision": "administrator" },
    ] });
    assert_found(
        ZEXTRAS,
        &[
            ("/tracks", json!([]), "tracks"),
            ("/tracks/-", second, "tracks[1].id"),
            ("/tracks/0/name", json!(""), "tracks[0].name"),
            ("/tracks/0/levels", json!([]), "tracks[0].levels"),
            ("/tracks/0/levels/1/id", json!("silver"), "tracks[0].levels[1].id"),
            ("/tracks/0/levels/1/name", json!(""), "tracks[0].levels[1].name"),
            ("/tracks/0/levels/1/decision", json!("automatic"), "tracks[0].levels[1].decision"),
            ("/tracks/0/levels/1/requirements", json!([]), "tracks[0].levels[1].requirements"),
            (
                "/tracks/0/levels/1/lead_classes/1",
                json!("mid-size"),
                "tracks[0].levels[1].lead_classes[1]",
            ),
            ("/tracks/0/levels/1/lead_classes/1", json!(""), "tracks[0].levels[1].lead_classes[1]"),
        ],
    );
    let in_level = [
        ("requirements/1/id", json!("certification"), "requirements[1].id"),
        ("requirements/1/title", json!(""), "requirements[1].title"),
        ("benefits/1/id", json!("partner-portal"), "benefits[1].id"),
        ("benefits/1/title", json!(""), "benefits[1].title"),
        ("benefits/6/value", json!(""), "benefits[6].value"),
    ];
    for (pointer, value, place) in in_level {
        let pointer = format!("/tracks/0/levels/2/{pointer}");
        assert_found(ZEXTRAS, &[(&pointer, value, &format!("tracks[0].levels[2].{place}"))]);
    }
}

#[test]
fn mistakes_of_predicates_are_found_in_their_place() {
    let certificates = |any_of: Value, persons: u32| json!({ "kind": "certificates", "any_of": any_of, "persons_at_least": persons });
    let revenue = |minor: i64, currency: &str| {
        let amount = json!({ "minor": minor, "currency": currency });
        json!({ "kind": "annual-revenue", "at_least": amount })
    };
    let cases = [
        (certificates(json!([]), 1), "any_of"),
        (certificates(json!(["C3", "C9"]), 1), "any_of[1]"),
        (certificates(json!(["C3", "C3"]), 1), "any_of[1]"),
        (certificates(json!(["C3"]), 0), "persons_at_least"),
        (json!({ "kind": "licences", "at_least": 0 }), "at_least"),
        (json!({ "kind": "servers", "at_least": 0 }), "at_least"),
        (json!({ "kind": "references", "at_least": 0 }), "at_least"),
        (revenue(0, "EUR"), "at_least.minor"),
        (revenue(1, "CHF"), "at_least.currency"),
        (json!({ "kind": "obligation", "obligation": "dancing" }), "obligation"),
        (json!({ "kind": "acknowledged", "document": "poem" }), "document"),
        (json!({ "kind": "judged", "question": "" }), "question"),
    ];
    for (predicate, place) in cases {
        let pointer = "/tracks/0/levels/1/requirements/2/predicate";
        let place = format!("tracks[0].levels[1].requirements[2].predicate.{place}");
        assert_found(ZEXTRAS, &[(pointer, predicate, &place)]);
    }
}

#[test]
fn mistakes_of_certificates_are_found_in_their_place() {
    let resource = "certificates.technical_resource";
    assert_found(
        ZEXTRAS,
        &[
            ("/certificates/catalogue/-", catalogue_entry("C1"), "certificates.catalogue[5].code"),
            ("/certificates/catalogue/0/name", json!(""), "certificates.catalogue[0].name"),
            (
                "/certificates/catalogue/4/valid_months",
                json!(0),
                "certificates.catalogue[4].valid_months",
            ),
            (
                "/certificates/catalogue/4/valid_months",
                json!(1_201),
                "certificates.catalogue[4].valid_months",
            ),
            ("/certificates/critical_days", json!(0), "certificates.critical_days"),
            ("/certificates/critical_days", json!(91), "certificates.critical_days"),
            ("/certificates/technical_resource/any_of", json!([]), &format!("{resource}.any_of")),
            (
                "/certificates/technical_resource/any_of/1",
                json!("C1"),
                &format!("{resource}.any_of[1]"),
            ),
            (
                "/certificates/technical_resource/any_of/1",
                json!("C0"),
                &format!("{resource}.any_of[1]"),
            ),
            (
                "/certificates/technical_resource/any_of/1",
                json!("sales"),
                &format!("{resource}.any_of[1]"),
            ),
            (
                "/certificates/technical_resource/restore_days",
                json!(0),
                &format!("{resource}.restore_days"),
            ),
        ],
    );
}

#[test]
fn mistakes_of_deals_are_found_in_their_place() {
    let level = |track: &str, level: &str| json!({ "track": track, "level": level });
    let twice = json!([level("partner", "gold"), level("partner", "gold")]);
    assert_found(
        ZEXTRAS,
        &[
            ("/deals/protection_days", json!(0), "deals.protection_days"),
            ("/deals/activity_interval_days", json!(0), "deals.activity_interval_days"),
            ("/deals/extension/days", json!(0), "deals.extension.days"),
            ("/deals/eligible_levels", twice, "deals.eligible_levels[1]"),
            ("/deals/eligible_levels/-", level("isv", "gold"), "deals.eligible_levels[0].track"),
            ("/deals/eligible_levels/-", level("partner", "tin"), "deals.eligible_levels[0].level"),
            ("/deals/restricted_countries/-", json!("KP"), "deals.restricted_countries[1]"),
            ("/deals/product_scopes", json!([]), "deals.product_scopes"),
            ("/deals/product_scopes/-", json!("carbonio-email"), "deals.product_scopes[3]"),
            ("/deals/rejection_reasons", json!([]), "deals.rejection_reasons"),
            (
                "/deals/rejection_reasons/1",
                json!("existing-customer"),
                "deals.rejection_reasons[1]",
            ),
            ("/deals/conflict_rules", json!([]), "deals.conflict_rules"),
            ("/deals/conflict_rules/1", json!("agreed-scope"), "deals.conflict_rules[1]"),
            ("/deals/extra_discount", json!("1.01"), "deals.extra_discount"),
            ("/deals/extra_discount", json!("-0.01"), "deals.extra_discount"),
        ],
    );
}

#[test]
fn days_of_extensions_matter_only_where_there_are_extensions() {
    let mut rules = altered(ZEXTRAS, "/deals/extension/days", json!(0));
    rules.deals.extension.count_max = 0;
    assert_eq!(check(&rules), []);
}

#[test]
fn mistakes_of_licences_orders_and_prices_are_found_in_their_place() {
    let prices = "price_lists[0].prices";
    assert_found(
        ZEXTRAS,
        &[
            ("/licences/models", json!([]), "licences.models"),
            ("/licences/models/1", json!("trial"), "licences.models[1]"),
            ("/orders/payment_methods", json!([]), "orders.payment_methods"),
            ("/orders/payment_methods/1", json!("pay-now"), "orders.payment_methods[1]"),
            ("/orders/term_months_min", json!(0), "orders.term_months_min"),
            ("/orders/term_months_min", json!(61), "orders.term_months_min"),
            ("/orders/term_months_max", json!(1_201), "orders.term_months_max"),
            ("/price_lists/0/prices", json!([]), prices),
            ("/price_lists/0/prices/1/sku", json!("email"), &format!("{prices}[1].sku")),
            ("/price_lists/0/prices/1/name", json!(""), &format!("{prices}[1].name")),
            (
                "/price_lists/0/prices/1/amount_minor",
                json!(0),
                &format!("{prices}[1].amount_minor"),
            ),
            (
                "/price_lists/0/prices/1/amount_minor",
                json!(-1),
                &format!("{prices}[1].amount_minor"),
            ),
            (
                "/price_lists/0/prices/1/quantity_min",
                json!(0),
                &format!("{prices}[1].quantity_min"),
            ),
            ("/price_lists/0/prices/6/requires", json!("basic"), &format!("{prices}[6].requires")),
            (
                "/price_lists/0/prices/6/requires",
                json!("team-pro"),
                &format!("{prices}[6].requires"),
            ),
        ],
    );
}

#[test]
fn a_second_list_in_one_currency_is_found_with_the_currency_left_without() {
    let rules = altered(ZEXTRAS, "/price_lists/1/currency", json!("EUR"));
    assert_eq!(places(&rules), ["price_lists", "price_lists[1].currency"]);
}

#[test]
fn a_list_in_a_currency_that_the_program_does_not_trade_in_is_found() {
    let rules = altered(ZEXTRAS, "/identity/currencies", json!(["EUR"]));
    assert_eq!(places(&rules), ["price_lists[1].currency"]);
}

#[test]
fn articles_that_require_each_other_in_a_circle_are_all_found() {
    let rules = altered(ZEXTRAS, "/price_lists/1/prices/5/requires", json!("team-pro"));
    let expected = ["price_lists[1].prices[5].requires", "price_lists[1].prices[6].requires"];
    assert_eq!(places(&rules), expected);
}

#[test]
fn mistakes_of_discounts_are_found_in_their_place() {
    let level = |level: &str| json!({ "track": "partner", "level": level, "rate": "0.1" });
    let volume = |at_least: u64| json!({ "measure": "servers", "at_least": at_least, "rate": "0" });
    assert_found(
        QUAZZAR,
        &[
            ("/discounts/levels/-", level("gold"), "discounts.levels[3]"),
            ("/discounts/levels/1", level("tin"), "discounts.levels[1].level"),
            ("/discounts/levels/1/track", json!("isv"), "discounts.levels[1].track"),
            ("/discounts/levels/1/rate", json!("0.51"), "discounts.levels[1].rate"),
            ("/discounts/levels/1/rate", json!("-0.15"), "discounts.levels[1].rate"),
            ("/discounts/volume/-", volume(50), "discounts.volume[3]"),
            ("/discounts/volume/-", volume(0), "discounts.volume[3].at_least"),
            ("/discounts/volume/0/rate", json!("-0.05"), "discounts.volume[0].rate"),
            ("/discounts/adjustment_max", json!("10"), "discounts.adjustment_max"),
            ("/discounts/total_max", json!("50"), "discounts.total_max"),
        ],
    );
}

#[test]
fn rates_that_add_up_to_more_than_all_need_a_limit() {
    let mut rules = altered(QUAZZAR, "/discounts/total_max", Value::Null);
    assert_eq!(check(&rules), []);
    rules.discounts.levels[2].rate = Rate("0.81".parse().unwrap());
    assert_eq!(places(&rules), ["discounts.total_max"]);
}

#[test]
fn mistakes_of_obligations_are_found_in_their_place() {
    let gold = json!({ "levels": [{ "track": "partner", "level": "gold" }], "months": 1 });
    let tin = json!({ "levels": [{ "track": "partner", "level": "tin" }], "months": 1 });
    assert_found(
        ZEXTRAS,
        &[
            ("/obligations/1/id", json!("marketing-report"), "obligations[1].id"),
            ("/obligations/1/title", json!(""), "obligations[1].title"),
            ("/obligations/1/cadence", json!([]), "obligations[1].cadence"),
            ("/obligations/1/cadence/0/months", json!(0), "obligations[1].cadence[0].months"),
            ("/obligations/1/cadence", json!([tin]), "obligations[1].cadence[0].levels[0].level"),
            ("/obligations/1/cadence", json!([gold, gold]), "obligations[1].cadence[1].levels[0]"),
            ("/obligations/1/cadence/-", gold, "obligations[1].cadence[0]"),
        ],
    );
}

#[test]
fn a_reference_to_nothing_says_what_is_known() {
    let rules = altered(ZEXTRAS, "/price_lists/0/prices/6/requires", json!("basic"));
    let message = check(&rules).remove(0).message;
    let known = "`email`, `workspace`, `activesync`, `mail-replica`, `mobile`, `pro`, `team-pro`";
    assert_eq!(message, format!("`basic` is no article of this list; known: {known}"));
}

#[test]
fn a_message_names_a_few_of_many_known_entries() {
    assert_eq!(known(1..=2), "known: `1`, `2`");
    assert!(known(1..=25).ends_with("`20` and 5 more"));
    assert_eq!(known(0..0), "there is none");
}

#[test]
fn every_mistake_is_found_at_once() {
    let mut rules = altered(ZEXTRAS, "/identity/name", json!(""));
    rules.deals.protection_days = 0;
    rules.orders.term_months_min = 0;
    let expected = ["identity.name", "deals.protection_days", "orders.term_months_min"];
    assert_eq!(places(&rules), expected);
}

/// Each alteration of that rulebook is one mistake, found exactly there.
#[track_caller]
fn assert_found(text: &str, cases: &[(&str, Value, &str)]) {
    for (pointer, value, place) in cases {
        let found = places(&altered(text, pointer, value.clone()));
        assert_eq!(found, [*place], "{pointer} = {value}");
    }
}

/// The rulebook with one value of its JSON replaced, added (a new name, or `-` at a list's end) or
/// taken out (null).
fn altered(text: &str, pointer: &str, value: Value) -> Rulebook {
    let mut document = serde_json::to_value(Rulebook::from_toml(text).unwrap()).unwrap();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Array(list) if name == "-" => list.push(value),
        Value::Array(list) => list[name.parse::<usize>().unwrap()] = value,
        Value::Object(fields) if value.is_null() => drop(fields.remove(name).unwrap()),
        Value::Object(fields) => drop(fields.insert(name.to_owned(), value)),
        other => panic!("{pointer} leads into {other}"),
    }
    serde_json::from_value(document).unwrap()
}

fn places(rules: &Rulebook) -> Vec<String> {
    check(rules).into_iter().map(|mistake| mistake.place).collect()
}

fn catalogue_entry(code: &str) -> Value {
    json!({ "code": code, "name": "Twin", "kind": "technical", "valid_months": 12 })
}
