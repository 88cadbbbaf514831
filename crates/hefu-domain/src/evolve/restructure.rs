//! Projects that come of others: what leaves the one, what the other begins with.

use std::collections::BTreeMap;

use super::Inconsistent;
use crate::{
    decide::leaving,
    event::ProjectFormed,
    id::ProjectId,
    state::{CameOf, ClaimStatus, Meta, Project, Round, State, Transfer},
    time::Date,
};

impl State {
    /// The project ends; the values that what comes of it gets are no longer its own.
    pub(super) fn hand_on(&mut self, id: ProjectId, date: Date) -> Result<(), Inconsistent> {
        let known = self.projects.get(&id).ok_or_else(|| Inconsistent(format!("project {id}")))?;
        let leaving = leaving(self, known, date);
        let project = self.project_mut(id)?;
        for (indicator, period, _) in leaving {
            let key = (indicator, period.year());
            if let Some(months) = project.reported.get_mut(&key) {
                months.retain(|known| (known.first, known.last) != period.range());
                if months.is_empty() {
                    project.reported.remove(&key);
                }
            }
        }
        (project.latest, project.closed, project.handed_on) = (date, Some(date), Some(date));
        Ok(())
    }

    /// A project begins, with the stays and transfers of what it came of; those of a merger are the same.
    pub(super) fn form(&mut self, meta: &Meta, e: &ProjectFormed) -> Result<(), Inconsistent> {
        let (mut paid, mut construction, mut production) = (Vec::new(), None, None);
        for id in &e.from {
            let source = self.projects.get(id).ok_or_else(|| Inconsistent(format!("project {id}")))?;
            paid.extend(source.tax_days());
            construction = earliest(construction, source.current().construction);
            production = earliest(production, source.current().production);
        }
        paid.sort_unstable();
        paid.dedup();
        let whole = e.from.first().and_then(|id| self.projects.get(id));
        let whole = whole.ok_or_else(|| Inconsistent("a project of nothing".to_owned()))?;
        let mut transfers = whole.transfers.clone();
        for left in &e.tax_left {
            let known = transfers.get_mut(left.transfer as usize);
            let terms = known.and_then(|transfer| transfer.terms.tax.as_mut());
            let terms =
                terms.ok_or_else(|| Inconsistent(format!("tax terms of transfer {}", left.transfer)))?;
            (terms.cap, terms.outlay) = (left.cap, left.outlay);
        }
        let mut stays = whole.stays.clone();
        if let Some(here) = stays.last_mut() {
            (here.construction, here.production) = (construction, production);
        }
        let formed = Project {
            enterprise: whole.enterprise,
            name: e.name.clone(),
            named_at: meta.position,
            industry: whole.industry.clone(),
            codes: Vec::new(),
            registered: e.date,
            closed: None,
            suspended: whole.suspended,
            latest: e.date,
            planned: vec![(e.date, e.planned_investment)],
            stays,
            transfers,
            round: Round::new(meta.ts),
            reported: BTreeMap::new(),
            ruled_values: BTreeMap::new(),
            ruled_credits: BTreeMap::new(),
            came_of: Some(CameOf { from: e.from.clone(), paid, at: meta.position }),
            handed_on: None,
            successions: whole.successions.clone(),
            taxes: BTreeMap::new(),
        };
        let waits = |one: &Transfer| one.accepted_at.is_some() && one.claim == ClaimStatus::Pending;
        let waiting = (0u32..).zip(&formed.transfers).filter(|(_, transfer)| waits(transfer));
        self.waiting_claims.extend(waiting.map(|(number, _)| (e.project, number)));
        self.projects.insert(e.project, formed);
        self.add_codes(e.project, meta.position, &e.codes)?;
        e.values
            .iter()
            .try_for_each(|known| self.note_value(e.project, known.indicator, known.period, &known.value))
    }
}

fn earliest(a: Option<Date>, b: Option<Date>) -> Option<Date> {
    a.into_iter().chain(b).min()
}
