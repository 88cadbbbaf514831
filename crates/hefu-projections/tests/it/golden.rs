//! The golden cases, computed by an independent program: see `tests/golden/README.md`.

use std::collections::BTreeMap;

use hefu_domain::{
    counting::Standing,
    id::EnterpriseCode,
    indicator::{Class, Count, Indicator, Kind, Unit},
    policy::{ClaimConfirmation, Policy, TierRule},
    region::{Adjacency, Border, RegionTree},
    tier::{Tier, tier_of},
    time::Date,
};
use hefu_projections::{Views, contested::Contested, status::Status};
use serde_json::{Value, json};

use super::{
    ledger::{self, Ledger, code, date, noon, project, region},
    script,
};

const CASES: &str = include_str!("../golden/dual_count_cases.json");

fn cases() -> Vec<Value> {
    let file: Value = serde_json::from_str(CASES).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn class(letter: &str) -> Class {
    match letter {
        "I" => Class::Investment,
        "V" => Class::ValueAdded,
        "R" => Class::Research,
        "Z" => Class::Attraction,
        other => panic!("class {other}"),
    }
}

/// The catalogue a case needs: its own indicator codes.
fn catalogue(case: &Value) -> Vec<Indicator> {
    let mut entries: BTreeMap<&str, Indicator> = BTreeMap::new();
    for fact in case["facts"].as_array().unwrap() {
        let counts = fact["kind"] == "count";
        let entry = Indicator {
            class: class(text(&fact["cls"])),
            code: text(&fact["indicator"]).parse().unwrap(),
            count: counts.then_some(Count::LargeProjects),
            denominator: None,
            kind: if counts { Kind::Count } else { Kind::Flow },
            name_en: String::new(),
            name_zh: String::new(),
            numerator: None,
            unit: if counts { Unit::Projects } else { Unit::Cny },
        };
        entries.insert(text(&fact["indicator"]), entry);
    }
    entries.into_values().collect()
}

/// Plays one case as commands; `claims` says what becomes of pending ones.
fn play(case: &Value, pending_confirmed: bool) -> Ledger<Views> {
    let by_superior = case.to_string().contains(r#""claim""#);
    let policy = Policy {
        indicators: catalogue(case),
        multi_hop: serde_json::from_value(json!(text(&case["policy"]).to_lowercase())).unwrap(),
        claim_confirmation: if by_superior {
            ClaimConfirmation::Superior
        } else {
            ClaimConfirmation::Acceptance
        },
        ..Policy::default()
    };
    let mut lines =
        vec![format!("policy {}", serde_json::to_string(&policy).unwrap()), "at 2030-01-05".to_owned()];
    let counted: Vec<&Value> =
        case["facts"].as_array().unwrap().iter().filter(|f| f["kind"] == "count").collect();
    for the in case["projects"].as_array().unwrap() {
        let (name, birth) = (text(&the["id"]), text(&the["birth"]));
        let large = counted.iter().any(|fact| fact["project"] == the["id"]);
        let planned = if large { "1000000000.00" } else { "999999999.99" };
        lines.push(format!("given {name} in {birth} since 2025-01-01 planned {planned}"));
        for (number, hop) in the["moves"].as_array().unwrap().iter().enumerate() {
            let months = &hop["window_months"];
            let trigger = if hop.get("trigger").is_some() { "construction_start" } else { "landing" };
            let credit = |letter: &str| {
                let [origin, destination] = [0, 1].map(|side| hop["weights"][letter][side].clone());
                json!({"origin_bp": origin, "destination_bp": destination, "months": months, "trigger": trigger})
            };
            let credits = json!({"investment": credit("I"), "value_added": credit("V"), "research": credit("R"),
                "attraction": credit("Z")});
            let (from, to) = (text(&hop["from"]), text(&hop["to"]));
            for tier in ["original_site", "local", "neighbouring"] {
                lines.push(format!("{from} exhaust {name} {tier} -> ok"));
            }
            lines.push(format!("{from} propose {name} to {to} terms {} -> ok", json!({"credits": credits})));
            lines.push(format!("{to} accept {name} -> transfer.accepted"));
            let landed = text(&hop["effective"]);
            lines.push(format!("{to} land {name} on {landed} -> ok"));
            if let Some(started) = hop.get("trigger") {
                lines.push(format!("{to} build {name} on {} -> ok", text(started)));
            }
            let superior = "330000";
            match hop.get("claim").map(text) {
                Some("pending") if pending_confirmed => {
                    lines.push(format!("{superior} confirm {name} {number} -> ok"));
                }
                Some("rejected") => lines.push(format!("{superior} reject {name} {number} -> ok")),
                None if by_superior => lines.push(format!("{superior} confirm {name} {number} -> ok")),
                Some("pending") | None => {}
                Some(other) => panic!("claim {other}"),
            }
        }
        for fact in case["facts"].as_array().unwrap().iter().filter(|fact| fact["project"] == the["id"]) {
            if let Some(period) = period(text(&fact["end"])).filter(|_| fact["kind"] == "flow") {
                let (indicator, value) = (text(&fact["indicator"]), fact["value"].as_i64().unwrap());
                let value = hefu_domain::amount::format_minor(i128::from(value), 2);
                lines.push(format!(
                    "{} report {name} {indicator} {period} {value} -> ok",
                    holder(the, text(&fact["end"]))
                ));
            }
        }
    }
    script::check::<Views>(&lines.join("\n"), |_, _| String::new()).ledger
}

fn holder<'a>(the: &'a Value, day: &str) -> &'a str {
    let mut moves = the["moves"].as_array().unwrap().iter();
    let last = moves.rfind(|hop| text(&hop["effective"]) <= day);
    last.map_or(text(&the["birth"]), |hop| text(&hop["to"]))
}

/// The month that ends on this day, if one does.
fn period(end: &str) -> Option<String> {
    let day: Date = date(end);
    (day.month_end() == day).then(|| end[..7].to_owned())
}

fn compare(case: &Value, expected: &Value, ledger: &Ledger<Views>) {
    let views = &ledger.fold;
    for (indicator, areas) in expected.as_object().unwrap() {
        let fact = case["facts"].as_array().unwrap().iter().find(|f| f["indicator"] == *indicator).unwrap();
        let (id, entry) = views.state.indicator(indicator.parse().unwrap()).unwrap();
        for (area, figures) in areas.as_object().unwrap() {
            let name = format!("{} {indicator} {area}", text(&case["name"]));
            let figure = |name: &str| figures.get(name).map(|figure| i128::from(figure.as_i64().unwrap()));
            let region = ledger.region(area);
            let (told, split) = if let Some(period) = period(text(&fact["end"])) {
                let row = views.counting.row(&views.state, region, id, period.parse().unwrap());
                let split = row.as_destination.unwrap() + row.as_origin.unwrap();
                ((row.territorial, row.shared, row.elimination), split)
            } else {
                by_day(ledger, case, indicator, entry.class, region)
            };
            assert_eq!(told, (figure("T"), figure("S"), figure("X")), "{name}");
            assert_eq!(Some(split), told.1, "{name}");
        }
    }
}

/// While a claim is pending both figures are shown, and what it can move is marked.
fn both_outcomes(case: &Value, ledger: &Ledger<Views>) {
    let views = &ledger.fold;
    let (refused, confirmed) = (&case["expected"], &case["expected_if_pending_confirmed"]);
    for (indicator, areas) in refused.as_object().unwrap() {
        let (id, _) = views.state.indicator(indicator.parse().unwrap()).unwrap();
        let fact = case["facts"].as_array().unwrap().iter().find(|f| f["indicator"] == *indicator).unwrap();
        let period = period(text(&fact["end"])).unwrap().parse().unwrap();
        let contested = Contested::over(views, &[id], period);
        for (area, figures) in areas.as_object().unwrap() {
            let row = views.counting.row(&views.state, ledger.region(area), id, period);
            let outcomes = contested.outcomes(views, &row);
            let other = &confirmed[indicator][area];
            let letter = Status::of(views, &row, outcomes.as_ref()).letter();
            assert_eq!(letter, if figures == other { "A" } else { "V" }, "{area}");
            let Some(outcomes) = outcomes else { continue };
            for (row, figures) in [(outcomes.if_refused, figures), (outcomes.if_confirmed, other)] {
                let told = [("T", row.territorial), ("S", row.shared), ("X", row.elimination)];
                for (name, told) in told.into_iter().filter(|(_, told)| told.is_some()) {
                    assert_eq!(told, figures[name].as_i64().map(i128::from), "{area} {name}");
                }
            }
        }
    }
}

type Figures = ((Option<i128>, Option<i128>, Option<i128>), i128);

/// Observations of a single day, which no period has: straight from the rule for one observation.
fn by_day(
    ledger: &Ledger<Views>,
    case: &Value,
    indicator: &str,
    class: Class,
    area: hefu_domain::region::RegionId,
) -> Figures {
    let state = ledger.state();
    let children = state.regions.children(area);
    let (mut territorial, mut shared, mut below) = (0, 0, 0);
    for fact in case["facts"].as_array().unwrap().iter().filter(|fact| fact["indicator"] == indicator) {
        let standing = Standing::on(
            &state.regions,
            &state.projects[&project(text(&fact["project"]))],
            class,
            date(text(&fact["end"])),
        );
        for (region, share) in standing.area_shares(&state.regions, fact["value"].as_i64().unwrap()) {
            let both = i128::from(share.as_destination) + i128::from(share.as_origin);
            if region == area {
                territorial += i128::from(share.territorial);
                shared += both;
            } else if children.contains(&region) {
                below += both;
            }
        }
    }
    let elimination = (!children.is_empty()).then(|| shared - below);
    ((Some(territorial), Some(shared), elimination), shared)
}

#[test]
fn dual_counting() {
    let cases = cases();
    assert_eq!(cases.len(), 18, "C01 to C17, C06 twice");
    for case in cases {
        compare(&case, &case["expected"], &play(&case, false));
        if let Some(other) = case.get("expected_if_pending_confirmed") {
            compare(&case, other, &play(&case, true));
            both_outcomes(&case, &play(&case, false));
        }
    }
}

#[test]
fn tiers() {
    let tree = zhejiang();
    let scopes: Vec<Value> = serde_json::from_str(include_str!("../golden/scope_cases.json")).unwrap();
    let strict = TierRule { borders: vec![Border::Land], same_prefecture: false };
    let tier = |letter: &Value| match text(letter) {
        "Y" => Tier::OriginalSite,
        "B" => Tier::Local,
        "Z" => Tier::Neighbouring,
        "K" => Tier::Wider,
        other => panic!("tier {other}"),
    };
    for case in scopes {
        let find = |field: &str| tree.find(code(text(&case[field]))).unwrap().id;
        let (origin, destination) = (find("origin"), find("destination"));
        let same_site = case["same_site"] == true;
        let of = |rule: &TierRule, a, b| tier_of(&tree, rule, a, b, same_site);
        for (rule, expected) in [(&TierRule::default(), "expected"), (&strict, "expected_land_only_strict")] {
            assert_eq!(of(rule, origin, destination), tier(&case[expected]), "{case}");
            assert_eq!(of(rule, destination, origin), tier(&case[expected]), "{case}, the other way");
        }
        let border = tree.border(origin, destination).map(|border| serde_json::to_value(border).unwrap());
        assert_eq!(border.unwrap_or(Value::Null), case["adjacent"], "{case}");
    }
}

/// The real tree and borders, with the counties of other provinces that Zhejiang borders.
fn zhejiang() -> RegionTree {
    let rows = |file: &'static str| file.lines().skip(1).map(|line| line.split(',').collect::<Vec<&str>>());
    let mut entries: Vec<_> =
        rows(include_str!("../golden/zhejiang-regions.csv")).map(|row| region(row[0], row[1])).collect();
    let mut borders = Vec::new();
    for row in rows(include_str!("../golden/zhejiang-adjacency.csv")) {
        for (place, name) in [(0, 1), (2, 3)] {
            let county = row[place];
            for above in [format!("{}0000", &county[..2]), format!("{}00", &county[..4]), county.to_owned()] {
                if !entries.iter().any(|entry| entry.code == code(&above)) {
                    entries.push(region(&above, row[name]));
                }
            }
        }
        let kind: Border = serde_json::from_value(json!(row[4])).unwrap();
        borders.push(Adjacency { a: code(row[0]), b: code(row[2]), kind });
    }
    RegionTree::default().with(&entries, &borders).unwrap()
}

#[test]
fn unified_social_credit_codes() {
    let cases: Value = serde_json::from_str(include_str!("../golden/uscc_cases.json")).unwrap();
    let all = |field: &str| cases[field].as_array().unwrap().clone();
    for good in all("valid") {
        assert_eq!(text(&good).parse::<EnterpriseCode>().unwrap().as_str(), good);
    }
    for bad in all("invalid") {
        assert!(text(&bad).parse::<EnterpriseCode>().is_err(), "{bad}");
    }
    assert_eq!(ledger::date("2026-01-05"), noon(date("2026-01-05")).date());
}
