//! `hefu dispute list`: which disputes there are, and who acts next.

use hefu_domain::{
    dispute::{Dispute, DisputeId},
    state::State,
    time::Date,
};

use super::course;
use crate::{
    context::Context,
    error::Result,
    find::{self, AsOf},
    lang::Lang,
    render::{self, Cell, Column, Json, Page, Table, plain, shown, thousands},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only where this region is a party or rules: code or name
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Only disputes that are not over
    #[arg(long)]
    pub(crate) open: bool,
    /// Only disputes whose limit ends on this day or before
    #[arg(long, value_name = "DATE")]
    pub(crate) due: Option<Date>,
    /// As known at a position, a date or an instant
    #[arg(long, value_name = "POSITION|TIME")]
    pub(crate) as_of: Option<AsOf>,
}

/// Runs it.
pub(super) fn run(context: &Context, args: &Args) -> Result<u8> {
    let (reader, position) = find::reader(context, args.as_of)?;
    let state = &reader.views.state;
    let region =
        args.region.as_deref().map(|name| find::region(state, name)).transpose()?.map(|known| known.id);
    let wanted = |dispute: &Dispute| {
        let concerned = region.is_none_or(|region| dispute.is_party(region) || dispute.ruler == region);
        let due = args.due.is_none_or(|day| dispute.due.is_some_and(|due| due <= day));
        concerned && due && (!args.open || dispute.stage.is_open())
    };
    let mut table = Table::new(columns());
    let disputes = state.disputes.iter().filter(|(_, dispute)| wanted(dispute));
    course::warn(context, state, disputes.clone().map(|(_, dispute)| dispute));
    table.rows = disputes.map(|(id, dispute)| row_cells(context.lang, state, *id, dispute)).collect();
    let json = Json::Object(vec![
        ("position", position.into()),
        ("checkpoint", reader.head.to_string().into()),
        ("rows", Json::List(table.objects())),
    ]);
    render::print(context, &Page { tables: vec![table], data: None, notes: Vec::new(), json })?;
    Ok(0)
}

/// The columns of a list of disputes.
pub(crate) fn columns() -> Vec<Column> {
    vec![
        Column::text("dispute", "争议", "dispute"),
        Column::text("opened", "提出", "opened"),
        Column::text("stage", "阶段", "stage"),
        Column::text("kind", "对象", "about"),
        Column::text("project", "项目", "project"),
        Column::text("indicator", "指标", "indicator"),
        Column::text("period", "报告期", "period"),
        Column::text("line", "明细", "line"),
        Column::number("amount", "主张", "claimed"),
        Column::text("by", "提出方", "by"),
        Column::text("against", "对方", "against"),
        Column::text("ruler", "裁定机构", "ruler"),
        Column::text("due", "期限", "due"),
        Column::text("next", "下一步", "next"),
    ]
}

/// One dispute as a row under [`columns`].
pub(crate) fn row_cells(lang: Lang, state: &State, id: DisputeId, dispute: &Dispute) -> Vec<Cell> {
    let matter = &dispute.matter;
    let code = |id| state.code(id).to_string();
    let name = state.projects.get(&matter.project).map_or("", |project| &project.name);
    let amount = dispute.amount.as_ref().map(ToString::to_string);
    let next = course::next(state, dispute);
    vec![
        plain(id.to_string()),
        plain(dispute.opened.to_string()),
        shown(lang.stage(dispute.stage), dispute.stage.name()),
        shown(lang.matter(matter.kind), Lang::En.matter(matter.kind)),
        shown(name, matter.project.to_string()),
        plain(matter.indicator.map(|indicator| indicator.to_string())),
        plain(matter.period.map(|period| period.to_string())),
        plain(matter.line.map(|line| line.to_string())),
        shown(amount.as_deref().map(thousands).unwrap_or_default(), amount),
        plain(code(dispute.by)),
        plain(dispute.others.iter().map(|other| code(*other)).collect::<Vec<_>>()),
        plain(code(dispute.ruler)),
        plain(dispute.due.map(|due| due.to_string())),
        match next {
            Some(next) => shown(next.words.get(lang), next.act),
            None => plain(None::<String>),
        },
    ]
}

/// Days from the opening to a day.
pub(crate) fn age(opened: Date, day: Date) -> u32 {
    let mut days = 0;
    let mut at = opened;
    while at < day {
        at = at.tomorrow();
        days += 1;
    }
    days
}
