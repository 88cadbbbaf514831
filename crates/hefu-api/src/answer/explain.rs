//! What is behind a figure.

use hefu_domain::{amount::format_minor, counting::Weight, state::State};
use hefu_projections::{
    explain::{Line, explain},
    find,
    marks::Marks,
    report::Report,
};

use super::{Known, Question, indicators, named_region, period, vintages};
use crate::{access::Reach, operation::Operation, problem::Problem, v1};

impl Question for v1::ExplainRequest {
    const OPERATION: Operation = Operation::Explain;
    type Answer = v1::ExplainResponse;

    fn moment(&self) -> Option<&v1::Moment> {
        self.moment.as_ref()
    }

    fn answer(&self, known: &Known<'_>, reach: Reach) -> Result<Self::Answer, Problem> {
        let restated = known.restated(&self.geography)?;
        let views = restated.as_ref().unwrap_or(known.views);
        let state = &views.state;
        let region = named_region(state, &self.region)?;
        // A superior's total is for its own; what is behind it is others'.
        reach.inside(state, region)?;
        let indicator = find::indicator(state, &self.indicator)?;
        let period = period(&self.period)?;
        let indicators = vintages::frozen(known, vec![indicator], period)?;
        let report = Report::new(views, vec![region], indicators, period);
        let figure = report.figure(region, indicator);
        let scale = figure.row.scale;
        let lines = explain(views, region, indicator, period);
        Ok(v1::ExplainResponse {
            position: known.position,
            checkpoint: known.checkpoint(),
            figure: Some(indicators::row(state, &figure, false)),
            lines: lines.iter().map(|one| line(state, one, scale)).collect(),
        })
    }
}

fn line(state: &State, line: &Line, scale: u8) -> v1::Line {
    let amount = |minor: i64| format_minor(i128::from(minor), scale);
    let code = |id| state.code(id).to_string();
    let participant = |(weight, share): (&Weight, &i64)| v1::Participant {
        region: code(weight.region),
        weight_bp: weight.bp,
        share: amount(*share),
        transfer: weight.transfer,
    };
    let marks = Marks::of(state, line);
    let credit =
        |(region, minor): &(_, i64)| v1::RuledCredit { region: code(*region), amount: amount(*minor) };
    let area = line.area;
    v1::Line {
        project: line.project.to_string(),
        period: line.period.to_string(),
        value: amount(line.value),
        location: line.weights.first().map(|weight| code(weight.region)).unwrap_or_default(),
        participants: line.weights.iter().zip(&line.shares).map(participant).collect(),
        area: Some(v1::Figures {
            territorial: Some(amount(area.territorial)),
            shared: Some(amount(area.as_destination + area.as_origin)),
            as_origin: Some(amount(area.as_origin)),
            as_destination: Some(amount(area.as_destination)),
            elimination: line.elimination.map(amount),
        }),
        observation: line.position,
        transfers: line.transfers.clone(),
        ruled_by: marks.ruled_by.map(|id| id.to_string()),
        ruled_credits: marks.credits.iter().map(credit).collect(),
        pending_claims: marks.pending.clone(),
        disputes: marks.disputes.iter().map(ToString::to_string).collect(),
    }
}
