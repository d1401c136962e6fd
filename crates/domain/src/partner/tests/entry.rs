//! Applying, registering, being added; what every newcomer must tell.

use super::*;
use crate::aggregate::Event as _;

#[test]
fn a_company_not_known_before_applies() {
    assert_eq!(when([], apply(), &zextras()), Ok(vec![applied()]));
}

#[test]
fn a_prospect_applies() {
    assert_eq!(when([mou_signed()], apply(), &zextras()), Ok(vec![applied()]));
}

#[test]
fn who_was_declined_or_stepped_back_may_apply_anew_and_is_evaluated_anew() {
    let declined = PartnerEvent::Declined { reason: why() };
    let withdrew = PartnerEvent::Withdrew { reason: why() };
    for end in [declined, withdrew] {
        let past = and(and(vec![applied()], all_evaluated(true)), [end]);
        assert_eq!(when(past.clone(), apply(), &zextras()), Ok(vec![applied()]));
        let outcome = when(and(past, [applied()]), PartnerCommand::Approve {}, &zextras());
        assert!(matches!(outcome, Err(PartnerError::EvaluationIncomplete { .. })));
    }
}

#[test]
fn registering_is_enough_and_gives_the_entry_level() {
    let entry_level =
        level_changed((track(), None, Some("silver")), LevelCause::Entry, "entry level");
    let outcome = when([], register(), &registration());
    let mode = EntryMode::Registration;
    assert_eq!(outcome, Ok(vec![registered(mode), entry_level.clone()]));

    let state = given::<Partner>([registered(mode), entry_level]).0;
    assert_eq!(state.status, PartnerStatus::Active);
    assert_eq!(state.tracks, [(track(), Some(level("silver")))].into());
}

#[test]
fn a_lowest_level_that_is_not_automatic_is_not_given_on_registering() {
    let context = varied(registration(), |rules| {
        rules.tracks[0].levels[0].decision = DecisionMode::Review;
    });
    assert_eq!(when([], register(), &context), Ok(vec![registered(EntryMode::Registration)]));
}

#[test]
fn an_administrator_adds_a_partner_with_its_level() {
    let expected =
        vec![registered(EntryMode::Administrator), level_set(None, "gold", "initial level")];
    assert_eq!(when([], add("gold"), &quazzar()), Ok(expected));
}

#[test]
fn a_partner_is_added_with_a_level_of_the_track() {
    let refusal = PartnerError::UnknownLevel { track: track(), level: level("diamond") };
    assert_eq!(when([], add("diamond"), &quazzar()), Err(refusal));
}

#[test]
fn adding_a_partner_does_not_go_around_a_review() {
    let context = varied(quazzar(), |rules| {
        rules.tracks[0].levels[1].decision = DecisionMode::Review;
    });
    let refusal = PartnerError::LevelNotSetByAdministrator {
        level: level("gold"),
        mode: "review".to_owned(),
    };
    assert_eq!(when([], add("gold"), &context), Err(refusal));
}

#[test]
fn there_is_one_way_in_per_program() {
    use EntryMode::{Administrator, Application, Registration};
    for (command, asked, context, offered) in [
        (apply(), Application, quazzar(), Administrator),
        (register(), Registration, zextras(), Application),
        (add("silver"), Administrator, registration(), Registration),
    ] {
        let refusal = PartnerError::EntryModeNotOffered { asked, offered };
        assert_eq!(when([], command, &context), Err(refusal));
    }
}

#[test]
fn a_newcomer_joins_a_track_that_exists_and_is_open() {
    for (mut command, context) in ways_in() {
        let closed = varied(context.clone(), |rules| rules.tracks[0].open = false);
        let refusal = PartnerError::TrackNotOpen { track: track() };
        assert_eq!(when([], command.clone(), &closed), Err(refusal));

        let elsewhere: TrackId = "isv".parse().unwrap();
        if let PartnerCommand::Apply { track, .. }
        | PartnerCommand::Register { track, .. }
        | PartnerCommand::Add { track, .. } = &mut command
        {
            *track = elsewhere.clone();
        }
        let refusal = PartnerError::UnknownTrack { track: elsewhere };
        assert_eq!(when([], command, &context), Err(refusal));
    }
}

#[test]
fn a_newcomer_names_every_required_contact() {
    for (mut command, context) in ways_in() {
        contacts_of(&mut command).retain(|contact| contact.role != ContactRole::Sales);
        let missing = vec![ContactRole::Sales];
        let refusal = PartnerError::RequiredContactMissing { missing };
        assert_eq!(when([], command, &context), Err(refusal));
    }
}

#[test]
fn a_newcomer_names_each_person_once() {
    for (mut command, context) in ways_in() {
        contacts_of(&mut command)[1].person.person = Some(TECHNICIAN);
        let refusal = PartnerError::ContactAlreadyThere { person: TECHNICIAN };
        assert_eq!(when([], command, &context), Err(refusal));
    }
}

#[test]
fn a_newcomers_unusable_contact_is_refused_by_its_place() {
    for (mut command, context) in ways_in() {
        contacts_of(&mut command)[1].person.email = "grace".to_owned();
        let outcome = when([], command, &context);
        assert!(matches!(
            outcome,
            Err(PartnerError::InvalidField { field, .. }) if field == "contacts[1].person.email"
        ));
    }
}

#[test]
fn a_newcomers_unusable_company_is_refused_by_its_field() {
    for (mut command, context) in ways_in() {
        if let PartnerCommand::Apply { company, .. }
        | PartnerCommand::Register { company, .. }
        | PartnerCommand::Add { company, .. } = &mut command
        {
            company.name = "...".to_owned();
        }
        let outcome = when([], command, &context);
        assert!(matches!(
            outcome,
            Err(PartnerError::InvalidField { field, .. }) if field == "company.name"
        ));
    }
}

#[test]
fn persons_not_known_before_get_ids_of_their_own_that_a_retry_repeats() {
    let mut command = apply();
    for contact in contacts_of(&mut command) {
        contact.person.person = None;
    }
    let outcome = when([], command.clone(), &zextras());
    assert_eq!(outcome, when([], command, &zextras()));
    let state = given::<Partner>(outcome.unwrap()).0;
    assert_eq!(state.contacts.len(), 2);
}

#[test]
fn contacts_are_the_only_personal_data() {
    let mut stored = stored_contacts();
    let expected = || stored.clone().into_iter().map(|contact| contact.person).collect();
    let found = |mut event: PartnerEvent| -> Vec<PersonalData> {
        event.personal_data().into_iter().map(|data| data.clone()).collect()
    };
    let all: Vec<PersonalData> = expected();
    assert_eq!(found(applied()), all);
    assert_eq!(found(registered(EntryMode::Registration)), all);
    let contact = stored.remove(0);
    let added = PartnerEvent::ContactAdded { contact: contact.clone() };
    let changed = PartnerEvent::ContactChanged { contact };
    assert_eq!([found(added), found(changed)], [&all[..1], &all[..1]]);
    assert_eq!(found(mou_signed()), []);
}

fn register() -> PartnerCommand {
    PartnerCommand::Register { company: company(), track: track(), contacts: contact_inputs() }
}

fn add(text: &str) -> PartnerCommand {
    let contacts = contact_inputs();
    PartnerCommand::Add { company: company(), track: track(), level: level(text), contacts }
}

/// Each way in, and a program that offers it.
fn ways_in() -> [(PartnerCommand, Context); 3] {
    [(apply(), zextras()), (register(), registration()), (add("silver"), quazzar())]
}

fn contacts_of(command: &mut PartnerCommand) -> &mut Vec<ContactInput> {
    match command {
        PartnerCommand::Apply { contacts, .. }
        | PartnerCommand::Register { contacts, .. }
        | PartnerCommand::Add { contacts, .. } => contacts,
        other => panic!("{other:?} names no contacts"),
    }
}
