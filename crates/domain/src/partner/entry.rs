//! Ways in: applying, registering, being added by an administrator.

use super::contacts::checked_contacts;
use super::decide::Decision;
use super::levels::entry_level;
use super::{ContactInput, LevelCause, PartnerError, PartnerEvent};
use crate::customer::{Company, CompanyProblem};
use crate::rulebook::{DecisionMode, EntryMode, Track};
use crate::{Context, LevelId, TrackId};

pub(super) fn apply(
    company: Company,
    track: TrackId,
    contacts: Vec<ContactInput>,
    context: &Context,
) -> Decision {
    offered(EntryMode::Application, context)?;
    check_company(&company)?;
    open_track(&track, context)?;
    let contacts = checked_contacts(contacts, context)?;
    Ok(vec![PartnerEvent::Applied { company, track, contacts }])
}

pub(super) fn register(
    company: Company,
    track: TrackId,
    contacts: Vec<ContactInput>,
    context: &Context,
) -> Decision {
    let mode = EntryMode::Registration;
    offered(mode, context)?;
    check_company(&company)?;
    let entry_level = entry_level(open_track(&track, context)?);
    let contacts = checked_contacts(contacts, context)?;
    let registered = PartnerEvent::Registered { company, track, contacts, mode };
    Ok([registered].into_iter().chain(entry_level).collect())
}

pub(super) fn add(
    company: Company,
    (track, level): (TrackId, LevelId),
    contacts: Vec<ContactInput>,
    context: &Context,
) -> Decision {
    let mode = EntryMode::Administrator;
    offered(mode, context)?;
    check_company(&company)?;
    let rules = open_track(&track, context)?;
    let Some(initial) = rules.level(&level) else {
        return Err(PartnerError::UnknownLevel { track, level });
    };
    // An administrator may well give what is given to everyone, but not what a review decides.
    if initial.decision == DecisionMode::Review {
        return Err(PartnerError::LevelNotSetByAdministrator { level, mode: "review".to_owned() });
    }
    let contacts = checked_contacts(contacts, context)?;
    let level_changed = PartnerEvent::LevelChanged {
        track: track.clone(),
        from: None,
        to: Some(level),
        cause: LevelCause::Administrator,
        reason: "initial level".to_owned(),
    };
    Ok(vec![PartnerEvent::Registered { company, track, contacts, mode }, level_changed])
}

fn offered(asked: EntryMode, context: &Context) -> Result<(), PartnerError> {
    let offered = context.rules.entry.mode;
    if asked == offered {
        Ok(())
    } else {
        Err(PartnerError::EntryModeNotOffered { asked, offered })
    }
}

pub(super) fn check_company(company: &Company) -> Result<(), PartnerError> {
    company.check().map_err(|CompanyProblem { field, problem }| PartnerError::InvalidField {
        field: format!("company.{field}"),
        problem: problem.to_owned(),
    })
}

/// The rules of a track that new partners may join.
pub(super) fn open_track<'a>(
    track: &TrackId,
    context: &'a Context,
) -> Result<&'a Track, PartnerError> {
    match context.rules.track(track) {
        None => Err(PartnerError::UnknownTrack { track: track.clone() }),
        Some(rules) if !rules.open => Err(PartnerError::TrackNotOpen { track: track.clone() }),
        Some(rules) => Ok(rules),
    }
}
