//! Cells and the sums that tie them, as a network: a node for each equation, an edge for each cell between the equation
//! that adds it up and the one it is a part of. Cells of one equation only end in the ground.
//!
//! Two figures that leave all sums as they are differ by a circulation. So a suppressed cell can be worked out exactly if
//! no circulation over suppressed cells goes through it, and how far it can be estimated is the greatest flow around it:
//! exact, in integers. Holds for tables of areas under areas, and of rows and columns; not for three dimensions.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The node beyond the table.
pub const GROUND: usize = 0;

/// A cell as an edge: more of it flows from `tail` to `head`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The equation whose sum it is, or the ground.
    pub tail: usize,
    /// The equation it is a part of, or the ground.
    pub head: usize,
    /// What outsiders know of it beforehand.
    pub known: Known,
}

/// What outsiders know of a cell beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Its value: nobody contributes, or it cannot be suppressed.
    Exactly,
    /// That it is not negative. Its true value.
    NotNegative(i128),
    /// Nothing. Its true value.
    Nothing(i128),
}

impl Known {
    /// By how much it could be less, for all that is known; `None`: by any amount.
    fn less(self) -> Option<i128> {
        match self {
            Known::Exactly => Some(0),
            Known::NotNegative(value) => Some(value),
            Known::Nothing(_) => None,
        }
    }

    const fn size(self) -> u128 {
        match self {
            Known::Exactly => 0,
            Known::NotNegative(value) | Known::Nothing(value) => value.unsigned_abs(),
        }
    }
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Its cells.
    pub cells: Vec<Edge>,
}

/// By how much a suppressed cell could be less or more than it is, as far as outsiders can tell; `None`: by any amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Less.
    pub down: Option<i128>,
    /// More.
    pub up: Option<i128>,
}

impl Doubt {
    /// The width of the interval; `None`: without end.
    pub fn width(self) -> Option<i128> {
        self.down?.checked_add(self.up?)
    }
}

/// How many cells, and of what size.
type Cost = (usize, u128);

/// A step over a cell on the way round.
type Step = (usize, bool);

impl Network {
    /// How closely a suppressed cell can be estimated when these cells are suppressed.
    pub fn doubt(&self, suppressed: &BTreeSet<usize>, cell: usize) -> Doubt {
        let edge = self.cells[cell];
        if edge.known == Known::Exactly {
            return Doubt { down: Some(0), up: Some(0) };
        }
        let up = self.flow(suppressed, cell, edge.head, edge.tail);
        let down = match (self.flow(suppressed, cell, edge.tail, edge.head), edge.known.less()) {
            (None, known) => known,
            (flow, None) => flow,
            (Some(flow), Some(known)) => Some(flow.min(known)),
        };
        Doubt { down, up }
    }

    /// Suppresses the cheapest further cells until the interval of `cell` is at least `need` wide: as few as possible,
    /// then as small as possible, then in reading order. `false` if no cells can do it.
    pub fn protect(&self, suppressed: &mut BTreeSet<usize>, cell: usize, need: i128) -> bool {
        let need = need.max(1);
        loop {
            let Some(width) = self.doubt(suppressed, cell).width() else { return true };
            if width >= need {
                return true;
            }
            let mut step = need - width;
            let found = loop {
                if let Some(found) = self.way_round(suppressed, cell, step) {
                    break found;
                }
                if step == 1 {
                    return false;
                }
                step = (step / 2).max(1);
            };
            suppressed.extend(found);
        }
    }

    /// The cheapest way round through at least one published cell by which `cell` could differ by `step`.
    fn way_round(&self, suppressed: &BTreeSet<usize>, cell: usize, step: i128) -> Option<Vec<usize>> {
        let Edge { tail, head, known } = self.cells[cell];
        let up = self.cheapest(suppressed, cell, (head, tail), step);
        let may_fall = known.less().is_none_or(|less| less >= step);
        let down = may_fall.then(|| self.cheapest(suppressed, cell, (tail, head), step)).flatten();
        match (up, down) {
            (Some(up), Some(down)) => Some(if down.0 < up.0 { down.1 } else { up.1 }),
            (up, down) => up.or(down).map(|(_, cells)| cells),
        }
    }

    /// Cells to suppress on the cheapest path between two nodes, and their number and size.
    fn cheapest(
        &self,
        suppressed: &BTreeSet<usize>,
        without: usize,
        (from, to): (usize, usize),
        step: i128,
    ) -> Option<(Cost, Vec<usize>)> {
        // By node, and whether a published cell was used on the way.
        let mut best: BTreeMap<(usize, bool), (Cost, Vec<usize>)> = BTreeMap::new();
        best.insert((from, false), ((0, 0), Vec::new()));
        let mut changed = true;
        while changed {
            changed = false;
            for (place, edge) in self.cells.iter().enumerate() {
                if place == without || edge.known == Known::Exactly {
                    continue;
                }
                let may_fall = edge.known.less().is_none_or(|less| less >= step);
                let ways = [(edge.tail, edge.head, true), (edge.head, edge.tail, may_fall)];
                for (start, end, _) in ways.into_iter().filter(|way| way.2) {
                    for used in [false, true] {
                        let Some((cost, path)) = best.get(&(start, used)) else { continue };
                        if path.contains(&place) {
                            continue;
                        }
                        let new = !suppressed.contains(&place);
                        let cost =
                            (cost.0 + usize::from(new), cost.1 + if new { edge.known.size() } else { 0 });
                        let key = (end, used || new);
                        if best.get(&key).is_none_or(|(known, _)| cost < *known) {
                            let mut path = path.clone();
                            if new {
                                path.push(place);
                            }
                            best.insert(key, (cost, path));
                            changed = true;
                        }
                    }
                }
            }
        }
        best.remove(&(to, true))
    }

    /// The greatest flow between two nodes over suppressed cells but `without`; `None`: without end.
    fn flow(&self, suppressed: &BTreeSet<usize>, without: usize, from: usize, to: usize) -> Option<i128> {
        let usable: Vec<usize> = suppressed
            .iter()
            .copied()
            .filter(|place| *place != without && self.cells[*place].known != Known::Exactly)
            .collect();
        if self.path(&usable, &BTreeMap::new(), from, to, true).is_some() {
            return None;
        }
        let mut moved: BTreeMap<usize, i128> = BTreeMap::new();
        let mut total: i128 = 0;
        while let Some(path) = self.path(&usable, &moved, from, to, false) {
            let room = path.iter().filter_map(|step| self.room(&moved, *step)).min()?;
            for (place, forward) in path {
                *moved.entry(place).or_default() += if forward { room } else { -room };
            }
            total += room;
        }
        Some(total)
    }

    /// How much more can go over a cell in a direction; `None`: any amount.
    fn room(&self, moved: &BTreeMap<usize, i128>, (place, forward): Step) -> Option<i128> {
        if forward {
            return None;
        }
        let already = moved.get(&place).copied().unwrap_or(0);
        self.cells[place].known.less().map(|less| less + already)
    }

    /// A shortest path with room; with `endless`, over cells with room for any amount only.
    fn path(
        &self,
        usable: &[usize],
        moved: &BTreeMap<usize, i128>,
        from: usize,
        to: usize,
        endless: bool,
    ) -> Option<Vec<Step>> {
        let mut came: BTreeMap<usize, Option<(usize, Step)>> = BTreeMap::from([(from, None)]);
        let mut queue = VecDeque::from([from]);
        while let Some(node) = queue.pop_front() {
            if node == to {
                break;
            }
            for place in usable {
                let edge = self.cells[*place];
                for (start, end, forward) in [(edge.tail, edge.head, true), (edge.head, edge.tail, false)] {
                    let room = self.room(moved, (*place, forward));
                    let open = if endless { room.is_none() } else { room.is_none_or(|room| room > 0) };
                    if start == node && open && !came.contains_key(&end) {
                        came.insert(end, Some((node, (*place, forward))));
                        queue.push_back(end);
                    }
                }
            }
        }
        let mut path = Vec::new();
        let mut node = to;
        while let Some((before, step)) = came.get(&node)? {
            path.push(*step);
            node = *before;
        }
        path.reverse();
        Some(path)
    }
}
