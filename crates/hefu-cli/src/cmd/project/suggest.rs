//! Which counties of the open tier could take a project, and why.

use hefu_domain::suggest::{Candidate, Reason, suggest};
use hefu_engine::system_clock;
use serde_json::json;

use super::One;
use crate::{
    context::Context,
    error::{CliError, Result, exit},
    find,
    lang::{Lang, text},
    render::{self, Column, Json, Page, Table, plain, shown},
};

/// Runs it.
pub(crate) fn run(context: &Context, args: &One) -> Result<u8> {
    let (reader, position) = find::reader(context, args.as_of)?;
    let state = &reader.views.state;
    let (id, project) = find::project(state, &args.project)?;
    if let Some(date) = project.closed {
        let message = text(format!("项目已于 {date} 关闭"), format!("the project was closed on {date}"));
        return Err(CliError::new("project_closed", exit::REFUSED, message));
    }
    // A question about the past is answered with the lists of that day.
    let today = if args.as_of.is_some() { reader.views.ts.date() } else { system_clock().date() };
    let (tier, candidates) = suggest(state, id, today).unwrap_or((project.round.open(), Vec::new()));
    let mut table = Table::new(vec![
        Column::number("rank", "名次", "rank"),
        Column::text("region", "地区", "region"),
        Column::number("points", "得分", "points"),
        Column::text("reasons", "理由", "reasons"),
    ]);
    for (place, Candidate { region, points, reasons, .. }) in candidates.iter().enumerate() {
        let region = state.regions.get(*region);
        let said: Vec<String> = reasons
            .iter()
            .map(|(reason, points)| format!("{} +{points}", say(context.lang, reason)))
            .collect();
        let one = |(reason, points): &(Reason, u32)| json!({"reason": key(reason), "name": name(reason), "points": points});
        let listed: Vec<_> = reasons.iter().map(one).collect();
        table.rows.push(vec![
            plain(place + 1),
            shown(format!("{} {}", region.code(), context.lang.region(region)), region.code().to_string()),
            plain(*points),
            shown(said.join(context.lang.pick("、", ", ")), json!(listed)),
        ]);
    }
    let json = Json::Object(vec![
        ("position", position.into()),
        ("checkpoint", reader.head.to_string().into()),
        ("project", id.to_string().into()),
        ("open_tier", tier.name().into()),
        ("rows", Json::List(table.objects())),
    ]);
    let notes = vec![text(
        format!("开放层级:{};得分依据政策中的名单、产业平台、边界和承载能力", Lang::Zh.tier(tier)),
        format!(
            "open tier: {}; points follow the policy's lists, zones, borders and capacities",
            Lang::En.tier(tier)
        ),
    )];
    render::print(context, &Page { tables: vec![table], data: None, notes, json })?;
    Ok(0)
}

fn say(lang: Lang, reason: &Reason) -> String {
    match reason {
        Reason::Zone(name) => format!("{}{name}", lang.pick("产业平台 ", "zone ")),
        Reason::List(name) => format!("{}{name}", lang.pick("名单 ", "list ")),
        Reason::Adjacent => lang.pick("相邻", "adjacent").to_owned(),
        Reason::Land => lang.pick("有用地", "land").to_owned(),
        Reason::Energy => lang.pick("有用能", "energy").to_owned(),
    }
}

fn key(reason: &Reason) -> &'static str {
    match reason {
        Reason::Zone(_) => "zone",
        Reason::List(_) => "list",
        Reason::Adjacent => "adjacent",
        Reason::Land => "land",
        Reason::Energy => "energy",
    }
}

fn name(reason: &Reason) -> Option<&str> {
    match reason {
        Reason::Zone(name) | Reason::List(name) => Some(name),
        Reason::Adjacent | Reason::Land | Reason::Energy => None,
    }
}
