//! A certificate's life, its expiry indicator, and the persons in commands.

mod persons;

use std::collections::BTreeMap;

use uuid::Uuid;

use super::*;
use crate::aggregate::Event as _;
use crate::aggregate::testing::{ZEXTRAS, context, given};
use crate::personal::PersonDetails;

const PARTNER: PartnerId = PartnerId(Uuid::from_u128(0xb1));
const PERSON: PersonId = PersonId(Uuid::from_u128(0xc1));

mod issuing {
    use super::*;

    #[test]
    fn a_certificate_is_valid_as_long_as_the_catalogue_says() {
        let expected = issued_until(valid_until_at_most());
        assert_eq!(given::<Certificate>([]).when(issue(), &today()), Ok(vec![expected]));
    }

    #[test]
    fn an_earlier_expiry_can_be_given() {
        let command = issue_until(day("2026-06-30"));
        let outcome = given::<Certificate>([]).when(command, &today());
        assert_eq!(outcome, Ok(vec![issued_until(day("2026-06-30"))]));
    }

    #[test]
    fn the_catalogues_validity_cannot_be_exceeded() {
        let expires_on_max = valid_until_at_most();
        let expires_on = expires_on_max.plus_days(1);
        let outcome = given::<Certificate>([]).when(issue_until(expires_on), &today());
        let refusal = CertificateError::ValidityTooLong { expires_on, expires_on_max };
        assert_eq!(outcome, Err(refusal));
    }

    #[test]
    fn expiry_comes_after_the_issue() {
        let from = day("2026-02-01");
        let outcome = given::<Certificate>([]).when(issue_until(from), &today());
        assert_eq!(outcome, Err(CertificateError::ExpiryNotAfterIssue { from, expires_on: from }));
    }

    #[test]
    fn nothing_is_issued_in_the_future() {
        let future = day("2026-03-02");
        let mut command = issue();
        if let CertificateCommand::Issue { issued_on, .. } = &mut command {
            *issued_on = future;
        }
        let outcome = given::<Certificate>([]).when(command, &today());
        let today = day("2026-03-01");
        assert_eq!(outcome, Err(CertificateError::CertificateDateInFuture { day: future, today }));
    }

    #[test]
    fn only_what_the_catalogue_has_is_issued() {
        let unknown: CertificationCode = "C9".parse().unwrap();
        let mut command = issue();
        if let CertificateCommand::Issue { certification, .. } = &mut command {
            *certification = unknown.clone();
        }
        let outcome = given::<Certificate>([]).when(command, &today());
        let refusal = CertificateError::UnknownCertification { certification: unknown };
        assert_eq!(outcome, Err(refusal));
    }

    #[test]
    fn a_certificate_is_issued_once() {
        for past in [vec![issued()], vec![issued(), revoked()], vec![issued(), expired()]] {
            let outcome = given::<Certificate>(past).when(issue(), &today());
            assert_eq!(outcome, Err(CertificateError::CertificateAlreadyIssued));
        }
    }

    #[test]
    fn an_unusable_holder_is_refused_by_field() {
        let mut command = issue();
        if let CertificateCommand::Issue { holder, .. } = &mut command {
            holder.email = "nobody".to_owned();
        }
        let outcome = given::<Certificate>([]).when(command, &today());
        assert!(matches!(
            outcome,
            Err(CertificateError::InvalidPerson { field, .. }) if field == "holder.email"
        ));
    }

    #[test]
    fn a_terminated_partner_gets_no_certificates_and_no_renewals() {
        let terminated = standing(PartnerStatus::Terminated);
        let (mut issuing, mut renewing) = (issue(), renew(None));
        if let CertificateCommand::Issue { standing, .. } = &mut issuing {
            *standing = terminated.clone();
        }
        if let CertificateCommand::Renew { standing, .. } = &mut renewing {
            *standing = terminated;
        }
        let refusal = Err(CertificateError::PartnerTerminated);
        assert_eq!(given::<Certificate>([]).when(issuing, &today()), refusal);
        assert_eq!(given::<Certificate>([issued()]).when(renewing, &today()), refusal);
    }

    #[test]
    fn a_certificate_of_eleven_years_ago_is_not_recorded_any_more() {
        let (long_ago, earliest) = (day("2016-02-29"), day("2016-03-01"));
        let mut command = issue();
        if let CertificateCommand::Issue { issued_on, .. } = &mut command {
            *issued_on = long_ago;
        }
        let outcome = given::<Certificate>([]).when(command, &today());
        let refusal = CertificateError::CertificateDateTooOld { day: long_ago, earliest };
        assert_eq!(outcome, Err(refusal));
    }

    #[test]
    fn the_same_address_at_the_same_partner_is_the_same_person() {
        let issued_to = |email: &str, at: u128| {
            let mut command = issue();
            if let CertificateCommand::Issue { holder, standing, .. } = &mut command {
                (holder.person, holder.email) = (None, email.to_owned());
                standing.partner = PartnerId(Uuid::from_u128(at));
            }
            // Another command each time.
            let command_id = crate::CommandId(Uuid::new_v4());
            let context = Context { command_id, ..today() };
            let events = given::<Certificate>([]).when(command, &context).unwrap();
            let [CertificateEvent::Issued { holder, .. }] = &events[..] else {
                panic!("{events:?}")
            };
            holder.person()
        };
        let ada = issued_to("ada@example.org", 1);
        assert_eq!(issued_to(" Ada@EXAMPLE.org ", 1), ada);
        assert_ne!(issued_to("eva@example.org", 1), ada);
        assert_ne!(issued_to("ada@example.org", 2), ada, "another partner's people are others");
    }

    #[test]
    fn a_holder_named_by_id_is_known_at_the_partner() {
        let issued_to = |person: PersonId, known: BTreeSet<PersonId>| {
            let mut command = issue();
            if let CertificateCommand::Issue { holder, persons, .. } = &mut command {
                holder.person = Some(person);
                *persons = known;
            }
            given::<Certificate>([]).when(command, &today())
        };
        let stranger = PersonId(Uuid::from_u128(0xc9));
        let refusal = CertificateError::HolderNotOfPartner { person: stranger };
        assert_eq!(issued_to(stranger, BTreeSet::from([PERSON])), Err(refusal));
        assert!(issued_to(stranger, BTreeSet::from([stranger])).is_ok());
        let by_email = holder().id_at(&today().rules.identity.program, PARTNER);
        assert!(issued_to(by_email, BTreeSet::new()).is_ok());
    }

    #[test]
    fn a_certificate_belongs_to_its_partner() {
        assert_eq!(Certificate::default().partner(), None);
        for past in [vec![issued()], vec![issued(), revoked()], vec![issued(), expired()]] {
            assert_eq!(given::<Certificate>(past).0.partner(), Some(PARTNER));
        }
    }

    #[test]
    fn only_the_issue_holds_a_persons_data() {
        assert_eq!(issued().personal_data(), vec![&mut clear_holder()]);
        for mut event in [renewed("2028-03-01"), revoked(), expired()] {
            assert_eq!(event.personal_data(), Vec::<&mut PersonalData>::new());
        }
    }
}

mod renewing {
    use super::*;

    #[test]
    fn a_renewal_runs_from_its_own_day() {
        let outcome = given::<Certificate>([issued()]).when(renew(None), &today());
        assert_eq!(outcome, Ok(vec![renewed("2028-03-01")]));
    }

    #[test]
    fn an_expired_certificate_becomes_valid_again() {
        let past = [issued_until(day("2026-02-20")), expired()];
        let state = given::<Certificate>(past).0;
        let events = state.decide(renew(None), &today()).unwrap();
        let state = events.iter().fold(state, Certificate::evolve);
        let facts = CertificateFacts { expires_on: day("2028-03-01"), ..facts() };
        assert_eq!(state, Certificate::Valid(facts));
    }

    #[test]
    fn a_renewal_prolongs() {
        let expires_on = valid_until_at_most();
        let outcome = given::<Certificate>([issued()]).when(renew(Some(expires_on)), &today());
        assert_eq!(outcome, Err(CertificateError::RenewalDoesNotProlong { expires_on }));
    }

    #[test]
    fn a_renewal_keeps_to_the_catalogues_validity() {
        let expires_on_max = day("2028-03-01");
        let expires_on = day("2028-03-02");
        let outcome = given::<Certificate>([issued()]).when(renew(Some(expires_on)), &today());
        let refusal = CertificateError::ValidityTooLong { expires_on, expires_on_max };
        assert_eq!(outcome, Err(refusal));
    }

    #[test]
    fn a_renewal_is_not_in_the_future() {
        let renewed_on = day("2026-03-02");
        let command = CertificateCommand::Renew {
            renewed_on,
            expires_on: None,
            standing: standing(PartnerStatus::Active),
        };
        let outcome = given::<Certificate>([issued()]).when(command, &today());
        let refusal =
            CertificateError::CertificateDateInFuture { day: renewed_on, today: day("2026-03-01") };
        assert_eq!(outcome, Err(refusal));
    }

    #[test]
    fn a_renewal_is_not_before_the_issue() {
        let mut command = renew(None);
        let (early, issued_on) = (day("2026-01-31"), day("2026-02-01"));
        if let CertificateCommand::Renew { renewed_on, .. } = &mut command {
            *renewed_on = early;
        }
        let outcome = given::<Certificate>([issued()]).when(command, &today());
        let refusal = CertificateError::RenewedBeforeIssue { renewed_on: early, issued_on };
        assert_eq!(outcome, Err(refusal));
    }

    #[test]
    fn a_revoked_certificate_is_never_renewed() {
        let outcome = given::<Certificate>([issued(), revoked()]).when(renew(None), &today());
        let revoked_on = day("2026-03-01");
        assert_eq!(outcome, Err(CertificateError::CertificateRevoked { revoked_on }));
    }
}

mod ending {
    use super::*;

    #[test]
    fn a_certificate_is_revoked_with_a_reason() {
        for past in [vec![issued()], vec![issued(), expired()]] {
            let outcome = given::<Certificate>(past).when(revoke("exam fraud"), &today());
            assert_eq!(outcome, Ok(vec![revoked()]));
        }
    }

    #[test]
    fn a_revocation_without_a_reason_is_refused() {
        let outcome = given::<Certificate>([issued()]).when(revoke("  "), &today());
        assert_eq!(outcome, Err(CertificateError::ReasonMissing));
    }

    #[test]
    fn a_reason_has_at_most_4000_characters() {
        let outcome = given::<Certificate>([issued()]).when(revoke(&"x".repeat(4_001)), &today());
        assert!(matches!(
            outcome,
            Err(CertificateError::InvalidField { field, .. }) if field == "reason"
        ));
    }

    #[test]
    fn revoking_again_changes_nothing() {
        let outcome =
            given::<Certificate>([issued(), revoked()]).when(revoke("exam fraud"), &today());
        assert_eq!(outcome, Ok(vec![]));
    }

    #[test]
    fn the_last_day_of_validity_is_included() {
        let expires_on = valid_until_at_most();
        let outcome = given::<Certificate>([issued()]).when(expire(), &on(expires_on));
        assert_eq!(outcome, Err(CertificateError::CertificateStillValid { expires_on }));
    }

    #[test]
    fn a_certificate_expires_on_the_day_after() {
        let next_day = on(valid_until_at_most().plus_days(1));
        let outcome = given::<Certificate>([issued()]).when(expire(), &next_day);
        assert_eq!(outcome, Ok(vec![expired()]));

        let again = given::<Certificate>([issued(), expired()]).when(expire(), &next_day);
        assert_eq!(again, Ok(vec![]));
    }

    #[test]
    fn a_revoked_certificate_does_not_expire() {
        let outcome = given::<Certificate>([issued(), revoked()]).when(expire(), &today());
        let revoked_on = day("2026-03-01");
        assert_eq!(outcome, Err(CertificateError::CertificateRevoked { revoked_on }));
    }

    #[test]
    fn without_an_issue_there_is_nothing_to_change() {
        for command in [renew(None), revoke("exam fraud"), expire()] {
            let outcome = given::<Certificate>([]).when(command, &today());
            assert_eq!(outcome, Err(CertificateError::CertificateNotFound));
        }
    }
}

#[test]
fn the_indicator_turns_at_the_rulebooks_days_and_counts_the_last_day_as_critical() {
    use ExpiryIndicator::{Active, Critical, Expired, ExpiringSoon};
    let context = today();
    let of = |days_left: i32| {
        let expires_on = match u32::try_from(days_left) {
            Ok(days) => context.today.plus_days(days),
            Err(_) => context.today.minus_days(days_left.unsigned_abs()),
        };
        ExpiryIndicator::of(expires_on, context.today, &context.rules.certificates)
    };
    assert_eq!(
        [91, 90, 30, 29, 0, -1].map(of),
        [Active, ExpiringSoon, ExpiringSoon, Critical, Critical, Expired]
    );
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn on(day: Day) -> Context {
    context(ZEXTRAS, &day.to_string(), "alice")
}

fn today() -> Context {
    on(day("2026-03-01"))
}

fn certification() -> CertificationCode {
    "C3".parse().unwrap()
}

/// The latest expiry that the catalogue allows for the sample.
fn valid_until_at_most() -> Day {
    let context = today();
    let entry = context.rules.certificates.certification(&certification()).unwrap();
    day("2026-02-01").plus_months(entry.valid_months)
}

fn holder() -> PersonInput {
    PersonInput {
        person: Some(PERSON),
        name: "Ada Lovelace".to_owned(),
        email: "ada@example.org".to_owned(),
        phone: None,
    }
}

fn clear_holder() -> PersonalData {
    holder().into_personal_data(PERSON).unwrap()
}

fn issue() -> CertificateCommand {
    CertificateCommand::Issue {
        standing: standing(PartnerStatus::Active),
        persons: BTreeSet::from([PERSON]),
        holder: holder(),
        certification: certification(),
        issued_on: day("2026-02-01"),
        expires_on: None,
    }
}

fn standing(status: PartnerStatus) -> PartnerStanding {
    PartnerStanding {
        partner: PARTNER,
        status,
        tracks: BTreeMap::new(),
        scope: BTreeSet::new(),
        withheld_benefits: BTreeSet::new(),
        discount_adjustment: None,
    }
}

fn issue_until(last_day: Day) -> CertificateCommand {
    let mut command = issue();
    if let CertificateCommand::Issue { expires_on, .. } = &mut command {
        *expires_on = Some(last_day);
    }
    command
}

fn renew(expires_on: Option<Day>) -> CertificateCommand {
    let (renewed_on, standing) = (day("2026-03-01"), standing(PartnerStatus::Active));
    CertificateCommand::Renew { renewed_on, expires_on, standing }
}

fn revoke(reason: &str) -> CertificateCommand {
    CertificateCommand::Revoke { reason: reason.to_owned() }
}

fn expire() -> CertificateCommand {
    CertificateCommand::Expire {}
}

fn issued_until(expires_on: Day) -> CertificateEvent {
    CertificateEvent::Issued {
        partner: PARTNER,
        holder: clear_holder(),
        certification: certification(),
        issued_on: day("2026-02-01"),
        expires_on,
    }
}

fn issued() -> CertificateEvent {
    issued_until(valid_until_at_most())
}

fn renewed(until: &str) -> CertificateEvent {
    CertificateEvent::Renewed { renewed_on: day("2026-03-01"), expires_on: day(until) }
}

fn revoked() -> CertificateEvent {
    CertificateEvent::Revoked { revoked_on: day("2026-03-01"), reason: "exam fraud".to_owned() }
}

fn expired() -> CertificateEvent {
    CertificateEvent::Expired { expires_on: valid_until_at_most() }
}

fn facts() -> CertificateFacts {
    CertificateFacts {
        partner: PARTNER,
        person: PERSON,
        certification: certification(),
        issued_on: day("2026-02-01"),
        expires_on: valid_until_at_most(),
    }
}
