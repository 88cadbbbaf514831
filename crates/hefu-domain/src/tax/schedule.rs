//! Who holds how much of a project's shareable tax: phases, brackets, caps, and the division (semantics section 5).
//!
//! ```text
//! receipts ──phase of each schedule in force──▶ units ──division──▶ parts, host first; they sum to the unit's base
//! ```
//!
//! A unit is what is divided as a whole: one host, one phase of every schedule in force; or one receipt, where a schedule
//! says so. Of several schedules (A→B→C under `chain`) the earlier one is served first, each from the whole base: nobody's
//! running share shrinks because the project moved on. Integers only; nothing here knows what was settled.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Cut, Receipt, TaxKind, receipts};
use crate::{
    amount::{FULL_BP, Money},
    counting,
    region::{RegionId, RegionTree},
    state::{ClaimStatus, Project, Transfer},
    terms::{TaxTerms, TaxUnit, Trigger},
    time::{Date, serde_as_text},
};

/// The phase of a schedule on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Before construction: nothing is shared.
    Before,
    /// Construction, by calendar year.
    Construction(i16),
    /// Production year 1, 2, …: `[P + 12(n−1) months, P + 12n months)`.
    Year(u16),
    /// After the last year of the schedule.
    After,
}

/// A text that names no phase.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a phase like before, construction-2026, year-1 or after")]
pub struct BadPhase(pub String);

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Phase::Before => f.write_str("before"),
            Phase::Construction(year) => write!(f, "construction-{year:04}"),
            Phase::Year(year) => write!(f, "year-{year}"),
            Phase::After => f.write_str("after"),
        }
    }
}

impl FromStr for Phase {
    type Err = BadPhase;

    fn from_str(text: &str) -> Result<Phase, BadPhase> {
        let number = |prefix: &str| text.strip_prefix(prefix);
        let phase = match (text, number("construction-"), number("year-")) {
            ("before", _, _) => Some(Phase::Before),
            ("after", _, _) => Some(Phase::After),
            (_, Some(year), _) => year.parse().ok().map(Phase::Construction),
            (_, _, Some(year)) => year.parse().ok().map(Phase::Year),
            (_, None, None) => None,
        };
        phase.filter(|phase| phase.to_string() == text).ok_or_else(|| BadPhase(text.to_owned()))
    }
}

serde_as_text!(
    Phase,
    (u8, i16),
    |phase| match *phase {
        Phase::Before => (0, 0),
        Phase::Construction(year) => (1, year),
        Phase::Year(year) => (2, i16::try_from(year).unwrap_or(i16::MAX)),
        Phase::After => (3, 0),
    },
    |pair| match pair {
        (0, 0) => Some(Phase::Before),
        (1, year) => Some(Phase::Construction(year)),
        (2, year) => u16::try_from(year).ok().map(Phase::Year),
        (3, 0) => Some(Phase::After),
        _ => None,
    }
);

/// The phase of a transfer's schedule on a day on or after its landing.
pub fn phase(project: &Project, transfer: &Transfer, terms: &TaxTerms, day: Date) -> Phase {
    let reached = |trigger| project.trigger_date(transfer, trigger).filter(|start| *start <= day);
    if let Some(start) = reached(terms.years_from) {
        let last = u16::try_from(terms.years()).unwrap_or(u16::MAX);
        let year = (1..=last).find(|year| day < start.add_months(12 * u32::from(*year)));
        return year.map_or(Phase::After, Phase::Year);
    }
    match reached(Trigger::ConstructionStart) {
        Some(_) => Phase::Construction(day.year()),
        None => Phase::Before,
    }
}

/// Whether a transfer's schedule still gives something on a day or later; `false` if it has none.
pub fn runs_on(project: &Project, transfer: &Transfer, day: Date) -> bool {
    transfer.terms.tax.as_ref().is_some_and(|terms| phase(project, transfer, terms, day) != Phase::After)
}

/// One party's part of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The transfer whose terms give it.
    pub transfer: u32,
    /// The phase of its schedule.
    pub phase: Phase,
    /// Who holds it.
    pub party: RegionId,
    /// Basis points by the schedule's phase, before brackets, cap and outlay.
    pub bp: u32,
    /// Amount in fen.
    pub amount: i64,
    /// What the schedule has given this party so far, this part included, in fen.
    pub cumulative: i64,
}

/// What is divided as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The county that received the tax and owes the parts.
    pub host: RegionId,
    /// The phases of the schedules in force, by transfer, oldest first.
    pub phases: Vec<(u32, Phase)>,
    /// The receipt, where a schedule divides each.
    pub receipt: Option<(Date, TaxKind, u32)>,
    /// Shareable base in fen.
    pub base: i64,
    /// What stays with the host, in fen.
    pub host_part: i64,
    /// What the others hold; with the host's part they sum to the base.
    pub parts: Vec<Part>,
    /// The receipts it is made of.
    pub receipts: Vec<Receipt>,
}

/// A schedule in force for one receipt.
struct InForce<'p> {
    number: u32,
    terms: &'p TaxTerms,
    phase: Phase,
}

/// The schedules in force for a receipt, oldest first: of confirmed claims that no later hop ended (semantics R3).
fn in_force(project: &Project, day: Date, kind: TaxKind) -> Vec<InForce<'_>> {
    let hops = counting::surviving_hops(project, Some(day));
    let mut schedules: Vec<InForce<'_>> = hops
        .filter(|(_, transfer)| transfer.claim == ClaimStatus::Confirmed)
        .filter_map(|(number, transfer)| {
            let terms = transfer.terms.tax.as_ref()?;
            let covers = terms.kinds.is_empty() || terms.kinds.contains(&kind);
            covers.then(|| InForce { number, terms, phase: phase(project, transfer, terms, day) })
        })
        .collect();
    schedules.reverse();
    schedules
}

/// What one schedule has given, over the units before.
#[derive(Default)]
struct Given {
    parties: BTreeMap<RegionId, i64>,
    outlay: i64,
    /// Base of each phase so far: where the brackets stand.
    phases: BTreeMap<Phase, i64>,
}

/// First stay of an unbroken time in one county, phases, receipt: what is one unit.
type Key = (usize, Vec<(u32, Phase)>, Option<(Date, TaxKind, u32)>);

/// The units of a project's tax, in order of their time, divided.
pub fn units(tree: &RegionTree, project: &Project, cut: &Cut) -> Vec<Unit> {
    divided(tree, project, cut).0
}

/// What the caps and outlays of a project's tax terms still allow after all tax on record, in fen: transfer, cap, outlay.
pub(crate) fn left(
    tree: &RegionTree,
    project: &Project,
    today: Date,
) -> Vec<(u32, Option<i64>, Option<i64>)> {
    let (_, given) = divided(tree, project, &Cut::until(today));
    let numbered = (0u32..).zip(&project.transfers);
    let limited = numbered.filter_map(|(number, transfer)| {
        let terms = transfer.terms.tax.as_ref()?;
        let known = given.get(&number);
        let so_far = known.and_then(|known| known.parties.get(&transfer.origin)).copied().unwrap_or(0);
        let repaid = known.map_or(0, |known| known.outlay);
        let rest = |limit: Money, used: i64| limit.fen().saturating_sub(used).max(0);
        let (cap, outlay) =
            (terms.cap.map(|cap| rest(cap, so_far)), terms.outlay.map(|all| rest(all, repaid)));
        (cap.is_some() || outlay.is_some()).then_some((number, cap, outlay))
    });
    limited.collect()
}

fn divided(tree: &RegionTree, project: &Project, cut: &Cut) -> (Vec<Unit>, BTreeMap<u32, Given>) {
    let mut gathered: BTreeMap<Key, Vec<Receipt>> = BTreeMap::new();
    for receipt in receipts(project, cut) {
        let schedules = in_force(project, receipt.date, receipt.kind);
        let single = schedules.iter().any(|s| s.terms.unit == TaxUnit::Receipt);
        let phases = schedules.iter().map(|s| (s.number, s.phase)).collect();
        let key = (
            first_stay(project, receipt.date),
            phases,
            single.then_some((receipt.date, receipt.kind, receipt.number)),
        );
        gathered.entry(key).or_default().push(receipt);
    }
    let mut given: BTreeMap<u32, Given> = BTreeMap::new();
    // Divided in the order of their first receipts: brackets, caps and outlays are used up as time goes.
    let mut gathered: Vec<(Key, Vec<Receipt>)> = gathered.into_iter().collect();
    gathered.sort_by_key(|((stay, ..), receipts)| (*stay, receipts.first().map(|receipt| receipt.date)));
    let units = gathered.into_iter().map(|((stay, phases, receipt), receipts)| {
        let base = receipts.iter().map(|receipt| receipt.base).fold(0, i64::saturating_add);
        let host = project.stays[stay].region;
        let mut unit = Unit { host, phases, receipt, base, host_part: base, parts: Vec::new(), receipts };
        divide(tree, project, &mut unit, &mut given);
        unit
    });
    let units = units.collect();
    (units, given)
}

/// Moves inside a county do not end a unit.
fn first_stay(project: &Project, day: Date) -> usize {
    let mut stay = project.stays.iter().rposition(|stay| stay.from <= day).unwrap_or(0);
    while stay > 0 && project.stays[stay - 1].region == project.stays[stay].region {
        stay -= 1;
    }
    stay
}

/// Basis points times basis points: brackets scale shares.
const WHOLE: i128 = FULL_BP as i128 * FULL_BP as i128;

fn divide(tree: &RegionTree, project: &Project, unit: &mut Unit, given: &mut BTreeMap<u32, Given>) {
    let base = i128::from(unit.base);
    // What is not held by an earlier entry, in 1/10^8 fen.
    let mut left = base * WHOLE;
    let mut shares: Vec<(Part, i128)> = Vec::new();
    for (number, phase) in &unit.phases {
        let transfer = &project.transfers[*number as usize];
        let Some(terms) = &transfer.terms.tax else { continue };
        let given = given.entry(*number).or_default();
        let from = given.phases.get(phase).copied().unwrap_or(0);
        let so_far = given.parties.get(&transfer.origin).copied().unwrap_or(0);
        let capped = terms.cap.is_some_and(|cap| so_far >= cap.fen());
        // The origin's outlay is repaid first, out of the whole base of every phase that shares.
        let shares_at_all = matches!(phase, Phase::Construction(_) | Phase::Year(_));
        let owed = terms.outlay.map_or(0, |outlay| outlay.fen().saturating_sub(given.outlay));
        let repaid = if shares_at_all && transfer.origin != unit.host { owed.clamp(0, unit.base) } else { 0 };
        given.outlay = given.outlay.saturating_add(repaid);
        let rest = base - i128::from(repaid);
        given.phases.insert(*phase, i64::try_from(i128::from(from) + rest).unwrap_or(i64::MAX));

        let bp = terms.origin_bp(*phase, capped);
        let scaled = terms.scaled(i128::from(from), rest) * i128::from(bp) + i128::from(repaid) * WHOLE;
        let origin = (transfer.origin, bp, scaled);
        let others = terms.others.iter().filter_map(|other| {
            let bp = other.bp(*phase);
            let party = tree.find(other.region)?.id;
            Some((party, bp, rest * i128::from(bp) * i128::from(FULL_BP)))
        });
        for (party, bp, share) in [origin].into_iter().chain(others) {
            // A host owes itself nothing: what it holds under an earlier transfer stays with it.
            if party == unit.host {
                continue;
            }
            let share = share.min(left);
            left -= share;
            let part = Part { transfer: *number, phase: *phase, party, bp, amount: 0, cumulative: 0 };
            shares.push((part, share));
        }
    }
    // Largest remainder; ties to the host, then the order of the schedules and of the parties in them.
    let mut order: Vec<usize> = (0..=shares.len()).collect();
    let fraction = |place: usize| if place == 0 { left % WHOLE } else { shares[place - 1].1 % WHOLE };
    order.sort_by_key(|place| std::cmp::Reverse(fraction(*place)));
    let floors: i128 = left / WHOLE + shares.iter().map(|(_, share)| share / WHOLE).sum::<i128>();
    let extra = usize::try_from(base - floors).unwrap_or(0);
    let lucky = &order[..extra.min(order.len())];
    for (place, (mut part, share)) in shares.iter().copied().enumerate() {
        let whole = share / WHOLE + i128::from(lucky.contains(&(place + 1)));
        let amount = i64::try_from(whole).unwrap_or(i64::MAX);
        let transfer = &project.transfers[part.transfer as usize];
        let given = given.entry(part.transfer).or_default().parties.entry(part.party).or_insert(0);
        let cap = transfer.terms.tax.as_ref().and_then(|terms| terms.cap);
        part.amount = match cap.filter(|_| part.party == transfer.origin) {
            Some(cap) => amount.min(cap.fen().saturating_sub(*given).max(0)),
            None => amount,
        };
        *given = given.saturating_add(part.amount);
        part.cumulative = *given;
        unit.host_part -= part.amount;
        unit.parts.push(part);
    }
}
