//! A region's own tables as commands: enterprises, projects, observations and tax from CSV or XLSX.
//!
//! Columns go by Chinese or English headers in any order; full-width digits, thousands separators, 元/万元/亿元 and the
//! usual spellings of dates and periods are understood, and converted exactly. Every wrong cell is reported, with the
//! good rows beside it: whether a file is taken whole or not at all is the caller's choice.
//!
//! Refuses to guess: a value finer than a fen, a shortened number, a project that is not on record, a year-to-date value
//! without the one before it. Nothing here asks the ledger; [`Options`] holds the lookups.

use hefu_domain::{
    id::ProjectId,
    indicator::{Indicator, Unit},
    policy::built_in_indicators,
    region::{RegionCode, RegionEntry},
    tax::TaxRate,
    time::Date,
};
use serde_json::{Map, Value};

use crate::{
    problem::{FileError, Problem},
    sheet::{Row, Sheet},
    text::fold,
};

mod cumulative;
mod observations;
pub mod quantity;
mod registry;
pub(crate) mod scalar;
mod taxes;

pub use observations::observations;
pub use registry::{enterprises, projects};
pub use taxes::taxes;

use quantity::MoneyUnit;

/// Minor units beyond this do not fit into the fifteen digits of a number cell.
const CERTAIN: i64 = 1_000_000_000_000_000;

/// What the importer must be told: names the ledger knows, and what the file does not say.
pub struct Options<'a> {
    /// The file's name, for errors.
    pub file: &'a str,
    /// The sheet of a workbook; without it the only one that has the header.
    pub sheet: Option<&'a str>,
    /// The indicators of the policy in force.
    pub catalogue: &'a [Indicator],
    /// The policy's rates: what kinds of tax there are.
    pub taxes: &'a [TaxRate],
    /// The project a government project code names.
    pub find_project: &'a dyn Fn(&str) -> Option<ProjectId>,
    /// The region a name such as 江山市 names; codes are understood without it.
    pub find_region: &'a dyn Fn(&str) -> Option<RegionCode>,
    /// The days a project landed: a year-to-date series starts anew there (semantics R9).
    pub landings: &'a dyn Fn(ProjectId) -> Vec<Date>,
    /// An identity for a project whose row has none; without it such a row is refused.
    pub new_project: Option<&'a dyn Fn() -> ProjectId>,
    /// The region of enterprises and projects whose row names none.
    pub region: Option<RegionCode>,
    /// The unit of amounts where neither row nor header names one.
    pub unit: MoneyUnit,
    /// Observations are year-to-date values (累计).
    pub cumulative: bool,
}

impl<'a> Options<'a> {
    /// Knows nothing: projects by id, regions by code, amounts in yuan, values of their own period.
    pub fn new(file: &'a str, catalogue: &'a [Indicator]) -> Options<'a> {
        Options {
            file,
            sheet: None,
            catalogue,
            taxes: &[],
            find_project: &|_| None,
            find_region: &|_| None,
            landings: &|_| Vec::new(),
            new_project: None,
            region: None,
            unit: MoneyUnit::Yuan,
            cumulative: false,
        }
    }
}

/// The catalogue of a ledger that adopted none of its own.
pub fn default_catalogue() -> Vec<Indicator> {
    built_in_indicators()
}

/// The region with this code or Chinese name, for [`Options::find_region`]. A name that two regions bear is nobody's.
pub fn region_by_name(regions: &[RegionEntry], name: &str) -> Option<RegionCode> {
    let mut found = regions.iter().filter(|region| region.name_zh == name);
    found.next().filter(|_| found.next().is_none()).map(|region| region.code)
}

/// What a table holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imported {
    /// Commands, with the row each is from, in the order of the file. Nobody signs them yet.
    pub drafts: Vec<(u64, Map<String, Value>)>,
    /// What is wrong, in the order of the file: every wrong cell of every row.
    pub errors: Vec<FileError>,
    /// Hidden rows among those that were read, counted like all others.
    pub hidden: Vec<u64>,
}

impl Imported {
    /// Nothing read yet but what is wrong with the sheet.
    fn of(sheet: &Sheet) -> Imported {
        Imported { errors: sheet.errors.clone(), hidden: sheet.hidden.clone(), ..Imported::default() }
    }
}

/// Collects the problems of one row, so that all of them are reported at once.
struct Cells<'s> {
    sheet: &'s Sheet,
    row: &'s Row,
    errors: Vec<FileError>,
}

impl<'s> Cells<'s> {
    fn new(sheet: &'s Sheet, row: &'s Row) -> Cells<'s> {
        let faults = sheet.faults(row).map(|(key, problem)| sheet.error(row, key, problem.clone()));
        Cells { sheet, row, errors: faults.collect() }
    }

    /// The cell's text, if it has any.
    fn get(&self, key: &'static str) -> Option<&'s str> {
        self.sheet.get(self.row, key)
    }

    /// Notes a problem with a cell. A cell that cannot be used at all is not wrong twice.
    fn wrong<T>(&mut self, key: &'static str, problem: Problem) -> Option<T> {
        if self.sheet.faults(self.row).any(|(known, _)| known == key) {
            return None;
        }
        self.errors.push(self.sheet.error(self.row, key, problem));
        None
    }

    /// A cell that may be empty.
    fn optional<T>(&mut self, key: &'static str, read: impl FnOnce(&str) -> Result<T, Problem>) -> Option<T> {
        match read(self.get(key)?) {
            Ok(value) => Some(value),
            Err(problem) => self.wrong(key, problem),
        }
    }

    /// A cell that is needed.
    fn need<T>(&mut self, key: &'static str, read: impl FnOnce(&str) -> Result<T, Problem>) -> Option<T> {
        if self.get(key).is_none() {
            return self.wrong(key, Problem::Empty {});
        }
        self.optional(key, read)
    }

    /// A quantity that is needed, in minor units, exact: of a number cell, as far as it keeps its digits.
    fn need_minor(
        &mut self,
        key: &'static str,
        named: Option<&str>,
        unit: Unit,
        options: &Options,
    ) -> Option<i64> {
        let number = self.sheet.is_number(self.row, key);
        self.need(key, |text| match quantity::minor_units(text, named, unit, options.unit)? {
            minor if number && minor.abs() >= CERTAIN => Err(Problem::NumberPrecision {}),
            minor => Ok(minor),
        })
    }

    /// An amount of money that is needed, in the unit that its row, its header or a note above the table names. Where its
    /// own header names none, that of the column `beside` it counts.
    fn need_money(
        &mut self,
        key: &'static str,
        beside: Option<&'static str>,
        options: &Options,
    ) -> Option<i64> {
        let [note, above] = self.sheet.notes(key);
        let note = note.or_else(|| beside.and_then(|beside| self.sheet.notes(beside)[0]));
        match quantity::agreed([self.get("unit"), note, above], Unit::Cny) {
            Ok(named) => self.need_minor(key, named.as_deref(), Unit::Cny, options),
            Err(problem) => self.wrong(key, problem),
        }
    }

    /// A text as it stands.
    fn text(&mut self, key: &'static str) -> Option<String> {
        self.need(key, |text| Ok(text.to_owned()))
    }

    /// A region by code or name; left out, the caller's.
    fn region(&mut self, key: &'static str, options: &Options) -> Option<String> {
        match options.region {
            Some(region) if self.get(key).is_none() => Some(region.to_string()),
            _ => self.need(key, |text| {
                let code = fold(text).parse().ok().or_else(|| (options.find_region)(text));
                code.map(|code: RegionCode| code.to_string()).ok_or(Problem::BadRegion {})
            }),
        }
    }

    /// The fields as a command, or the row's problems.
    fn finish(
        self,
        kind: &str,
        fields: impl IntoIterator<Item = (&'static str, Option<Value>)>,
        imported: &mut Imported,
    ) {
        if !self.errors.is_empty() {
            imported.errors.extend(self.errors);
            return;
        }
        let mut command = Map::new();
        command.insert("type".to_owned(), kind.into());
        command.extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        imported.drafts.push((self.row.number, command));
    }
}

/// A table whose rows name projects has a column for it.
fn has_project(sheet: &Sheet, options: &Options) -> Result<(), FileError> {
    if sheet.has("project") || sheet.has("code") {
        return Ok(());
    }
    let columns = "项目 (project), 项目代码 (code)".to_owned();
    Err(FileError::new(options.file, Problem::MissingColumns { columns }))
}

/// The project of a row: by id, by code, or by both if they agree.
fn project(cells: &mut Cells, options: &Options) -> Option<ProjectId> {
    let by_code = |text: &str| (options.find_project)(&fold(text)).ok_or(Problem::UnknownProject {});
    // People put either name under either header.
    let by_either = |text: &str| fold(text).to_lowercase().parse().or_else(|_| by_code(text));
    let has_id = cells.get("project").is_some();
    let has_code = cells.get("code").is_some();
    if !has_id && !has_code {
        let key = if cells.sheet.has("project") { "project" } else { "code" };
        return cells.wrong(key, Problem::Empty {});
    }
    let id = cells.optional("project", by_either);
    let code = cells.optional("code", by_either);
    match (id, code) {
        (Some(id), Some(code)) if id != code => cells.wrong("code", Problem::ProjectConflict {}),
        (Some(_), None) if has_code => None,
        (None, Some(_)) if has_id => None,
        (id, code) => id.or(code),
    }
}

/// What earlier rows held, to find what stands twice in one file.
#[derive(Default)]
struct Seen(std::collections::HashMap<String, u64>);

impl Seen {
    fn check(&mut self, cells: &mut Cells, key: &'static str, value: Option<&String>) {
        let Some(value) = value else { return };
        if let Some(row) = self.0.get(value) {
            cells.wrong::<()>(key, Problem::DuplicateRow { row: *row });
        } else {
            self.0.insert(value.clone(), cells.row.number);
        }
    }
}
