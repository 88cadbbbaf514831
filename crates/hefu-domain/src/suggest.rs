//! Finding a destination: explainable points for each county of the open tier (semantics section 2).

use crate::{
    id::ProjectId,
    policy::Policy,
    region::{Level, RegionCode, RegionId},
    state::{Project, State},
    tier::{Tier, tier_of},
    time::Date,
};

/// Why a county gets points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It hosts a zone that prefers the project's industry.
    Zone(String),
    /// It is on a preferred list.
    List(String),
    /// It shares a border with the present county.
    Adjacent,
    /// It states land capacity.
    Land,
    /// It states energy capacity.
    Energy,
}

/// One county that could take the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The county.
    pub region: RegionId,
    /// Its tier from where the project is.
    pub tier: Tier,
    /// Sum of the points.
    pub points: u32,
    /// Points by reason.
    pub reasons: Vec<(Reason, u32)>,
}

/// The counties of the project's open tier, best first, ties by code.
pub fn suggest(state: &State, id: ProjectId, today: Date) -> Option<(Tier, Vec<Candidate>)> {
    let project = state.projects.get(&id)?;
    let open = project.round.open();
    let mut candidates: Vec<Candidate> = Vec::new();
    for region in
        state.regions.iter().filter(|region| region.level == Level::County && region.ended.is_none())
    {
        let here = project.holder();
        let same_site = open == Tier::OriginalSite && region.id == here;
        let tier = tier_of(&state.regions, &state.policy.tier_rule, here, region.id, same_site);
        if tier == open {
            let reasons = reasons(state, &state.policy, project, region.id, today);
            let points = reasons.iter().map(|(_, points)| points).sum();
            candidates.push(Candidate { region: region.id, tier, points, reasons });
        }
    }
    candidates.sort_by_key(|candidate| (std::cmp::Reverse(candidate.points), state.code(candidate.region)));
    Some((open, candidates))
}

fn reasons(
    state: &State,
    policy: &Policy,
    project: &Project,
    candidate: RegionId,
    today: Date,
) -> Vec<(Reason, u32)> {
    let rules = &policy.suggest;
    let is_candidate = |code: &RegionCode| state.regions.find(*code).is_some_and(|r| r.id == candidate);
    let mut reasons = Vec::new();
    for zone in rules.zones.iter().filter(|zone| is_candidate(&zone.host)) {
        let any = zone.industries.is_empty();
        if any || zone.industries.iter().any(|prefix| project.industry.starts_with(prefix.as_str())) {
            reasons.push((Reason::Zone(zone.name.clone()), rules.zone_points));
            break;
        }
    }
    for list in &rules.lists {
        let in_force = list.from.is_none_or(|from| from <= today) && list.to.is_none_or(|to| today <= to);
        if in_force && list.counties.iter().any(is_candidate) {
            reasons.push((Reason::List(list.name.clone()), rules.list_points));
        }
    }
    if state.regions.border(project.current().region, candidate).is_some() {
        reasons.push((Reason::Adjacent, rules.adjacent_points));
    }
    if let Some(capacity) = rules.capacities.iter().find(|capacity| is_candidate(&capacity.region)) {
        if capacity.land {
            reasons.push((Reason::Land, rules.land_points));
        }
        if capacity.energy {
            reasons.push((Reason::Energy, rules.energy_points));
        }
    }
    reasons
}
