//! The cells: one hand on one part each, and what is said of it. One declaration makes the test and the row of the table.

use super::hands::WORLD;
use super::world::World;

/// What comes of it.
pub(super) enum Outcome {
    /// The verifier says this.
    Found(fn(&World) -> String, &'static str),
    /// It cannot be done, or is no damage; why.
    No(&'static str),
}

/// One cell of the matrix.
pub(super) struct Cell {
    pub(super) attack: &'static str,
    /// The name of its test.
    pub(super) part: &'static str,
    pub(super) outcome: Outcome,
}

/// The verifier says this.
const fn found(act: fn(&World) -> String, expected: &'static str) -> Outcome {
    Outcome::Found(act, expected)
}

/// It cannot be done, or is no damage; why.
const fn none(why: &'static str) -> Outcome {
    Outcome::No(why)
}

fn check(cells: &[Cell], part: &str) {
    let cell = cells.iter().find(|cell| cell.part == part).unwrap();
    let Outcome::Found(act, expected) = cell.outcome else { panic!("{part}: nothing is done") };
    assert_eq!(act(&WORLD), expected, "{} × {part}", cell.attack);
}

/// Declares the cells of one operation: `part = found(what is done, what is said)` is a test, `part = none(why)` is not.
macro_rules! cells {
    ($attack:literal, $($name:ident = $kind:ident $args:tt),+ $(,)?) => {
        pub(in super::super) const CELLS: &[Cell] =
            &[$(Cell { attack: $attack, part: stringify!($name), outcome: $kind $args }),+];
        $(cells!(@$kind $name);)+
    };
    (@found $name:ident) => {
        #[test]
        fn $name() {
            super::check(CELLS, stringify!($name));
        }
    };
    (@none $name:ident) => {};
}

mod drop;
mod duplicate;
mod flip;
mod fork;
mod insert;
mod rechain;
mod redact;
mod roll_back;
mod swap;
mod truncate;

/// In the order of the table.
pub(super) const ALL: [&[Cell]; 10] = [
    flip::CELLS,
    drop::CELLS,
    duplicate::CELLS,
    swap::CELLS,
    insert::CELLS,
    truncate::CELLS,
    rechain::CELLS,
    fork::CELLS,
    roll_back::CELLS,
    redact::CELLS,
];
