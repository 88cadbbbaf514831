//! What areas show of indicators.

use hefu_domain::{
    period::Period,
    region::RegionId,
    state::{IndicatorId, State},
};
use hefu_projections::{
    Then,
    contested::Outcomes,
    counting::Row,
    find,
    report::{Figure, Report},
};

use super::{Known, Question, named_region, page::page, period, vintages};
use crate::{access::Reach, operation::Operation, problem::Problem, v1};

/// What stands on every answer that shows the shared basis (semantics section 8).
const NOTICE: &str = "仅用于考核，不得对外公开 (for assessment only; not for publication)";

impl Question for v1::IndicatorsRequest {
    const OPERATION: Operation = Operation::Indicators;
    type Answer = v1::IndicatorsResponse;

    fn moment(&self) -> Option<&v1::Moment> {
        self.moment.as_ref()
    }

    fn page_token(&self) -> &str {
        &self.page_token
    }

    fn answer(&self, known: &Known<'_>, reach: Reach) -> Result<Self::Answer, Problem> {
        let restated = known.restated(&self.geography)?;
        let views = restated.as_ref().unwrap_or(known.views);
        let (areas, indicators, period) = asked(self, known, &views.state, reach)?;
        figures(self, known, &Report::new(views, areas, indicators, period))
    }

    fn answer_then(
        &self,
        known: &Known<'_>,
        then: Then,
        reach: Reach,
    ) -> Result<Option<Self::Answer>, Problem> {
        if !matches!(self.geography.as_str(), "" | "filed") {
            return Ok(None);
        }
        // What cannot be found now may have been there then: the fold tells.
        let Ok((areas, indicators, period)) = asked(self, known, known.state(), reach) else {
            return Ok(None);
        };
        let report = Report::then(known.views, then, areas, indicators, period);
        report.map(|report| figures(self, known, &report)).transpose()
    }
}

/// The areas, indicators and period of a question.
fn asked(
    question: &v1::IndicatorsRequest,
    known: &Known<'_>,
    state: &State,
    reach: Reach,
) -> Result<(Vec<RegionId>, Vec<IndicatorId>, Period), Problem> {
    let region = named_region(state, &question.region)?;
    reach.totals(state, region, question.children)?;
    let indicators = question.indicators.iter().map(|name| find::indicator(state, name));
    let indicators = indicators.collect::<Result<Vec<_>, _>>()?;
    let period = period(&question.period)?;
    let indicators = vintages::frozen(known, indicators, period)?;
    let mut areas = vec![region];
    if question.children {
        areas = state.regions.subtree_in(region, period);
        // What has left the caller's own region since is another's.
        areas.retain(|area| reach.inside(state, *area).is_ok());
    }
    Ok((areas, indicators, period))
}

/// A page of figures.
fn figures(
    question: &v1::IndicatorsRequest,
    known: &Known<'_>,
    report: &Report<'_>,
) -> Result<v1::IndicatorsResponse, Problem> {
    let rows = report.figures().map(|figure| row(known.state(), &figure, question.territorial_only));
    let paged = (question.page_size, question.page_token.as_str());
    let (rows, next_page_token) = page(rows, known.position, paged)?;
    Ok(v1::IndicatorsResponse {
        position: known.position,
        checkpoint: known.checkpoint(),
        rows,
        next_page_token,
        notice: if question.territorial_only { String::new() } else { NOTICE.to_owned() },
    })
}

/// One figure.
pub(super) fn row(state: &State, figure: &Figure, territorial_only: bool) -> v1::IndicatorRow {
    let Figure { row, status, outcomes } = figure;
    let shown = |row: &Row| bases(row, territorial_only);
    let may_become = |outcomes: &Outcomes| v1::Outcomes {
        if_refused: Some(shown(&outcomes.if_refused)),
        if_confirmed: Some(shown(&outcomes.if_confirmed)),
        lower: Some(shown(&outcomes.lower)),
        upper: Some(shown(&outcomes.upper)),
    };
    v1::IndicatorRow {
        region: state.code(row.region).to_string(),
        indicator: state.indicators[usize::from(row.indicator.0)].code.to_string(),
        period: row.period.to_string(),
        figures: Some(shown(row)),
        status: status.letter().to_owned(),
        outcomes: outcomes.as_ref().map(may_become),
    }
}

fn bases(row: &Row, territorial_only: bool) -> v1::Figures {
    let shared = |amount| if territorial_only { None } else { row.text(amount) };
    v1::Figures {
        territorial: row.text(row.territorial),
        shared: shared(row.shared),
        as_origin: shared(row.as_origin),
        as_destination: shared(row.as_destination),
        elimination: shared(row.elimination),
    }
}
