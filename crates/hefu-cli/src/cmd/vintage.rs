//! `hefu vintage`: freeze figures under a name, list what was frozen, compare two freezes.

mod diff;

use clap::{Subcommand, ValueEnum};
use hefu_domain::{indicator::IndicatorCode, period::Period, vintage::VintageKind};
use hefu_projections::vintages;
use serde_json::json;

use crate::{
    context::Context,
    error::Result,
    find::{self, AsOf},
    lang::text,
    render::{self, Column, Json, Page, Table, plain, shown},
    write::{self, Signing},
};

/// `hefu vintage`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Freeze the figures of periods under a name; by the host's statistics bureau
    Freeze(Freeze),
    /// Everything that was frozen, oldest position first
    List(List),
    /// Where two vintages differ, and why
    Diff(diff::Args),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Freeze {
    /// The name, such as "2026-Q1 flash"
    pub(crate) name: String,
    /// How mature the figures are
    #[arg(long)]
    pub(crate) kind: Kind,
    /// A period; may be repeated
    #[arg(long, value_name = "PERIOD", required = true)]
    pub(crate) period: Vec<Period>,
    /// Code of an indicator; may be repeated; by default all
    #[arg(long, value_name = "INDICATOR")]
    pub(crate) indicator: Vec<String>,
    /// Freeze what was known at a position, a date or an instant; by default now
    #[arg(long, value_name = "POSITION|TIME")]
    pub(crate) at: Option<AsOf>,
    #[command(flatten)]
    pub(crate) signing: Signing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// As known at a position, a date or an instant
    #[arg(long, value_name = "POSITION|TIME")]
    pub(crate) as_of: Option<AsOf>,
}

/// How mature figures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Flash,
    Preliminary,
    Final,
    Benchmark,
}

impl From<Kind> for VintageKind {
    fn from(kind: Kind) -> VintageKind {
        match kind {
            Kind::Flash => VintageKind::Flash,
            Kind::Preliminary => VintageKind::Preliminary,
            Kind::Final => VintageKind::Final,
            Kind::Benchmark => VintageKind::Benchmark,
        }
    }
}

/// Runs it.
pub(crate) fn run(context: &Context, args: Args) -> Result<u8> {
    match args.what {
        What::Freeze(args) => freeze(context, &args),
        What::List(args) => list(context, &args),
        What::Diff(args) => diff::run(context, &args),
    }
}

fn freeze(context: &Context, args: &Freeze) -> Result<u8> {
    let (reader, position) = find::reader(context, args.at)?;
    let state = &reader.views.state;
    let indicators: Vec<IndicatorCode> = if args.indicator.is_empty() {
        state.policy.indicators.iter().map(|indicator| indicator.code).collect()
    } else {
        let named = args.indicator.iter().map(|name| find::indicator(state, name));
        named.map(|id| Ok(state.indicators[usize::from(id?.0)].code)).collect::<Result<_>>()?
    };
    let digest = vintages::digest(&reader.views, &indicators, &args.period);
    drop(reader);
    let list = |names: Vec<String>| Some(json!(names));
    let fields = [
        ("digest", Some(digest.to_string().into())),
        ("indicators", list(indicators.iter().map(ToString::to_string).collect())),
        ("kind", Some(VintageKind::from(args.kind).name().into())),
        ("name", Some(args.name.clone().into())),
        ("periods", list(args.period.iter().map(ToString::to_string).collect())),
        ("position", Some(position.into())),
    ];
    write::complete(context, &args.signing, write::fields("freeze_vintage", fields))
}

fn list(context: &Context, args: &List) -> Result<u8> {
    let (reader, position) = find::reader(context, args.as_of)?;
    let mut table = Table::new(vec![
        Column::text("name", "名称", "name"),
        Column::text("kind", "类型", "kind"),
        Column::number("position", "截至位置", "as of position"),
        Column::text("recorded", "冻结时间", "frozen"),
        Column::text("periods", "报告期", "periods"),
        Column::text("indicators", "指标", "indicators"),
        Column::number("policy_version", "政策版本", "policy version"),
        Column::number("geography", "区划依据记录", "geography as of record"),
        Column::number("record", "记录位置", "record"),
        Column::text("digest", "摘要", "digest"),
    ]);
    for (name, vintage) in reader.views.state.vintages.in_order() {
        let digest = vintage.digest.to_string();
        let periods: Vec<String> = vintage.periods.iter().map(ToString::to_string).collect();
        let indicators: Vec<String> = vintage.indicators.iter().map(ToString::to_string).collect();
        table.rows.push(vec![
            plain(name),
            shown(find::kind_words(context.lang, vintage.kind), vintage.kind.name()),
            plain(vintage.position),
            shown(vintage.ts.date().to_string(), vintage.ts.to_string()),
            plain(periods),
            plain(indicators),
            plain(vintage.policy_version),
            plain(vintage.geography),
            plain(vintage.frozen_at),
            shown(digest[..16].to_owned(), digest),
        ]);
    }
    let many = table.rows.len();
    let notes = vec![text(
        format!("截至位置 {position}:{many} 个版本"),
        format!("as of position {position}: {many} vintages"),
    )];
    let json = Json::Object(vec![
        ("position", position.into()),
        ("checkpoint", reader.head.to_string().into()),
        ("rows", Json::List(table.objects())),
    ]);
    render::print(context, &Page { tables: vec![table], data: None, notes, json })?;
    Ok(0)
}
