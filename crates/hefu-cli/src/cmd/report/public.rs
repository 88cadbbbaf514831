//! A public table: territorial figures after disclosure control, and nothing else (semantics section 8).
//!
//! What is suppressed has status `Q` and confidentiality `C`, without the reason: a reason says how many are in a cell.
//! Nothing of the shared basis is shown, nor what a contested figure may become.

use hefu_domain::{disclosure::Finest, period::Period, region::RegionId, state::IndicatorId};
use hefu_projections::{
    disclosure::{Mark, Release, published_periods},
    status::Status,
};
use serde_json::Value;

use super::{basis::Basis, indicators::Figures};
use crate::{
    error::{CliError, Result, exit},
    lang::{Text, text},
    render::{Cell, Column, Json, Page, Table, plain, shown},
};

/// Fails for what no public table shows.
pub(super) fn allows(figures: &Figures<'_>) -> Result {
    let args = figures.args;
    if args.bridge || args.explain_elimination || args.basis.iter().any(|basis| *basis != Basis::Territorial)
    {
        let message = text(
            "公开表只有在地口径,不列桥接",
            "a public table shows the territorial basis only, and no bridge",
        );
        let hint = text("去掉 --public,或去掉这些选项", "leave out --public, or those options");
        return Err(CliError::usage(message).hint(hint));
    }
    let finest = figures.state().policy.disclosure.finest_period;
    if published_periods(finest, args.period.year()).contains(&args.period) {
        return Ok(());
    }
    let message = text(
        format!("公开表没有报告期 {}", args.period),
        format!("public tables have no period {}", args.period),
    );
    let year = args.period.year();
    let hint = match finest {
        Finest::Year => text(format!("按年度公布,如 {year}"), format!("they are of years, like {year}")),
        Finest::Quarter => text(
            format!("按季度和年度公布,如 {year}-Q1"),
            format!("they are of quarters and years, like {year}-Q1"),
        ),
        Finest::Month => text(
            format!("按月、季度和年度公布,如 {year}-07"),
            format!("they are of months, quarters and years, like {year}-07"),
        ),
    };
    Err(CliError::new("not_published", exit::REFUSED, message).hint(hint).at("field", "period"))
}

/// One figure of a public table.
struct Figure {
    amount: Option<i128>,
    text: Option<String>,
    status: &'static str,
    suppressed: bool,
}

/// The table as people and as files have it.
pub(super) fn page(figures: &Figures<'_>, position: u64, head: &str) -> Page {
    let mut release = Release::of(&figures.reader.views);
    let mut data = Table::new(vec![
        Column::text("region", "地区", "region"),
        Column::text("indicator", "指标", "indicator"),
        Column::text("period", "报告期", "period"),
        Basis::Territorial.column(),
        Column::text("status", "状态", "status"),
        Column::text("confidentiality", "保密", "confidentiality"),
    ]);
    let columns = || {
        vec![
            Column::text("region", "地区", "region"),
            Basis::Territorial.column(),
            Column::text("status", "状态", "status"),
        ]
    };
    let titled = |id: &IndicatorId| Table::new(columns()).titled(figures.title(*id));
    let mut tables: Vec<Table> = figures.report.indicators.iter().map(titled).collect();
    let mut suppressed = 0;
    for area in &figures.report.areas {
        for (place, indicator) in figures.report.indicators.iter().enumerate() {
            let figure = figure(figures, &mut release, *area, *indicator);
            suppressed += usize::from(figure.suppressed);
            data.rows.push(row(figures, *area, *indicator, &figure));
            tables[place].rows.push(drawn(figures, *area, *indicator, &figure));
        }
    }
    let json = Json::Object(vec![
        ("position", position.into()),
        ("checkpoint", head.into()),
        ("rows", Json::List(data.objects())),
    ]);
    Page { tables, data: Some(data), notes: notes(position, head, suppressed), json }
}

fn figure(
    figures: &Figures<'_>,
    release: &mut Release<'_>,
    area: RegionId,
    indicator: IndicatorId,
) -> Figure {
    let row = figures.row(area, indicator);
    if release.mark(area, indicator, figures.args.period) != Some(Mark::Free) {
        return Figure { amount: None, text: None, status: "Q", suppressed: true };
    }
    let status = Status::of(&figures.reader.views, &row, figures.outcomes(&row).as_ref());
    Figure {
        amount: row.territorial,
        text: row.text(row.territorial),
        status: status.letter(),
        suppressed: false,
    }
}

fn row(figures: &Figures<'_>, area: RegionId, indicator: IndicatorId, figure: &Figure) -> Vec<Cell> {
    let state = figures.state();
    let period: Period = figures.args.period;
    vec![
        plain(state.code(area).to_string()),
        plain(state.indicators[usize::from(indicator.0)].code.to_string()),
        plain(period.to_string()),
        plain(figure.text.clone()),
        plain(figure.status),
        plain(if figure.suppressed { "C" } else { "F" }),
    ]
}

fn drawn(figures: &Figures<'_>, area: RegionId, indicator: IndicatorId, figure: &Figure) -> Vec<Cell> {
    let lang = figures.context.lang;
    let words = match figure.status {
        "Q" => lang.pick("不予公布", "suppressed"),
        "M" => lang.status(Status::Missing),
        "V" => lang.status(Status::Contested),
        "P" => lang.status(Status::Provisional),
        _ => "",
    };
    let amount =
        if figure.suppressed { shown("…", Value::Null) } else { figures.amount(indicator, figure.amount) };
    vec![figures.area(area), amount, shown(words, figure.status)]
}

fn notes(position: u64, head: &str, suppressed: usize) -> Vec<Text> {
    vec![
        text(format!("截至位置 {position},链头 {head}"), format!("as of position {position}, head {head}")),
        text(
            format!("公开表:在地口径,{suppressed} 个数字因保护单个企业的资料不予公布(…)"),
            format!(
                "public table: territorial; {suppressed} figures are suppressed (…) to protect single enterprises"
            ),
        ),
    ]
}
