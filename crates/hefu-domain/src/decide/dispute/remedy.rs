//! What a ruling or an agreement does to figures: the facts, and their sum.
//!
//! A credit is divided over the observations of the dispute in proportion to the room that each leaves (semantics R5),
//! by largest remainder, so the parts sum to what was ruled.

use std::collections::BTreeMap;

use super::super::{project, region};
use crate::{
    amount::{BadDecimal, Decimal, Money, largest_remainder},
    counting::Standing,
    dispute::{Dispute, DisputeId, Matter, MatterKind, Remedy, RemedyKind},
    event::{ClaimConfirmed, ClaimRejected, CreditRuled, Event, LineRuled, ObservationRuled},
    period::Period,
    region::RegionId,
    rejection::Rejection,
    state::{ClaimStatus, IndicatorId, Project, State, Transfer},
};

/// Decimals of CNY.
const MONEY_SCALE: u8 = 2;

/// What a remedy does, as facts, and by how much it moves the disputed figure.
///
/// Refused if it does not fit the matter, or would give a region more than the whole of an observation or less than
/// nothing (semantics R5): then with the largest amount that would do.
pub(super) fn effects(
    state: &State,
    id: DisputeId,
    dispute: &Dispute,
    remedy: &Remedy,
    by: RegionId,
) -> Result<(Option<Decimal>, Vec<Event>), Rejection> {
    let Matter { kind, project: project_id, transfer, .. } = dispute.matter;
    let project = project(state, project_id)?;
    let unfit = Rejection::RemedyMismatch {};
    let claim = || -> Result<(u32, &Transfer), Rejection> {
        let number = transfer.ok_or(Rejection::RemedyMismatch {})?;
        let transfer = project.transfers.get(number as usize);
        Ok((number, transfer.ok_or(Rejection::NoSuchTransfer { transfer: number })?))
    };
    let by = state.code(by);
    let fields = (remedy.amount.is_some(), remedy.region.is_some(), remedy.value.is_some());
    // A dispute about one indicator and period does not decide the claim everywhere else.
    let whole = dispute.matter.indicator.is_none();
    match (remedy.kind, kind) {
        (RemedyKind::Dismiss, _) if fields == (false, false, false) => match kind {
            MatterKind::Observation => match dispute.before.value {
                Some(before) if Ok(before) != reported(state, &dispute.matter) => {
                    ruled_value(state, id, dispute, before)
                }
                Some(_) | None => Ok((None, Vec::new())),
            },
            MatterKind::Line => match dispute.before.value {
                Some(before) => ruled_line(state, id, dispute, before),
                None => Ok((None, Vec::new())),
            },
            MatterKind::Claim | MatterKind::Transfer => {
                // Whether a claim stands was the question of the superseded ruling: the new one must answer it.
                if dispute.before.claim.is_some() {
                    return Err(unfit);
                }
                Ok(credits(state, id, dispute, &[]))
            }
        },
        (RemedyKind::ConfirmClaim, MatterKind::Claim | MatterKind::Transfer)
            if fields == (false, false, false) && whole =>
        {
            let (number, transfer) = claim()?;
            let event = ClaimConfirmed { by, project: project_id, transfer: number };
            let stands = transfer.claim == ClaimStatus::Confirmed;
            Ok((None, if stands { Vec::new() } else { vec![event.into()] }))
        }
        (RemedyKind::RejectClaim, MatterKind::Claim | MatterKind::Transfer)
            if fields == (false, false, false) && whole =>
        {
            let (number, transfer) = claim()?;
            let reason = format!("dispute {id}");
            let event = ClaimRejected { by, project: project_id, reason, transfer: number };
            let fallen = transfer.claim == ClaimStatus::Rejected;
            Ok((None, if fallen { Vec::new() } else { vec![event.into()] }))
        }
        (RemedyKind::CorrectValue, MatterKind::Observation) if fields == (false, false, true) => {
            let value = remedy.value.as_ref().ok_or(unfit)?;
            ruled_value(state, id, dispute, minor_of(state, &dispute.matter, value)?)
        }
        (RemedyKind::CorrectValue, MatterKind::Line) if fields == (false, false, true) => {
            let value = remedy.value.as_ref().ok_or(unfit)?;
            ruled_line(state, id, dispute, minor_of(state, &dispute.matter, value)?)
        }
        (RemedyKind::Credit, MatterKind::Claim) if fields == (true, true, false) => {
            let (_, transfer) = claim()?;
            let (Some(code), Some(amount)) = (remedy.region, &remedy.amount) else { return Err(unfit) };
            let region = region(state, code)?.id;
            // Written under the region that the transfer names: whose share it is on a day follows from that.
            let mut named = [transfer.origin, transfer.destination].into_iter();
            let region = named.find(|known| project.now(*known) == region);
            let region = region.ok_or(Rejection::NotAParty { region: code })?;
            let amount = minor_of(state, &dispute.matter, amount)?;
            let spread = spread(state, project, dispute, region, amount)?;
            Ok(credits(state, id, dispute, &spread))
        }
        _ => Err(unfit),
    }
}

/// One observation's part of a ruled credit.
type Part = (IndicatorId, Period, RegionId, i64);

fn ruled_value(
    state: &State,
    id: DisputeId,
    dispute: &Dispute,
    value: i64,
) -> Result<(Option<Decimal>, Vec<Event>), Rejection> {
    let Matter { indicator, period, project: project_id, .. } = dispute.matter;
    let (Some(indicator), Some(period)) = (indicator, period) else {
        return Err(Rejection::RemedyMismatch {});
    };
    let scale = scale_of(state, &dispute.matter)?;
    let old = reported(state, &dispute.matter)?;
    let value_text = Decimal::from_minor(value, scale);
    let event = ObservationRuled { dispute: id, indicator, period, project: project_id, value: value_text };
    Ok((Some(Decimal::from_minor(value.saturating_sub(old), scale)), vec![event.into()]))
}

/// A line should say `value`: the difference to what it says with earlier rulings, for the next run. The two sides
/// divide what they have of the tax behind it between them: neither gets more than the whole of that or less than nothing.
fn ruled_line(
    state: &State,
    id: DisputeId,
    dispute: &Dispute,
    value: i64,
) -> Result<(Option<Decimal>, Vec<Event>), Rejection> {
    let line = dispute.matter.line.ok_or(Rejection::RemedyMismatch {})?;
    let says = state.settlement.says(line).ok_or(Rejection::NoSuchLine { line })?;
    let difference = value.checked_sub(says).ok_or(Rejection::BadValue { why: BadDecimal::TooLarge })?;
    let (least, most) = state.settlement.room(&state.regions, &state.projects, line).unwrap_or((0, 0));
    if difference != difference.clamp(least.min(0), most.max(0)) {
        let largest = says.saturating_add(difference.clamp(least.min(0), most.max(0)));
        return Err(Rejection::RulingTooLarge { largest: Decimal::from_minor(largest, MONEY_SCALE) });
    }
    let (amount, project) = (Money::from_fen(difference), dispute.matter.project);
    let event = LineRuled { amount, dispute: id, line, project };
    let events = if difference == 0 { Vec::new() } else { vec![event.into()] };
    Ok((Some(Decimal::from_minor(difference, MONEY_SCALE)), events))
}

/// Divides an amount over the observations of the dispute's scope in proportion to the room each has left.
fn spread(
    state: &State,
    project: &Project,
    dispute: &Dispute,
    region: RegionId,
    amount: i64,
) -> Result<Vec<Part>, Rejection> {
    let (Some(code), Some(period)) = (dispute.matter.indicator, dispute.matter.period) else {
        return Err(Rejection::RemedyMismatch {});
    };
    let (indicator, entry) = state.indicator(code).ok_or(Rejection::UnknownIndicator { indicator: code })?;
    let scale = entry.unit.scale();
    let known = project.reported.get(&(indicator, period.year())).into_iter().flatten();
    let inside = known.filter_map(|reported| {
        let part = Period::months(period.year(), reported.first, reported.last)?;
        period.contains(part).then_some((part, reported.value))
    });
    let mut rooms: Vec<(Period, u64)> = Vec::new();
    for (part, value) in inside {
        let standing = Standing::of(&state.regions, project, (indicator, entry.class), part);
        let earlier: i64 = dispute
            .credited
            .iter()
            .filter(|c| (c.0, c.1, c.2) == (indicator, part, region))
            .map(|c| c.3)
            .sum();
        // What an earlier ruling in this dispute gave is taken back first.
        let held = standing.share_of(project.heir(region, part.end()), value).saturating_sub(earlier);
        let room =
            if amount >= 0 { value.max(0).saturating_sub(held) } else { held.saturating_sub(value.min(0)) };
        rooms.push((part, u64::try_from(room).unwrap_or(0)));
    }
    let room: u64 = rooms.iter().fold(0, |sum, (_, room)| sum.saturating_add(*room));
    if amount.unsigned_abs() > room {
        let largest = i64::try_from(room).unwrap_or(i64::MAX) * amount.signum();
        return Err(Rejection::RulingTooLarge { largest: Decimal::from_minor(largest, scale) });
    }
    if amount == 0 {
        return Ok(Vec::new());
    }
    let weights: Vec<u64> = rooms.iter().map(|(_, room)| *room).collect();
    let parts = largest_remainder(amount, &weights, room);
    let parts = rooms.into_iter().zip(parts).filter(|(_, part)| *part != 0);
    Ok(parts.map(|((period, _), part)| (indicator, period, region, part)).collect())
}

/// The facts that lead from what this dispute's earlier rulings credited to `wanted`.
fn credits(
    state: &State,
    id: DisputeId,
    dispute: &Dispute,
    wanted: &[Part],
) -> (Option<Decimal>, Vec<Event>) {
    let mut changes: BTreeMap<_, i64> = BTreeMap::new();
    for (indicator, period, region, amount) in &dispute.credited {
        *changes.entry((*indicator, *period, *region)).or_default() -= amount;
    }
    for (indicator, period, region, amount) in wanted {
        *changes.entry((*indicator, *period, *region)).or_default() += amount;
    }
    changes.retain(|_, amount| *amount != 0);
    let Some((indicator, ..)) = changes.keys().next().copied() else { return (None, Vec::new()) };
    let entry = &state.indicators[usize::from(indicator.0)];
    let scale = entry.unit.scale();
    let sum = changes.values().fold(0i64, |sum, amount| sum.saturating_add(*amount));
    let events = changes.into_iter().map(|((_, period, region), amount)| {
        CreditRuled {
            amount: Decimal::from_minor(amount, scale),
            dispute: id,
            indicator: entry.code,
            period,
            project: dispute.matter.project,
            region: state.code(region),
        }
        .into()
    });
    (Some(Decimal::from_minor(sum, scale)), events.collect())
}

/// The value on record for an observation.
pub(super) fn reported(state: &State, matter: &Matter) -> Result<i64, Rejection> {
    let (Some(code), Some(period)) = (matter.indicator, matter.period) else {
        return Err(Rejection::BadMatter { field: "indicator, period" });
    };
    let (indicator, _) = state.indicator(code).ok_or(Rejection::UnknownIndicator { indicator: code })?;
    let project = project(state, matter.project)?;
    project.value(indicator, period).ok_or(Rejection::NothingToDispute {})
}

pub(super) fn scale_of(state: &State, matter: &Matter) -> Result<u8, Rejection> {
    if matter.kind == MatterKind::Line {
        return Ok(MONEY_SCALE);
    }
    let code = matter.indicator.ok_or(Rejection::BadMatter { field: "indicator" })?;
    let (_, entry) = state.indicator(code).ok_or(Rejection::UnknownIndicator { indicator: code })?;
    Ok(entry.unit.scale())
}

pub(super) fn minor_of(state: &State, matter: &Matter, amount: &Decimal) -> Result<i64, Rejection> {
    amount.minor(scale_of(state, matter)?).map_err(|why| Rejection::BadValue { why })
}
