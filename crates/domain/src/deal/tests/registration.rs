//! Drafts, revisions and submissions.

use super::*;

#[test]
fn an_active_partner_drafts_a_deal() {
    let context = Context { rulebook_version: 4, ..at(TODAY) };
    let expected = DealEvent::Drafted {
        partner: PARTNER,
        customer: customer(),
        product_scope: scope(),
        value: value(),
        expected_close: day("2026-09-30"),
        rulebook_version: 4,
    };
    assert_eq!(given::<Deal>([]).when(draft(), &context), Ok(vec![expected]));
}

#[test]
fn only_an_active_or_restricted_partner_drafts_and_submits() {
    use PartnerStatus::*;
    let refused =
        [Unknown, Prospect, Applied, Approved, Declined, Withdrawn, Suspended, Terminated];
    for status in refused {
        let expected = Err(DealError::PartnerNotActive { status });
        assert_eq!(drafted_by(PartnerStanding { status, ..standing() }), expected);
        assert_eq!(submitted_by(PartnerStanding { status, ..standing() }), expected);
    }
    let restricted = PartnerStanding { status: Restricted, ..standing() };
    assert!(drafted_by(restricted.clone()).is_ok() && submitted_by(restricted).is_ok());
}

#[test]
fn a_partner_from_whom_deal_registration_is_withheld_neither_drafts_nor_submits() {
    let benefit: BenefitId = "deal-registration".parse().unwrap();
    let standing = PartnerStanding { withheld_benefits: BTreeSet::from([benefit]), ..standing() };
    assert_eq!(drafted_by(standing.clone()), Err(DealError::DealRegistrationWithheld));
    assert_eq!(submitted_by(standing), Err(DealError::DealRegistrationWithheld));
}

#[test]
fn withholding_another_benefit_does_not_matter() {
    let benefit: BenefitId = "leads".parse().unwrap();
    let standing = PartnerStanding { withheld_benefits: BTreeSet::from([benefit]), ..standing() };
    assert!(drafted_by(standing).is_ok());
}

#[test]
fn where_levels_are_named_only_they_register() {
    let eligible = LevelRefs(vec![("partner", "gold"), ("partner", "platinum")]);
    let outcome = |held: Option<&str>| {
        let tracks = BTreeMap::from([(track("partner"), held.map(level))]);
        let command = draft_by(PartnerStanding { tracks, ..standing() }, customer());
        given::<Deal>([]).when(command, &eligible.context())
    };
    assert!(outcome(Some("gold")).is_ok());
    assert_eq!(outcome(Some("silver")), Err(DealError::LevelMayNotRegister));
    assert_eq!(outcome(None), Err(DealError::LevelMayNotRegister));
}

#[test]
fn only_levels_that_list_the_benefit_register() {
    let context = at_with(TODAY, |rules| {
        rules.tracks[0].levels[0].benefits.retain(|it| it.id.as_str() != "deal-registration");
    });
    let outcome = |held: Option<&str>, context: &Context| {
        let tracks = BTreeMap::from([(track("partner"), held.map(level))]);
        let command = draft_by(PartnerStanding { tracks, ..standing() }, customer());
        given::<Deal>([]).when(command, context)
    };
    assert!(outcome(Some("gold"), &context).is_ok());
    let refusal = Err(DealError::LevelMayNotRegister);
    assert_eq!(outcome(Some("silver"), &context), refusal);
    assert_eq!(outcome(None, &context), refusal);
    // Where the rulebook makes it no benefit, every active partner may.
    let open = at_with(TODAY, |rules| rules.deals.benefit = None);
    assert!(outcome(None, &open).is_ok());
}

#[test]
fn eligible_levels_narrow_those_that_list_the_benefit() {
    let context = at_with(TODAY, |rules| {
        rules.tracks[0].levels[1].benefits.clear();
        let level = |text: &str| text.parse().unwrap();
        let eligible = ["gold", "platinum"]
            .map(|text| crate::rulebook::LevelRef { track: track("partner"), level: level(text) });
        rules.deals.eligible_levels = eligible.to_vec();
    });
    let outcome = |held: &str| {
        let tracks = BTreeMap::from([(track("partner"), Some(level(held)))]);
        let command = draft_by(PartnerStanding { tracks, ..standing() }, customer());
        given::<Deal>([]).when(command, &context)
    };
    assert!(outcome("platinum").is_ok());
    for held in ["silver", "gold"] {
        assert_eq!(outcome(held), Err(DealError::LevelMayNotRegister), "{held}");
    }
}

#[test]
fn a_partners_own_second_registration_is_refused_with_its_first() {
    let own = DealId(Uuid::from_u128(0xa9));
    let command = DealCommand::Submit { standing: standing(), own: Some(own) };
    let outcome = given::<Deal>([drafted()]).when(command, &at(TODAY));
    assert_eq!(outcome, Err(DealError::RegisteredAlready { deal: own }));
}

#[test]
fn a_deal_is_expected_to_close_within_ten_years() {
    let latest = day("2036-03-01");
    let closing_on = |expected_close: Day| {
        let (customer, product_scope) = (customer(), scope());
        let command =
            DealCommand::Revise { customer, product_scope, value: value(), expected_close };
        given::<Deal>([drafted()]).when(command, &at(TODAY))
    };
    assert!(closing_on(latest).is_ok());
    let expected_close = day("2036-03-02");
    assert_eq!(closing_on(expected_close), Err(DealError::CloseTooFar { expected_close, latest }));
}

#[test]
fn an_eligible_level_counts_on_its_own_track_only() {
    let eligible = LevelRefs(vec![("reseller", "gold")]);
    let outcome = given::<Deal>([drafted()]).when(submit(), &eligible.context());
    assert_eq!(outcome, Err(DealError::LevelMayNotRegister));
}

#[test]
fn no_deal_is_drafted_revised_or_submitted_in_a_restricted_country() {
    let country: Country = "IT".parse().unwrap();
    let context = at_with(TODAY, |rules| rules.deals.restricted_countries = vec![country]);
    let expected = Err(DealError::RestrictedCountry { country });
    assert_eq!(given::<Deal>([]).when(draft(), &context), expected);
    assert_eq!(given::<Deal>([drafted()]).when(revise(), &context), expected);
    assert_eq!(given::<Deal>([drafted()]).when(submit(), &context), expected);
}

#[test]
fn a_deal_lies_inside_the_partners_agreed_scope() {
    let scoped = |countries: &[&str]| {
        let scope = countries.iter().map(|country| country.parse().unwrap()).collect();
        PartnerStanding { scope, ..standing() }
    };
    let expected = Err(DealError::OutsideAgreedScope { country: customer().country });
    assert_eq!(drafted_by(scoped(&["DE", "AT"])), expected);
    assert_eq!(submitted_by(scoped(&["DE", "AT"])), expected);
    assert!(drafted_by(scoped(&["DE", "IT"])).is_ok());
}

#[test]
fn a_deal_is_about_a_product_scope_of_the_program() {
    let unknown: ProductScope = "spaceships".parse().unwrap();
    let command = DealCommand::Draft {
        customer: customer(),
        product_scope: unknown.clone(),
        value: value(),
        expected_close: day("2026-09-30"),
        standing: standing(),
    };
    let expected = Err(DealError::UnknownProductScope { product_scope: unknown });
    assert_eq!(given::<Deal>([]).when(command, &at(TODAY)), expected);
}

#[test]
fn a_customer_that_cannot_be_right_is_refused_by_field() {
    let customer = Company { domain: Some("no domain".into()), ..customer() };
    let outcome = given::<Deal>([]).when(draft_by(standing(), customer), &at(TODAY));
    assert_eq!(invalid_field(outcome), "customer.domain");
}

#[test]
fn a_value_is_not_negative_and_in_a_currency_of_the_program() {
    for value in [Money::new(-1, crate::Currency::EUR), Money::new(1, crate::Currency::JPY)] {
        let command = DealCommand::Draft {
            customer: customer(),
            product_scope: scope(),
            value,
            expected_close: day("2026-09-30"),
            standing: standing(),
        };
        let outcome = given::<Deal>([]).when(command, &at(TODAY));
        assert_eq!(invalid_field(outcome), "value");
    }
}

#[test]
fn a_deal_may_close_today_but_not_yesterday() {
    let closing_on = |expected_close: Day| {
        let (customer, product_scope) = (customer(), scope());
        let command =
            DealCommand::Revise { customer, product_scope, value: value(), expected_close };
        given::<Deal>([drafted()]).when(command, &at(TODAY))
    };
    assert!(closing_on(day(TODAY)).is_ok());
    let (expected_close, today) = (day("2026-02-28"), day(TODAY));
    assert_eq!(closing_on(expected_close), Err(DealError::CloseInPast { expected_close, today }));
}

#[test]
fn a_draft_is_revised_before_its_submission() {
    let events = given::<Deal>([drafted()]).when(revise(), &at(TODAY)).unwrap();
    let DealCommand::Revise { customer, product_scope, value, expected_close } = revise() else {
        unreachable!()
    };
    let expected = DealEvent::Revised { customer, product_scope, value, expected_close };
    assert_eq!(events, [expected]);
}

#[test]
fn a_submission_names_the_keys_of_the_revised_customer_and_who_submitted() {
    let DealCommand::Revise { customer, product_scope, value, expected_close } = revise() else {
        unreachable!()
    };
    let keys = customer.opportunity_keys(&at(TODAY).rules.identity.program, &product_scope);
    let revised = DealEvent::Revised { customer, product_scope, value, expected_close };
    let outcome = given::<Deal>([drafted(), revised]).when(submit(), &at("2026-03-02"));
    let expected = DealEvent::Submitted {
        submitted_on: day("2026-03-02"),
        submitted_by: Subject("alice".into()),
        opportunities: keys,
    };
    assert_eq!(outcome, Ok(vec![expected]));
}

fn drafted_by(standing: PartnerStanding) -> Result<Vec<DealEvent>, DealError> {
    given::<Deal>([]).when(draft_by(standing, customer()), &at(TODAY))
}

fn submitted_by(standing: PartnerStanding) -> Result<Vec<DealEvent>, DealError> {
    given::<Deal>([drafted()]).when(DealCommand::Submit { standing, own: None }, &at(TODAY))
}

fn invalid_field(outcome: Result<Vec<DealEvent>, DealError>) -> String {
    match outcome {
        Err(DealError::InvalidField { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

/// Levels that may register.
struct LevelRefs(Vec<(&'static str, &'static str)>);

impl LevelRefs {
    fn context(&self) -> Context {
        let levels = self.0.iter().map(|(track_id, level_id)| crate::rulebook::LevelRef {
            track: track(track_id),
            level: level(level_id),
        });
        let levels = levels.collect();
        at_with(TODAY, |rules| rules.deals.eligible_levels = levels)
    }
}
