//! Statements, netting and explanations of settlement lines, as tables.

use hefu_domain::{
    amount::format_minor,
    period::Period,
    region::RegionId,
    settlement::{Line, LineClass, LineId},
    state::State,
};
use hefu_projections::settlement::{self, Account};

use super::{Explain, Netting, Statement};
use crate::{
    context::Context,
    error::{CliError, Result, exit},
    find,
    lang::{Text, text},
    render::{self, Cell, Column, Json, Page, Table, plain, shown, thousands},
};

pub(super) fn statement(context: &Context, args: &Statement) -> Result<u8> {
    let (reader, position) = find::reader(context, args.as_of)?;
    let state = &reader.views.state;
    let region = find::region(state, &args.region)?.id;
    let run = number(state, args.period)?;
    let statement = settlement::statement(state, run, region).ok_or_else(|| {
        let code = state.code(region);
        let message = text(
            format!("{code} 在 {} 的结算中没有款项", args.period),
            format!("{code} has nothing in the settlement of {}", args.period),
        );
        CliError::new("not_a_party", exit::REFUSED, message)
    })?;
    let mut accounts = Table::new(vec![
        Column::text("clearing", "清算方", "clearing house"),
        Column::number("opening", "期初", "opening"),
        Column::number("accrued", "本期应计", "accrued"),
        Column::number("corrections", "更正", "corrections"),
        Column::number("rulings", "裁定", "rulings"),
        Column::number("paid", "已收付", "paid"),
        Column::number("closing", "期末", "closing"),
        Column::number("held", "争议挂起", "held"),
    ]);
    for (house, account) in &statement.accounts {
        let Account { opening, accrued, corrections, rulings, paid, held } = *account;
        let mut row = vec![place(context, state, *house)];
        row.extend([opening, accrued, corrections, rulings, paid, account.closing(), held].map(money));
        accounts.rows.push(row);
    }
    let mut lines = lines_table();
    lines.title = Some(text("明细", "Lines"));
    for (id, line) in statement.lines.iter().chain(&statement.held) {
        lines.rows.push(row(context, state, *id, line, Some(region)));
    }
    let known = &state.settlement.runs[run as usize - 1];
    let status = status(known.closing.is_some(), known.confirmed.contains(&region));
    let json = Json::Object(vec![
        ("position", position.into()),
        ("checkpoint", reader.head.to_string().into()),
        ("period", args.period.to_string().into()),
        ("region", state.code(region).to_string().into()),
        ("status", status.get(crate::lang::Lang::En).to_owned().into()),
        ("accounts", Json::List(accounts.objects())),
        ("lines", Json::List(lines.objects())),
    ]);
    let notes = vec![
        status,
        text(
            "正数为应收,负数为应付;期初 + 应计 + 更正 + 裁定 − 已收付 = 期末",
            "positive: receivable, negative: payable; opening + accrued + corrections + rulings − paid = closing",
        ),
    ];
    render::print(context, &Page { tables: vec![accounts, lines], data: None, notes, json })?;
    Ok(exit::DONE)
}

pub(super) fn netting(context: &Context, args: &Netting) -> Result<u8> {
    let (reader, position) = find::reader(context, args.as_of)?;
    let state = &reader.views.state;
    let run = number(state, args.period)?;
    let mut nets = Table::new(vec![
        Column::text("clearing", "清算方", "clearing house"),
        Column::text("region", "地区", "region"),
        Column::number("receivable", "应收", "receivable"),
        Column::number("payable", "应付", "payable"),
        Column::number("net", "净额", "net"),
    ]);
    for ((house, region), net) in settlement::netting(state, run) {
        let mut row = vec![place(context, state, house), place(context, state, region)];
        row.extend([net.receivable, net.payable, net.net()].map(money));
        nets.rows.push(row);
    }
    let mut pairs = Table::new(vec![
        Column::text("debtor", "应付方", "debtor"),
        Column::text("creditor", "应收方", "creditor"),
        Column::number("amount", "金额", "amount"),
    ]);
    pairs.title = Some(text("轧差前", "Gross"));
    for ((debtor, creditor), amount) in settlement::pairs(state, run) {
        pairs.rows.push(vec![place(context, state, debtor), place(context, state, creditor), money(amount)]);
    }
    let json = Json::Object(vec![
        ("position", position.into()),
        ("checkpoint", reader.head.to_string().into()),
        ("period", args.period.to_string().into()),
        ("nets", Json::List(nets.objects())),
        ("gross", Json::List(pairs.objects())),
    ]);
    render::print(context, &Page { tables: vec![nets, pairs], data: None, notes: Vec::new(), json })?;
    Ok(exit::DONE)
}

pub(super) fn explain(context: &Context, args: &Explain) -> Result<u8> {
    let (reader, position) = find::reader(context, args.as_of)?;
    let state = &reader.views.state;
    let line = state.settlement.lines.get(&args.line).ok_or_else(|| {
        let message = text(format!("没有结算明细 {}", args.line), format!("there is no line {}", args.line));
        CliError::new("no_such_line", exit::REFUSED, message)
    })?;
    let mut lines = lines_table();
    lines.rows.push(row(context, state, args.line, line, None));
    let mut receipts = Table::new(vec![
        Column::text("date", "入库日", "paid on"),
        Column::text("kind", "税种", "tax"),
        Column::number("county", "县级留成", "county part"),
        Column::number("incentives", "奖补", "incentives"),
        Column::number("base", "可分享基数", "base"),
        Column::number("unit_base", "分段基数", "base of the unit"),
        Column::number("bp", "比例(万分比)", "share, bp"),
        Column::number("amount", "应得", "due"),
        Column::text("positions", "记录", "records"),
    ]);
    receipts.title = Some(text("依据", "Behind it"));
    for (unit, part) in settlement::explain(state, line, args.line) {
        for receipt in &unit.receipts {
            let positions: Vec<String> = receipt.positions.iter().map(ToString::to_string).collect();
            receipts.rows.push(vec![
                plain(receipt.date.to_string()),
                plain(receipt.kind.to_string()),
                money(receipt.county),
                money(receipt.incentives),
                money(receipt.base),
                money(unit.base),
                plain(part.bp),
                money(part.amount),
                plain(positions.join(" ")),
            ]);
        }
    }
    let json = Json::Object(vec![
        ("position", position.into()),
        ("checkpoint", reader.head.to_string().into()),
        ("line", Json::List(lines.objects())),
        ("receipts", Json::List(receipts.objects())),
    ]);
    let notes = vec![text(
        "应得为该分段至本期的累计;明细金额为其减去以前各期已入账部分",
        "due: of the whole unit by the end of the period; the line is that less what earlier runs booked",
    )];
    render::print(context, &Page { tables: vec![lines, receipts], data: None, notes, json })?;
    Ok(exit::DONE)
}

fn number(state: &State, period: Period) -> Result<u32> {
    state.settlement.run(period).map(|(number, _)| number).ok_or_else(|| {
        let message = text(format!("{period} 没有结算"), format!("{period} has no settlement run"));
        CliError::new("no_such_settlement", exit::REFUSED, message)
    })
}

fn status(finalised: bool, confirmed: bool) -> Text {
    match (finalised, confirmed) {
        (true, true) => text("已定稿,已确认", "finalised, confirmed"),
        (true, false) => text("已定稿,未确认", "finalised, not confirmed"),
        (false, true) => text("已确认,未定稿", "confirmed, not finalised"),
        (false, false) => text("未确认", "not confirmed"),
    }
}

fn lines_table() -> Table {
    Table::new(vec![
        Column::text("line", "编号", "line"),
        Column::text("project", "项目", "project"),
        Column::text("debtor", "应付方", "debtor"),
        Column::text("creditor", "应收方", "creditor"),
        Column::text("phase", "阶段", "phase"),
        Column::text("class", "类别", "class"),
        Column::number("amount", "金额", "amount"),
        Column::text("disputed", "争议起始", "disputed since"),
    ])
}

/// A line; seen from a region, what it owes is negative.
fn row(context: &Context, state: &State, id: LineId, line: &Line, from: Option<RegionId>) -> Vec<Cell> {
    let (zh, en) = match line.class {
        LineClass::Accrued => ("本期应计", "accrued"),
        LineClass::Correction => ("更正", "correction"),
        LineClass::Ruling => ("裁定", "ruling"),
    };
    let amount = if from == Some(line.account.debtor) { -line.amount } else { line.amount };
    vec![
        plain(id.to_string()),
        plain(line.project.to_string()),
        place(context, state, line.account.debtor),
        place(context, state, line.account.creditor),
        plain(line.account.phase.to_string()),
        shown(context.lang.pick(zh, en), en),
        money(amount),
        plain(line.disputed.map_or_else(String::new, |day| day.to_string())),
    ]
}

fn place(context: &Context, state: &State, id: RegionId) -> Cell {
    let region = state.regions.get(id);
    shown(format!("{} {}", region.code(), context.lang.region(region)), region.code().to_string())
}

fn money(fen: i64) -> Cell {
    let text = format_minor(i128::from(fen), 2);
    shown(thousands(&text), text)
}
