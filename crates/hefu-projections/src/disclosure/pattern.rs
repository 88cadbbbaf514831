//! Which areas are suppressed in an indicator's year.
//!
//! 1. Every area that is sensitive in any table that could be seen or worked out.
//! 2. For each of them, what keeps its figures unknown by at least p % of themselves.
//! 3. What is left when the published areas below a published area are taken away from it must not be sensitive itself:
//!    otherwise two enterprises alone in two suppressed counties would read each other's figures.
//! 4. An audit of the result, by itself. If it finds anything, every area with a contributor is suppressed.

use std::collections::{BTreeMap, BTreeSet};

use hefu_domain::{
    disclosure::Disclosure,
    period::Period,
    region::{RegionId, RegionTree},
};

use super::{
    Mark,
    network::{Edge, GROUND, Known, Network},
    rules::{self, Reason},
    tables::{Contributions, Table, Tables},
};

/// What is suppressed in an indicator's year.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    sensitive: BTreeMap<(RegionId, Period), Reason>,
    suppressed: BTreeSet<RegionId>,
}

impl Pattern {
    /// Chooses what to suppress. The same tables always give the same pattern.
    pub fn choose(rules: &Disclosure, tree: &RegionTree, tables: &Tables) -> Pattern {
        let areas = tables.areas(tree);
        let mut pattern = Pattern::default();
        for (period, table) in tables.visible() {
            for (area, cell) in &table {
                let Some(reason) = rules::of(rules, tables.kind, cell.values().copied()).into_iter().next()
                else {
                    continue;
                };
                pattern.suppressed.insert(*area);
                if let Some(period) = period {
                    pattern.sensitive.insert((*area, period), reason);
                }
            }
        }
        let work = Work { rules, tables, areas: &areas, networks: networks(&areas, tables) };
        if !work.complete(&mut pattern.suppressed) || !work.holds(&pattern.suppressed) {
            pattern.suppressed.extend(tables.blocks.iter().flat_map(Table::keys));
        }
        pattern
    }

    /// What becomes of a figure.
    pub fn mark(&self, area: RegionId, period: Period) -> Mark {
        match self.sensitive.get(&(area, period)) {
            Some(reason) => Mark::Primary(*reason),
            None if self.suppressed.contains(&area) => Mark::Secondary,
            None => Mark::Free,
        }
    }

    /// The suppressed areas.
    pub fn suppressed(&self) -> &BTreeSet<RegionId> {
        &self.suppressed
    }
}

/// One network for each block, over the areas of [`Tables::areas`]. Area `n` is cell `n` everywhere; its equation is node `n + 1`.
pub fn networks(areas: &[(RegionId, Vec<RegionId>)], tables: &Tables) -> Vec<Network> {
    let mut head: BTreeMap<RegionId, usize> = BTreeMap::new();
    for (place, (_, children)) in areas.iter().enumerate() {
        head.extend(children.iter().map(|child| (*child, place + 1)));
    }
    let network = |table: &Table| {
        let cell = |(place, (area, children)): (usize, &(RegionId, Vec<RegionId>))| Edge {
            tail: if children.is_empty() { GROUND } else { place + 1 },
            head: head.get(area).copied().unwrap_or(GROUND),
            known: known(table.get(area)),
        };
        Network { cells: areas.iter().enumerate().map(cell).collect() }
    };
    tables.blocks.iter().map(network).collect()
}

fn known(cell: Option<&Contributions>) -> Known {
    let Some(cell) = cell else { return Known::Exactly };
    let value = cell.values().sum();
    if cell.values().any(|part| *part < 0) { Known::Nothing(value) } else { Known::NotNegative(value) }
}

struct Work<'a> {
    rules: &'a Disclosure,
    tables: &'a Tables,
    areas: &'a [(RegionId, Vec<RegionId>)],
    networks: Vec<Network>,
}

impl Work<'_> {
    /// Adds to what is suppressed until steps 2 and 3 ask for no more. `false` if they cannot be met.
    fn complete(&self, suppressed: &mut BTreeSet<RegionId>) -> bool {
        loop {
            let mut cells = self.cells(suppressed);
            let before = cells.len();
            for (network, table) in self.networks.iter().zip(&self.tables.blocks) {
                for cell in cells.clone() {
                    let Some(contributions) = table.get(&self.areas[cell].0) else { continue };
                    if !network.protect(&mut cells, cell, self.need(contributions)) {
                        return false;
                    }
                }
            }
            suppressed.extend(cells.iter().map(|cell| self.areas[*cell].0));
            let left = self.left_over(suppressed);
            suppressed.extend(left);
            if cells.len() == before && left.is_none() {
                return true;
            }
        }
    }

    fn cells(&self, suppressed: &BTreeSet<RegionId>) -> BTreeSet<usize> {
        (0..self.areas.len()).filter(|place| suppressed.contains(&self.areas[*place].0)).collect()
    }

    /// How wide the interval of a figure is to be.
    fn need(&self, cell: &Contributions) -> i128 {
        let value: i128 = cell.values().sum();
        let part = (value.unsigned_abs() * u128::from(self.rules.p_percent)).div_ceil(100);
        i128::try_from(part).unwrap_or(i128::MAX).max(1)
    }

    /// One more area to suppress, because what is left over for the suppressed ones below a published area is sensitive.
    fn left_over(&self, suppressed: &BTreeSet<RegionId>) -> Option<RegionId> {
        let below: BTreeMap<RegionId, &Vec<RegionId>> =
            self.areas.iter().map(|(id, all)| (*id, all)).collect();
        for (_, table) in self.tables.visible() {
            for (area, children) in self.areas.iter().filter(|(area, _)| !suppressed.contains(area)) {
                let direct: Vec<RegionId> =
                    children.iter().copied().filter(|child| suppressed.contains(child)).collect();
                let mut lowest = direct.clone();
                while let Some(place) = lowest.iter().position(|id| !below[id].is_empty()) {
                    let inner = lowest.swap_remove(place);
                    lowest.extend(below[&inner].iter().filter(|child| suppressed.contains(child)));
                }
                if ![direct, lowest].iter().any(|set| self.is_sensitive(&table, set)) {
                    continue;
                }
                let size = |id: &RegionId| -> u128 {
                    table.get(id).into_iter().flat_map(BTreeMap::values).map(|part| part.unsigned_abs()).sum()
                };
                let open = children.iter().filter(|id| !suppressed.contains(id) && table.contains_key(id));
                return Some(open.min_by_key(|id| size(id)).copied().unwrap_or(*area));
            }
        }
        None
    }

    fn is_sensitive(&self, table: &Table, areas: &[RegionId]) -> bool {
        let mut sum = Contributions::new();
        for (enterprise, value) in areas.iter().filter_map(|area| table.get(area)).flatten() {
            *sum.entry(*enterprise).or_default() += value;
        }
        !rules::of(self.rules, self.tables.kind, sum.values().copied()).is_empty()
    }

    /// The audit: every suppressed figure to which anybody contributes stays unknown, by as much as it is to be.
    fn holds(&self, suppressed: &BTreeSet<RegionId>) -> bool {
        let cells = self.cells(suppressed);
        cells.iter().all(|cell| {
            let area = self.areas[*cell].0;
            let widths: Vec<Option<i128>> =
                self.networks.iter().map(|network| network.doubt(&cells, *cell).width()).collect();
            let blocks = self.tables.blocks.iter().zip(&widths);
            let open = blocks.filter(|(table, _)| table.contains_key(&area));
            let unknown = open.into_iter().all(|(_, width)| width.is_none_or(|width| width > 0));
            // The figure of a period can be any sum of what its blocks can be.
            let wide = self.tables.periods.iter().all(|(_, blocks)| {
                let whole = self.tables.whole(blocks);
                let Some(cell) = whole.get(&area) else { return true };
                let width: Option<i128> = blocks.iter().map(|block| widths[*block]).sum();
                width.is_none_or(|width| width >= self.need(cell))
            });
            unknown && wide
        })
    }
}
