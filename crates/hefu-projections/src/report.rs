//! What do areas show of indicators in a period, how far can each figure be relied on, and what may it become?
//!
//! The report that the command line prints, files hold and services answer with: whoever asks gets these figures.

use hefu_domain::{
    period::Period,
    region::RegionId,
    state::{IndicatorId, State},
};

use crate::{
    Views,
    contested::{Contested, Outcomes},
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
        Report { views, areas, indicators, period, contested }
    }

    /// One row.
    pub fn row(&self, area: RegionId, indicator: IndicatorId) -> Row {
        self.views.counting.row(&self.views.state, area, indicator, self.period)
    }

    /// What a row may become while something behind it is contested.
    pub fn outcomes(&self, row: &Row) -> Option<Outcomes> {
        self.contested.outcomes(self.views, row)
    }

    /// How far a row can be relied on.
    pub fn status(&self, row: &Row) -> Status {
        Status::of(self.views, row, self.outcomes(row).as_ref())
    }

    /// One figure.
    pub fn figure(&self, area: RegionId, indicator: IndicatorId) -> Figure {
        let row = self.row(area, indicator);
        let outcomes = self.outcomes(&row);
        let status = Status::of(self.views, &row, outcomes.as_ref());
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
