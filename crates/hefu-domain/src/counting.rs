//! Dual counting (measure 5: 同时计入“迁出地”和“迁入地”): who holds how much of one observation, and what each area shows.
//!
//! Rules R1 to R7 of the semantics, for one observation at a time and without any sum over observations: those live
//! in the counting projection. Integers only.

use crate::{
    amount::{FULL_BP, largest_remainder, weighted},
    indicator::Class,
    period::Period,
    region::{RegionId, RegionTree},
    state::{ClaimStatus, IndicatorId, Project, Transfer},
    terms::{MultiHop, Trigger},
    time::Date,
};

/// One county's weight in an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// The county.
    pub region: RegionId,
    /// Basis points. A county with several claims has the largest, never the sum.
    pub bp: u32,
    /// The transfer whose terms give it; `None` for a location that no live claim weighs.
    pub transfer: Option<u32>,
}

/// Who takes part in one observation: the location first, then holders of live claims by code, then regions to which
/// only a ruling gave a share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The day whose regions and superiors count: the period's last.
    day: Date,
    weights: Vec<Weight>,
    /// What rulings gave or took, in the order of `weights`; minor units.
    ruled: Vec<i64>,
}

/// What one area shows of one observation, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct AreaShare {
    /// 在地口径: the value if the project is located inside the area.
    pub territorial: i64,
    /// 共享口径, from observations located inside.
    pub as_destination: i64,
    /// 共享口径, from observations located outside.
    pub as_origin: i64,
}

/// Transfers between counties that landed by `day` (by now, if `None`), oldest first.
fn hops(project: &Project, day: Option<Date>) -> impl DoubleEndedIterator<Item = (u32, &Transfer)> {
    let numbered = project.transfers.iter().enumerate();
    numbered.filter_map(move |(number, transfer)| {
        let landed = project.landed(transfer)?;
        let counts = transfer.origin != transfer.destination && day.is_none_or(|day| landed <= day);
        counts.then_some((u32::try_from(number).unwrap_or(u32::MAX), transfer))
    })
}

/// Hops whose claims no later hop has ended (semantics R3), latest first.
pub(crate) fn surviving_hops(project: &Project, day: Option<Date>) -> impl Iterator<Item = (u32, &Transfer)> {
    let mut ended = false;
    let mut first = true;
    hops(project, day).rev().filter(move |(_, transfer)| {
        let last_hop = transfer.terms.multi_hop == MultiHop::LastHop;
        let survives = first || !(ended || last_hop);
        first = false;
        ended |= last_hop;
        survives
    })
}

/// Transfers whose claims no later hop has ended, latest first.
pub(crate) fn surviving(project: &Project, day: Option<Date>) -> impl Iterator<Item = &Transfer> {
    surviving_hops(project, day).map(|(_, transfer)| transfer)
}

/// The end of a claim's longest window; `None` while a trigger is not reached.
pub(crate) fn latest_end(project: &Project, transfer: &Transfer) -> Option<Date> {
    let classes = [Class::Investment, Class::ValueAdded, Class::Research, Class::Attraction];
    let ends = classes.map(|class| {
        let credit = transfer.terms.credits.of(class);
        project.trigger_date(transfer, credit.trigger).map(|start| start.add_months(credit.months))
    });
    ends.into_iter().try_fold(None, |latest, end| Some(latest.max(Some(end?)))).flatten()
}

/// Whether a claim counts on `day`: confirmed, and trigger ≤ day < trigger + window (semantics R2).
fn is_live(project: &Project, transfer: &Transfer, class: Class, day: Date) -> bool {
    let credit = transfer.terms.credits.of(class);
    let Some(start) = project.trigger_date(transfer, credit.trigger) else { return false };
    transfer.claim == ClaimStatus::Confirmed && start <= day && day < start.add_months(credit.months)
}

/// The days on which a project's standing in any class can change: landings, starts and ends of windows, changes of
/// regions.
pub fn breakpoints(tree: &RegionTree, project: &Project) -> Vec<Date> {
    let mut days: Vec<Date> = project.stays.iter().map(|stay| stay.from).collect();
    days.extend(tree.days());
    for (_, transfer) in hops(project, None) {
        for class in [Class::Investment, Class::ValueAdded, Class::Research, Class::Attraction] {
            let credit = transfer.terms.credits.of(class);
            if let Some(start) = project.trigger_date(transfer, credit.trigger) {
                days.extend([start, start.add_months(credit.months)]);
            }
        }
    }
    days.sort_unstable();
    days.dedup();
    days
}

impl Standing {
    /// Who takes part in an observation of `class` whose period ends on `day`.
    pub fn on(tree: &RegionTree, project: &Project, class: Class, day: Date) -> Standing {
        let location = project.located(day);
        let mut weights = vec![Weight { region: location, bp: FULL_BP, transfer: None }];
        // Between regions that have become one, a move is one inside a county: it makes no claim and changes no weight.
        let between = |transfer: &Transfer| {
            project.heir(transfer.origin, day) != project.heir(transfer.destination, day)
        };
        let mut latest = hops(project, Some(day)).rev().filter(|(_, transfer)| between(transfer));
        let latest = latest.next().map(|(number, _)| number);
        let mut claims: Vec<Weight> = Vec::new();
        for (number, transfer) in surviving_hops(project, Some(day)).filter(|(_, hop)| between(hop)) {
            if !is_live(project, transfer, class, day) {
                continue;
            }
            let credit = transfer.terms.credits.of(class);
            if latest == Some(number) {
                weights[0] = Weight { region: location, bp: credit.destination_bp, transfer: latest };
            }
            let region = project.heir(transfer.origin, day);
            claims.push(Weight { region, bp: credit.origin_bp, transfer: Some(number) });
        }
        for claim in claims {
            match weights.iter_mut().find(|weight| weight.region == claim.region) {
                Some(weight) if weight.bp < claim.bp => *weight = claim,
                Some(_) => {}
                None => weights.push(claim),
            }
        }
        // Ties go by the code a region entered with, so that recoding changes no number.
        weights[1..].sort_by_key(|weight| tree.get(weight.region).designations[0].code);
        let ruled = vec![0; weights.len()];
        Standing { day, weights, ruled }
    }

    /// Who takes part in one observation, with what rulings gave or took there (semantics section 6).
    pub fn of(
        tree: &RegionTree,
        project: &Project,
        (indicator, class): (IndicatorId, Class),
        period: Period,
    ) -> Standing {
        let mut standing = Standing::on(tree, project, class, period.end());
        for (region, amount) in project.ruled_credits.get(&(indicator, period)).into_iter().flatten() {
            let region = project.heir(*region, period.end());
            let known = standing.weights.iter().position(|weight| weight.region == region);
            let place = known.unwrap_or_else(|| {
                standing.weights.push(Weight { region, bp: 0, transfer: None });
                standing.ruled.push(0);
                standing.weights.len() - 1
            });
            standing.ruled[place] = standing.ruled[place].saturating_add(*amount);
        }
        standing
    }

    /// Whether only the location counts it, in full, so that every area above it shows the whole value and nobody else
    /// shows anything.
    pub fn is_plain(&self) -> bool {
        self.weights.len() == 1 && self.weights[0].bp == FULL_BP && self.ruled == [0]
    }

    /// What a region shows of `value`; 0 if it takes no part.
    pub fn share_of(&self, region: RegionId, value: i64) -> i64 {
        let place = self.weights.iter().position(|weight| weight.region == region);
        place.map_or(0, |place| self.shares(value)[place])
    }

    /// The county where the project is located.
    pub fn location(&self) -> RegionId {
        self.weights[0].region
    }

    /// All participants, zero weights included.
    pub fn weights(&self) -> &[Weight] {
        &self.weights
    }

    /// What each participant shows of `value`, in the order of [`Standing::weights`] (semantics R4). A ruling moves a
    /// share, never beyond the value or below nothing.
    pub fn shares(&self, value: i64) -> Vec<i64> {
        let total: u32 = self.weights.iter().map(|weight| weight.bp).sum();
        let mut shares = if total == FULL_BP {
            let weights: Vec<u64> = self.weights.iter().map(|weight| u64::from(weight.bp)).collect();
            largest_remainder(value, &weights, u64::from(FULL_BP))
        } else {
            self.weights.iter().map(|weight| weighted(value, weight.bp)).collect()
        };
        for (share, ruled) in shares.iter_mut().zip(&self.ruled).filter(|(_, ruled)| **ruled != 0) {
            *share = share.saturating_add(*ruled).clamp(value.min(0), value.max(0));
        }
        shares
    }

    /// What every area that shows anything of `value` shows (semantics R1, R4, R5).
    pub fn area_shares(&self, tree: &RegionTree, value: i64) -> Vec<(RegionId, AreaShare)> {
        let shares = self.shares(value);
        self.over_areas(tree, value, &shares, |sum| sum.clamp(-value.abs(), value.abs()))
    }

    /// The same for a derived count: each area counts the project once if it holds a positive weight (semantics R7).
    pub fn area_counts(&self, tree: &RegionTree) -> Vec<(RegionId, AreaShare)> {
        let holds: Vec<i64> = self.weights.iter().map(|weight| i64::from(weight.bp > 0)).collect();
        self.over_areas(tree, 1, &holds, |sum| sum.min(1))
    }

    fn over_areas(
        &self,
        tree: &RegionTree,
        value: i64,
        shares: &[i64],
        cap: impl Fn(i64) -> i64,
    ) -> Vec<(RegionId, AreaShare)> {
        let location = self.location();
        let mut areas: Vec<(RegionId, AreaShare)> = Vec::with_capacity(4 * self.weights.len());
        for weight in &self.weights {
            for area in tree.upward_on(weight.region, self.day) {
                if areas.iter().any(|(seen, _)| *seen == area) {
                    break;
                }
                let located = tree.is_within_on(location, area, self.day);
                let inside = |weight: &Weight| tree.is_within_on(weight.region, area, self.day);
                let county = area == weight.region;
                let shared = if !county && self.weights.iter().all(inside) {
                    value
                } else {
                    let held = self.weights.iter().zip(shares).filter(|(weight, _)| inside(weight));
                    cap(held.map(|(_, share)| *share).fold(0, i64::saturating_add))
                };
                let share = if located {
                    AreaShare { territorial: value, as_destination: shared, as_origin: 0 }
                } else {
                    AreaShare { territorial: 0, as_destination: 0, as_origin: shared }
                };
                areas.push((area, share));
            }
        }
        areas
    }
}

/// Whether a trigger has been reached for a transfer, for explanations.
pub fn window(project: &Project, transfer: &Transfer, class: Class) -> Option<(Date, Date)> {
    let credit = transfer.terms.credits.of(class);
    let trigger: Trigger = credit.trigger;
    project.trigger_date(transfer, trigger).map(|start| (start, start.add_months(credit.months)))
}
