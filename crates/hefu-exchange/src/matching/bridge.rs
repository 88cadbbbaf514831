//! From the book's total to the ledger's, class by class. Amounts of two indicators are never added.

use std::collections::BTreeMap;

use hefu_domain::indicator::IndicatorCode;

use super::{BookLine, Class, Group, LedgerLine};

/// What one class does to the total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// How many groups.
    pub groups: usize,
    /// What they add to the book's total, minor units.
    pub net: i128,
    /// How much is in question, whatever its sign.
    pub gross: i128,
}

/// The way from the book's total to the ledger's, for one indicator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bridge {
    /// What is measured.
    pub indicator: IndicatorCode,
    /// The sum of all lines of the book.
    pub book: i128,
    /// How many lines the book has.
    pub book_lines: usize,
    /// The steps, in the order of [`Class::ALL`].
    pub steps: Vec<(Class, Step)>,
    /// The sum of all lines of the ledger.
    pub ledger: i128,
    /// How many lines the ledger has.
    pub ledger_lines: usize,
}

impl Bridge {
    /// What the steps leave unexplained: zero, or the matching is wrong.
    pub fn residual(&self) -> i128 {
        self.ledger - self.book - self.steps.iter().map(|(_, step)| step.net).sum::<i128>()
    }

    /// All that is in question.
    pub fn gross(&self) -> i128 {
        self.steps.iter().map(|(_, step)| step.gross).sum()
    }
}

/// One bridge for each indicator that either side has.
pub fn bridges(book: &[BookLine], ledger: &[LedgerLine], groups: &[Group]) -> Vec<Bridge> {
    let mut bridges: BTreeMap<IndicatorCode, Bridge> = BTreeMap::new();
    let mut of = |indicator: IndicatorCode, change: &dyn Fn(&mut Bridge)| {
        change(bridges.entry(indicator).or_insert_with(|| Bridge {
            indicator,
            book: 0,
            book_lines: 0,
            steps: Class::ALL.map(|class| (class, Step::default())).to_vec(),
            ledger: 0,
            ledger_lines: 0,
        }));
    };
    for line in book {
        of(line.indicator, &|bridge| {
            bridge.book += i128::from(line.minor);
            bridge.book_lines += 1;
        });
    }
    for line in ledger {
        of(line.indicator, &|bridge| {
            bridge.ledger += i128::from(line.minor);
            bridge.ledger_lines += 1;
        });
    }
    for group in groups {
        of(group.indicator, &|bridge| {
            for (_, step) in bridge.steps.iter_mut().filter(|(class, _)| *class == group.class) {
                step.groups += 1;
                step.net += group.net();
                step.gross += group.gross();
            }
        });
    }
    bridges.into_values().collect()
}
