//! Activity, extensions, and the ends of a protection.

use super::*;

#[test]
fn an_activity_moves_the_next_due_day() {
    let context = at("2026-03-20");
    let outcome = given::<Deal>(protected()).when(activity("2026-03-18"), &context);
    let activity_due = day("2026-03-18").plus_days(context.rules.deals.activity_interval_days);
    let (activity, on) = ("Visit".to_owned(), day("2026-03-18"));
    assert_eq!(outcome, Ok(vec![DealEvent::ActivityRecorded { activity, on, activity_due }]));
}

#[test]
fn an_older_activity_recorded_late_does_not_bring_the_due_day_forward() {
    let events = [protected(), vec![visited("2026-03-25", "2026-04-24")]].concat();
    let outcome = given::<Deal>(events.clone()).when(activity("2026-03-10"), &at("2026-03-26"));
    let expected = visited("2026-03-10", "2026-04-24");
    assert_eq!(outcome, Ok(vec![expected.clone()]));
    let case = given::<Deal>([events, vec![expected]].concat()).0.case.unwrap();
    assert_eq!(case.last_activity_on, Some(day("2026-03-25")));
}

#[test]
fn an_activity_counts_while_the_deal_is_in_review() {
    let outcome = given::<Deal>(in_review()).when(activity(TODAY), &at(TODAY)).unwrap();
    assert!(matches!(outcome.as_slice(), [DealEvent::ActivityRecorded { .. }]), "{outcome:?}");
}

#[test]
fn an_activity_is_not_in_the_future() {
    let (on, today) = (day("2026-03-02"), day(TODAY));
    let outcome = given::<Deal>(protected()).when(activity("2026-03-02"), &at(TODAY));
    assert_eq!(outcome, Err(DealError::ActivityInFuture { on, today }));
}

#[test]
fn an_activity_says_what_happened() {
    let (activity, on) = (" ".to_owned(), day(TODAY));
    let command = DealCommand::RecordActivity { activity, on, standing: standing() };
    let outcome = given::<Deal>(protected()).when(command, &at(TODAY)).unwrap_err();
    assert!(matches!(outcome, DealError::InvalidField { field, .. } if field == "activity"));
}

#[test]
fn an_activity_is_in_time_on_its_due_day_and_too_late_after_it() {
    let on = |today| given::<Deal>(protected()).when(activity(today), &at(today));
    assert!(on("2026-03-31").is_ok());
    let ended_on = day("2026-03-31");
    assert_eq!(on("2026-04-01"), Err(DealError::ProtectionEnded { ended_on }));
}

#[test]
fn a_partner_that_is_not_active_pursues_no_deals() {
    use PartnerStatus::*;
    for status in [Suspended, Terminated] {
        let standing = || PartnerStanding { status, ..standing() };
        let (activity, on) = ("Visit".to_owned(), day(TODAY));
        let asked = DealEvent::InformationRequested { question: "Who decides?".to_owned() };
        for (past, command) in [
            (protected(), DealCommand::RecordActivity { activity, on, standing: standing() }),
            (active(), DealCommand::Extend { reason: "as agreed".into(), standing: standing() }),
            (
                [in_review(), vec![asked]].concat(),
                DealCommand::ProvideInformation { answer: "IT".into(), standing: standing() },
            ),
        ] {
            let outcome = given::<Deal>(past).when(command, &at("2026-03-20"));
            assert_eq!(outcome, Err(DealError::PartnerNotActive { status }));
        }
    }
}

#[test]
fn days_that_cannot_be_right_are_refused() {
    let (on, earliest) = (day("2025-03-18"), day("2025-03-19"));
    let outcome = given::<Deal>(protected()).when(activity("2025-03-18"), &at("2026-03-20"));
    assert_eq!(outcome, Err(DealError::ActivityTooOld { on, earliest }));
    let (closed_on, protected_from) = (day("2026-02-28"), day(TODAY));
    let outcome = given::<Deal>(protected()).when(won("2026-02-28"), &at("2026-03-20"));
    assert_eq!(outcome, Err(DealError::ClosedBeforeProtected { closed_on, protected_from }));
}

#[test]
fn a_deals_discount_is_for_one_order_until_that_one_is_cancelled() {
    let other = OrderId(Uuid::from_u128(0xe2));
    let context = at(TODAY);
    let when = |past: &[DealEvent], command| given::<Deal>(past.to_vec()).when(command, &context);
    let reserved = DealEvent::Reserved { order: ORDER };
    let mut past = protected();
    assert_eq!(when(&past, DealCommand::Reserve { order: ORDER }), Ok(vec![reserved.clone()]));
    past.push(reserved);
    assert_eq!(when(&past, DealCommand::Reserve { order: ORDER }), Ok(vec![]));
    let refusal = DealError::DealReservedAlready { order: ORDER };
    assert_eq!(when(&past, DealCommand::Reserve { order: other }), Err(refusal));
    assert_eq!(when(&past, DealCommand::ReleaseReservation { order: other }), Ok(vec![]));
    let released = DealEvent::ReservationReleased { order: ORDER };
    let release = DealCommand::ReleaseReservation { order: ORDER };
    assert_eq!(when(&past, release), Ok(vec![released.clone()]));
    past.push(released);
    assert!(when(&past, DealCommand::Reserve { order: other }).is_ok());
}

#[test]
fn an_extension_adds_the_rulebooks_days_to_the_old_end() {
    let context = at("2026-03-20");
    let outcome = given::<Deal>(active()).when(extend(), &context);
    let until = day("2026-05-30").plus_days(context.rules.deals.extension.days);
    assert_eq!(outcome, Ok(vec![extended(1, "2026-03-20", until)]));
}

#[test]
fn an_extension_needs_an_activity_after_the_protections_first_day() {
    let since = day(TODAY);
    let refusal = Err(DealError::NoActivitySinceExtension { since });
    assert_eq!(given::<Deal>(protected()).when(extend(), &at("2026-03-20")), refusal);

    let on_the_first_day = [protected(), vec![visited(TODAY, "2026-03-31")]].concat();
    assert_eq!(given::<Deal>(on_the_first_day).when(extend(), &at("2026-03-20")), refusal);
}

#[test]
fn a_second_extension_needs_an_activity_since_the_first() {
    let first = extended(1, "2026-03-20", day("2026-07-29"));
    let mut events = [active(), vec![first]].concat();
    let since = day("2026-03-20");
    let refusal = Err(DealError::NoActivitySinceExtension { since });
    assert_eq!(given::<Deal>(events.clone()).when(extend(), &at("2026-04-02")), refusal);

    events.push(visited("2026-04-01", "2026-05-01"));
    let context = at("2026-04-02");
    let until = day("2026-07-29").plus_days(context.rules.deals.extension.days);
    let outcome = given::<Deal>(events).when(extend(), &context);
    assert_eq!(outcome, Ok(vec![extended(2, "2026-04-02", until)]));
}

#[test]
fn extensions_are_capped_by_the_rulebook() {
    let context = at_with("2026-03-20", |rules| rules.deals.extension.count_max = 1);
    let events = [active(), vec![extended(1, "2026-03-15", day("2026-07-29"))]].concat();
    let refusal = Err(DealError::ExtensionsUsedUp { count_max: 1 });
    assert_eq!(given::<Deal>(events).when(extend(), &context), refusal);
}

#[test]
fn a_protection_that_is_over_is_not_extended() {
    let outcome = given::<Deal>(active()).when(extend(), &at("2026-04-18"));
    let ended_on = day("2026-04-17");
    assert_eq!(outcome, Err(DealError::ProtectionEnded { ended_on }));
}

#[test]
fn an_extension_needs_a_reason() {
    let command = DealCommand::Extend { reason: " ".into(), standing: standing() };
    let outcome = given::<Deal>(active()).when(command, &at("2026-03-20"));
    assert_eq!(outcome, Err(DealError::ReasonMissing));
}

#[test]
fn a_deal_is_won_with_its_day_and_value() {
    let outcome = given::<Deal>(active()).when(won("2026-03-19"), &at("2026-03-20"));
    let expected = DealEvent::Won { closed_on: day("2026-03-19"), value: value() };
    assert_eq!(outcome, Ok(vec![expected]));
}

#[test]
fn a_deal_is_not_won_in_the_future_nor_after_its_protection() {
    let outcome = given::<Deal>(protected()).when(won("2026-03-02"), &at(TODAY));
    let (on, today) = (day("2026-03-02"), day(TODAY));
    assert_eq!(outcome, Err(DealError::ActivityInFuture { on, today }));

    let won_on = |closed_on| given::<Deal>(protected()).when(won(closed_on), &at("2026-04-10"));
    let ended_on = day("2026-03-31");
    assert_eq!(won_on("2026-04-01"), Err(DealError::ProtectionEnded { ended_on }));
    assert!(won_on("2026-03-31").is_ok());
}

#[test]
fn a_won_deals_value_is_not_negative() {
    let value = Money::new(-1, crate::Currency::EUR);
    let command = DealCommand::MarkWon { closed_on: day(TODAY), value };
    let outcome = given::<Deal>(protected()).when(command, &at(TODAY)).unwrap_err();
    assert!(matches!(outcome, DealError::InvalidField { field, .. } if field == "value"));
}

#[test]
fn losing_and_revoking_need_a_reason_and_releasing_a_statement() {
    let on_protected = |command| given::<Deal>(protected()).when(command, &at(TODAY));
    let blank = String::new;
    let lost = on_protected(DealCommand::MarkLost { reason: blank() });
    assert_eq!(lost, Err(DealError::ReasonMissing));
    let revoked = on_protected(DealCommand::Revoke { reason: blank() });
    assert_eq!(revoked, Err(DealError::ReasonMissing));
    let released = on_protected(DealCommand::Release { statement: blank() }).unwrap_err();
    assert!(matches!(released, DealError::InvalidField { field, .. } if field == "statement"));
}

#[test]
fn losing_revoking_and_releasing_record_what_was_said() {
    let on_protected = |command| given::<Deal>(protected()).when(command, &at(TODAY)).unwrap();
    let text = || "The customer said so".to_owned();
    let lost = on_protected(DealCommand::MarkLost { reason: text() });
    assert_eq!(lost, [DealEvent::Lost { reason: text() }]);
    let revoked = on_protected(DealCommand::Revoke { reason: text() });
    assert_eq!(revoked, [DealEvent::Revoked { reason: text() }]);
    let released = on_protected(DealCommand::Release { statement: text() });
    assert_eq!(released, [DealEvent::Released { statement: text() }]);
}

#[test]
fn a_protection_lasts_through_its_last_day() {
    let events = [protected(), vec![visited("2026-05-25", "2026-06-24")]].concat();
    let on = |today| given::<Deal>(events.clone()).when(DealCommand::Expire {}, &at(today));
    let (until, activity_due) = (day("2026-05-30"), day("2026-06-24"));
    assert_eq!(on("2026-05-30"), Err(DealError::ProtectionNotOver { until, activity_due }));
    let cause = ExpiryCause::ProtectionEnded;
    assert_eq!(on("2026-05-31"), Ok(vec![DealEvent::Expired { cause, ended_on: until }]));
}

#[test]
fn a_protection_without_activity_ends_on_the_day_it_was_due() {
    let on = |today| given::<Deal>(protected()).when(DealCommand::Expire {}, &at(today));
    let (until, activity_due) = (day("2026-05-30"), day("2026-03-31"));
    assert_eq!(on("2026-03-31"), Err(DealError::ProtectionNotOver { until, activity_due }));
    let expired = DealEvent::Expired { cause: ExpiryCause::Inactive, ended_on: activity_due };
    assert_eq!(on("2026-04-01"), Ok(vec![expired]));
}

#[test]
fn a_late_timer_does_not_change_why_and_when_a_protection_ended() {
    let outcome = given::<Deal>(protected()).when(DealCommand::Expire {}, &at("2026-08-01"));
    let (cause, ended_on) = (ExpiryCause::Inactive, day("2026-03-31"));
    assert_eq!(outcome, Ok(vec![DealEvent::Expired { cause, ended_on }]));
}

fn extend() -> DealCommand {
    DealCommand::Extend { reason: "Tender postponed".into(), standing: standing() }
}

fn extended(extension: u32, on: &str, until: Day) -> DealEvent {
    let reason = "Tender postponed".to_owned();
    DealEvent::Extended { extended_on: day(on), until, extension, reason }
}

fn visited(on: &str, activity_due: &str) -> DealEvent {
    let (on, activity_due) = (day(on), day(activity_due));
    DealEvent::ActivityRecorded { activity: "Visit".into(), on, activity_due }
}

/// Protected, with an activity on 18 March; the next one is due by 17 April.
fn active() -> Vec<DealEvent> {
    [protected(), vec![visited("2026-03-18", "2026-04-17")]].concat()
}
