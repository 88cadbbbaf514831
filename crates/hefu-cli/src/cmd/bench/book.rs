//! A region's book of 100,000 rows: read from a workbook, matched, bridged.

use std::{collections::BTreeMap, time::Instant};

use anyhow::{Context as _, Result};
use hefu_domain::{
    amount::format_minor, id::ProjectId, indicator::IndicatorCode, period::Period,
    policy::built_in_indicators,
};
use hefu_exchange::{
    book::{self, Named, Options},
    import::quantity::MoneyUnit,
    matching::{self, LedgerLine, NamedBy, Tolerance},
    output::{Cell, Column, Header, Table},
    workbook::{self, Sheet},
};
use serde_json::{Value, json};

const ROWS: u64 = 100_000;
/// Months of each project.
const MONTHS: u64 = 48;
/// One row in so many differs from the ledger.
const WRONG: u64 = 20;

pub(super) fn measure() -> Result<Value> {
    let indicator: IndicatorCode = "INV_FAI".parse()?;
    let (bytes, ledger, codes) = made(indicator)?;
    let catalogue = built_in_indicators();
    let find_project = |text: &str| match codes.get(text) {
        Some(id) => Named::One(*id, NamedBy::Code),
        None => Named::Nothing,
    };
    let options = Options {
        file: "book.xlsx",
        sheet: None,
        catalogue: &catalogue,
        find_project: &find_project,
        unit: MoneyUnit::Yuan,
        indicator: None,
        period: None,
    };
    let start = Instant::now();
    let book = book::read(&bytes, &options)?;
    let read = start.elapsed().as_secs_f64();
    let groups = matching::match_lines(&book.lines, &ledger, &catalogue, &Tolerance::default());
    let bridges = matching::bridges(&book.lines, &ledger, &groups);
    let breaks = matching::breaks("330108", "shared", &groups);
    let seconds = start.elapsed().as_secs_f64();
    let residual: i128 = bridges.iter().map(matching::Bridge::residual).sum();
    anyhow::ensure!(residual == 0 && book.errors.is_empty(), "the book was not read as it was written");
    Ok(json!({"rows": book.lines.len(), "breaks": breaks.len(), "read_s": read, "seconds": seconds}))
}

type Made = (Vec<u8>, Vec<LedgerLine>, BTreeMap<String, ProjectId>);

fn made(indicator: IndicatorCode) -> Result<Made> {
    let mut table = Table::new(vec![
        Column::text("code", "项目代码", "code"),
        Column::text("indicator", "指标", "indicator"),
        Column::text("period", "报告期", "period"),
        Column::number("amount", "金额", "amount"),
    ]);
    let mut ledger = Vec::new();
    let mut codes = BTreeMap::new();
    for row in 0..ROWS {
        let (number, month) = (row / MONTHS, row % MONTHS);
        let id: ProjectId = format!("0198b2c4-7d3e-7000-8000-{number:012x}").parse()?;
        let code = format!("2501-330108-04-01-{number:06}");
        let year = i16::try_from(2023 + month / 12)?;
        let month = u8::try_from(month % 12 + 1)?;
        let period = Period::months(year, month, month).context("a month")?;
        let minor = i64::try_from(row * 7919 % 1_000_000_007)?;
        let own = minor + i64::from(row % WRONG == 0);
        table.rows.push(vec![
            Cell::text(&code),
            Cell::text(&indicator),
            Cell::text(&period),
            Cell::number(&format_minor(i128::from(own), 2)),
        ]);
        codes.entry(code).or_insert(id);
        ledger.push(LedgerLine { project: id, indicator, period, minor, records: vec![row] });
    }
    let sheet = Sheet { name: "book".to_owned(), tables: vec![(None, table)], ..Sheet::default() };
    Ok((workbook::write(&[sheet], Header::Key, (2026, 1, 1))?, ledger, codes))
}
