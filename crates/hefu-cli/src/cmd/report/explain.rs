//! Every record behind one figure, and how much of each the figure shows.

use std::path::PathBuf;

use hefu_domain::{
    amount::format_minor, counting::Weight, indicator::Kind, period::Period, region::RegionId,
    settlement::LineId, state::State,
};
use hefu_projections::{
    contested::Contested,
    explain::{Line, explain},
    marks::Marks,
    status::Status,
};

use super::{geography::Geography, notice, outcomes};
use crate::{
    cmd::settle::explain_line,
    context::Context,
    error::{CliError, Result},
    find::{self, AsOf},
    lang::{Lang, text},
    render::{self, Column, Json, Page, Table, plain, shown, thousands},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The region: code or name
    #[arg(long, value_name = "REGION", required_unless_present = "line")]
    pub(crate) region: Option<String>,
    /// Code of the indicator
    #[arg(long, value_name = "INDICATOR", required_unless_present = "line")]
    pub(crate) indicator: Option<String>,
    /// 2023, 2023-Q3, 2023-07 or 2023-01..02
    #[arg(long, value_name = "PERIOD", required_unless_present = "line")]
    pub(crate) period: Option<Period>,
    /// A settlement line instead, such as 2-17
    #[arg(long, value_name = "RUN-NUMBER", conflicts_with_all = ["region", "indicator", "period", "vintage"])]
    pub(crate) line: Option<LineId>,
    /// With --line: write a proof of every record behind it into this folder
    #[arg(long, value_name = "DIR", requires = "line")]
    pub(crate) proofs: Option<PathBuf>,
    /// As known at a position, a date or an instant
    #[arg(long, value_name = "POSITION|TIME")]
    pub(crate) as_of: Option<AsOf>,
    /// As a vintage froze it; its digest is checked first
    #[arg(long, value_name = "NAME", conflicts_with = "as_of")]
    pub(crate) vintage: Option<String>,
    /// On the regions of each figure's own time, or all restated onto today's
    #[arg(long, value_name = "GEOGRAPHY", default_value = "filed")]
    pub(crate) geography: Geography,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    match (args.line, &args.region, &args.indicator, args.period) {
        (Some(line), ..) => explain_line(context, line, (args.as_of, args.proofs.as_deref())),
        (None, Some(region), Some(indicator), Some(period)) => {
            figure(context, (region, indicator, period), args)
        }
        (None, ..) => {
            Err(CliError::usage(text("请指明地区、指标和报告期", "name region, indicator and period")))
        }
    }
}

fn figure(context: &Context, (region, indicator, period): (&str, &str, Period), args: &Args) -> Result<u8> {
    args.geography.allowed(args.vintage.is_some())?;
    let (reader, position, _) = find::reader_or_vintage(context, args.as_of, args.vintage.as_deref())?;
    let reader = args.geography.of(reader);
    let state = &reader.views.state;
    let region = find::region(state, region)?.id;
    let indicator = find::indicator(state, indicator)?;
    let entry = &state.indicators[usize::from(indicator.0)];
    let scale = entry.unit.scale();
    let cell = reader.views.counting.row(state, region, indicator, period);
    let lines = explain(&reader.views, region, indicator, period);
    let amount = |minor: i64| {
        let exact = format_minor(i128::from(minor), scale);
        shown(thousands(&exact), exact)
    };
    let title = |lang: Lang| {
        let place = state.regions.get(region);
        format!("{} {} {} {}", place.code(), lang.region(place), lang.indicator(entry), period)
    };
    let mut table = Table::new(vec![
        Column::text("project", "项目", "project"),
        Column::text("period", "报告期", "period"),
        Column::number("value", "数值", "value"),
        Column::text("location", "所在地", "located in"),
        Column::text("participants", "参与方:比例与份额", "participants: weight and share"),
        Column::number("territorial", "在地口径", "territorial"),
        Column::number("shared", "共享口径", "shared"),
        Column::number("elimination", "抵消", "elimination"),
        Column::text("records", "记录位置", "records"),
    ])
    .titled(text(
        format!("{}(单位:{})", title(Lang::Zh), Lang::Zh.unit(entry.unit)),
        format!("{} (unit: {})", title(Lang::En), Lang::En.unit(entry.unit)),
    ));
    let marked = lines.iter().any(|line| Marks::of(state, line) != Marks::default());
    if marked {
        table.columns.push(Column::text("marks", "裁定与待定", "ruled and contested"));
    }
    for line in &lines {
        let name = state.projects.get(&line.project).map_or("", |project| &project.name);
        let shared = line.area.as_destination + line.area.as_origin;
        let records: Vec<u64> = line.position.into_iter().chain(line.transfers.iter().copied()).collect();
        table.rows.push(vec![
            shown(name, line.project.to_string()),
            plain(line.period.to_string()),
            amount(line.value),
            plain(line.weights.first().map(|weight| state.code(weight.region).to_string())),
            plain(participants(state, line, scale)),
            amount(line.area.territorial),
            amount(shared),
            line.elimination.map_or_else(|| plain(None::<String>), amount),
            plain(records),
        ]);
        if let Some(cells) = table.rows.last_mut().filter(|_| marked) {
            cells.push(plain(mark_words(context.lang, state, &Marks::of(state, line), scale)));
        }
    }
    let total = |minor: Option<i128>| thousands(&cell.text(minor).unwrap_or_default());
    let mut notes = vec![text(
        format!("合计:在地 {},共享 {}", total(cell.territorial), total(cell.shared)),
        format!("total: territorial {}, shared {}", total(cell.territorial), total(cell.shared)),
    )];
    if entry.kind == Kind::Ratio {
        notes.push(text(
            "比率由分子和分母计算:请分别查询",
            "a ratio follows from its numerator and denominator: ask for those",
        ));
    }
    notes.extend(args.geography.note());
    notes.push(notice());
    let figure = |minor| Json::from(cell.text(minor));
    let contested = Contested::over(&reader.views, &[indicator], period).outcomes(&reader.views, &cell);
    let status = Status::of(&reader.views, &cell, contested.as_ref());
    let mut json = vec![
        ("position", position.into()),
        ("checkpoint", reader.head.to_string().into()),
        ("region", state.code(region).to_string().into()),
        ("indicator", entry.code.to_string().into()),
        ("period", period.to_string().into()),
        ("territorial", figure(cell.territorial)),
        ("shared", figure(cell.shared)),
        ("as_origin", figure(cell.as_origin)),
        ("as_destination", figure(cell.as_destination)),
        ("elimination", figure(cell.elimination)),
        ("status", status.letter().into()),
    ];
    if let Some(contested) = &contested {
        json.extend(outcomes::json(contested));
        notes.push(outcomes::note(contested));
    }
    json.push(("rows", Json::List(lines.iter().map(|line| line_json(state, line, scale)).collect())));
    let json = Json::Object(json);
    render::print(context, &Page { tables: vec![table], data: None, notes, json })?;
    Ok(0)
}

/// What disputes left on a line, and what is open about it.
fn mark_words(lang: Lang, state: &State, marks: &Marks, scale: u8) -> String {
    let mut words: Vec<String> = Vec::new();
    words.extend(marks.ruled_by.map(|id| format!("{} {id}", lang.pick("数值由裁定确定", "value ruled in"))));
    words.extend(marks.credits.iter().map(|(region, minor)| {
        let amount = thousands(&format_minor(i128::from(*minor), scale));
        format!("{} {} {amount}", lang.pick("裁定份额", "ruled share"), state.code(*region))
    }));
    words.extend(marks.pending.iter().map(|number| {
        format!(
            "{} {number} {}",
            lang.pick("流转", "claim of transfer"),
            lang.pick("的权益待认定", "pending")
        )
    }));
    words.extend(marks.disputes.iter().map(|id| format!("{} {id}", lang.pick("争议", "dispute"))));
    words.join("; ")
}

fn participants(state: &State, line: &Line, scale: u8) -> String {
    let one = |(weight, share): (&Weight, &i64)| {
        let bp = weight.bp;
        let share = thousands(&format_minor(i128::from(*share), scale));
        format!("{} {}.{:02}% {share}", state.code(weight.region), bp / 100, bp % 100)
    };
    line.weights.iter().zip(&line.shares).map(one).collect::<Vec<_>>().join("; ")
}

/// One line for programs.
pub(super) fn line_json(state: &State, line: &Line, scale: u8) -> Json {
    let amount = |minor: i64| Json::from(format_minor(i128::from(minor), scale));
    let part = |(weight, share): (&Weight, &i64)| {
        Json::Object(vec![
            ("region", state.code(weight.region).to_string().into()),
            ("weight_bp", weight.bp.into()),
            ("share", amount(*share)),
            ("transfer", weight.transfer.into()),
        ])
    };
    let Line {
        project,
        indicator: _,
        period,
        value,
        position,
        transfers,
        weights,
        shares,
        area,
        elimination,
    } = line;
    let mut pairs = vec![
        ("project", project.to_string().into()),
        ("period", period.to_string().into()),
        ("value", amount(*value)),
        ("location", weights.first().map(|weight| state.code(weight.region).to_string()).into()),
        ("participants", Json::List(weights.iter().zip(shares).map(part).collect())),
        ("territorial", amount(area.territorial)),
        ("as_origin", amount(area.as_origin)),
        ("as_destination", amount(area.as_destination)),
        ("shared", amount(area.as_destination + area.as_origin)),
        ("elimination", elimination.map_or(Json::Value(serde_json::Value::Null), amount)),
        ("observation", (*position).into()),
        ("transfers", transfers.clone().into()),
    ];
    let marks = Marks::of(state, line);
    pairs.extend(marks.ruled_by.map(|dispute| ("ruled_by", dispute.to_string().into())));
    if !marks.credits.is_empty() {
        let credit = |(region, minor): &(RegionId, i64)| {
            Json::Object(vec![("region", state.code(*region).to_string().into()), ("amount", amount(*minor))])
        };
        pairs.push(("ruled_credits", Json::List(marks.credits.iter().map(credit).collect())));
    }
    if marks.is_contested() {
        let disputes: Vec<String> = marks.disputes.iter().map(ToString::to_string).collect();
        let open = vec![("pending_claims", marks.pending.clone().into()), ("disputes", disputes.into())];
        pairs.push(("contested", Json::Object(open)));
    }
    Json::Object(pairs)
}
