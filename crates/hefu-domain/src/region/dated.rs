//! The tree on a day, as it was known after some number of records.
//!
//! Regions end and change superiors from a day on. A figure stands where its own period's last day puts it (as filed), so
//! every question here takes a day; a question about the past takes the number of records known as well. A tree that is
//! [`RegionTree::restated`] answers with today's for all days. Who may do this, and when: `decide/area.rs`.

use super::{Ended, Level, Region, RegionId, RegionTree, Superior};
use crate::{period::Period, time::Date};

/// Everything that is on record.
pub const ALL: u64 = u64::MAX;

impl RegionTree {
    /// Whether no region ever ended or changed its superior: then every day has today's tree.
    pub fn is_undated(&self) -> bool {
        self.days.is_empty()
    }

    /// The days on which a region ended or got another superior.
    pub fn days(&self) -> impl Iterator<Item = Date> {
        self.days.iter().copied()
    }

    /// The day of the last change of a region's superior or end, or the first its present code is valid.
    pub fn settled_since(&self, id: RegionId) -> Option<Date> {
        let region = self.get(id);
        let superior = region.superiors.last().and_then(|superior| superior.from);
        superior.max(region.ended.map(|ended| ended.date)).max(region.designations[0].from)
    }

    /// The region itself, or, if it ended, what it went to.
    pub fn heir(&self, id: RegionId) -> RegionId {
        let mut heir = id;
        while let Some(Ended { into, .. }) = self.get(heir).ended {
            heir = into;
        }
        heir
    }

    /// Whether a region had ended on a day, as the first `size` records knew.
    fn gone(&self, id: RegionId, day: Date, size: u64) -> bool {
        let ended = self.get(id).ended.filter(|ended| ended.at < size);
        ended.is_some_and(|ended| self.is_undated() || ended.date <= day)
    }

    /// The direct superior on a day, as the first `size` records knew.
    fn superior(&self, id: RegionId, day: Date, size: u64) -> Option<RegionId> {
        let Region { parent, superiors, .. } = self.get(id);
        if self.is_undated() {
            return *parent;
        }
        let then = |known: &&Superior| known.at < size && known.from.is_none_or(|from| from <= day);
        superiors.iter().rev().find(then).map(|superior| superior.region)
    }

    /// The direct superior on a day.
    pub fn parent_on(&self, id: RegionId, day: Date) -> Option<RegionId> {
        self.superior(id, day, ALL)
    }

    /// The region itself and its superiors on a day, nearest first.
    pub fn upward_on(&self, id: RegionId, day: Date) -> impl Iterator<Item = RegionId> {
        self.upward_known(id, day, ALL)
    }

    /// The same, as the first `size` records knew.
    pub fn upward_known(&self, id: RegionId, day: Date, size: u64) -> impl Iterator<Item = RegionId> {
        std::iter::successors(Some(id), move |id| self.superior(*id, day, size))
    }

    /// The lowest region that held both, as the first `size` records knew.
    pub fn common_superior_known(&self, a: RegionId, b: RegionId, size: u64) -> RegionId {
        let above: Vec<RegionId> = self.upward_known(b, Date::MAX, size).collect();
        self.upward_known(a, Date::MAX, size).find(|id| above.contains(id)).unwrap_or(RegionId(0))
    }

    /// Whether `inner` was `outer` or lay under it on a day.
    pub fn is_within_on(&self, inner: RegionId, outer: RegionId, day: Date) -> bool {
        self.upward_on(inner, day).any(|id| id == outer)
    }

    /// Whether `below` was a direct subordinate of `id` on a day, as the first `size` records knew.
    pub fn is_child(&self, below: RegionId, id: RegionId, day: Date, size: u64) -> bool {
        self.superior(below, day, size) == Some(id) && !self.gone(below, day, size)
    }

    /// All that ever were direct subordinates, by code.
    pub fn ever_children(&self, id: RegionId) -> Vec<RegionId> {
        if self.is_undated() {
            return self.children(id);
        }
        // Nothing lies under a county, but for what was merged into it.
        let below = self.iter().filter(|region| {
            self.get(id).level != Level::County && region.superiors.iter().any(|known| known.region == id)
        });
        let mut below: Vec<RegionId> = below.map(|region| region.id).collect();
        below.sort_by_key(|id| self.get(*id).code());
        below
    }

    /// Direct subordinates on a day, by code.
    pub fn children_on(&self, id: RegionId, day: Date) -> Vec<RegionId> {
        let mut below = self.ever_children(id);
        below.retain(|below| self.is_child(*below, id, day, ALL));
        below
    }

    /// Direct subordinates at the end of some month of a period, by code.
    pub fn children_in(&self, id: RegionId, period: Period) -> Vec<RegionId> {
        let mut below = self.ever_children(id);
        if !self.is_undated() {
            let ends: Vec<Date> = month_ends(period).collect();
            below.retain(|below| ends.iter().any(|day| self.is_child(*below, id, *day, ALL)));
        }
        below
    }

    /// The region and everything under it at the end of some month of a period, superiors before subordinates, by code.
    pub fn subtree_in(&self, id: RegionId, period: Period) -> Vec<RegionId> {
        let mut all = vec![id];
        for child in self.children_in(id, period) {
            let below = self.subtree_in(child, period);
            all.extend(below.into_iter().filter(|one| one != &id));
        }
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|one| seen.insert(*one));
        all
    }

    /// The tree as if today's had always been.
    #[must_use]
    pub fn restated(&self) -> RegionTree {
        let mut tree = self.clone();
        tree.days.clear();
        tree
    }

    /// Puts a region under another superior from a day on.
    pub(crate) fn put_under(&mut self, id: RegionId, superior: RegionId, from: Date, at: u64) {
        let region = &mut self.regions[usize::from(id.0)];
        region.parent = Some(superior);
        region.superiors.push(Superior { from: Some(from), at, region: superior });
        self.days.insert(from);
    }

    /// Ends a county in another from a day on. Its borders become that one's where it has none with the neighbour.
    pub(crate) fn end_in(&mut self, id: RegionId, into: RegionId, date: Date, at: u64) {
        self.put_under(id, into, date, at);
        self.regions[usize::from(id.0)].ended = Some(Ended { date, at, into });
        let old = self.borders.iter().filter(|((a, b), _)| *a == id || *b == id);
        let old: Vec<_> = old.map(|((a, b), kind)| (if *a == id { *b } else { *a }, *kind)).collect();
        for (neighbour, kind) in old.into_iter().filter(|(neighbour, _)| *neighbour != into) {
            self.borders.entry((into.min(neighbour), into.max(neighbour))).or_insert(kind);
        }
    }

    /// A part of a region goes to another from a day on; which, the projects know.
    pub(crate) fn part_on(&mut self, date: Date) {
        self.days.insert(date);
    }
}

/// The last days of a period's months.
fn month_ends(period: Period) -> impl Iterator<Item = Date> {
    let (first, last) = period.range();
    (first..=last).filter_map(move |month| Period::months(period.year(), month, month)).map(Period::end)
}
