//! Freezing vintages: by the host's statistics bureau, of what is on record, once under one name.

use std::collections::BTreeSet;

use super::{Context, acts_for, region, text};
use crate::{
    authority::Role,
    command::FreezeVintage,
    event::{Event, VintageFrozen},
    rejection::Rejection,
    state::{Actor, State},
};

/// Indicators and periods that one vintage may name.
const MOST: usize = 200;

pub(super) fn freeze(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &FreezeVintage,
) -> Result<Vec<Event>, Rejection> {
    let host = region(state, state.host)?.id;
    acts_for(state, actor, host, &[Role::Statistics])?;
    text("name", &c.name)?;
    if let Some(known) = state.vintages.frozen.get(&c.name) {
        return Err(Rejection::VintageKnown { position: known.frozen_at });
    }
    once_each("indicators", &c.indicators)?;
    once_each("periods", &c.periods)?;
    if let Some(unknown) = c.indicators.iter().find(|code| state.indicator(**code).is_none()) {
        return Err(Rejection::UnknownIndicator { indicator: *unknown });
    }
    let today = context.ts.date();
    if let Some(running) = c.periods.iter().find(|period| period.end() > today) {
        return Err(Rejection::PeriodInFuture { period: *running, today });
    }
    if c.position >= state.size {
        return Err(Rejection::NoSuchRecord { position: c.position });
    }
    let FreezeVintage { digest, kind, position, .. } = *c;
    let FreezeVintage { indicators, name, periods, .. } = c.clone();
    let policy_version = state.vintages.policy_at(position);
    let geography = state.vintages.geography_at(position);
    let frozen =
        VintageFrozen { digest, geography, indicators, kind, name, periods, policy_version, position };
    Ok(vec![frozen.into()])
}

/// At least one, each once, not too many.
fn once_each<T: Ord>(field: &'static str, list: &[T]) -> Result<(), Rejection> {
    let distinct: BTreeSet<&T> = list.iter().collect();
    if list.is_empty() || distinct.len() < list.len() || list.len() > MOST {
        return Err(Rejection::BadVintage { field });
    }
    Ok(())
}
