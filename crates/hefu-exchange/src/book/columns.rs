//! Where the header is, and which column holds what.

use super::{
    Options,
    grid::{Grid, address},
};
use crate::{
    problem::{FileError, Problem},
    sheet::{Field, field, normal, unit_above},
};

/// The header must stand in one of this many rows that are not blank.
const HEADER_WITHIN: usize = 20;

const FIELDS: &[Field] = &[
    field("project", &["项目", "项目编号", "项目id", "id", "projectid"], false),
    field("code", &["项目代码", "赋码", "代码", "项目赋码", "projectcode"], false),
    field("name", &["项目名称", "名称", "projectname"], false),
    field("indicator", &["指标", "指标代码", "指标名称"], false),
    field(
        "period",
        &["报告期", "期间", "时期", "月份", "统计期", "所属期", "年月", "结算期", "结算年度", "month"],
        false,
    ),
    field(
        "amount",
        &[
            "金额",
            "数值",
            "值",
            "计入额",
            "计入数",
            "计入金额",
            "账面数",
            "账面金额",
            "指标值",
            "本期值",
            "本期",
            "本期数",
            "当期值",
            "当期",
            "分成额",
            "分成金额",
            "结算额",
            "结算金额",
            "value",
        ],
        true,
    ),
    field("unit", &["单位", "计量单位", "金额单位"], false),
];

/// One column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// Its place, from 0.
    pub index: usize,
    /// Its header.
    pub title: String,
    /// The unit in brackets in the header, and the one above the table.
    pub units: [Option<String>; 2],
}

/// The columns of a table, and where its rows begin.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    columns: Vec<(&'static str, Column)>,
    /// The first row under the header, as an index into the grid's rows.
    pub first: usize,
    /// Cells in the header row.
    pub width: usize,
}

impl Table {
    /// The column of a field.
    pub(super) fn column(&self, key: &str) -> Option<&Column> {
        self.columns.iter().find(|(known, _)| *known == key).map(|(_, column)| column)
    }
}

/// The sheet that is the book, with its columns: the named one, or the only one with a header.
pub(super) fn choose(grids: Vec<Grid>, options: &Options) -> Result<(Grid, Table), FileError> {
    let mut found: Vec<(Grid, Table)> = Vec::new();
    let mut failed: Option<FileError> = None;
    for grid in grids {
        match table(&grid, options) {
            Ok(table) => found.push((grid, table)),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    if found.len() > 1 {
        let names: Vec<&str> = found.iter().filter_map(|(grid, _)| grid.sheet.as_deref()).collect();
        return Err(FileError::new(options.file, Problem::WhichSheet { sheets: names.join(", ") }));
    }
    let none = || failed.unwrap_or_else(|| FileError::new(options.file, Problem::NoRows {}));
    found.pop().ok_or_else(none)
}

fn table(grid: &Grid, options: &Options) -> Result<Table, FileError> {
    let wrong = |problem| FileError { sheet: grid.place(None), ..FileError::new(options.file, problem) };
    if grid.rows.is_empty() {
        return Err(wrong(Problem::NoRows {}));
    }
    let mut unit = None;
    let mut best: (usize, Option<FileError>) = (0, None);
    for (place, row) in grid.rows.iter().take(HEADER_WITHIN).enumerate() {
        let mut columns: Vec<(&'static str, Column)> = Vec::new();
        let mut second = None;
        for (index, cell) in row.cells.iter().enumerate() {
            let (name, note) = normal(&cell.text);
            let named = |f: &&Field| normal(f.key).0 == name || f.names.contains(&name.as_str());
            let Some(Field { key, .. }) = FIELDS.iter().find(named) else { continue };
            if columns.iter().any(|(known, _)| known == key) {
                second = second.or(Some((*key, index, cell.text.clone())));
                continue;
            }
            let column = Column { index, title: cell.text.clone(), units: [note, unit.clone()] };
            columns.push((key, column));
        }
        let table = Table { columns, first: place + 1, width: row.cells.len() };
        let lacking = lacking(&table, options);
        if lacking.is_empty() {
            if let Some((key, index, title)) = second {
                let error = wrong(Problem::DuplicateColumn {});
                let sheet = grid.place(Some(address(row.number, index)));
                return Err(FileError {
                    row: Some(row.number),
                    column: Some(title),
                    field: Some(key),
                    sheet,
                    ..error
                });
            }
            if table.first == grid.rows.len() {
                return Err(wrong(Problem::NoRows {}));
            }
            return Ok(table);
        }
        if table.columns.len() > best.0 || best.1.is_none() {
            let error = wrong(Problem::MissingColumns { columns: lacking.join(", ") });
            let row = (!table.columns.is_empty()).then_some(row.number);
            best = (table.columns.len(), Some(FileError { row, ..error }));
        }
        unit = row.cells.iter().find_map(|cell| unit_above(&cell.text)).or(unit);
    }
    Err(best.1.unwrap_or_else(|| wrong(Problem::NoRows {})))
}

/// What a header row would still need.
fn lacking(table: &Table, options: &Options) -> Vec<&'static str> {
    let has = |key| table.column(key).is_some();
    let mut lacking = Vec::new();
    if !has("project") && !has("code") && !has("name") {
        lacking.push("项目 (project) / 项目代码 (code) / 项目名称 (name)");
    }
    if !has("indicator") && options.indicator.is_none() {
        lacking.push("指标 (indicator)");
    }
    if !has("period") && options.period.is_none() {
        lacking.push("报告期 (period)");
    }
    if !has("amount") {
        lacking.push("金额 (amount)");
    }
    lacking
}
