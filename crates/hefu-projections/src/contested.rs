//! What a figure may become while a claim or an observation behind it is contested (semantics R11).
//!
//! Contested are claims that wait for the superior, and what an open dispute is about. Figures count them as they stand
//! now; beside that stands what they would be if all of it is refused or all of it confirmed, and between which bounds
//! they lie: sums of the minima and maxima of each observation over everything that is contested about it. Worked out
//! for each report from the few things in question; nothing is kept, and no figure is changed.

use std::collections::{BTreeMap, BTreeSet};

use hefu_domain::{
    counting::{AreaShare, Standing, window},
    dispute::MatterKind,
    id::ProjectId,
    indicator::{Class, Kind},
    period::Period,
    region::{RegionId, RegionTree},
    state::{ClaimStatus, IndicatorId, Project, State},
    time::Date,
};

use crate::{
    Views,
    counting::{Row, counted, quotient},
};

/// With more contested claims on one observation than this, its bounds are nothing and the whole.
const ENUMERATED: usize = 10;

/// Territorial, as destination, as origin, shared, elimination.
type Parts = [i128; 5];

/// What an area shows of one observation under one outcome.
type Picture = BTreeMap<RegionId, Parts>;

/// By how much a figure would move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shift {
    refused: Parts,
    confirmed: Parts,
    lower: Parts,
    upper: Parts,
}

/// What is contested about one project.
#[derive(Debug, Default)]
struct Open {
    /// Transfers whose claim is contested; with an indicator and a period, only there.
    claims: Vec<(u32, Option<(IndicatorId, Period)>)>,
    /// Disputed observations, with the values their openers say, the first opener's first; 0, which adds nothing, if
    /// there should be none.
    values: BTreeMap<(IndicatorId, Period), Vec<i64>>,
}

/// One figure under other outcomes. Each is a whole row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcomes {
    /// Contested claims counted as rejected, disputed observations as their first openers say.
    pub if_refused: Row,
    /// Contested claims counted as confirmed, disputed observations as reported.
    pub if_confirmed: Row,
    /// What no outcome goes below.
    pub lower: Row,
    /// What no outcome goes above.
    pub upper: Row,
}

/// Everything contested behind the figures of one period.
#[derive(Clone, Debug, Default)]
pub struct Contested {
    shifts: BTreeMap<(RegionId, IndicatorId), Shift>,
}

impl Contested {
    /// What is contested behind these indicators in a period. For a ratio, behind both its parts.
    pub fn over(views: &Views, indicators: &[IndicatorId], period: Period) -> Contested {
        let state = &views.state;
        let questions = questions(state);
        let mut contested = Contested::default();
        if questions.is_empty() {
            return contested;
        }
        let indicators: BTreeSet<IndicatorId> =
            indicators.iter().flat_map(|indicator| parts_of(state, *indicator)).collect();
        for (id, open) in &questions {
            let project = &state.projects[id];
            for indicator in &indicators {
                contested.add(views, (*id, project), open, (*indicator, period));
            }
        }
        let still = Shift::default();
        contested.shifts.retain(|_, shift| *shift != still);
        contested
    }

    fn add(
        &mut self,
        views: &Views,
        (id, project): (ProjectId, &Project),
        open: &Open,
        (indicator, period): (IndicatorId, Period),
    ) {
        let state = &views.state;
        let entry = &state.indicators[usize::from(indicator.0)];
        match entry.kind {
            Kind::Flow | Kind::Stock => {
                let inside = views.counting.observations(id).iter().filter(|o| {
                    let closing = entry.kind == Kind::Flow || o.period.end() == period.end();
                    o.indicator == indicator && period.contains(o.period) && closing
                });
                for o in inside {
                    let one = One { state, project, indicator, class: entry.class, period: o.period };
                    let said = open.values.get(&(indicator, o.period)).map_or(&[][..], Vec::as_slice);
                    self.note(indicator, &one.pictures(open, o.value, said));
                }
            }
            Kind::Count if counted(state, entry, project, period) => {
                let one = One { state, project, indicator, class: Class::Attraction, period };
                self.note(indicator, &one.counts(open));
            }
            Kind::Count | Kind::Ratio => {}
        }
    }

    /// Adds what one observation may become: as it is now, all refused, all confirmed, then every other outcome.
    fn note(&mut self, indicator: IndicatorId, pictures: &[Picture]) {
        let [now, refused, confirmed, ..] = pictures else { return };
        let areas: BTreeSet<RegionId> = pictures.iter().flat_map(|picture| picture.keys().copied()).collect();
        for area in areas {
            let shift = self.shifts.entry((area, indicator)).or_default();
            let of = |picture: &Picture, part: usize| picture.get(&area).map_or(0, |parts| parts[part]);
            for part in 0..shift.lower.len() {
                let known = of(now, part);
                let all = pictures.iter().map(|picture| of(picture, part) - known);
                shift.refused[part] += of(refused, part) - known;
                shift.confirmed[part] += of(confirmed, part) - known;
                shift.lower[part] += all.clone().min().unwrap_or(0);
                shift.upper[part] += all.max().unwrap_or(0);
            }
        }
    }

    /// What a row may become; `None` if no open question can move it.
    pub fn outcomes(&self, views: &Views, row: &Row) -> Option<Outcomes> {
        let state = &views.state;
        let entry = &state.indicators[usize::from(row.indicator.0)];
        if entry.kind == Kind::Ratio {
            return self.ratio(views, row);
        }
        let shift = self.shifts.get(&(row.region, row.indicator))?;
        Some(Outcomes {
            if_refused: shifted(row, &shift.refused),
            if_confirmed: shifted(row, &shift.confirmed),
            lower: shifted(row, &shift.lower),
            upper: shifted(row, &shift.upper),
        })
    }

    fn ratio(&self, views: &Views, row: &Row) -> Option<Outcomes> {
        let Views { state, counting, .. } = views;
        let entry = &state.indicators[usize::from(row.indicator.0)];
        let part = |code| {
            let (indicator, part) = state.indicator(code?)?;
            let now = counting.row(state, row.region, indicator, row.period);
            let outcomes = self.outcomes(views, &now);
            let open = outcomes.is_some();
            let outcomes = outcomes.unwrap_or_else(|| Outcomes {
                if_refused: now.clone(),
                if_confirmed: now.clone(),
                lower: now.clone(),
                upper: now,
            });
            Some((outcomes, part.unit.scale(), open))
        };
        let (above, below) = (part(entry.numerator)?, part(entry.denominator)?);
        if !above.2 && !below.2 {
            return None;
        }
        let divide = |a: Option<i128>, b: Option<i128>| quotient((a?, above.1), (b?, below.1), row.scale);
        let whole = |a: &Row, b: &Row| {
            let territorial = divide(a.territorial, b.territorial);
            let shared = divide(a.shared, b.shared);
            Row { territorial, shared, missing: territorial.is_none() && shared.is_none(), ..row.clone() }
        };
        let (a, b) = (&above.0, &below.0);
        // A quotient has its extremes at the corners, as long as its denominator keeps its sign.
        let bound = |of: fn(&Row) -> Option<i128>, largest: bool| {
            let (low, high) = (of(&b.lower)?, of(&b.upper)?);
            if low <= 0 && high >= 0 {
                return None;
            }
            let corners = [of(&a.lower), of(&a.upper)]
                .into_iter()
                .flat_map(|a| [Some(low), Some(high)].map(|b| divide(a, b)));
            let corners = corners.flatten();
            if largest { corners.max() } else { corners.min() }
        };
        let bounds = |largest| Row {
            territorial: bound(|row| row.territorial, largest),
            shared: bound(|row| row.shared, largest),
            ..row.clone()
        };
        Some(Outcomes {
            if_refused: whole(&a.if_refused, &b.if_refused),
            if_confirmed: whole(&a.if_confirmed, &b.if_confirmed),
            lower: bounds(false),
            upper: bounds(true),
        })
    }
}

fn shifted(row: &Row, shift: &Parts) -> Row {
    let by = |figure: Option<i128>, part: usize| figure.map(|figure| figure + shift[part]);
    Row {
        territorial: by(row.territorial, 0),
        as_destination: by(row.as_destination, 1),
        as_origin: by(row.as_origin, 2),
        shared: by(row.shared, 3),
        elimination: by(row.elimination, 4),
        ..row.clone()
    }
}

/// The parts of a ratio; of another indicator, itself.
pub(crate) fn parts_of(state: &State, indicator: IndicatorId) -> Vec<IndicatorId> {
    let entry = &state.indicators[usize::from(indicator.0)];
    let parts = [entry.numerator, entry.denominator].into_iter().flatten();
    let parts: Vec<_> = parts.filter_map(|code| Some(state.indicator(code)?.0)).collect();
    if parts.is_empty() { vec![indicator] } else { parts }
}

/// Everything that is contested now, by project.
fn questions(state: &State) -> BTreeMap<ProjectId, Open> {
    let mut questions: BTreeMap<ProjectId, Open> = BTreeMap::new();
    for (id, number) in &state.waiting_claims {
        let project = &state.projects[id];
        let transfer = &project.transfers[*number as usize];
        if project.landed(transfer).is_some() && transfer.origin != transfer.destination {
            questions.entry(*id).or_default().claims.push((*number, None));
        }
    }
    for (matter, id) in &state.open_disputes {
        let open = questions.entry(matter.project).or_default();
        let narrow = matter.indicator.zip(matter.period).and_then(|(code, period)| {
            let (indicator, entry) = state.indicator(code)?;
            Some((indicator, period, entry.unit.scale()))
        });
        match matter.kind {
            MatterKind::Claim | MatterKind::Transfer => {
                let scope = narrow.map(|(indicator, period, _)| (indicator, period));
                open.claims.extend(matter.transfer.map(|number| (number, scope)));
            }
            MatterKind::Observation => {
                if let Some((indicator, period, scale)) = narrow {
                    let said =
                        state.said(*id).map(|amount| amount.map_or(0, |a| a.minor(scale).unwrap_or(0)));
                    open.values.insert((indicator, period), said.collect());
                }
            }
            // What is settled is not counted.
            MatterKind::Line => {}
        }
    }
    questions
}

/// One observation (or, for a count, one project) that is contested.
struct One<'a> {
    state: &'a State,
    project: &'a Project,
    indicator: IndicatorId,
    class: Class,
    period: Period,
}

impl One<'_> {
    /// The contested claims that would count here if they were confirmed.
    fn claims(&self, open: &Open, narrowed: bool) -> Vec<u32> {
        let day = self.period.end();
        let mut claims: Vec<u32> = Vec::new();
        for (number, scope) in &open.claims {
            let touched = scope.is_none_or(|(indicator, period)| {
                narrowed && indicator == self.indicator && period.contains(self.period)
            });
            let Some(transfer) = self.project.transfers.get(*number as usize).filter(|_| touched) else {
                continue;
            };
            let landed = self.project.landed(transfer).is_some_and(|landed| landed <= day);
            let span = window(self.project, transfer, self.class);
            if landed && span.is_some_and(|(start, end)| start <= day && day < end) {
                claims.push(*number);
            }
        }
        claims.sort_unstable();
        claims.dedup();
        claims
    }

    /// What areas show as it stands, all refused, all confirmed, and under each outcome; empty if nothing is contested.
    fn pictures(&self, open: &Open, value: i64, said: &[i64]) -> Vec<Picture> {
        let claims = self.claims(open, true);
        if claims.is_empty() && said.is_empty() {
            return Vec::new();
        }
        let tree = &self.state.regions;
        let what = (self.indicator, self.class);
        let standing = |project: &Project| Standing::of(tree, project, what, self.period);
        let show = |project: &Project, value| {
            picture(tree, self.period.end(), &standing(project).area_shares(tree, value))
        };
        let mut all = vec![
            show(self.project, value),
            show(&self.ruled(&claims, 0), said.first().copied().unwrap_or(value)),
            show(&self.ruled(&claims, u64::MAX), value),
        ];
        for value in said.iter().copied().chain([value]) {
            if claims.len() > ENUMERATED {
                all.extend(extremes(
                    tree,
                    self.period.end(),
                    &standing(&self.ruled(&claims, u64::MAX)),
                    value,
                ));
            } else {
                all.extend(self.rulings(&claims).map(|project| show(&project, value)));
            }
        }
        all
    }

    /// The same for a derived count.
    fn counts(&self, open: &Open) -> Vec<Picture> {
        let claims = self.claims(open, false);
        if claims.is_empty() {
            return Vec::new();
        }
        let tree = &self.state.regions;
        let standing = |project: &Project| Standing::on(tree, project, self.class, self.period.end());
        let show = |project: &Project| picture(tree, self.period.end(), &standing(project).area_counts(tree));
        let all_confirmed = self.ruled(&claims, u64::MAX);
        let mut all = vec![show(self.project), show(&self.ruled(&claims, 0)), show(&all_confirmed)];
        if claims.len() > ENUMERATED {
            all.extend(extremes(tree, self.period.end(), &standing(&all_confirmed), 1));
        } else {
            all.extend(self.rulings(&claims).map(|project| show(&project)));
        }
        all
    }

    /// The project under each outcome of its contested claims.
    fn rulings<'a>(&'a self, claims: &'a [u32]) -> impl Iterator<Item = Project> + 'a {
        (0..1u64 << claims.len()).map(|confirmed| self.ruled(claims, confirmed))
    }

    /// The project with these claims confirmed, where the bit is set, or rejected.
    fn ruled(&self, claims: &[u32], confirmed: u64) -> Project {
        let mut project = self.project.clone();
        for (place, number) in claims.iter().enumerate() {
            let stands = confirmed == u64::MAX || (confirmed >> place) & 1 == 1;
            project.transfers[*number as usize].claim =
                if stands { ClaimStatus::Confirmed } else { ClaimStatus::Rejected };
        }
        project
    }
}

/// What each area shows of one observation, its part of the eliminations included.
fn picture(tree: &RegionTree, day: Date, shares: &[(RegionId, AreaShare)]) -> Picture {
    let mut picture = Picture::new();
    for (area, share) in shares {
        let AreaShare { territorial, as_destination, as_origin } = *share;
        let shared = i128::from(as_destination) + i128::from(as_origin);
        let parts = picture.entry(*area).or_default();
        let above = parts[4] + shared;
        *parts = [territorial.into(), as_destination.into(), as_origin.into(), shared, above];
        if let Some(parent) = tree.parent_on(*area, day) {
            picture.entry(parent).or_default()[4] -= shared;
        }
    }
    picture
}

/// Two pictures between which every outcome lies: no area shows more than the whole or less than nothing.
fn extremes(tree: &RegionTree, day: Date, standing: &Standing, value: i64) -> [Picture; 2] {
    let (low, high) = (i128::from(value.min(0)), i128::from(value.max(0)));
    let areas = standing.area_shares(tree, value);
    let (mut lower, mut upper) = (Picture::new(), Picture::new());
    for (area, share) in &areas {
        let located = share.territorial != 0;
        let part = |bound: i128, here: bool| if here { bound } else { 0 };
        for (picture, same, other) in [(&mut lower, low, high), (&mut upper, high, low)] {
            let parts = picture.entry(*area).or_default();
            let below = parts[4];
            *parts =
                [share.territorial.into(), part(same, located), part(same, !located), same, below + same];
            if let Some(parent) = tree.parent_on(*area, day) {
                picture.entry(parent).or_default()[4] -= other;
            }
        }
    }
    [lower, upper]
}
