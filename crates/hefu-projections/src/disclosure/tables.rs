//! The public tables of one indicator and year: what each enterprise contributes to each area in each period.
//!
//! Periods that are published overlap: a year is its quarters and what was reported for no quarter. The smallest pieces
//! that published periods consist of are blocks; each fact is in one block at most.

use std::collections::BTreeMap;

use hefu_domain::{
    disclosure::Finest,
    id::EnterpriseCode,
    indicator::Kind,
    period::Period,
    region::{RegionId, RegionTree},
    state::IndicatorId,
    time::Date,
};

use crate::{Views, counting::counted};

/// What each enterprise contributes to one cell, in minor units.
pub type Contributions = BTreeMap<EnterpriseCode, i128>;

/// One table: the cells of all areas. An area without an entry has no contributors.
pub type Table = BTreeMap<RegionId, Contributions>;

/// The tables of one indicator and year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    /// How the indicator adds up.
    pub kind: Kind,
    /// The year. Regions do not change within it.
    pub year: i16,
    /// What was reported for a published period and for none inside it.
    pub blocks: Vec<Table>,
    /// The published periods, each with the blocks it consists of.
    pub periods: Vec<(Period, Vec<usize>)>,
}

/// The periods of a year that public tables have, finest first.
pub fn published_periods(finest: Finest, year: i16) -> Vec<Period> {
    let runs = |months: u8| (1..=12).step_by(months.into()).map(move |first| (first, first + months - 1));
    let mut all: Vec<(u8, u8)> = Vec::new();
    if finest >= Finest::Month {
        all.extend(runs(1));
    }
    if finest >= Finest::Quarter {
        all.extend(runs(3));
    }
    all.push((1, 12));
    all.into_iter().filter_map(|(first, last)| Period::months(year, first, last)).collect()
}

impl Tables {
    /// The tables of an indicator that is not a ratio.
    pub fn of(views: &Views, indicator: IndicatorId, year: i16) -> Tables {
        let state = &views.state;
        let entry = &state.indicators[usize::from(indicator.0)];
        let published = published_periods(state.policy.disclosure.finest_period, year);
        // A stock is in a period only if it was taken on its last day (semantics R8).
        let within = |outer: Period, inner: Period| {
            outer.contains(inner) && (entry.kind != Kind::Stock || outer.end() == inner.end())
        };
        let mut facts: Vec<Table> = vec![Table::new(); published.len()];
        let mut note =
            |place: usize, (county, day): (RegionId, Date), enterprise: EnterpriseCode, value: i128| {
                for area in state.regions.upward_on(county, day) {
                    *facts[place].entry(area).or_default().entry(enterprise).or_default() += value;
                }
            };
        match entry.kind {
            Kind::Flow | Kind::Stock => {
                for (id, observations) in views.counting.observed() {
                    let Some(project) = state.projects.get(&id) else { continue };
                    for fact in observations.iter().filter(|fact| fact.indicator == indicator) {
                        // Finest first: the first that holds it is the smallest.
                        let Some(place) = published.iter().position(|period| within(*period, fact.period))
                        else {
                            continue;
                        };
                        let end = fact.period.end();
                        note(place, (project.located(end), end), project.enterprise, i128::from(fact.value));
                    }
                }
            }
            Kind::Count => {
                for (place, period) in published.iter().enumerate() {
                    for project in state.projects.values() {
                        if counted(state, entry, project, *period) {
                            let end = period.end();
                            note(place, (project.located(end), end), project.enterprise, 1);
                        }
                    }
                }
            }
            Kind::Ratio => {}
        }
        let parts = |period: &Period| match entry.kind {
            Kind::Count => published.iter().position(|other| other == period).into_iter().collect(),
            Kind::Flow | Kind::Stock | Kind::Ratio => {
                let inside = published.iter().enumerate().filter(|(_, inner)| within(*period, **inner));
                inside.map(|(place, _)| place).collect()
            }
        };
        let periods = published.iter().map(|period| (*period, parts(period))).collect();
        Tables { kind: entry.kind, year, blocks: facts, periods }
    }

    /// The table of a published period.
    pub fn whole(&self, blocks: &[usize]) -> Table {
        let mut whole = Table::new();
        for (area, cell) in blocks.iter().filter_map(|block| self.blocks.get(*block)).flatten() {
            let sum = whole.entry(*area).or_default();
            for (enterprise, value) in cell {
                *sum.entry(*enterprise).or_default() += value;
            }
        }
        whole
    }

    /// Everything that somebody could see or work out if nothing were suppressed: published periods, and what they leave
    /// over for no finer one. With each published period the one it is.
    pub(crate) fn visible(&self) -> Vec<(Option<Period>, Table)> {
        let whole = self.periods.iter().map(|(period, blocks)| (Some(*period), self.whole(blocks)));
        let rest = self.blocks.iter().map(|block| (None, block.clone()));
        whole.chain(rest).collect()
    }

    /// The areas of the year, superiors first, with their direct subordinates.
    pub fn areas(&self, tree: &RegionTree) -> Vec<(RegionId, Vec<RegionId>)> {
        let Some(year) = Period::months(self.year, 1, 12) else { return Vec::new() };
        tree.iter().map(|region| (region.id, tree.children_on(region.id, year.end()))).collect()
    }
}
