//! A partner's contacts: named persons, one role each, none of the required roles ever vacant.

use std::collections::BTreeSet;

use super::decide::{Decision, invalid};
use super::{Contact, ContactInput, Partner, PartnerError, PartnerEvent};
use crate::certificate::{PersonInput, PersonProblem};
use crate::rulebook::ContactRole;
use crate::{Context, PersonId, PersonalData};

/// The contacts with which a partner begins: different persons, every required role among them.
pub(super) fn checked_contacts(
    inputs: Vec<ContactInput>,
    context: &Context,
) -> Result<Vec<Contact>, PartnerError> {
    let mut contacts = Vec::with_capacity(inputs.len());
    let mut persons = BTreeSet::new();
    for (index, ContactInput { role, person }) in inputs.into_iter().enumerate() {
        let new_person = PersonId(context.derived_id(&format!("person/{index}")));
        let person = checked(person, new_person, &format!("contacts[{index}].person"))?;
        if !persons.insert(person.person()) {
            return Err(PartnerError::ContactAlreadyThere { person: person.person() });
        }
        contacts.push(Contact { role, person });
    }
    let mut missing = context.rules.entry.required_contacts.clone();
    missing.retain(|required| !contacts.iter().any(|contact| contact.role == *required));
    if missing.is_empty() {
        Ok(contacts)
    } else {
        Err(PartnerError::RequiredContactMissing { missing })
    }
}

fn checked(
    input: PersonInput,
    new_person: PersonId,
    place: &str,
) -> Result<PersonalData, PartnerError> {
    input.into_personal_data(new_person).map_err(|PersonProblem { field, problem }| {
        PartnerError::InvalidField {
            field: format!("{place}.{field}"),
            problem: problem.to_owned(),
        }
    })
}

impl Partner {
    pub(super) fn add_contact(
        &self,
        role: ContactRole,
        person: PersonInput,
        context: &Context,
    ) -> Decision {
        let person = checked(person, PersonId(context.derived_id("person")), "person")?;
        if self.contacts.contains_key(&person.person()) {
            return Err(PartnerError::ContactAlreadyThere { person: person.person() });
        }
        Ok(vec![PartnerEvent::ContactAdded { contact: Contact { role, person } }])
    }

    pub(super) fn change_contact(
        &self,
        role: ContactRole,
        input: PersonInput,
        context: &Context,
    ) -> Decision {
        let Some(person) = input.person else {
            return Err(invalid("person.person", "it is missing; a change names a known contact"));
        };
        let before = self.contact(person)?;
        if role != before {
            self.check_not_needed(person, before, context)?;
        }
        let person = checked(input, person, "person")?;
        Ok(vec![PartnerEvent::ContactChanged { contact: Contact { role, person } }])
    }

    pub(super) fn remove_contact(&self, person: PersonId, context: &Context) -> Decision {
        let role = self.contact(person)?;
        self.check_not_needed(person, role, context)?;
        Ok(vec![PartnerEvent::ContactRemoved { person }])
    }

    fn contact(&self, person: PersonId) -> Result<ContactRole, PartnerError> {
        self.contacts.get(&person).copied().ok_or(PartnerError::ContactNotFound { person })
    }

    /// Refuses to take the role from the last person who has it, where the rulebook requires it.
    fn check_not_needed(
        &self,
        person: PersonId,
        role: ContactRole,
        context: &Context,
    ) -> Result<(), PartnerError> {
        let required = context.rules.entry.required_contacts.contains(&role);
        let mut others = self.contacts.iter().filter(|(other, _)| **other != person);
        if required && !others.any(|(_, held)| *held == role) {
            return Err(PartnerError::RequiredContactMissing { missing: vec![role] });
        }
        Ok(())
    }
}
