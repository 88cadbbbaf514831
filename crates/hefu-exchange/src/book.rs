//! A region's own book, from XLSX or CSV: which project, indicator and period, and how much.
//!
//! Columns go by Chinese or English headers in any order, under at most twenty rows of titles. Amounts are exact: text is
//! read as import reads it, a number cell as the fifteen significant digits it keeps. The same book gives the same lines
//! in either format.
//!
//! Refuses to guess: a formula without a stored result, a cell inside merged ones, a percentage, an amount finer than a
//! fen or beyond what a number cell keeps. Each is an error with its sheet, row, column and cell; what is right stands
//! beside it. Whether a book is taken in part or not at all is the caller's choice. Nothing here asks the ledger.

mod columns;
mod grid;
mod guard;
mod hidden;
mod lines;
mod number;
mod xlsx;

pub(crate) use grid::{Grid, Sort, address};
use hefu_domain::{
    id::ProjectId,
    indicator::{Indicator, IndicatorCode},
    period::Period,
};
use sha2::{Digest, Sha256};

use crate::{
    import::quantity::MoneyUnit,
    matching::{BookLine, NamedBy},
    problem::{FileError, Problem},
    text::decode,
};

/// What a text names among the projects on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// This one, by its id, its code or its name.
    One(ProjectId, NamedBy),
    /// A name that several bear.
    Several,
    /// Nothing on record.
    Nothing,
}

/// What the reader must be told: names the ledger knows, and what the file does not say.
pub struct Options<'a> {
    /// The file's name, for errors.
    pub file: &'a str,
    /// The sheet of a workbook; without it the only one that has a header.
    pub sheet: Option<&'a str>,
    /// The indicators of the policy in force.
    pub catalogue: &'a [Indicator],
    /// The project that an id, code or name stands for.
    pub find_project: &'a dyn Fn(&str) -> Named,
    /// The unit of amounts where neither cell nor header names one.
    pub unit: MoneyUnit,
    /// The indicator of a table without a column for it.
    pub indicator: Option<IndicatorCode>,
    /// The period of a table without a column for it.
    pub period: Option<Period>,
}

/// A book that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// The sheet it was read from.
    pub sheet: Option<String>,
    /// The good lines, in the order of the file.
    pub lines: Vec<BookLine>,
    /// What is wrong, in the order of the file: every wrong cell of every row.
    pub errors: Vec<FileError>,
    /// Rows of totals (合计, 小计), left out.
    pub totals: Vec<u64>,
    /// Hidden rows among those that were read, counted like all others.
    pub hidden: Vec<u64>,
}

/// The named sheet of a workbook, or every visible one; `None` if it is a text.
pub(crate) fn workbook(
    bytes: &[u8],
    file: &str,
    sheet: Option<&str>,
) -> Result<Option<Vec<Grid>>, FileError> {
    match guard::kind(bytes, file)? {
        guard::Kind::Xlsx => xlsx::read(bytes, file, sheet).map(Some),
        guard::Kind::Text if sheet.is_some() => {
            Err(FileError::new(file, Problem::NoSuchSheet { sheets: "CSV".to_owned() }))
        }
        guard::Kind::Text => Ok(None),
    }
}

/// The month that a cell of a workbook stands for (see [`lines`]).
pub(crate) use lines::period;

/// The SHA-256 of a file, as 64 hex digits: what tells one book from another.
pub fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Reads a book. `Err`: the file as a whole is no book; wrong cells are listed in [`Book::errors`].
pub fn read(bytes: &[u8], options: &Options) -> Result<Book, FileError> {
    let grids = match workbook(bytes, options.file, options.sheet)? {
        Some(grids) => grids,
        None => vec![grid::csv(&decode(bytes, options.file)?, options.file)?],
    };
    let (grid, table) = columns::choose(grids, options)?;
    Ok(lines::read(&grid, &table, options))
}

#[cfg(test)]
mod tests;
