//! Settlement runs: written by the host's treasury or coordinator, counter-signed by the regions, finalised, paid.

use std::collections::BTreeMap;

use super::{Context, Role, acts_for, in_role, region, text, transfer::names};
use crate::{
    amount::Money,
    command::{ConfirmStatement, FinaliseSettlement, RecordPayment, RunSettlement},
    event::{
        Balance, Event, LineEntry, PaymentRecorded, SettlementAccrued, SettlementFinalised, SettlementOpened,
        StatementConfirmed,
    },
    id::ProjectId,
    period::Period,
    rejection::Rejection,
    settlement::{Balances, LineId, Payment, Run, carried, due},
    state::{Actor, State},
};

/// Who may sign for money.
const TREASURY: [Role; 2] = [Role::Treasury, Role::Coordinator];

pub(super) fn run(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &RunSettlement,
) -> Result<Vec<Event>, Rejection> {
    let host = region(state, state.host)?.id;
    acts_for(state, actor, host, &TREASURY)?;
    let (period, today) = (c.period, context.ts.date());
    if period.end() > today {
        return Err(Rejection::PeriodInFuture { period, today });
    }
    let settlement = &state.settlement;
    if let Some((_, open)) = settlement.open() {
        return Err(Rejection::SettlementOpen { period: open.period });
    }
    if let Some(last) = settlement.runs.last() {
        let expected = last.period.end().tomorrow();
        if period.start() != expected {
            return Err(Rejection::PeriodOutOfOrder { period, expected });
        }
    }
    let run = u32::try_from(settlement.runs.len() + 1).unwrap_or(u32::MAX);
    let mut by_project: BTreeMap<ProjectId, Vec<LineEntry>> = BTreeMap::new();
    let lines = due(state, period);
    for (place, line) in lines.iter().enumerate() {
        let number = u32::try_from(place + 1).unwrap_or(u32::MAX);
        by_project.entry(line.project).or_default().push(LineEntry {
            amount: Money::from_fen(line.amount),
            class: line.class,
            creditor: state.code(line.account.creditor),
            debtor: state.code(line.account.debtor),
            line: LineId { run, number },
            of: line.of,
            phase: line.account.phase,
            transfer: line.account.transfer,
        });
    }
    let closing = settlement.runs.last().and_then(|run| run.closing.as_ref());
    let opening = closing.map(|closing| carried(&state.regions, closing));
    let opened = SettlementOpened {
        lines: u32::try_from(lines.len()).unwrap_or(u32::MAX),
        opening: listed(state, opening.as_ref()),
        paid: listed(state, Some(&settlement.paid)),
        period,
        run,
    };
    let accrued =
        by_project.into_iter().map(|(project, lines)| SettlementAccrued { lines, project, run }.into());
    Ok([opened.into()].into_iter().chain(accrued).collect())
}

/// Balances as an event lists them.
fn listed(state: &State, balances: Option<&Balances>) -> Vec<Balance> {
    let list = balances.into_iter().flatten().map(|((clearing, region), amount)| Balance {
        amount: Money::from_fen(*amount),
        clearing: state.code(*clearing),
        region: state.code(*region),
    });
    list.collect()
}

/// A run that is not finalised.
fn open_run(state: &State, period: Period) -> Result<(u32, &Run), Rejection> {
    let (number, run) = state.settlement.run(period).ok_or(Rejection::NoSuchSettlement { period })?;
    if run.closing.is_some() {
        return Err(Rejection::SettlementFinalised { period });
    }
    Ok((number, run))
}

pub(super) fn confirm(state: &State, actor: &Actor, c: &ConfirmStatement) -> Result<Vec<Event>, Rejection> {
    let signer = in_role(actor, &TREASURY)?;
    let (run, open) = open_run(state, c.period)?;
    if !state.settlement.parties(run).contains(&signer) {
        return Err(Rejection::NotAParty { region: state.code(signer) });
    }
    names(c.subject.as_ref(), open.command, open.command_sha256)?;
    if open.confirmed.contains(&signer) {
        return Err(Rejection::StatementConfirmed { region: state.code(signer) });
    }
    Ok(vec![StatementConfirmed { period: c.period, region: state.code(signer), run }.into()])
}

pub(super) fn finalise(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &FinaliseSettlement,
) -> Result<Vec<Event>, Rejection> {
    let host = region(state, state.host)?.id;
    acts_for(state, actor, host, &TREASURY)?;
    let (run, open) = open_run(state, c.period)?;
    names(c.subject.as_ref(), open.command, open.command_sha256)?;
    let parties = state.settlement.parties(run);
    let silent: Vec<_> = parties.difference(&open.confirmed).map(|region| state.code(*region)).collect();
    let limit = state.policy.statement_confirm_workdays;
    let until = (limit > 0).then(|| state.policy.calendar.add_workdays(open.day, limit));
    if let (Some(region), true) = (silent.first(), until.is_none_or(|until| context.ts.date() <= until)) {
        let until = until.map_or_else(String::new, |day| format!(" or {day} has passed"));
        return Err(Rejection::StatementUnconfirmed { region: *region, until });
    }
    let held = state.settlement.held(run).map(|(line, _)| line).collect();
    let closing = listed(state, Some(&state.settlement.closing(&state.regions, run)));
    Ok(vec![SettlementFinalised { closing, held, period: c.period, run, silent }.into()])
}

pub(super) fn pay(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &RecordPayment,
) -> Result<Vec<Event>, Rejection> {
    let (from, to) = (region(state, c.from)?.id, region(state, c.to)?.id);
    // The clearing house keeps the account: it records what comes in and what goes out.
    // One that kept it before a region changed its superior keeps it until it is paid.
    let kept = |house, region| state.settlement.balances.contains_key(&(house, region)).then_some(house);
    let house = kept(from, to).or_else(|| kept(to, from));
    let house = house.unwrap_or_else(|| state.regions.common_superior(from, to));
    acts_for(state, actor, house, &TREASURY)?;
    c.voucher.iter().try_for_each(|voucher| text("voucher", voucher))?;
    let today = context.ts.date();
    if c.date > today {
        return Err(Rejection::DateInFuture { date: c.date, today });
    }
    if c.amount <= Money::default() {
        return Err(Rejection::NotPositive { field: "amount" });
    }
    let (party, sign) = if from == house { (to, 1_i64) } else { (from, -1) };
    // Positive: paid by the region.
    let amount = Money::from_fen(c.amount.fen().saturating_mul(sign.saturating_neg()));
    if from != house && to != house {
        return Err(Rejection::NotThroughClearing { clearing: state.code(house) });
    }
    let payment = Payment {
        clearing: house,
        region: party,
        amount: amount.fen(),
        date: c.date,
        voucher: c.voucher.clone(),
        position: 0,
    };
    if state.settlement.knows(&payment) {
        return Err(Rejection::PaymentKnown { date: c.date });
    }
    let balance = state.settlement.balances.get(&(house, party)).copied().unwrap_or(0);
    let due = balance.saturating_mul(sign).max(0);
    if c.amount.fen() > due {
        return Err(Rejection::PaymentExceeds { due: Money::from_fen(due) });
    }
    // What nobody owed yet was not paid.
    let oldest = state.settlement.oldest_unpaid((house, party));
    if let Some(period) = oldest.filter(|period| c.date <= period.end()) {
        return Err(Rejection::PaymentEarly { date: c.date, period });
    }
    let (clearing, region) = (state.code(house), state.code(party));
    Ok(vec![PaymentRecorded { amount, clearing, date: c.date, region, voucher: c.voucher.clone() }.into()])
}
