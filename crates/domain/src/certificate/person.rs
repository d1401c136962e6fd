//! Persons in commands: checked, trimmed and given an id before they become events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::personal::PersonDetails;
use crate::{PartnerId, PersonId, PersonalData, ProgramId};

/// The root of persons' ids that follow from their address; changing it would make everybody known
/// by now a second person.
const PERSON_NAMESPACE: Uuid = Uuid::from_u128(0x3b7e_91c4_2d60_4f1a_8e35_70ac_b9d2_164f);

const NAME_CHARS_MAX: usize = 200;
/// As long as an address can be in a mail's envelope.
const EMAIL_CHARS_MAX: usize = 254;
const PHONE_CHARS_MAX: usize = 32;

/// A person as a caller names them: by an id known from before, or anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonInput {
    /// A person that the program already knows; absent makes a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    #[schemars(length(min = 3, max = 254))]
    pub email: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub phone: Option<String>,
}

/// A field of a person that cannot be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonProblem {
    /// The field's name within the person.
    pub field: &'static str,
    pub problem: &'static str,
}

impl PersonInput {
    /// The id of whoever has this address at this partner: letters' case and spaces around do not
    /// matter.
    pub fn id_at(&self, program: &ProgramId, partner: PartnerId) -> PersonId {
        let email = self.email.trim().to_lowercase();
        let name = format!("{program}\n{partner}\n{email}");
        PersonId(Uuid::new_v5(&PERSON_NAMESPACE, name.as_bytes()))
    }

    /// The person's data in clear, without spaces around. `new_person` is the id of a person whom
    /// the caller does not know yet; of several in one command each needs its own.
    pub fn into_personal_data(self, new_person: PersonId) -> Result<PersonalData, PersonProblem> {
        let refuse = |field, problem| Err(PersonProblem { field, problem });
        let (name, email) = (self.name.trim(), self.email.trim());
        let phone = self.phone.as_deref().map(str::trim);
        if name.is_empty() {
            return refuse("name", "it is empty");
        }
        if name.chars().count() > NAME_CHARS_MAX {
            return refuse("name", "it is longer than 200 characters");
        }
        if name.chars().any(char::is_control) {
            return refuse("name", "it has control characters");
        }
        if email.chars().count() > EMAIL_CHARS_MAX {
            return refuse("email", "it is longer than 254 characters");
        }
        if !is_plausible_email(email) {
            return refuse("email", "it is not an address such as `name@example.org`");
        }
        if phone.is_some_and(|phone| !is_plausible_phone(phone)) {
            return refuse("phone", "it is not a number such as `+49 30 1234567`");
        }
        Ok(PersonalData::Clear(PersonDetails {
            person: self.person.unwrap_or(new_person),
            name: name.to_owned(),
            email: email.to_owned(),
            phone: phone.map(str::to_owned),
        }))
    }
}

/// Only a mail that arrives proves an address; this keeps out what cannot be one.
fn is_plausible_email(email: &str) -> bool {
    let unwanted = |c: char| c.is_whitespace() || c.is_control();
    let parts = email.split_once('@');
    let filled = |(name, host): (&str, &str)| !name.is_empty() && !host.is_empty();
    parts.is_some_and(filled) && email.matches('@').count() == 1 && !email.contains(unwanted)
}

fn is_plausible_phone(phone: &str) -> bool {
    let may_be_in_phone = |c: char| c.is_ascii_digit() || " +-()./".contains(c);
    phone.len() <= PHONE_CHARS_MAX
        && phone.contains(|c: char| c.is_ascii_digit())
        && phone.chars().all(may_be_in_phone)
}
