//! A CSV file, or a sheet of a workbook ([`open`]), as rows of named cells: the header row is found, columns stand in any
//! order, blank rows are skipped.
//!
//! Refuses a row with more cells than the header: an amount such as 1,234.56 without quotation marks makes two cells of
//! one, and the first of them is a wrong amount. For the same reason an amount that with the cell behind it could be one
//! number is refused, where a row left out a later cell and is no longer than the header. Cells that are missing at the end
//! of a row are empty.

mod open;

use std::{collections::BTreeMap, ops::Not};

use crate::{
    book::address,
    import::quantity::MoneyUnit,
    problem::{FileError, InSheet, Problem},
    text::{fold, trim},
};

/// The header must stand in one of this many rows: official tables have a title and a note of the unit above it.
const HEADER_WITHIN: usize = 10;

/// A field and the headers it goes by.
pub(crate) struct Field {
    /// The field's own name, always a header too.
    pub key: &'static str,
    /// Other headers, in the form [`normal`] gives them.
    pub names: &'static [&'static str],
    /// Whether a file without it is refused.
    pub required: bool,
}

/// A field of an import table.
pub(crate) const fn field(key: &'static str, names: &'static [&'static str], required: bool) -> Field {
    Field { key, names, required }
}

/// Fields that hold amounts.
const AMOUNTS: [&str; 4] = ["amount", "base", "planned_investment", "value"];

struct Header {
    index: usize,
    title: String,
    /// What stands in brackets after the name: a unit.
    note: Option<String>,
}

/// One row.
pub(crate) struct Row {
    /// Its line in the file, from 1.
    pub number: u64,
    cells: csv::StringRecord,
    /// What a workbook says of cells beside their text, by column.
    marks: BTreeMap<usize, Mark>,
}

/// What a cell of a workbook is, if not plain text.
enum Mark {
    /// A number cell: fifteen digits are certain.
    Number,
    /// A cell that cannot be used.
    Fault(Problem),
}

/// A table.
pub(crate) struct Sheet {
    file: String,
    /// The sheet of a workbook.
    name: Option<String>,
    headers: BTreeMap<&'static str, Header>,
    /// The unit of amounts that a line above the header names (单位:万元).
    unit: Option<String>,
    /// How many cells the header row has.
    width: usize,
    /// The rows under the header.
    pub rows: Vec<Row>,
    /// Hidden rows among those under the header.
    pub hidden: Vec<u64>,
    /// The rows that cannot be taken apart into the header's columns. They are not among `rows`.
    pub errors: Vec<FileError>,
}

/// A header without brackets, spaces, `_` and `-`, in lower case; and what stood in the brackets.
pub(crate) fn normal(title: &str) -> (String, Option<String>) {
    let folded = fold(title).to_lowercase();
    let (name, rest) = folded.split_once(['(', '[']).unwrap_or((&folded, ""));
    let note = rest.trim_end_matches([')', ']', ' ']).trim_start_matches("单位:").trim();
    let name = name.chars().filter(|c| !c.is_whitespace() && !"_-*:".contains(*c)).collect();
    (name, note.is_empty().not().then(|| note.to_owned()))
}

impl Sheet {
    /// Reads a table. Columns that stand for none of `fields` are ignored.
    pub(crate) fn read(text: &str, file: &str, fields: &'static [Field]) -> Result<Sheet, FileError> {
        let text = text.trim_start_matches('\u{feff}');
        if text.chars().all(char::is_whitespace) {
            return Err(FileError::new(file, Problem::EmptyFile {}));
        }
        let delimiter = delimiter(text);
        if let Some((row, problem)) = broken_quotes(text, delimiter) {
            return Err(FileError { row: Some(row), ..FileError::new(file, problem) });
        }
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(text.as_bytes());
        let mut reading = Reading { commas: delimiter == b',', ..Reading::new(file, fields) };
        for record in reader.records() {
            let cells = record.map_err(|error| {
                let row = error.position().map(csv::Position::line);
                FileError { row, ..FileError::new(file, Problem::BadCsv { why: error.to_string() }) }
            })?;
            let number = line_of(text, cells.position());
            reading.take(Row { number, cells, marks: BTreeMap::new() });
        }
        reading.finish()
    }

    /// The same, where a row that cannot be taken apart makes the whole table useless.
    pub(crate) fn read_whole(text: &str, file: &str, fields: &'static [Field]) -> Result<Sheet, FileError> {
        let sheet = Sheet::read(text, file, fields)?;
        match sheet.errors.first() {
            Some(error) => Err(error.clone()),
            None => Ok(sheet),
        }
    }

    /// A row with more cells than the header.
    fn surplus(&self, number: u64, cells: &csv::StringRecord) -> FileError {
        let beyond = cells.iter().skip(self.width).find(|cell| filled(cell));
        let problem = Problem::SurplusCells { cells: cells.len(), columns: self.width };
        FileError {
            row: Some(number),
            value: beyond.map(|cell| trim(cell).to_owned()),
            ..FileError::new(&self.file, problem)
        }
    }

    /// An amount of a row that may be the first part of another.
    fn torn(&self, number: u64, cells: &csv::StringRecord) -> Option<FileError> {
        let amounts = AMOUNTS.into_iter().filter_map(|key| self.headers.get_key_value(key));
        amounts.into_iter().find_map(|(key, Header { index, title, .. })| {
            let (cell, next) = (trim(cells.get(*index)?), trim(cells.get(index + 1)?));
            torn(cell, next).then(|| FileError {
                row: Some(number),
                column: Some(title.clone()),
                field: Some(key),
                value: Some(cell.to_owned()),
                ..FileError::new(&self.file, Problem::TornNumber { next: next.to_owned() })
            })
        })
    }

    /// Whether the table has a column for a field.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.headers.contains_key(key)
    }

    /// The cell of a field, trimmed; `None` when the column or the value is missing.
    pub(crate) fn get<'r>(&self, row: &'r Row, key: &str) -> Option<&'r str> {
        let header = self.headers.get(key)?;
        row.cells.get(header.index).map(trim).filter(|cell| !cell.is_empty())
    }

    /// The cell of a field that is needed.
    pub(crate) fn need<'r>(&self, row: &'r Row, key: &'static str) -> Result<&'r str, FileError> {
        self.get(row, key).ok_or_else(|| self.error(row, key, Problem::Empty {}))
    }

    /// Where a unit may be named for a column of amounts: in brackets in its header, above the table.
    pub(crate) fn notes(&self, key: &str) -> [Option<&str>; 2] {
        let header = self.headers.get(key);
        [header.and_then(|header| header.note.as_deref()), self.unit.as_deref().filter(|_| header.is_some())]
    }

    /// A problem with one cell.
    pub(crate) fn error(&self, row: &Row, key: &'static str, problem: Problem) -> FileError {
        let column = self.headers.get(key).map_or(key, |header| &header.title);
        FileError {
            file: self.file.clone(),
            sheet: self.name.clone().map(|name| {
                let cell = self.headers.get(key).map(|header| address(row.number, header.index));
                Box::new(InSheet { name, cell })
            }),
            row: Some(row.number),
            column: Some(column.to_owned()),
            field: Some(key),
            value: self.get(row, key).map(str::to_owned),
            problem: Box::new(problem),
        }
    }

    /// Whether it is a sheet of a workbook.
    pub(crate) fn is_workbook(&self) -> bool {
        self.name.is_some()
    }

    /// Whether the cell of a field is a number cell of a workbook: fifteen digits of it are certain.
    pub(crate) fn is_number(&self, row: &Row, key: &str) -> bool {
        let mark = self.headers.get(key).and_then(|header| row.marks.get(&header.index));
        matches!(mark, Some(Mark::Number))
    }

    /// The cells of a row that cannot be used, with their fields.
    pub(crate) fn faults<'r>(&self, row: &'r Row) -> impl Iterator<Item = (&'static str, &'r Problem)> {
        self.headers.iter().filter_map(|(key, header)| match row.marks.get(&header.index)? {
            Mark::Fault(problem) => Some((*key, problem)),
            Mark::Number => None,
        })
    }
}

/// A table while its rows come in: first the header is looked for.
struct Reading {
    sheet: Sheet,
    fields: &'static [Field],
    /// Rows seen above the header.
    above: usize,
    /// The row that came nearest to a header, by the fields it names.
    best: Option<(usize, FileError)>,
    /// Whether commas separate the cells, so that an amount with commas could have been broken in two.
    commas: bool,
}

impl Reading {
    fn new(file: &str, fields: &'static [Field]) -> Reading {
        let sheet = Sheet {
            file: file.to_owned(),
            name: None,
            headers: BTreeMap::new(),
            unit: None,
            width: 0,
            rows: Vec::new(),
            hidden: Vec::new(),
            errors: Vec::new(),
        };
        Reading { sheet, fields, above: 0, best: None, commas: false }
    }

    fn take(&mut self, row: Row) {
        let Reading { sheet, fields, above, best, commas } = self;
        let Row { number, cells, .. } = &row;
        if !sheet.headers.is_empty() {
            // A workbook has no separators that could break an amount in two.
            if sheet.name.is_none() && cells.len() > sheet.width && cells.iter().any(filled) {
                sheet.errors.push(sheet.surplus(*number, cells));
            } else if let Some(error) = sheet.torn(*number, cells).filter(|_| *commas) {
                sheet.errors.push(error);
            } else if cells.iter().any(filled) || !row.marks.is_empty() {
                sheet.rows.push(row);
            }
            return;
        }
        *above += 1;
        if *above > HEADER_WITHIN {
            return;
        }
        sheet.unit = cells.iter().find_map(unit_above).or(sheet.unit.take());
        match headers(&sheet.file, *number, cells, fields) {
            Ok(headers) => (sheet.headers, sheet.width) = (headers, cells.len()),
            Err((found, error)) if best.as_ref().is_none_or(|(most, _)| found > *most) => {
                *best = Some((found, *error));
            }
            Err(_) => {}
        }
    }

    fn finish(self) -> Result<Sheet, FileError> {
        let Reading { sheet, fields, best, .. } = self;
        if sheet.headers.is_empty() {
            return Err(best.map_or_else(|| missing(&sheet.file, None, fields.iter()), |(_, error)| error));
        }
        Ok(sheet)
    }
}

/// Whether two neighbouring cells of a row separated by commas could be one number, as `1` and `234.56`: nothing tells
/// `1,234.56` from them.
pub(crate) fn torn(cell: &str, next: &str) -> bool {
    let (cell, next) = (fold(cell), fold(next));
    let first = cell.trim_start_matches(['-', '+', '(', '¥', '−', ' ']);
    let head = (1..=3).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_digit());
    let digits = next.bytes().take_while(u8::is_ascii_digit).count();
    let rest = next[digits..].trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let unit = rest.trim_end_matches(')').trim();
    let tail = digits == 3 && (unit.is_empty() || MoneyUnit::parse(unit).is_some() || unit == "人");
    head && !first.starts_with('0') && tail
}

fn filled(cell: &str) -> bool {
    !trim(cell).is_empty()
}

/// The first cell whose quotation marks are not a pair around the whole cell: the line it starts on, and what is wrong.
pub(crate) fn broken_quotes(text: &str, delimiter: u8) -> Option<(u64, Problem)> {
    let (mut line, mut at_start) = (1, true);
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        if !(at_start && byte == b'"') {
            at_start = byte == delimiter || byte == b'\n' || byte == b'\r';
            line += u64::from(byte == b'\n');
            continue;
        }
        let opened = line;
        loop {
            match bytes.next() {
                None => return Some((opened, Problem::OpenQuote {})),
                Some(b'"') if bytes.next_if_eq(&b'"').is_none() => break,
                Some(byte) => line += u64::from(byte == b'\n'),
            }
        }
        match bytes.peek() {
            Some(next) if *next != delimiter && !b"\r\n".contains(next) => {
                return Some((opened, Problem::StrayQuote {}));
            }
            _ => at_start = false,
        }
    }
    None
}

/// The unit of amounts in a cell such as `单位:万元`; 填报单位:江山市 is none.
pub(crate) fn unit_above(cell: &str) -> Option<String> {
    let folded = fold(cell);
    let (_, units) = folded.rsplit_once("单位:")?;
    // 单位:万元、% names one unit for the amounts and another for the ratios.
    let unit = units.trim().split([')', '、', ',', '/', ' ']).next()?;
    MoneyUnit::parse(unit).map(|_| unit.to_owned())
}

/// The headers in a row, or how many fields it names and what is missing.
fn headers(
    file: &str,
    number: u64,
    cells: &csv::StringRecord,
    fields: &'static [Field],
) -> Result<BTreeMap<&'static str, Header>, (usize, Box<FileError>)> {
    let mut headers: BTreeMap<&'static str, Header> = BTreeMap::new();
    let mut second = None;
    let named = |name: &str| -> Vec<&'static str> {
        let is_named = |f: &&Field| normal(f.key).0 == name || f.names.contains(&name);
        fields.iter().filter(is_named).map(|f| f.key).collect()
    };
    let titles = || cells.iter().map(normal).enumerate();
    // A title that two fields bear goes to the one that no other column stands for.
    let sure: Vec<&str> =
        titles().filter_map(|(_, (name, _))| <[&str; 1]>::try_from(named(&name)).ok()).flatten().collect();
    for (index, (name, note)) in titles() {
        let keys = named(&name);
        let free = keys.iter().find(|key| keys.len() > 1 && !sure.contains(*key));
        let Some(key) = free.or(keys.first()).copied() else { continue };
        let title = trim(cells.get(index).unwrap_or_default()).to_owned();
        let header = Header { index, title: title.clone(), note };
        if headers.insert(key, header).is_some() {
            second = second.or(Some((key, title)));
        }
    }
    let found = headers.len();
    let lacking = |f: &&Field| f.required && !headers.contains_key(f.key);
    if fields.iter().any(|f| lacking(&f)) {
        return Err((found, Box::new(missing(file, Some(number), fields.iter().filter(lacking)))));
    }
    if let Some((key, title)) = second {
        let error = FileError::new(file, Problem::DuplicateColumn {});
        let error = FileError { row: Some(number), column: Some(title), field: Some(key), ..error };
        return Err((usize::MAX, Box::new(error)));
    }
    Ok(headers)
}

fn missing<'f>(file: &str, row: Option<u64>, fields: impl Iterator<Item = &'f Field>) -> FileError {
    let name = |f: &Field| f.names.first().map_or(f.key.to_owned(), |zh| format!("{zh} ({})", f.key));
    let columns: Vec<String> = fields.filter(|f| f.required).map(name).collect();
    FileError { row, ..FileError::new(file, Problem::MissingColumns { columns: columns.join(", ") }) }
}

/// Comma, or what the first line that holds any separator uses.
pub(crate) fn delimiter(text: &str) -> u8 {
    let count = |line: &str, c: char| line.matches(c).count();
    let line = text.lines().find(|line| line.contains([',', '\t', ';'])).unwrap_or_default();
    if count(line, '\t') > count(line, ',') {
        b'\t'
    } else if !line.contains(',') && line.contains(';') {
        b';'
    } else {
        b','
    }
}

/// The line a record starts on. The reader's position is that of the blank lines before it.
pub(crate) fn line_of(text: &str, position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 0 };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let blank = text.as_bytes().get(start..).unwrap_or_default().iter();
    let blank = blank.take_while(|b| matches!(b, b'\r' | b'\n')).filter(|b| **b == b'\n').count();
    position.line() + blank as u64
}
