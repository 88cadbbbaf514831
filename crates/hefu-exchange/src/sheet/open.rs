//! A table for import, from CSV or a workbook.
//!
//! A workbook's cells are taken as the book of `reconcile` takes them: a number as its fifteen certain digits, a day as
//! `2023-07-01`. A formula without a stored result, an error, an empty cell inside merged ones and a number longer than a
//! number cell keeps are faults with their address, never a guess.

use std::collections::BTreeMap;

use super::{Field, Mark, Reading, Row, Sheet};
use crate::{
    book::{self, Grid, Sort},
    problem::{FileError, Problem},
    text::decode,
};

/// Digits that a number cell keeps.
const CERTAIN_DIGITS: usize = 15;

impl Sheet {
    /// Reads a table of either kind; of a workbook the named sheet, or the only one that has the header. Without a row
    /// there is nothing to import.
    pub(crate) fn open(
        bytes: &[u8],
        file: &str,
        name: Option<&str>,
        fields: &'static [Field],
    ) -> Result<Sheet, FileError> {
        let sheet = match book::workbook(bytes, file, name)? {
            None => Sheet::read(&decode(bytes, file)?, file, fields)?,
            Some(grids) => choose(grids, file, fields)?,
        };
        if sheet.rows.is_empty() && sheet.errors.is_empty() {
            return Err(FileError::new(file, Problem::NoRows {}));
        }
        Ok(sheet)
    }
}

fn choose(grids: Vec<Grid>, file: &str, fields: &'static [Field]) -> Result<Sheet, FileError> {
    let mut found: Vec<Sheet> = Vec::new();
    let mut failed: Option<FileError> = None;
    for grid in grids {
        let place = grid.place(None);
        match read(&grid, file, fields) {
            Ok(sheet) => found.push(sheet),
            Err(error) => failed = failed.or(Some(FileError { sheet: place, ..error })),
        }
    }
    if found.len() > 1 {
        let names: Vec<&str> = found.iter().filter_map(|sheet| sheet.name.as_deref()).collect();
        return Err(FileError::new(file, Problem::WhichSheet { sheets: names.join(", ") }));
    }
    found.pop().ok_or_else(|| failed.unwrap_or_else(|| FileError::new(file, Problem::EmptyFile {})))
}

fn read(grid: &Grid, file: &str, fields: &'static [Field]) -> Result<Sheet, FileError> {
    let mut reading = Reading::new(file, fields);
    reading.sheet.name.clone_from(&grid.sheet);
    let Grid { rows, merged, .. } = grid;
    for row in rows {
        let mut marks = BTreeMap::new();
        for (column, cell) in row.cells.iter().enumerate() {
            let digits = cell.text.chars().filter(char::is_ascii_digit).collect::<String>();
            let long = digits.trim_start_matches('0').len() > CERTAIN_DIGITS;
            let mark = match cell.sort {
                Sort::Text => continue,
                Sort::Number if long => Mark::Fault(Problem::NumberPrecision {}),
                Sort::Number => Mark::Number,
                Sort::Uncalculated => Mark::Fault(Problem::NotCalculated {}),
                Sort::Error => Mark::Fault(Problem::CellError {}),
            };
            marks.insert(column, mark);
        }
        for column in merged.keys() {
            let empty = row.cells.get(*column).is_none_or(|cell| cell.text.is_empty());
            if let Some(range) = grid.merge_at(row.number, *column).filter(|_| empty) {
                marks.entry(*column).or_insert(Mark::Fault(Problem::MergedCell { range: range.to_owned() }));
            }
        }
        let cells = row.cells.iter().map(|cell| cell.text.as_str()).collect();
        reading.take(Row { number: row.number, cells, marks });
    }
    let mut sheet = reading.finish()?;
    sheet.hidden = sheet.rows.iter().map(|row| row.number).filter(|row| grid.hidden.contains(row)).collect();
    Ok(sheet)
}
