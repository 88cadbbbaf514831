//! Statements and netting, as tables.

use hefu_domain::{amount::format_minor, period::Period, region::RegionId, state::State};
use hefu_projections::settlement::{self, Account};

use super::{
    Netting, Statement,
    lines::{Seen, lines_table, payments, row},
    sheet,
};
use crate::{
    context::Context,
    error::{CliError, Result, exit},
    find,
    lang::{Text, text},
    render::{self, Cell, Column, Format, Json, Page, Table, shown, thousands},
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
    if context.format == Format::Xlsx {
        let found = sheet::Found { reader: &reader, position, region, run, statement };
        return sheet::write(context, args, &found);
    }
    let accounts = accounts(context, state, &statement);
    let mut lines = lines_table();
    lines.title = Some(text("明细", "Lines"));
    let until = statement.finalised.unwrap_or(reader.views.ts.date());
    for (held, part) in [(false, &statement.lines), (true, &statement.held)] {
        let seen = Seen { from: Some(region), held, until };
        lines.rows.extend(part.iter().map(|(id, line)| row(context, &reader.views, *id, line, seen)));
    }
    let payments = payments(context, &reader.views, &statement);
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
        ("opening_of", opening_period(state, run).map(|period| period.to_string()).into()),
        ("payments", Json::List(payments.objects())),
    ]);
    let notes = vec![
        status,
        text(
            "正数为应收,负数为应付;期初 + 应计 + 更正 + 裁定 − 已收付 = 期末;期末 − 此后收付 = 未结",
            "positive: receivable, negative: payable; opening + accrued + corrections + rulings − paid = closing; \
             closing − paid since = outstanding",
        ),
        opening(state, run),
    ];
    let mut tables = vec![accounts, lines];
    tables.extend(Some(payments).filter(|payments| !payments.rows.is_empty()));
    render::print(context, &Page { tables, data: None, notes, json })?;
    Ok(exit::DONE)
}

/// The period whose closing a run opens with.
fn opening_period(state: &State, run: u32) -> Option<Period> {
    let before = (run as usize).checked_sub(2)?;
    state.settlement.runs.get(before).map(|run| run.period)
}

/// Where the opening balances come from.
pub(super) fn opening(state: &State, run: u32) -> Text {
    match opening_period(state, run) {
        None => text("期初:首期结算,为 0", "opening: 0, this is the first run"),
        Some(period) => text(
            format!("期初:即 {period} 结算单的期末"),
            format!("opening: the closing of the statement of {period}"),
        ),
    }
}

/// A statement's accounts, one clearing house a row.
pub(super) fn accounts(context: &Context, state: &State, statement: &settlement::Statement) -> Table {
    let mut accounts = Table::new(vec![
        Column::text("clearing", "清算方", "clearing house"),
        Column::number("opening", "期初", "opening"),
        Column::number("accrued", "本期应计", "accrued"),
        Column::number("corrections", "更正", "corrections"),
        Column::number("rulings", "裁定", "rulings"),
        Column::number("paid", "已收付", "paid"),
        Column::number("closing", "期末", "closing"),
        Column::number("held", "争议挂起", "held"),
        Column::number("paid_since", "此后收付", "paid since"),
        Column::number("outstanding", "未结", "outstanding"),
    ]);
    for (house, account) in &statement.accounts {
        let Account { opening, accrued, corrections, rulings, paid, held, paid_since } = *account;
        let (closing, outstanding) = (account.closing(), account.outstanding());
        let mut row = vec![place(context, state, *house)];
        let sums = [opening, accrued, corrections, rulings, paid, closing, held, paid_since, outstanding];
        row.extend(sums.map(money));
        accounts.rows.push(row);
    }
    accounts
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

fn number(state: &State, period: Period) -> Result<u32> {
    state.settlement.run(period).map(|(number, _)| number).ok_or_else(|| {
        let message = text(format!("{period} 没有结算"), format!("{period} has no settlement run"));
        CliError::new("no_such_settlement", exit::REFUSED, message)
    })
}

pub(super) fn status(finalised: bool, confirmed: bool) -> Text {
    match (finalised, confirmed) {
        (true, true) => text("已定稿,已确认", "finalised, confirmed"),
        (true, false) => text("已定稿,未确认", "finalised, not confirmed"),
        (false, true) => text("已确认,未定稿", "confirmed, not finalised"),
        (false, false) => text("未确认", "not confirmed"),
    }
}

pub(super) fn place(context: &Context, state: &State, id: RegionId) -> Cell {
    let region = state.regions.get(id);
    shown(format!("{} {}", region.code(), context.lang.region(region)), region.code().to_string())
}

pub(super) fn money(fen: i64) -> Cell {
    let text = format_minor(i128::from(fen), 2);
    shown(thousands(&text), text)
}
