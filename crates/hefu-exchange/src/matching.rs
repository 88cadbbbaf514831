//! Matching a region's own book with what the ledger counts for it (semantics section 7).
//!
//! Pure: lines in, groups out. Exact matches first, then within tolerance; one to one, then sums; always inside one
//! project and indicator. Every line is in exactly one group, whatever the order of the rows. The bridge from the book's
//! total to the ledger's is added up from the lines, not from the groups, so that its residual can fail.
//!
//! Refuses to search without bound, to pair lines of two projects, and to touch the ledger.

mod breaks;
mod bridge;
mod cell;
mod group;
pub mod memory;

use std::collections::BTreeMap;

use hefu_domain::{
    id::ProjectId,
    indicator::{Indicator, IndicatorCode, Kind},
    period::Period,
};
use serde::{Deserialize, Serialize};

pub use breaks::{Break, breaks};
pub use bridge::{Bridge, Step, bridges};
pub use group::{Class, Group, Rule, opposite};

/// Whose line it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A project on record.
    Known(ProjectId),
    /// A text that names nothing on record.
    Unknown(String),
}

/// What names a project. A line by id comes before one by code, and that before one by name, where both could be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamedBy {
    /// Its id.
    Id,
    /// A government project code, present or former.
    Code,
    /// Its name.
    Name,
    /// Nothing on record.
    Nothing,
}

/// One line of a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookLine {
    /// Its row in the file, from 1.
    pub row: u64,
    /// The project.
    pub project: Key,
    /// What names it.
    pub named_by: NamedBy,
    /// What is measured.
    pub indicator: IndicatorCode,
    /// When.
    pub period: Period,
    /// How much, in the indicator's minor unit.
    pub minor: i64,
    /// The amount is the stored result of a formula.
    pub formula: bool,
}

/// What the ledger counts of one observation for the region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerLine {
    /// The project.
    pub project: ProjectId,
    /// What is measured.
    pub indicator: IndicatorCode,
    /// When.
    pub period: Period,
    /// How much, in the indicator's minor unit.
    pub minor: i64,
    /// Positions of the records behind it: the observation first, then the transfers whose terms weigh it.
    pub records: Vec<u64>,
}

/// How far apart two amounts may be and still be one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tolerance {
    /// Minor units, by indicator; zero where none is given.
    pub absolute: BTreeMap<IndicatorCode, i64>,
    /// Parts per million of the ledger's amount.
    pub relative_ppm: u32,
}

impl Tolerance {
    /// The largest difference allowed; the larger of the two limits.
    fn allowed(&self, indicator: IndicatorCode, ledger: i128) -> i128 {
        let absolute = self.absolute.get(&indicator).copied().map_or(0, i128::from).max(0);
        let relative = ledger.unsigned_abs().saturating_mul(u128::from(self.relative_ppm)) / 1_000_000;
        absolute.max(i128::try_from(relative).unwrap_or(i128::MAX))
    }
}

/// Matches a book with the ledger. The groups come ordered by project, indicator and period.
pub fn match_lines(
    book: &[BookLine],
    ledger: &[LedgerLine],
    catalogue: &[Indicator],
    tolerance: &Tolerance,
) -> Vec<Group> {
    let mut cells: BTreeMap<(Key, IndicatorCode), (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (index, line) in book.iter().enumerate() {
        cells.entry((line.project.clone(), line.indicator)).or_default().0.push(index);
    }
    for (index, line) in ledger.iter().enumerate() {
        cells.entry((Key::Known(line.project), line.indicator)).or_default().1.push(index);
    }
    let stock = |code| catalogue.iter().any(|i: &Indicator| i.code == code && i.kind == Kind::Stock);
    let mut groups = Vec::new();
    for ((key, indicator), (ours, theirs)) in cells {
        let mut cell = cell::Cell::new((book, &ours), (ledger, &theirs), stock(indicator));
        cell.run(&|ledger_amount| tolerance.allowed(indicator, ledger_amount));
        groups.extend(cell.finish(&key, indicator));
    }
    groups
}

#[cfg(test)]
mod tests;
