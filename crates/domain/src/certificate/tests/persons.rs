//! Persons in commands: checked, trimmed, known by an id or by their address.

use super::*;

#[test]
fn a_person_is_stored_without_spaces_around() {
    let input = PersonInput {
        person: None,
        name: " Ada Lovelace ".to_owned(),
        email: "\tada@example.org".to_owned(),
        phone: Some("+44 20 7946 0000 ".to_owned()),
    };
    let expected = PersonalData::Clear(PersonDetails {
        person: PERSON,
        name: "Ada Lovelace".to_owned(),
        email: "ada@example.org".to_owned(),
        phone: Some("+44 20 7946 0000".to_owned()),
    });
    assert_eq!(input.into_personal_data(PERSON), Ok(expected));
}

#[test]
fn a_known_person_keeps_its_id() {
    let known = PersonId(Uuid::from_u128(0xc2));
    let input = PersonInput { person: Some(known), ..holder() };
    assert_eq!(input.into_personal_data(PERSON).unwrap().person(), known);
}

#[test]
fn a_name_is_one_line_of_1_to_200_characters() {
    let named = |name: &str| PersonInput { name: name.to_owned(), ..holder() };
    assert!(problem_of(named(&"é".repeat(200))).is_none());
    for name in ["", "  ", "Ada\nLovelace", &"a".repeat(201)] {
        assert_eq!(problem_of(named(name)), Some("name"), "{name:?}");
    }
}

#[test]
fn an_email_address_has_one_at_sign_with_something_on_both_sides() {
    let mailed = |email: &str| PersonInput { email: email.to_owned(), ..holder() };
    assert!(problem_of(mailed("a@b")).is_none());
    let too_long = format!("{}@example.org", "a".repeat(243));
    for email in ["", "ada", "@b", "a@", "a@b@c", "a b@c", &too_long] {
        assert_eq!(problem_of(mailed(email)), Some("email"), "{email:?}");
    }
}

#[test]
fn a_phone_number_is_made_of_digits() {
    let called = |phone: &str| PersonInput { phone: Some(phone.to_owned()), ..holder() };
    assert!(problem_of(called("(030) 123-45.6/7")).is_none());
    for phone in ["", "+", "call me", &"1".repeat(33)] {
        assert_eq!(problem_of(called(phone)), Some("phone"), "{phone:?}");
    }
}

fn problem_of(input: PersonInput) -> Option<&'static str> {
    input.into_personal_data(PERSON).err().map(|problem| problem.field)
}
