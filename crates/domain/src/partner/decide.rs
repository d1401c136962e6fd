//! Which command is decided in which status, and by which function.

use super::agreement::AgreementTerms;
use super::levels::Verdict;
use super::{
    Partner, PartnerCommand, PartnerError, PartnerEvent, PartnerStatus, admission, duties, entry,
    membership,
};
use crate::Context;
use crate::text::check_reason;

pub(super) type Decision = Result<Vec<PartnerEvent>, PartnerError>;

/// The statuses in which a command is decided. One in which its wish already holds is among them:
/// there it succeeds and records nothing.
fn statuses(command: &PartnerCommand) -> &'static [PartnerStatus] {
    use PartnerCommand as C;
    use PartnerStatus::{
        Active, Applied, Approved, Declined, Prospect, Restricted, Suspended, Terminated, Unknown,
        Withdrawn,
    };
    match command {
        C::SignMou { .. } | C::Register { .. } | C::Add { .. } => &[Unknown],
        C::Apply { .. } => &[Unknown, Prospect, Declined, Withdrawn],
        C::RecordEvaluation { .. } => &[Applied],
        C::Approve {} => &[Applied, Approved],
        C::Decline { .. } => &[Applied, Declined],
        C::Withdraw { .. } => &[Applied, Approved, Withdrawn],
        C::SignAgreement { .. } => &[Approved],
        C::AddContact { .. }
        | C::ChangeContact { .. }
        | C::RemoveContact { .. }
        | C::Acknowledge { .. } => &[Applied, Approved, Active, Restricted, Suspended],
        C::Restrict { .. }
        | C::LiftRestriction { .. }
        | C::JoinTrack { .. }
        | C::LeaveTrack { .. }
        | C::SetLevel { .. }
        | C::EnterPhase { .. }
        | C::AgreeTarget { .. }
        | C::AdjustDiscount { .. }
        | C::RecordReference { .. } => &[Active, Restricted],
        C::RenewAgreement { .. }
        | C::Suspend { .. }
        | C::Reinstate { .. }
        | C::ApplyReviewDecision { .. }
        | C::DesignateTechnicalResource { .. }
        | C::LapseTechnicalGap {}
        | C::FulfilObligation { .. }
        | C::AssessTarget { .. } => &[Active, Restricted, Suspended],
        C::Terminate { .. } => &[Active, Restricted, Suspended, Terminated],
        C::RecordTransitionPlan { .. } => &[Suspended, Terminated],
        // Certificates end at any time; who is no member has no gap by that.
        C::OpenTechnicalGap { .. } => &[
            Prospect, Applied, Approved, Declined, Withdrawn, Active, Restricted, Suspended,
            Terminated,
        ],
    }
}

/// Refuses what cannot be asked of a partner in this status.
pub(super) fn admit(status: PartnerStatus, command: &PartnerCommand) -> Result<(), PartnerError> {
    let statuses = statuses(command);
    let creates = statuses.contains(&PartnerStatus::Unknown);
    match status {
        _ if statuses.contains(&status) => Ok(()),
        PartnerStatus::Unknown => Err(PartnerError::PartnerNotFound),
        _ if creates => Err(PartnerError::PartnerAlreadyExists),
        status => Err(PartnerError::WrongStatus { status }),
    }
}

/// Decides a command that was admitted.
pub(super) fn decide(partner: &Partner, command: PartnerCommand, context: &Context) -> Decision {
    use PartnerCommand as C;
    match command {
        C::SignMou { company, signed_on, until, resources } => {
            admission::sign_mou(company, (signed_on, until), resources, context)
        }
        C::Apply { company, track, contacts } => entry::apply(company, track, contacts, context),
        C::Register { company, track, contacts } => {
            entry::register(company, track, contacts, context)
        }
        C::Add { company, track, level, contacts } => {
            entry::add(company, (track, level), contacts, context)
        }
        C::RecordEvaluation { criterion, met, note } => {
            admission::record_evaluation(criterion, met, note, context)
        }
        C::Approve {} => partner.approve(context),
        C::Decline { reason } => partner.decline(reason),
        C::Withdraw { reason } => partner.withdraw(reason),
        C::SignAgreement { signed_on, term_months, scope, annexes, deviations } => {
            let terms = AgreementTerms { signed_on, term_months, scope, annexes, deviations };
            partner.sign_agreement(terms, context)
        }
        C::RenewAgreement { until } => partner.renew_agreement(until, context),
        C::Restrict { benefits, reason } => partner.restrict(benefits, reason, context),
        C::LiftRestriction { reason } => partner.lift_restriction(reason),
        C::Suspend { reason } => partner.suspend(reason),
        C::Reinstate { reason } => partner.reinstate(reason),
        C::Terminate { reason } => partner.terminate(reason),
        C::RecordTransitionPlan { plan } => membership::record_transition_plan(plan),
        C::AddContact { role, person } => partner.add_contact(role, person, context),
        C::ChangeContact { role, person } => partner.change_contact(role, person, context),
        C::RemoveContact { person } => partner.remove_contact(person, context),
        C::JoinTrack { track } => partner.join_track(&track, context),
        C::LeaveTrack { track } => partner.leave_track(track),
        C::SetLevel { track, level, reason } => partner.set_level(track, level, reason, context),
        C::ApplyReviewDecision { review, track, current, level, probation_until, reason } => {
            let verdict = Verdict { review, track, current, level, probation_until };
            partner.apply_review(verdict, reason)
        }
        C::EnterPhase { phase, reason } => partner.enter_phase(phase, reason, context),
        C::DesignateTechnicalResource { certificate: c } => partner.designate(c, context),
        C::OpenTechnicalGap { certificate, reason } => {
            partner.open_gap(certificate, reason, context)
        }
        C::LapseTechnicalGap {} => partner.lapse_gap(context),
        C::Acknowledge { document } => partner.acknowledge(document, context),
        C::FulfilObligation { obligation, on, note } => {
            duties::fulfil(obligation, on, note, context)
        }
        C::AgreeTarget { period_from, period_to, amount } => {
            partner.agree_target((period_from, period_to), amount, context)
        }
        C::AssessTarget { period_from, achieved, discussion } => {
            partner.assess_target(period_from, achieved, discussion)
        }
        C::AdjustDiscount { rate, reason } => partner.adjust_discount(rate, reason, context),
        C::RecordReference { customer, statement } => duties::record_reference(customer, statement),
    }
}

/// A reason that says something and not too much.
pub(super) fn given(reason: &str) -> Result<(), PartnerError> {
    check_reason(reason, PartnerError::ReasonMissing)
}

pub(super) fn invalid(field: &str, problem: &str) -> PartnerError {
    PartnerError::InvalidField { field: field.to_owned(), problem: problem.to_owned() }
}
