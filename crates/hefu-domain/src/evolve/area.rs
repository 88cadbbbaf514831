//! Regions that are merged, and parts of regions that go to others: who stands in whose place from then on.
//!
//! What was recorded keeps the region it was recorded under. What is still to be done (proposals, balances, lines that are not
//! settled) goes to the successor at once; so does the right to act for what is past.

use std::collections::BTreeMap;

use super::Inconsistent;
use crate::{
    event::{RegionMerged, RegionSplit},
    id::ProjectId,
    region::RegionId,
    settlement::{Account, Settlement, add},
    state::{Meta, Outcome, State, Succession},
    time::Date,
};

impl State {
    /// A county ends in another, which takes its place everywhere.
    pub(super) fn merge_region(&mut self, meta: &Meta, e: &RegionMerged) -> Result<(), Inconsistent> {
        let (from, to) = (self.region_id(e.region)?, self.region_id(e.into)?);
        for id in self.concerned(from) {
            self.succeed(id, Succession { at: meta.position, date: e.date, from, to })?;
        }
        for balances in [&mut self.settlement.balances, &mut self.settlement.paid] {
            for ((house, region), amount) in std::mem::take(balances) {
                let region = if region == from { to } else { region };
                add(balances, (house, region), amount);
            }
        }
        // What was paid since the last run is in the next statement, the successor's.
        let last = self.settlement.runs.last().map_or(0, |run| run.position);
        let since = self.settlement.payments.iter_mut().filter(|payment| payment.position >= last);
        since.filter(|payment| payment.region == from).for_each(|payment| payment.region = to);
        for enterprise in self.enterprises.values_mut().filter(|known| known.region == from) {
            enterprise.region = to;
        }
        // Its keys end with events of their own; nobody else gets one there.
        let keys = self.keyring.keys.iter().filter(|(_, key)| key.region == from);
        let keys: Vec<_> = keys.map(|(id, _)| *id).collect();
        for key in &keys {
            self.keyring.recoveries.remove(key);
        }
        self.regions.end_in(from, to, e.date, meta.position);
        self.vintages.geographies.push(meta.position);
        Ok(())
    }

    /// A part of a county goes to another, with the projects that the event lists.
    pub(super) fn split_region(&mut self, meta: &Meta, e: &RegionSplit) -> Result<(), Inconsistent> {
        let (from, to) = (self.region_id(e.region)?, self.region_id(e.into)?);
        for id in &e.projects {
            self.succeed(*id, Succession { at: meta.position, date: e.date, from, to })?;
        }
        self.regions.part_on(e.date);
        self.vintages.geographies.push(meta.position);
        Ok(())
    }

    /// This state as if today's regions had always been; `None` if they have.
    pub fn restated(&self) -> Option<State> {
        if self.regions.is_undated() {
            return None;
        }
        let mut state = State { regions: self.regions.restated(), ..self.clone() };
        for project in state.projects.values_mut() {
            for known in &mut project.successions {
                known.date = Date::MIN;
            }
        }
        Some(state)
    }

    /// The projects in which a region has a part.
    pub fn concerned(&self, region: RegionId) -> Vec<ProjectId> {
        let designations = &self.regions.get(region).designations;
        let named = |code| designations.iter().any(|known| known.code == code);
        let concerned = self.projects.iter().filter(|(_, project)| {
            let others = project.transfers.iter().filter_map(|transfer| transfer.terms.tax.as_ref());
            let others = others.flat_map(|tax| &tax.others).any(|other| named(other.region));
            others || project.regions().any(|known| known == region)
        });
        concerned.map(|(id, _)| *id).collect()
    }

    fn succeed(&mut self, id: ProjectId, succession: Succession) -> Result<(), Inconsistent> {
        let Succession { from, to, .. } = succession;
        let project = self.project_mut(id)?;
        project.successions.push(succession);
        let waiting = project.transfers.iter_mut();
        let waiting = waiting.filter(|one| matches!(one.outcome, Outcome::Open | Outcome::Accepted));
        for transfer in waiting {
            for region in [&mut transfer.origin, &mut transfer.destination] {
                *region = if *region == from { to } else { *region };
            }
            if transfer.awaiting.remove(&from) {
                transfer.awaiting.insert(to);
            }
        }
        self.settlement.hand_over(id, (from, to));
        Ok(())
    }
}

impl Settlement {
    /// What a region has booked in a project is another's from now on: the next run compares with that.
    fn hand_over(&mut self, project: ProjectId, (from, to): (RegionId, RegionId)) {
        let heir = |region| if region == from { to } else { region };
        let moved = |account: Account| Account {
            debtor: heir(account.debtor),
            creditor: heir(account.creditor),
            ..account
        };
        if let Some(booked) = self.booked.get_mut(&project) {
            let mut sums: BTreeMap<Account, i64> = BTreeMap::new();
            for (account, amount) in std::mem::take(booked) {
                let account = moved(account);
                // What a region owed itself is nobody's debt.
                if account.debtor != account.creditor {
                    let sum = sums.entry(account).or_insert(0);
                    *sum = sum.saturating_add(amount);
                }
            }
            *booked = sums;
        }
        let waiting =
            self.lines.values_mut().filter(|line| line.project == project && line.settled.is_none());
        for line in waiting {
            line.account = moved(line.account);
        }
    }
}
