//! Regions that end in others, give a part away, or come under another superior (semantics section 2, decision 0018).
//!
//! These are facts that others decided; the ledger says what they mean for figures, claims and money from their day on. What
//! cannot be decided here is refused: a transfer that the two are still agreeing on, a dispute to which a region that ends
//! is a party, a settlement that is being confirmed.

use super::{
    Context, business_date, county, in_role, period::open_or_signed, region, restructure::undisturbed, text,
};
use crate::{
    authority::Role,
    command::{MergeRegion, ReparentRegion, SplitRegion},
    dispute::DisputeId,
    event::{Event, KeyRevoked, RegionMerged, RegionReparented, RegionSplit},
    region::{BadRegion, RegionId},
    rejection::Rejection,
    state::{Actor, State},
    time::Date,
};

pub(super) fn merge(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &MergeRegion,
) -> Result<Vec<Event>, Rejection> {
    let signer = in_role(actor, &[Role::Coordinator])?;
    let (ends, goes_on) = (county(state, c.region)?, county(state, c.into)?);
    above(state, signer, state.regions.common_superior(ends, goes_on))?;
    if ends == goes_on {
        return Err(Rejection::SameRegion { region: state.code(goes_on) });
    }
    text("document", &c.document)?;
    since(state, context, c.date, &[ends, goes_on])?;
    open_or_signed(state, context, c.date, &[ends, goes_on])?;
    settled(state)?;
    if let Some(dispute) = disputes_of(state, ends).next() {
        return Err(Rejection::RegionDisputed { region: c.region, dispute });
    }
    // Any other proposal goes on with the successor. One between the two would be agreed with oneself.
    for project in state.concerned(ends).iter().filter_map(|id| state.projects.get(id)) {
        let between = |region| region == ends || region == goes_on;
        if let Some((_, transfer)) = project.pending()
            && between(transfer.origin)
            && between(transfer.destination)
        {
            return Err(Rejection::ProposalPending { destination: state.code(transfer.destination) });
        }
    }
    let MergeRegion { date, document, .. } = c.clone();
    let (region, into) = (state.code(ends), state.code(goes_on));
    let keys = state.keyring.keys.iter().filter(|(_, key)| key.region == ends && key.ended.is_none());
    let reason = format!("{region} ended in {into}");
    let keys =
        keys.map(|(key, _)| KeyRevoked { compromised_since: None, key: *key, reason: reason.clone() }.into());
    let merged = RegionMerged { date, document, into, region };
    Ok([merged.into()].into_iter().chain(keys).collect())
}

pub(super) fn split(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &SplitRegion,
) -> Result<Vec<Event>, Rejection> {
    let signer = in_role(actor, &[Role::Coordinator])?;
    let (from, to) = (county(state, c.region)?, county(state, c.into)?);
    above(state, signer, state.regions.common_superior(from, to))?;
    if from == to {
        return Err(Rejection::SameRegion { region: state.code(to) });
    }
    text("document", &c.document)?;
    let mut projects = c.projects.clone();
    projects.sort_unstable();
    projects.dedup();
    let concerned = state.concerned(from);
    for id in &projects {
        let project = super::project(state, *id)?;
        // Whose tax terms name it has a part as well.
        let party = project.regions().any(|known| project.now(known) == from) || concerned.contains(id);
        if !party {
            return Err(Rejection::NotAParty { region: state.code(from) });
        }
        undisturbed(state, *id, project)?;
    }
    since(state, context, c.date, &[from, to])?;
    open_or_signed(state, context, c.date, &[from, to])?;
    settled(state)?;
    let SplitRegion { date, document, .. } = c.clone();
    Ok(vec![RegionSplit { date, document, into: state.code(to), projects, region: state.code(from) }.into()])
}

pub(super) fn reparent(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &ReparentRegion,
) -> Result<Vec<Event>, Rejection> {
    let signer = in_role(actor, &[Role::Coordinator])?;
    let (moved, to) = (region(state, c.region)?, region(state, c.parent)?);
    let from = moved.parent.ok_or(Rejection::BadRegion { why: BadRegion::Level(c.region) })?;
    above(state, signer, state.regions.common_superior(from, to.id))?;
    if to.level >= moved.level {
        return Err(Rejection::BadRegion { why: BadRegion::Level(c.region) });
    }
    if from == to.id {
        return Err(Rejection::SameRegion { region: state.code(from) });
    }
    text("document", &c.document)?;
    since(state, context, c.date, &[moved.id])?;
    open_or_signed(state, context, c.date, &[moved.id, from, to.id])?;
    settled(state)?;
    let ReparentRegion { date, document, .. } = c.clone();
    let (parent, region) = (state.code(to.id), moved.code());
    Ok(vec![RegionReparented { date, document, parent, region }.into()])
}

/// The signer coordinates the host, or a region that holds all that is concerned.
fn above(state: &State, signer: RegionId, common: RegionId) -> Result<(), Rejection> {
    let host = region(state, state.host)?.id;
    if signer == host || state.regions.is_within(common, signer) {
        return Ok(());
    }
    Err(Rejection::ForeignOffice { signer: state.code(signer), needed: state.code(common) })
}

/// A day that is over, and not before the last change of any of these regions: lineages are recorded in their order.
fn since(state: &State, context: &Context<'_>, date: Date, regions: &[RegionId]) -> Result<(), Rejection> {
    let earliest = regions.iter().filter_map(|region| state.regions.settled_since(*region)).max();
    business_date(context, date, earliest.unwrap_or(date))
}

/// No run is being confirmed: its parties and clearing houses are those it was written for.
fn settled(state: &State) -> Result<(), Rejection> {
    let open = state.settlement.open();
    open.map_or(Ok(()), |(_, run)| Err(Rejection::SettlementOpen { period: run.period }))
}

/// The open disputes to which a region is a party.
fn disputes_of(state: &State, region: RegionId) -> impl Iterator<Item = DisputeId> + '_ {
    let open = state.open_disputes.values().copied();
    open.filter(move |id| state.disputes.get(id).is_some_and(|known| known.is_party(region)))
}
