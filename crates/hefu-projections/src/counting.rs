//! What does each area show, of each indicator, in each period, on each basis?
//!
//! Incremental: an observation touches the at most four areas above each of its participants. When a project moves,
//! its own observations from that day on are taken out, and put back under the new standing. The share of one
//! observation is a rule (`hefu_domain::counting`); here are only sums.

use std::collections::{BTreeMap, BTreeSet};

use hefu_domain::{
    amount::format_minor,
    counting::{AreaShare, Standing, breakpoints},
    event::Event,
    id::ProjectId,
    indicator::{Class, Count, Indicator, Kind},
    period::Period,
    region::{RegionId, RegionTree, dated::ALL},
    state::{IndicatorId, Project, State},
    time::Date,
};
use serde::{Deserialize, Serialize};

use crate::past::Past;

/// The latest value reported for one project, indicator and period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// What is measured.
    pub indicator: IndicatorId,
    /// When it happened.
    pub period: Period,
    /// Minor units.
    pub value: i64,
    /// Position of the record that says so.
    pub position: u64,
}

/// Sums of one area, indicator and period, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// 在地口径.
    pub territorial: i128,
    /// Part of 共享口径 located inside.
    pub as_destination: i128,
    /// Part of 共享口径 located outside.
    pub as_origin: i128,
    /// Observations (or projects) that take part.
    pub observations: i64,
}

impl Cell {
    /// 共享口径.
    pub fn shared(&self) -> i128 {
        self.as_destination + self.as_origin
    }

    fn of(share: AreaShare, sign: i64) -> Cell {
        let mut cell = Cell::default();
        cell.add(share, sign);
        cell
    }

    fn negated(&self) -> Cell {
        Cell {
            territorial: -self.territorial,
            as_destination: -self.as_destination,
            as_origin: -self.as_origin,
            observations: -self.observations,
        }
    }

    fn add(&mut self, share: AreaShare, sign: i64) {
        let sign_wide = i128::from(sign);
        self.territorial += sign_wide * i128::from(share.territorial);
        self.as_destination += sign_wide * i128::from(share.as_destination);
        self.as_origin += sign_wide * i128::from(share.as_origin);
        self.observations += sign;
    }

    pub(crate) fn merge(&mut self, other: &Cell) {
        self.territorial += other.territorial;
        self.as_destination += other.as_destination;
        self.as_origin += other.as_origin;
        self.observations += other.observations;
    }
}

/// Changes of a derived count by day: the count on a day is the sum of all changes up to it.
type Steps = BTreeMap<Date, Cell>;

/// The sums of an area over the reported periods that are wanted.
type Sum<'a> = dyn Fn(RegionId, &dyn Fn(Period) -> bool) -> Cell + 'a;

/// The cube.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counting {
    /// Latest values, by project, sorted by indicator and period.
    observations: BTreeMap<ProjectId, Vec<Observation>>,
    /// Sums by region, then indicator and reported period.
    cells: Vec<BTreeMap<(IndicatorId, Period), Cell>>,
    /// Projects, and large projects, by region.
    projects: Vec<[Steps; 2]>,
    /// Projects by the day construction started.
    constructions: BTreeSet<(Date, ProjectId)>,
    /// How the sums came about.
    past: Past,
}

/// One row of an indicator report. Amounts are minor units; `None` where a basis has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The area.
    pub region: RegionId,
    /// The indicator.
    pub indicator: IndicatorId,
    /// The period asked for.
    pub period: Period,
    /// 在地口径.
    pub territorial: Option<i128>,
    /// 共享口径.
    pub shared: Option<i128>,
    /// Part of shared, from projects located elsewhere.
    pub as_origin: Option<i128>,
    /// Part of shared, from projects located here.
    pub as_destination: Option<i128>,
    /// X = S − Σ S(children); `None` at a county.
    pub elimination: Option<i128>,
    /// Decimals of the minor unit.
    pub scale: u8,
    /// Nothing was reported that could be shown (a stock without its last sub-period, a ratio without denominator).
    pub missing: bool,
}

impl Row {
    /// An amount of this row as decimal text.
    pub fn text(&self, amount: Option<i128>) -> Option<String> {
        amount.map(|minor| format_minor(minor, self.scale))
    }
}

impl Counting {
    /// Records a reported or corrected value. Called after the state knows the event.
    pub fn observe(&mut self, state: &State, position: u64, event: &Event) {
        let (id, code, period, value) = match event {
            Event::ObservationReported(e) => (e.project, e.indicator, e.period, &e.value),
            Event::ObservationCorrected(e) => (e.project, e.indicator, e.period, &e.value),
            Event::ObservationRuled(e) => (e.project, e.indicator, e.period, &e.value),
            _ => return,
        };
        let (Some((indicator, entry)), Some(project)) = (state.indicator(code), state.projects.get(&id))
        else {
            return;
        };
        let value = value.minor(entry.unit.scale()).unwrap_or_default();
        let new = Observation { indicator, period, value, position };
        let known = self.observations.entry(id).or_default();
        let replaced = match known.binary_search_by_key(&(indicator, period), |o| (o.indicator, o.period)) {
            Ok(place) => Some(std::mem::replace(&mut known[place], new)),
            Err(place) => {
                known.insert(place, new);
                None
            }
        };
        let standing = Standing::of(&state.regions, project, (indicator, entry.class), period);
        if let Some(old) = replaced {
            self.share(&state.regions, &standing, &old, (-1, position));
        }
        self.share(&state.regions, &standing, &new, (1, position));
    }

    /// Takes a project's observations that end on or after `from`, and its counts, out of the sums.
    pub fn withdraw(&mut self, state: &State, position: u64, id: ProjectId, from: Date) {
        self.weigh(state, id, from, (-1, position));
    }

    /// Puts them back under the standing the state now gives them.
    pub fn restore(&mut self, state: &State, position: u64, id: ProjectId, from: Date) {
        self.weigh(state, id, from, (1, position));
    }

    /// Forgets the values of a project that are now those of what came of it. They are out of the sums already.
    pub fn part_with(&mut self, state: &State, id: ProjectId, from: Date) {
        let (Some(known), Some(project)) = (self.observations.get_mut(&id), state.projects.get(&id)) else {
            return;
        };
        known.retain(|o| o.period.end() < from || project.value(o.indicator, o.period).is_some());
    }

    /// Notes the values that a project takes over from what it came of, without counting them yet.
    pub fn take_over(&mut self, state: &State, position: u64, id: ProjectId) {
        let Some(project) = state.projects.get(&id) else { return };
        let values = project.reported.iter().flat_map(|((indicator, year), months)| {
            months.iter().filter_map(move |known| {
                let period = Period::months(*year, known.first, known.last)?;
                Some(Observation { indicator: *indicator, period, value: known.value, position })
            })
        });
        let mut values: Vec<Observation> = values.collect();
        values.sort_by_key(|o| (o.indicator, o.period));
        self.observations.insert(id, values);
    }

    /// Counts all projects again: the threshold for large ones may have changed.
    pub fn recount(&mut self, state: &State, position: u64) {
        for (area, counts) in (0..).map(RegionId).zip(std::mem::take(&mut self.projects)) {
            for (large, steps) in [false, true].into_iter().zip(counts) {
                for (day, cell) in steps {
                    self.past.count(area, large, day, position, &cell.negated());
                }
            }
        }
        for project in state.projects.values() {
            self.step(state, project, (1, position));
        }
    }

    fn weigh(&mut self, state: &State, id: ProjectId, from: Date, (sign, at): (i64, u64)) {
        let Some(project) = state.projects.get(&id) else { return };
        let observations = std::mem::take(self.observations.entry(id).or_default());
        for observation in observations.iter().filter(|o| o.period.end() >= from) {
            let class = state.indicators[usize::from(observation.indicator.0)].class;
            let what = (observation.indicator, class);
            let standing = Standing::of(&state.regions, project, what, observation.period);
            self.share(&state.regions, &standing, observation, (sign, at));
        }
        self.observations.insert(id, observations);
        self.step(state, project, (sign, at));
        for date in constructions(project) {
            if sign > 0 {
                self.constructions.insert((date, id));
            } else {
                self.constructions.remove(&(date, id));
            }
        }
    }

    fn share(
        &mut self,
        tree: &RegionTree,
        standing: &Standing,
        observation: &Observation,
        (sign, at): (i64, u64),
    ) {
        let key = (observation.indicator, observation.period);
        let plain = standing.is_plain();
        if plain {
            self.past.plain(standing.location(), key, at, (observation.value, sign));
        }
        for (area, share) in standing.area_shares(tree, observation.value) {
            let index = usize::from(area.0);
            if self.cells.len() <= index {
                self.cells.resize_with(index + 1, BTreeMap::new);
            }
            if !plain {
                self.past.shared(area, key, at, &Cell::of(share, sign));
            }
            let cell = self.cells[index].entry(key).or_default();
            cell.add(share, sign);
            if cell.observations == 0 {
                self.cells[index].remove(&key);
            }
        }
    }

    /// Adds (or takes away) the steps by which a project enters and leaves the counts of each area.
    fn step(&mut self, state: &State, project: &Project, (sign, at): (i64, u64)) {
        let end = project.closed.unwrap_or(Date::new(9999, 12, 31).unwrap_or(project.registered));
        let mut days = breakpoints(&state.regions, project);
        days.extend(project.planned.iter().map(|(from, _)| *from));
        days.push(project.registered);
        days.retain(|day| project.registered <= *day && *day < end);
        days.sort_unstable();
        days.dedup();
        for (place, day) in days.iter().enumerate() {
            let next = days.get(place + 1).copied().or(project.closed);
            let large = project.planned_on(*day) >= state.policy.large_project;
            let standing = Standing::on(&state.regions, project, Class::Attraction, *day);
            for (area, share) in standing.area_counts(&state.regions) {
                let index = usize::from(area.0);
                if self.projects.len() <= index {
                    self.projects.resize_with(index + 1, Default::default);
                }
                let [all, large_only] = &mut self.projects[index];
                for (which, steps) in [(false, Some(all)), (true, large.then_some(large_only))] {
                    let Some(steps) = steps else { continue };
                    for (day, sign) in [(Some(*day), sign), (next, -sign)] {
                        let Some(day) = day else { continue };
                        change(steps, day, share, sign);
                        self.past.count(area, which, day, at, &Cell::of(share, sign));
                    }
                }
            }
        }
    }

    /// The latest values of a project.
    pub fn observations(&self, project: ProjectId) -> &[Observation] {
        self.observations.get(&project).map_or(&[], Vec::as_slice)
    }

    /// All projects with observations.
    pub fn observed(&self) -> impl Iterator<Item = (ProjectId, &[Observation])> {
        self.observations.iter().map(|(id, all)| (*id, all.as_slice()))
    }

    /// The periods in which anything is reported of an indicator, wherever, as they were reported.
    pub fn reported(&self, indicator: IndicatorId) -> impl Iterator<Item = Period> {
        // Every observation counts for the nation, which is the first region.
        let cells = self.cells.first().into_iter().flatten();
        cells.filter(move |((of, _), _)| *of == indicator).map(|((_, period), _)| *period)
    }

    /// Projects whose construction started within a period.
    pub fn constructions_in(&self, period: Period) -> impl Iterator<Item = ProjectId> {
        let first = (period.start(), ProjectId(uuid_min()));
        let started = self.constructions.range(first..).take_while(move |(day, _)| *day <= period.end());
        started.map(|(_, id)| *id)
    }

    /// The sums of one area, indicator and period.
    pub fn cell(&self, state: &State, region: RegionId, indicator: IndicatorId, period: Period) -> Cell {
        let entry = &state.indicators[usize::from(indicator.0)];
        match entry.kind {
            Kind::Flow => self.sum(region, indicator, period.parts()),
            Kind::Stock => self.sum(region, indicator, period.closing_parts()),
            Kind::Count => self.count(state, region, entry, period),
            Kind::Ratio => Cell::default(),
        }
    }

    fn sum(&self, region: RegionId, indicator: IndicatorId, periods: impl Iterator<Item = Period>) -> Cell {
        let mut sum = Cell::default();
        if let Some(cells) = self.cells.get(usize::from(region.0)) {
            periods.filter_map(|period| cells.get(&(indicator, period))).for_each(|cell| sum.merge(cell));
        }
        sum
    }

    fn count(&self, state: &State, region: RegionId, entry: &Indicator, period: Period) -> Cell {
        let mut sum = Cell::default();
        match entry.count {
            Some(Count::Projects | Count::LargeProjects) => {
                let which = usize::from(entry.count == Some(Count::LargeProjects));
                if let Some(steps) = self.projects.get(usize::from(region.0)) {
                    steps[which].range(..=period.end()).for_each(|(_, step)| sum.merge(step));
                }
            }
            Some(Count::LargeProjectsImplemented) => {
                for id in self.implemented(state, period) {
                    let project = &state.projects[&id];
                    let standing = Standing::on(&state.regions, project, Class::Attraction, period.end());
                    let here =
                        standing.area_counts(&state.regions).into_iter().find(|(area, _)| *area == region);
                    if let Some((_, share)) = here {
                        sum.add(share, 1);
                    }
                }
            }
            None => {}
        }
        sum
    }

    /// Large projects implemented in a period: construction started in it, planned investment in force at its end.
    pub fn implemented(&self, state: &State, period: Period) -> BTreeSet<ProjectId> {
        let large = |id: &ProjectId| {
            state.projects.get(id).is_some_and(|p| p.planned_on(period.end()) >= state.policy.large_project)
        };
        self.constructions_in(period).filter(large).collect()
    }

    /// The sums of one area, indicator and period as they were after the first `size` records; `None` for a count of
    /// implemented projects, which only the fold up to there can tell.
    pub fn cell_at(
        &self,
        state: &State,
        region: RegionId,
        (indicator, period): (IndicatorId, Period),
        size: u64,
    ) -> Option<Cell> {
        let entry = &state.indicators[usize::from(indicator.0)];
        let sum = |wanted: &dyn Fn(Period) -> bool| {
            self.past.sum(&state.regions, region, (indicator, period), size, wanted)
        };
        match (entry.kind, entry.count) {
            (Kind::Flow, _) => Some(sum(&|_| true)),
            (Kind::Stock, _) => Some(sum(&|reported| reported.end() == period.end())),
            (Kind::Count, Some(Count::LargeProjectsImplemented)) => None,
            (Kind::Count, count) => {
                Some(self.past.counted(region, count == Some(Count::LargeProjects), period.end(), size))
            }
            (Kind::Ratio, _) => Some(Cell::default()),
        }
    }

    /// What the areas directly below one show together, shared: each counts where it lay on the last day of the
    /// observation's own period. `None` where nothing lay below.
    fn below(
        state: &State,
        region: RegionId,
        (indicator, period): (IndicatorId, Period),
        size: u64,
        sum: &Sum<'_>,
    ) -> Option<i128> {
        let tree = &state.regions;
        let flow = state.indicators[usize::from(indicator.0)].kind == Kind::Flow;
        let last = [period.end()];
        let mut ends: Vec<Date> = period.parts().map(Period::end).collect();
        ends.dedup();
        let days = if flow { &ends[..] } else { &last[..] };
        let mut below = tree.ever_children(region);
        if !tree.is_undated() {
            below.retain(|child| days.iter().any(|day| tree.is_child(*child, region, *day, size)));
        }
        let sums = below.iter().map(|child| {
            let there = |part: Period| tree.is_undated() || tree.is_child(*child, region, part.end(), size);
            sum(*child, &there).shared()
        });
        let sum = sums.sum();
        (!below.is_empty()).then_some(sum)
    }

    /// One row of a report as it was after the first `size` records, without folding them again; `None` as for
    /// [`Counting::cell_at`]. `state` is the present one: kinds and units never change, and it knows when superiors did.
    pub fn row_at(
        &self,
        state: &State,
        region: RegionId,
        (indicator, period): (IndicatorId, Period),
        size: u64,
    ) -> Option<Row> {
        let missing = std::cell::Cell::new(false);
        let cell = |area, part| {
            self.cell_at(state, area, (part, period), size).unwrap_or_else(|| {
                missing.set(true);
                Cell::default()
            })
        };
        let entry = &state.indicators[usize::from(indicator.0)];
        let below = Counting::below(state, region, (indicator, period), size, &|child, there| {
            if entry.kind == Kind::Count {
                return cell(child, indicator);
            }
            let wanted =
                |part: Period| there(part) && (entry.kind == Kind::Flow || part.end() == period.end());
            self.past.sum(&state.regions, child, (indicator, period), size, wanted)
        });
        let row = Counting::row_of(state, region, indicator, period, &cell, below);
        (!missing.get()).then_some(row)
    }

    /// One row of a report: all bases and the elimination line.
    pub fn row(&self, state: &State, region: RegionId, indicator: IndicatorId, period: Period) -> Row {
        let entry = &state.indicators[usize::from(indicator.0)];
        let below =
            Counting::below(state, region, (indicator, period), ALL, &|child, there| match entry.kind {
                Kind::Flow => self.sum(child, indicator, period.parts().filter(|part| there(*part))),
                Kind::Stock | Kind::Count | Kind::Ratio => self.cell(state, child, indicator, period),
            });
        let cell = |area, part| self.cell(state, area, part, period);
        Counting::row_of(state, region, indicator, period, &cell, below)
    }

    /// The same values counted where `state` puts them: for a state whose tree is restated.
    pub(crate) fn recounted(&self, state: &State) -> Counting {
        let mut counting = Counting { observations: self.observations.clone(), ..Counting::default() };
        for id in state.projects.keys() {
            counting.restore(state, 0, *id, Date::MIN);
        }
        counting.observations.retain(|id, _| self.observations.contains_key(id));
        counting
    }

    fn row_of(
        state: &State,
        region: RegionId,
        indicator: IndicatorId,
        period: Period,
        cell_of: &dyn Fn(RegionId, IndicatorId) -> Cell,
        below: Option<i128>,
    ) -> Row {
        let entry = &state.indicators[usize::from(indicator.0)];
        let scale = entry.unit.scale();
        let blank = Row {
            region,
            indicator,
            period,
            territorial: None,
            shared: None,
            as_origin: None,
            as_destination: None,
            elimination: None,
            scale,
            missing: true,
        };
        if entry.kind == Kind::Ratio {
            let part = |code| {
                let (id, part) = state.indicator(code?)?;
                Some((cell_of(region, id), part.unit.scale()))
            };
            let (Some(above), Some(below)) = (part(entry.numerator), part(entry.denominator)) else {
                return blank;
            };
            let divide = |a: i128, b: i128| quotient((a, above.1), (b, below.1), scale);
            let territorial = divide(above.0.territorial, below.0.territorial);
            let shared = divide(above.0.shared(), below.0.shared());
            let missing = territorial.is_none() && shared.is_none();
            return Row { territorial, shared, missing, ..blank };
        }
        let cell = cell_of(region, indicator);
        Row {
            territorial: Some(cell.territorial),
            shared: Some(cell.shared()),
            as_origin: Some(cell.as_origin),
            as_destination: Some(cell.as_destination),
            elimination: below.map(|below| cell.shared() - below),
            missing: entry.kind == Kind::Stock && cell.observations == 0,
            ..blank
        }
    }
}

/// The days construction started under this project; what it came of counts earlier ones.
fn constructions(project: &Project) -> impl Iterator<Item = Date> {
    project.stays.iter().filter_map(|stay| stay.construction).filter(|day| *day >= project.registered)
}

/// Whether a project is in a derived count (semantics R7).
pub(crate) fn counted(state: &State, entry: &Indicator, project: &Project, period: Period) -> bool {
    let end = period.end();
    let there = project.registered <= end && project.closed.is_none_or(|day| day > end);
    let large = project.planned_on(end) >= state.policy.large_project;
    let within = |day: Date| period.start() <= day && day <= end;
    match entry.count {
        Some(Count::Projects) => there,
        Some(Count::LargeProjects) => there && large,
        Some(Count::LargeProjectsImplemented) => large && constructions(project).any(within),
        None => false,
    }
}

/// `a / b` at `scale` decimals, half away from zero; both carry their own scale. `None` for a zero denominator.
pub(crate) fn quotient((a, a_scale): (i128, u8), (b, b_scale): (i128, u8), scale: u8) -> Option<i128> {
    let ten = |power: u8| 10i128.pow(u32::from(power));
    let above = a.checked_mul(ten(b_scale))?.checked_mul(ten(scale))?;
    let below = b.checked_mul(ten(a_scale))?;
    if below == 0 {
        return None;
    }
    let magnitude = (2 * above.unsigned_abs() + below.unsigned_abs()) / (2 * below.unsigned_abs());
    let magnitude = i128::try_from(magnitude).ok()?;
    Some(if (above < 0) == (below < 0) { magnitude } else { -magnitude })
}

fn change(steps: &mut Steps, day: Date, share: AreaShare, sign: i64) {
    let cell = steps.entry(day).or_default();
    cell.add(share, sign);
    if *cell == Cell::default() {
        steps.remove(&day);
    }
}

const fn uuid_min() -> uuid::Uuid {
    uuid::Uuid::nil()
}
