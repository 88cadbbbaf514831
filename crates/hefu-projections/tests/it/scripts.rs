//! Figures as scripts: what happens, and what each area then shows.
//!
//! `show 330100 INV_FAI 2026 -> T 0.00 S 5.00 O 5.00 D 0.00 X 0.00`: territorial, shared, as origin, as destination,
//! elimination; `-` where there is none; a missing stock or ratio is `missing`. `current` at the end: on today's tree.

use hefu_projections::Views;

use super::{ledger::Ledger, script};

macro_rules! scripts {
    ($($name:ident)*) => {
        $(#[test] fn $name() {
            script::check::<Views>(include_str!(concat!("../scripts/", stringify!($name), ".txt")), show);
        })*
    };
}

scripts! { flows stocks_and_ratios counts regions_change geographies }

fn show(ledger: &Ledger<Views>, words: &[&str]) -> String {
    let (region, indicator, period, geography) = match *words {
        [region, indicator, period] => (region, indicator, period, "filed"),
        [region, indicator, period, geography] => (region, indicator, period, geography),
        _ => panic!("show region indicator period [geography], not {words:?}"),
    };
    let restated = if geography == "current" { ledger.fold.restated() } else { None };
    let views = restated.as_ref().unwrap_or(&ledger.fold);
    let (id, _) = views.state.indicator(indicator.parse().unwrap()).unwrap();
    let row = views.counting.row(&views.state, ledger.region(region), id, period.parse().unwrap());
    if row.missing {
        return "missing".to_owned();
    }
    let figures = [
        ("T", row.territorial),
        ("S", row.shared),
        ("O", row.as_origin),
        ("D", row.as_destination),
        ("X", row.elimination),
    ];
    figures
        .map(|(name, figure)| format!("{name} {}", row.text(figure).unwrap_or_else(|| "-".to_owned())))
        .join(" ")
}
