//! How did a line come to its amount: units, receipts, refunds, deficits, and every step of the division.

use hefu_domain::{
    settlement::{Line, LineId},
    state::State,
    tax::{
        Cut, TaxEntry,
        explain::{Carried, Step, carried, steps},
        receipts,
        schedule::{Part, Unit, units},
    },
};

use super::is_of;

/// One unit behind a line, and the creditor's part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// The unit.
    pub unit: Unit,
    /// The part.
    pub part: Part,
    /// The steps from the unit's base to the part; they add up to it.
    pub steps: Vec<Step>,
    /// The deficit carried into each of the unit's receipts.
    pub carried: Vec<Carried>,
    /// The refunds on the day and kind of each of the unit's receipts; what of them it bore is in the receipt.
    pub refunds: Vec<Vec<TaxEntry>>,
}

/// What is behind a line, as its run saw it. `then` is the state before the run's first record: what became known later is
/// for later runs.
pub fn behind(then: &State, state: &State, line: &Line, id: LineId) -> Vec<Behind> {
    let run = (id.run as usize).checked_sub(1).and_then(|place| state.settlement.runs.get(place));
    let (Some(run), Some(project)) = (run, then.projects.get(&line.project)) else { return Vec::new() };
    let cut = Cut { before: run.position, ..Cut::until(run.period.end()) };
    let all = units(&then.regions, project, &cut);
    let known = receipts(project, &cut);
    let into = carried(project, &known);
    let mut behind = Vec::new();
    for (at, unit) in all.iter().enumerate() {
        let told = steps(project, &all[..at], unit);
        let Some((part, steps)) = told.into_iter().find(|(part, _)| is_of(project, unit, part, line)) else {
            continue;
        };
        let same = |one: &hefu_domain::tax::Receipt| {
            known
                .iter()
                .position(|known| (known.date, known.kind, known.number) == (one.date, one.kind, one.number))
        };
        let carried =
            unit.receipts.iter().map(|one| same(one).map(|at| into[at].clone()).unwrap_or_default());
        let refunds = unit.receipts.iter().map(|one| {
            let entries = project.taxes.get(&(one.date, one.kind)).into_iter().flatten();
            entries.filter(|e| e.amount < 0 && one.positions.contains(&e.position)).cloned().collect()
        });
        let (carried, refunds) = (carried.collect(), refunds.collect());
        behind.push(Behind { unit: unit.clone(), part, steps, carried, refunds });
    }
    behind
}
