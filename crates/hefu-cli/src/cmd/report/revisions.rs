//! What each vintage said of a period, by how much the next one differed, and why.

use std::collections::BTreeMap;

use hefu_domain::{period::Period, state::IndicatorId, vintage::Vintage};
use hefu_projections::{
    revised::Reliability,
    revisions::{Seen, differences},
};

use super::{
    basis::Basis,
    notice,
    revised::{Reasons, amount, reasons_cell},
};
use crate::{
    context::Context,
    error::{CliError, Result, exit},
    find::{self, AsOf},
    lang::text,
    render::{self, Column, Json, Page, Table, plain, shown},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The region: code or name
    #[arg(long, value_name = "REGION")]
    pub(crate) region: String,
    /// Code of an indicator; may be repeated; by default all that were frozen
    #[arg(long, value_name = "INDICATOR")]
    pub(crate) indicator: Vec<String>,
    /// Only this period; may be repeated
    #[arg(long, value_name = "PERIOD")]
    pub(crate) period: Vec<Period>,
    /// Only this basis; may be repeated; by default territorial and shared
    #[arg(long, value_name = "BASIS")]
    pub(crate) basis: Vec<Basis>,
    /// Only vintages known at a position, a date or an instant
    #[arg(long, value_name = "POSITION|TIME")]
    pub(crate) as_of: Option<AsOf>,
}

/// What one vintage said of one figure.
struct Said {
    name: String,
    vintage: Vintage,
    seen: Seen,
    /// Why it differs from the vintage before.
    reasons: Reasons,
}

type Figures = BTreeMap<(IndicatorId, Period), Vec<Said>>;

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let (reader, position) = find::reader(context, args.as_of)?;
    let state = &reader.views.state;
    let region = find::region(state, &args.region)?.id;
    let wanted =
        args.indicator.iter().map(|name| find::indicator(state, name)).collect::<Result<Vec<_>>>()?;
    let vintages = state.vintages.in_order();
    if vintages.is_empty() {
        let message = text("尚无冻结的版本", "no vintage was frozen yet");
        let hint = text("`hefu vintage freeze` 冻结一个版本", "`hefu vintage freeze` freezes one");
        return Err(CliError::new("no_vintage", exit::REFUSED, message).hint(hint));
    }
    let mut figures = Figures::new();
    let mut failed = None;
    let sizes: Vec<u64> = vintages.iter().map(|(_, vintage)| vintage.position + 1).collect();
    reader.visit(&sizes, &mut |views| {
        let here = vintages.iter().filter(|(_, vintage)| vintage.position + 1 == views.size);
        for (name, vintage) in here {
            if let Err(error) = find::unchanged(views, name, vintage) {
                failed.get_or_insert(error);
                return;
            }
            let indicators =
                vintage.indicators.iter().filter_map(|code| Some(views.state.indicator(*code)?.0));
            for indicator in indicators.filter(|id| wanted.is_empty() || wanted.contains(id)) {
                let periods = vintage.periods.iter();
                for period in periods.filter(|period| args.period.is_empty() || args.period.contains(period))
                {
                    let said = figures.entry((indicator, *period)).or_default();
                    let reasons = said.last().map(|last| differences(views, &last.seen)).unwrap_or_default();
                    let seen = Seen::of(views, region, indicator, *period);
                    said.push(Said { name: (*name).to_owned(), vintage: (*vintage).clone(), seen, reasons });
                }
            }
        }
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    print(context, args, &reader, position, &figures)
}

fn print(
    context: &Context,
    args: &Args,
    reader: &hefu_engine::Reader,
    position: u64,
    figures: &Figures,
) -> Result<u8> {
    let state = &reader.views.state;
    let region = find::region(state, &args.region)?;
    let bases =
        if args.basis.is_empty() { vec![Basis::Territorial, Basis::Shared] } else { args.basis.clone() };
    let (mut data, mut summary, mut reliability) = (data_table(), summary_table(), reliability_table());
    for basis in &bases {
        let column = basis.column();
        let basis_cell = || shown(context.lang.pick(column.title_zh, column.title_en), column.key);
        let mut pairs: BTreeMap<IndicatorId, Vec<(i128, i128)>> = BTreeMap::new();
        for ((indicator, period), all) in figures {
            let entry = &state.indicators[usize::from(indicator.0)];
            let scale = entry.unit.scale();
            let figure = |said: &Said| basis.of(&said.seen.row).filter(|_| !said.seen.row.missing);
            let key = || [plain(entry.code.to_string()), plain(period.to_string()), basis_cell()];
            let mut before: Option<i128> = None;
            for (number, said) in all.iter().enumerate() {
                let now = figure(said);
                let moved = (number > 0).then(|| now.unwrap_or(0) - before.unwrap_or(0));
                let mut row = vec![plain(region.code().to_string())];
                row.extend(key());
                row.extend([
                    plain(said.name.as_str()),
                    shown(find::kind_words(context.lang, said.vintage.kind), said.vintage.kind.name()),
                    plain(said.vintage.position),
                    amount(now, scale),
                    amount(moved, scale),
                    reasons_cell(context.lang, *basis, &said.reasons, entry),
                ]);
                data.rows.push(row);
                before = now;
            }
            let ([first, ..], [.., last]) = (&all[..], &all[..]) else { continue };
            let (was, is) = (figure(first), figure(last));
            if let Some(pair) = was.zip(is).filter(|_| all.len() > 1) {
                pairs.entry(*indicator).or_default().push(pair);
            }
            let mut row = key().to_vec();
            row.extend([
                shown(format!("{} {}", amount(was, scale).show, first.name), amount(was, scale).value),
                shown(format!("{} {}", amount(is, scale).show, last.name), amount(is, scale).value),
                amount(Some(is.unwrap_or(0) - was.unwrap_or(0)), scale),
                reasons_cell(context.lang, *basis, &total(all), entry),
            ]);
            summary.rows.push(row);
        }
        for (indicator, pairs) in pairs {
            let entry = &state.indicators[usize::from(indicator.0)];
            let Reliability { mean, mean_absolute, relative } = Reliability::of(&pairs, entry.unit.scale());
            let mut row = vec![plain(entry.code.to_string()), basis_cell(), plain(pairs.len())];
            row.extend([mean, mean_absolute, relative].map(|it| plain(it.map(|it| it.to_string()))));
            reliability.rows.push(row);
        }
    }
    let mut notes = vec![text(
        format!("{} {},截至位置 {position}", region.code(), region.now().name_zh),
        format!("{} {}, as of position {position}", region.code(), context.lang.region(region)),
    )];
    if bases.iter().any(|basis| *basis != Basis::Territorial) {
        notes.push(notice());
    }
    let json = Json::Object(vec![
        ("position", position.into()),
        ("checkpoint", reader.head.to_string().into()),
        ("rows", Json::List(data.objects())),
        ("summary", Json::List(summary.objects())),
        ("reliability", Json::List(reliability.objects())),
    ]);
    let tables = vec![
        data.clone().titled(text("各版本", "By vintage")),
        summary.titled(text("首次与最新", "First and latest")),
        reliability.titled(text("修订指标", "Revision indicators")),
    ];
    render::print(context, &Page { tables, data: Some(data), notes, json })?;
    Ok(0)
}

/// What the reasons of all steps moved together.
fn total(all: &[Said]) -> Reasons {
    let mut total = Reasons::new();
    for (reason, by) in all.iter().flat_map(|said| &said.reasons) {
        let sum = total.entry(*reason).or_default();
        *sum = sum.plus(*by, 1);
    }
    total
}

fn data_table() -> Table {
    Table::new(vec![
        Column::text("region", "地区", "region"),
        Column::text("indicator", "指标", "indicator"),
        Column::text("period", "报告期", "period"),
        Column::text("basis", "口径", "basis"),
        Column::text("vintage", "版本", "vintage"),
        Column::text("kind", "类型", "kind"),
        Column::number("position", "截至位置", "as of position"),
        Column::number("value", "数值", "value"),
        Column::number("revision", "较前一版本", "revision"),
        Column::text("reasons", "原因", "reasons"),
    ])
}

fn summary_table() -> Table {
    Table::new(vec![
        Column::text("indicator", "指标", "indicator"),
        Column::text("period", "报告期", "period"),
        Column::text("basis", "口径", "basis"),
        Column::number("first", "首次", "first"),
        Column::number("latest", "最新", "latest"),
        Column::number("difference", "差额", "difference"),
        Column::text("reasons", "原因", "reasons"),
    ])
}

fn reliability_table() -> Table {
    Table::new(vec![
        Column::text("indicator", "指标", "indicator"),
        Column::text("basis", "口径", "basis"),
        Column::number("periods", "期数", "periods"),
        Column::number("mean_revision", "平均修订", "mean revision"),
        Column::number("mean_absolute_revision", "平均绝对修订", "mean absolute revision"),
        Column::number(
            "relative_mean_absolute_revision",
            "相对平均绝对修订",
            "relative mean absolute revision",
        ),
    ])
}
