//! Which records are behind one cell, and how much of each does the cell show?

use hefu_domain::{
    counting::{AreaShare, Standing, Weight},
    id::ProjectId,
    indicator::{Class, Kind},
    period::Period,
    region::RegionId,
    state::{IndicatorId, State},
};

use crate::{Views, counting::counted};

/// One observation (or, for a count, one project) behind a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The project.
    pub project: ProjectId,
    /// The indicator.
    pub indicator: IndicatorId,
    /// The period reported; for a count, the period asked for.
    pub period: Period,
    /// The whole value in minor units.
    pub value: i64,
    /// Position of the record that reports it; `None` for a count.
    pub position: Option<u64>,
    /// Positions of the accepted transfers whose terms weigh it.
    pub transfers: Vec<u64>,
    /// Everyone who takes part, the location first.
    pub weights: Vec<Weight>,
    /// What each of them shows.
    pub shares: Vec<i64>,
    /// What the area asked about shows.
    pub area: AreaShare,
    /// This line's part of the area's elimination; `None` at a county.
    pub elimination: Option<i64>,
}

/// The lines behind a cell, by project and period. Their sums are the cell's figures exactly.
pub fn explain(views: &Views, region: RegionId, indicator: IndicatorId, period: Period) -> Vec<Line> {
    let Views { state, counting, .. } = views;
    let entry = &state.indicators[usize::from(indicator.0)];
    let mut lines = Vec::new();
    match entry.kind {
        Kind::Flow | Kind::Stock => {
            for (id, observations) in counting.observed() {
                let parts = observations.iter().filter(|o| {
                    let inside = period.contains(o.period);
                    let closing = entry.kind == Kind::Flow || o.period.end() == period.end();
                    o.indicator == indicator && inside && closing
                });
                for part in parts {
                    let standing = Standing::of(
                        &state.regions,
                        &state.projects[&id],
                        (indicator, entry.class),
                        part.period,
                    );
                    let areas = standing.area_shares(&state.regions, part.value);
                    let shares = standing.shares(part.value);
                    let source = (id, indicator, part.period, part.value, Some(part.position));
                    lines.extend(line(state, region, source, &standing, shares, &areas));
                }
            }
        }
        Kind::Count => {
            for (id, project) in &state.projects {
                if counted(state, entry, project, period) {
                    let standing = Standing::on(&state.regions, project, Class::Attraction, period.end());
                    let areas = standing.area_counts(&state.regions);
                    let shares = standing.weights().iter().map(|weight| i64::from(weight.bp > 0)).collect();
                    let source = (*id, indicator, period, 1, None);
                    lines.extend(line(state, region, source, &standing, shares, &areas));
                }
            }
        }
        // A ratio is explained by its numerator and denominator.
        Kind::Ratio => {}
    }
    lines
}

type Source = (ProjectId, IndicatorId, Period, i64, Option<u64>);

fn line(
    state: &State,
    region: RegionId,
    (project, indicator, period, value, position): Source,
    standing: &Standing,
    shares: Vec<i64>,
    areas: &[(RegionId, AreaShare)],
) -> Option<Line> {
    let share_of = |id: RegionId| areas.iter().find(|(area, _)| *area == id).map(|(_, share)| *share);
    let area = share_of(region)?;
    let shared = |share: AreaShare| share.as_destination + share.as_origin;
    let children = state.regions.children_on(region, period.end());
    let below: i64 = children.iter().filter_map(|child| share_of(*child)).map(shared).sum();
    let weights = standing.weights().to_vec();
    let moves = &state.projects[&project].transfers;
    let behind = weights.iter().filter_map(|weight| moves[weight.transfer? as usize].accepted_at);
    let mut transfers: Vec<u64> = behind.collect();
    transfers.sort_unstable();
    transfers.dedup();
    let elimination = (!children.is_empty()).then(|| shared(area) - below);
    Some(Line { project, indicator, period, value, position, transfers, weights, shares, area, elimination })
}
