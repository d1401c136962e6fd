//! Read model `evidence`: the facts that level requirements count, by partner.

use accord_domain::{
    CertificateId, Day, DomainEvent, EventId, LicenceId, PartnerId, ProgramId,
    certificate::CertificateEvent,
    evidence::Fact,
    licence::{LicenceEvent, LicenceTerms},
    partner::PartnerEvent,
};

use crate::{
    column::json_columns,
    event::Event,
    row::record,
    tables::{ApplyError, Projection, Tables},
};

pub(crate) const EVIDENCE: Projection =
    Projection { name: "evidence", version: 1, tables: include_str!("evidence.sql"), apply };

json_columns!(Fact);

record! {
    /// One fact.
    pub(crate) struct FactRow in "facts" key(kind: String, subject: String) {
        pub(crate) kind: String,
        pub(crate) subject: String,
        pub(crate) program: ProgramId,
        pub(crate) partner: PartnerId,
        pub(crate) event: EventId,
        pub(crate) valid_from: Day,
        /// Of an obligation the day of its fulfilment, from which the rulebook in force tells how
        /// long it stays fulfilled.
        pub(crate) data: Fact,
    }
}

fn apply(tables: &mut Tables, event: &Event) -> Result<(), ApplyError> {
    match &event.body {
        Some(DomainEvent::Certificate(body)) => certificate(tables, event, body),
        Some(DomainEvent::Licence(body)) => licence(tables, event, body),
        Some(DomainEvent::Partner(body)) => {
            partner(tables, event, body);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn certificate(
    tables: &mut Tables,
    event: &Event,
    body: &CertificateEvent,
) -> Result<(), ApplyError> {
    let key = ("certificate".to_owned(), event.aggregate.to_string());
    match body {
        CertificateEvent::Issued { partner, holder, certification, issued_on, expires_on } => {
            tables.facts.put(FactRow {
                kind: key.0,
                subject: key.1,
                program: event.program.clone(),
                partner: *partner,
                event: event.id,
                valid_from: *issued_on,
                data: Fact::Certificate {
                    event: event.id,
                    certificate: CertificateId(event.aggregate),
                    person: holder.person(),
                    certification: certification.clone(),
                    expires_on: *expires_on,
                },
            });
        }
        CertificateEvent::Renewed { expires_on: renewed, .. } => {
            let row = tables.facts.edit(&key)?.ok_or(ApplyError::Missing("certificate"))?;
            row.event = event.id;
            if let Fact::Certificate { event: source, expires_on, .. } = &mut row.data {
                *source = event.id;
                *expires_on = *renewed;
            }
        }
        CertificateEvent::Revoked { .. } => tables.facts.remove(&key),
        // The fact stays: its last day has passed, and a renewal may follow.
        CertificateEvent::Expired { .. } => {}
    }
    Ok(())
}

fn licence(tables: &mut Tables, event: &Event, body: &LicenceEvent) -> Result<(), ApplyError> {
    let key = ("licence".to_owned(), event.aggregate.to_string());
    match body {
        LicenceEvent::Issued { partner: Some(partner), terms, .. } => {
            tables.facts.put(FactRow {
                kind: key.0,
                subject: key.1,
                program: event.program.clone(),
                partner: *partner,
                event: event.id,
                valid_from: terms.starts_on,
                data: licence_fact(event, terms),
            });
        }
        // A direct sale is no partner's evidence.
        LicenceEvent::Issued { partner: None, .. }
        | LicenceEvent::Reserved { .. }
        | LicenceEvent::ReservationReleased { .. }
        | LicenceEvent::Expired { .. } => {}
        LicenceEvent::Renewed { terms, .. } | LicenceEvent::Upgraded { terms, .. } => {
            if let Some(row) = tables.facts.edit(&key)? {
                row.event = event.id;
                row.data = licence_fact(event, terms);
            }
        }
    }
    Ok(())
}

fn licence_fact(event: &Event, terms: &LicenceTerms) -> Fact {
    Fact::Licence {
        event: event.id,
        licence: LicenceId(event.aggregate),
        seats: terms.seats,
        servers: terms.servers,
        mrr: terms.mrr,
        ends_on: terms.ends_on,
    }
}

fn partner(tables: &mut Tables, event: &Event, body: &PartnerEvent) {
    let partner = event.aggregate;
    let (kind, subject, valid_from, data) = match body {
        PartnerEvent::ReferenceRecorded { .. } => {
            ("reference", event.id.to_string(), event.day(), Fact::Reference { event: event.id })
        }
        PartnerEvent::DocumentAcknowledged { document, on } => {
            let data = Fact::Acknowledgement { event: event.id, document: document.clone() };
            ("acknowledgement", format!("{partner}/{document}"), *on, data)
        }
        PartnerEvent::ObligationFulfilled { obligation, on, .. } => {
            let data = Fact::Obligation {
                event: event.id,
                obligation: obligation.clone(),
                fulfilled_until: *on,
            };
            ("obligation", format!("{partner}/{obligation}"), *on, data)
        }
        _ => return,
    };
    tables.facts.put(FactRow {
        kind: kind.to_owned(),
        subject,
        program: event.program.clone(),
        partner: PartnerId(partner),
        event: event.id,
        valid_from,
        data,
    });
}
