//! Vintages and revisions: golden cases, and the laws that what was frozen stays and that reasons add up.

use std::{collections::BTreeMap, fmt::Write as _};

use hefu_domain::{
    command::FreezeVintage,
    id::Digest,
    indicator::Kind,
    period::Period,
    vintage::{Vintage, VintageKind},
};
use hefu_projections::{
    Views,
    counting::Row,
    revised::Reliability,
    revisions::{Bases, Reason, Seen, differences},
    vintages,
};
use proptest::prelude::*;
use serde_json::Value;

use super::{
    history::{history, play},
    laws::config,
    ledger::{Ledger, date, noon},
    script,
};

fn cases() -> Value {
    serde_json::from_str(include_str!("../golden/revision_cases.json")).unwrap()
}

/// The views as known after the first `size` records.
fn until(ledger: &Ledger<Views>, size: usize) -> Views {
    let mut views = Views::default();
    ledger.log[..size].iter().for_each(|(meta, event)| views.apply(meta, event).unwrap());
    views
}

/// Plays the cases: on each day the values of its vintage are reported, then frozen under the day's name.
fn played() -> Ledger<Views> {
    let cases = cases();
    let mut days: BTreeMap<&str, Vec<(&str, i64)>> = BTreeMap::new();
    for (period, vintages) in cases["vintages"].as_object().unwrap() {
        for (day, value) in vintages.as_object().unwrap() {
            days.entry(day).or_default().push((period, value.as_i64().unwrap()));
        }
    }
    let mut lines = "given P1 in 330108 since 2023-01-10\n".to_owned();
    let mut position = script::check::<Views>(&lines, |_, _| String::new()).ledger.log.len();
    for (day, values) in days {
        let _ = writeln!(lines, "at {day}");
        for (period, value) in &values {
            let _ = writeln!(lines, "330108 report P1 EMP {period} {value} -> ok");
            position += 1;
        }
        let all: Vec<&str> = values.iter().map(|(period, _)| *period).collect();
        let known = position - 1;
        let _ = writeln!(
            lines,
            "330000.statistics freeze {day} EMP x known {known} {{\"periods\":{}}} -> ok",
            serde_json::to_string(&all).unwrap()
        );
        position += 1;
    }
    script::check::<Views>(&lines, |_, _| String::new()).ledger
}

fn figure(views: &Views, period: &str) -> Option<i128> {
    let (indicator, _) = views.state.indicator("EMP".parse().unwrap()).unwrap();
    let region = views.state.regions.find("330108".parse().unwrap()).unwrap().id;
    let row = views.counting.row(&views.state, region, indicator, period.parse().unwrap());
    row.territorial.filter(|_| !row.missing)
}

#[test]
fn the_cases_as_of_a_day() {
    let (ledger, cases) = (played(), cases());
    for (day, figures) in cases["asOf"].as_object().unwrap() {
        // Noon is when the cases are played.
        let size = ledger.log.iter().filter(|(meta, _)| meta.ts <= noon(date(day))).count();
        let views = until(&ledger, size);
        for (period, value) in figures.as_object().unwrap() {
            assert_eq!(figure(&views, period), value.as_i64().map(i128::from), "{period} as of {day}");
        }
    }
}

#[test]
fn the_cases_by_vintage_and_their_revisions() {
    let (ledger, cases) = (played(), cases());
    let mut pairs = Vec::new();
    for (period, vintages) in cases["vintages"].as_object().unwrap() {
        let mut seen: Vec<i128> = Vec::new();
        for (name, vintage) in ledger.state().vintages.in_order() {
            if !vintage.periods.contains(&period.parse().unwrap()) {
                continue;
            }
            let views = until(&ledger, usize::try_from(vintage.position).unwrap() + 1);
            let value = figure(&views, period).unwrap();
            assert_eq!(Some(value), vintages[name].as_i64().map(i128::from), "{period} in {name}");
            seen.push(value);
        }
        let (first, latest) = (seen[0], *seen.last().unwrap());
        assert_eq!(Some(latest - first), cases["revision_last_minus_first"][period].as_i64().map(i128::from));
        pairs.push((first, latest));
    }
    let told = Reliability::of(&pairs, 0);
    let text = |key: &str| cases[key].as_str().map(str::to_owned);
    assert_eq!(told.mean.map(|m| m.to_string()), text("mean_revision"));
    assert_eq!(told.mean_absolute.map(|m| m.to_string()), text("mean_absolute_revision"));
    assert_eq!(told.relative.map(|m| m.to_string()), text("relative_mean_absolute_revision"));
}

/// The reasons for which what an area shows of an indicator moved while `tail` was played, and by how much.
fn reasons(script: &str, tail: &str, area: &str, indicator: &str, period: &str) -> Vec<(Reason, i128)> {
    let run = |text: &str| script::check::<Views>(text, |_, _| String::new()).ledger.fold;
    let (before, after) = (run(script), run(&format!("{script}\n{tail}")));
    let region = before.state.regions.find(area.parse().unwrap()).unwrap().id;
    let (indicator, _) = before.state.indicator(indicator.parse().unwrap()).unwrap();
    let seen = Seen::of(&before, region, indicator, period.parse().unwrap());
    differences(&after, &seen).into_iter().map(|(reason, by)| (reason, by.shared)).collect()
}

#[test]
fn each_reason_is_told_apart() {
    let begin = "
        policy {\"claim_confirmation\":\"superior\"}
        given P1 in 330108 since 2023-01-10
        330108 report P1 INV_FAI 2023-05 10.00 -> ok";
    let see = |tail: &str| reasons(begin, tail, "330108", "INV_FAI", "2023");
    assert_eq!(see("330108 report P1 INV_FAI 2023-06 5.00 -> ok"), [(Reason::LateReport, 500)]);
    assert_eq!(see("330108 report P1 INV_FAI 2023-05 12.00 -> ok"), [(Reason::Correction, 200)]);
    // The project left before the period's end; its origin's claim waits for the superior.
    assert_eq!(see("given P1 moved 330881 on 2023-05-01"), [(Reason::Move, -1000)]);
    assert_eq!(
        see("given P1 moved 330881 on 2023-05-01\n330881 report P1 INV_FAI 2023-05 12.00 -> ok"),
        [(Reason::Move, -1000)]
    );
    let moved = format!("{begin}\ngiven P1 moved 330881 on 2023-05-01");
    let after = |tail: &str| reasons(&moved, tail, "330108", "INV_FAI", "2023");
    assert_eq!(after("330000 confirm P1 0 -> ok"), [(Reason::ClaimDecided, 1000)]);
    let confirmed = format!("{moved}\n330000 confirm P1 0 -> ok");
    let ruled = "
        330108 dispute D1 claim P1 0 INV_FAI 2023 -> ok
        330881 answer D1 -> ok
        330000 rule D1 credit to 330881 amount -4.00 -> ok
        330000.coordinator approve D1 -> ok
        330108 waive_appeal D1 -> ok
        330881 waive_appeal D1 -> ok";
    assert_eq!(reasons(&confirmed, ruled, "330881", "INV_FAI", "2023"), [(Reason::Ruling, -400)]);
    // Counts: a project that was not on record, one that grew, and what counts as large.
    let projects = |tail: &str, indicator: &str| reasons(begin, tail, "330108", indicator, "2025");
    let late = "given P2 in 330108 since 2024-01-10 planned 1000000000.00";
    assert_eq!(projects(late, "N_PRJ"), [(Reason::LateReport, 1)]);
    assert_eq!(
        projects("330108 amend P1 planned 2000000000.00 on 2024-01-01 -> ok", "N_PRJ_1BN"),
        [(Reason::Correction, 1)]
    );
    assert_eq!(
        projects("330000.coordinator adopt_policy {\"large_project\":\"0.00\"} -> ok", "N_PRJ_1BN"),
        [(Reason::PolicyChange, 1)]
    );
}

#[test]
fn a_change_of_regions_is_a_reason_of_its_own() {
    let begin = "
        given P1 in 330109 since 2023-01-10
        330109 report P1 INV_FAI 2023-05 10.00 -> ok
        330109 report P1 INV_FAI 2023-08 5.00 -> ok
        given P2 in 330109 since 2023-01-10
        given P2 moved 330881 on 2023-02-01
        330881 report P2 INV_FAI 2023-08 7.00 -> ok";
    let see = |tail: &str, area: &str| reasons(begin, tail, area, "INV_FAI", "2023");
    let ends = "330100.coordinator merge_region 330109 to 330108 on 2023-07-01 -> ok";
    assert_eq!(see(ends, "330109"), [(Reason::RegionChange, -1200)]);
    assert_eq!(see(ends, "330108"), [(Reason::RegionChange, 1200)]);
    assert_eq!(see(ends, "330100"), []);
    let part = "330100.coordinator split_region 330109 to 330108 on 2023-07-01 P2 -> ok";
    assert_eq!(see(part, "330108"), [(Reason::RegionChange, 700)]);
    let away = "330000.coordinator reparent_region 330109 to 330600 on 2023-07-01 -> ok";
    assert_eq!(see(away, "330600"), [(Reason::RegionChange, 1200)]);
    assert_eq!(see(away, "330100"), [(Reason::RegionChange, -1200)]);
    // A value that is corrected as well is late where it was not known before.
    let both = format!("{ends}\n330108 report P1 INV_FAI 2023-08 6.00 -> ok");
    assert_eq!(see(&both, "330108"), [(Reason::LateReport, 600), (Reason::RegionChange, 700)]);
    assert_eq!(see(&both, "330100"), [(Reason::Correction, 100)]);
    let counted = |tail: &str, area: &str| reasons(begin, tail, area, "N_PRJ", "2023");
    assert_eq!(counted(ends, "330109"), [(Reason::RegionChange, -2)]);
    assert_eq!(counted(away, "330600"), [(Reason::RegionChange, 2)]);
    // A name and a code move nothing.
    assert_eq!(see("330000.coordinator recode_region 330109 code 330199 on 2023-07-01 -> ok", "330109"), []);
}

proptest! {
    #![proptest_config(config(30))]

    /// The reasons add up to the difference, on every basis, whatever happened in between.
    #[test]
    fn reasons_add_up(steps in history(), cut in any::<prop::sample::Index>()) {
        let ledger = play(&steps);
        let (before, after) = (until(&ledger, 4 + cut.index(ledger.log.len() - 4)), &ledger.fold);
        for region in before.state.regions.iter() {
            for (code, indicator) in &before.state.indicator_ids {
                if after.state.indicators[usize::from(indicator.0)].kind == Kind::Ratio {
                    continue;
                }
                for period in ["2024", "2025", "2026-Q1"].map(|text| text.parse::<Period>().unwrap()) {
                    let seen = Seen::of(&before, region.id, *indicator, period);
                    let now = after.counting.row(&after.state, region.id, *indicator, period);
                    let found = differences(after, &seen);
                    let sum = |of: fn(&Bases) -> i128| found.values().map(of).sum::<i128>();
                    let by = |of: fn(&Row) -> Option<i128>| of(&now).unwrap_or(0) - of(&seen.row).unwrap_or(0);
                    let name = format!("{} {code} {period}: {found:?}", region.now().name_zh);
                    prop_assert_eq!(sum(|b| b.territorial), by(|r| r.territorial), "T {}", name);
                    prop_assert_eq!(sum(|b| b.shared), by(|r| r.shared), "S {}", name);
                    prop_assert_eq!(sum(|b| b.as_origin), by(|r| r.as_origin), "O {}", name);
                    prop_assert_eq!(sum(|b| b.as_destination), by(|r| r.as_destination), "D {}", name);
                    prop_assert_eq!(sum(|b| b.elimination), by(|r| r.elimination), "X {}", name);
                }
            }
        }
    }

    /// What was frozen is answered the same after everything else has happened, and nothing else passes for it.
    #[test]
    fn frozen_answers_never_change(steps in history(), cut in any::<prop::sample::Index>()) {
        let mut ledger = play(&steps);
        let size = 4 + cut.index(ledger.log.len() - 4);
        let at = until(&ledger, size);
        let indicators: Vec<_> = at.state.indicator_ids.keys().copied().collect();
        let periods: Vec<Period> = ["2024", "2025", "2025-Q1"].map(|text| text.parse().unwrap()).into();
        let command = FreezeVintage {
            digest: vintages::digest(&at, &indicators, &periods),
            indicators,
            kind: VintageKind::Flash,
            name: "first".to_owned(),
            periods,
            position: size as u64 - 1,
        };
        // Frozen late, of an early position.
        ledger.now = noon(date("2027-01-05"));
        ledger.submit(&["330000.statistics"], &command.into()).unwrap();
        let vintage = &ledger.state().vintages.frozen["first"];
        prop_assert_eq!(vintage.policy_version, at.state.policy_version);
        prop_assert!(vintages::holds(&until(&ledger, size), vintage));
        prop_assert!(!vintages::holds(&ledger.fold, vintage), "another position is another answer");
        let altered = Vintage { digest: Digest([0; 32]), ..vintage.clone() };
        prop_assert!(!vintages::holds(&at, &altered));
    }
}

#[test]
fn the_text_of_a_vintage_is_as_the_format_says() {
    let ledger = script::check::<Views>(
        "given P1 in 330108 since 2023-01-10\n330108 report P1 INV_FAI 2023-05 10.00 -> ok",
        |_, _| String::new(),
    )
    .ledger;
    let indicators = ["INV_FAI", "EMP"].map(|code| code.parse().unwrap());
    let text = vintages::text(&ledger.fold, &indicators, &["2023".parse().unwrap()]);
    let lines: Vec<&str> = text.lines().collect();
    let origin = ledger.state().origin.as_str();
    assert_eq!(lines[..3], ["hefu-vintage-v1", origin, &(ledger.log.len() - 1).to_string()]);
    assert_eq!(lines[3], "000000,INV_FAI,2023,10.00,10.00,0.00,10.00,0.00");
    assert_eq!(lines[4], "000000,EMP,2023,,,,,");
    assert!(lines.contains(&"330108,INV_FAI,2023,10.00,10.00,0.00,10.00,"));
    assert_eq!(lines.len(), 3 + 2 * ledger.state().regions.iter().count());
}
