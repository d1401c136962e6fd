//! Which command is admitted in which status: every command in every status.

use serde_json::{Value, json};

use super::*;
use crate::partner::decide::admit;

const STATUSES: [PartnerStatus; 10] = [
    PartnerStatus::Unknown,
    PartnerStatus::Prospect,
    PartnerStatus::Applied,
    PartnerStatus::Approved,
    PartnerStatus::Declined,
    PartnerStatus::Withdrawn,
    PartnerStatus::Active,
    PartnerStatus::Restricted,
    PartnerStatus::Suspended,
    PartnerStatus::Terminated,
];

/// One letter per status: `U`nknown, `P`rospect, `A`pplied, a`G`reed to (approved), `D`eclined,
/// `W`ithdrawn, `+` active, `R`estricted, `S`uspended, `T`erminated.
const LETTERS: [char; 10] = ['U', 'P', 'A', 'G', 'D', 'W', '+', 'R', 'S', 'T'];

#[test]
fn every_command_is_admitted_in_its_statuses_and_refused_by_name_in_all_others() {
    let expected = [
        ("sign-mou", "U"),
        ("apply", "UPDW"),
        ("register", "U"),
        ("add", "U"),
        ("record-evaluation", "A"),
        ("approve", "AG"),
        ("decline", "AD"),
        ("withdraw", "AGW"),
        ("sign-agreement", "G"),
        ("renew-agreement", "+RS"),
        ("restrict", "+R"),
        ("lift-restriction", "+R"),
        ("suspend", "+RS"),
        ("reinstate", "+RS"),
        ("terminate", "+RST"),
        ("record-transition-plan", "ST"),
        ("add-contact", "AG+RS"),
        ("change-contact", "AG+RS"),
        ("remove-contact", "AG+RS"),
        ("join-track", "+R"),
        ("leave-track", "+R"),
        ("set-level", "+R"),
        ("apply-review-decision", "+RS"),
        ("enter-phase", "+R"),
        ("designate-technical-resource", "+RS"),
        ("open-technical-gap", "PAGDW+RST"),
        ("lapse-technical-gap", "+RS"),
        ("acknowledge", "AG+RS"),
        ("fulfil-obligation", "+RS"),
        ("agree-target", "+R"),
        ("assess-target", "+RS"),
        ("adjust-discount", "+R"),
        ("record-reference", "+R"),
    ];
    let commands = commands();
    assert_eq!(commands.len(), expected.len());
    for (name, letters) in expected {
        let command = &commands.iter().find(|(command, _)| command == name).unwrap().1;
        let creates = letters.contains('U');
        for (status, letter) in STATUSES.into_iter().zip(LETTERS) {
            let wanted = match status {
                _ if letters.contains(letter) => Ok(()),
                PartnerStatus::Unknown => Err(PartnerError::PartnerNotFound),
                _ if creates => Err(PartnerError::PartnerAlreadyExists),
                status => Err(PartnerError::WrongStatus { status }),
            };
            assert_eq!(admit(status, command), wanted, "{name} when {status:?}");
        }
    }
}

#[test]
fn a_refused_status_is_refused_before_anything_else() {
    let outcome = when([], PartnerCommand::Approve {}, &zextras());
    assert_eq!(outcome, Err(PartnerError::PartnerNotFound));
    let outcome = when(signed(), apply(), &zextras());
    assert_eq!(outcome, Err(PartnerError::PartnerAlreadyExists));
    let outcome = when([mou_signed()], PartnerCommand::Approve {}, &zextras());
    assert_eq!(outcome, Err(PartnerError::WrongStatus { status: PartnerStatus::Prospect }));
}

/// Every command by name, as a caller would send it.
fn commands() -> Vec<(String, PartnerCommand)> {
    let id = Uuid::from_u128(1);
    let company = json!({ "name": "Example", "country": "DE" });
    let person = json!({ "name": "Ada", "email": "ada@example.org" });
    let contact = json!({ "role": "sales", "person": person });
    let newcomer = json!({ "company": company, "track": "partner", "contacts": [] });
    let amount = json!({ "minor": 1, "currency": "EUR" });
    let reason = json!({ "reason": "agreed" });
    let certificate = json!({
        "certificate": id, "partner": id, "person": id, "certification": "C2",
        "expires_on": "2027-01-01", "valid": true
    });
    let mut added = newcomer.clone();
    added["level"] = "silver".into();
    let bodies = json!({
        "sign-mou": {
            "company": company, "signed_on": "2026-01-01", "until": "2026-02-01", "resources": []
        },
        "apply": newcomer,
        "register": newcomer,
        "add": added,
        "record-evaluation": { "criterion": "readiness", "met": true, "note": "" },
        "approve": {},
        "decline": reason,
        "withdraw": reason,
        "sign-agreement": { "signed_on": "2026-01-01" },
        "renew-agreement": { "until": "2030-01-01" },
        "restrict": { "benefits": [], "reason": "agreed" },
        "lift-restriction": reason,
        "suspend": reason,
        "reinstate": reason,
        "terminate": reason,
        "record-transition-plan": { "plan": "" },
        "add-contact": contact,
        "change-contact": contact,
        "remove-contact": { "person": id },
        "join-track": { "track": "partner" },
        "leave-track": { "track": "partner" },
        "set-level": { "track": "partner", "level": "gold", "reason": "agreed" },
        "apply-review-decision": { "review": id, "track": "partner", "reason": "agreed" },
        "enter-phase": { "phase": "onboarding", "reason": "agreed" },
        "designate-technical-resource": { "certificate": certificate },
        "open-technical-gap": { "certificate": id, "reason": "agreed" },
        "lapse-technical-gap": {},
        "acknowledge": { "document": "code-of-conduct" },
        "fulfil-obligation": { "obligation": "review", "on": "2026-01-01", "note": "" },
        "agree-target": {
            "period_from": "2026-01-01", "period_to": "2026-12-31", "amount": amount
        },
        "assess-target": { "period_from": "2026-01-01", "achieved": amount, "discussion": "" },
        "adjust-discount": { "rate": "0.01", "reason": "agreed" },
        "record-reference": { "customer": "Acme", "statement": "content" }
    });
    let Value::Object(bodies) = bodies else { panic!() };
    let command = |(name, body): (String, Value)| {
        let command = serde_json::from_value(json!({ name.clone(): body })).unwrap();
        (name, command)
    };
    bodies.into_iter().map(command).collect()
}
