//! Which observations does a region count, and how much of each?
//!
//! The lines behind all of a region's cells at once: what its own book is matched with.

use hefu_domain::{
    counting::{AreaShare, Standing},
    id::ProjectId,
    period::Period,
    region::RegionId,
    state::IndicatorId,
};

use crate::Views;

/// One observation that a region counts, on some basis or other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The project.
    pub project: ProjectId,
    /// What is measured.
    pub indicator: IndicatorId,
    /// The period reported.
    pub period: Period,
    /// What the region shows, on each basis, in minor units.
    pub share: AreaShare,
    /// Position of the record that reports the value.
    pub position: u64,
    /// Positions of the accepted transfers whose terms weigh it.
    pub transfers: Vec<u64>,
}

/// All observations that `region` counts, by project, indicator and period. `wanted` chooses among indicators and periods.
pub fn counted(
    views: &Views,
    region: RegionId,
    wanted: impl Fn(IndicatorId, Period) -> bool,
) -> Vec<Counted> {
    let Views { state, counting, .. } = views;
    let mut lines = Vec::new();
    for (id, observations) in counting.observed() {
        let Some(project) = state.projects.get(&id) else { continue };
        for part in observations.iter().filter(|part| wanted(part.indicator, part.period)) {
            let class = state.indicators[usize::from(part.indicator.0)].class;
            let standing = Standing::on(&state.regions, project, class, part.period.end());
            let areas = standing.area_shares(&state.regions, part.value);
            let Some((_, share)) = areas.into_iter().find(|(area, _)| *area == region) else { continue };
            let behind = standing.weights().iter().filter_map(|weight| weight.transfer);
            let behind = behind.filter_map(|number| project.transfers.get(number as usize)?.accepted_at);
            let mut transfers: Vec<u64> = behind.collect();
            transfers.sort_unstable();
            transfers.dedup();
            lines.push(Counted {
                project: id,
                indicator: part.indicator,
                period: part.period,
                share,
                position: part.position,
                transfers,
            });
        }
    }
    lines
}
