//! The series and observations a question asks for, as a viewer may see them.
//!
//! Within a series time runs forward; series are in the order of the key, areas and indicators as in their code lists.

use hefu_domain::{indicator::IndicatorCode, period::Period, region::RegionCode};
use std::collections::BTreeMap;

use super::{
    Refusal,
    cube::{Area, Basis, Cube, Figures, Flow, Measured, Public, Viewer},
    filter::Filter,
    model,
    path::Data,
    refusal::Code,
    time::{self, FREQUENCIES},
};

/// More figures than this are not one answer.
pub(super) const MOST: usize = 200_000;

/// An observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Obs {
    pub(super) period: String,
    /// `None`: missing or suppressed.
    pub(super) value: Option<String>,
    /// `OBS_STATUS`, `CONF_STATUS`, `LEDGER_SEQ`.
    pub(super) attributes: [String; 3],
}

/// A series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Series {
    pub(super) key: [String; 5],
    /// `UNIT_MEASURE`, `UNIT_MULT`.
    pub(super) attributes: [String; 2],
    pub(super) observations: Vec<Obs>,
}

/// What an area is to a viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    Whole,
    /// A superior: totals only, and only where they give nothing away.
    Totals,
    Nothing,
}

fn sight(viewer: Viewer, flow: Flow, area: RegionCode, parents: &BTreeMap<RegionCode, RegionCode>) -> Sight {
    let above = |from: RegionCode, to: RegionCode| {
        std::iter::successors(Some(from), |code| parents.get(code).copied()).any(|code| code == to)
    };
    match viewer {
        _ if flow == Flow::Territorial => Sight::Whole,
        Viewer::Everything => Sight::Whole,
        Viewer::Region(own) if above(area, own) => Sight::Whole,
        Viewer::Region(own) if above(own, area) => Sight::Totals,
        Viewer::Public | Viewer::Region(_) => Sight::Nothing,
    }
}

/// What is wanted of the series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// All.
    Values,
    /// Which there are, with their periods: nothing is added up for it.
    Periods,
}

/// The series that fit a question.
pub(super) fn select(
    cube: &dyn Cube,
    data: &Data,
    viewer: Viewer,
    depth: Depth,
) -> Result<Vec<Series>, Refusal> {
    if data.flow == Flow::Credit && viewer == Viewer::Public {
        return Err(hidden());
    }
    let areas = cube.areas();
    let parents: BTreeMap<RegionCode, RegionCode> =
        areas.iter().filter_map(|area| Some((area.code, area.parent?))).collect();
    let wanted: Vec<&Area> =
        areas.iter().filter(|area| data.filter.may_want("REF_AREA", &model::area_code(area.code))).collect();
    let seen: Vec<(&Area, Sight)> = wanted
        .iter()
        .map(|area| (*area, sight(viewer, data.flow, area.code, &parents)))
        .filter(|(_, sight)| *sight != Sight::Nothing)
        .collect();
    if seen.is_empty() && !wanted.is_empty() {
        return Err(hidden());
    }
    // A filter on what an observation says needs what it says.
    let by_attribute = model::OBSERVATION_ATTRIBUTES
        .iter()
        .any(|(id, ..)| data.filter.components.iter().any(|component| component.id == *id));
    let asked = Asked { cube, data, viewer, values: depth == Depth::Values || by_attribute };
    let indicators: Vec<(Measured, Vec<Period>)> = cube
        .indicators()
        .into_iter()
        .filter(|measured| data.filter.may_want("INDICATOR", measured.code.as_str()))
        .map(|measured| {
            let periods = asked.periods(measured.code);
            (measured, periods)
        })
        .collect();
    let figures: usize = indicators.iter().map(|(_, periods)| periods.len()).sum();
    if figures.saturating_mul(seen.len()) > MOST {
        let why = format!("more than {MOST} figures; ask for fewer areas, indicators or periods");
        let zh = format!("超过 {MOST} 个数字,请缩小地区、指标或报告期的范围");
        return Err(Refusal::new(Code::TooLarge, ("key", ""), why, zh));
    }
    let mut series = Vec::new();
    for (_, frequency) in FREQUENCIES {
        for (area, sight) in &seen {
            for (measured, periods) in &indicators {
                let of_frequency =
                    periods.iter().filter(|period| time::frequency(**period) == Some(frequency));
                series.extend(asked.series(frequency, (area.code, *sight), measured, of_frequency));
            }
        }
    }
    Ok(series)
}

fn hidden() -> Refusal {
    Refusal::new(
        Code::NotAllowed,
        ("dataflow", Flow::Credit.id()),
        "not for this viewer; DF_TERRITORIAL is public",
        "无权查看;DF_TERRITORIAL 为公开数据",
    )
}

struct Asked<'a> {
    cube: &'a dyn Cube,
    data: &'a Data,
    viewer: Viewer,
    values: bool,
}

impl Asked<'_> {
    fn filter(&self) -> &Filter {
        &self.data.filter
    }

    fn periods(&self, indicator: IndicatorCode) -> Vec<Period> {
        let mut periods = self.cube.periods(indicator);
        periods.retain(|period| {
            let frequency = time::frequency(*period);
            frequency.is_some_and(|code| self.filter().may_want("FREQ", code))
                && self.filter().wants_period(&period.to_string(), (period.start(), period.end()))
        });
        periods
    }

    fn series<'p>(
        &self,
        frequency: &str,
        (area, sight): (RegionCode, Sight),
        measured: &Measured,
        periods: impl Iterator<Item = &'p Period>,
    ) -> Vec<Series> {
        let bases: &[Basis] = match self.data.flow {
            Flow::Territorial => &[Basis::Territorial],
            Flow::Credit => &Basis::ALL,
        };
        let mut found: Vec<(Basis, Series)> = Vec::new();
        for basis in bases {
            let names = [frequency, &model::area_code(area), measured.code.as_str(), basis.code(), "_T"];
            let attributes = [model::unit_code(measured.unit).to_owned(), "0".to_owned()];
            let fits =
                self.filter().holds("UNIT_MEASURE", &attributes[0]) && self.filter().holds("UNIT_MULT", "0");
            let has = self.cube.has(area, measured.code, *basis);
            if fits && has && self.filter().wants(&names) {
                let key = names.map(str::to_owned);
                found.push((*basis, Series { key, attributes, observations: Vec::new() }));
            }
        }
        if found.is_empty() {
            return Vec::new();
        }
        for period in periods {
            if self.data.flow == Flow::Territorial && !self.cube.publishes(*period) {
                continue;
            }
            if !self.values {
                for (_, series) in &mut found {
                    let attributes = Default::default();
                    series.observations.push(Obs { period: period.to_string(), value: None, attributes });
                }
                continue;
            }
            let figures = self.cube.figures(area, measured.code, *period);
            let reason = (sight == Sight::Totals)
                .then(|| self.cube.credit_reason(area, measured.code, *period))
                .flatten();
            // Only the territorial basis asks what is published: working it out takes the whole year of an indicator.
            let territorial = found.iter().any(|(basis, _)| *basis == Basis::Territorial);
            let published = if territorial {
                self.cube.public(area, measured.code, *period)
            } else {
                Public::NoSuchPeriod
            };
            for (basis, series) in &mut found {
                let obs = self.observation(*basis, *period, (&figures, published), sight, reason);
                let holds = |((id, ..), value): (&model::Attribute, &String)| self.filter().holds(id, value);
                if model::OBSERVATION_ATTRIBUTES.iter().zip(&obs.attributes).all(holds) {
                    series.observations.push(obs);
                }
            }
        }
        let trimmed = found.into_iter().map(|(_, series)| self.trimmed(series));
        trimmed.filter(|series| !series.observations.is_empty()).collect()
    }

    /// One observation.
    fn observation(
        &self,
        basis: Basis,
        period: Period,
        (figures, published): (&Figures, Public),
        sight: Sight,
        credit: Option<&'static str>,
    ) -> Obs {
        let value = figures.values[basis as usize].clone();
        let missing = figures.status == "M";
        let public = self.data.flow == Flow::Territorial;
        let shown = match (basis, published) {
            // The public is not told why: a reason says how many are in a cell.
            (Basis::Territorial, Public::Suppressed(_)) if public && self.viewer != Viewer::Everything => {
                Err("C")
            }
            (Basis::Territorial, Public::Suppressed(reason)) if public || sight == Sight::Totals => {
                Err(reason)
            }
            (Basis::Territorial, Public::NoSuchPeriod) if sight == Sight::Totals => Err("N"),
            (Basis::Territorial, Public::Suppressed(reason)) => Ok(reason),
            (Basis::Territorial, Public::Shown) => Ok("F"),
            (Basis::Territorial, Public::NoSuchPeriod) => Ok("N"),
            (Basis::Shared | Basis::AsOrigin | Basis::AsDestination | Basis::Elimination, _) => {
                credit.map_or(Ok("N"), Err)
            }
        };
        let seq = self.cube.position().to_string();
        let (value, status, confidentiality) = match shown {
            Err(reason) => (None, "Q", reason),
            Ok(mark) if missing => (None, "M", mark),
            Ok(mark) => {
                let other = matches!(basis, Basis::Shared | Basis::AsOrigin) && figures.from_elsewhere;
                (value, if figures.status == "A" && other { "W" } else { figures.status }, mark)
            }
        };
        let attributes = [status.to_owned(), confidentiality.to_owned(), seq];
        Obs { period: period.to_string(), value, attributes }
    }

    fn trimmed(&self, mut series: Series) -> Series {
        let length = series.observations.len();
        let (first, last) = (self.data.first, self.data.last);
        if first.is_some() || last.is_some() {
            let mut place = 0;
            series.observations.retain(|_| {
                place += 1;
                first.is_some_and(|first| place <= first)
                    || last.is_some_and(|last| place > length.saturating_sub(last))
            });
        }
        series
    }
}
