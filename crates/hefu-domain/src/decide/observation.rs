//! Reporting observations: only where the project is located; credits are never reported, only derived.

use super::{Context, acts_for, project};
use crate::{
    amount::Decimal,
    authority::Role,
    command::ReportObservation,
    event::{Event, ObservationCorrected, ObservationReported},
    id::ProjectId,
    indicator::Kind,
    period::Period,
    rejection::Rejection,
    state::{Actor, IndicatorId, Project, State},
};

pub(super) fn report(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &ReportObservation,
) -> Result<Vec<Event>, Rejection> {
    let ReportObservation { indicator: code, period, project: id, ref value } = *c;
    let project = project(state, id)?;
    // The county of the period's last day (or its successor) reports it; so may the one that holds the project, and its
    // books, now.
    let roles = [Role::Office, Role::Statistics];
    let there = state.regions.heir(project.located(period.end()));
    acts_for(state, actor, there, &roles)
        .or_else(|refused| acts_for(state, actor, project.holder(), &roles).map_err(|_| refused))?;
    let listed = state.policy.indicators.iter().any(|indicator| indicator.code == code);
    let known = state.indicator(code).filter(|_| listed);
    let (indicator_id, indicator) = known.ok_or(Rejection::UnknownIndicator { indicator: code })?;
    match indicator.kind {
        Kind::Flow | Kind::Stock => {}
        Kind::Count | Kind::Ratio => return Err(Rejection::DerivedIndicator { indicator: code }),
    }
    let scale = indicator.unit.scale();
    let minor = value.minor(scale).map_err(|why| Rejection::BadValue { why })?;
    let today = context.ts.date();
    if period.end() > today {
        return Err(Rejection::PeriodInFuture { period, today });
    }
    own_period(state, project, indicator_id, period)?;
    if let Some(closed) = project.closed.filter(|closed| period.start() > *closed) {
        return Err(Rejection::PeriodAfterClosing { period, closed });
    }
    let value = Decimal::from_minor(minor, scale);
    if let Some(dispute) = project.ruled_values.get(&(indicator_id, period)) {
        return Err(Rejection::ValueRuled { dispute: *dispute });
    }
    let mut reported = project.reported_in(indicator_id, period.year());
    let Some(conflict) =
        reported.find(|existing| existing.overlaps(period) || existing.frequency() != period.frequency())
    else {
        return Ok(vec![ObservationReported { indicator: code, period, project: id, value }.into()]);
    };
    // Within one frequency and year every later report either repeats a period or conflicts with one.
    if project.reported_in(indicator_id, period.year()).any(|existing| existing == period) {
        return Ok(vec![ObservationCorrected { indicator: code, period, project: id, value }.into()]);
    }
    if conflict.overlaps(period) {
        return Err(Rejection::PeriodOverlaps { period, existing: conflict });
    }
    Err(Rejection::FrequencyMixed { period, existing: conflict })
}

/// A period belongs to a project or to what came of it, never to both: what was handed on keeps what it has and gets
/// nothing more from that day on; what came of it begins on its first day, and not where a value stayed behind.
fn own_period(
    state: &State,
    project: &Project,
    indicator: IndicatorId,
    period: Period,
) -> Result<(), Rejection> {
    if let Some(date) = project.handed_on.filter(|date| period.end() >= *date)
        && project.value(indicator, period).is_none()
    {
        return Err(Rejection::ProjectHandedOn { date });
    }
    let Some(came) = &project.came_of else { return Ok(()) };
    if period.end() < project.registered {
        return Err(Rejection::PeriodBeforeProject { period, from: project.registered });
    }
    let mut before: Vec<ProjectId> = came.from.clone();
    while let Some(source) = before.pop().and_then(|id| state.projects.get(&id)) {
        let mut kept = source.reported_in(indicator, period.year());
        if let Some(existing) = kept.find(|known| known.overlaps(period)) {
            return Err(Rejection::PeriodOverlaps { period, existing });
        }
        before.extend(source.came_of.iter().flat_map(|came| came.from.iter().copied()));
    }
    Ok(())
}
