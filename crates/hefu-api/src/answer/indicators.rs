//! What areas show of indicators.

use hefu_domain::state::State;
use hefu_projections::{
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
        let state = &views.state;
        let region = named_region(state, &self.region)?;
        reach.totals(state, region, self.children)?;
        let indicators = self.indicators.iter().map(|name| find::indicator(state, name));
        let indicators = indicators.collect::<Result<Vec<_>, _>>()?;
        let indicators = vintages::frozen(known, indicators, period(&self.period)?)?;
        let mut areas = vec![region];
        if self.children {
            areas = state.regions.subtree_in(region, period(&self.period)?);
            // What has left the caller's own region since is another's.
            areas.retain(|area| reach.inside(state, *area).is_ok());
        }
        let report = Report::new(views, areas, indicators, period(&self.period)?);
        let what = |figure: Figure| row(state, &figure, self.territorial_only);
        let rows = report.figures().map(what);
        let (rows, next_page_token) = page(rows, known.position, (self.page_size, &self.page_token))?;
        let notice = if self.territorial_only { String::new() } else { NOTICE.to_owned() };
        Ok(v1::IndicatorsResponse {
            position: known.position,
            checkpoint: known.checkpoint(),
            rows,
            next_page_token,
            notice,
        })
    }
}

/// One figure.
pub(super) fn row(state: &State, figure: &Figure, territorial_only: bool) -> v1::IndicatorRow {
    let Figure { row, status, outcomes } = figure;
    let shown = |row: &Row| figures(row, territorial_only);
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

fn figures(row: &Row, territorial_only: bool) -> v1::Figures {
    let shared = |amount| if territorial_only { None } else { row.text(amount) };
    v1::Figures {
        territorial: row.text(row.territorial),
        shared: shared(row.shared),
        as_origin: shared(row.as_origin),
        as_destination: shared(row.as_destination),
        elimination: shared(row.elimination),
    }
}
