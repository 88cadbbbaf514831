//! Who sent projects where, in which tier, and what came of it?

use std::collections::BTreeMap;

use hefu_domain::{
    region::RegionId,
    state::{Outcome, State},
    tier::Tier,
};

/// Transfers from one county to another in one tier, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// All proposals.
    pub proposed: u64,
    /// Waiting for an answer.
    pub open: u64,
    /// Accepted, not landed yet.
    pub accepted: u64,
    /// Landed.
    pub landed: u64,
    /// Declined, withdrawn or expired.
    pub ended: u64,
}

/// The flows in which a county of `region` is origin or destination, by origin, destination and tier.
pub fn circulation(state: &State, region: RegionId) -> BTreeMap<(RegionId, RegionId, Tier), Flow> {
    let within = |id| state.regions.is_within(id, region);
    let mut flows: BTreeMap<_, Flow> = BTreeMap::new();
    for transfer in state.projects.values().flat_map(|project| &project.transfers) {
        if !within(transfer.origin) && !within(transfer.destination) {
            continue;
        }
        let flow = flows.entry((transfer.origin, transfer.destination, transfer.tier)).or_default();
        flow.proposed += 1;
        match transfer.outcome {
            Outcome::Open => flow.open += 1,
            Outcome::Accepted => flow.accepted += 1,
            Outcome::Landed { .. } => flow.landed += 1,
            Outcome::Declined | Outcome::Withdrawn | Outcome::Expired => flow.ended += 1,
        }
    }
    flows
}
