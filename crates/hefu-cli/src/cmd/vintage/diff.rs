//! Where two vintages differ, and by how much for which reason.

use hefu_domain::{period::Period, region::RegionId, state::IndicatorId};
use hefu_engine::Reader;
use hefu_projections::revisions::{Seen, differences};

use crate::{
    cmd::report::{
        basis::Basis,
        notice,
        revised::{amount, reasons_cell},
    },
    context::Context,
    error::Result,
    find,
    lang::text,
    render::{self, Column, Json, Page, Table, plain, shown},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The earlier vintage
    pub(crate) before: String,
    /// The later one
    pub(crate) after: String,
    /// The region: code or name; by default the host
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// All areas below the region as well
    #[arg(long)]
    pub(crate) children: bool,
    /// Only this basis; may be repeated
    #[arg(long, value_name = "BASIS")]
    pub(crate) basis: Vec<Basis>,
}

/// Runs it.
pub(super) fn run(context: &Context, args: &Args) -> Result<u8> {
    let reader = context.reader()?;
    let (_, one) = find::vintage(&reader.views.state, &args.before)?;
    let (_, other) = find::vintage(&reader.views.state, &args.after)?;
    // The earlier first, whatever the order of the words.
    let swapped = one.position > other.position;
    let (first, second) = if swapped { (other, one) } else { (one, other) };
    let (from, to) = if swapped { (&args.after, &args.before) } else { (&args.before, &args.after) };
    let (before, after) = (find::at_vintage(&reader, from, first)?, find::at_vintage(&reader, to, second)?);
    let state = &after.views.state;
    let host = state.host.to_string();
    let region = find::region(state, args.region.as_deref().unwrap_or(&host))?.id;
    let areas = if args.children { state.regions.subtree(region) } else { vec![region] };
    let both: Vec<IndicatorId> = first
        .indicators
        .iter()
        .filter(|code| second.indicators.contains(code))
        .filter_map(|code| Some(state.indicator(*code)?.0))
        .collect();
    let periods: Vec<Period> =
        first.periods.iter().copied().filter(|period| second.periods.contains(period)).collect();
    let bases = if args.basis.is_empty() { Basis::ALL.to_vec() } else { args.basis.clone() };
    let mut table = Table::new(vec![
        Column::text("region", "地区", "region"),
        Column::text("indicator", "指标", "indicator"),
        Column::text("period", "报告期", "period"),
        Column::text("basis", "口径", "basis"),
        Column::number("before", "前", "before"),
        Column::number("after", "后", "after"),
        Column::number("difference", "差额", "difference"),
        Column::text("reasons", "原因", "reasons"),
    ]);
    for area in &areas {
        for indicator in &both {
            for period in &periods {
                rows(context, (&before, &after), (*area, *indicator, *period), &bases, &mut table);
            }
        }
    }
    let mut notes = vec![text(
        format!(
            "{from}(截至 {})→ {to}(截至 {}):{} 处不同",
            first.position,
            second.position,
            table.rows.len()
        ),
        format!(
            "{from} (as of {}) → {to} (as of {}): {} differ",
            first.position,
            second.position,
            table.rows.len()
        ),
    )];
    if bases.iter().any(|basis| *basis != Basis::Territorial) {
        notes.push(notice());
    }
    let json = Json::Object(vec![
        ("before", from.as_str().into()),
        ("after", to.as_str().into()),
        ("rows", Json::List(table.objects())),
    ]);
    render::print(context, &Page { tables: vec![table], data: None, notes, json })?;
    Ok(0)
}

/// The bases on which one figure differs.
fn rows(
    context: &Context,
    (before, after): (&Reader, &Reader),
    (area, indicator, period): (RegionId, IndicatorId, Period),
    bases: &[Basis],
    table: &mut Table,
) {
    let state = &after.views.state;
    let row = |reader: &Reader| {
        let known = reader.views.state.regions.iter().nth(usize::from(area.0)).is_some();
        known.then(|| reader.views.counting.row(&reader.views.state, area, indicator, period))
    };
    let (old, new) = (row(before), row(after));
    if old == new {
        return;
    }
    let (Some(old), Some(new)) = (old, new) else { return };
    let seen = Seen::of(&before.views, area, indicator, period);
    let found = differences(&after.views, &seen);
    let entry = &state.indicators[usize::from(indicator.0)];
    for basis in bases {
        let of = |row: &hefu_projections::counting::Row| basis.of(row).filter(|_| !row.missing);
        let (was, is) = (of(&old), of(&new));
        if was == is {
            continue;
        }
        let region = state.regions.get(area);
        let column = basis.column();
        table.rows.push(vec![
            shown(format!("{} {}", region.code(), context.lang.region(region)), region.code().to_string()),
            plain(entry.code.to_string()),
            plain(period.to_string()),
            shown(context.lang.pick(column.title_zh, column.title_en), column.key),
            amount(was, entry.unit.scale()),
            amount(is, entry.unit.scale()),
            amount(Some(is.unwrap_or(0) - was.unwrap_or(0)), entry.unit.scale()),
            reasons_cell(context.lang, *basis, &found, entry),
        ]);
    }
}
