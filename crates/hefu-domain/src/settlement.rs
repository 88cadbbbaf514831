//! Settlement: what hosts owe claimants for a period, in numbered lines that are confirmed, finalised and paid.
//!
//! ```text
//! entitlement now (tax::schedule) − booked before = lines of a run ──finalise──▶ balances with clearing houses ──pay──▶ 0
//! ```
//!
//! A run never looks back at its own arithmetic: it compares what everybody should have by now with what earlier runs
//! booked, so late facts, refunds and confirmed claims come out as corrections by themselves. A disputed line is held
//! apart until it is released; it never vanishes and moves nobody else's money. Payments go through the treasury of the
//! lowest common superior of debtor and creditor, the clearing house.
//!
//! For disputes: a line has an id and a mark ([`Settlement::dispute`]); a ruling adds a [`Compensation`]
//! ([`Settlement::compensate`]), which the next run turns into a line of its own. Whoever counter-signed before a line was
//! held or released signs again: nobody is bound to sums they did not see.

mod payment;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

pub use payment::Payment;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::{
    id::{Digest, ProjectId},
    period::Period,
    region::{RegionId, RegionTree},
    state::{Project, State},
    tax::{
        Cut,
        schedule::{Part, Phase, units},
    },
    time::{Date, serde_as_text},
};

/// A line's name in its ledger, kept for ever: run and number, written `2-17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId {
    /// Number of the run that wrote it, from 1.
    pub run: u32,
    /// Its number in the run, from 1.
    pub number: u32,
}

/// A text that names no line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a settlement line like 2-17")]
pub struct BadLineId(pub String);

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.run, self.number)
    }
}

impl FromStr for LineId {
    type Err = BadLineId;

    fn from_str(text: &str) -> Result<LineId, BadLineId> {
        let parts =
            text.split_once('-').and_then(|(run, number)| Some((run.parse().ok()?, number.parse().ok()?)));
        let id = parts.map(|(run, number)| LineId { run, number });
        id.filter(|id| id.to_string() == text).ok_or_else(|| BadLineId(text.to_owned()))
    }
}

serde_as_text!(LineId, (u32, u32), |id| (id.run, id.number), |(run, number)| Some(LineId { run, number }));

/// Why a line is on a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineClass {
    /// From tax paid in the run's period.
    Accrued,
    /// From what became known of earlier periods: late facts, refunds, confirmed claims.
    Correction,
    /// From a ruling.
    Ruling,
}

/// What an amount is booked under: one party's part of one phase, owed by one county.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Account {
    /// The transfer whose terms give it.
    pub transfer: u32,
    /// The phase of its schedule.
    pub phase: Phase,
    /// Who owes.
    pub debtor: RegionId,
    /// Who is owed.
    pub creditor: RegionId,
}

/// One line of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The project.
    pub project: ProjectId,
    /// What it is booked under.
    pub account: Account,
    /// Why.
    pub class: LineClass,
    /// What the debtor owes more (or, negative, less) than was booked before, in fen.
    pub amount: i64,
    /// For a ruling: the line it answers.
    pub of: Option<LineId>,
    /// Since when it is disputed: held apart while it is.
    pub disputed: Option<Date>,
    /// The run in which it was finalised; `None` while it is open or held.
    pub settled: Option<u32>,
}

/// What a ruling adds to (or takes from) what a line's debtor owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compensation {
    /// The line the ruling is about.
    pub line: LineId,
    /// The exact difference in fen.
    pub amount: i64,
}

/// A region's account with a clearing house: positive, it is owed.
pub type Balances = BTreeMap<(RegionId, RegionId), i64>;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The period it settles.
    pub period: Period,
    /// Day it was run.
    pub day: Date,
    /// Position of its first record: later facts are for the next run.
    pub position: u64,
    /// Balances it began with: those the run before closed with.
    pub opening: Balances,
    /// What was paid between the run before and this one: positive, paid by the region.
    pub paid: Balances,
    /// Who has counter-signed.
    pub confirmed: BTreeSet<RegionId>,
    /// Balances it closed with, once finalised.
    pub closing: Option<Balances>,
    /// Lines it held apart when it was finalised, with the day since when they were disputed: a statement stays as it was.
    pub held: BTreeMap<LineId, Date>,
    /// Day it was finalised.
    pub finalised: Option<Date>,
    /// Id of the command that ran it.
    pub command: Uuid,
    /// Digest of that command.
    pub command_sha256: Digest,
}

/// All runs, lines and balances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// The runs, oldest first; only the last may be open.
    pub runs: Vec<Run>,
    /// Every line ever written.
    pub lines: BTreeMap<LineId, Line>,
    /// What lines say so far, by project and account.
    pub booked: BTreeMap<ProjectId, BTreeMap<Account, i64>>,
    /// Finalised and not paid.
    pub balances: Balances,
    /// Paid since the last run began.
    pub paid: Balances,
    /// Every payment on record.
    pub payments: Vec<Payment>,
    /// Rulings that wait for the next run.
    pub compensations: Vec<Compensation>,
    /// What rulings and agreements added to lines so far, written by a run or not.
    pub ruled: BTreeMap<LineId, i64>,
}

impl Settlement {
    /// A run by the period it settles, with its number.
    pub fn run(&self, period: Period) -> Option<(u32, &Run)> {
        let place = self.runs.iter().position(|run| run.period == period)?;
        Some((u32::try_from(place + 1).unwrap_or(u32::MAX), &self.runs[place]))
    }

    /// The run that is not finalised, with its number.
    pub fn open(&self) -> Option<(u32, &Run)> {
        let run = self.runs.last().filter(|run| run.closing.is_none())?;
        Some((u32::try_from(self.runs.len()).unwrap_or(u32::MAX), run))
    }

    /// Marks a line as disputed since a day, or releases it. If that moves sums of the open run, its two sides have not
    /// counter-signed them. `false` if there is no such line.
    pub fn dispute(&mut self, line: LineId, since: Option<Date>) -> bool {
        let Some(line) = self.lines.get_mut(&line) else { return false };
        let moves = line.settled.is_none() && line.disputed.is_some() != since.is_some();
        line.disputed = since;
        let open = self.runs.last_mut().filter(|run| moves && run.closing.is_none());
        if let Some(run) = open {
            run.confirmed.remove(&line.account.debtor);
            run.confirmed.remove(&line.account.creditor);
        }
        true
    }

    /// Adds what a ruling decided; the next run writes it as a line.
    pub fn compensate(&mut self, compensation: Compensation) {
        let ruled = self.ruled.entry(compensation.line).or_insert(0);
        *ruled = ruled.saturating_add(compensation.amount);
        self.compensations.push(compensation);
    }

    /// What a line says with everything that was ruled on it, in fen.
    pub fn says(&self, line: LineId) -> Option<i64> {
        let ruled = self.ruled.get(&line).copied().unwrap_or(0);
        self.lines.get(&line).map(|known| known.amount.saturating_add(ruled))
    }

    /// How much less and how much more a ruling may let a line say: what the creditor has of the tax behind it, and what
    /// the debtor has left, with all rulings on lines of the same account. `None` if there is no such line.
    pub fn room(
        &self,
        tree: &RegionTree,
        projects: &BTreeMap<ProjectId, Project>,
        id: LineId,
    ) -> Option<(i64, i64)> {
        let line = self.lines.get(&id)?;
        let project = projects.get(&line.project)?;
        let last = self.runs.last().map(|run| run.period.end())?;
        let (mut held, mut left) = (0i64, 0i64);
        for unit in units(tree, project, &Cut::until(last))
            .iter()
            .filter(|unit| project.now(unit.host) == project.now(line.account.debtor))
        {
            let same = |part: &&Part| {
                (part.transfer, part.phase, project.now(part.party))
                    == (line.account.transfer, line.account.phase, project.now(line.account.creditor))
            };
            if let Some(part) = unit.parts.iter().find(same) {
                held = held.saturating_add(part.amount);
                left = left.saturating_add(unit.host_part);
            }
        }
        let same = |id: &LineId| {
            let other = self.lines.get(id);
            other.is_some_and(|other| (other.project, other.account) == (line.project, line.account))
        };
        let ruled = self.ruled.iter().filter(|(id, _)| same(id)).map(|(_, amount)| *amount);
        let ruled = ruled.fold(0, i64::saturating_add);
        Some((held.saturating_add(ruled).saturating_neg(), left.saturating_sub(ruled)))
    }

    /// The lines a run settles or would settle: its own, and earlier ones that were held and are not disputed now.
    pub fn settling(&self, run: u32) -> impl Iterator<Item = (LineId, &Line)> {
        let finalised = self.runs.get(run as usize - 1).is_some_and(|run| run.closing.is_some());
        self.lines.iter().map(|(id, line)| (*id, line)).filter(move |(id, line)| {
            if finalised {
                line.settled == Some(run)
            } else {
                id.run <= run && line.settled.is_none() && line.disputed.is_none()
            }
        })
    }

    /// The lines a run holds apart because they are (or were then) disputed.
    pub fn held(&self, run: u32) -> impl Iterator<Item = (LineId, &Line)> {
        let finalised = self.runs.get(run as usize - 1).is_some_and(|run| run.closing.is_some());
        self.lines.iter().map(|(id, line)| (*id, line)).filter(move |(id, line)| {
            let later = line.settled.is_none_or(|settled| settled > run);
            id.run <= run && later && (finalised || line.disputed.is_some())
        })
    }

    /// The balances a run closes with, by its lines as they stand: opening + lines − paid.
    pub fn closing(&self, tree: &RegionTree, run: u32) -> Balances {
        let Some(known) = self.runs.get(run as usize - 1) else { return Balances::new() };
        let mut closing = nets(tree, known, self.settling(run).map(|(_, line)| line));
        for (account, amount) in &known.opening {
            add(&mut closing, *account, *amount);
        }
        for (account, amount) in &known.paid {
            add(&mut closing, *account, *amount);
        }
        closing
    }

    /// The regions that have something in a run: lines, held lines or an opening balance.
    pub fn parties(&self, run: u32) -> BTreeSet<RegionId> {
        let lines = self.settling(run).chain(self.held(run));
        let opening = self.runs.get(run as usize - 1).into_iter().flat_map(|run| run.opening.keys());
        lines
            .flat_map(|(_, line)| [line.account.debtor, line.account.creditor])
            .chain(opening.map(|(_, region)| *region))
            .collect()
    }
}

/// The clearing house of a line in the run that settles it: the lowest common superior of its two regions by then. Regions
/// do not change while a run is open.
pub fn clearing(tree: &RegionTree, run: &Run, line: &Line) -> RegionId {
    tree.common_superior_known(line.account.debtor, line.account.creditor, run.position)
}

/// Multilateral netting: what each region is owed (or, negative, owes) at each clearing house. Sums to 0 at each.
pub fn nets<'l>(tree: &RegionTree, run: &Run, lines: impl Iterator<Item = &'l Line>) -> Balances {
    let mut nets = Balances::new();
    for line in lines {
        let house = clearing(tree, run, line);
        add(&mut nets, (house, line.account.creditor), line.amount);
        add(&mut nets, (house, line.account.debtor), line.amount.saturating_neg());
    }
    nets
}

/// Adds to a balance; one that becomes 0 is dropped, so that equal balances are equal maps.
pub fn add(balances: &mut Balances, account: (RegionId, RegionId), amount: i64) {
    let balance = balances.entry(account).or_insert(0);
    *balance = balance.saturating_add(amount);
    if *balance == 0 {
        balances.remove(&account);
    }
}

/// The balances that one run closed with as the next opens with them: those of a region that ended are its successor's.
pub fn carried(tree: &RegionTree, closing: &Balances) -> Balances {
    let mut carried = Balances::new();
    for ((house, region), amount) in closing {
        add(&mut carried, (*house, tree.heir(*region)), *amount);
    }
    carried
}

/// What every claimant of a project should have by now. Divided among the regions that it was recorded under, then given
/// to those that stand in their place: so no change of regions changes a third one's share.
pub fn entitled(tree: &RegionTree, project: &Project, cut: &Cut) -> BTreeMap<Account, i64> {
    let mut entitled = BTreeMap::new();
    for unit in units(tree, project, cut) {
        for part in &unit.parts {
            let (debtor, creditor) = (project.now(unit.host), project.now(part.party));
            if debtor == creditor {
                continue;
            }
            let account = Account { transfer: part.transfer, phase: part.phase, debtor, creditor };
            let sum: &mut i64 = entitled.entry(account).or_insert(0);
            *sum = sum.saturating_add(part.amount);
        }
    }
    entitled
}

/// The lines a run for `period` writes, in the order of projects and accounts, without their ids.
pub fn due(state: &State, period: Period) -> Vec<Line> {
    let Settlement { runs, booked, compensations, lines, .. } = &state.settlement;
    let before = runs.last().map(|run| run.period.end());
    let mut due = Vec::new();
    for (id, project) in &state.projects {
        let none = BTreeMap::new();
        let booked = booked.get(id).unwrap_or(&none);
        if project.taxes.is_empty() && booked.is_empty() {
            continue;
        }
        let now = entitled(&state.regions, project, &Cut::until(period.end()));
        // Of tax paid in earlier periods, what is due by now differs from what was booked by corrections alone.
        let earlier = before.map(|end| Cut { paid: end, ..Cut::until(period.end()) });
        let earlier = earlier.map(|cut| entitled(&state.regions, project, &cut));
        let accounts: BTreeSet<&Account> = now.keys().chain(booked.keys()).collect();
        for account in accounts {
            let of = |amounts: &BTreeMap<Account, i64>| amounts.get(account).copied().unwrap_or(0);
            let old = earlier.as_ref().map_or(of(booked), of);
            let amounts = [
                (LineClass::Accrued, of(&now).saturating_sub(old)),
                (LineClass::Correction, old.saturating_sub(of(booked))),
            ];
            for (class, amount) in amounts.into_iter().filter(|(_, amount)| *amount != 0) {
                let (project, account) = (*id, *account);
                due.push(Line { project, account, class, amount, of: None, disputed: None, settled: None });
            }
        }
    }
    for Compensation { line, amount } in compensations {
        let known = lines.get(line).and_then(|line| Some((line, state.projects.get(&line.project)?)));
        if let Some((ruled, project)) = known {
            let Account { debtor, creditor, .. } = ruled.account;
            let account =
                Account { debtor: project.now(debtor), creditor: project.now(creditor), ..ruled.account };
            let class = LineClass::Ruling;
            due.push(Line {
                account,
                class,
                amount: *amount,
                of: Some(*line),
                disputed: None,
                settled: None,
                ..*ruled
            });
        }
    }
    due
}
