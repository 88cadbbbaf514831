//! What does a region's statement say, how do debts net, and which receipts are behind a line?
//!
//! Amounts are fen. On a statement, positive means the region is owed, negative that it owes.

mod behind;

use std::collections::{BTreeMap, BTreeSet};

pub use behind::{Behind, behind};

use hefu_domain::{
    id::ProjectId,
    region::RegionId,
    settlement::{Line, LineClass, LineId, Payment, clearing},
    state::{Project, State},
    tax::{
        Cut,
        schedule::{Part, Unit, units},
    },
    time::Date,
};

/// A region's account with one clearing house in one run: opening + accrued + corrections + rulings − paid = closing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// What the run before closed with.
    pub opening: i64,
    /// From tax of the period.
    pub accrued: i64,
    /// From what became known of earlier periods.
    pub corrections: i64,
    /// From rulings.
    pub rulings: i64,
    /// Received since the run before; negative: paid.
    pub paid: i64,
    /// Disputed and held apart; in no other figure.
    pub held: i64,
    /// Received since the run began, up to the next run; negative: paid. The next statement counts it.
    pub paid_since: i64,
}

impl Account {
    /// What the next run opens with.
    pub fn closing(&self) -> i64 {
        self.opening + self.accrued + self.corrections + self.rulings - self.paid
    }

    /// What is left of the closing after the payments since.
    pub fn outstanding(&self) -> i64 {
        self.closing() - self.paid_since
    }
}

/// What one region owes and is owed for one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// Accounts by clearing house.
    pub accounts: BTreeMap<RegionId, Account>,
    /// Lines that count.
    pub lines: Vec<(LineId, Line)>,
    /// Lines held apart.
    pub held: Vec<(LineId, Line)>,
    /// The day that ages of disputes count to once the run is finalised.
    pub finalised: Option<Date>,
    /// The payments behind `paid`, oldest record first.
    pub payments: Vec<Payment>,
    /// The payments behind `paid_since`.
    pub payments_since: Vec<Payment>,
}

/// The statement of a region in a run, as its lines stand; `None` if it has nothing there.
pub fn statement(state: &State, run: u32, region: RegionId) -> Option<Statement> {
    let settlement = &state.settlement;
    let known = settlement.runs.get((run as usize).checked_sub(1)?)?;
    let mut statement = Statement { finalised: known.finalised, ..Statement::default() };
    let mine = |line: &Line| match (line.account.creditor == region, line.account.debtor == region) {
        (true, false) => Some(line.amount),
        (false, true) => Some(-line.amount),
        (true, true) | (false, false) => None,
    };
    for (id, line) in settlement.settling(run) {
        let Some(amount) = mine(line) else { continue };
        let account = statement.accounts.entry(clearing(&state.regions, known, line)).or_default();
        match line.class {
            LineClass::Accrued => account.accrued += amount,
            LineClass::Correction => account.corrections += amount,
            LineClass::Ruling => account.rulings += amount,
        }
        // Disputed after the run was finalised: not held here.
        let disputed = line.disputed.filter(|_| known.closing.is_none());
        statement.lines.push((id, Line { disputed, ..*line }));
    }
    for (id, line) in settlement.held(run) {
        let Some(amount) = mine(line) else { continue };
        statement.accounts.entry(clearing(&state.regions, known, line)).or_default().held += amount;
        let disputed = known.held.get(&id).copied().or(line.disputed);
        statement.held.push((id, Line { disputed, ..*line }));
    }
    for ((house, party), amount) in &known.opening {
        if *party == region {
            statement.accounts.entry(*house).or_default().opening += amount;
        }
    }
    for ((house, party), amount) in &known.paid {
        if *party == region {
            statement.accounts.entry(*house).or_default().paid -= amount;
        }
    }
    let own = |payment: &&Payment| payment.region == region;
    statement.payments = settlement.paid_in(run).filter(own).cloned().collect();
    statement.payments_since = settlement.paid_since(run).filter(own).cloned().collect();
    for payment in &statement.payments_since {
        statement.accounts.entry(payment.clearing).or_default().paid_since -= payment.amount;
    }
    (!statement.accounts.is_empty()).then_some(statement)
}

/// One region's place in the netting at one clearing house. `net` sums to 0 over the regions of a house.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Net {
    /// Gross, owed to it.
    pub receivable: i64,
    /// Gross, owed by it.
    pub payable: i64,
}

impl Net {
    /// What it gets from (or, negative, pays to) the clearing house.
    pub fn net(&self) -> i64 {
        self.receivable - self.payable
    }
}

/// Multilateral netting of a run's own lines, by clearing house and region; gross stays visible.
pub fn netting(state: &State, run: u32) -> BTreeMap<(RegionId, RegionId), Net> {
    let mut nets: BTreeMap<_, Net> = BTreeMap::new();
    let Some(known) = (run as usize).checked_sub(1).and_then(|place| state.settlement.runs.get(place)) else {
        return nets;
    };
    for ((debtor, creditor), amount) in pairs(state, run) {
        let house = state.regions.common_superior_known(debtor, creditor, known.position);
        nets.entry((house, debtor)).or_default().payable += amount;
        nets.entry((house, creditor)).or_default().receivable += amount;
    }
    nets
}

/// Gross debts of a run by debtor and creditor: the netting of two regions is the difference of two entries.
pub fn pairs(state: &State, run: u32) -> BTreeMap<(RegionId, RegionId), i64> {
    let mut pairs = BTreeMap::new();
    for (_, line) in state.settlement.settling(run) {
        *pairs.entry((line.account.debtor, line.account.creditor)).or_insert(0) += line.amount;
    }
    pairs
}

/// The units of a project's tax and how each is divided, as known now.
pub fn shares(state: &State, project: ProjectId) -> Vec<Unit> {
    let last = Date::new(9999, 12, 31).unwrap_or_else(|| unreachable!("the calendar has that day"));
    let known = state.projects.get(&project);
    known.map(|known| units(&state.regions, known, &Cut::until(last))).unwrap_or_default()
}

/// What is behind a line: the units of its phase as the run saw them, with the part the creditor held in each.
pub fn explain(state: &State, line: &Line, id: LineId) -> Vec<(Unit, Part)> {
    let run = (id.run as usize).checked_sub(1).and_then(|place| state.settlement.runs.get(place));
    let (Some(run), Some(project)) = (run, state.projects.get(&line.project)) else { return Vec::new() };
    let cut = Cut { before: run.position, ..Cut::until(run.period.end()) };
    let mut behind = Vec::new();
    for unit in units(&state.regions, project, &cut) {
        let part = unit.parts.iter().copied().find(|part| is_of(project, &unit, part, line));
        behind.extend(part.map(|part| (unit, part)));
    }
    behind
}

/// Whether a part is what a line's account is about.
fn is_of(project: &Project, unit: &Unit, part: &Part, line: &Line) -> bool {
    let account = line.account;
    // A line may be from before a region took another's place.
    (part.transfer, part.phase, project.now(part.party), project.now(unit.host))
        == (account.transfer, account.phase, project.now(account.creditor), project.now(account.debtor))
}

/// Positions of the tax records behind some units, in order.
pub fn positions<'u>(units: impl IntoIterator<Item = &'u Unit>) -> Vec<u64> {
    let receipts = units.into_iter().flat_map(|unit| &unit.receipts);
    let positions: BTreeSet<u64> = receipts.flat_map(|receipt| receipt.positions.iter().copied()).collect();
    positions.into_iter().collect()
}
