//! Projects and where they are.

use hefu_domain::tier::Tier;

use super::{Known, Question, named_region, page::page};
use crate::{access::Reach, operation::Operation, problem::Problem, v1, words};

impl Question for v1::ProjectsRequest {
    const OPERATION: Operation = Operation::Projects;
    type Answer = v1::ProjectsResponse;

    fn moment(&self) -> Option<&v1::Moment> {
        self.moment.as_ref()
    }

    fn page_token(&self) -> &str {
        &self.page_token
    }

    fn answer(&self, known: &Known<'_>, reach: Reach) -> Result<Self::Answer, Problem> {
        let state = known.state();
        let within = if self.region.is_empty() { None } else { Some(named_region(state, &self.region)?) };
        // Whether the caller's own region is there is asked once, not for every project.
        reach.area(state)?;
        let rows = state.projects.iter().filter_map(|(id, project)| {
            let here = project.holder();
            let open = project.round.open();
            let pending = project.transfers.last().filter(|transfer| project.landed(transfer).is_none());
            let wanted = within.is_none_or(|region| state.regions.is_within(here, region));
            // Nearer than 周边 there is no other county to offer it to.
            let offered = open >= Tier::Neighbouring && project.closed.is_none();
            if !wanted || (self.tier_open && !offered) || !reach.party(state, project).unwrap_or(false) {
                return None;
            }
            Some(v1::ProjectRow {
                project: id.to_string(),
                name: project.name.clone(),
                codes: project.codes.iter().map(|alias| alias.code.clone()).collect(),
                enterprise: project.enterprise.to_string(),
                industry: project.industry.clone(),
                region: state.code(here).to_string(),
                open_tier: open.name().to_owned(),
                transfer: pending.map(|transfer| words::outcome(transfer.outcome).to_owned()),
                closed: project.closed.map(|date| date.to_string()),
            })
        });
        let (rows, next_page_token) = page(rows, known.position, (self.page_size, &self.page_token))?;
        Ok(v1::ProjectsResponse {
            position: known.position,
            checkpoint: known.checkpoint(),
            rows,
            next_page_token,
        })
    }
}
