//! The sheets of a workbook as rows of cells. Cells are taken one by one as they stand in the file, so that a lone cell
//! in a far corner costs nothing.

use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
};

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError};

use super::{
    grid::{Cell, Grid, Row, Sort, address},
    hidden,
    number::decimal,
};
use crate::{
    problem::{FileError, Problem},
    text::{trim, unix},
};

/// Cells of one sheet.
const MOST_CELLS: usize = 5_000_000;
/// A column beyond this one is no column of a book.
const MOST_COLUMNS: u32 = 256;

/// The named sheet, or every visible one.
pub(super) fn read(bytes: &[u8], file: &str, name: Option<&str>) -> Result<Vec<Grid>, FileError> {
    // The library is for honest files; one made to confuse it must not end the program.
    let read = catch_unwind(AssertUnwindSafe(|| sheets(bytes, name)));
    let read = read
        .unwrap_or_else(|_| Err(Problem::NotAWorkbook { why: "its parts contradict each other".to_owned() }));
    read.map_err(|problem| FileError::new(file, problem))
}

fn sheets(bytes: &[u8], name: Option<&str>) -> Result<Vec<Grid>, Problem> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| unreadable(&error))?;
    let listed = workbook.sheets_metadata().iter();
    let mut names: Vec<String> = listed
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .filter(|sheet| name == Some(sheet.name.as_str()) || sheet.visible == SheetVisible::Visible)
        .map(|sheet| sheet.name.clone())
        .collect();
    if let Some(name) = name {
        if !names.iter().any(|known| known == name) {
            return Err(Problem::NoSuchSheet { sheets: names.join(", ") });
        }
        names.retain(|known| known == name);
    }
    let grids = names.into_iter().map(|name| {
        let hidden = hidden::rows(bytes, &name);
        Ok(Grid { hidden, ..sheet(&mut workbook, name)? })
    });
    grids.collect()
}

fn unreadable(error: &XlsxError) -> Problem {
    match error {
        XlsxError::Password => Problem::Encrypted {},
        other => Problem::NotAWorkbook { why: other.to_string() },
    }
}

fn sheet(workbook: &mut Xlsx<Cursor<&[u8]>>, name: String) -> Result<Grid, Problem> {
    let mut grid = Grid::default();
    for merge in workbook.merge_cells_by_sheet_name(&name).map_err(|error| unreadable(&error))? {
        let (first, last) = (u64::from(merge.start.0) + 1, u64::from(merge.end.0) + 1);
        let at = |row, column: u32| address(row, column as usize);
        let range = format!("{}:{}", at(first, merge.start.1), at(last, merge.end.1));
        for column in merge.start.1..=merge.end.1.min(MOST_COLUMNS) {
            grid.merged.entry(column as usize).or_default().push((first, last, range.clone()));
        }
    }
    for merged in grid.merged.values_mut() {
        merged.sort_unstable();
    }
    let mut cells = workbook.worksheet_cells_reader(&name).map_err(|error| unreadable(&error))?;
    let mut count = 0;
    while let Some(found) = cells.next_cell_with_formula_metadata().map_err(|error| unreadable(&error))? {
        let cell = cell(&found.value, found.formula.is_some());
        if cell.text.contains('\0') {
            return Err(Problem::NotAWorkbook { why: "a cell holds a byte that no text holds".to_owned() });
        }
        let (row, column) = found.pos;
        if (cell.text.is_empty() && cell.sort == Sort::Text) || column >= MOST_COLUMNS {
            continue;
        }
        count += 1;
        if count > MOST_CELLS {
            return Err(Problem::TooManyCells { limit: MOST_CELLS });
        }
        let number = u64::from(row) + 1;
        match grid.rows.last() {
            Some(last) if last.number == number => {}
            Some(last) if last.number > number => {
                return Err(Problem::NotAWorkbook {
                    why: format!("row {number} stands after row {}", last.number),
                });
            }
            Some(_) | None => grid.rows.push(Row { number, cells: Vec::new() }),
        }
        let Some(row) = grid.rows.last_mut() else { continue };
        let column = column as usize;
        if row.cells.len() <= column {
            row.cells.resize(column + 1, Cell::default());
        }
        row.cells[column] = cell;
    }
    grid.sheet = Some(name);
    Ok(grid)
}

fn cell(value: &DataRef<'_>, formula: bool) -> Cell {
    let (text, sort) = match value {
        DataRef::Int(number) => (number.to_string(), Sort::Number),
        DataRef::Float(number) => match decimal(*number) {
            Some(text) => (text, Sort::Number),
            None => (number.to_string(), Sort::Text),
        },
        DataRef::SharedString(text) => (unix(trim(text).into()).into_owned(), Sort::Text),
        DataRef::Bool(value) => (value.to_string(), Sort::Text),
        DataRef::DateTime(day) if day.is_datetime() => {
            let (year, month, date, hour, minute, second, milli) = day.to_ymd_hms_milli();
            let midnight = (hour, minute, second, milli) == (0, 0, 0, 0);
            let time = if midnight { String::new() } else { format!(" {hour:02}:{minute:02}:{second:02}") };
            (format!("{year:04}-{month:02}-{date:02}{time}"), Sort::Text)
        }
        DataRef::DateTime(duration) => (duration.as_f64().to_string(), Sort::Text),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            (unix(trim(text).into()).into_owned(), Sort::Text)
        }
        DataRef::Error(error) => (error.to_string(), Sort::Error),
        DataRef::Empty if formula => (String::new(), Sort::Uncalculated),
        DataRef::Empty => (String::new(), Sort::Text),
    };
    Cell { text, sort, formula }
}
