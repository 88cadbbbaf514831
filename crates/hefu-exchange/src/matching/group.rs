//! What lines were put together, and what that says.

use std::collections::BTreeMap;

use hefu_domain::{indicator::IndicatorCode, period::Period};
use serde::{Deserialize, Serialize};

use super::Key;

/// What a group of lines says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Book and ledger say the same.
    Matched,
    /// They differ by no more than was allowed.
    WithinTolerance,
    /// They differ.
    ValueDiffers,
    /// The same amount in another period.
    PeriodDiffers,
    /// The ledger has it, the book has not.
    MissingInBook,
    /// The book has it, the ledger has not.
    MissingInLedger,
    /// The book has it once more.
    Duplicate,
}

impl Class {
    /// All of them, in the order of the bridge.
    pub const ALL: [Class; 7] = [
        Class::Matched,
        Class::WithinTolerance,
        Class::ValueDiffers,
        Class::PeriodDiffers,
        Class::MissingInBook,
        Class::MissingInLedger,
        Class::Duplicate,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Matched => "matched",
            Class::WithinTolerance => "within_tolerance",
            Class::ValueDiffers => "value_differs",
            Class::PeriodDiffers => "period_differs",
            Class::MissingInBook => "missing_in_book",
            Class::MissingInLedger => "missing_in_ledger",
            Class::Duplicate => "duplicate",
        }
    }

    /// Whether somebody has to look at it.
    pub const fn is_break(self) -> bool {
        match self {
            Class::Matched | Class::WithinTolerance => false,
            Class::ValueDiffers
            | Class::PeriodDiffers
            | Class::MissingInBook
            | Class::MissingInLedger
            | Class::Duplicate => true,
        }
    }
}

/// Which rule put the lines together, in the order they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// One line each, in one period.
    OneToOne,
    /// Several lines of one side, or of both, in one period are taken together.
    SumInPeriod,
    /// Lines of shorter periods add up to one of a longer.
    PartsOfPeriod,
    /// Lines whose periods overlap add up on both sides.
    Overlapping,
    /// Nothing to compare with.
    Alone,
    /// Zero on one side, nothing on the other.
    Zero,
}

impl Rule {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Rule::OneToOne => "one_to_one",
            Rule::SumInPeriod => "sum_in_period",
            Rule::PartsOfPeriod => "parts_of_period",
            Rule::Overlapping => "overlapping",
            Rule::Alone => "alone",
            Rule::Zero => "zero",
        }
    }
}

/// Lines that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they say.
    pub class: Class,
    /// What put them together.
    pub rule: Rule,
    /// Whose they are.
    pub project: Key,
    /// What is measured.
    pub indicator: IndicatorCode,
    /// Lines of the book, as indices.
    pub book: Vec<usize>,
    /// Lines of the ledger, as indices.
    pub ledger: Vec<usize>,
    /// Sum of the book's lines, minor units.
    pub book_minor: i128,
    /// Sum of the ledger's lines, minor units.
    pub ledger_minor: i128,
    /// The book's periods, each once.
    pub book_periods: Vec<Period>,
    /// The ledger's periods, each once.
    pub ledger_periods: Vec<Period>,
}

impl Group {
    /// What has to be added to the book to reach the ledger.
    pub fn net(&self) -> i128 {
        self.ledger_minor - self.book_minor
    }

    /// How much is in question, whatever its sign: the same amount in another period is wrong in both.
    pub fn gross(&self) -> i128 {
        if self.class == Class::PeriodDiffers {
            self.book_minor.abs() + self.ledger_minor.abs()
        } else {
            self.net().abs()
        }
    }
}

/// Projects whose breaks in one indicator add up to the same on both sides, but for the sign.
pub fn opposite(groups: &[Group]) -> usize {
    let mut sums: BTreeMap<(&Key, IndicatorCode), (i128, i128)> = BTreeMap::new();
    for group in groups.iter().filter(|group| group.class.is_break()) {
        let (book, ledger) = sums.entry((&group.project, group.indicator)).or_default();
        *book += group.book_minor;
        *ledger += group.ledger_minor;
    }
    sums.values().filter(|(book, ledger)| *book != 0 && *book == -ledger).count()
}
