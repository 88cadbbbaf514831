//! The rows of a table as lines of a book, with every wrong cell located.

use hefu_domain::{
    indicator::{Indicator, Kind},
    period::Period,
    time::Date,
};

use super::{
    Book, Named, Options,
    columns::{Column, Table},
    grid::{Cell, Grid, Row, Sort, address},
};
use crate::{
    import::{quantity, scalar},
    matching::{BookLine, Key, NamedBy},
    problem::{FileError, Problem},
    sheet::torn,
    text::fold,
};

/// Minor units beyond this do not fit into fifteen significant digits.
const CERTAIN: i64 = 1_000_000_000_000_000;

/// Days of a spreadsheet between 2000 and 2099, counted from 1899-12-30.
const SERIALS: std::ops::RangeInclusive<i64> = 36_526..=73_050;

/// Reads all rows.
pub(super) fn read(grid: &Grid, table: &Table, options: &Options) -> Book {
    let mut book = Book { sheet: grid.sheet.clone(), ..Book::default() };
    for row in &grid.rows[table.first..] {
        let mut reader = Reader { grid, table, options, row, errors: Vec::new() };
        if reader.is_total() {
            book.totals.push(row.number);
            continue;
        }
        book.hidden.extend(grid.hidden.get(&row.number));
        let line = if reader.fits() { reader.line() } else { None };
        if reader.errors.is_empty() {
            book.lines.extend(line);
        } else {
            book.errors.append(&mut reader.errors);
        }
    }
    book
}

struct Reader<'b> {
    grid: &'b Grid,
    table: &'b Table,
    options: &'b Options<'b>,
    row: &'b Row,
    errors: Vec<FileError>,
}

impl<'b> Reader<'b> {
    fn cell(&self, key: &str) -> Option<&'b Cell> {
        let cell = self.row.cells.get(self.table.column(key)?.index)?;
        (!cell.text.is_empty() || cell.sort != Sort::Text).then_some(cell)
    }

    fn wrong<T>(&mut self, key: &'static str, problem: Problem) -> Option<T> {
        let column = self.table.column(key);
        let cell = column.map(|column| address(self.row.number, column.index));
        self.errors.push(FileError {
            sheet: self.grid.place(cell),
            row: Some(self.row.number),
            column: Some(column.map_or_else(|| key.to_owned(), |column| column.title.clone())),
            field: Some(key),
            value: self.cell(key).map(|cell| cell.text.clone()).filter(|text| !text.is_empty()),
            ..FileError::new(self.options.file, problem)
        });
        None
    }

    /// A cell that is needed.
    fn need(&mut self, key: &'static str) -> Option<&'b Cell> {
        let Some(cell) = self.cell(key) else {
            let column = self.table.column(key).map_or(0, |column| column.index);
            let merged = self.grid.merge_at(self.row.number, column).map(str::to_owned);
            let problem = merged.map_or(Problem::Empty {}, |range| Problem::MergedCell { range });
            return self.wrong(key, problem);
        };
        let problem = match cell.sort {
            Sort::Text | Sort::Number => return Some(cell),
            Sort::Uncalculated => Problem::NotCalculated {},
            Sort::Error => Problem::CellError {},
        };
        self.wrong(key, problem)
    }

    /// Whether a row of CSV has a header for every cell: `1,234.56` without quotation marks is two cells.
    fn fits(&mut self) -> bool {
        let (cells, columns) = (self.row.cells.len(), self.table.width);
        let beyond = self.row.cells.iter().skip(columns).find(|cell| !cell.text.is_empty());
        let Some(beyond) = beyond.filter(|_| self.grid.sheet.is_none()) else { return true };
        self.errors.push(FileError {
            row: Some(self.row.number),
            value: Some(beyond.text.clone()),
            ..FileError::new(self.options.file, Problem::SurplusCells { cells, columns })
        });
        false
    }

    /// Whether the amount is a cell of its own: with the cell behind it, it could be one number.
    fn torn(&self, amount: &Cell) -> Option<Problem> {
        let place = self.table.column("amount").filter(|_| self.grid.commas)?.index;
        let next = self.row.cells.get(place + 1)?;
        torn(&amount.text, &next.text).then(|| Problem::TornNumber { next: next.text.clone() })
    }

    /// A row of totals says so in one of its cells.
    fn is_total(&self) -> bool {
        self.row.cells.iter().filter(|cell| cell.sort == Sort::Text).any(|cell| {
            let text: String = fold(&cell.text).chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
            matches!(text.as_str(), "合计" | "总计" | "小计" | "累计合计" | "本页合计")
                || text.eq_ignore_ascii_case("total")
                || text.eq_ignore_ascii_case("subtotal")
        })
    }

    fn line(&mut self) -> Option<BookLine> {
        let project = self.project();
        let indicator = self.indicator();
        let period = self.period();
        let amount = self.need("amount");
        // Without its indicator an amount has no unit to be read in.
        let minor = amount.zip(indicator.as_ref()).and_then(|(cell, indicator)| self.minor(cell, indicator));
        let (project, named_by) = project?;
        Some(BookLine {
            row: self.row.number,
            project,
            named_by,
            indicator: indicator?.code,
            period: period?,
            minor: minor?,
            formula: amount?.formula,
        })
    }

    /// The project by its id or code; by its name only where neither is given.
    fn project(&mut self) -> Option<(Key, NamedBy)> {
        let mut found: Option<(Key, NamedBy)> = None;
        for key in ["project", "code"] {
            let merged = |column: &Column| self.grid.merge_at(self.row.number, column.index).is_some();
            if self.cell(key).is_none() && !self.table.column(key).is_some_and(merged) {
                continue;
            }
            let text = self.need(key)?.text.clone();
            let named = self.named(key, &text)?;
            match (&found, &named.0) {
                (None, _) | (Some((Key::Unknown(_), _)), Key::Known(_)) => found = Some(named),
                (Some((Key::Known(one), _)), Key::Known(other)) if one != other => {
                    return self.wrong(key, Problem::ProjectConflict {});
                }
                (Some(_), _) => {}
            }
        }
        if found.is_some() {
            return found;
        }
        let key = ["name", "code", "project"].into_iter().find(|key| self.table.column(key).is_some())?;
        let text = self.need(key)?.text.clone();
        self.named(key, &text)
    }

    fn named(&mut self, key: &'static str, text: &str) -> Option<(Key, NamedBy)> {
        let folded = fold(text);
        match (self.options.find_project)(&folded) {
            Named::One(id, by) => Some((Key::Known(id), by)),
            Named::Several => self.wrong(key, Problem::AmbiguousProject {}),
            Named::Nothing => Some((Key::Unknown(folded.into_owned()), NamedBy::Nothing)),
        }
    }

    fn indicator(&mut self) -> Option<Indicator> {
        let catalogue = self.options.catalogue;
        let default = self.options.indicator.filter(|_| self.table.column("indicator").is_none());
        if let Some(code) = default {
            return catalogue.iter().find(|indicator| indicator.code == code).cloned();
        }
        let text = self.need("indicator")?.text.as_str();
        let folded = fold(text);
        let named = |i: &&Indicator| {
            i.code.as_str().eq_ignore_ascii_case(&folded)
                || i.name_zh == text
                || fold(&i.name_zh) == folded
                || i.name_en.eq_ignore_ascii_case(&folded)
        };
        match catalogue.iter().find(named) {
            Some(found) if matches!(found.kind, Kind::Flow | Kind::Stock) => Some(found.clone()),
            Some(_) => self.wrong("indicator", Problem::DerivedIndicator {}),
            None => self.wrong("indicator", Problem::UnknownIndicator {}),
        }
    }

    fn period(&mut self) -> Option<Period> {
        if let Some(period) = self.options.period.filter(|_| self.table.column("period").is_none()) {
            return Some(period);
        }
        let cell = self.need("period")?;
        match period(&cell.text, cell.sort == Sort::Number) {
            Some(period) => Some(period),
            None => self.wrong("period", Problem::BadPeriod {}),
        }
    }

    fn minor(&mut self, cell: &Cell, indicator: &Indicator) -> Option<i64> {
        if let Some(problem) = self.torn(cell) {
            return self.wrong("amount", problem);
        }
        let own = quantity::own_unit(&cell.text);
        let unit = self.cell("unit").map(|cell| cell.text.as_str());
        // A header's unit does not bind a cell of another kind, as persons among amounts.
        let binds = |note: &&str| own.is_none() || quantity::is_unit_of(note, indicator.unit);
        let units = self.table.column("amount").map(|column| &column.units).into_iter().flatten();
        let units = units.map(|note| note.as_deref().filter(binds));
        let named = match quantity::agreed([unit].into_iter().chain(units), indicator.unit) {
            Ok(named) => named,
            Err(problem) => return self.wrong("amount", problem),
        };
        match quantity::minor_units(&cell.text, named.as_deref(), indicator.unit, self.options.unit) {
            Ok(minor) if cell.sort == Sort::Number && minor.abs() >= CERTAIN => {
                self.wrong("amount", Problem::NumberPrecision {})
            }
            Ok(minor) => Some(minor),
            Err(problem) => self.wrong("amount", problem),
        }
    }
}

/// A period as people write it. Spreadsheets turn `2023-7` into the first of July: a day that begins or ends a month
/// stands for that month, written as a day or as a spreadsheet counts it. `2023.1` in a number cell may have been
/// `2023.10`, and is refused.
pub(crate) fn period(text: &str, number: bool) -> Option<Period> {
    if number && text.contains('.') {
        return None;
    }
    if let Some(period) = scalar::period(text) {
        return Some(period);
    }
    let folded = fold(text);
    let serial: Option<i64> = folded.parse().ok().filter(|days| SERIALS.contains(days));
    let day = match serial {
        Some(days) => serial_day(days)?,
        None => scalar::date(&folded)?,
    };
    let text = day.to_string();
    let month = text.get(..7)?.parse::<Period>().ok()?;
    (day == month.start() || day == month.end()).then_some(month)
}

/// The day a spreadsheet counts as `days`.
fn serial_day(days: i64) -> Option<Date> {
    let mut first = Date::new(2000, 1, 1)?;
    let mut rest = days - SERIALS.start();
    loop {
        let next = first.add_months(1);
        let length = i64::from(length(first));
        if rest < length {
            let text = first.to_string();
            return format!("{}-{:02}", text.get(..7)?, rest + 1).parse().ok();
        }
        rest -= length;
        first = next;
    }
}

/// Days of the month that begins on `first`.
fn length(first: Date) -> u8 {
    let text = first.month_end().to_string();
    text.get(8..).and_then(|day| day.parse().ok()).unwrap_or(31)
}
