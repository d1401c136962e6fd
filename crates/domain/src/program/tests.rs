//! Every command and refusal of the program.

use super::*;
use crate::aggregate::testing::{QUAZZAR, ZEXTRAS, context, given};

/// Zextras asks for 30 days of notice.
const NOTICE_DAYS: u32 = 30;

#[test]
fn the_first_draft_founds_the_program_and_is_version_1() {
    let outcome = given::<Program>([]).when(draft(), &on("2026-01-05", "ada"));
    assert_eq!(outcome, Ok(vec![drafted(1)]));
    let program = drafted_program();
    assert_eq!(program.id, Some("zextras".parse().unwrap()));
}

#[test]
fn versions_count_on_even_after_a_withdrawn_one() {
    let history = [drafted(1), drafted(2), withdrawn(2)];
    let outcome = given::<Program>(history).when(draft(), &on("2026-01-05", "ada"));
    assert_eq!(outcome, Ok(vec![drafted(3)]));
}

#[test]
fn a_draft_with_mistakes_is_refused_with_all_of_them() {
    let mut document = rulebook(ZEXTRAS);
    document.identity.name.clear();
    document.deals.protection_days = 0;
    let command = ProgramCommand::DraftRulebook { document };
    let outcome = given::<Program>([]).when(command, &on("2026-01-05", "ada"));
    let mistakes = vec![
        "identity.name: is empty; people read this".to_owned(),
        "deals.protection_days: is 0; at least 1 is needed".to_owned(),
    ];
    assert_eq!(outcome, Err(ProgramError::RulebookInvalid { mistakes }));
}

#[test]
fn a_draft_of_another_program_is_refused() {
    let command = ProgramCommand::DraftRulebook { document: rulebook(QUAZZAR) };
    let outcome = given::<Program>([drafted(1)]).when(command, &on("2026-01-05", "ada"));
    let expected = ProgramError::RulebookOfAnotherProgram {
        program: "zextras".parse().unwrap(),
        document: "quazzar".parse().unwrap(),
    };
    assert_eq!(outcome, Err(expected));
}

#[test]
fn a_second_person_approves() {
    let outcome = given::<Program>([drafted(1)]).when(approve(1), &on("2026-01-05", "grace"));
    assert_eq!(outcome, Ok(vec![approved(1)]));
}

#[test]
fn the_drafter_cannot_approve() {
    let outcome = given::<Program>([drafted(1)]).when(approve(1), &on("2026-01-05", "ada"));
    assert_eq!(outcome, Err(ProgramError::ApproverIsDrafter));
}

#[test]
fn an_approved_version_is_approved_once() {
    let history = [drafted(1), approved(1)];
    let outcome = given::<Program>(history).when(approve(1), &on("2026-01-05", "grace"));
    assert_eq!(outcome, Ok(vec![]));
}

#[test]
fn a_withdrawn_version_can_be_neither_approved_nor_announced() {
    for command in [approve(1), announce(1, "2026-02-01")] {
        let history = [drafted(1), withdrawn(1)];
        let outcome = given::<Program>(history).when(command, &on("2026-01-05", "grace"));
        assert_eq!(outcome, Err(ProgramError::RulebookWithdrawn { version: 1 }));
    }
}

#[test]
fn a_version_that_was_never_drafted_is_not_found() {
    for command in [approve(2), announce(2, "2026-02-01"), withdraw(2)] {
        let outcome = given::<Program>([drafted(1)]).when(command, &on("2026-01-05", "grace"));
        assert_eq!(outcome, Err(ProgramError::NoSuchVersion { version: 2 }));
    }
}

#[test]
fn the_first_version_takes_effect_without_notice() {
    let history = [drafted(1), approved(1)];
    let outcome =
        given::<Program>(history).when(announce(1, "2026-01-05"), &on("2026-01-05", "ada"));
    assert_eq!(outcome, Ok(vec![announced(1, "2026-01-05", "2026-01-05")]));
}

#[test]
fn an_announcement_needs_the_approval() {
    let outcome =
        given::<Program>([drafted(1)]).when(announce(1, "2026-01-05"), &on("2026-01-05", "ada"));
    assert_eq!(outcome, Err(ProgramError::RulebookNotApproved { version: 1 }));
}

#[test]
fn no_version_takes_effect_in_the_past() {
    let history = [drafted(1), approved(1)];
    let outcome =
        given::<Program>(history).when(announce(1, "2026-01-04"), &on("2026-01-05", "ada"));
    let expected =
        ProgramError::Backdated { effective_on: day("2026-01-04"), today: day("2026-01-05") };
    assert_eq!(outcome, Err(expected));
}

#[test]
fn no_version_takes_effect_in_more_than_ten_years() {
    let program = given::<Program>([drafted(1), approved(1)]);
    let (effective_on, latest) = (day("2036-01-06"), day("2036-01-05"));
    let outcome = program.when(announce(1, "2036-01-06"), &on("2026-01-05", "ada"));
    assert_eq!(outcome, Err(ProgramError::EffectTooFar { effective_on, latest }));
}

#[test]
fn a_later_version_needs_the_notice_of_the_rulebook_in_force() {
    let in_force = || in_force_since("2026-01-05").into_iter().chain([drafted(2), approved(2)]);
    let today = on("2026-03-01", "ada");
    let outcome = given::<Program>(in_force()).when(announce(2, "2026-03-30"), &today);
    let expected = ProgramError::NoticeTooShort { days: NOTICE_DAYS, earliest: day("2026-03-31") };
    assert_eq!(outcome, Err(expected));
    let outcome = given::<Program>(in_force()).when(announce(2, "2026-03-31"), &today);
    assert_eq!(outcome, Ok(vec![announced(2, "2026-03-01", "2026-03-31")]));
}

#[test]
fn the_notice_of_a_version_not_yet_in_force_does_not_count() {
    let mut eager = rulebook(ZEXTRAS);
    eager.notice.days = 0;
    let second = ProgramEvent::RulebookDrafted {
        program: "zextras".parse().unwrap(),
        version: 2,
        document: eager,
        drafted_by: Subject("ada".into()),
    };
    let history = in_force_since("2026-01-05").into_iter().chain([
        second,
        approved(2),
        announced(2, "2026-02-01", "2026-03-10"),
        drafted(3),
        approved(3),
    ]);
    let program = given::<Program>(history);
    let before = on("2026-03-09", "ada");
    let outcome = program.0.decide(announce(3, "2026-03-11"), &before);
    let expected = ProgramError::NoticeTooShort { days: NOTICE_DAYS, earliest: day("2026-04-08") };
    assert_eq!(outcome, Err(expected));
    let outcome = program.when(announce(3, "2026-03-11"), &on("2026-03-10", "ada"));
    assert_eq!(outcome, Ok(vec![announced(3, "2026-03-10", "2026-03-11")]));
}

#[test]
fn versions_take_effect_in_the_order_of_their_announcement() {
    let history = in_force_since("2026-01-05").into_iter().chain([
        drafted(2),
        approved(2),
        announced(2, "2026-02-01", "2026-06-01"),
        drafted(3),
        approved(3),
    ]);
    let program = given::<Program>(history);
    let today = on("2026-03-01", "ada");
    for effective_on in ["2026-05-31", "2026-06-01"] {
        let outcome = program.0.decide(announce(3, effective_on), &today);
        let expected = ProgramError::NotAfterAnnounced { other: day("2026-06-01") };
        assert_eq!(outcome, Err(expected));
    }
    let outcome = program.when(announce(3, "2026-06-02"), &today);
    assert_eq!(outcome, Ok(vec![announced(3, "2026-03-01", "2026-06-02")]));
}

#[test]
fn a_withdrawn_announcement_stands_in_nobodys_way() {
    let history = in_force_since("2026-01-05").into_iter().chain([
        drafted(2),
        approved(2),
        announced(2, "2026-02-01", "2026-06-01"),
        withdrawn(2),
        drafted(3),
        approved(3),
    ]);
    let outcome =
        given::<Program>(history).when(announce(3, "2026-04-01"), &on("2026-03-01", "ada"));
    assert_eq!(outcome, Ok(vec![announced(3, "2026-03-01", "2026-04-01")]));
}

#[test]
fn the_same_announcement_holds_already_and_another_one_contradicts_it() {
    let program = given::<Program>(in_force_since("2026-01-05"));
    let today = on("2026-03-01", "ada");
    assert_eq!(program.0.decide(announce(1, "2026-01-05"), &today), Ok(vec![]));
    let expected = ProgramError::AlreadyAnnounced { version: 1, effective_on: day("2026-01-05") };
    assert_eq!(program.when(announce(1, "2026-06-01"), &today), Err(expected));
}

#[test]
fn a_draft_and_an_announced_version_can_be_withdrawn_until_the_day_before_effect() {
    let outcome = given::<Program>([drafted(1)]).when(withdraw(1), &on("2026-01-05", "ada"));
    assert_eq!(outcome, Ok(vec![withdrawn(1)]));
    let history = in_force_since("2026-01-05");
    let outcome = given::<Program>(history).when(withdraw(1), &on("2026-01-04", "ada"));
    assert_eq!(outcome, Ok(vec![withdrawn(1)]));
}

#[test]
fn a_version_in_effect_cannot_be_withdrawn() {
    let history = in_force_since("2026-01-05");
    let outcome = given::<Program>(history).when(withdraw(1), &on("2026-01-05", "ada"));
    let expected = ProgramError::AlreadyInEffect { version: 1, effective_on: day("2026-01-05") };
    assert_eq!(outcome, Err(expected));
}

#[test]
fn a_superseded_version_cannot_be_withdrawn() {
    let history = in_force_since("2026-01-05").into_iter().chain([
        drafted(2),
        approved(2),
        announced(2, "2026-02-01", "2026-06-01"),
    ]);
    let outcome = given::<Program>(history).when(withdraw(1), &on("2026-07-01", "ada"));
    let expected = ProgramError::AlreadyInEffect { version: 1, effective_on: day("2026-01-05") };
    assert_eq!(outcome, Err(expected));
}

#[test]
fn a_version_is_withdrawn_once() {
    let history = [drafted(1), withdrawn(1)];
    let outcome = given::<Program>(history).when(withdraw(1), &on("2026-01-05", "ada"));
    assert_eq!(outcome, Ok(vec![]));
}

#[test]
fn a_withdrawal_needs_a_reason() {
    let command = ProgramCommand::WithdrawRulebook { version: 1, reason: " ".into() };
    let outcome = given::<Program>([drafted(1)]).when(command, &on("2026-01-05", "ada"));
    assert_eq!(outcome, Err(ProgramError::ReasonMissing));
}

#[test]
fn a_reason_has_at_most_4000_characters() {
    let command = ProgramCommand::WithdrawRulebook { version: 1, reason: "x".repeat(4_001) };
    let outcome = drafted_program().decide(command, &on("2026-03-01", "ada"));
    assert!(matches!(outcome, Err(ProgramError::InvalidField { .. })), "{outcome:?}");
}

#[test]
fn the_rulebook_in_force_is_the_latest_one_effective_on_the_day() {
    let history = in_force_since("2026-01-05").into_iter().chain([
        drafted(2),
        approved(2),
        announced(2, "2026-02-01", "2026-06-01"),
        drafted(3),
    ]);
    let program = given::<Program>(history).0;
    let in_force = |on: &str| program.in_force(day(on)).map(|(version, _)| version);
    assert_eq!(in_force("2026-01-04"), None);
    assert_eq!(in_force("2026-01-05"), Some(1));
    assert_eq!(in_force("2026-05-31"), Some(1));
    assert_eq!(in_force("2026-06-01"), Some(2));
    assert_eq!(program.version(3).map(|version| &version.approved_by), Some(&None));
    assert_eq!(program.version(4), None);
}

#[test]
fn a_withdrawn_version_never_comes_into_force() {
    let history = in_force_since("2026-01-05").into_iter().chain([
        drafted(2),
        approved(2),
        announced(2, "2026-02-01", "2026-06-01"),
        withdrawn(2),
    ]);
    let program = given::<Program>(history).0;
    assert_eq!(program.in_force(day("2026-07-01")).map(|(version, _)| version), Some(1));
}

fn on(today: &str, subject: &str) -> Context {
    context(ZEXTRAS, today, subject)
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn rulebook(text: &str) -> Box<Rulebook> {
    Box::new(Rulebook::from_toml(text).unwrap())
}

fn drafted_program() -> Program {
    given::<Program>([drafted(1)]).0
}

fn draft() -> ProgramCommand {
    ProgramCommand::DraftRulebook { document: rulebook(ZEXTRAS) }
}

fn approve(version: u32) -> ProgramCommand {
    ProgramCommand::ApproveRulebook { version }
}

fn announce(version: u32, effective_on: &str) -> ProgramCommand {
    ProgramCommand::AnnounceRulebook { version, effective_on: day(effective_on) }
}

fn withdraw(version: u32) -> ProgramCommand {
    ProgramCommand::WithdrawRulebook { version, reason: "a wrong price".into() }
}

/// Drafted by Ada; Grace approves.
fn drafted(version: u32) -> ProgramEvent {
    ProgramEvent::RulebookDrafted {
        program: "zextras".parse().unwrap(),
        version,
        document: rulebook(ZEXTRAS),
        drafted_by: Subject("ada".into()),
    }
}

fn approved(version: u32) -> ProgramEvent {
    ProgramEvent::RulebookApproved { version, approved_by: Subject("grace".into()) }
}

fn announced(version: u32, announced_on: &str, effective_on: &str) -> ProgramEvent {
    ProgramEvent::RulebookAnnounced {
        version,
        announced_on: day(announced_on),
        effective_on: day(effective_on),
    }
}

fn withdrawn(version: u32) -> ProgramEvent {
    ProgramEvent::RulebookWithdrawn { version, reason: "a wrong price".into() }
}

/// Version 1, announced and effective on that day.
fn in_force_since(effective_on: &str) -> [ProgramEvent; 3] {
    [drafted(1), approved(1), announced(1, effective_on, effective_on)]
}
