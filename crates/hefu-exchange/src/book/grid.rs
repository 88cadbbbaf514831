//! A sheet as rows of cells, whatever file it comes from.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    problem::{FileError, InSheet, Problem},
    sheet::{broken_quotes, delimiter, line_of},
    text::trim,
};

/// What a cell is, beside its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Text.
    #[default]
    Text,
    /// A number cell: fifteen digits are certain.
    Number,
    /// A formula whose result is not in the file.
    Uncalculated,
    /// `#REF!` and its like.
    Error,
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    /// What it holds, trimmed; a day as `2023-07-01`.
    pub text: String,
    /// What kind of cell.
    pub sort: Sort,
    /// Whether a formula stands behind it.
    pub formula: bool,
}

/// A row that is not blank.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its number in the file, from 1.
    pub number: u64,
    /// Its cells, from the first column.
    pub cells: Vec<Cell>,
}

/// A sheet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grid {
    /// Its name, in a workbook.
    pub sheet: Option<String>,
    /// Its rows.
    pub rows: Vec<Row>,
    /// Commas separate its cells.
    pub commas: bool,
    /// Rows that whoever opens the workbook does not see.
    pub hidden: BTreeSet<u64>,
    /// Merged cells, by column: first and last row from 1, and the whole range's name.
    pub merged: BTreeMap<usize, Vec<(u64, u64, String)>>,
}

impl Grid {
    /// Where in the workbook, if it is one.
    pub(crate) fn place(&self, cell: Option<String>) -> Option<Box<InSheet>> {
        self.sheet.clone().map(|name| Box::new(InSheet { name, cell }))
    }

    /// The merged cells a place lies in.
    pub(crate) fn merge_at(&self, row: u64, column: usize) -> Option<&str> {
        let merged = self.merged.get(&column)?;
        let at = merged.partition_point(|(first, ..)| *first <= row).checked_sub(1)?;
        let (_, last, range) = &merged[at];
        (row <= *last).then_some(range)
    }
}

/// The address of a cell, such as `D17`, from a column counted from 0.
pub(crate) fn address(row: u64, column: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        letters.push(char::from(b'A' + u8::try_from((rest - 1) % 26).unwrap_or(0)));
        rest = (rest - 1) / 26;
    }
    format!("{}{row}", letters.iter().rev().collect::<String>())
}

/// A CSV file as a sheet.
pub(super) fn csv(text: &str, file: &str) -> Result<Grid, FileError> {
    let text = text.trim_start_matches('\u{feff}');
    let delimiter = delimiter(text);
    if let Some((row, problem)) = broken_quotes(text, delimiter) {
        return Err(FileError { row: Some(row), ..FileError::new(file, problem) });
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut grid = Grid { commas: delimiter == b',', ..Grid::default() };
    for record in reader.records() {
        let record = record.map_err(|error| {
            let row = error.position().map(csv::Position::line);
            FileError { row, ..FileError::new(file, Problem::BadCsv { why: error.to_string() }) }
        })?;
        let cell = |text: &str| Cell { text: trim(text).to_owned(), ..Cell::default() };
        let row = Row { number: line_of(text, record.position()), cells: record.iter().map(cell).collect() };
        if row.cells.iter().any(|cell| !cell.text.is_empty()) {
            grid.rows.push(row);
        }
    }
    Ok(grid)
}
