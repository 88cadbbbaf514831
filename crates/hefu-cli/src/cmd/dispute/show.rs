//! `hefu dispute show`: one dispute from its opening on, with the records that say so.

use hefu_chain::hash::Sha256Digest;
use hefu_domain::id::KeyId;
use hefu_store::evidence::Holding;

use super::{course, remedy};
use crate::{
    cmd::project::{signer, summary},
    context::Context,
    error::Result,
    find::{self, AsOf},
    lang::text,
    render::{self, Column, Json, Page, Table, plain, shown, thousands},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The dispute
    pub(crate) dispute: String,
    /// As known at a position, a date or an instant
    #[arg(long, value_name = "POSITION|TIME")]
    pub(crate) as_of: Option<AsOf>,
}

/// Runs it.
pub(super) fn run(context: &Context, args: &Args) -> Result<u8> {
    let (reader, position) = find::reader(context, args.as_of)?;
    let (state, lang) = (&reader.views.state, context.lang);
    let id = find::dispute(state, &args.dispute)?;
    let id = state.joined.get(&id).map_or(id, |joined| joined.into);
    let dispute = &state.disputes[&id];
    let matter = &dispute.matter;
    let code = |id| state.code(id).to_string();
    let place = |id| {
        let region = state.regions.get(id);
        format!("{} {}", region.code(), lang.region(region))
    };
    course::warn(context, state, std::iter::once(dispute));
    let next = course::next(state, dispute);
    let project = state.projects.get(&matter.project).map_or("", |project| &project.name);
    let mut about = format!("{} {project}", lang.matter(matter.kind));
    if let Some(number) = matter.transfer {
        about.extend([" ", lang.pick("流转", "transfer"), " ", &number.to_string()]);
    }
    about.extend(matter.indicator.map(|indicator| format!(" {indicator}")));
    about.extend(matter.period.map(|period| format!(" {period}")));
    about.extend(matter.line.map(|line| format!(" {line}")));
    let amount = dispute.amount.as_ref().map(ToString::to_string);
    let against: Vec<String> = dispute.others.iter().map(|other| place(*other)).collect();
    let proposed = dispute
        .proposal
        .as_ref()
        .map(|proposal| format!("{} ({})", remedy::words(lang, &proposal.remedy), proposal.person));
    let rows = [
        (lang.pick("争议", "dispute"), id.to_string()),
        (lang.pick("对象", "about"), about),
        (lang.pick("项目", "project"), matter.project.to_string()),
        (lang.pick("事由", "reason"), lang.dispute_reason(dispute.reason).to_owned()),
        (lang.pick("主张", "claimed"), amount.as_deref().map(thousands).unwrap_or_default()),
        (lang.pick("提出方", "by"), place(dispute.by)),
        (lang.pick("对方", "against"), against.join(", ")),
        (lang.pick("裁定机构", "ruler"), place(dispute.ruler)),
        (lang.pick("提出日期", "opened"), dispute.opened.to_string()),
        (lang.pick("阶段", "stage"), lang.stage(dispute.stage).to_owned()),
        (lang.pick("待核准的裁定", "proposed ruling"), proposed.unwrap_or_default()),
        (
            lang.pick("裁定或和解", "ruling or agreement"),
            dispute.remedy.as_ref().map(|known| remedy::words(lang, known)).unwrap_or_default(),
        ),
        (
            lang.pick("下一步", "next"),
            next.as_ref().map(|next| next.words.get(lang).to_owned()).unwrap_or_default(),
        ),
    ];
    let mut particulars =
        Table::new(vec![Column::text("field", "项", "field"), Column::text("value", "值", "value")]);
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    particulars.rows = rows.map(|(field, value)| vec![plain(field), plain(value)]).collect();
    let evidence = evidence(context, &course::evidence(&reader, id)?)?;
    let mut records = Table::new(vec![
        Column::number("position", "位置", "position"),
        Column::text("ts", "入账时间", "recorded at"),
        Column::text("type", "事件", "event"),
        Column::text("by", "经办", "by"),
        Column::text("summary", "摘要", "summary"),
    ])
    .titled(text("经过", "Course"));
    for view in reader.dispute(id)? {
        records.rows.push(vec![
            plain(view.leaf.seq),
            plain(view.leaf.ts.clone()),
            plain(view.event.kind()),
            plain(signer(state, KeyId(view.leaf.actor.0), lang)),
            plain(summary(&view.event)),
        ]);
    }
    let remedy_json = |remedy: &hefu_domain::dispute::Remedy| serde_json::json!(remedy);
    let json = Json::Object(vec![
        ("position", position.into()),
        ("checkpoint", reader.head.to_string().into()),
        ("dispute", id.to_string().into()),
        ("matter", serde_json::json!(matter).into()),
        ("reason", serde_json::json!(dispute.reason).into()),
        ("amount", amount.into()),
        ("by", code(dispute.by).into()),
        ("against", dispute.others.iter().map(|other| code(*other)).collect::<Vec<_>>().into()),
        ("ruler", code(dispute.ruler).into()),
        ("opened", dispute.opened.to_string().into()),
        ("stage", dispute.stage.name().into()),
        ("due", dispute.due.map(|due| due.to_string()).into()),
        ("appealed", dispute.appealed.into()),
        ("proposal", dispute.proposal.as_ref().map(|proposal| remedy_json(&proposal.remedy)).into()),
        ("remedy", dispute.remedy.as_ref().map(remedy_json).into()),
        (
            "next",
            next.as_ref().map_or(Json::Value(serde_json::Value::Null), |next| {
                Json::Object(vec![
                    ("act", next.act.into()),
                    ("regions", next.regions.clone().into()),
                    ("until", next.until.map(|day| day.to_string()).into()),
                ])
            }),
        ),
        ("evidence", Json::List(evidence.objects())),
        ("records", Json::List(records.objects())),
    ]);
    let mut tables = vec![particulars];
    tables.extend((!evidence.rows.is_empty()).then_some(evidence));
    let data = Some(records.clone());
    tables.push(records);
    render::print(context, &Page { tables, data, notes: Vec::new(), json })?;
    Ok(0)
}

fn evidence(context: &Context, items: &[course::Item]) -> Result<Table> {
    // Over a URL no file is here.
    let folder = context.evidence().ok();
    let mut table = Table::new(vec![
        Column::text("sha256", "摘要", "digest"),
        Column::text("description", "说明", "shows"),
        Column::text("media_type", "类型", "type"),
        Column::number("size", "字节", "bytes"),
        Column::text("holder", "持有", "holder"),
        Column::number("position", "位置", "position"),
        Column::number("withdrawn", "撤回位置", "withdrawn at"),
        Column::text("file", "文件", "file"),
    ])
    .titled(text("证据", "Evidence"));
    for course::Item { file: item, position, withdrawn } in items {
        let holding =
            folder.as_ref().map(|folder| folder.holding(&Sha256Digest(item.sha256.0.0))).transpose()?;
        let file = match holding.unwrap_or(Holding::Missing) {
            Holding::Whole(_) => shown(context.lang.pick("在本机", "here"), "whole"),
            Holding::Missing => shown(context.lang.pick("不在本机", "not here"), "missing"),
            Holding::Altered(_) => shown(context.lang.pick("已改动", "altered"), "altered"),
        };
        let digest = item.sha256.to_string();
        table.rows.push(vec![
            shown(digest.chars().take(23).collect::<String>(), digest),
            plain(item.description.clone()),
            plain(item.media_type.clone()),
            plain(item.size),
            plain(item.holder.to_string()),
            plain(*position),
            plain(*withdrawn),
            file,
        ]);
    }
    Ok(table)
}
