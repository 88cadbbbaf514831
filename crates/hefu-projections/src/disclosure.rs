//! What may be published of an indicator: which figures of a public table are suppressed, and why (semantics section 8).
//!
//! A public table is territorial: areas × the periods of one year. The cells of few or dominated enterprises are
//! sensitive ([`rules`]); suppressing them alone would be of no use, because an area is the sum of those below it, so
//! others are suppressed with them ([`pattern`]) until nothing suppressed can be worked out from what is published. That is
//! audited exactly ([`network`]); where it cannot be had, nothing of the indicator's year is published.
//!
//! An area is suppressed for the whole year or not at all. So a quarter gives nothing away about its year, and the
//! equations over time never meet those over areas: the audit of one period at a time is complete (docs/STATISTICS.md).
//!
//! Not here: who may see more than a public table, and the shared basis, which is never public.

pub mod network;
pub mod pattern;
pub mod rules;
pub mod tables;

use std::collections::BTreeMap;

use hefu_domain::{indicator::Kind, period::Period, region::RegionId, state::IndicatorId, time::Date};

use self::{
    pattern::Pattern,
    rules::Reason,
    tables::{Contributions, Tables},
};
use crate::Views;

pub use self::tables::published_periods;

/// What a public table does with one figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Published.
    Free,
    /// Suppressed because of what it is.
    Primary(Reason),
    /// Suppressed because others could be worked out from it.
    Secondary,
}

impl Mark {
    /// Its letter of SDMX's `CONF_STATUS`, for those who may know the reason. The public sees `C` for all that is
    /// suppressed: a reason says how many are in a cell.
    pub const fn letter(self) -> &'static str {
        match self {
            Mark::Free => "F",
            Mark::Primary(reason) => reason.letter(),
            Mark::Secondary => "D",
        }
    }
}

/// What may be published at one state of knowledge. Patterns are worked out when they are asked for, and kept.
#[derive(Clone, Debug)]
pub struct Release<'v> {
    views: &'v Views,
    patterns: BTreeMap<(IndicatorId, i16), Pattern>,
}

impl<'v> Release<'v> {
    /// Of these views.
    pub fn of(views: &'v Views) -> Release<'v> {
        Release { views, patterns: BTreeMap::new() }
    }

    /// What a public table does with a figure. `None`: public tables have no such period, or none of its year, in which
    /// regions changed: its areas are not the sums of those below them for the whole of it.
    pub fn mark(&mut self, region: RegionId, indicator: IndicatorId, period: Period) -> Option<Mark> {
        let state = &self.views.state;
        if !published_periods(state.policy.disclosure.finest_period, period.year()).contains(&period)
            || state.regions.days().any(|day| changes_within(day, period.year()))
        {
            return None;
        }
        let entry = &state.indicators[usize::from(indicator.0)];
        if entry.kind != Kind::Ratio {
            return Some(self.pattern(indicator, period.year()).mark(region, period));
        }
        // A ratio and one of its parts give the other.
        let parts = [entry.numerator, entry.denominator];
        let parts: Vec<IndicatorId> =
            parts.into_iter().flatten().filter_map(|code| Some(state.indicator(code)?.0)).collect();
        let marks = parts.into_iter().map(|part| self.pattern(part, period.year()).mark(region, period));
        Some(marks.fold(Mark::Free, |worse, mark| if worse == Mark::Free { mark } else { worse }))
    }

    fn pattern(&mut self, indicator: IndicatorId, year: i16) -> &Pattern {
        let views = self.views;
        self.patterns.entry((indicator, year)).or_insert_with(|| {
            let tables = Tables::of(views, indicator, year);
            Pattern::choose(&views.state.policy.disclosure, &views.state.regions, &tables)
        })
    }
}

/// Whether a change on this day parts a year: not on its first day, from which on the whole year counts.
pub fn changes_within(day: Date, year: i16) -> bool {
    day.year() == year && Date::new(year, 1, 1) != Some(day)
}

/// Why the difference between the shared and the territorial figure of an area may not be seen by those who see both
/// but not the projects behind it: with one outgoing project the difference *is* that project's figure. Empty: it may.
pub fn credit_reasons(
    views: &Views,
    region: RegionId,
    indicator: IndicatorId,
    period: Period,
) -> Vec<Reason> {
    let state = &views.state;
    let entry = &state.indicators[usize::from(indicator.0)];
    let parts = match entry.kind {
        Kind::Ratio => [entry.numerator, entry.denominator].into_iter().flatten().collect(),
        Kind::Flow | Kind::Stock | Kind::Count => vec![entry.code],
    };
    let mut reasons = Vec::new();
    for (id, part) in parts.into_iter().filter_map(|code| state.indicator(code)) {
        let mut credits = Contributions::new();
        for line in crate::explain::explain(views, region, id, period) {
            let share = line.area;
            let credit = i128::from(share.as_destination) + i128::from(share.as_origin)
                - i128::from(share.territorial);
            if credit != 0 {
                let enterprise = state.projects[&line.project].enterprise;
                *credits.entry(enterprise).or_default() += credit;
            }
        }
        reasons.extend(rules::of(&state.policy.disclosure, part.kind, credits.values().copied()));
    }
    reasons
}
