//! The demo's settlements: year after year run, counter-signed by every party, finalised and paid.

use std::cmp::Reverse;

use hefu_domain::{amount::format_minor, period::Period, time::Date};
use serde_json::json;

use super::{desk::Desk, history::FIRST_YEAR};
use crate::{
    cmd::settle,
    context::Context,
    error::{CliError, Result},
    lang::text,
};

/// Settles whole years from the first on and shows one statement of the last.
pub(super) fn play(context: &Context, years: i16) -> Result {
    let mut desk = Desk::open(context.dir()?)?;
    let settled = (FIRST_YEAR..FIRST_YEAR + years).try_for_each(|year| settle(&mut desk, year));
    let state = desk.state();
    desk.close()?;
    settled?;
    // Whoever was paid before and has most on the last statement: the first of them.
    let Some(run) = state.settlement.runs.last() else { return Ok(()) };
    let lines =
        state.settlement.lines.iter().filter(|(id, _)| id.run as usize == state.settlement.runs.len());
    let most = lines.max_by_key(|(id, line)| {
        let paid = run.paid.keys().any(|(_, region)| *region == line.account.creditor);
        (paid, line.amount, Reverse(**id))
    });
    let Some((_, line)) = most else { return Ok(()) };
    let (code, period) = (state.code(line.account.creditor).to_string(), run.period);
    context.say(&text(
        format!("已结算 {years} 个年度:各方确认、定稿、收付。{code} 的 {period} 年结算单:"),
        format!(
            "{years} years are settled: confirmed by every party, finalised, paid. The statement of {code} for {period}:"
        ),
    ));
    settle::demo_statement(context, period, code)?;
    Ok(())
}

fn settle(desk: &mut Desk, year: i16) -> Result {
    let range = || CliError::usage(text("年份超出范围", "the year is out of range"));
    let period = Period::months(year, 1, 12).ok_or_else(range)?.to_string();
    let paid = Date::new(year + 1, 3, 10).ok_or_else(range)?.to_string();
    let host = format!("{}/treasury", desk.state().host);
    desk.say(&host, json!({"type": "run_settlement", "period": period}))?;
    let state = desk.state();
    let run = u32::try_from(state.settlement.runs.len()).unwrap_or(u32::MAX);
    for party in state.settlement.parties(run) {
        let treasury = format!("{}/treasury", state.code(party));
        desk.say(&treasury, json!({"type": "confirm_statement", "period": period}))?;
    }
    desk.say(&host, json!({"type": "finalise_settlement", "period": period}))?;
    let state = desk.state();
    for ((house, region), fen) in &state.settlement.balances {
        let (house, region) = (state.code(*house).to_string(), state.code(*region).to_string());
        let treasury = format!("{house}/treasury");
        let (from, to) = if *fen > 0 { (house, region) } else { (region, house) };
        let amount = format_minor(i128::from(*fen).abs(), 2);
        let pay = json!({"type": "record_payment", "amount": amount, "from": from, "to": to, "date": paid});
        desk.say(&treasury, pay)?;
    }
    Ok(())
}
