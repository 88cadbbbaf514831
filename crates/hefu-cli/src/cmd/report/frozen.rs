//! What a report says of the vintage it answers from.

use hefu_domain::{
    period::Period,
    state::{IndicatorId, State},
    vintage::Vintage,
};

use crate::{
    error::{CliError, Result, exit},
    lang::{Lang, Text, text},
    render::Json,
};

/// Fails if a vintage did not freeze what is asked.
pub(super) fn holds(state: &State, vintage: &Vintage, indicators: &[IndicatorId], period: Period) -> Result {
    let list = |items: Vec<String>| items.join(", ");
    let refused = |what: String, has: String| {
        let message = text(format!("该版本未冻结 {what}"), format!("this vintage did not freeze {what}"));
        let hint = text(format!("其中有 {has}"), format!("it has {has}"));
        Err(CliError::new("not_in_vintage", exit::REFUSED, message).hint(hint).at("value", what))
    };
    if !vintage.periods.contains(&period) {
        return refused(period.to_string(), list(vintage.periods.iter().map(ToString::to_string).collect()));
    }
    let mut codes = indicators.iter().map(|id| state.indicators[usize::from(id.0)].code);
    match codes.find(|code| !vintage.indicators.contains(code)) {
        Some(code) => {
            refused(code.to_string(), list(vintage.indicators.iter().map(ToString::to_string).collect()))
        }
        None => Ok(()),
    }
}

/// The vintage, for programs.
pub(super) fn json(name: &str, vintage: &Vintage) -> Json {
    Json::Object(vec![
        ("name", name.into()),
        ("kind", vintage.kind.name().into()),
        ("position", vintage.position.into()),
        ("digest", vintage.digest.to_string().into()),
        ("policy_version", vintage.policy_version.into()),
        ("geography", vintage.geography.into()),
        ("frozen_at", vintage.frozen_at.into()),
    ])
}

/// The vintage, in words.
pub(super) fn note(name: &str, vintage: &Vintage) -> Text {
    let words = |lang: Lang| {
        let kind = lang.pick(vintage.kind.name_zh(), vintage.kind.name());
        let (policy, digest, day) = (vintage.policy_version, vintage.digest, vintage.ts.date());
        lang.pick(
            format!("版本 {name}({kind}),{day} 冻结,政策第 {policy} 版,摘要已核对:{digest}"),
            format!(
                "vintage {name} ({kind}), frozen {day}, policy version {policy}, digest checked: {digest}"
            ),
        )
    };
    text(words(Lang::Zh), words(Lang::En))
}
