//! What a region owes and is owed.

use hefu_domain::{
    amount::format_minor,
    settlement::{Line, LineId, Payment},
};
use hefu_projections::settlement::{Account, statement};

use super::{Known, Question, named_region, period};
use crate::{
    access::Reach,
    operation::Operation,
    problem::{Kind, Problem},
    v1, words,
};

impl Question for v1::StatementsRequest {
    const OPERATION: Operation = Operation::Statements;
    type Answer = v1::StatementsResponse;

    fn moment(&self) -> Option<&v1::Moment> {
        self.moment.as_ref()
    }

    fn answer(&self, known: &Known<'_>, reach: Reach) -> Result<Self::Answer, Problem> {
        let state = known.state();
        let region = named_region(state, &self.region)?;
        reach.inside(state, region)?;
        let period = period(&self.period)?;
        let (number, run) = state.settlement.run(period).ok_or_else(|| {
            let (zh, en) = (format!("{period} 没有结算"), format!("{period} has no settlement run"));
            Problem::new(Kind::Unknown, "no_such_settlement", zh, en).at("period")
        })?;
        let statement = statement(state, number, region).ok_or_else(|| {
            let code = state.code(region);
            let zh = format!("{code} 在 {period} 的结算中没有款项");
            let en = format!("{code} has nothing in the settlement of {period}");
            Problem::new(Kind::Unknown, "not_a_party", zh, en).at("region")
        })?;
        let code = |id| state.code(id).to_string();
        let account = |(house, account): (&_, &Account)| v1::Account {
            clearing: code(*house),
            opening: yuan(account.opening),
            accrued: yuan(account.accrued),
            corrections: yuan(account.corrections),
            rulings: yuan(account.rulings),
            paid: yuan(account.paid),
            closing: yuan(account.closing()),
            held: yuan(account.held),
            paid_since: yuan(account.paid_since),
            outstanding: yuan(account.outstanding()),
        };
        // Of the clearing house's view: what the region paid came to it.
        let payment = |since: bool| {
            move |payment: &Payment| v1::Payment {
                clearing: code(payment.clearing),
                amount: yuan(-payment.amount),
                date: payment.date.to_string(),
                voucher: payment.voucher.clone(),
                position: payment.position,
                since,
            }
        };
        let earlier = statement.payments.iter().map(payment(false));
        let payments = earlier.chain(statement.payments_since.iter().map(payment(true))).collect();
        let line = |(held, (id, line)): (bool, &(LineId, Line))| v1::StatementLine {
            line: id.to_string(),
            project: line.project.to_string(),
            debtor: code(line.account.debtor),
            creditor: code(line.account.creditor),
            phase: line.account.phase.to_string(),
            class: words::class(line.class).to_owned(),
            amount: yuan(if region == line.account.debtor { -line.amount } else { line.amount }),
            disputed: line.disputed.map(|day| day.to_string()),
            held,
        };
        let held = statement.held.iter().map(|line| (true, line));
        let lines = statement.lines.iter().map(|line| (false, line)).chain(held);
        Ok(v1::StatementsResponse {
            position: known.position,
            checkpoint: known.checkpoint(),
            region: code(region),
            period: period.to_string(),
            confirmed: run.confirmed.contains(&region),
            finalised: run.closing.is_some(),
            accounts: statement.accounts.iter().map(account).collect(),
            payments,
            lines: lines.map(line).collect(),
        })
    }
}

fn yuan(fen: i64) -> String {
    format_minor(i128::from(fen), 2)
}
