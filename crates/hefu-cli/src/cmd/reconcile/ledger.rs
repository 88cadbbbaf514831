//! The ledger's side: what it counts for the region, within what the book speaks of.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use hefu_domain::{
    id::ProjectId,
    indicator::{Class, Indicator, IndicatorCode, Kind, Unit},
    period::Period,
    region::RegionId,
    settlement::LineId,
    state::State,
    time::Date,
};
use hefu_exchange::matching::{BookLine, Key, LedgerLine, memory::Remembered};
use hefu_projections::{Views, counted::counted, settlement};

use super::{BookBasis, Found};
use crate::{
    error::{CliError, Result, exit},
    lang::text,
};

/// What a run speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) indicators: BTreeSet<IndicatorCode>,
    pub(super) period: Option<Period>,
    /// First and last day, where no period was asked for.
    pub(super) days: Option<(Date, Date)>,
}

impl Scope {
    /// What was asked for; else the indicators the book names, from its first day to its last.
    pub(super) fn of(lines: &[BookLine], asked: &[IndicatorCode], period: Option<Period>) -> Scope {
        let named = lines.iter().map(|line| line.indicator);
        let indicators = if asked.is_empty() { named.collect() } else { asked.iter().copied().collect() };
        let first = lines.iter().map(|line| line.period.start()).min();
        let last = lines.iter().map(|line| line.period.end()).max();
        let days = period.map(|period| (period.start(), period.end())).or(first.zip(last));
        Scope { indicators, period, days }
    }

    fn holds(&self, indicator: IndicatorCode, period: Period) -> bool {
        let inside = match self.period {
            Some(asked) => asked.contains(period),
            None => self.days.is_some_and(|(first, last)| period.start() <= last && first <= period.end()),
        };
        inside && self.indicators.contains(&indicator)
    }

    /// Whether a break of an earlier run falls into this one.
    pub(super) fn speaks_for(&self, old: &Remembered) -> bool {
        let Some((first, last)) = self.days else { return false };
        let known = self.indicators.iter().any(|indicator| indicator.as_str() == old.indicator);
        known && first.to_string() <= old.span.0 && old.span.1 <= last.to_string()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.indicators.iter().map(IndicatorCode::as_str).collect();
        f.write_str(&names.join(", "))?;
        match (self.period, self.days) {
            (Some(period), _) => write!(f, ", {period}"),
            (None, Some((first, last))) => write!(f, ", {first} – {last}"),
            (None, None) => Ok(()),
        }
    }
}

/// What the ledger counts within the scope, and the projects of which the region counts anything. Observations of which
/// it counts nothing are left out, unless the book has a line for their project and indicator.
pub(super) fn lines(
    views: &Views,
    region: RegionId,
    basis: BookBasis,
    scope: &Scope,
    book: &[BookLine],
) -> (Vec<LedgerLine>, BTreeSet<ProjectId>) {
    let named: BTreeSet<(&Key, IndicatorCode)> =
        book.iter().map(|line| (&line.project, line.indicator)).collect();
    let mut parties = BTreeSet::new();
    let mut lines = Vec::new();
    for one in counted(views, region, |_, _| true) {
        parties.insert(one.project);
        let indicator = views.state.indicators[usize::from(one.indicator.0)].code;
        let share = one.share;
        let minor = match basis {
            BookBasis::Shared => share.as_origin + share.as_destination,
            BookBasis::Territorial => share.territorial,
            BookBasis::AsOrigin => share.as_origin,
            BookBasis::AsDestination => share.as_destination,
            BookBasis::Settlement => 0,
        };
        let wanted = minor != 0 || named.contains(&(&Key::Known(one.project), indicator));
        if wanted && scope.holds(indicator, one.period) {
            let records = std::iter::once(one.position).chain(one.transfers).collect();
            let (project, period) = (one.project, one.period);
            lines.push(LedgerLine { project, indicator, period, minor, records });
        }
    }
    (lines, parties)
}

/// What a settlement book is about, as an indicator that no report knows.
pub(super) fn tax_share() -> Indicator {
    let code = "TAX_SHARE".parse().unwrap_or_else(|_| unreachable!("it is a code"));
    Indicator {
        class: Class::Investment,
        code,
        count: None,
        denominator: None,
        kind: Kind::Flow,
        name_en: "Tax share".to_owned(),
        name_zh: "税收分成".to_owned(),
        numerator: None,
        unit: Unit::Cny,
    }
}

/// What the region's statements say within the scope, held lines among them; the statement's line behind each; and the
/// projects the region has any line of. Positive: the region is owed.
pub(super) fn statement(
    state: &State,
    region: RegionId,
    scope: &Scope,
) -> (Vec<LedgerLine>, Vec<LineId>, BTreeSet<ProjectId>) {
    let (mut lines, mut ids, mut parties) = (Vec::new(), Vec::new(), BTreeSet::new());
    let shares = scope.indicators.first().copied();
    for (id, line) in &state.settlement.lines {
        let minor = match (line.account.creditor == region, line.account.debtor == region) {
            (true, false) => line.amount,
            (false, true) => -line.amount,
            (true, true) | (false, false) => continue,
        };
        parties.insert(line.project);
        let run = (id.run as usize).checked_sub(1).and_then(|place| state.settlement.runs.get(place));
        let (Some(run), Some(indicator)) = (run, shares) else { continue };
        if scope.holds(indicator, run.period) {
            let behind = settlement::explain(state, line, *id);
            let receipts = settlement::positions(behind.iter().map(|(unit, _)| unit));
            let records = std::iter::once(run.position).chain(receipts).collect();
            let (project, period) = (line.project, run.period);
            lines.push(LedgerLine { project, indicator, period, minor, records });
            ids.push(*id);
        }
    }
    (lines, ids, parties)
}

/// A book of which the region counts no project is somebody else's.
pub(super) fn refuse_foreign(found: &Found<'_>) -> Result {
    let ours = |line: &&BookLine| match &line.project {
        Key::Known(id) => found.parties.contains(id) || involved(found, *id, found.region),
        Key::Unknown(_) => false,
    };
    if found.book.lines.iter().any(|line| ours(&line)) {
        return Ok(());
    }
    let state = found.state();
    let (lines, region) = (found.book.lines.len(), state.code(found.region));
    let message =
        text(format!("这不像是 {region} 的账册"), format!("this does not look like the book of {region}"));
    let why = text(
        format!("{lines} 行中没有一行属于 {region} 计入或参与过的项目"),
        format!("none of its {lines} lines is about a project that {region} counts or was ever part of"),
    );
    let hint = match owner(found) {
        Some((code, share)) => text(
            format!("其中 {share} 行的项目涉及 {code}:是否应为 --region {code}?"),
            format!("the projects of {share} lines concern {code}: did you mean --region {code}?"),
        ),
        None => text(
            "检查文件、--region 和项目代码的写法",
            "check the file, --region, and how its project codes are written",
        ),
    };
    Err(CliError::new("foreign_book", exit::REFUSED, message).why(why).hint(hint).at("lines", lines))
}

/// Whether a project ever was, or was ever offered, inside a region.
fn involved(found: &Found<'_>, project: ProjectId, region: RegionId) -> bool {
    let state = found.state();
    state
        .projects
        .get(&project)
        .is_some_and(|project| project.regions().any(|place| state.regions.is_within(place, region)))
}

/// The county that most of the book's projects concern, and how many lines that is.
fn owner(found: &Found<'_>) -> Option<(String, usize)> {
    let state = found.state();
    let mut lines: BTreeMap<RegionId, usize> = BTreeMap::new();
    for line in &found.book.lines {
        let Key::Known(id) = &line.project else { continue };
        let Some(project) = state.projects.get(id) else { continue };
        let places: BTreeSet<RegionId> = project.stays.iter().map(|stay| project.now(stay.region)).collect();
        for place in places {
            *lines.entry(place).or_default() += 1;
        }
    }
    let most = lines.into_iter().max_by_key(|(place, count)| (*count, std::cmp::Reverse(*place)))?;
    Some((state.code(most.0).to_string(), most.1))
}
