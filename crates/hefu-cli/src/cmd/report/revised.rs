//! Reasons of revisions, as cells of a table.

use std::collections::BTreeMap;

use hefu_domain::{
    amount::format_minor,
    indicator::{Indicator, Kind},
};
use hefu_projections::revisions::{Bases, Reason};
use serde_json::{Map, Value};

use super::basis::Basis;
use crate::{
    lang::Lang,
    render::{Cell, shown, thousands},
};

/// What each reason moved, on every basis.
pub(crate) type Reasons = BTreeMap<Reason, Bases>;

/// An amount, or `-`.
pub(crate) fn amount(minor: Option<i128>, scale: u8) -> Cell {
    let Some(minor) = minor else { return shown("-", Value::Null) };
    let exact = format_minor(minor, scale);
    shown(thousands(&exact), exact)
}

/// The reasons that moved a figure: an object of amounts. The reasons of a ratio have none.
pub(crate) fn reasons_cell(lang: Lang, basis: Basis, reasons: &Reasons, entry: &Indicator) -> Cell {
    let ratio = entry.kind == Kind::Ratio;
    let mut words = Vec::new();
    let mut object = Map::new();
    for (reason, by) in reasons {
        let by = basis.part(by);
        let word = lang.pick(reason.name_zh(), words_en(*reason));
        if ratio {
            words.push(word.to_owned());
            object.insert(reason.name().to_owned(), Value::Null);
        } else if by != 0 {
            let exact = format_minor(by, entry.unit.scale());
            words.push(format!("{word} {}", thousands(&exact)));
            object.insert(reason.name().to_owned(), exact.into());
        }
    }
    shown(words.join(lang.pick(",", ", ")), object)
}

fn words_en(reason: Reason) -> &'static str {
    match reason {
        Reason::LateReport => "late report",
        Reason::Correction => "correction",
        Reason::Ruling => "ruling",
        Reason::ClaimDecided => "claim decided",
        Reason::Move => "move",
        Reason::Restructure => "split or merger",
        Reason::RegionChange => "region change",
        Reason::PolicyChange => "policy change",
    }
}
