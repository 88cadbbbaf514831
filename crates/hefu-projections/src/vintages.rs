//! What does a vintage answer, and is that still what was published?
//!
//! A vintage's answers are those of the views as of its position, for every area. Their digest is on record; whoever
//! answers from a vintage compares it first. No answer is kept here.

use std::fmt::Write as _;

use hefu_domain::{id::Digest, indicator::IndicatorCode, period::Period, region::RegionId, vintage::Vintage};
use sha2::{Digest as _, Sha256};

use crate::{Views, counting::Row};

/// All areas in the order of their codes.
pub fn areas(views: &Views) -> Vec<RegionId> {
    let mut areas: Vec<RegionId> = views.state.regions.iter().map(|region| region.id).collect();
    areas.sort_by_key(|area| views.state.code(*area));
    areas
}

/// The answers of a freeze at the position of `views`, as the text whose SHA-256 is its digest (FORMAT, "Vintages").
pub fn text(views: &Views, indicators: &[IndicatorCode], periods: &[Period]) -> String {
    let state = &views.state;
    let mut text = format!("hefu-vintage-v1\n{}\n{}\n", state.origin, views.size.saturating_sub(1));
    for area in areas(views) {
        for code in indicators {
            for period in periods {
                let _ = write!(text, "{},{code},{period}", state.code(area));
                let row = state.indicator(*code).map(|(id, _)| views.counting.row(state, area, id, *period));
                for figure in row.as_ref().map_or_else(Default::default, figures) {
                    let _ = write!(text, ",{figure}");
                }
                text.push('\n');
            }
        }
    }
    text
}

/// Territorial, shared, as origin, as destination, elimination; empty where there is none.
fn figures(row: &Row) -> [String; 5] {
    let all = [row.territorial, row.shared, row.as_origin, row.as_destination, row.elimination];
    all.map(|figure| row.text(figure.filter(|_| !row.missing)).unwrap_or_default())
}

/// The digest of the answers of a freeze at the position of `views`.
pub fn digest(views: &Views, indicators: &[IndicatorCode], periods: &[Period]) -> Digest {
    Digest(Sha256::digest(text(views, indicators, periods)).into())
}

/// Whether `views`, folded up to the position of a vintage, give the answers that were frozen.
pub fn holds(views: &Views, vintage: &Vintage) -> bool {
    views.size == vintage.position + 1
        && digest(views, &vintage.indicators, &vintage.periods) == vintage.digest
}
