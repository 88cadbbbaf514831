//! A ledger's figures in the shape that SDMX asks for: one position at a time, and through its history.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use hefu_domain::{
    id::{Digest, KeyId},
    indicator::{IndicatorCode, Kind},
    period::Period,
    region::{RegionCode, RegionId},
    state::{IndicatorId, Meta},
    time::Timestamp,
    vintage::Vintage,
};
use hefu_engine::{EngineError, Reader};
use hefu_exchange::sdmx::{
    Basis, Cube, Figures, Refusal, Source, When,
    cube::{Area, Look, Measured, Public},
    refusal::Code,
};
use hefu_projections::{
    Views,
    contested::Contested,
    disclosure::{Mark, Release, credit_reasons, published_periods},
    status::Status,
    vintages,
};

/// The figures of a ledger as known at one position.
pub struct LedgerCube<'v> {
    views: &'v Views,
    frozen: Option<&'v Vintage>,
    release: RefCell<Release<'v>>,
    contested: RefCell<BTreeMap<(IndicatorId, Period), Contested>>,
}

impl<'v> LedgerCube<'v> {
    /// Of these views.
    pub fn of(views: &'v Views) -> LedgerCube<'v> {
        let release = RefCell::new(Release::of(views));
        LedgerCube { views, frozen: None, release, contested: RefCell::default() }
    }

    /// Of the views at a vintage's position: what it froze, and nothing else.
    pub fn frozen(views: &'v Views, vintage: &'v Vintage) -> LedgerCube<'v> {
        LedgerCube { frozen: Some(vintage), ..LedgerCube::of(views) }
    }

    fn place(&self, area: RegionCode, indicator: IndicatorCode) -> Option<(RegionId, IndicatorId)> {
        let region = self.views.state.regions.find(area)?.id;
        Some((region, self.views.state.indicator(indicator)?.0))
    }

    /// The years, quarters and months that hold anything of an indicator that is reported or counted.
    fn known(&self, indicator: IndicatorId) -> BTreeSet<Period> {
        let state = &self.views.state;
        let entry = &state.indicators[usize::from(indicator.0)];
        let mut known = BTreeSet::new();
        match entry.kind {
            Kind::Flow | Kind::Stock => {
                for fact in self.views.counting.reported(indicator) {
                    // A stock is in a period only if it was taken on its last day (semantics R8).
                    let holds = |period: &Period| {
                        period.contains(fact) && (entry.kind == Kind::Flow || period.end() == fact.end())
                    };
                    known.extend(calendar(fact.year()).filter(holds));
                }
            }
            Kind::Count => {
                let registered = state.projects.values().map(|project| project.registered);
                let today = self.views.ts.date();
                if let Some(first) = registered.min() {
                    let held = |period: &Period| period.end() >= first && period.start() <= today;
                    known.extend((first.year()..=today.year()).flat_map(calendar).filter(held));
                }
            }
            Kind::Ratio => {
                for code in [entry.numerator, entry.denominator].into_iter().flatten() {
                    known.extend(state.indicator(code).into_iter().flat_map(|(part, _)| self.known(part)));
                }
            }
        }
        known
    }
}

/// The months, quarters and the year.
fn calendar(year: i16) -> impl Iterator<Item = Period> {
    let runs = [(1u8, 12u8), (3, 4), (12, 1)].into_iter();
    let runs = runs.flat_map(|(months, count)| (0..count).map(move |n| (n * months + 1, (n + 1) * months)));
    runs.filter_map(move |(first, last)| Period::months(year, first, last))
}

impl Cube for LedgerCube<'_> {
    fn position(&self) -> u64 {
        self.views.size.saturating_sub(1)
    }

    fn instant(&self) -> Timestamp {
        self.views.ts
    }

    fn areas(&self) -> Vec<Area> {
        let tree = &self.views.state.regions;
        let area = |id: RegionId| {
            let region = tree.get(id);
            let now = region.now();
            // One that ended keeps the superior it had.
            let superior = if region.ended.is_some() {
                region.superiors.iter().rev().nth(1).map(|superior| superior.region)
            } else {
                region.parent
            };
            let parent = superior.filter(|parent| tree.get(*parent).parent.is_some());
            Area {
                code: region.code(),
                parent: parent.map(|parent| tree.get(parent).code()),
                zh: now.name_zh.clone(),
                en: now.name_en.clone(),
            }
        };
        let ended = tree.iter().filter(|region| region.ended.is_some()).map(|region| region.id);
        tree.subtree(RegionId(0)).into_iter().skip(1).chain(ended).map(area).collect()
    }

    fn indicators(&self) -> Vec<Measured> {
        let one = |entry: &hefu_domain::indicator::Indicator| Measured {
            code: entry.code,
            zh: entry.name_zh.clone(),
            en: entry.name_en.clone(),
            unit: entry.unit,
        };
        let catalogue = self.views.state.policy.indicators.iter();
        let held = |code| self.frozen.is_none_or(|vintage| vintage.indicators.contains(code));
        catalogue.filter(|entry| held(&entry.code)).map(one).collect()
    }

    fn periods(&self, indicator: IndicatorCode) -> Vec<Period> {
        let id = self.views.state.indicator(indicator).map(|(id, _)| id);
        let mut known = id.map(|id| self.known(id)).unwrap_or_default();
        known.retain(|period| self.frozen.is_none_or(|vintage| vintage.periods.contains(period)));
        known.into_iter().collect()
    }

    fn has(&self, area: RegionCode, indicator: IndicatorCode, basis: Basis) -> bool {
        let Some((region, id)) = self.place(area, indicator) else { return false };
        let state = &self.views.state;
        let ratio = state.indicators[usize::from(id.0)].kind == Kind::Ratio;
        match basis {
            Basis::Territorial | Basis::Shared => true,
            Basis::AsOrigin | Basis::AsDestination => !ratio,
            Basis::Elimination => !ratio && !state.regions.children(region).is_empty(),
        }
    }

    fn publishes(&self, period: Period) -> bool {
        let finest = self.views.state.policy.disclosure.finest_period;
        published_periods(finest, period.year()).contains(&period)
    }

    fn figures(&self, area: RegionCode, indicator: IndicatorCode, period: Period) -> Figures {
        let Some((region, id)) = self.place(area, indicator) else {
            let values = Default::default();
            return Figures { values, status: "M", from_elsewhere: false };
        };
        let row = self.views.counting.row(&self.views.state, region, id, period);
        let mut contested = self.contested.borrow_mut();
        let contested =
            contested.entry((id, period)).or_insert_with(|| Contested::over(self.views, &[id], period));
        let status = Status::of(self.views, &row, contested.outcomes(self.views, &row).as_ref());
        let values = [row.territorial, row.shared, row.as_origin, row.as_destination, row.elimination];
        Figures {
            values: values.map(|value| row.text(value)),
            status: status.letter(),
            from_elsewhere: row.as_origin.is_some_and(|part| part != 0),
        }
    }

    fn public(&self, area: RegionCode, indicator: IndicatorCode, period: Period) -> Public {
        let Some((region, id)) = self.place(area, indicator) else { return Public::NoSuchPeriod };
        match self.release.borrow_mut().mark(region, id, period) {
            None => Public::NoSuchPeriod,
            Some(Mark::Free) => Public::Shown,
            Some(mark @ (Mark::Primary(_) | Mark::Secondary)) => Public::Suppressed(mark.letter()),
        }
    }

    fn credit_reason(
        &self,
        area: RegionCode,
        indicator: IndicatorCode,
        period: Period,
    ) -> Option<&'static str> {
        let (region, id) = self.place(area, indicator)?;
        let reasons = credit_reasons(self.views, region, id, period);
        reasons.into_iter().next().map(hefu_projections::disclosure::rules::Reason::letter)
    }
}

/// A ledger's directory, beside a writer or without one.
pub struct LedgerFolder {
    dir: PathBuf,
}

impl LedgerFolder {
    /// The ledger in this directory.
    pub fn new(dir: PathBuf) -> LedgerFolder {
        LedgerFolder { dir }
    }

    fn now(&self) -> Result<Reader, Refusal> {
        Reader::open(&self.dir).map_err(|error| unreadable(&error))
    }
}

fn unreadable(error: &EngineError) -> Refusal {
    tracing::warn!("figures cannot be read: {error}");
    Refusal::new(Code::Unreadable, ("source", ""), "the ledger could not be read", "无法读取账本")
}

fn before() -> Refusal {
    let why = "the ledger did not exist then";
    Refusal::new(Code::NoData, ("asOf", ""), why, "那时还没有这个账本")
}

fn no_vintage(name: &str) -> Refusal {
    let why = "there is no such vintage; `hefu vintage list` shows all";
    Refusal::new(Code::NoSuchArtefact, ("asOf", name), why, "没有这个版本;`hefu vintage list` 列出全部")
}

fn changed(name: &str) -> Refusal {
    let why = "the figures do not have the digest that this vintage was frozen with";
    Refusal::new(Code::Unreadable, ("asOf", name), why, "数字与该版本冻结时的摘要不符")
}

impl Source for LedgerFolder {
    fn look(&self, when: &When, look: &mut Look<'_>) -> Result<(), Refusal> {
        let now = self.now()?;
        match when {
            When::Now => look(&LedgerCube::of(&now.views)),
            When::At(instant) => {
                let then = now.as_of_instant(*instant).map_err(|error| unreadable(&error))?;
                if then.views.size == 0 {
                    return Err(before());
                }
                look(&LedgerCube::of(&then.views))
            }
            When::Vintage(name) => {
                let vintage = now.views.state.vintages.frozen.get(name).ok_or_else(|| no_vintage(name))?;
                let then = now.as_of_size(vintage.position + 1).map_err(|error| unreadable(&error))?;
                if !vintages::holds(&then.views, vintage) {
                    return Err(changed(name));
                }
                look(&LedgerCube::frozen(&then.views, vintage))
            }
        }
    }

    fn history(&self, until: &When, look: &mut Look<'_>) -> Result<(), Refusal> {
        let now = self.now()?;
        let mut views = Views::default();
        for position in 0..now.views.size {
            let record = now.record(position).map_err(|error| unreadable(&error))?;
            let Some(record) = record else { break };
            let ts: Timestamp = record.leaf.ts.parse().unwrap_or(views.ts);
            if matches!(until, When::At(instant) if ts > *instant) {
                break;
            }
            // All records of an instant became known together.
            if ts != views.ts && views.size > 0 {
                look(&LedgerCube::of(&views))?;
            }
            let meta = Meta {
                position,
                ts,
                command: record.leaf.command,
                command_sha256: Digest(record.leaf.command_sha256.0),
                actor: KeyId(record.leaf.actor.0),
            };
            let applied = views.apply(&meta, &record.event);
            applied.map_err(|error| {
                Refusal::new(Code::Unreadable, ("source", ""), error.to_string(), "账本记录前后不一致")
            })?;
        }
        if views.size == 0 {
            return Err(before());
        }
        look(&LedgerCube::of(&views))
    }
}
