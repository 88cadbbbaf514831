//! Which figures of the past can be told from the sums alone?
//!
//! Sums keep their past ([`crate::past`]); what may become of a contested figure, names and lists need the state of that
//! time. So it is noted when something was contested about which project, and up to which record regions or the policy
//! changed. Where neither touches a figure, it stands as the sums say, and nothing is folded again.

use std::collections::{BTreeMap, BTreeSet};

use hefu_domain::{
    event::Event,
    id::ProjectId,
    region::RegionId,
    state::{Project, State},
};
use serde::{Deserialize, Serialize};

/// A time during which something was contested about a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stretch {
    project: ProjectId,
    /// Position of the record that began it.
    from: u64,
    /// Position of the record that ended it.
    until: u64,
}

/// What was open to question, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unsettled {
    /// Since so many records regions and policy are what they are.
    lists: u64,
    /// Something is contested about these projects, since that record.
    open: BTreeMap<ProjectId, u64>,
    /// Times that are over.
    past: Vec<Stretch>,
}

impl Unsettled {
    /// The record at `position` changed regions or the policy.
    pub(crate) fn note_lists(&mut self, position: u64) {
        self.lists = position + 1;
    }

    /// The record at `position` changed what is contested; `state` is that after it.
    pub(crate) fn note_contested(&mut self, state: &State, position: u64) {
        // A claim may wait from its acceptance on; it weighs from the landing on. More than needed is noted.
        let claims = state.waiting_claims.iter().map(|(project, _)| *project);
        let contested = claims.chain(state.open_disputes.keys().map(|matter| matter.project));
        let (open, past) = (&mut self.open, &mut self.past);
        let contested: BTreeSet<ProjectId> = contested.collect();
        open.retain(|project, from| {
            let still = contested.contains(project);
            if !still {
                past.push(Stretch { project: *project, from: *from, until: position });
            }
            still
        });
        for project in contested {
            open.entry(project).or_insert(position);
        }
    }

    /// Whether figures of these areas, after the first `size` records, were what the sums say, and nothing else was to be
    /// said about them: names and lists were today's, and nothing was contested about a project with a part in one.
    pub(crate) fn settled(&self, state: &State, size: u64, areas: &[RegionId]) -> bool {
        let open = self.open.iter().filter(|(_, from)| **from < size).map(|(project, _)| project);
        let past = self.past.iter().filter(|one| one.from < size && size <= one.until);
        let mut contested = open.chain(past.map(|one| &one.project));
        let there = |project: &Project| {
            let above = |region| state.regions.upward(region).any(|above| areas.contains(&above));
            let ruled = project.ruled_credits.values().flatten().map(|(region, _)| *region);
            !state.regions.is_undated() || project.regions().chain(ruled).any(above)
        };
        self.lists <= size && !contested.any(|id| state.projects.get(id).is_none_or(there))
    }
}

/// How much is contested: nothing that is begins or ends without changing it.
pub(crate) fn extent(state: &State) -> (usize, usize) {
    (state.waiting_claims.len(), state.open_disputes.len())
}

/// Whether regions, names or the policy are others afterwards.
pub(crate) fn changes_lists(event: &Event) -> bool {
    matches!(
        event,
        Event::LedgerCreated(_)
            | Event::RegionsRegistered(_)
            | Event::RegionRenamed(_)
            | Event::RegionRecoded(_)
            | Event::RegionMerged(_)
            | Event::RegionSplit(_)
            | Event::RegionReparented(_)
            | Event::PolicyAdopted(_)
    )
}
