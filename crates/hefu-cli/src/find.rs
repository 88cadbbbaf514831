//! What a person names on the command line, found on record: regions, projects, indicators, points in time.

use hefu_domain::{
    dispute::DisputeId,
    id::ProjectId,
    region::Region,
    settlement::{Line, LineId},
    state::{IndicatorId, Project, State},
    vintage::{Vintage, VintageKind},
};
use hefu_engine::Reader;
pub(crate) use hefu_projections::as_of::AsOf;
use hefu_projections::{
    Views,
    as_of::is_future,
    find::{self, NotFound},
    vintages,
};

use crate::{
    context::Context,
    error::{CliError, Result, exit},
    lang::{Lang, text},
};

/// The region with this code or name.
pub(crate) fn region<'s>(state: &'s State, name: &str) -> Result<&'s Region> {
    Ok(find::region(state, name)?)
}

/// The project with this UUID or government code.
pub(crate) fn project<'s>(state: &'s State, name: &str) -> Result<(ProjectId, &'s Project)> {
    Ok(find::project(state, name)?)
}

/// The dispute with this UUID, be it joined to another.
pub(crate) fn dispute(state: &State, name: &str) -> Result<DisputeId> {
    Ok(find::dispute(state, name)?)
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
    Ok(find::indicator(state, name)?)
}

impl From<NotFound> for CliError {
    fn from(error: NotFound) -> CliError {
        let message = text(error.zh(), error.to_string());
        let refused = CliError::new(error.code(), exit::REFUSED, message.clone());
        match error {
            NotFound::NoRegions => {
                CliError::usage(message).hint(text("选一个更晚的位置", "choose a later position"))
            }
            NotFound::Region { name, near } => {
                let hint = if near.is_empty() {
                    text("用六位代码,如 330881", "use a code of six digits, like 330881")
                } else {
                    let near = near.join(", ");
                    text(format!("是否想用 {near}?"), format!("did you mean {near}?"))
                };
                refused.hint(hint).at("value", name)
            }
            NotFound::AmbiguousRegion { name, .. } => refused.at("value", name),
            NotFound::Project(name) => {
                let hint = text(
                    "用项目编号(UUID)或已登记的项目代码;`hefu project list` 列出全部",
                    "use its UUID or a government code on record; `hefu project list` shows all",
                );
                refused.hint(hint).at("value", name)
            }
            NotFound::Dispute(name) => {
                let hint = text("`hefu dispute list` 列出全部", "`hefu dispute list` shows all");
                refused.hint(hint).at("value", name)
            }
            NotFound::Vintage(name) => {
                let hint = text("`hefu vintage list` 列出全部", "`hefu vintage list` shows all");
                refused.hint(hint).at("value", name)
            }
            NotFound::Indicator { name, known } => {
                let hint = text(format!("目录中有 {known}"), format!("the catalogue has {known}"));
                refused.hint(hint).at("value", name)
            }
        }
    }
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
            if is_future(instant, now) {
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
    Ok(find::vintage(state, name)?)
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
