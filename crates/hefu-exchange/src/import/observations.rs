//! Observations from tables, each of its own period or year-to-date (累计).

use std::collections::BTreeMap;

use hefu_domain::{
    amount::format_minor,
    id::ProjectId,
    indicator::{Indicator, IndicatorCode, Kind, Unit},
    period::Period,
};

use super::{Cells, Imported, Options, cumulative, project, quantity, scalar};
use crate::{
    book,
    problem::{FileError, Problem},
    sheet::{Field, Sheet, field},
    text::fold,
};

/// The columns of a table whose values stand under one of `value` headers.
const fn columns(value: &'static [&'static str]) -> [Field; 7] {
    [
        field("project", &["项目", "项目编号", "项目id"], false),
        field("code", &["项目代码", "赋码", "代码", "projectcode"], false),
        field("indicator", &["指标", "指标代码", "指标名称"], true),
        field("period", &["报告期", "期间", "时期", "月份", "统计期"], true),
        field("value", value, true),
        field("unit", &["单位", "计量单位", "金额单位"], false),
        field("base", &["基数", "累计基数"], false),
    ]
}

// A column named 累计 is never taken for the period's own value, nor the other way round.
const OWN: &[Field] =
    &columns(&["数值", "值", "金额", "指标值", "本期值", "本期", "当期值", "当期", "本期数"]);
const YEAR_TO_DATE: &[Field] =
    &columns(&["累计值", "累计", "本年累计", "累计数", "数值", "值", "金额", "指标值"]);

/// One good row.
struct Observation {
    row: usize,
    project: ProjectId,
    indicator: Indicator,
    period: Period,
    value: i64,
    base: Option<i64>,
}

/// A table of observations. With [`Options::cumulative`] flows are year-to-date values: those of one project, indicator
/// and year are differenced, in order of their periods, into each period's own value. Stocks stay as they are.
pub fn observations(bytes: &[u8], options: &Options) -> Result<Imported, FileError> {
    let columns = if options.cumulative { YEAR_TO_DATE } else { OWN };
    let sheet = Sheet::open(bytes, options.file, options.sheet, columns)?;
    super::has_project(&sheet, options)?;
    let mut imported = Imported::of(&sheet);
    let mut good = Vec::new();
    for row in 0..sheet.rows.len() {
        let mut cells = Cells::new(&sheet, &sheet.rows[row]);
        good.extend(observation(&mut cells, row, options));
        imported.errors.extend(cells.errors);
    }
    let mut series: BTreeMap<(ProjectId, IndicatorCode, i16), Vec<Observation>> = BTreeMap::new();
    for found in good {
        series.entry((found.project, found.indicator.code, found.period.year())).or_default().push(found);
    }
    let mut own = Vec::new();
    for found in series.into_values() {
        let values =
            if options.cumulative { year_to_date(&found, &sheet, options) } else { plain(&found, &sheet) };
        own.extend(found.into_iter().zip(values));
    }
    own.sort_by_key(|(found, _)| found.row);
    for (found, value) in own {
        let mut cells = Cells::new(&sheet, &sheet.rows[found.row]);
        let (period, minor) = value
            .map_err(|problem| cells.wrong::<()>("period", problem))
            .map_or((None, None), |(period, minor)| (Some(period), Some(minor)));
        let scale = found.indicator.unit.scale();
        let fields = [
            ("indicator", Some(found.indicator.code.to_string())),
            ("period", period.map(|period| period.to_string())),
            ("project", Some(found.project.to_string())),
            ("value", minor.map(|minor| format_minor(i128::from(minor), scale))),
        ];
        let fields = fields.map(|(key, text)| (key, text.map(Into::into)));
        cells.finish("report_observation", fields, &mut imported);
    }
    imported.errors.sort_by_key(|error| error.row);
    Ok(imported)
}

/// Each row's own value: as it stands, unless an earlier row has the same period.
fn plain(series: &[Observation], sheet: &Sheet) -> Vec<Result<(Period, i64), Problem>> {
    let mut seen: BTreeMap<Period, u64> = BTreeMap::new();
    let own = |found: &Observation| match seen.insert(found.period, sheet.rows[found.row].number) {
        Some(row) => Err(Problem::DuplicateRow { row }),
        None => Ok((found.period, found.value)),
    };
    series.iter().map(own).collect()
}

fn year_to_date(
    series: &[Observation],
    sheet: &Sheet,
    options: &Options,
) -> Vec<Result<(Period, i64), Problem>> {
    let entry = |found: &Observation| cumulative::Entry {
        row: sheet.rows[found.row].number,
        period: found.period,
        value: found.value,
        base: found.base,
    };
    let entries: Vec<cumulative::Entry> = series.iter().map(entry).collect();
    let Some(first) = series.first() else { return Vec::new() };
    let landings = (options.landings)(first.project);
    cumulative::difference(&entries, &landings, first.indicator.kind == Kind::Stock)
}

/// Reads a row; problems stay with the cells.
fn observation(cells: &mut Cells, row: usize, options: &Options) -> Option<Observation> {
    let project = project(cells, options);
    let indicator = cells.need("indicator", |text| indicator(text, options.catalogue));
    // A spreadsheet turns 2023-7 into a day; a text is taken as it stands.
    let number = cells.sheet.is_number(cells.row, "period");
    let workbook = cells.sheet.is_workbook();
    let read = |text: &str| if workbook { book::period(text, number) } else { scalar::period(text) };
    let period = cells.need("period", |text| read(text).ok_or(Problem::BadPeriod {}));
    // Without its indicator a value has no unit to be read in.
    let (value, base) = match indicator.as_ref().map(|indicator| indicator.unit) {
        Some(unit) => {
            let named = unit_for(cells, "value", unit)?;
            let value = cells.need_minor("value", named.as_deref(), unit, options);
            // A base stands beside its value: without a unit of its own it is in the value's.
            let of_value = cells.get("value").and_then(quantity::own_unit).or(named);
            let named = unit_for(cells, "base", unit)?.or(of_value);
            let base = cells.get("base").is_some();
            (value, if base { cells.need_minor("base", named.as_deref(), unit, options) } else { None })
        }
        None => (None, None),
    };
    let found =
        Observation { row, project: project?, indicator: indicator?, period: period?, value: value?, base };
    cells.errors.is_empty().then_some(found)
}

/// The unit a row or header names for a cell. A header's does not bind a cell that has a unit of another kind, as persons
/// among amounts.
/// `None` if places disagree, which is then among the errors.
#[expect(clippy::option_option, reason = "no unit is named, or they disagree")]
fn unit_for(cells: &mut Cells, key: &'static str, unit: Unit) -> Option<Option<String>> {
    let own = cells.get(key).and_then(quantity::own_unit);
    let binds = |note: &&str| own.is_none() || quantity::is_unit_of(note, unit);
    let notes = cells.sheet.notes(key).map(|note| note.filter(binds));
    match quantity::agreed([cells.get("unit")].into_iter().chain(notes), unit) {
        Ok(named) => Some(named),
        Err(problem) => cells.wrong(key, problem),
    }
}

/// The indicator with this code or name. Only what is reported can be imported.
fn indicator(text: &str, catalogue: &[Indicator]) -> Result<Indicator, Problem> {
    let folded = fold(text);
    let is_named = |i: &&Indicator| {
        i.code.as_str().eq_ignore_ascii_case(&folded)
            || i.name_zh == folded
            || i.name_zh == text
            || i.name_en.eq_ignore_ascii_case(&folded)
    };
    let found = catalogue.iter().find(is_named).ok_or(Problem::UnknownIndicator {})?;
    match found.kind {
        Kind::Flow | Kind::Stock => Ok(found.clone()),
        Kind::Count | Kind::Ratio => Err(Problem::DerivedIndicator {}),
    }
}

#[cfg(test)]
mod tests;
