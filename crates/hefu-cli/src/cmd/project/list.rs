//! All projects, or those of a region.

use crate::{
    context::Context,
    error::Result,
    find::{self, AsOf},
    lang::text,
    render::{self, Column, Json, Page, Table, plain, shown},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only projects located in this region: code or name
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Only projects that may be offered outside their county
    #[arg(long)]
    pub(crate) tier_open: bool,
    /// As known at a position, a date or an instant
    #[arg(long, value_name = "POSITION|TIME")]
    pub(crate) as_of: Option<AsOf>,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    let (reader, position) = find::reader(context, args.as_of)?;
    let state = &reader.views.state;
    let within = args.region.as_deref().map(|name| find::region(state, name)).transpose()?;
    let mut table = Table::new(vec![
        Column::text("project", "项目", "project"),
        Column::text("name", "名称", "name"),
        Column::text("codes", "代码", "codes"),
        Column::text("enterprise", "企业", "enterprise"),
        Column::text("industry", "行业", "industry"),
        Column::text("region", "所在地", "located in"),
        Column::text("open_tier", "开放层级", "open tier"),
        Column::text("transfer", "流转", "transfer"),
        Column::text("closed", "关闭", "closed"),
    ]);
    for (id, project) in &state.projects {
        let here = project.holder();
        if within.is_some_and(|region| !state.regions.is_within(here, region.id)) {
            continue;
        }
        let open = project.round.open();
        let pending = project.transfers.last().filter(|transfer| project.landed(transfer).is_none());
        // Nearer than 周边 there is no other county to offer it to.
        let offered = open >= hefu_domain::tier::Tier::Neighbouring && project.closed.is_none();
        if args.tier_open && !offered {
            continue;
        }
        let region = state.regions.get(here);
        let outcome = pending.map(|transfer| transfer.outcome);
        table.rows.push(vec![
            plain(id.to_string()),
            plain(project.name.clone()),
            plain(project.codes.iter().map(|alias| alias.code.clone()).collect::<Vec<_>>()),
            plain(project.enterprise.to_string()),
            plain(project.industry.clone()),
            shown(format!("{} {}", region.code(), context.lang.region(region)), region.code().to_string()),
            shown(context.lang.tier(open), open.name()),
            shown(
                outcome.map_or("", |outcome| context.lang.outcome(outcome)),
                outcome.map(crate::lang::outcome_key),
            ),
            plain(project.closed.map(|date| date.to_string())),
        ]);
    }
    let json = Json::Object(vec![
        ("position", position.into()),
        ("checkpoint", reader.head.to_string().into()),
        ("rows", Json::List(table.objects())),
    ]);
    let count = table.rows.len();
    let notes = vec![text(format!("共 {count} 个项目"), format!("{count} projects"))];
    render::print(context, &Page { tables: vec![table], data: None, notes, json })?;
    Ok(0)
}
