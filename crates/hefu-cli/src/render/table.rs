//! Rows under columns, each value in two forms: for people and for programs.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use hefu_exchange::output::{self, Column, Rows};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::lang::Text;

/// One value: as people read it, and as programs do.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) show: String,
    pub(crate) value: Value,
}

/// A value that people and programs read alike.
pub(crate) fn plain(value: impl Into<Value>) -> Cell {
    let value = value.into();
    Cell { show: bare(&value), value }
}

/// A value that people read in other words.
pub(crate) fn shown(show: impl Into<String>, value: impl Into<Value>) -> Cell {
    Cell { show: show.into(), value: value.into() }
}

/// A JSON value as the text of a cell.
pub(super) fn bare(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(bare).collect::<Vec<_>>().join(" "),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// A cell in a file of columns: its value, or the one figure that stands for an object.
pub(super) fn in_a_file(cell: &Cell) -> String {
    if cell.value.is_object() { cell.show.clone() } else { bare(&cell.value) }
}

/// JSON whose keys keep the order in which they were written down.
#[derive(Clone, Debug)]
pub(crate) enum Json {
    Value(Value),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl<T: Into<Value>> From<T> for Json {
    fn from(value: T) -> Json {
        Json::Value(value.into())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Json::Value(value) => value.serialize(serializer),
            Json::List(items) => serializer.collect_seq(items),
            Json::Object(pairs) => serializer.collect_map(pairs.iter().map(|(key, value)| (key, value))),
        }
    }
}

impl Json {
    /// Writes it as one line.
    pub(super) fn write(&self, mut out: impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut out, self)?;
        out.write_all(b"\n")
    }
}

/// Rows under columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) title: Option<Text>,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
    /// Columns that an object does not have where they are empty.
    pub(crate) optional: Vec<&'static str>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(columns: Vec<Column>) -> Table {
        Table { columns, ..Table::default() }
    }

    /// The same under a title.
    pub(crate) fn titled(self, title: Text) -> Table {
        Table { title: Some(title), ..self }
    }

    /// The rows as objects.
    pub(crate) fn objects(&self) -> Vec<Json> {
        self.rows.iter().map(|row| self.object(row)).collect()
    }

    /// A row as an object.
    pub(super) fn object(&self, row: &[Cell]) -> Json {
        let cell = |(column, cell): (&Column, &Cell)| (column.key, Json::Value(cell.value.clone()));
        let there = |(column, cell): &(&Column, &Cell)| {
            !(cell.value.is_null() && self.optional.contains(&column.key))
        };
        Json::Object(self.columns.iter().zip(row).filter(there).map(cell).collect())
    }

    /// The same table for a workbook: words as people read them, numbers with every digit and no separators.
    pub(crate) fn exact(&self) -> output::Table {
        let mut table = self.file(|cell| cell.show.clone());
        for (row, cells) in table.rows.iter_mut().zip(&self.rows) {
            for ((cell, own), column) in row.iter_mut().zip(cells).zip(&self.columns) {
                if column.numeric {
                    let text = bare(&own.value);
                    *cell = if text.is_empty() { output::Cell::Null } else { output::Cell::Number(text) };
                }
            }
        }
        table
    }

    /// The same table for a file: what programs read, or what people do.
    pub(super) fn file(&self, text: impl Fn(&Cell) -> String) -> output::Table {
        let mut table = output::Table::new(self.columns.clone());
        table.rows = self.rows.iter().map(|row| self.cells(row, &text)).collect();
        table
    }

    fn cells(&self, row: &[Cell], text: impl Fn(&Cell) -> String) -> Vec<output::Cell> {
        let cell = |(column, cell): (&Column, &Cell)| match text(cell) {
            text if text.is_empty() => output::Cell::Null,
            text if column.numeric => output::Cell::Number(text),
            text => output::Cell::Text(text),
        };
        self.columns.iter().zip(row).map(cell).collect()
    }
}

/// The rows of a table as programs read them, made one by one.
pub(super) struct InAFile<'t>(pub(super) &'t Table);

impl Rows for InAFile<'_> {
    fn columns(&self) -> &[Column] {
        &self.0.columns
    }

    fn rows(&self) -> Box<dyn Iterator<Item = Cow<'_, [output::Cell]>> + '_> {
        Box::new(self.0.rows.iter().map(|row| Cow::Owned(self.0.cells(row, in_a_file))))
    }
}
