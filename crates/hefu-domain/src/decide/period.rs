//! Closing of periods, and what a date inside a closed one needs.

use super::{Context, acts_for, region};
use crate::{
    authority::Role,
    command::ClosePeriod,
    event::{Event, PeriodClosed},
    region::RegionId,
    rejection::Rejection,
    state::{Actor, State},
    time::Date,
};

pub(super) fn close(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &ClosePeriod,
) -> Result<Vec<Event>, Rejection> {
    let host = region(state, state.host)?.id;
    acts_for(state, actor, host, &[Role::Statistics])?;
    let (period, today) = (c.period, context.ts.date());
    if period.end() > today {
        return Err(Rejection::PeriodInFuture { period, today });
    }
    if let Some(closed) = state.closed.last() {
        let expected = closed.end().tomorrow();
        if period.start() != expected {
            return Err(Rejection::PeriodOutOfOrder { period, expected });
        }
    }
    Ok(vec![PeriodClosed { period }.into()])
}

/// A business date inside a closed period needs the signatures of all `parties` and of their superior (semantics
/// section 2), the signer's own included. An office or a coordinator signs for its region.
pub(super) fn open_or_signed(
    state: &State,
    context: &Context<'_>,
    date: Date,
    parties: &[RegionId],
) -> Result<(), Rejection> {
    let Some(closed) = state.closed.last().filter(|period| date <= period.end()) else { return Ok(()) };
    let Some(first) = parties.first() else { return Ok(()) };
    let common = parties.iter().fold(*first, |a, b| state.regions.common_superior(a, *b));
    let superior =
        if parties.contains(&common) { state.regions.get(common).parent.unwrap_or(common) } else { common };
    for needed in parties.iter().chain([&superior]) {
        let signed = state.keyring.keys.iter().any(|(id, key)| {
            let entitled = matches!(key.role, Role::Office | Role::Coordinator) && key.ended.is_none();
            let signs = *id == context.key || context.endorsers.contains(&key.public);
            entitled && signs && key.region == *needed
        });
        if !signed {
            let (closed, needed) = (*closed, state.code(*needed));
            return Err(Rejection::DateInClosedPeriod { date, closed, needed });
        }
    }
    Ok(())
}
