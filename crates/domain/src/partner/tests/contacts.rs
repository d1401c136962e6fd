//! Adding, changing and removing contacts.

use super::*;

#[test]
fn a_contact_is_added() {
    let outcome = when(silver(), add(person(NEWCOMER, "Edsger")), &quazzar());
    let contact = contact(ContactRole::Billing, NEWCOMER, "Edsger");
    assert_eq!(outcome, Ok(vec![PartnerEvent::ContactAdded { contact }]));
}

#[test]
fn a_person_not_known_before_gets_an_id_from_the_command() {
    let input = PersonInput { person: None, ..person(NEWCOMER, "Edsger") };
    let expected = PersonId(quazzar().derived_id("person"));
    let contact = contact(ContactRole::Billing, expected, "Edsger");
    let outcome = when(silver(), add(input), &quazzar());
    assert_eq!(outcome, Ok(vec![PartnerEvent::ContactAdded { contact }]));
}

#[test]
fn a_person_is_a_contact_once() {
    let outcome = when(silver(), add(person(SELLER, "Grace")), &quazzar());
    assert_eq!(outcome, Err(PartnerError::ContactAlreadyThere { person: SELLER }));
}

#[test]
fn a_contacts_data_is_checked() {
    let nameless = || person(SELLER, " ");
    for command in [add(person(NEWCOMER, " ")), change(ContactRole::Sales, nameless())] {
        let outcome = when(silver(), command, &quazzar());
        assert!(matches!(
            outcome,
            Err(PartnerError::InvalidField { field, .. }) if field == "person.name"
        ));
    }
}

#[test]
fn a_known_contact_is_changed() {
    let command = change(ContactRole::Executive, person(TECHNICIAN, "Ada King"));
    let contact = contact(ContactRole::Executive, TECHNICIAN, "Ada King");
    let changed = PartnerEvent::ContactChanged { contact };
    assert_eq!(when(silver(), command, &quazzar()), Ok(vec![changed.clone()]));
    let state = given::<Partner>(and(silver(), [changed])).0;
    assert_eq!(state.contacts[&TECHNICIAN], ContactRole::Executive);
}

#[test]
fn a_change_names_its_person() {
    let input = PersonInput { person: None, ..person(SELLER, "Grace") };
    let outcome = when(silver(), change(ContactRole::Sales, input), &quazzar());
    assert!(matches!(
        outcome,
        Err(PartnerError::InvalidField { field, .. }) if field == "person.person"
    ));
}

#[test]
fn only_contacts_are_changed_or_removed() {
    for command in [change(ContactRole::Sales, person(NEWCOMER, "Edsger")), remove(NEWCOMER)] {
        let outcome = when(silver(), command, &quazzar());
        assert_eq!(outcome, Err(PartnerError::ContactNotFound { person: NEWCOMER }));
    }
}

#[test]
fn a_contact_that_nobody_requires_is_removed() {
    let outcome = when(silver(), remove(TECHNICIAN), &quazzar());
    let removed = PartnerEvent::ContactRemoved { person: TECHNICIAN };
    assert_eq!(outcome, Ok(vec![removed.clone()]));
    let state = given::<Partner>(and(silver(), [removed])).0;
    assert_eq!(state.contacts, [(SELLER, ContactRole::Sales)].into());
}

#[test]
fn a_required_role_is_never_left_vacant() {
    let missing = || vec![ContactRole::Sales];
    for command in [remove(SELLER), change(ContactRole::Billing, person(SELLER, "Grace"))] {
        let outcome = when(silver(), command.clone(), &quazzar());
        let refusal = PartnerError::RequiredContactMissing { missing: missing() };
        assert_eq!(outcome, Err(refusal));

        let second = contact(ContactRole::Sales, NEWCOMER, "Edsger");
        let past = and(silver(), [PartnerEvent::ContactAdded { contact: second }]);
        assert!(when(past, command, &quazzar()).is_ok());
    }
}

#[test]
fn a_required_contact_keeps_its_role_under_another_name() {
    let command = change(ContactRole::Sales, person(SELLER, "Grace Hopper"));
    let contact = contact(ContactRole::Sales, SELLER, "Grace Hopper");
    let outcome = when(silver(), command, &quazzar());
    assert_eq!(outcome, Ok(vec![PartnerEvent::ContactChanged { contact }]));
}

fn add(person: PersonInput) -> PartnerCommand {
    PartnerCommand::AddContact { role: ContactRole::Billing, person }
}

fn change(role: ContactRole, person: PersonInput) -> PartnerCommand {
    PartnerCommand::ChangeContact { role, person }
}

fn remove(person: PersonId) -> PartnerCommand {
    PartnerCommand::RemoveContact { person }
}
