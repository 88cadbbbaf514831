//! How a part came to be: the same arithmetic as [`super::schedule`], step by step, for people.
//!
//! ```text
//! outlay + brackets (or the whole base) × share − held by earlier schedules + rounding − beyond the cap = the part, exactly
//! ```
//!
//! Nothing is decided here: amounts come from the units as they were divided. Where the steps and the division disagreed,
//! the rounding would show it; a test holds it to less than a fen a step.

use super::{
    Receipt,
    schedule::{Part, Phase, Unit},
};
use crate::{
    amount::{FULL_BP, Money},
    state::Project,
    terms::TaxTerms,
};

/// Why a step adds or takes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The origin's outlay is repaid first, out of the whole base.
    Outlay,
    /// A part of the base times the share; scaled where the terms have brackets.
    Share,
    /// An earlier schedule is served first.
    Earlier,
    /// Fractions of a fen, by largest remainder.
    Rounding,
    /// Beyond what was left of the cap; 0 where it is not reached.
    Cap,
}

/// One step from a unit's base to a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Why.
    pub why: Why,
    /// What it is taken from, in fen: the base or the part of it in one bracket; of an outlay or a cap, what was left of it.
    pub of: i64,
    /// The outlay or the cap as agreed.
    pub agreed: Option<Money>,
    /// The share in basis points.
    pub bp: Option<u32>,
    /// What the bracket scales the share by, in basis points; none where there are no brackets.
    pub scale_bp: Option<u32>,
    /// What it adds, in fen. The steps of a part add up to its amount.
    pub amount: i64,
}

impl Step {
    fn new(why: Why, of: i64, amount: i64) -> Step {
        Step { why, of, agreed: None, bp: None, scale_bp: None, amount }
    }
}

/// A deficit that a receipt had to make up, and the records it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// In fen.
    pub deficit: i64,
    /// Positions of the receipts that left it.
    pub positions: Vec<u64>,
}

/// 1 fen in the unit that shares are computed in: basis points times basis points.
const WHOLE: i128 = FULL_BP as i128 * FULL_BP as i128;

/// The deficit carried into each of a project's receipts, which must be all up to some day, in order.
pub fn carried(project: &Project, receipts: &[Receipt]) -> Vec<Carried> {
    let mut left = std::collections::BTreeMap::new();
    let mut into = Vec::new();
    for receipt in receipts {
        let carried: &mut Carried = left.entry(project.stood(receipt.date)).or_default();
        into.push(carried.clone());
        carried.deficit = receipt.deficit;
        if receipt.deficit == 0 {
            carried.positions.clear();
        } else if receipt.deficit > into.last().map_or(0, |before| before.deficit) {
            carried.positions.extend(&receipt.positions);
        }
    }
    into
}

/// What one schedule took before a unit.
struct Before {
    /// Of the outlay.
    outlay: i64,
    /// Base of the same phase, outlay taken off: where the brackets stand.
    base: i64,
}

/// What a schedule's outlay takes out of a unit.
fn repaid(project: &Project, (number, phase): (u32, Phase), unit: &Unit, before: i64) -> i64 {
    let transfer = &project.transfers[number as usize];
    let outlay = transfer.terms.tax.as_ref().and_then(|terms| terms.outlay);
    let shares = matches!(phase, Phase::Construction(_) | Phase::Year(_));
    if !shares || transfer.origin == unit.host {
        return 0;
    }
    outlay.map_or(0, |outlay| outlay.fen().saturating_sub(before).clamp(0, unit.base))
}

fn before(project: &Project, number: u32, phase: Phase, units: &[Unit]) -> Before {
    let mut before = Before { outlay: 0, base: 0 };
    for unit in units {
        for entry in unit.phases.iter().filter(|(known, _)| *known == number) {
            let repaid = repaid(project, *entry, unit, before.outlay);
            before.outlay += repaid;
            if entry.1 == phase {
                before.base += unit.base - repaid;
            }
        }
    }
    before
}

/// The steps to every part of a unit. `earlier`: all units of the project before it, in order.
pub fn steps(project: &Project, earlier: &[Unit], unit: &Unit) -> Vec<(Part, Vec<Step>)> {
    // What no earlier entry holds.
    let mut left = i128::from(unit.base) * WHOLE;
    let mut told = Vec::new();
    for part in &unit.parts {
        let transfer = &project.transfers[part.transfer as usize];
        let Some(terms) = &transfer.terms.tax else { continue };
        let before = before(project, part.transfer, part.phase, earlier);
        let repaid = repaid(project, (part.transfer, part.phase), unit, before.outlay);
        let rest = unit.base - repaid;
        let mut steps = Vec::new();
        let mut exact = 0;
        if part.party == transfer.origin {
            if repaid > 0 {
                let of = terms.outlay.map_or(0, |outlay| outlay.fen().saturating_sub(before.outlay));
                steps.push(Step { agreed: terms.outlay, ..Step::new(Why::Outlay, of, repaid) });
                exact += i128::from(repaid) * WHOLE;
            }
            for (of, scale_bp) in slices(terms, before.base, rest) {
                let share = i128::from(of) * i128::from(part.bp) * i128::from(scale_bp.unwrap_or(FULL_BP));
                exact += share;
                let bp = Some(part.bp);
                steps.push(Step { bp, scale_bp, ..Step::new(Why::Share, of, fen(share)) });
            }
        } else {
            let share = i128::from(rest) * i128::from(part.bp) * i128::from(FULL_BP);
            exact += share;
            steps.push(Step { bp: Some(part.bp), ..Step::new(Why::Share, rest, fen(share)) });
        }
        if exact > left {
            steps.push(Step::new(Why::Earlier, fen(left), fen(left) - fen(exact)));
        }
        let share = exact.min(left);
        left -= share;
        let cap = terms.cap.filter(|_| part.party == transfer.origin);
        let room = cap.map(|cap| cap.fen().saturating_sub(part.cumulative - part.amount).max(0));
        // Of a part that fills the cap, all that goes beyond is the cap's.
        let whole = i64::try_from(share / WHOLE).unwrap_or(i64::MAX).max(part.amount);
        let over = room.filter(|room| *room == part.amount).map_or(0, |room| whole - room);
        let rounding = part.amount + over - steps.iter().map(|step| step.amount).sum::<i64>();
        if rounding != 0 {
            steps.push(Step::new(Why::Rounding, 0, rounding));
        }
        steps.extend(room.map(|room| Step { agreed: cap, ..Step::new(Why::Cap, room, -over) }));
        told.push((*part, steps));
    }
    told
}

/// The parts of `amount` in each bracket, where `from` of the phase's base came before.
fn slices(terms: &TaxTerms, from: i64, amount: i64) -> Vec<(i64, Option<u32>)> {
    if terms.brackets.is_empty() {
        return vec![(amount, None)];
    }
    let mut start = 0;
    let mut slices = Vec::new();
    for bracket in &terms.brackets {
        let end = bracket.up_to.map_or(i64::MAX, Money::fen);
        let inside = from.saturating_add(amount).min(end) - from.max(start);
        if inside > 0 {
            slices.push((inside, Some(bracket.scale_bp)));
        }
        start = end;
    }
    slices
}

/// Whole fen of a share, half up.
fn fen(share: i128) -> i64 {
    i64::try_from((share * 2 + WHOLE).div_euclid(2 * WHOLE)).unwrap_or(i64::MAX)
}
