//! The shipped rulebooks say what their documents say, and the schema says what the types say.

use super::*;
use crate::aggregate::testing::{QUAZZAR, ZEXTRAS};

const OPENNEBULA: &str = include_str!("../../../../ops/programs/opennebula.toml");
const OPEN_XCHANGE: &str = include_str!("../../../../ops/programs/open-xchange.toml");

#[test]
fn the_shipped_rulebooks_have_no_mistakes() {
    for text in [QUAZZAR, ZEXTRAS, OPENNEBULA, OPEN_XCHANGE] {
        assert_eq!(Rulebook::from_toml(text).map(|_| ()), Ok(()));
    }
}

#[test]
fn quazzars_levels_set_prices_and_are_set_by_an_administrator() {
    let rules = read(QUAZZAR);
    let rates: Vec<_> = rules.discounts.levels.iter().map(|entry| entry.rate.to_string()).collect();
    assert_eq!(rates, ["5 %", "15 %", "25 %"]);
    let from_50 = &rules.discounts.volume[0];
    assert_eq!((from_50.at_least, from_50.rate.to_string()), (50, "5 %".to_owned()));
    assert!(levels(&rules).iter().all(|level| level.decision == DecisionMode::Administrator));
}

#[test]
fn quazzars_benefits_are_those_of_its_matrix() {
    let rules = read(QUAZZAR);
    let gives = |benefit: &str| {
        let of = |level: &Level| level.benefits.iter().any(|entry| entry.id.as_str() == benefit);
        levels(&rules).iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(gives("partner-portal"), [true, true, true]);
    assert_eq!(gives("priority-support"), [false, true, true]);
    assert_eq!(gives("co-marketing"), [false, false, true]);
    assert_eq!(gives("account-manager"), [false, false, true]);
}

#[test]
fn zextras_levels_are_reviewed_and_set_no_price() {
    let rules = read(ZEXTRAS);
    assert!(levels(&rules).iter().all(|level| level.decision == DecisionMode::Review));
    assert_eq!(rules.discounts, Discounts::default());
    assert!(!rules.orders.direct_sales);
}

#[test]
fn zextras_seats_are_strictly_more_than_and_licences_at_least() {
    let rules = read(ZEXTRAS);
    let predicate = |level: &Level, id: &str| {
        let requirement = level.requirements.iter().find(|entry| entry.id.as_str() == id);
        requirement.unwrap().predicate.clone()
    };
    let seats: Vec<_> = levels(&rules).iter().map(|level| predicate(level, "seats")).collect();
    assert_eq!(seats, [1_000, 5_000, 10_000].map(|more_than| Predicate::Seats { more_than }));
    for level in levels(&rules) {
        assert_eq!(predicate(level, "licences"), Predicate::Licences { at_least: 3 });
    }
}

#[test]
fn a_higher_zextras_certification_includes_the_lower_ones_and_c1_gives_no_level() {
    let rules = read(ZEXTRAS);
    let certified = levels(&rules).iter().map(|level| match &level.requirements[0].predicate {
        Predicate::Certificates { any_of, .. } => any_of.iter().map(|code| code.as_str()).collect(),
        other => panic!("{other:?}"),
    });
    let certified: Vec<Vec<_>> = certified.collect();
    assert_eq!(certified, [vec!["C2", "C3", "C4"], vec!["C3", "C4"], vec!["C4"]]);
}

#[test]
fn opennebula_registers_deals_of_strategic_services_partners_only() {
    let rules = read(OPENNEBULA);
    let benefit = rules.deals.benefit.clone().unwrap();
    let lists = |level: &&Level| level.benefits.iter().any(|listed| listed.id == benefit);
    let of_track = |track: &Track| {
        let levels = track.levels.iter().filter(lists);
        levels.map(|level| format!("{}/{}", track.id, level.id)).collect::<Vec<_>>()
    };
    let eligible: Vec<_> = rules.tracks.iter().flat_map(of_track).collect();
    assert_eq!(eligible, ["solution-integrator/strategic", "solution-provider/strategic"]);
}

#[test]
fn open_xchange_makes_members_at_once_and_has_no_targets() {
    let rules = read(OPEN_XCHANGE);
    assert_eq!(rules.entry.mode, EntryMode::Registration);
    assert_eq!(levels(&rules)[0].decision, DecisionMode::Automatic);
    assert_eq!(rules.entry.program_fee, None);
}

/// `ACCORD_UPDATE_SCHEMAS=1 cargo test -p accord-domain schema` writes the file anew.
#[test]
fn the_schema_file_is_what_the_types_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/rulebook.schema.json");
    let generated = Rulebook::json_schema();
    if std::env::var_os("ACCORD_UPDATE_SCHEMAS").is_some() {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas")).unwrap();
        let text = serde_json::to_string_pretty(&generated).unwrap() + "\n";
        std::fs::write(path, text).unwrap();
    }
    // Compared as values: the order of fields is a matter of serde_json's features.
    let kept: schemars::Schema =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(kept == generated, "schemas/rulebook.schema.json is not up to date");
}

fn read(text: &str) -> Rulebook {
    Rulebook::from_toml(text).unwrap()
}

/// The levels of the first track.
fn levels(rules: &Rulebook) -> &[Level] {
    &rules.tracks[0].levels
}
