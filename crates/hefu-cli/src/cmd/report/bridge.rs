//! The bridge: how a shared figure follows from the territorial one, and how the areas below an area add up to it.

use hefu_domain::{region::RegionId, state::IndicatorId};
use hefu_projections::explain::{Line, explain};

use super::{explain::line_json, indicators::Figures};
use crate::{
    lang::text,
    render::{Column, Json, Table, plain, shown},
};

/// One table of sums for each indicator and one of what is behind its eliminations; and all of it as JSON.
pub(super) fn bridges(figures: &Figures<'_>) -> (Vec<Table>, Json) {
    let mut tables = Vec::new();
    let mut list = Vec::new();
    for indicator in figures.report.indicators.iter().copied().filter(|id| figures.adds_up(*id)) {
        let mut sums = sums(figures, indicator);
        let mut behind = behind(figures, indicator);
        for area in &figures.report.areas {
            let lines = eliminated(figures, *area, indicator);
            let (shown_parts, json) = one(figures, *area, indicator, &lines);
            sums.rows.push(shown_parts);
            list.push(json);
            push_lines(figures, &mut behind, *area, indicator, &lines);
        }
        tables.push(sums);
        if !behind.rows.is_empty() {
            tables.push(behind);
        }
    }
    (tables, Json::List(list))
}

/// The observations whose shares below an area do not add up to what the area shows.
fn eliminated(figures: &Figures<'_>, area: RegionId, indicator: IndicatorId) -> Vec<Line> {
    if figures.state().regions.children_in(area, figures.args.period).is_empty() {
        return Vec::new();
    }
    let mut lines = explain(&figures.reader.views, area, indicator, figures.args.period);
    lines.retain(|line| line.elimination.is_some_and(|part| part != 0));
    lines
}

fn sums(figures: &Figures<'_>, indicator: IndicatorId) -> Table {
    let title = figures.title(indicator);
    Table::new(vec![
        Column::text("region", "地区", "region"),
        Column::number("territorial", "在地口径", "territorial"),
        Column::number("claims_on_departed", "+ 已迁出项目的权益", "+ claims on projects that left"),
        Column::number("incoming_not_held", "− 在地项目未计入部分", "− part of projects here not held"),
        Column::number("shared", "= 共享口径", "= shared"),
        Column::number("children_shared", "下级共享合计", "sum of areas below"),
        Column::number("elimination", "+ 抵消", "+ elimination"),
    ])
    .titled(text(format!("桥接:{}", title.zh), format!("Bridge: {}", title.en)))
}

fn one(
    figures: &Figures<'_>,
    area: RegionId,
    indicator: IndicatorId,
    lines: &[Line],
) -> (Vec<crate::render::Cell>, Json) {
    let row = figures.row(area, indicator);
    let not_held = row.territorial.zip(row.as_destination).map(|(all, held)| all - held);
    let below = row.shared.zip(row.elimination).map(|(shared, eliminated)| shared - eliminated);
    let parts = [
        ("territorial", row.territorial),
        ("claims_on_departed", row.as_origin),
        ("incoming_not_held", not_held),
        ("shared", row.shared),
        ("children_shared", below),
        ("elimination", row.elimination),
    ];
    let state = figures.state();
    let code = state.indicators[usize::from(indicator.0)].code;
    let mut cells = vec![figures.area(area)];
    let mut json = vec![
        ("region", state.code(area).to_string().into()),
        ("indicator", code.to_string().into()),
        ("period", figures.args.period.to_string().into()),
    ];
    for (key, part) in parts {
        let cell = figures.amount(indicator, part);
        json.push((key, cell.value.clone().into()));
        cells.push(cell);
    }
    let scale = row.scale;
    json.push(("lines", Json::List(lines.iter().map(|line| line_json(state, line, scale)).collect())));
    (cells, Json::Object(json))
}

fn behind(figures: &Figures<'_>, indicator: IndicatorId) -> Table {
    let title = figures.title(indicator);
    Table::new(vec![
        Column::text("region", "地区", "region"),
        Column::text("project", "项目", "project"),
        Column::text("period", "报告期", "period"),
        Column::number("value", "数值", "value"),
        Column::number("elimination", "抵消", "elimination"),
        Column::number("position", "位置", "position"),
    ])
    .titled(text(format!("抵消明细:{}", title.zh), format!("Behind the elimination: {}", title.en)))
}

fn push_lines(
    figures: &Figures<'_>,
    table: &mut Table,
    area: RegionId,
    indicator: IndicatorId,
    lines: &[Line],
) {
    let few = if figures.args.explain_elimination { lines.len() } else { figures.few };
    for line in lines.iter().take(few) {
        let name = figures.state().projects.get(&line.project).map_or("", |project| &project.name);
        table.rows.push(vec![
            figures.area(area),
            shown(name, line.project.to_string()),
            plain(line.period.to_string()),
            figures.amount(indicator, Some(i128::from(line.value))),
            figures.amount(indicator, line.elimination.map(i128::from)),
            plain(line.position),
        ]);
    }
    if let Some(more) = lines.len().checked_sub(few).filter(|more| *more > 0) {
        let note = figures.context.lang.pick(
            format!("另有 {more} 条:--explain-elimination"),
            format!("{more} more: --explain-elimination"),
        );
        let rest: i128 = lines[few..].iter().filter_map(|line| line.elimination).map(i128::from).sum();
        table.rows.push(vec![
            figures.area(area),
            plain(note),
            plain(""),
            plain(""),
            figures.amount(indicator, Some(rest)),
            plain(""),
        ]);
    }
}
