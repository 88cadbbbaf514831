//! Answers as files: one table, written as CSV, JSON, JSON Lines or Markdown.
//!
//! Columns keep their order and numbers their digits: a number is a decimal text from the ledger to the file. Drawing a
//! table for a terminal is not done here.

use std::{
    borrow::Cow,
    io::{self, Write},
};

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

    /// See [`write_csv`].
    pub fn write_csv(&self, out: impl Write, header: Header, bom: bool) -> io::Result<()> {
        write_csv(self, out, header, bom).map(drop)
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

/// Rows that are made one after another, and again from the first whenever they are asked for: a file of them is written
/// without holding them all.
pub trait Rows {
    /// The columns.
    fn columns(&self) -> &[Column];

    /// The rows, from the first. Each has one cell for each column.
    fn rows(&self) -> Box<dyn Iterator<Item = Cow<'_, [Cell]>> + '_>;
}

impl Rows for Table {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn rows(&self) -> Box<dyn Iterator<Item = Cow<'_, [Cell]>> + '_> {
        Box::new(self.rows.iter().map(|row| Cow::Borrowed(row.as_slice())))
    }
}

/// How many rows there were, and the SHA-256 of them as CSV with stable keys, in hex: the same rows have the same in every
/// form of file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// How many.
    pub rows: u64,
    /// The digest.
    pub sha256: String,
}

/// CSV in UTF-8; gives how many rows were written. `bom` is for spreadsheets, which take a file without one for another
/// encoding. A text that a spreadsheet would run as a formula gets an apostrophe in front.
pub fn write_csv(rows: &dyn Rows, mut out: impl Write, header: Header, bom: bool) -> io::Result<u64> {
    if bom {
        out.write_all("\u{feff}".as_bytes())?;
    }
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(rows.columns().iter().map(|column| column.header(header)))?;
    let mut count = 0;
    for row in rows.rows() {
        for cell in &*row {
            writer.write_field(guarded(cell.as_str()).as_bytes())?;
        }
        writer.write_record(None::<&[u8]>)?;
        count += 1;
    }
    writer.flush()?;
    Ok(count)
}

/// The same with stable keys, counted and digested on the way.
pub fn write_counted(rows: &dyn Rows, out: impl Write) -> io::Result<Counted> {
    let mut out = Digesting { out, sha256: Sha256::new() };
    let count = write_csv(rows, &mut out, Header::Key, false)?;
    Ok(Counted { rows: count, sha256: hex::encode(out.sha256.finalize()) })
}

/// The count and the digest alone.
pub fn counted(rows: &dyn Rows) -> Counted {
    let counted = write_counted(rows, io::sink());
    counted.unwrap_or_else(|error| unreachable!("a sink takes every byte: {error}"))
}

/// Passes bytes on, and digests those that were taken.
struct Digesting<W> {
    out: W,
    sha256: Sha256,
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.out.write(bytes)?;
        self.sha256.update(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
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
fn guarded(cell: &str) -> Cow<'_, str> {
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

    /// A disk that takes a byte at a time, and so many of them.
    struct Grudging(Vec<u8>, usize);

    impl Write for Grudging {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0.len() == self.1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.extend(bytes.first());
            Ok(bytes.len().min(1))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn rows_are_digested_on_their_way() {
        let mut csv = Vec::new();
        let counted_there = write_counted(&table(), &mut csv).unwrap();
        assert_eq!(csv, written(|t, out| t.write_csv(out, Header::Key, false)).into_bytes());
        assert_eq!(counted_there, Counted { rows: 2, sha256: hex::encode(Sha256::digest(&csv)) });
        assert_eq!(counted(&table()), counted_there);
        // A disk that takes a byte at a time changes nothing, and one that is full is told.
        let mut slow = Grudging(Vec::new(), usize::MAX);
        assert_eq!(write_counted(&table(), &mut slow).unwrap(), counted_there);
        assert_eq!(slow.0, csv);
        let full = write_counted(&table(), Grudging(Vec::new(), csv.len() - 1)).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
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
