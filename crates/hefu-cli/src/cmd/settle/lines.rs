//! Settlement lines and payments as tables.

use hefu_domain::{
    region::RegionId,
    settlement::{Line, LineId},
    time::Date,
};
use hefu_projections::{Views, settlement::Statement};

use super::show::{money, place};
use crate::{
    cmd::dispute::age,
    context::Context,
    lang::{Lang, text},
    render::{Cell, Column, Table, plain, shown},
};

pub(super) fn lines_table() -> Table {
    Table::new(vec![
        Column::text("line", "编号", "line"),
        Column::text("project", "项目", "project"),
        Column::text("debtor", "应付方", "debtor"),
        Column::text("creditor", "应收方", "creditor"),
        Column::text("phase", "阶段", "phase"),
        Column::text("class", "类别", "class"),
        Column::number("amount", "金额", "amount"),
        Column::text("held", "挂起", "held apart"),
        Column::text("disputed", "争议起始", "disputed since"),
        Column::number("age_days", "天数", "age in days"),
    ])
}

/// How a line is seen.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    /// From this region: what it owes is negative.
    pub(super) from: Option<RegionId>,
    /// Whether the statement holds it apart.
    pub(super) held: bool,
    /// The day that the age of its dispute counts to.
    pub(super) until: Date,
}

pub(super) fn row(
    context: &Context,
    views: &Views,
    id: LineId,
    line: &Line,
    Seen { from, held, until }: Seen,
) -> Vec<Cell> {
    let (state, lang, account) = (&views.state, context.lang, line.account);
    let amount = if from == Some(account.debtor) { -line.amount } else { line.amount };
    vec![
        plain(id.to_string()),
        plain(line.project.to_string()),
        place(context, state, account.debtor),
        place(context, state, account.creditor),
        shown(lang.phase(account.phase), account.phase.to_string()),
        shown(lang.line_class(line.class), Lang::En.line_class(line.class)),
        money(amount),
        if held { shown(lang.pick("是", "yes"), "held") } else { plain(None::<String>) },
        plain(line.disputed.map(|day| day.to_string())),
        plain(line.disputed.map(|day| age(day, until))),
    ]
}

/// The payments of a statement: those it counts, and those since, which lower what is outstanding.
pub(super) fn payments(context: &Context, views: &Views, statement: &Statement) -> Table {
    let mut table = Table::new(vec![
        Column::text("date", "日期", "date"),
        Column::text("clearing", "清算方", "clearing house"),
        Column::text("voucher", "凭证号", "voucher"),
        Column::number("amount", "金额", "amount"),
        Column::text("counted", "计入", "counted in"),
        Column::number("position", "记录", "record"),
    ])
    .titled(text("收付:已收为正,已付为负", "Payments: received positive, paid negative"));
    let lang = context.lang;
    let counted = statement.payments.iter().map(|payment| (payment, "paid"));
    let since = statement.payments_since.iter().map(|payment| (payment, "paid_since"));
    for (payment, key) in counted.chain(since) {
        let words = if key == "paid" {
            lang.pick("本单已收付", "paid")
        } else {
            lang.pick("本单之后", "paid since")
        };
        table.rows.push(vec![
            plain(payment.date.to_string()),
            place(context, &views.state, payment.clearing),
            plain(payment.voucher.clone()),
            money(-payment.amount),
            shown(words, key),
            plain(payment.position),
        ]);
    }
    table
}
