//! What a person names on the command line, found on record: regions, projects, indicators, points in time.

use std::str::FromStr;

use hefu_domain::{
    dispute::DisputeId,
    id::ProjectId,
    indicator::IndicatorCode,
    region::{Region, RegionCode},
    settlement::{Line, LineId},
    state::{IndicatorId, Project, State},
    time::{Date, Timestamp},
    vintage::{Vintage, VintageKind},
};
use hefu_engine::Reader;
use hefu_projections::{Views, vintages};
use uuid::Uuid;

use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::{Lang, text},
};

/// The region with this code or name.
pub(crate) fn region<'s>(state: &'s State, name: &str) -> Result<&'s Region> {
    let unknown = || {
        // The nation is there from the beginning, the rest a few records later.
        if state.regions.iter().nth(1).is_none() {
            let message = text("那时账本还没有地区", "the ledger had no regions yet at that time");
            let hint = text("选一个更晚的位置", "choose a later position");
            return CliError::usage(message).hint(hint).at("value", name);
        }
        let message = text(format!("没有地区 `{name}`"), format!("there is no region `{name}`"));
        let like = |region: &&Region| {
            let (zh, en) = (&region.now().name_zh, region.now().name_en.to_lowercase());
            zh.contains(name) || (!en.is_empty() && en.contains(&name.to_lowercase()))
        };
        let near: Vec<String> = state
            .regions
            .iter()
            .filter(like)
            .take(3)
            .map(|region| format!("{} {}", region.code(), region.now().name_zh))
            .collect();
        let hint = if near.is_empty() {
            text("用六位代码,如 330881", "use a code of six digits, like 330881")
        } else {
            let near = near.join(", ");
            text(format!("是否想用 {near}?"), format!("did you mean {near}?"))
        };
        CliError::new("unknown_region", exit::REFUSED, message).hint(hint).at("value", name)
    };
    if let Ok(code) = name.parse::<RegionCode>() {
        return state.regions.find(code).ok_or_else(unknown);
    }
    let named =
        |region: &&Region| region.now().name_zh == name || region.now().name_en.eq_ignore_ascii_case(name);
    let mut found = state.regions.iter().filter(named);
    match (found.next(), found.next()) {
        (Some(region), None) => Ok(region),
        (Some(one), Some(other)) => {
            let codes = format!("{}, {}", one.code(), other.code());
            let message = text(
                format!("地区名 `{name}` 不唯一:{codes}"),
                format!("several regions are called `{name}`: {codes}"),
            );
            Err(CliError::new("ambiguous_region", exit::REFUSED, message).at("value", name))
        }
        _ => Err(unknown()),
    }
}

/// The project with this UUID or government code.
pub(crate) fn project<'s>(state: &'s State, name: &str) -> Result<(ProjectId, &'s Project)> {
    let by_id = Uuid::try_parse(name).ok().map(ProjectId);
    let id = by_id.or_else(|| state.project_codes.get(name).copied());
    let found = id.and_then(|id| Some((id, state.projects.get(&id)?)));
    found.ok_or_else(|| {
        let message = text(format!("没有项目 `{name}`"), format!("there is no project `{name}`"));
        let hint = text(
            "用项目编号(UUID)或已登记的项目代码;`hefu project list` 列出全部",
            "use its UUID or a government code on record; `hefu project list` shows all",
        );
        CliError::new("unknown_project", exit::REFUSED, message).hint(hint).at("value", name)
    })
}

/// The dispute with this UUID, be it joined to another.
pub(crate) fn dispute(state: &State, name: &str) -> Result<DisputeId> {
    let id = Uuid::try_parse(name).ok().map(DisputeId);
    let known = id.filter(|id| state.disputes.contains_key(id) || state.joined.contains_key(id));
    known.ok_or_else(|| {
        let message = text(format!("没有争议 `{name}`"), format!("there is no dispute `{name}`"));
        let hint = text("`hefu dispute list` 列出全部", "`hefu dispute list` shows all");
        CliError::new("unknown_dispute", exit::REFUSED, message).hint(hint).at("value", name)
    })
}

/// The settlement line with this number.
pub(crate) fn line(state: &State, line: LineId) -> Result<&Line> {
    state.settlement.lines.get(&line).ok_or_else(|| {
        let message = text(format!("没有结算明细 {line}"), format!("there is no line {line}"));
        let hint = text("`hefu settle statement` 列出明细", "`hefu settle statement` lists them");
        CliError::new("no_such_line", exit::REFUSED, message).hint(hint).at("value", line.to_string())
    })
}

/// The indicator with this code.
pub(crate) fn indicator(state: &State, name: &str) -> Result<IndicatorId> {
    let found = name.parse::<IndicatorCode>().ok().and_then(|code| state.indicator(code));
    found.map(|(id, _)| id).ok_or_else(|| {
        let all: Vec<&str> = state.indicators.iter().map(|indicator| indicator.code.as_str()).collect();
        let message = text(format!("没有指标 `{name}`"), format!("there is no indicator `{name}`"));
        let hint =
            text(format!("目录中有 {}", all.join(", ")), format!("the catalogue has {}", all.join(", ")));
        CliError::new("unknown_indicator", exit::REFUSED, message).hint(hint).at("value", name)
    })
}

/// Until when a report may know things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AsOf {
    /// The record with this position is the last one known.
    Position(u64),
    /// Everything recorded at or before this instant is known.
    Instant(Timestamp),
}

impl FromStr for AsOf {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<AsOf, String> {
        if let Ok(position) = text.parse() {
            return Ok(AsOf::Position(position));
        }
        if let Ok(date) = text.parse::<Date>() {
            return end_of(date).map(AsOf::Instant).map_err(|error| error.to_string());
        }
        let instant: jiff::Timestamp = text.parse().map_err(|_| {
            "write a position, a date like 2026-01-01 or an instant like 2026-01-01T00:00:00Z".to_owned()
        })?;
        Ok(AsOf::Instant(Timestamp::from_micros(instant.as_microsecond())))
    }
}

/// The last instant of a day, which ends at midnight in China.
fn end_of(date: Date) -> std::result::Result<Timestamp, anyhow::Error> {
    let midnight: jiff::Timestamp = format!("{}T00:00:00+08:00", date.tomorrow()).parse()?;
    Ok(Timestamp::from_micros(midnight.as_microsecond() - 1))
}

/// The ledger as it was known then, and the position the answer is true at.
pub(crate) fn reader(context: &Context, as_of: Option<AsOf>) -> Result<(Reader, u64)> {
    let reader = context.reader()?;
    let size = reader.log_size();
    let reader = match as_of {
        None => reader,
        Some(AsOf::Position(position)) if position < size => reader.as_of_size(position + 1)?,
        Some(AsOf::Position(position)) => {
            let message =
                text(format!("账本还没有第 {position} 条记录"), format!("there is no record {position} yet"));
            let hint =
                text(format!("最新位置是 {}", size - 1), format!("the newest position is {}", size - 1));
            return Err(CliError::usage(message).hint(hint));
        }
        Some(AsOf::Instant(instant)) => {
            let now = hefu_engine::system_clock();
            // A day counts as a whole, today as well.
            if instant > now && instant != end_of(now.date())? {
                let message = text(format!("{instant} 尚未到来"), format!("{instant} lies in the future"));
                let hint = text(format!("现在是 {now}"), format!("it is {now}"));
                return Err(CliError::usage(message).hint(hint).at("field", "as_of"));
            }
            reader.as_of_instant(instant)?
        }
    };
    match reader.views.size.checked_sub(1) {
        Some(position) => Ok((reader, position)),
        None => Err(CliError::usage(text("那时还没有这个账本", "the ledger did not exist then"))),
    }
}

/// The ledger as it was known then, or as a vintage froze it; with the vintage's name.
pub(crate) fn reader_or_vintage(
    context: &Context,
    as_of: Option<AsOf>,
    name: Option<&str>,
) -> Result<(Reader, u64, Option<Vintage>)> {
    let (reader, position) = reader(context, as_of)?;
    let Some(name) = name else { return Ok((reader, position, None)) };
    let vintage = vintage(&reader.views.state, name)?.1.clone();
    let frozen = at_vintage(&reader, name, &vintage)?;
    Ok((frozen, vintage.position, Some(vintage)))
}

/// The vintage with this name.
pub(crate) fn vintage<'s>(state: &'s State, name: &str) -> Result<(&'s str, &'s Vintage)> {
    let found = state.vintages.frozen.get_key_value(name);
    found.map(|(name, vintage)| (name.as_str(), vintage)).ok_or_else(|| {
        let message = text(format!("没有版本 `{name}`"), format!("there is no vintage `{name}`"));
        let hint = text("`hefu vintage list` 列出全部", "`hefu vintage list` shows all");
        CliError::new("unknown_vintage", exit::REFUSED, message).hint(hint).at("value", name)
    })
}

/// The ledger as a vintage froze it.
pub(crate) fn at_vintage(reader: &Reader, name: &str, vintage: &Vintage) -> Result<Reader> {
    let frozen = reader.as_of_size(vintage.position + 1)?;
    unchanged(&frozen.views, name, vintage)?;
    Ok(frozen)
}

/// Fails unless the answers are those that were frozen.
pub(crate) fn unchanged(views: &Views, name: &str, vintage: &Vintage) -> Result {
    if vintages::holds(views, vintage) {
        return Ok(());
    }
    let message = text(
        format!("版本 `{name}` 的数字与冻结时的摘要不符"),
        format!("the figures of vintage `{name}` do not have the digest it was frozen with"),
    );
    let why = text(
        format!("登记的摘要是 {},位置 {}", vintage.digest, vintage.position),
        format!("on record is {} for position {}", vintage.digest, vintage.position),
    );
    let hint = text(
        "运行 `hefu audit verify` 和 `hefu audit replay`;摘要由冻结时的签署者填写,也可能填错",
        "run `hefu audit verify` and `hefu audit replay`; the digest is what its signer gave, which may have been wrong",
    );
    Err(CliError::new("vintage_mismatch", exit::REFUSED, message).why(why).hint(hint).at("value", name))
}

/// How mature a vintage is, in words.
pub(crate) fn kind_words(lang: Lang, kind: VintageKind) -> &'static str {
    lang.pick(kind.name_zh(), kind.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_means_the_end_of_its_day_in_china() {
        let instant = |text: &str| AsOf::Instant(text.parse().unwrap());
        assert_eq!("2026-01-01".parse(), Ok(instant("2026-01-01T15:59:59.999999Z")));
        assert_eq!("2026-01-01T00:00:00Z".parse(), Ok(instant("2026-01-01T00:00:00.000000Z")));
        assert_eq!("17".parse(), Ok(AsOf::Position(17)));
        assert!("2026-13-01".parse::<AsOf>().is_err());
    }
}
