//! The designated technical resource: named, lost, restored or not.

use super::*;

const CERTIFICATE: CertificateId = CertificateId(Uuid::from_u128(0xe1));
const ANOTHER: CertificateId = CertificateId(Uuid::from_u128(0xe2));

#[test]
fn a_person_with_a_valid_certificate_in_scope_is_designated() {
    assert_eq!(when(signed(), designate(|_| ()), &zextras()), Ok(vec![designated(CERTIFICATE)]));
}

#[test]
fn a_certificate_qualifies_on_its_last_day_and_not_after_its_end() {
    let last_day = designate(|fact| fact.expires_on = day("2026-03-01"));
    assert!(when(signed(), last_day, &zextras()).is_ok());
    let past_end = designate(|fact| fact.expires_on = day("2026-02-28"));
    let revoked = designate(|fact| fact.valid = false);
    for command in [past_end, revoked] {
        let outcome = when(signed(), command, &zextras());
        assert_eq!(outcome, Err(PartnerError::CertificateNotValid));
    }
}

#[test]
fn another_partners_certificate_does_not_qualify() {
    let command = designate(|fact| fact.partner = PartnerId(Uuid::from_u128(2)));
    let outcome = when(signed(), command, &zextras());
    assert_eq!(outcome, Err(PartnerError::CertificateOfAnotherPartner));
}

#[test]
fn a_certification_out_of_scope_does_not_qualify() {
    let certification: CertificationCode = "sales".parse().unwrap();
    let command = designate(|fact| fact.certification = certification.clone());
    let outcome = when(signed(), command, &zextras());
    assert_eq!(outcome, Err(PartnerError::CertificationNotInScope { certification }));
}

#[test]
fn nobody_is_designated_where_the_program_does_not_ask_for_it() {
    let outcome = when(silver(), designate(|_| ()), &quazzar());
    assert_eq!(outcome, Err(PartnerError::NoTechnicalResourceAsked));
}

#[test]
fn designating_the_same_certificate_again_changes_nothing() {
    let past = and(signed(), [designated(CERTIFICATE)]);
    assert_eq!(when(past.clone(), designate(|_| ()), &zextras()), Ok(vec![]));
    let another = designate(|fact| fact.certificate = ANOTHER);
    assert_eq!(when(past, another, &zextras()), Ok(vec![designated(ANOTHER)]));
}

#[test]
fn the_end_of_the_designated_certificate_opens_a_gap_with_a_deadline() {
    let past = and(signed(), [designated(CERTIFICATE)]);
    let outcome = when(past.clone(), open_gap(CERTIFICATE, &why()), &zextras());
    assert_eq!(outcome, Ok(vec![gap_opened()]));
    let silent = when(past, open_gap(CERTIFICATE, " "), &zextras());
    assert_eq!(silent, Err(PartnerError::ReasonMissing));
}

#[test]
fn the_end_of_another_certificate_opens_none() {
    for past in [signed(), and(signed(), [designated(ANOTHER)])] {
        assert_eq!(when(past, open_gap(CERTIFICATE, &why()), &zextras()), Ok(vec![]));
    }
}

#[test]
fn a_gap_is_opened_once() {
    assert_eq!(when(with_gap(), open_gap(CERTIFICATE, &why()), &zextras()), Ok(vec![]));
}

#[test]
fn who_is_no_member_has_no_gap() {
    let past = and(signed(), [designated(CERTIFICATE), terminated()]);
    assert_eq!(when(past, open_gap(CERTIFICATE, &why()), &zextras()), Ok(vec![]));
    assert_eq!(when([applied()], open_gap(CERTIFICATE, &why()), &zextras()), Ok(vec![]));
}

#[test]
fn a_program_that_no_longer_asks_for_a_resource_sees_no_gap() {
    let context = varied(zextras(), |rules| rules.certificates.technical_resource = None);
    let past = and(signed(), [designated(CERTIFICATE)]);
    assert_eq!(when(past, open_gap(CERTIFICATE, &why()), &context), Ok(vec![]));
}

#[test]
fn a_designation_closes_the_gap_also_with_the_certificate_renewed() {
    let outcome = when(with_gap(), designate(|_| ()), &zextras());
    assert_eq!(outcome, Ok(vec![designated(CERTIFICATE)]));
    let state = given::<Partner>(and(with_gap(), [designated(CERTIFICATE)])).0;
    assert_eq!((state.technical_gap_until, state.technical_resource), (None, Some(CERTIFICATE)));
}

#[test]
fn a_gap_lapses_after_its_deadline_and_ends_nothing() {
    let lapsed = PartnerEvent::TechnicalGapLapsed { restore_by: restore_by() };
    let outcome = when(with_gap(), lapse(), &on(restore_by().plus_days(1)));
    assert_eq!(outcome, Ok(vec![lapsed.clone()]));
    let state = given::<Partner>(and(with_gap(), [lapsed])).0;
    assert_eq!((state.status, state.technical_gap_until), (PartnerStatus::Active, None));
}

#[test]
fn a_gap_does_not_lapse_on_its_last_day() {
    let refusal = PartnerError::TechnicalGapNotDue { restore_by: restore_by() };
    assert_eq!(when(with_gap(), lapse(), &on(restore_by())), Err(refusal));
}

#[test]
fn without_a_gap_none_lapses() {
    let restored = and(with_gap(), [designated(CERTIFICATE)]);
    for past in [signed(), restored] {
        let outcome = when(past, lapse(), &on(restore_by().plus_days(1)));
        assert_eq!(outcome, Err(PartnerError::NoTechnicalGap));
    }
}

fn on(day: Day) -> Context {
    context(ZEXTRAS, &day.to_string(), "accord")
}

fn restore_by() -> Day {
    let context = zextras();
    let rules = context.rules.certificates.technical_resource.as_ref().unwrap();
    context.today.plus_days(rules.restore_days)
}

fn designate(vary: impl FnOnce(&mut CertificateFact)) -> PartnerCommand {
    let mut certificate = CertificateFact {
        certificate: CERTIFICATE,
        partner: PartnerId(zextras().aggregate_id),
        person: TECHNICIAN,
        certification: "C2".parse().unwrap(),
        expires_on: day("2027-03-01"),
        valid: true,
    };
    vary(&mut certificate);
    PartnerCommand::DesignateTechnicalResource { certificate }
}

fn designated(certificate: CertificateId) -> PartnerEvent {
    let certification = "C2".parse().unwrap();
    PartnerEvent::TechnicalResourceDesignated { certificate, person: TECHNICIAN, certification }
}

fn open_gap(certificate: CertificateId, reason: &str) -> PartnerCommand {
    PartnerCommand::OpenTechnicalGap { certificate, reason: reason.to_owned() }
}

fn gap_opened() -> PartnerEvent {
    let (certificate, restore_by) = (CERTIFICATE, restore_by());
    PartnerEvent::TechnicalGapOpened { certificate, reason: why(), restore_by }
}

fn with_gap() -> Vec<PartnerEvent> {
    and(signed(), [designated(CERTIFICATE), gap_opened()])
}

fn lapse() -> PartnerCommand {
    PartnerCommand::LapseTechnicalGap {}
}
