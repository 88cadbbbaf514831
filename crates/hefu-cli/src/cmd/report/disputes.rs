//! Disputes that are not over: what they are about, how old they are, who is to rule and until when.

use crate::{
    cmd::dispute::{age, columns, row_cells},
    context::Context,
    error::Result,
    find::{self, AsOf},
    lang::text,
    render::{self, Column, Json, Page, Table, plain},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only where a party or the ruler lies in this region: code or name
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
    let area =
        args.region.as_deref().map(|name| find::region(state, name)).transpose()?.map(|known| known.id);
    let today = reader.views.ts.date();
    let mut table = Table::new(columns());
    table.columns.push(Column::number("age_days", "天数", "age in days"));
    for id in state.open_disputes.values() {
        let dispute = &state.disputes[id];
        let mut concerned = dispute.parties().chain([dispute.ruler]);
        if area.is_some_and(|area| !concerned.any(|region| state.regions.is_within(region, area))) {
            continue;
        }
        let mut cells = row_cells(context.lang, state, *id, dispute);
        cells.push(plain(age(dispute.opened, today)));
        table.rows.push(cells);
    }
    let notes = vec![text(
        format!("截至位置 {position}:{} 件未结", table.rows.len()),
        format!("as of position {position}: {} open", table.rows.len()),
    )];
    let json = Json::Object(vec![
        ("position", position.into()),
        ("checkpoint", reader.head.to_string().into()),
        ("rows", Json::List(table.objects())),
    ]);
    render::print(context, &Page { tables: vec![table], data: None, notes, json })?;
    Ok(0)
}
