//! One project.

use hefu_domain::state::{Project, State, Stay, Transfer};
use hefu_projections::find;

use super::{Known, Question};
use crate::{access::Reach, operation::Operation, problem::Problem, v1, words};

impl Question for v1::ProjectRequest {
    const OPERATION: Operation = Operation::Project;
    type Answer = v1::ProjectResponse;

    fn moment(&self) -> Option<&v1::Moment> {
        self.moment.as_ref()
    }

    fn answer(&self, known: &Known<'_>, reach: Reach) -> Result<Self::Answer, Problem> {
        let state = known.state();
        let (id, project) = find::project(state, &self.project)?;
        reach.project(state, project, &self.project)?;
        let planned = project.planned.last().map(|(_, amount)| *amount).unwrap_or_default();
        Ok(v1::ProjectResponse {
            position: known.position,
            checkpoint: known.checkpoint(),
            project: id.to_string(),
            name: project.name.clone(),
            codes: project.codes.iter().map(|alias| alias.code.clone()).collect(),
            enterprise: project.enterprise.to_string(),
            industry: project.industry.clone(),
            registered: project.registered.to_string(),
            planned_investment: planned.to_string(),
            suspended: project.suspended,
            closed: project.closed.map(|date| date.to_string()),
            region: state.code(project.holder()).to_string(),
            stays: project.stays.iter().map(|one| stay(state, one)).collect(),
            transfers: project.transfers.iter().map(|one| transfer(state, project, one)).collect(),
            open_tier: project.round.open().name().to_owned(),
            observations: known.views.counting.observations(id).len() as u64,
        })
    }
}

fn stay(state: &State, stay: &Stay) -> v1::Stay {
    v1::Stay {
        region: state.code(stay.region).to_string(),
        site: stay.site.clone().unwrap_or_default(),
        from: stay.from.to_string(),
        construction: stay.construction.map(|date| date.to_string()),
        production: stay.production.map(|date| date.to_string()),
    }
}

fn transfer(state: &State, project: &Project, transfer: &Transfer) -> v1::Transfer {
    v1::Transfer {
        origin: state.code(transfer.origin).to_string(),
        destination: state.code(transfer.destination).to_string(),
        site: transfer.site.clone().unwrap_or_default(),
        tier: transfer.tier.name().to_owned(),
        outcome: words::outcome(transfer.outcome).to_owned(),
        claim: words::claim(transfer.claim).to_owned(),
        landed: project.landed(transfer).map(|date| date.to_string()),
        awaiting: transfer.awaiting.iter().map(|id| state.code(*id).to_string()).collect(),
        expires: transfer.expires.map(|date| date.to_string()),
        terms_json: serde_json::to_string(&transfer.terms).unwrap_or_default(),
        proposed_at: transfer.proposed_at,
        accepted_at: transfer.accepted_at,
        command: transfer.command.to_string(),
        command_sha256: transfer.command_sha256.to_string(),
    }
}
