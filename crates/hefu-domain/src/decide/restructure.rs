//! Projects that come of others (semantics section 2). Split: each part gets exact parts per million of every value,
//! summing to the whole, and goes on with the claims and windows of what it was part of. Merger: values add up; the
//! claims must be the same, so that splitting and merging again changes no figure (decision 0015).
//!
//! What stays where it was: values of closed periods, values and shares that a ruling fixed, and tax already received.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Context, acts_for, business_date, held, living, optional_text,
    period::open_or_signed,
    project::{new_codes, parties},
    text,
};
use crate::{
    amount::{Decimal, MILLION, Money, largest_remainder},
    authority::Role,
    command::{MergeProjects, SplitPart, SplitProject},
    event::{Event, FormedValue, ProjectFormed, ProjectMerged, ProjectSplit, TaxLeft},
    id::ProjectId,
    period::Period,
    rejection::Rejection,
    state::{Actor, ClaimStatus, IndicatorId, Project, State, Succession, Transfer},
    tax::schedule,
    terms::Terms,
    time::Date,
};

pub(super) fn split(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &SplitProject,
) -> Result<Vec<Event>, Rejection> {
    let project = held(state, actor, c.project)?;
    optional_text("reason", &c.reason)?;
    undisturbed(state, c.project, project)?;
    let mut into: Vec<&SplitPart> = c.into.iter().collect();
    into.sort_by_key(|part| part.project);
    let mut codes: Vec<String> = Vec::new();
    for part in &into {
        text("name", &part.name)?;
        codes.extend(part.codes.iter().cloned());
    }
    new_codes(state, &codes)?;
    let ids: Vec<ProjectId> = into.iter().map(|part| part.project).collect();
    each_once(&ids)?;
    if let Some(project) = ids.iter().find(|id| state.projects.contains_key(id)) {
        return Err(Rejection::ProjectKnown { project: *project });
    }
    whole(state, &into)?;
    business_date(context, c.date, project.latest)?;
    open_or_signed(state, context, c.date, &parties(project))?;

    let ended = ProjectSplit { date: c.date, into: ids, project: c.project, reason: c.reason.clone() };
    let mut events: Vec<Event> = vec![ended.into()];
    let ppm: Vec<u64> = into.iter().map(|part| u64::from(part.ppm)).collect();
    let divide = |fen: i64| largest_remainder(fen, &ppm, MILLION);
    let planned = divide(project.planned_on(c.date).fen());
    let values = divided(state, project, &into, c.date);
    let left: Vec<_> = schedule::left(&state.regions, project, context.ts.date())
        .into_iter()
        .map(|(number, cap, outlay)| (number, cap.map(divide), outlay.map(divide)))
        .collect();
    for (place, (part, values)) in into.iter().zip(values).enumerate() {
        let share = |parts: &Option<Vec<i64>>| parts.as_ref().map(|parts| Money::from_fen(parts[place]));
        let left = left.iter().map(|(transfer, cap, outlay)| TaxLeft {
            cap: share(cap),
            outlay: share(outlay),
            transfer: *transfer,
        });
        let formed = ProjectFormed {
            codes: part.codes.clone(),
            date: c.date,
            from: vec![c.project],
            name: part.name.clone(),
            planned_investment: Money::from_fen(planned[place]),
            project: part.project,
            tax_left: left.collect(),
            values,
        };
        events.push(formed.into());
    }
    Ok(events)
}

pub(super) fn merge(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &MergeProjects,
) -> Result<Vec<Event>, Rejection> {
    let mut from = c.from.clone();
    from.sort_unstable();
    let first = *from.first().ok_or(Rejection::BadParts {})?;
    let holder = held(state, actor, first)?.holder();
    each_once(&from)?;
    let mut sources: Vec<&Project> = Vec::new();
    for id in &from {
        acts_for(state, actor, super::project(state, *id)?.holder(), &[Role::Office])?;
        sources.push(living(state, *id)?);
    }
    let whole = sources[0];
    text("name", &c.name)?;
    optional_text("reason", &c.reason)?;
    new_codes(state, &c.codes)?;
    if state.projects.contains_key(&c.project) {
        return Err(Rejection::ProjectKnown { project: c.project });
    }
    for (id, source) in from.iter().zip(&sources) {
        undisturbed(state, *id, source)?;
        if source.enterprise != whole.enterprise {
            return Err(Rejection::EnterprisesDiffer {});
        }
        if source.holder() != holder || !same_claims(whole, source, c.date) {
            return Err(Rejection::ClaimsDiffer { project: *id });
        }
        if source.suspended {
            return Err(Rejection::ProjectSuspended {});
        }
    }
    let latest = sources.iter().map(|source| source.latest).max().unwrap_or(c.date);
    business_date(context, c.date, latest)?;
    open_or_signed(state, context, c.date, &parties(whole))?;

    let values = added(state, &sources, c.date)?;
    let planned: i64 =
        sources.iter().map(|source| source.planned_on(c.date).fen()).fold(0, i64::saturating_add);
    let mut left: BTreeMap<u32, (Option<i64>, Option<i64>)> = BTreeMap::new();
    for source in &sources {
        for (number, cap, outlay) in schedule::left(&state.regions, source, context.ts.date()) {
            let entry = left.entry(number).or_default();
            entry.0 = sum(entry.0, cap);
            entry.1 = sum(entry.1, outlay);
        }
    }
    let money = |fen: Option<i64>| fen.map(Money::from_fen);
    let left = left.into_iter();
    let tax_left =
        left.map(|(transfer, (cap, outlay))| TaxLeft { cap: money(cap), outlay: money(outlay), transfer });
    let MergeProjects { codes, date, name, project, reason, .. } = c.clone();
    let ended = from
        .iter()
        .map(|id| ProjectMerged { date, into: project, project: *id, reason: reason.clone() }.into());
    let mut events: Vec<Event> = ended.collect();
    let planned_investment = Money::from_fen(planned);
    let tax_left = tax_left.collect();
    events.push(
        ProjectFormed { codes, date, from, name, planned_investment, project, tax_left, values }.into(),
    );
    Ok(events)
}

fn sum(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (some, None) | (None, some) => some,
    }
}

/// No transfer is under way and nothing is disputed.
pub(super) fn undisturbed(state: &State, id: ProjectId, project: &Project) -> Result<(), Rejection> {
    if let Some((_, transfer)) = project.pending() {
        return Err(Rejection::ProposalPending { destination: state.code(transfer.destination) });
    }
    let about = state.open_disputes.iter().find(|(matter, _)| matter.project == id);
    about.map_or(Ok(()), |(_, dispute)| Err(Rejection::ProjectDisputed { dispute: *dispute }))
}

fn each_once(ids: &[ProjectId]) -> Result<(), Rejection> {
    let different: BTreeSet<_> = ids.iter().collect();
    let fits = (2..=100).contains(&ids.len()) && different.len() == ids.len();
    if fits { Ok(()) } else { Err(Rejection::BadParts {}) }
}

/// The parts of everything sum to the whole.
fn whole(state: &State, into: &[&SplitPart]) -> Result<(), Rejection> {
    let sum: u64 = into.iter().map(|part| u64::from(part.ppm)).sum();
    if sum != MILLION {
        return Err(Rejection::PartsSum { of: "ppm".to_owned(), sum });
    }
    let apart: BTreeSet<_> = into.iter().flat_map(|part| part.by_indicator.keys()).collect();
    for indicator in apart {
        if state.indicator(*indicator).is_none() {
            return Err(Rejection::UnknownIndicator { indicator: *indicator });
        }
        let of = |part: &&SplitPart| u64::from(*part.by_indicator.get(indicator).unwrap_or(&part.ppm));
        let sum: u64 = into.iter().map(of).sum();
        if sum != MILLION {
            return Err(Rejection::PartsSum { of: indicator.to_string(), sum });
        }
    }
    Ok(())
}

/// The values that leave a project that is handed on, on a day.
pub(crate) fn leaving(state: &State, project: &Project, date: Date) -> Vec<(IndicatorId, Period, i64)> {
    let closed = state.closed.last().map(|period| period.end());
    let mut leaving = Vec::new();
    for ((indicator, year), months) in &project.reported {
        for known in months {
            let Some(period) = Period::months(*year, known.first, known.last) else { continue };
            let key = (*indicator, period);
            let ruled = project.ruled_values.contains_key(&key) || project.ruled_credits.contains_key(&key);
            if period.end() >= date && closed.is_none_or(|closed| period.end() > closed) && !ruled {
                leaving.push((*indicator, period, known.value));
            }
        }
    }
    leaving
}

/// Each part's values: largest remainder, ties to the smaller id.
fn divided(state: &State, project: &Project, into: &[&SplitPart], date: Date) -> Vec<Vec<FormedValue>> {
    let mut parts: Vec<Vec<FormedValue>> = vec![Vec::new(); into.len()];
    for (indicator, period, value) in leaving(state, project, date) {
        let code = state.indicators[usize::from(indicator.0)].code;
        let of = |part: &&SplitPart| u64::from(*part.by_indicator.get(&code).unwrap_or(&part.ppm));
        let weights: Vec<u64> = into.iter().map(of).collect();
        for (part, value) in parts.iter_mut().zip(largest_remainder(value, &weights, MILLION)) {
            part.push(formed(state, (indicator, period), value));
        }
    }
    parts
}

/// The values of all sources, added up; they must be of the same periods.
fn added(state: &State, sources: &[&Project], date: Date) -> Result<Vec<FormedValue>, Rejection> {
    let mut sums: BTreeMap<(IndicatorId, Period), i64> = BTreeMap::new();
    for source in sources {
        for (indicator, period, value) in leaving(state, source, date) {
            let other = sums.keys().filter(|(known, _)| *known == indicator).map(|(_, period)| *period);
            let mut other = other.filter(|known| known.year() == period.year() && *known != period);
            if let Some(existing) = other.find(|known| known.overlaps(period)) {
                return Err(Rejection::PeriodOverlaps { period, existing });
            }
            let sum = sums.entry((indicator, period)).or_default();
            *sum = sum
                .checked_add(value)
                .ok_or(Rejection::BadValue { why: crate::amount::BadDecimal::TooLarge })?;
        }
    }
    Ok(sums.into_iter().map(|(key, value)| formed(state, key, value)).collect())
}

fn formed(state: &State, (indicator, period): (IndicatorId, Period), value: i64) -> FormedValue {
    let entry = &state.indicators[usize::from(indicator.0)];
    FormedValue { indicator: entry.code, period, value: Decimal::from_minor(value, entry.unit.scale()) }
}

/// Whether every value of both counts for the same regions with the same weights, now and later: neither ever came from
/// another county, or both have the same landings, starts and terms.
fn same_claims(a: &Project, b: &Project, date: Date) -> bool {
    // Regions that took others' places later are the same for both, or all values count for other regions.
    let later = |project: &Project| -> Vec<Succession> {
        project.successions.iter().filter(|known| known.date > date).copied().collect()
    };
    if later(a) != later(b) {
        return false;
    }
    let moved = |project: &Project| project.transfers.iter().any(|transfer| came(project, transfer));
    if !moved(a) && !moved(b) {
        return true;
    }
    let life = |project: &Project| -> Vec<_> {
        let stays = project.stays.iter();
        stays.map(|stay| (stay.region, stay.from, stay.construction, stay.production)).collect()
    };
    let claims = |project: &Project| -> Vec<(Option<Date>, Terms, ClaimStatus)> {
        let landed = project.transfers.iter().filter(|transfer| came(project, transfer));
        landed.map(|transfer| (project.landed(transfer), without_limits(transfer), transfer.claim)).collect()
    };
    a.successions == b.successions
        && life(a) == life(b)
        && claims(a) == claims(b)
        && a.tax_days().min() == b.tax_days().min()
}

fn came(project: &Project, transfer: &Transfer) -> bool {
    project.landed(transfer).is_some() && transfer.origin != transfer.destination
}

/// Terms but for what is left of limits, which adds up.
fn without_limits(transfer: &Transfer) -> Terms {
    let mut terms = transfer.terms.clone();
    if let Some(tax) = &mut terms.tax {
        (tax.cap, tax.outlay) = (tax.cap.map(|_| Money::default()), tax.outlay.map(|_| Money::default()));
    }
    terms
}
