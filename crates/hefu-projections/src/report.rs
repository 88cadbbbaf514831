//! What do areas show of indicators in a period, how far can each figure be relied on, and what may it become?
//!
//! The report that the command line prints, files hold and services answer with: whoever asks gets these figures.

use hefu_domain::{
    indicator::Count,
    period::Period,
    region::RegionId,
    state::{IndicatorId, State},
    time::Date,
};

use crate::{
    Then, Views,
    contested::{Contested, Outcomes, parts_of},
    counting::Row,
    status::Status,
};

/// The question, with what all its figures need worked out once.
pub struct Report<'v> {
    views: &'v Views,
    /// The areas, from the top down.
    pub areas: Vec<RegionId>,
    /// The indicators, in the order asked for.
    pub indicators: Vec<IndicatorId>,
    /// The period.
    pub period: Period,
    contested: Contested,
    then: Option<Then>,
}

/// One figure of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// As it stands.
    pub row: Row,
    /// How far it can be relied on.
    pub status: Status,
    /// What it may become; `None` if nothing is reported that could be shown, or nothing behind it is contested.
    pub outcomes: Option<Outcomes>,
}

impl<'v> Report<'v> {
    /// Of these areas. Without indicators: of all in the policy in force.
    pub fn new(
        views: &'v Views,
        areas: Vec<RegionId>,
        indicators: Vec<IndicatorId>,
        period: Period,
    ) -> Report<'v> {
        let indicators = if indicators.is_empty() { in_force(&views.state) } else { indicators };
        let contested = Contested::over(views, &indicators, period);
        Report { views, areas, indicators, period, contested, then: None }
    }

    /// As it was known then, told from the sums' past without folding the log again; `None` where only the fold up to there
    /// can tell: names or lists have changed since, something was contested about a project with a part in one of the
    /// areas, or implemented projects are to be counted.
    pub fn then(
        views: &'v Views,
        then: Then,
        areas: Vec<RegionId>,
        indicators: Vec<IndicatorId>,
        period: Period,
    ) -> Option<Report<'v>> {
        let state = &views.state;
        let indicators = if indicators.is_empty() { in_force(state) } else { indicators };
        let folded = |part: &IndicatorId| {
            state.indicators[usize::from(part.0)].count == Some(Count::LargeProjectsImplemented)
        };
        let parts = indicators.iter().flat_map(|indicator| parts_of(state, *indicator));
        if parts.into_iter().any(|part| folded(&part)) || !views.unsettled.settled(state, then.size, &areas) {
            return None;
        }
        let contested = Contested::default();
        Some(Report { views, areas, indicators, period, contested, then: Some(then) })
    }

    /// One row.
    pub fn row(&self, area: RegionId, indicator: IndicatorId) -> Row {
        let Views { state, counting, .. } = self.views;
        let past =
            self.then.and_then(|then| counting.row_at(state, area, (indicator, self.period), then.size));
        past.unwrap_or_else(|| counting.row(state, area, indicator, self.period))
    }

    fn day(&self) -> Date {
        self.then.map_or(self.views.ts, |then| then.ts).date()
    }

    /// What a row may become while something behind it is contested.
    pub fn outcomes(&self, row: &Row) -> Option<Outcomes> {
        self.contested.outcomes(self.views, row)
    }

    /// How far a row can be relied on.
    pub fn status(&self, row: &Row) -> Status {
        Status::on(self.day(), row, self.outcomes(row).as_ref())
    }

    /// One figure.
    pub fn figure(&self, area: RegionId, indicator: IndicatorId) -> Figure {
        let row = self.row(area, indicator);
        let outcomes = self.outcomes(&row);
        let status = Status::on(self.day(), &row, outcomes.as_ref());
        let outcomes = outcomes.filter(|_| !row.missing);
        Figure { row, status, outcomes }
    }

    /// How many figures there are.
    pub fn len(&self) -> usize {
        self.areas.len() * self.indicators.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All figures in order: each area with all indicators.
    pub fn figures(&self) -> impl Iterator<Item = Figure> {
        let cells = self.areas.iter().flat_map(|area| self.indicators.iter().map(move |one| (*area, *one)));
        cells.map(|(area, indicator)| self.figure(area, indicator))
    }
}

/// The indicators of the policy in force.
pub fn in_force(state: &State) -> Vec<IndicatorId> {
    let current = state.policy.indicators.iter();
    current.filter_map(|indicator| Some(state.indicator(indicator.code)?.0)).collect()
}
