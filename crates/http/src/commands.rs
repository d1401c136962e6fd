//! The table of commands: who may send which one, with what body, and what carries it out.
//!
//! Commands that only Accord itself sends (timers, policies) are not in the table and so have no
//! URL. A test holds the table against the aggregates: every command is either here or named as
//! Accord's own.

mod answer;
mod handle;
mod run;
mod standing;

use std::sync::{Arc, LazyLock};

use accord_app::{Call, CertificateDraft, DealDraft, Outcome, ReviewRequest};
use accord_domain::Aggregate;
use accord_domain::Role::{
    self, ChannelDirector, ChannelManager, Enablement, Finance, PartnerAdmin, PartnerUser,
    ProgramAdmin,
};
use accord_domain::certificate::Certificate;
use accord_domain::deal::Deal;
use accord_domain::level_review::LevelReview;
use accord_domain::opportunity::Opportunity;
use accord_domain::order::Order;
use accord_domain::partner::Partner;
use accord_domain::program::Program;
use accord_domain::rulebook::Rulebook;
use bytes::Bytes;
use futures::future::BoxFuture;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use uuid::Uuid;

pub(crate) use answer::answer_schema;
pub(crate) use handle::routes;
pub(crate) use run::buyer;
use run::{
    AnnounceBody, CompleteBody, DesignateBody, Empty, EscalateBody, OrderBody, ResolveBody,
    WithdrawBody, plain,
};

use standing::{
    DecideAppealBody, DecideBody, ExtendBody, ProvideInformationBody, RecordActivityBody, RenewBody,
};

use crate::{Http, problem::Problem};

/// What a command is sent to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The aggregate's id; a new one for a creation.
    pub(crate) id: Uuid,
    /// The last part of the path as the caller wrote it; empty for a creation.
    pub(crate) text: String,
}

pub(crate) type Runner =
    fn(Arc<Http>, Target, Bytes, Call) -> BoxFuture<'static, Result<Outcome, Problem>>;

/// One command over HTTP.
pub struct CommandRoute {
    /// The collection in the path, for example `deals`.
    pub collection: &'static str,
    /// The command's name in kebab-case; the last part of the path unless it creates.
    pub name: &'static str,
    /// Sent to the collection itself.
    pub creates: bool,
    pub roles: &'static [Role],
    /// One line for the documentation.
    pub summary: &'static str,
    /// Schema of the refusals that its aggregate knows: one variant per code.
    pub refusals: fn(&mut SchemaGenerator) -> Schema,
    /// Schema of the body; where it is an aggregate's whole command type, the variant of this
    /// command's name is meant.
    pub body: fn(&mut SchemaGenerator) -> Schema,
    pub(crate) run: Runner,
}

const ADMINS: &[Role] = &[ProgramAdmin, ChannelDirector];
const MANAGERS: &[Role] = &[ProgramAdmin, ChannelDirector, ChannelManager];
const APPLICANTS: &[Role] = &[ProgramAdmin, ChannelDirector, ChannelManager, PartnerAdmin];
const ENABLERS: &[Role] = &[ProgramAdmin, Enablement, ChannelManager];
const REVIEWERS: &[Role] = &[ProgramAdmin, ChannelDirector, ChannelManager, Enablement];
const SELLERS: &[Role] = &[PartnerAdmin, PartnerUser, ChannelManager, ProgramAdmin];
pub(crate) const BUYERS: &[Role] =
    &[PartnerAdmin, PartnerUser, ChannelManager, Finance, ProgramAdmin];
const CASHIERS: &[Role] = &[Finance, ProgramAdmin];
const PARTNER_ADMINS: &[Role] = &[PartnerAdmin];

/// All commands.
pub fn commands() -> &'static [CommandRoute] {
    &COMMANDS
}

static COMMANDS: LazyLock<Vec<CommandRoute>> = LazyLock::new(|| {
    let mut all = rulebooks();
    all.extend(partners());
    all.extend(enablement());
    all.extend(deals());
    all.extend(orders());
    all
});

type Row = (&'static str, &'static [Role], &'static str);

/// A command whose body is the domain's own.
fn on<A: Aggregate>(collection: &'static str, (name, roles, summary): Row) -> CommandRoute {
    let (body, refusals) = (A::Command::json_schema, A::Error::json_schema);
    let run = plain::<A>;
    CommandRoute { collection, name, creates: false, roles, summary, refusals, body, run }
}

/// A creation whose body is the domain's own.
fn new<A: Aggregate>(collection: &'static str, row: Row) -> CommandRoute {
    CommandRoute { creates: true, ..on::<A>(collection, row) }
}

/// A command with a body of its own.
fn special<A: Aggregate, B: JsonSchema>(
    (collection, creates): (&'static str, bool),
    (name, roles, summary): Row,
    run: Runner,
) -> CommandRoute {
    let (body, refusals) = (SchemaGenerator::subschema_for::<B>, A::Error::json_schema);
    CommandRoute { collection, name, creates, roles, summary, refusals, body, run }
}

fn rulebooks() -> Vec<CommandRoute> {
    let (on, new) = (("rulebooks", false), ("rulebooks", true));
    vec![
        special::<Program, Rulebook>(
            new,
            (
                "draft",
                ADMINS,
                "Draft the next version of the rulebook; the first one founds the program",
            ),
            run::draft_rulebook,
        ),
        special::<Program, Empty>(
            on,
            ("approve", ADMINS, "Approve a draft; not by its drafter"),
            run::approve_rulebook,
        ),
        special::<Program, AnnounceBody>(
            on,
            ("announce", ADMINS, "Announce an approved version with due notice"),
            run::announce_rulebook,
        ),
        special::<Program, WithdrawBody>(
            on,
            ("withdraw", ADMINS, "Withdraw a version that is not in effect"),
            run::withdraw_rulebook,
        ),
    ]
}

#[rustfmt::skip] // One row a line reads as the table it is.
fn partners() -> Vec<CommandRoute> {
    let c = "partners";
    let mut rows = vec![
        new::<Partner>(c, ("sign-mou", MANAGERS, "Sign a memorandum of understanding with a prospect")),
        new::<Partner>(c, ("apply", APPLICANTS, "Apply for membership")),
        new::<Partner>(c, ("register", APPLICANTS, "Register; active at once where the program allows it")),
        new::<Partner>(c, ("add", MANAGERS, "Add a partner with its initial level")),
        special::<Partner, DesignateBody>(
            (c, false),
            ("designate-technical-resource", APPLICANTS, "Name a certified person as technical reference"),
            run::designate,
        ),
    ];
    let plain: [Row; 29] = [
        ("apply", APPLICANTS, "Apply, as a prospect or again"),
        ("record-evaluation", REVIEWERS, "Record how the application meets a criterion"),
        ("approve", MANAGERS, "Approve the application: the agreement is issued"),
        ("decline", MANAGERS, "Decline the application"),
        ("withdraw", APPLICANTS, "Withdraw the application"),
        ("sign-agreement", MANAGERS, "Record the signed agreement: the partner is active"),
        ("renew-agreement", MANAGERS, "Renew the agreement"),
        ("restrict", MANAGERS, "Withhold named benefits"),
        ("lift-restriction", MANAGERS, "Give withheld benefits back"),
        ("suspend", MANAGERS, "Suspend the partnership"),
        ("reinstate", MANAGERS, "End a suspension"),
        ("terminate", ADMINS, "Terminate the partnership; licences stay valid"),
        ("record-transition-plan", MANAGERS, "Record how customers are looked after"),
        ("add-contact", APPLICANTS, "Add a contact"),
        ("change-contact", APPLICANTS, "Change a contact"),
        ("remove-contact", APPLICANTS, "Remove a contact"),
        ("join-track", MANAGERS, "Join another track"),
        ("leave-track", MANAGERS, "Leave a track and its level"),
        ("set-level", MANAGERS, "Set a level that an administrator decides"),
        ("enter-phase", MANAGERS, "Enter a journey phase"),
        ("open-technical-gap", REVIEWERS, "Record that the technical resource is gone"),
        ("acknowledge", APPLICANTS, "Acknowledge a document"),
        ("fulfil-obligation", MANAGERS, "Record a fulfilled duty"),
        ("agree-target", MANAGERS, "Agree a target for a period"),
        ("assess-target", MANAGERS, "Assess a target; a miss changes nothing else"),
        ("adjust-discount", ADMINS, "Adjust the partner's discount"),
        ("record-reference", MANAGERS, "Record a customer reference"),
        ("sign-mou", MANAGERS, "Sign a memorandum of understanding again"),
        ("register", APPLICANTS, "Register a known prospect"),
    ];
    rows.extend(plain.map(|row| on::<Partner>(c, row)));
    rows
}

#[rustfmt::skip] // One row a line reads as the table it is.
fn enablement() -> Vec<CommandRoute> {
    let (certificates, reviews) = ("certificates", "level-reviews");
    vec![
        special::<Certificate, CertificateDraft>((certificates, true), ("issue", ENABLERS, "Issue a certificate to a person at a partner"), run::issue_certificate),
        special::<Certificate, RenewBody>((certificates, false), ("renew", ENABLERS, "Renew a certificate"), standing::renew_certificate),
        on::<Certificate>(certificates, ("revoke", ENABLERS, "Revoke a certificate")),
        special::<LevelReview, ReviewRequest>(
            (reviews, true),
            ("open", REVIEWERS, "Open a level review; the evidence is frozen"),
            run::open_review,
        ),
        on::<LevelReview>(reviews, ("judge", REVIEWERS, "Judge a requirement that cannot be measured")),
        on::<LevelReview>(reviews, ("recommend", REVIEWERS, "Recommend an outcome")),
        special::<LevelReview, DecideBody>((reviews, false), ("decide", MANAGERS, "Decide; not by who recommended"), standing::decide_review),
        on::<LevelReview>(reviews, ("appeal", PARTNER_ADMINS, "Appeal the decision, once")),
        special::<LevelReview, DecideAppealBody>((reviews, false), ("decide-appeal", ADMINS, "Decide the appeal; not by who decided"), standing::decide_appeal),
        on::<LevelReview>(reviews, ("withdraw", MANAGERS, "Close an undecided review")),
    ]
}

#[rustfmt::skip] // One row a line reads as the table it is.
fn deals() -> Vec<CommandRoute> {
    let c = "deals";
    let mut rows = vec![
        special::<Deal, DealDraft>((c, true), ("draft", SELLERS, "Start a deal registration"), run::draft_deal),
        special::<Deal, Empty>((c, false), ("submit", SELLERS, "Submit the registration: the opportunity is claimed"), run::submit_deal),
        special::<Deal, ProvideInformationBody>((c, false), ("provide-information", SELLERS, "Answer the vendor's question"), standing::provide_information),
        special::<Deal, RecordActivityBody>((c, false), ("record-activity", SELLERS, "Record what happened in the deal"), standing::record_activity),
        special::<Deal, ExtendBody>((c, false), ("extend", SELLERS, "Prolong the protection"), standing::extend_protection),
        special::<Opportunity, EscalateBody>(("conflicts", false), ("escalate", MANAGERS, "Hand a conflict to a higher instance"), run::escalate_conflict),
        special::<Opportunity, ResolveBody>(("conflicts", false), ("resolve", MANAGERS, "Resolve a conflict under a named rule"), run::resolve_conflict),
    ];
    let plain: [Row; 9] = [
        ("revise", SELLERS, "Change a draft"),
        ("request-information", MANAGERS, "Ask the partner"),
        ("approve", MANAGERS, "Validate the registration: it is protected from today"),
        ("reject", MANAGERS, "Reject the registration for an enumerated reason"),
        ("withdraw", SELLERS, "Withdraw the registration"),
        ("mark-won", SELLERS, "Record that the deal is won"),
        ("mark-lost", SELLERS, "Record that the deal is lost"),
        ("revoke", MANAGERS, "End the protection for a cause"),
        ("release", MANAGERS, "Record that the customer released itself"),
    ];
    rows.extend(plain.map(|row| on::<Deal>(c, row)));
    rows
}

#[rustfmt::skip] // One row a line reads as the table it is.
fn orders() -> Vec<CommandRoute> {
    vec![
        special::<Order, OrderBody>(("orders", true), ("place", BUYERS, "Place an order at its quote's price"), run::place_order),
        special::<Order, CompleteBody>(("orders", false), ("complete", CASHIERS, "Record the payment: the licence is delivered"), run::complete_order),
        on::<Order>("orders", ("cancel", BUYERS, "Cancel a pending order")),
    ]
}

/// More than the summary: who may send it.
pub fn description(route: &CommandRoute) -> String {
    let names: Vec<String> = route
        .roles
        .iter()
        .filter_map(|role| Some(serde_json::to_value(role).ok()?.as_str()?.to_owned()))
        .collect();
    format!("Roles: {}.", names.join(", "))
}
