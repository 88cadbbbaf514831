//! Why does a figure differ from what it was? The difference of one figure between two positions, by reason.
//!
//! [`Seen`] is a figure with everything behind it, taken from the views of one position; [`differences`] compares it
//! with a later one, observation by observation. The parts add up to the difference of the two figures exactly, on every
//! basis. A ratio does not add up: its reasons are those of numerator and denominator, without amounts.

use std::collections::{BTreeMap, BTreeSet};

use hefu_domain::{
    amount::Money,
    counting::{AreaShare, Standing},
    id::ProjectId,
    indicator::Kind,
    period::Period,
    region::RegionId,
    state::{ClaimStatus, IndicatorId, Project, Stay},
    time::Date,
};

use crate::{
    Views,
    counting::Row,
    explain::{Line, explain},
};

/// Why a figure moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A value (or, for a count, a project) that was not on record.
    LateReport,
    /// A value was replaced; for a count, a project was amended or ended.
    Correction,
    /// A ruling or an agreement fixed a value or gave a share.
    Ruling,
    /// A claim was confirmed or rejected.
    ClaimDecided,
    /// A landing or a start was recorded that decides who counts.
    Move,
    /// A project was split, or merged with others.
    Restructure,
    /// The areas are others.
    RegionChange,
    /// The policy counts otherwise.
    PolicyChange,
}

impl Reason {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::LateReport => "late_report",
            Reason::Correction => "correction",
            Reason::Ruling => "ruling",
            Reason::ClaimDecided => "claim_decided",
            Reason::Move => "move",
            Reason::Restructure => "restructure",
            Reason::RegionChange => "region_change",
            Reason::PolicyChange => "policy_change",
        }
    }

    /// Its Chinese name.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Reason::LateReport => "迟报",
            Reason::Correction => "更正",
            Reason::Ruling => "裁定",
            Reason::ClaimDecided => "权益认定",
            Reason::Move => "流转补记",
            Reason::Restructure => "拆分合并",
            Reason::RegionChange => "区划变更",
            Reason::PolicyChange => "政策变更",
        }
    }
}

/// Amounts on every basis, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bases {
    /// 在地口径.
    pub territorial: i128,
    /// 共享口径.
    pub shared: i128,
    /// Part of it from outside.
    pub as_origin: i128,
    /// Part of it from inside.
    pub as_destination: i128,
    /// Its elimination; 0 at a county.
    pub elimination: i128,
}

impl Bases {
    /// The sum, or with `sign` −1 the difference.
    #[must_use]
    pub fn plus(self, other: Bases, sign: i128) -> Bases {
        Bases {
            territorial: self.territorial + sign * other.territorial,
            shared: self.shared + sign * other.shared,
            as_origin: self.as_origin + sign * other.as_origin,
            as_destination: self.as_destination + sign * other.as_destination,
            elimination: self.elimination + sign * other.elimination,
        }
    }

    fn of(share: AreaShare, elimination: Option<i64>) -> Bases {
        let AreaShare { territorial, as_destination, as_origin } = share;
        Bases {
            territorial: territorial.into(),
            shared: i128::from(as_destination) + i128::from(as_origin),
            as_origin: as_origin.into(),
            as_destination: as_destination.into(),
            elimination: elimination.unwrap_or(0).into(),
        }
    }
}

/// One observation (or counted project) behind a figure.
#[derive(Clone, Debug)]
struct Part {
    value: i64,
    shows: Bases,
    /// What rulings gave or took here.
    credits: Vec<(RegionId, i64)>,
}

/// What was known of a project, as far as it decides who counts.
#[derive(Clone, Debug, Default)]
struct Life {
    claims: Vec<ClaimStatus>,
    stays: Vec<Stay>,
}

type Key = (ProjectId, IndicatorId, Period);

/// A figure at one position, with what is behind it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The figure.
    pub row: Row,
    size: u64,
    large_project: Money,
    parts: BTreeMap<Key, Part>,
    /// The projects that ever were to move.
    lives: BTreeMap<ProjectId, Life>,
    /// For a count: the projects on record.
    projects: BTreeSet<ProjectId>,
}

impl Seen {
    /// What `views` show.
    pub fn of(views: &Views, region: RegionId, indicator: IndicatorId, period: Period) -> Seen {
        let state = &views.state;
        let mut parts = BTreeMap::new();
        for part in parts_of(views, indicator) {
            for line in explain(views, region, part, period) {
                let project = &state.projects[&line.project];
                let key = (line.project, line.indicator, line.period);
                let credits = project.ruled_credits.get(&(line.indicator, line.period));
                let known = Part {
                    value: line.value,
                    shows: Bases::of(line.area, line.elimination),
                    credits: credits.cloned().unwrap_or_default(),
                };
                parts.insert(key, known);
            }
        }
        let offered = state.projects.iter().filter(|(_, project)| !project.transfers.is_empty());
        let life = |project: &Project| Life {
            claims: project.transfers.iter().map(|transfer| transfer.claim).collect(),
            stays: project.stays.clone(),
        };
        let counts = state.indicators[usize::from(indicator.0)].kind == Kind::Count;
        Seen {
            row: views.counting.row(state, region, indicator, period),
            size: views.size,
            large_project: state.policy.large_project,
            parts,
            lives: offered.map(|(id, project)| (*id, life(project))).collect(),
            projects: if counts { state.projects.keys().copied().collect() } else { BTreeSet::new() },
        }
    }
}

/// The difference `views` − `before` of the figure that `before` saw, by reason; a reason may add up to nothing.
pub fn differences(views: &Views, before: &Seen) -> BTreeMap<Reason, Bases> {
    let state = &views.state;
    let Row { region, indicator, period, .. } = before.row;
    let mut found = BTreeMap::new();
    let mut note = |reason: Reason, by: Bases| {
        if by != Bases::default() {
            let sum: &mut Bases = found.entry(reason).or_default();
            *sum = sum.plus(by, 1);
        }
    };
    let mut gone: BTreeMap<&Key, &Part> = before.parts.iter().collect();
    let lines = parts_of(views, indicator).into_iter();
    for line in lines.flat_map(|part| explain(views, region, part, period)) {
        let key = (line.project, line.indicator, line.period);
        let now = Bases::of(line.area, line.elimination);
        let Some(old) = gone.remove(&key) else {
            note(appeared(views, before, &line, region), now);
            continue;
        };
        if old.value == line.value {
            note(moved(views, before, &key, old), now.plus(old.shows, -1));
            continue;
        }
        // First who counts, at the old value; then the value.
        let between = shown(views, &key, old.value, region);
        note(moved(views, before, &key, old), between.plus(old.shows, -1));
        let ruled = state.projects[&line.project].ruled_values.contains_key(&(line.indicator, line.period));
        note(if ruled { Reason::Ruling } else { Reason::Correction }, now.plus(between, -1));
    }
    for (key, old) in gone {
        note(moved(views, before, key, old), Bases::default().plus(old.shows, -1));
    }
    found
}

/// The indicators whose observations make a figure.
fn parts_of(views: &Views, indicator: IndicatorId) -> Vec<IndicatorId> {
    let entry = &views.state.indicators[usize::from(indicator.0)];
    if entry.kind != Kind::Ratio {
        return vec![indicator];
    }
    let codes = [entry.numerator, entry.denominator].into_iter().flatten();
    codes.filter_map(|code| Some(views.state.indicator(code)?.0)).collect()
}

/// What a region shows of `value` under the standing `views` give it.
fn shown(views: &Views, key: &Key, value: i64, region: RegionId) -> Bases {
    let (state, (id, indicator, period)) = (&views.state, *key);
    let class = state.indicators[usize::from(indicator.0)].class;
    let Some(project) = state.projects.get(&id) else { return Bases::default() };
    let standing = Standing::of(&state.regions, project, (indicator, class), period);
    let areas = standing.area_shares(&state.regions, value);
    let share = |area: RegionId| areas.iter().find(|(known, _)| *known == area).map(|(_, share)| *share);
    let Some(own) = share(region) else { return Bases::default() };
    let shared = |share: AreaShare| share.as_destination + share.as_origin;
    let children = state.regions.children_on(region, period.end());
    let below: i64 = children.iter().filter_map(|child| share(*child)).map(shared).sum();
    Bases::of(own, (!children.is_empty()).then(|| shared(own) - below))
}

/// Why something shows that did not.
fn appeared(views: &Views, before: &Seen, line: &Line, region: RegionId) -> Reason {
    if let Some(came) =
        views.state.projects[&line.project].came_of.as_ref().filter(|came| came.at >= before.size)
    {
        let then = |id: &ProjectId| before.parts.contains_key(&(*id, line.indicator, line.period));
        if line.position.is_none() || came.from.iter().any(then) {
            return Reason::Restructure;
        }
    }
    let Some(position) = line.position else {
        let known = before.projects.contains(&line.project);
        return if known { counted_otherwise(views, before, line.project) } else { Reason::LateReport };
    };
    if position >= before.size {
        return Reason::LateReport;
    }
    let project = &views.state.projects[&line.project];
    let credits = project.ruled_credits.get(&(line.indicator, line.period)).into_iter().flatten();
    if credits.into_iter().any(|(to, _)| *to == region) {
        return Reason::Ruling;
    }
    standing_changed(before, line.project, project).unwrap_or(Reason::RegionChange)
}

/// Why the same value shows otherwise, or no more.
fn moved(views: &Views, before: &Seen, key: &Key, old: &Part) -> Reason {
    let (id, indicator, period) = key;
    let Some(project) = views.state.projects.get(id) else { return Reason::Correction };
    if project.handed_on.is_some_and(|date| period.end() >= date)
        && project.value(*indicator, *period).is_none()
    {
        return Reason::Restructure;
    }
    let credits = project.ruled_credits.get(&(*indicator, *period));
    if credits.map_or(&[][..], Vec::as_slice) != old.credits {
        return Reason::Ruling;
    }
    counted_otherwise(views, before, *id)
}

fn counted_otherwise(views: &Views, before: &Seen, id: ProjectId) -> Reason {
    let Some(project) = views.state.projects.get(&id) else { return Reason::Correction };
    if let Some(reason) = standing_changed(before, id, project) {
        return reason;
    }
    if areas_changed(views, before, project) {
        return Reason::RegionChange;
    }
    if views.state.policy.large_project != before.large_project {
        return Reason::PolicyChange;
    }
    Reason::Correction
}

/// Whether regions took the place of parties to a project since, or came under others.
fn areas_changed(views: &Views, before: &Seen, project: &Project) -> bool {
    let tree = &views.state.regions;
    let moved = |id: RegionId| tree.get(id).superiors.iter().any(|superior| superior.at >= before.size);
    let above = project.regions().flat_map(|region| tree.upward_on(region, Date::MAX));
    project.successions.iter().any(|known| known.at >= before.size) || above.into_iter().any(moved)
}

/// What changed of a project that decides who counts.
fn standing_changed(before: &Seen, id: ProjectId, project: &Project) -> Option<Reason> {
    let unmoved = Life::default();
    let old = before.lives.get(&id).unwrap_or(&unmoved);
    // What waits for a superior may be decided after it landed; an acceptance confirms before.
    let decided = old.claims.iter().zip(0u32..).any(|(was, number)| {
        let landed = old.stays.iter().any(|stay| stay.transfer == Some(number));
        let now = project.transfers.get(number as usize).map(|transfer| transfer.claim);
        landed && now != Some(*was)
    });
    if decided {
        return Some(Reason::ClaimDecided);
    }
    let arrived = project.transfers.len() > old.claims.len() || project.stays != old.stays;
    (arrived && !project.transfers.is_empty()).then_some(Reason::Move)
}
