//! Which counties could take a project.

use hefu_domain::suggest::{Candidate, Reason, suggest};
use hefu_projections::find;

use super::{Known, Question};
use crate::{
    access::Reach,
    operation::Operation,
    problem::{Kind, Problem},
    v1, words,
};

impl Question for v1::SuggestRequest {
    const OPERATION: Operation = Operation::Suggest;
    type Answer = v1::SuggestResponse;

    fn moment(&self) -> Option<&v1::Moment> {
        self.moment.as_ref()
    }

    fn answer(&self, known: &Known<'_>, reach: Reach) -> Result<Self::Answer, Problem> {
        let state = known.state();
        let (id, project) = find::project(state, &self.project)?;
        reach.project(state, project, &self.project)?;
        if let Some(date) = project.closed {
            let (zh, en) = (format!("项目已于 {date} 关闭"), format!("the project was closed on {date}"));
            return Err(Problem::new(Kind::Rule, "project_closed", zh, en));
        }
        let (tier, candidates) =
            suggest(state, id, known.today).unwrap_or((project.round.open(), Vec::new()));
        let reason = |(why, points): &(Reason, u32)| {
            let (reason, name) = words::reason(why);
            v1::Reason { reason: reason.to_owned(), name: name.to_owned(), points: *points }
        };
        let row = |(rank, candidate): (u32, &Candidate)| v1::Candidate {
            rank,
            region: state.code(candidate.region).to_string(),
            points: candidate.points,
            reasons: candidate.reasons.iter().map(reason).collect(),
        };
        Ok(v1::SuggestResponse {
            position: known.position,
            checkpoint: known.checkpoint(),
            project: id.to_string(),
            open_tier: tier.name().to_owned(),
            rows: (1u32..).zip(&candidates).map(row).collect(),
        })
    }
}
