//! Lines of one project, indicator and period: sums that agree, and the nearest where nothing agrees.
//!
//! Refuses to search without bound: some of the lines are tried as a sum among at most [`SEARCHED`] lines of a side, the
//! nearest is looked for among at most [`COMPARED`]; beyond that only all lines together.

use std::{cmp::Reverse, collections::BTreeSet};

use hefu_domain::period::Period;

use super::{Allowed, Cell, Class, Item, Rule};

/// Some of the lines are tried as a sum among at most this many of a side.
const SEARCHED: usize = 12;

/// The nearest is looked for where the side with fewer lines has at most this many.
const COMPARED: usize = 256;

impl Cell {
    /// The periods in which both sides have open lines.
    fn shared_slots(&self) -> Vec<Period> {
        let open = |items: &[Item]| -> BTreeSet<Period> {
            items.iter().filter(|item| item.open).map(|item| item.slot).collect()
        };
        open(&self.book).intersection(&open(&self.ledger)).copied().collect()
    }

    /// The open lines of one period on both sides.
    fn open_in(&self, slot: Period) -> (Vec<usize>, Vec<usize>) {
        let open = |items: &[Item]| {
            let range = items.partition_point(|item| item.slot < slot)..;
            let same = items[range.clone()].iter().take_while(|item| item.slot == slot).enumerate();
            same.filter(|(_, item)| item.open).map(|(at, _)| range.start + at).collect()
        };
        (open(&self.book), open(&self.ledger))
    }

    /// All open lines of a side against one of the other, or against all of them. A stock of the ledger adds up to
    /// nothing.
    pub(super) fn sums_in_period(&mut self, class: Class, allowed: Allowed<'_>) {
        for slot in self.shared_slots() {
            let (ours, theirs) = self.open_in(slot);
            if let Some(one) = theirs.iter().copied().find(|one| self.agree(&ours, &[*one], allowed)) {
                let rule = if ours.len() == 1 { Rule::OneToOne } else { Rule::SumInPeriod };
                self.claim(class, rule, ours, vec![one]);
                continue;
            }
            if self.stock || theirs.len() < 2 {
                continue;
            }
            if let Some(one) = ours.iter().copied().find(|one| self.agree(&[*one], &theirs, allowed)) {
                self.claim(class, Rule::SumInPeriod, vec![one], theirs);
            } else if self.agree(&ours, &theirs, allowed) {
                self.claim(class, Rule::SumInPeriod, ours, theirs);
            }
        }
    }

    /// Some of the open lines of one side that add up exactly to a line of the other: the fewest, and the first of those.
    pub(super) fn subsets_in_period(&mut self) {
        for slot in self.shared_slots() {
            for wanted in self.open_in(slot).1 {
                let (ours, _) = self.open_in(slot);
                let amounts: Vec<i64> = ours.iter().map(|at| self.book[*at].minor).collect();
                if let Some(some) = adding_up(&amounts, self.ledger[wanted].minor) {
                    let some = some.into_iter().map(|place| ours[place]).collect();
                    self.claim(Class::Matched, Rule::SumInPeriod, some, vec![wanted]);
                }
            }
            for wanted in self.open_in(slot).0.into_iter().filter(|_| !self.stock).collect::<Vec<_>>() {
                let (_, theirs) = self.open_in(slot);
                let amounts: Vec<i64> = theirs.iter().map(|at| self.ledger[*at].minor).collect();
                if let Some(some) = adding_up(&amounts, self.book[wanted].minor) {
                    let some = some.into_iter().map(|place| theirs[place]).collect();
                    self.claim(Class::Matched, Rule::SumInPeriod, vec![wanted], some);
                }
            }
        }
    }

    /// What differs. As many lines on both sides are compared one by one, the nearest first. Of different numbers all are
    /// one difference, unless a single pair is nearer to each other than the two sums are. Sums that differ by their sign
    /// alone stay together.
    pub(super) fn nearest_in_period(&mut self) {
        for slot in self.shared_slots() {
            loop {
                let (ours, theirs) = self.open_in(slot);
                if ours.is_empty() || theirs.is_empty() {
                    break;
                }
                let pair = self.nearest(&ours, &theirs).filter(|(distance, ..)| {
                    let (mine, other) = self.sums(&ours, &theirs);
                    let whole = (mine - other).abs();
                    ours.len() == theirs.len() || (*distance < whole && mine != -other)
                });
                match pair {
                    Some((_, ours, theirs)) => {
                        self.claim(Class::ValueDiffers, Rule::OneToOne, vec![ours], vec![theirs]);
                    }
                    // A stock of the ledger adds up to nothing.
                    None if self.stock => {
                        self.claim(Class::ValueDiffers, Rule::SumInPeriod, ours, vec![theirs[0]]);
                    }
                    None => self.claim(Class::ValueDiffers, Rule::SumInPeriod, ours, theirs),
                }
            }
        }
    }

    /// The two lines whose amounts are nearest, the first of equals.
    fn nearest(&self, ours: &[usize], theirs: &[usize]) -> Option<(i128, usize, usize)> {
        let sorted = |items: &[Item], places: &[usize]| {
            let mut list: Vec<(i128, usize)> =
                places.iter().map(|at| (i128::from(items[*at].minor), *at)).collect();
            list.sort_unstable();
            list
        };
        if ours.len().min(theirs.len()) > COMPARED {
            return None;
        }
        let (mine, other) = (sorted(&self.book, ours), sorted(&self.ledger, theirs));
        let (mut left, mut right, mut best) = (mine.iter().peekable(), other.iter().peekable(), None);
        while let (Some((a, ours)), Some((b, theirs))) = (left.peek(), right.peek()) {
            let pair = ((a - b).abs(), *ours, *theirs);
            if best.is_none_or(|best| pair < best) {
                best = Some(pair);
            }
            // The smaller one can only get farther from what comes next on the other side.
            if a < b {
                left.next()
            } else {
                right.next()
            };
        }
        best
    }
}

/// Places of the fewest amounts, two at least, that add up to what is wanted; the first of those.
fn adding_up(amounts: &[i64], wanted: i64) -> Option<Vec<usize>> {
    if !(2..=SEARCHED).contains(&amounts.len()) {
        return None;
    }
    let mut sums: Vec<i128> = vec![0; 1 << amounts.len()];
    let mut best: Option<(u32, Reverse<u32>)> = None;
    for mask in 1u32..1 << amounts.len() {
        let (rest, first) = (mask & (mask - 1), mask.trailing_zeros());
        let sum = sums[rest as usize] + i128::from(amounts[first as usize]);
        sums[mask as usize] = sum;
        let key = (mask.count_ones(), Reverse(mask.reverse_bits()));
        if rest != 0 && sum == i128::from(wanted) && best.is_none_or(|best| key < best) {
            best = Some(key);
        }
    }
    let mask = best?.1.0.reverse_bits();
    Some((0..amounts.len()).filter(|place| mask >> place & 1 == 1).collect())
}
