//! The command that withholds what a record says.

use super::{Context, Original, text};
use crate::{
    authority::Role,
    command::RedactRecord,
    event::{Event, RecordRedacted},
    id::KeyId,
    rejection::Rejection,
    state::{Actor, State},
};

pub(super) fn redact_record(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &RedactRecord,
) -> Result<Vec<Event>, Rejection> {
    let position = c.position;
    let Original { actor: author, event: original } =
        context.original.ok_or(Rejection::NoSuchRecord { position })?;
    holds(state, actor, author, position)?;
    let auditor = auditor(state, context, actor)?;
    if let Some(by) = state.redactions.get(&position) {
        return Err(Rejection::AlreadyRedacted { position, by: *by });
    }
    let left = original.unwrap_or(&c.residue.0).blanked().ok_or(Rejection::NotRedactable { position })?;
    if original == Some(&left) {
        return Err(Rejection::NotRedactable { position });
    }
    if left != *c.residue.0 {
        return Err(Rejection::ResidueDiffers { position });
    }
    text("reason", &c.reason)?;
    let RedactRecord { reason, residue, .. } = c.clone();
    Ok(vec![RecordRedacted { auditor, position, reason, residue }.into()])
}

/// The signer must act for the authority whose key signed the record's command: same region, same role.
fn holds(state: &State, actor: &Actor, author: KeyId, position: u64) -> Result<(), Rejection> {
    let Actor::Authority { region, role, .. } = actor else {
        return Err(Rejection::WrongRole { needed: "the authority whose record it is" });
    };
    // What the log or the roots signed is about the ledger itself.
    let author = state.keyring.keys.get(&author).ok_or(Rejection::NotRedactable { position })?;
    if author.region != *region {
        let needed = state.code(author.region);
        return Err(Rejection::ForeignOffice { signer: state.code(*region), needed });
    }
    if author.role != *role {
        return Err(Rejection::WrongRole { needed: "the authority whose record it is" });
    }
    Ok(())
}

/// The endorsing auditor: another person, of the signer's region, one that contains it, or the host.
fn auditor(state: &State, context: &Context<'_>, actor: &Actor) -> Result<KeyId, Rejection> {
    let host = state.regions.find(state.host).map(|region| region.id);
    let found = state.keyring.keys.iter().find(|(_, key)| {
        let Actor::Authority { person, region, .. } = actor else { return false };
        let here = state.regions.is_within(*region, key.region) || host == Some(key.region);
        let signed = context.endorsers.contains(&key.public);
        signed && key.role == Role::Auditor && key.ended.is_none() && here && key.person != *person
    });
    let needed = || "an auditor of the region, of one above it or of the host".to_owned();
    found.map(|(id, _)| *id).ok_or_else(|| Rejection::EndorsementMissing { needed: needed() })
}
