//! A statement as a workbook, to be printed, signed and filed: the same figures as in JSON, every digit.

use hefu_domain::{
    region::RegionId,
    settlement::{Line, LineId},
};
use hefu_engine::{Reader, system_clock};
use hefu_exchange::{
    output::{self, Header},
    workbook::{self, Sheet},
};
use hefu_projections::settlement::Statement;

use super::{
    Statement as Args,
    lines::{Seen, payments, row},
    show::{accounts, money, opening, place, status},
};
use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::{Lang, text},
    render::{self, Column, Table, plain, shown},
};

/// A region's statement, and what it was read from.
pub(super) struct Found<'r> {
    pub(super) reader: &'r Reader,
    pub(super) position: u64,
    pub(super) region: RegionId,
    pub(super) run: u32,
    pub(super) statement: Statement,
}

/// `hefu settle statement --format xlsx`
pub(super) fn write(context: &Context, args: &Args, found: &Found<'_>) -> Result<u8> {
    render::not_to_a_terminal(context)?;
    let lang = context.lang;
    let region = found.reader.views.state.regions.get(found.region);
    let title = format!(
        "{} {} {} {}",
        region.code(),
        lang.region(region),
        args.period,
        lang.pick("税收分成结算单", "settlement statement")
    );
    let part =
        |title: (&str, &str), table: &Table| (Some(lang.pick(title.0, title.1).to_owned()), table.exact());
    let mut tables = vec![(None, particulars(context, args, found).exact())];
    tables.push(part(("账户", "Accounts"), &accounts(context, &found.reader.views.state, &found.statement)));
    tables.push(part(("明细", "Lines"), &lines(context, found, &found.statement.lines, false)));
    if !found.statement.held.is_empty() {
        let held = lines(context, found, &found.statement.held, true);
        tables.push(part(("争议挂起,不计入账户", "Disputed and held apart, in no account"), &held));
    }
    let paid = payments(context, &found.reader.views, &found.statement);
    if !paid.rows.is_empty() {
        tables.push(part(("收付", "Payments"), &paid));
    }
    tables.push(part(("签署", "Signatures"), &signatures(lang)));
    let sheet = Sheet {
        name: lang.pick("结算单", "statement").to_owned(),
        title,
        notice: None,
        tables,
        notes: vec![
            lang.pick(
                "期初 + 本期应计 + 更正 + 裁定 − 已收付 = 期末;期末 − 此后收付 = 未结。正数为应收(已收),负数为应付(已付)。",
                "opening + accrued + corrections + rulings − paid = closing; closing − paid since = outstanding. Positive: \
                 receivable (received), negative: payable (paid).",
            )
            .to_owned(),
            opening(&found.reader.views.state, found.run).get(lang).to_owned(),
            lang.pick(
                "每行明细的依据:hefu settle explain 编号;账本签名的证明:加 --proofs。",
                "Behind each line: hefu settle explain LINE; with the ledger's signed proofs: --proofs.",
            )
            .to_owned(),
        ],
    };
    let titles = Header::Title(lang.pick(output::Lang::Zh, output::Lang::En));
    let today = system_clock().date();
    let day = today.to_string();
    let day = day.get(8..).and_then(|day| day.parse().ok()).unwrap_or(1);
    let made = (u16::try_from(today.year()).unwrap_or(2000), today.month(), day);
    let bytes = workbook::write(&[sheet], titles, made).map_err(|error| {
        let why = error.to_string();
        let message = text("无法生成工作簿", "the workbook cannot be made");
        CliError::new("workbook", exit::CANNOT_CREATE, message).why(text(why.clone(), why))
    })?;
    render::deliver(context, &bytes)?;
    Ok(exit::DONE)
}

/// What it is, of when, and as of which record.
fn particulars(context: &Context, args: &Args, found: &Found<'_>) -> Table {
    let lang = context.lang;
    let Found { reader, position, region, run, .. } = found;
    let state = &reader.views.state;
    let place = state.regions.get(*region);
    let known = &state.settlement.runs[*run as usize - 1];
    let status = status(known.closing.is_some(), known.confirmed.contains(region));
    let rows = [
        (lang.pick("地区", "region"), format!("{} {}", place.code(), lang.region(place))),
        (
            lang.pick("结算期", "period"),
            format!("{} ({}..{})", args.period, args.period.start(), args.period.end()),
        ),
        (lang.pick("期次", "run"), format!("{run}, {}", known.day)),
        (lang.pick("单位", "unit"), lang.pick("元", "CNY").to_owned()),
        (lang.pick("状态", "status"), status.get(lang).to_owned()),
        (lang.pick("账本", "ledger"), reader.origin.to_string()),
        (lang.pick("截至位置", "as of position"), position.to_string()),
        (lang.pick("链头", "chain head"), reader.head.to_string()),
        (lang.pick("政策版本", "policy version"), state.policy_version.to_string()),
    ];
    let mut table =
        Table::new(vec![Column::text("field", "项", "field"), Column::text("value", "值", "value")]);
    table.rows = rows.into_iter().map(|(field, value)| vec![plain(field), plain(value)]).collect();
    table
}

/// Lines with the project's name and the other side, seen from the region.
fn lines(context: &Context, found: &Found<'_>, lines: &[(LineId, Line)], held: bool) -> Table {
    let mut table = Table::new(vec![
        Column::text("line", "编号", "line"),
        Column::text("name", "项目", "project"),
        Column::text("project", "项目编号", "project id"),
        Column::text("other", "对方", "other side"),
        Column::text("phase", "阶段", "phase"),
        Column::text("class", "类别", "class"),
        Column::number("amount", "金额", "amount"),
    ]);
    if held {
        table.columns.push(Column::text("disputed", "争议起始", "disputed since"));
        table.columns.push(Column::number("age_days", "天数", "age in days"));
    }
    let views = &found.reader.views;
    let mut total = 0;
    for (id, line) in lines {
        let account = line.account;
        let mine = account.debtor == found.region;
        let name = views.state.projects.get(&line.project).map_or("", |project| &project.name);
        let until = found.statement.finalised.unwrap_or(views.ts.date());
        let seen = Seen { from: Some(found.region), held, until };
        let mut cells = row(context, views, *id, line, seen);
        let since = cells.split_off(8);
        cells.truncate(7);
        let tail = cells.split_off(4);
        let other = if mine { account.creditor } else { account.debtor };
        let mut row = vec![
            plain(id.to_string()),
            plain(name),
            plain(line.project.to_string()),
            place(context, &views.state, other),
        ];
        row.extend(tail);
        row.extend(since.into_iter().filter(|_| held));
        table.rows.push(row);
        total += if mine { -line.amount } else { line.amount };
    }
    let mut sum = vec![plain(context.lang.pick("合计", "total"))];
    sum.extend((0..5).map(|_| plain(None::<String>)));
    sum.push(money(total));
    sum.extend((0..if held { 2 } else { 0 }).map(|_| plain(None::<String>)));
    table.rows.push(sum);
    table
}

/// Who signs on paper.
fn signatures(lang: Lang) -> Table {
    let mut table = Table::new(vec![
        Column::text("office", "", ""),
        Column::text("person", "签字", "signature"),
        Column::text("seal", "公章", "seal"),
        Column::text("date", "日期", "date"),
    ]);
    for (zh, en) in [("经办", "prepared by"), ("复核", "checked by"), ("负责人", "approved by")] {
        let mut row = vec![plain(lang.pick(zh, en))];
        row.extend((0..3).map(|_| shown("", None::<String>)));
        table.rows.push(row);
    }
    table
}
