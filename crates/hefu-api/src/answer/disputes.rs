//! Disputes, their stage and who rules.

use super::{Known, Question, named_region};
use crate::{access::Reach, operation::Operation, problem::Problem, v1};

impl Question for v1::DisputesRequest {
    const OPERATION: Operation = Operation::Disputes;
    type Answer = v1::DisputesResponse;

    fn moment(&self) -> Option<&v1::Moment> {
        self.moment.as_ref()
    }

    fn answer(&self, known: &Known<'_>, reach: Reach) -> Result<Self::Answer, Problem> {
        let state = known.state();
        let area = if self.region.is_empty() { None } else { Some(named_region(state, &self.region)?) };
        let code = |id| state.code(id).to_string();
        let mut rows = Vec::new();
        for (id, dispute) in &state.disputes {
            let mut concerned = dispute.parties().chain([dispute.ruler]);
            let there = area.is_none_or(|area| concerned.any(|one| state.regions.is_within(one, area)));
            if !there || (self.open && !dispute.stage.is_open()) || !reach.dispute(state, dispute)? {
                continue;
            }
            rows.push(v1::Dispute {
                dispute: id.to_string(),
                opened: dispute.opened.to_string(),
                stage: dispute.stage.name().to_owned(),
                project: dispute.matter.project.to_string(),
                indicator: dispute.matter.indicator.map(|indicator| indicator.to_string()),
                period: dispute.matter.period.map(|period| period.to_string()),
                amount: dispute.amount.as_ref().map(ToString::to_string),
                by: code(dispute.by),
                against: dispute.others.iter().map(|other| code(*other)).collect(),
                ruler: code(dispute.ruler),
                due: dispute.due.map(|due| due.to_string()),
            });
        }
        Ok(v1::DisputesResponse { position: known.position, checkpoint: known.checkpoint(), rows })
    }
}
