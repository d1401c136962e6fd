//! A partner that joins and makes itself known; a certificate of one of its people.

use accord_domain::certificate::{Certificate, CertificateCommand, PersonInput};
use accord_domain::customer::Company;
use accord_domain::partner::{ContactInput, Partner, PartnerCommand, PartnerStanding};
use accord_domain::rulebook::ContactRole;
use accord_domain::{PartnerId, PersonId};

use super::Story;
use super::stream::{Append, Stream};
use super::world::{Cause, World};
use crate::bodies;
use crate::random::Random;

/// Steps between a certificate's issue and its renewal.
const STEPS_TO_RENEWAL: u64 = 30;

pub(crate) struct PartnerStory {
    number: u64,
    partner: Stream<Partner>,
    step: u64,
}

impl PartnerStory {
    pub(crate) fn new(world: &mut World, number: u64) -> Self {
        Self { number, partner: Stream::new(world.new_id()), step: 0 }
    }

    fn add(&mut self, world: &mut World) -> anyhow::Result<Vec<Append>> {
        let mut random = Random::new(self.number);
        let name = bodies::partner_name(&mut random, self.number);
        let company = Company {
            domain: Some(format!("partner-{}.example", self.number)),
            country: bodies::country(random.next()).parse()?,
            tax_id: None,
            name,
        };
        let person = person(world);
        let command = PartnerCommand::Add {
            company,
            track: "partner".parse()?,
            level: bodies::level(random.next()).parse()?,
            contacts: vec![ContactInput { role: ContactRole::Sales, person }],
        };
        let added = world.decide(&mut self.partner, ("add", command), Cause::Staff)?;
        let standing = self.partner.state.standing(PartnerId(self.partner.id));
        world.partners.push(standing);
        Ok(vec![added.append])
    }
}

impl Story for PartnerStory {
    fn advance(&mut self, world: &mut World) -> anyhow::Result<Option<Vec<Append>>> {
        self.step += 1;
        match self.step {
            1 => self.add(world).map(Some),
            2 => {
                let command = PartnerCommand::RecordReference {
                    customer: format!("Customer {}", self.number),
                    statement: "They run our servers, and we would do it again.".to_owned(),
                };
                let command = ("record-reference", command);
                Ok(Some(vec![world.decide(&mut self.partner, command, Cause::Staff)?.append]))
            }
            _ => Ok(None),
        }
    }
}

pub(crate) struct CertificateStory {
    partner: PartnerStanding,
    number: u64,
    certificate: Stream<Certificate>,
    step: u64,
}

impl CertificateStory {
    pub(crate) fn new(world: &mut World) -> Self {
        Self {
            partner: world.partner(),
            number: world.count(),
            certificate: Stream::new(world.new_id()),
            step: 0,
        }
    }

    fn command(
        &self,
        world: &mut World,
    ) -> anyhow::Result<Option<(&'static str, CertificateCommand)>> {
        let (today, standing) = (world.today(), self.partner.clone());
        Ok(match self.step {
            1 => {
                let holder = person(world);
                let issue = CertificateCommand::Issue {
                    standing,
                    persons: holder.person.into_iter().collect(),
                    holder,
                    certification: bodies::certification(self.number).parse()?,
                    issued_on: today,
                    expires_on: None,
                };
                Some(("issue", issue))
            }
            STEPS_TO_RENEWAL => {
                let (renewed_on, expires_on) = (today, None);
                Some(("renew", CertificateCommand::Renew { renewed_on, expires_on, standing }))
            }
            _ => None,
        })
    }
}

impl Story for CertificateStory {
    fn advance(&mut self, world: &mut World) -> anyhow::Result<Option<Vec<Append>>> {
        self.step += 1;
        if self.step > STEPS_TO_RENEWAL {
            return Ok(None);
        }
        let Some(command) = self.command(world)? else { return Ok(Some(Vec::new())) };
        Ok(Some(vec![world.decide(&mut self.certificate, command, Cause::Staff)?.append]))
    }
}

fn person(world: &mut World) -> PersonInput {
    let person = PersonId(world.new_id());
    PersonInput {
        person: Some(person),
        name: "Ada Example".to_owned(),
        email: "ada@partner.example".to_owned(),
        phone: None,
    }
}
