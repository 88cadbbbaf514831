//! The ways of counting, as columns of a report.

use clap::ValueEnum;
use hefu_projections::{counting::Row, revisions::Bases};

use crate::render::Column;

/// A way of counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Basis {
    Territorial,
    Shared,
    AsOrigin,
    AsDestination,
    Elimination,
}

impl Basis {
    /// All of them, in the order of the columns.
    pub(crate) const ALL: [Basis; 5] =
        [Basis::Territorial, Basis::Shared, Basis::AsOrigin, Basis::AsDestination, Basis::Elimination];

    /// The column it stands in.
    pub(crate) fn column(self) -> Column {
        match self {
            Basis::Territorial => Column::number("territorial", "在地口径", "territorial"),
            Basis::Shared => Column::number("shared", "共享口径", "shared"),
            Basis::AsOrigin => Column::number("as_origin", "其中:作为迁出地", "as origin"),
            Basis::AsDestination => Column::number("as_destination", "其中:作为所在地", "as destination"),
            Basis::Elimination => Column::number("elimination", "抵消", "elimination"),
        }
    }

    /// Its amount in a row.
    pub(crate) fn of(self, row: &Row) -> Option<i128> {
        match self {
            Basis::Territorial => row.territorial,
            Basis::Shared => row.shared,
            Basis::AsOrigin => row.as_origin,
            Basis::AsDestination => row.as_destination,
            Basis::Elimination => row.elimination,
        }
    }

    /// Its part of a difference.
    pub(crate) fn part(self, by: &Bases) -> i128 {
        match self {
            Basis::Territorial => by.territorial,
            Basis::Shared => by.shared,
            Basis::AsOrigin => by.as_origin,
            Basis::AsDestination => by.as_destination,
            Basis::Elimination => by.elimination,
        }
    }
}
