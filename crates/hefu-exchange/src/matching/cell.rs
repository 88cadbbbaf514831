//! The lines of one project and indicator, and the rules that pair them, one after another.

mod same_period;

use std::collections::{BTreeMap, BTreeSet};

use hefu_domain::{indicator::IndicatorCode, period::Period};

use super::{BookLine, Class, Group, Key, LedgerLine, Rule};

/// A line, on either side.
#[derive(Clone, Copy)]
struct Item {
    /// Index into the caller's lines.
    index: usize,
    /// Where it is compared: the period; for a stock the last month of it.
    slot: Period,
    period: Period,
    minor: i64,
    open: bool,
}

/// A finding.
struct Found {
    class: Class,
    rule: Rule,
    book: Vec<usize>,
    ledger: Vec<usize>,
}

/// The lines of one project and indicator. Positions below are positions in these two lists, which are sorted so that
/// the order of the file does not matter.
pub(super) struct Cell {
    stock: bool,
    book: Vec<Item>,
    ledger: Vec<Item>,
    found: Vec<Found>,
}

type Allowed<'a> = &'a dyn Fn(i128) -> i128;

fn exactly(_: i128) -> i128 {
    0
}

impl Cell {
    pub(super) fn new(book: (&[BookLine], &[usize]), ledger: (&[LedgerLine], &[usize]), stock: bool) -> Cell {
        let slot = |period: Period| {
            let last = period.range().1;
            if stock { Period::months(period.year(), last, last).unwrap_or(period) } else { period }
        };
        let item = |index, period, minor| Item { index, slot: slot(period), period, minor, open: true };
        let (lines, indices) = book;
        let mut order: Vec<usize> = indices.to_vec();
        order.sort_by_key(|i| (slot(lines[*i].period), lines[*i].minor, lines[*i].named_by, lines[*i].row));
        let book = order.into_iter().map(|i| item(i, lines[i].period, lines[i].minor)).collect();
        let (lines, indices) = ledger;
        let mut order: Vec<usize> = indices.to_vec();
        order.sort_by_key(|i| {
            (slot(lines[*i].period), lines[*i].period, lines[*i].minor, lines[*i].records.clone())
        });
        let ledger = order.into_iter().map(|i| item(i, lines[i].period, lines[i].minor)).collect();
        Cell { stock, book, ledger, found: Vec::new() }
    }

    /// All rules in order.
    pub(super) fn run(&mut self, allowed: Allowed<'_>) {
        self.one_to_one(Class::Matched, &exactly);
        self.sums_in_period(Class::Matched, &exactly);
        self.subsets_in_period();
        self.parts(Class::Matched, &exactly);
        self.components(Class::Matched, &exactly);
        self.one_to_one(Class::WithinTolerance, allowed);
        self.sums_in_period(Class::WithinTolerance, allowed);
        self.parts(Class::WithinTolerance, allowed);
        self.components(Class::WithinTolerance, allowed);
        self.zeros();
        self.duplicates();
        self.other_period();
        self.nearest_in_period();
        self.components(Class::ValueDiffers, &|_| i128::MAX);
        self.rest();
    }

    fn open_book(&self) -> BTreeMap<Period, Vec<usize>> {
        let mut slots: BTreeMap<Period, Vec<usize>> = BTreeMap::new();
        for (at, item) in self.book.iter().enumerate().filter(|(_, item)| item.open) {
            slots.entry(item.slot).or_default().push(at);
        }
        slots
    }

    fn open_ledger(&self) -> Vec<usize> {
        (0..self.ledger.len()).filter(|at| self.ledger[*at].open).collect()
    }

    fn sums(&self, book: &[usize], ledger: &[usize]) -> (i128, i128) {
        let book = book.iter().map(|at| i128::from(self.book[*at].minor)).sum();
        (book, ledger.iter().map(|at| i128::from(self.ledger[*at].minor)).sum())
    }

    fn agree(&self, book: &[usize], ledger: &[usize], allowed: Allowed<'_>) -> bool {
        let (ours, theirs) = self.sums(book, ledger);
        (theirs - ours).abs() <= allowed(theirs)
    }

    fn claim(&mut self, class: Class, rule: Rule, book: Vec<usize>, ledger: Vec<usize>) {
        for at in &book {
            self.book[*at].open = false;
        }
        for at in &ledger {
            self.ledger[*at].open = false;
        }
        self.found.push(Found { class, rule, book, ledger });
    }

    /// One line each in one period; the nearest amounts first.
    fn one_to_one(&mut self, class: Class, allowed: Allowed<'_>) {
        let slots = self.open_book();
        for theirs in self.open_ledger() {
            let item = self.ledger[theirs];
            let wanted = i128::from(item.minor);
            let candidates = slots.get(&item.slot).map_or(&[][..], Vec::as_slice);
            let distance = |at: &usize| (wanted - i128::from(self.book[*at].minor)).abs();
            let open = candidates.iter().filter(|at| self.book[**at].open);
            // The first of equals: by amount, by what names it, by row.
            let nearest = open.min_by_key(|at| distance(at)).copied();
            if let Some(ours) = nearest.filter(|at| distance(at) <= allowed(wanted)) {
                self.claim(class, Rule::OneToOne, vec![ours], vec![theirs]);
            }
        }
    }

    /// One line of a longer period against all lines of shorter periods inside it. A stock does not add up over periods.
    fn parts(&mut self, class: Class, allowed: Allowed<'_>) {
        if self.stock {
            return;
        }
        for theirs in self.open_ledger() {
            let whole = self.ledger[theirs].period;
            let ours = inside(&self.book, whole);
            if !ours.is_empty() && self.agree(&ours, &[theirs], allowed) {
                self.claim(class, Rule::PartsOfPeriod, ours, vec![theirs]);
            }
        }
        for ours in 0..self.book.len() {
            let Item { open, period, .. } = self.book[ours];
            let (first, last) = period.range();
            if !open || first == last {
                continue;
            }
            let theirs = inside(&self.ledger, period);
            if !theirs.is_empty() && self.agree(&[ours], &theirs, allowed) {
                self.claim(class, Rule::PartsOfPeriod, vec![ours], theirs);
            }
        }
    }

    /// Open lines whose periods overlap, directly or through others, on both sides.
    fn components(&mut self, class: Class, allowed: Allowed<'_>) {
        if self.stock {
            return;
        }
        let ours = self.book.iter().enumerate().filter(|(_, i)| i.open).map(|(at, i)| (i.period, false, at));
        let theirs =
            self.ledger.iter().enumerate().filter(|(_, i)| i.open).map(|(at, i)| (i.period, true, at));
        let mut all: Vec<(Period, bool, usize)> = ours.chain(theirs).collect();
        all.sort_unstable();
        let mut components: Vec<(Period, Vec<usize>, Vec<usize>)> = Vec::new();
        for (period, in_ledger, at) in all {
            match components.last_mut() {
                Some((reach, ..)) if reach.overlaps(period) => {
                    let (first, last) = (reach.range().0, reach.range().1.max(period.range().1));
                    *reach = Period::months(reach.year(), first, last).unwrap_or(*reach);
                }
                Some(_) | None => components.push((period, Vec::new(), Vec::new())),
            }
            if let Some((_, book, ledger)) = components.last_mut() {
                if in_ledger { ledger.push(at) } else { book.push(at) }
            }
        }
        for (_, book, ledger) in components {
            if !book.is_empty() && !ledger.is_empty() && self.agree(&book, &ledger, allowed) {
                let rule = if book.len() == 1 || ledger.len() == 1 {
                    Rule::PartsOfPeriod
                } else {
                    Rule::Overlapping
                };
                self.claim(class, rule, book, ledger);
            }
        }
    }

    /// Zero on one side and nothing on the other say the same.
    fn zeros(&mut self) {
        let slots = self.open_book();
        let awaited: BTreeSet<Period> =
            self.open_ledger().into_iter().map(|at| self.ledger[at].slot).collect();
        for at in 0..self.book.len() {
            if self.book[at].open && self.book[at].minor == 0 && !awaited.contains(&self.book[at].slot) {
                self.claim(Class::Matched, Rule::Zero, vec![at], Vec::new());
            }
        }
        for at in self.open_ledger() {
            if self.ledger[at].minor == 0 && !slots.contains_key(&self.ledger[at].slot) {
                self.claim(Class::Matched, Rule::Zero, Vec::new(), vec![at]);
            }
        }
    }

    /// A line that says what an earlier one says. Where all copies are open the first stays open.
    fn duplicates(&mut self) {
        // Equal lines stand side by side; a claimed one among them speaks for all.
        let mut start = 0;
        while start < self.book.len() {
            let same =
                |item: &Item| (item.slot, item.minor) == (self.book[start].slot, self.book[start].minor);
            let end = start + self.book[start..].iter().take_while(|item| same(item)).count();
            let claimed = self.book[start..end].iter().any(|item| !item.open);
            let open: Vec<usize> = (start..end).filter(|at| self.book[*at].open).collect();
            for at in open.into_iter().skip(usize::from(!claimed)) {
                self.claim(Class::Duplicate, Rule::Alone, vec![at], Vec::new());
            }
            start = end;
        }
    }

    /// The same amount in another period, where neither has anything else to be compared with; the nearest first.
    fn other_period(&mut self) {
        let slots = self.open_book();
        let theirs = self.open_ledger();
        let taken: BTreeSet<Period> = theirs.iter().map(|at| self.ledger[*at].slot).collect();
        let mut by_amount: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for at in theirs.into_iter().filter(|at| !slots.contains_key(&self.ledger[*at].slot)) {
            by_amount.entry(self.ledger[at].minor).or_default().push(at);
        }
        let month = |period: Period| i32::from(period.year()) * 12 + i32::from(period.range().1);
        let mut pairs = Vec::new();
        for ours in slots.iter().filter(|(slot, _)| !taken.contains(slot)).flat_map(|(_, ours)| ours) {
            let item = &self.book[*ours];
            let same = by_amount.get(&item.minor).filter(|_| item.minor != 0);
            for theirs in same.into_iter().flatten() {
                let distance = (month(item.slot) - month(self.ledger[*theirs].slot)).abs();
                pairs.push((distance, *ours, *theirs));
            }
        }
        pairs.sort_unstable();
        for (_, ours, theirs) in pairs {
            if self.book[ours].open && self.ledger[theirs].open {
                self.claim(Class::PeriodDiffers, Rule::OneToOne, vec![ours], vec![theirs]);
            }
        }
    }

    fn rest(&mut self) {
        for at in 0..self.book.len() {
            if self.book[at].open {
                self.claim(Class::MissingInLedger, Rule::Alone, vec![at], Vec::new());
            }
        }
        for at in self.open_ledger() {
            self.claim(Class::MissingInBook, Rule::Alone, Vec::new(), vec![at]);
        }
    }

    /// The findings as groups, by period.
    pub(super) fn finish(self, project: &Key, indicator: IndicatorCode) -> Vec<Group> {
        let periods = |items: &[Item], at: &[usize]| {
            let mut periods: Vec<Period> = at.iter().map(|at| items[*at].period).collect();
            periods.sort_unstable();
            periods.dedup();
            periods
        };
        let group = |found: &Found| {
            let (book_minor, ledger_minor) = self.sums(&found.book, &found.ledger);
            Group {
                class: found.class,
                rule: found.rule,
                project: project.clone(),
                indicator,
                book: found.book.iter().map(|at| self.book[*at].index).collect(),
                ledger: found.ledger.iter().map(|at| self.ledger[*at].index).collect(),
                book_minor,
                ledger_minor,
                book_periods: periods(&self.book, &found.book),
                ledger_periods: periods(&self.ledger, &found.ledger),
            }
        };
        let mut groups: Vec<Group> = self.found.iter().map(group).collect();
        let first = |g: &Group| g.book_periods.iter().chain(&g.ledger_periods).min().copied();
        groups.sort_by(|a, b| {
            let key = |g: &Group| (first(g), g.class, g.book_minor, g.ledger_minor);
            key(a).cmp(&key(b))
        });
        groups
    }
}

/// The open lines of shorter periods inside `whole`, if no other open line reaches across its edges.
fn inside(items: &[Item], whole: Period) -> Vec<usize> {
    let mut inside = Vec::new();
    for (at, item) in items.iter().enumerate().filter(|(_, item)| item.open && item.period.overlaps(whole)) {
        if !whole.contains(item.period) {
            return Vec::new();
        }
        if item.period != whole {
            inside.push(at);
        }
    }
    inside
}
