//! Where projects went, by origin, destination and tier.

use hefu_projections::circulation::{Flow, circulation};

use crate::{
    context::Context,
    error::Result,
    find::{self, AsOf},
    render::{self, Column, Json, Page, Table, plain, shown},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only flows into or out of this region: code or name
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// As known at a position, a date or an instant
    #[arg(long, value_name = "POSITION|TIME")]
    pub(crate) as_of: Option<AsOf>,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let (reader, position) = find::reader(context, args.as_of)?;
    let state = &reader.views.state;
    let nation = hefu_domain::region::RegionCode::NATION.to_string();
    let region = find::region(state, args.region.as_deref().unwrap_or(&nation))?.id;
    let mut table = Table::new(vec![
        Column::text("origin", "迁出地", "origin"),
        Column::text("destination", "迁入地", "destination"),
        Column::text("tier", "层级", "tier"),
        Column::number("proposed", "提议", "proposed"),
        Column::number("open", "待答复", "open"),
        Column::number("accepted", "已接受", "accepted"),
        Column::number("landed", "已落地", "landed"),
        Column::number("ended", "未成", "ended"),
    ]);
    let mut flows: Vec<_> = circulation(state, region).into_iter().collect();
    flows.sort_by_key(|((origin, destination, tier), _)| {
        (state.code(*origin), state.code(*destination), *tier)
    });
    for ((origin, destination, tier), flow) in flows {
        let Flow { proposed, open, accepted, landed, ended } = flow;
        let place = |id| {
            let region = state.regions.get(id);
            shown(format!("{} {}", region.code(), context.lang.region(region)), region.code().to_string())
        };
        let mut row = vec![place(origin), place(destination), shown(context.lang.tier(tier), tier.name())];
        row.extend([proposed, open, accepted, landed, ended].map(plain));
        table.rows.push(row);
    }
    let json = Json::Object(vec![
        ("position", position.into()),
        ("checkpoint", reader.head.to_string().into()),
        ("rows", Json::List(table.objects())),
    ]);
    render::print(context, &Page { tables: vec![table], data: None, notes: Vec::new(), json })?;
    Ok(0)
}
