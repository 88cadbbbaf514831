//! What contested figures may become (semantics R11): beside the row for programs, in a table of its own for people.
//! Where nothing is contested there is nothing of it.

use hefu_projections::{contested::Outcomes, counting::Row};

use serde_json::{Map, Value};

use super::{basis::Basis, indicators::Figures};
use crate::{
    lang::{Lang, Text, text},
    render::{Cell, Column, Json, Table, plain, shown, thousands},
};

type Which = fn(&Outcomes) -> &Row;

/// Key, Chinese and English title, and which row it is.
const OUTCOMES: [(&str, &str, &str, Which); 4] = [
    ("if_refused", "如不予认可", "if refused", |all| &all.if_refused),
    ("if_confirmed", "如予认可", "if confirmed", |all| &all.if_confirmed),
    ("lower", "下限", "lower", |all| &all.lower),
    ("upper", "上限", "upper", |all| &all.upper),
];

/// Every row in the order of the report, with what it may become.
fn open(figures: &Figures<'_>) -> Vec<Option<(Row, Outcomes)>> {
    let rows = figures.report.areas.iter().flat_map(|area| {
        figures.report.indicators.iter().map(|indicator| {
            let row = figures.row(*area, *indicator);
            let outcomes = figures.outcomes(&row).filter(|_| !row.missing)?;
            Some((row, outcomes))
        })
    });
    rows.collect()
}

/// The rows for programs: a contested one has four more fields, each an object of its figures; in a file of columns,
/// each the shared figure.
pub(super) fn with_columns(figures: &Figures<'_>, mut data: Table) -> Table {
    let open = open(figures);
    if open.iter().all(Option::is_none) {
        return data;
    }
    data.columns.extend(OUTCOMES.map(|(key, zh, en, _)| Column::number(key, zh, en)));
    data.optional.extend(OUTCOMES.map(|(key, ..)| key));
    for (cells, open) in data.rows.iter_mut().zip(&open) {
        cells.extend(OUTCOMES.map(|(_, _, _, which)| {
            let Some((_, outcomes)) = open else { return shown("", Value::Null) };
            let row = which(outcomes);
            let figure = |basis: Basis| (basis.column().key.to_owned(), row.text(basis.of(row)).into());
            let all: Map<String, Value> = figures.bases().into_iter().map(figure).collect();
            shown(row.text(row.shared).unwrap_or_default(), all)
        }));
    }
    data
}

/// The contested figures for people: one line for each basis that can still move.
pub(super) fn table(figures: &Figures<'_>) -> Option<Table> {
    let mut table = Table::new(vec![
        Column::text("region", "地区", "region"),
        Column::text("indicator", "指标", "indicator"),
        Column::text("basis", "口径", "basis"),
        Column::number("now", "现值", "now"),
    ])
    .titled(text(
        "待定数:争议或待认定的权益如何裁定,数字将如何变化",
        "Contested: what figures become, whatever is decided",
    ));
    table.columns.extend(OUTCOMES.map(|(key, zh, en, _)| Column::number(key, zh, en)));
    for (row, outcomes) in open(figures).into_iter().flatten() {
        for basis in figures.bases() {
            let of = |which: Which| basis.of(which(&outcomes));
            let still = OUTCOMES.iter().all(|(_, _, _, which)| of(*which) == basis.of(&row));
            if still {
                continue;
            }
            let column = basis.column();
            let title = figures.context.lang.pick(column.title_zh, column.title_en);
            let code = figures.state().indicators[usize::from(row.indicator.0)].code;
            let mut cells: Vec<Cell> = vec![figures.area(row.region), plain(code.to_string()), plain(title)];
            cells.push(figures.amount(row.indicator, basis.of(&row)));
            cells.extend(OUTCOMES.map(|(_, _, _, which)| figures.amount(row.indicator, of(which))));
            table.rows.push(cells);
        }
    }
    (!table.rows.is_empty()).then_some(table)
}

/// All figures of one contested row, for programs.
pub(super) fn json(outcomes: &Outcomes) -> Vec<(&'static str, Json)> {
    let one = |(key, _, _, which): (&'static str, &str, &str, Which)| {
        let row = which(outcomes);
        let figure = |basis: Basis| (basis.column().key, Json::from(row.text(basis.of(row))));
        (key, Json::Object(Basis::ALL.into_iter().map(figure).collect()))
    };
    OUTCOMES.map(one).into()
}

/// The shared figure of one contested row, in words.
pub(super) fn note(outcomes: &Outcomes) -> Text {
    let words = |lang: Lang| {
        let one = |(_, zh, en, which): (&str, &str, &str, Which)| {
            let row = which(outcomes);
            format!("{} {}", lang.pick(zh, en), thousands(&row.text(row.shared).unwrap_or_default()))
        };
        OUTCOMES.map(one).join(lang.pick(",", ", "))
    };
    text(format!("待定,共享口径:{}", words(Lang::Zh)), format!("contested, shared: {}", words(Lang::En)))
}
