//! Folds the facts of settlement. A run whose opening is not the last closing stops the fold: the books are broken.

use super::Inconsistent;
use crate::{
    event::{
        Balance, LineEntry, LineRuled, PaymentRecorded, SettlementAccrued, SettlementFinalised,
        SettlementOpened,
    },
    id::ProjectId,
    settlement::{Account, Balances, Compensation, Line, LineId, Payment, Run, add, carried},
    state::{Meta, State},
};

impl State {
    pub(super) fn open_run(&mut self, meta: &Meta, e: &SettlementOpened) -> Result<(), Inconsistent> {
        let (opening, paid) = (self.balances(&e.opening)?, self.balances(&e.paid)?);
        let last = self.settlement.runs.last().and_then(|run| run.closing.as_ref());
        let last = last.map(|closing| carried(&self.regions, closing));
        let settlement = &mut self.settlement;
        if opening != last.unwrap_or_default() || paid != settlement.paid {
            return Err(Inconsistent(format!("an opening of run {}", e.run)));
        }
        settlement.paid.clear();
        settlement.compensations.clear();
        settlement.runs.push(Run {
            period: e.period,
            day: meta.ts.date(),
            position: meta.position,
            opening,
            paid,
            confirmed: std::collections::BTreeSet::new(),
            closing: None,
            held: std::collections::BTreeMap::new(),
            finalised: None,
            command: meta.command,
            command_sha256: meta.command_sha256,
        });
        Ok(())
    }

    pub(super) fn accrue(&mut self, e: &SettlementAccrued) -> Result<(), Inconsistent> {
        for entry in &e.lines {
            let line = self.line(e.project, entry)?;
            self.settlement.lines.insert(entry.line, line);
            // What was ruled stays beside what the terms give: a later run must not take it back.
            if entry.of.is_none() {
                let booked = self.settlement.booked.entry(e.project).or_default();
                let sum = booked.entry(line.account).or_insert(0);
                *sum = sum.saturating_add(line.amount);
            }
        }
        Ok(())
    }

    pub(super) fn finalise(&mut self, meta: &Meta, e: &SettlementFinalised) -> Result<(), Inconsistent> {
        let closing = self.balances(&e.closing)?;
        if closing != self.settlement.closing(&self.regions, e.run) {
            return Err(Inconsistent(format!("a closing of run {}", e.run)));
        }
        let mut held = std::collections::BTreeMap::new();
        let open = |(id, line): &(&LineId, &mut Line)| id.run <= e.run && line.settled.is_none();
        for (id, line) in self.settlement.lines.iter_mut().filter(open) {
            match line.disputed {
                Some(since) => {
                    held.insert(*id, since);
                }
                None => line.settled = Some(e.run),
            }
        }
        let run = self.run_mut(e.run)?;
        (run.closing, run.held, run.finalised) = (Some(closing.clone()), held, Some(meta.ts.date()));
        // Payments since the run began are not in its closing yet.
        self.settlement.balances = closing;
        for (account, amount) in self.settlement.paid.clone() {
            add(&mut self.settlement.balances, account, amount);
        }
        Ok(())
    }

    pub(super) fn pay(&mut self, meta: &Meta, e: &PaymentRecorded) -> Result<(), Inconsistent> {
        let account = (self.region_id(e.clearing)?, self.region_id(e.region)?);
        self.settlement.payments.push(Payment {
            clearing: account.0,
            region: account.1,
            amount: e.amount.fen(),
            date: e.date,
            voucher: e.voucher.clone(),
            position: meta.position,
        });
        add(&mut self.settlement.balances, account, e.amount.fen());
        add(&mut self.settlement.paid, account, e.amount.fen());
        Ok(())
    }

    /// A ruling's difference waits for the next run.
    pub(super) fn compensate(&mut self, e: &LineRuled) -> Result<(), Inconsistent> {
        if !self.settlement.lines.contains_key(&e.line) {
            return Err(Inconsistent(format!("settlement line {}", e.line)));
        }
        self.settlement.compensate(Compensation { line: e.line, amount: e.amount.fen() });
        Ok(())
    }

    fn balances(&self, listed: &[Balance]) -> Result<Balances, Inconsistent> {
        let mut balances = Balances::new();
        for Balance { amount, clearing, region } in listed {
            add(&mut balances, (self.region_id(*clearing)?, self.region_id(*region)?), amount.fen());
        }
        Ok(balances)
    }

    fn line(&self, project: ProjectId, entry: &LineEntry) -> Result<Line, Inconsistent> {
        let account = Account {
            transfer: entry.transfer,
            phase: entry.phase,
            debtor: self.region_id(entry.debtor)?,
            creditor: self.region_id(entry.creditor)?,
        };
        let (amount, class, of) = (entry.amount.fen(), entry.class, entry.of);
        Ok(Line { project, account, class, amount, of, disputed: None, settled: None })
    }

    pub(super) fn run_mut(&mut self, number: u32) -> Result<&mut Run, Inconsistent> {
        let place = (number as usize).checked_sub(1);
        let run = place.and_then(|place| self.settlement.runs.get_mut(place));
        run.ok_or_else(|| Inconsistent(format!("settlement run {number}")))
    }
}
