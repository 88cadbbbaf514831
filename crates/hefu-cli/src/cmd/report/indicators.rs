//! Indicators of areas, on both bases, as known at one position.

use clap::ValueEnum;
use hefu_domain::{
    amount::format_minor,
    indicator::{Kind, Unit},
    period::Period,
    region::{Level, RegionId},
    state::{IndicatorId, State},
};
use hefu_engine::Reader;
use hefu_projections::{contested::Outcomes, counting::Row, report::Report, status::Status};
use serde_json::Value;

use super::{basis::Basis, bridge, frozen, geography::Geography, notice, outcomes, public, sdmx};
use crate::{
    context::Context,
    error::Result,
    find::{self, AsOf},
    lang::{Lang, Text, text},
    render::{self, Cell, Column, Format, Json, Page, Table, plain, shown, thousands},
};

#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "independent options")]
pub(crate) struct Args {
    /// The region: code or name
    #[arg(long, value_name = "REGION")]
    pub(crate) region: String,
    /// 2023, 2023-Q3, 2023-07 or 2023-01..02
    #[arg(long, value_name = "PERIOD")]
    pub(crate) period: Period,
    /// Code of an indicator; may be repeated; by default all
    #[arg(long, value_name = "INDICATOR")]
    pub(crate) indicator: Vec<String>,
    /// Only this basis; may be repeated
    #[arg(long, value_name = "BASIS")]
    pub(crate) basis: Vec<Basis>,
    /// All areas below the region as well
    #[arg(long)]
    pub(crate) children: bool,
    /// How each shared figure follows from the territorial one, and an area's from those below it
    #[arg(long)]
    pub(crate) bridge: bool,
    /// All observations behind the elimination
    #[arg(long)]
    pub(crate) explain_elimination: bool,
    /// The table as it may be published: territorial, figures of single enterprises suppressed
    #[arg(long)]
    pub(crate) public: bool,
    /// As known at a position, a date or an instant
    #[arg(long, value_name = "POSITION|TIME")]
    pub(crate) as_of: Option<AsOf>,
    /// As a vintage froze it; its digest is checked first
    #[arg(long, value_name = "NAME", conflicts_with = "as_of")]
    pub(crate) vintage: Option<String>,
    /// On the regions of each figure's own time, or all restated onto today's
    #[arg(long, value_name = "GEOGRAPHY", default_value = "filed")]
    pub(crate) geography: Geography,
    /// How files name regions and indicators
    #[arg(long, value_name = "LABELS", default_value = "code")]
    pub(crate) labels: Labels,
    /// Unit of money in tables
    #[arg(long, value_name = "UNIT", default_value = "yuan")]
    pub(crate) unit: Money,
}

/// How files name regions and indicators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Labels {
    Code,
    Name,
    Both,
}

/// Unit of money in tables. Files are always in yuan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Money {
    Yuan,
    TenThousand,
}

/// The figures of the report.
pub(super) struct Figures<'a> {
    pub(super) context: &'a Context,
    pub(super) args: &'a Args,
    pub(super) reader: &'a Reader,
    pub(super) report: Report<'a>,
    /// Without `--explain-elimination` a table lists at most this many observations of an area.
    pub(super) few: usize,
}

/// How far a report reaches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// The lowest level shown.
    pub(super) lowest: Level,
    /// Observations listed for an area.
    pub(super) few: usize,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    show(context, args, Reach { lowest: Level::County, few: 20 })
}

/// Prints the report as far as it is to reach.
pub(super) fn show(context: &Context, args: &Args, reach: Reach) -> Result<u8> {
    args.geography.allowed(args.vintage.is_some() || args.public || context.format == Format::SdmxCsv)?;
    let (reader, position, frozen) = find::reader_or_vintage(context, args.as_of, args.vintage.as_deref())?;
    let reader = args.geography.of(reader);
    let state = &reader.views.state;
    let region = find::region(state, &args.region)?.id;
    let indicators: Vec<IndicatorId> = match &frozen {
        Some(vintage) if args.indicator.is_empty() => {
            vintage.indicators.iter().filter_map(|code| Some(state.indicator(*code)?.0)).collect()
        }
        _ => args.indicator.iter().map(|name| find::indicator(state, name)).collect::<Result<_>>()?,
    };
    if let Some(vintage) = &frozen {
        frozen::holds(state, vintage, &indicators, args.period)?;
    }
    let mut areas = if args.children { state.regions.subtree_in(region, args.period) } else { vec![region] };
    areas.retain(|area| state.regions.get(*area).level <= reach.lowest);
    let report = Report::new(&reader.views, areas, indicators, args.period);
    let figures = Figures { context, args, reader: &reader, report, few: reach.few };
    if args.public {
        public::allows(&figures)?;
    }
    if context.format == Format::SdmxCsv {
        sdmx::print(&figures)?;
        return Ok(0);
    }
    if args.public {
        render::print(context, &public::page(&figures, position, &reader.head.to_string()))?;
        return Ok(0);
    }
    let data = outcomes::with_columns(&figures, figures.data());
    let mut tables: Vec<Table> = figures.report.indicators.iter().map(|id| figures.table(*id)).collect();
    tables.extend(outcomes::table(&figures));
    let mut pairs = vec![
        ("position", position.into()),
        ("checkpoint", reader.head.to_string().into()),
        ("rows", Json::List(data.objects())),
    ];
    if matches!(context.format, Format::Xlsx | Format::Parquet) {
        // JSON keeps the fields it always had.
        pairs.insert(2, ("policy_version", state.policy_version.into()));
    }
    let vintage = args.vintage.as_deref().zip(frozen.as_ref());
    pairs.extend(vintage.map(|(name, vintage)| ("vintage", frozen::json(name, vintage))));
    pairs.extend(args.geography.json());
    if args.bridge || args.explain_elimination {
        let (drawn, json) = bridge::bridges(&figures);
        tables.extend(drawn);
        pairs.push(("bridge", json));
    }
    let mut notes = vec![text(
        format!("截至位置 {position},链头 {}", reader.head),
        format!("as of position {position}, head {}", reader.head),
    )];
    notes.extend(vintage.map(|(name, vintage)| frozen::note(name, vintage)));
    notes.extend(args.geography.note());
    let secret = args.bridge
        || args.explain_elimination
        || figures.bases().iter().any(|basis| *basis != Basis::Territorial);
    if secret {
        notes.push(notice());
    }
    render::print(context, &Page { tables, data: Some(data), notes, json: Json::Object(pairs) })?;
    Ok(0)
}

impl Figures<'_> {
    pub(super) fn bases(&self) -> Vec<Basis> {
        if self.args.basis.is_empty() {
            return Basis::ALL.to_vec();
        }
        Basis::ALL.into_iter().filter(|basis| self.args.basis.contains(basis)).collect()
    }

    pub(super) fn state(&self) -> &State {
        &self.reader.views.state
    }

    pub(super) fn row(&self, area: RegionId, indicator: IndicatorId) -> Row {
        self.report.row(area, indicator)
    }

    /// What a row may become while something behind it is contested.
    pub(super) fn outcomes(&self, row: &Row) -> Option<Outcomes> {
        self.report.outcomes(row)
    }

    fn status(&self, row: &Row) -> Status {
        self.report.status(row)
    }

    /// The rows as files hold them: one per area and indicator.
    fn data(&self) -> Table {
        let both = self.args.labels == Labels::Both;
        let mut columns = vec![Column::text("region", "地区", "region")];
        columns.extend(both.then(|| Column::text("region_name", "地区名称", "region name")));
        columns.push(Column::text("indicator", "指标", "indicator"));
        columns.extend(both.then(|| Column::text("indicator_name", "指标名称", "indicator name")));
        columns.push(Column::text("period", "报告期", "period"));
        let bases = self.bases();
        columns.extend(bases.iter().map(|basis| basis.column()));
        columns.push(Column::text("status", "状态", "status"));
        let mut table = Table::new(columns);
        for area in &self.report.areas {
            for indicator in &self.report.indicators {
                let row = self.row(*area, *indicator);
                let entry = &self.state().indicators[usize::from(indicator.0)];
                let region = self.context.lang.region(self.state().regions.get(*area));
                let mut cells = self.labelled(self.state().code(*area).to_string(), region);
                cells.extend(self.labelled(entry.code.to_string(), self.context.lang.indicator(entry)));
                cells.push(plain(self.args.period.to_string()));
                cells.extend(bases.iter().map(|basis| plain(row.text(basis.of(&row)))));
                cells.push(plain(self.status(&row).letter()));
                table.rows.push(cells);
            }
        }
        table
    }

    /// A code, a name, or both, as files are to have it.
    fn labelled(&self, code: String, name: &str) -> Vec<Cell> {
        match self.args.labels {
            Labels::Code => vec![plain(code)],
            Labels::Name => vec![plain(name)],
            Labels::Both => vec![plain(code), plain(name)],
        }
    }

    /// One indicator as people read it.
    fn table(&self, indicator: IndicatorId) -> Table {
        let bases = self.bases();
        let mut columns = vec![Column::text("region", "地区", "region")];
        columns.extend(bases.iter().map(|basis| basis.column()));
        columns.push(Column::text("status", "状态", "status"));
        let mut table = Table::new(columns).titled(self.title(indicator));
        for area in &self.report.areas {
            let row = self.row(*area, indicator);
            let mut cells = vec![self.area(*area)];
            cells.extend(bases.iter().map(|basis| self.amount(indicator, basis.of(&row))));
            let status = self.status(&row);
            cells.push(shown(self.context.lang.status(status), status.letter()));
            table.rows.push(cells);
        }
        table
    }

    /// Code, name, period and unit.
    pub(super) fn title(&self, indicator: IndicatorId) -> Text {
        let entry = &self.state().indicators[usize::from(indicator.0)];
        let in_ten_thousand = entry.unit == Unit::Cny && self.in_ten_thousand();
        let unit = |lang: Lang| {
            if in_ten_thousand { lang.pick("万元", "CNY 10,000") } else { lang.unit(entry.unit) }
        };
        let period = self.args.period;
        text(
            format!("{} {} {period}(单位:{})", entry.code, entry.name_zh, unit(Lang::Zh)),
            format!("{} {} {period} (unit: {})", entry.code, entry.name_en, unit(Lang::En)),
        )
    }

    /// An area, set in by its depth below the first.
    pub(super) fn area(&self, area: RegionId) -> Cell {
        let tree = &self.state().regions;
        let top = self.report.areas.first().copied().unwrap_or(area);
        let depth = |day| tree.upward_on(area, day).position(|id| id == top);
        let (start, end) = (self.args.period.start(), self.args.period.end());
        let depth = depth(end).or_else(|| depth(start)).unwrap_or(1);
        let region = tree.get(area);
        let indent = "  ".repeat(depth);
        let show = format!("{indent}{} {}", region.code(), self.context.lang.region(region));
        shown(show, region.code().to_string())
    }

    /// An amount: exact for programs, grouped and in the unit asked for in tables.
    pub(super) fn amount(&self, indicator: IndicatorId, minor: Option<i128>) -> Cell {
        let entry = &self.state().indicators[usize::from(indicator.0)];
        let Some(minor) = minor else { return shown("-", Value::Null) };
        let exact = format_minor(minor, entry.unit.scale());
        let show = if entry.unit == Unit::Cny && self.in_ten_thousand() {
            // Never rounded: a printed total is the sum of its printed parts.
            let fine = format_minor(minor, 6);
            let trimmed = fine.trim_end_matches('0').len().max(fine.len() - 4);
            fine[..trimmed].to_owned()
        } else {
            exact.clone()
        };
        shown(thousands(&show), exact)
    }

    /// Files are always in yuan.
    fn in_ten_thousand(&self) -> bool {
        self.args.unit == Money::TenThousand && self.context.format != Format::Xlsx
    }

    /// Whether an indicator adds up, so that a bridge has a meaning.
    pub(super) fn adds_up(&self, indicator: IndicatorId) -> bool {
        self.state().indicators[usize::from(indicator.0)].kind != Kind::Ratio
    }
}
