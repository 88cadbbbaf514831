//! Answers as files: one table, written as CSV, JSON, JSON Lines or Markdown.
//!
//! Columns keep their order and numbers their digits: a number is a decimal text from the ledger to the file. Drawing a
//! table for a terminal is not done here.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use sha2::{Digest as _, Sha256};

/// The language of titles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
}

/// What a column's header shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The stable key.
    Key,
    /// The title in a language.
    Title(Lang),
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Stable name, the key in JSON.
    pub key: &'static str,
    /// Chinese title.
    pub title_zh: &'static str,
    /// English title.
    pub title_en: &'static str,
    /// Whether it holds numbers: they stand to the right.
    pub numeric: bool,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// Decimal text: a string in JSON, so that no reader rounds it.
    Number(String),
    /// Any other text.
    Text(String),
}

/// A table. Every row has one cell for each column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

impl Column {
    /// A column of texts.
    pub const fn text(key: &'static str, title_zh: &'static str, title_en: &'static str) -> Column {
        Column { key, title_zh, title_en, numeric: false }
    }

    /// A column of numbers.
    pub const fn number(key: &'static str, title_zh: &'static str, title_en: &'static str) -> Column {
        Column { key, title_zh, title_en, numeric: true }
    }

    /// Its header.
    pub const fn header(&self, header: Header) -> &'static str {
        match header {
            Header::Key => self.key,
            Header::Title(Lang::Zh) => self.title_zh,
            Header::Title(Lang::En) => self.title_en,
        }
    }
}

impl Cell {
    /// A decimal number, from anything that prints as one.
    pub fn number(value: &(impl ToString + ?Sized)) -> Cell {
        Cell::Number(value.to_string())
    }

    /// A text, from anything that prints.
    pub fn text(value: &(impl ToString + ?Sized)) -> Cell {
        Cell::Text(value.to_string())
    }

    /// A text that may be missing.
    pub fn text_or_null(value: Option<impl ToString>) -> Cell {
        value.map_or(Cell::Null, |value| Cell::text(&value))
    }

    /// A number that may be missing.
    pub fn number_or_null(value: Option<impl ToString>) -> Cell {
        value.map_or(Cell::Null, |value| Cell::number(&value))
    }

    /// The cell as text; nothing is empty.
    pub fn as_str(&self) -> &str {
        match self {
            Cell::Null => "",
            Cell::Bool(true) => "true",
            Cell::Bool(false) => "false",
            Cell::Number(text) | Cell::Text(text) => text,
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Cell::Null => serializer.serialize_none(),
            Cell::Bool(value) => serializer.serialize_bool(*value),
            Cell::Number(text) | Cell::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// A row as an object, keys in the order of the columns.
struct Row<'t>(&'t [Column], &'t [Cell]);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.0.len()))?;
        for (column, cell) in self.0.iter().zip(self.1) {
            object.serialize_entry(column.key, cell)?;
        }
        object.end()
    }
}

impl Serialize for Table {
    /// An array of objects.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(Some(self.rows.len()))?;
        for row in &self.rows {
            array.serialize_element(&Row(&self.columns, row))?;
        }
        array.end()
    }
}

impl Table {
    /// A table without rows.
    pub fn new(columns: Vec<Column>) -> Table {
        Table { columns, rows: Vec::new() }
    }

    /// CSV in UTF-8. `bom` is for spreadsheets, which take a file without one for another encoding. A text that a
    /// spreadsheet would run as a formula gets an apostrophe in front.
    pub fn write_csv(&self, out: impl Write, header: Header, bom: bool) -> io::Result<()> {
        let mut out = out;
        if bom {
            out.write_all("\u{feff}".as_bytes())?;
        }
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(self.columns.iter().map(|column| column.header(header)))?;
        for row in &self.rows {
            for cell in row {
                writer.write_field(guarded(cell.as_str()).as_bytes())?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
        writer.flush()
    }

    /// The SHA-256 of the table as CSV with stable keys, in hex: the same rows have the same in every form of file.
    pub fn digest(&self) -> String {
        let mut csv = Vec::new();
        let written = self.write_csv(&mut csv, Header::Key, false);
        written.unwrap_or_else(|error| unreachable!("memory takes every byte: {error}"));
        hex::encode(Sha256::digest(&csv))
    }

    /// One JSON array of objects, one object a line.
    pub fn write_json(&self, mut out: impl Write) -> io::Result<()> {
        out.write_all(b"[")?;
        for (place, row) in self.rows.iter().enumerate() {
            out.write_all(if place == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut out, &Row(&self.columns, row))?;
        }
        out.write_all(b"\n]\n")
    }

    /// One JSON object a line.
    pub fn write_jsonl(&self, mut out: impl Write) -> io::Result<()> {
        for row in &self.rows {
            serde_json::to_writer(&mut out, &Row(&self.columns, row))?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// A Markdown table.
    pub fn write_markdown(&self, mut out: impl Write, header: Header) -> io::Result<()> {
        let titles = self.columns.iter().map(|column| column.header(header));
        let rules = self.columns.iter().map(|column| if column.numeric { "---:" } else { "---" });
        line(&mut out, titles)?;
        line(&mut out, rules)?;
        self.rows.iter().try_for_each(|row| line(&mut out, row.iter().map(Cell::as_str)))
    }
}

fn line<'c>(out: &mut impl Write, cells: impl Iterator<Item = &'c str>) -> io::Result<()> {
    for cell in cells {
        let escaped = cell.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;");
        write!(out, "| {} ", escaped.replace("\r\n", "<br>").replace(['\n', '\r'], "<br>"))?;
    }
    out.write_all(b"|\n")
}

/// The cell as a spreadsheet may see it.
fn guarded(cell: &str) -> std::borrow::Cow<'_, str> {
    const STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];
    if cell.starts_with(STARTS) && !is_decimal(cell) { format!("'{cell}").into() } else { cell.into() }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && all_digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(vec![
            Column::text("region", "地区", "Region"),
            Column::number("shared", "共享口径", "Shared"),
            Column::text("note", "备注", "Note"),
        ]);
        table.rows.push(vec![Cell::text("330108"), Cell::number("-0.50"), Cell::text("=1+1|\"a\"\nb")]);
        table.rows.push(vec![Cell::text("@x"), Cell::Null, Cell::Bool(true)]);
        table
    }

    fn written(write: impl FnOnce(&Table, &mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&table(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_format() {
        assert_eq!(
            written(|t, out| t.write_csv(out, Header::Title(Lang::Zh), true)),
            "\u{feff}地区,共享口径,备注\n330108,-0.50,\"'=1+1|\"\"a\"\"\nb\"\n'@x,,true\n"
        );
        let first = r#"{"region":"330108","shared":"-0.50","note":"=1+1|\"a\"\nb"}"#;
        let second = r#"{"region":"@x","shared":null,"note":true}"#;
        assert_eq!(written(|t, out| t.write_json(out)), format!("[\n{first},\n{second}\n]\n"));
        assert_eq!(written(|t, out| t.write_jsonl(out)), format!("{first}\n{second}\n"));
        assert_eq!(serde_json::to_string(&table()).unwrap(), format!("[{first},{second}]"));
        assert_eq!(
            written(|t, out| t.write_markdown(out, Header::Key)),
            "| region | shared | note |\n| --- | ---: | --- |\n| 330108 | -0.50 | =1+1\\|\"a\"<br>b |\n| @x |  | true |\n"
        );
    }

    #[test]
    fn only_numbers_may_start_like_a_formula() {
        for number in ["-1", "+2.50", "-0.00"] {
            assert_eq!(guarded(number), number);
        }
        for formula in ["-1+2", "=A1", "+cmd", "@sum", "-", "\tx", "＝1", "-1.2.3"] {
            assert_eq!(guarded(formula), format!("'{formula}"));
        }
    }
}
