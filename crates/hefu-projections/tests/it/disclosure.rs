//! Disclosure control: the cases of an independent program, and what no outsider may ever be able to work out.

use std::collections::{BTreeMap, BTreeSet};

use hefu_domain::{
    disclosure::{Disclosure, Finest},
    id::EnterpriseCode,
    indicator::Kind,
    region::{Level, RegionEntry, RegionId, RegionTree},
};
use hefu_projections::{
    Views,
    disclosure::{
        Mark, Release, credit_reasons,
        network::{Edge, Known, Network},
        pattern::{Pattern, networks},
        published_periods,
        rules::{self, Reason},
        tables::{Table, Tables},
    },
};
use proptest::prelude::*;
use serde_json::Value;

use super::{
    history::{history, play},
    laws::config,
    script,
};

fn cases() -> Value {
    serde_json::from_str(include_str!("../golden/sdc_cases.json")).unwrap()
}

fn integers(list: &Value) -> Vec<i128> {
    list.as_array().unwrap().iter().map(|value| i128::from(value.as_i64().unwrap())).collect()
}

fn letters(contributions: &[i128]) -> Vec<&'static str> {
    let reasons = rules::of(&Disclosure::default(), Kind::Flow, contributions.iter().copied());
    reasons.into_iter().map(Reason::letter).collect()
}

#[test]
fn sensitive_cells() {
    for case in cases()["primary"].as_array().unwrap() {
        let expected: Vec<&str> =
            case["expected"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
        assert_eq!(letters(&integers(&case["contributions"])), expected, "{case}");
    }
}

/// Rows and columns with published margins: rows are nodes 1 to m, columns m + 1 to m + n.
#[test]
fn cells_suppressed_with_them() {
    for case in cases()["secondary"].as_array().unwrap() {
        let rows: Vec<Vec<i128>> = case["table"].as_array().unwrap().iter().map(integers).collect();
        let columns = rows[0].len();
        let cell = |row: usize, column: usize, value: i128| Edge {
            tail: 1 + row,
            head: 1 + rows.len() + column,
            // A cell of nothing is known to be nothing.
            known: if value == 0 { Known::Exactly } else { Known::NotNegative(value) },
        };
        let cells = rows.iter().enumerate();
        let cells =
            cells.flat_map(|(r, row)| row.iter().enumerate().map(move |(c, value)| cell(r, c, *value)));
        let network = Network { cells: cells.collect() };
        let places = |list: &Value| -> BTreeSet<usize> {
            let pairs = list.as_array().unwrap().iter().map(integers);
            pairs
                .map(|pair| usize::try_from(pair[0]).unwrap() * columns + usize::try_from(pair[1]).unwrap())
                .collect()
        };
        let primary = places(&case["primary"]);
        let mut suppressed = primary.clone();
        let protected = primary.iter().all(|cell| {
            let value = rows[cell / columns][cell % columns];
            network.protect(&mut suppressed, *cell, (value * 10 + 99) / 100)
        });
        let expected = &case["expected_secondary"];
        assert_eq!(protected, !expected.is_null(), "{case}");
        if protected {
            let added: BTreeSet<usize> = suppressed.difference(&primary).copied().collect();
            assert_eq!(added, places(expected), "{case}");
        }
    }
}

/// S − T of a county with one outgoing project is that project's figure.
#[test]
fn the_difference_of_both_bases() {
    let case = &cases()["differencing"];
    let credits = integers(&case["origin_contributions"]);
    assert_eq!(i128::from(case["S"].as_i64().unwrap() - case["T"].as_i64().unwrap()), credits.iter().sum());
    let reasons: Vec<&str> =
        case["S_O_reasons"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
    assert_eq!(letters(&credits), reasons);
    // The same in a ledger: what 滨江 shows of the project that left it, to those who see both bases.
    let moved = "given P1 in 330108 since 2025-01-01\ngiven P1 moved 330881 on 2025-03-01\n\
                 330881 report P1 INV_FAI 2025-06 1200.00 -> ok";
    let script = script::check::<Views>(moved, |_, _| String::new());
    let views = &script.ledger.fold;
    let (indicator, _) = views.state.indicator("INV_FAI".parse().unwrap()).unwrap();
    let binjiang = script.ledger.region("330108");
    let year = "2025".parse().unwrap();
    let row = views.counting.row(&views.state, binjiang, indicator, year);
    assert_eq!((row.territorial, row.shared), (Some(0), Some(120_000)));
    let found = credit_reasons(views, binjiang, indicator, year);
    assert_eq!(found.into_iter().map(Reason::letter).collect::<Vec<_>>(), reasons);
    assert!(
        credit_reasons(views, script.ledger.region("330881"), indicator, year).is_empty(),
        "S is T there"
    );
}

/// Two provinces, five cities, thirteen counties.
fn tree() -> RegionTree {
    let cities: [(&str, u32); 5] = [("3301", 4), ("3303", 3), ("3308", 2), ("3611", 3), ("3612", 1)];
    let entry = |code: String, level, parent: Option<&str>| RegionEntry {
        code: code.parse().unwrap(),
        level,
        name_en: code.clone(),
        name_zh: code,
        parent: parent.map(|code| code.parse().unwrap()),
        valid_from: None,
    };
    let mut entries = vec![
        entry("330000".to_owned(), Level::Province, None),
        entry("360000".to_owned(), Level::Province, None),
    ];
    for (city, counties) in cities {
        let code = format!("{city}00");
        entries.push(entry(code.clone(), Level::Prefecture, Some(&format!("{}0000", &city[..2]))));
        for county in 1..=counties {
            entries.push(entry(format!("{city}{county:02}"), Level::County, Some(&code)));
        }
    }
    RegionTree::default().with(&entries, &[]).unwrap()
}

/// The enterprise with this number: the check character is that of GB 32100-2015.
fn enterprise(number: usize) -> EnterpriseCode {
    const SIGNS: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let base = format!("9133010000000000{number}");
    let weighted =
        base.chars().zip(0u32..).map(|(sign, place)| SIGNS.find(sign).unwrap() * 3usize.pow(place));
    let check = (31 - weighted.sum::<usize>() % 31) % 31;
    format!("{base}{}", &SIGNS[check..=check]).parse().unwrap()
}

/// County, enterprise, value; which block it is in.
type Fact = (usize, usize, i128, usize);

fn facts() -> impl Strategy<Value = (Vec<Fact>, Finest)> {
    let value = prop_oneof![3 => 1..=60i128, 2 => 1..=5_000i128, 1 => Just(0i128), 1 => -40..=0i128];
    let fact = (0..13usize, 0..9usize, value, 0..6usize);
    let finest = prop_oneof![2 => Just(Finest::Year), 1 => Just(Finest::Quarter)];
    (proptest::collection::vec(fact, 1..90), finest)
}

fn tables(tree: &RegionTree, facts: &[Fact], finest: Finest, kind: Kind) -> Tables {
    let counties: Vec<RegionId> =
        tree.iter().filter(|region| region.level == Level::County).map(|region| region.id).collect();
    let periods = published_periods(finest, 2025);
    let mut blocks = vec![Table::new(); periods.len()];
    for (county, number, value, block) in facts {
        let enterprise = enterprise(*number);
        let place = block % blocks.len();
        for area in tree.upward(counties[*county]) {
            *blocks[place].entry(area).or_default().entry(enterprise).or_default() += value;
        }
    }
    let last = periods.len() - 1;
    let all = |place: usize| if place == last { (0..=last).collect() } else { vec![place] };
    let periods = periods.iter().enumerate().map(|(place, period)| (*period, all(place))).collect();
    Tables { kind, year: 2024, blocks, periods }
}

/// A row of a linear system in lowest terms: unknown and coefficient.
type Equation = BTreeMap<usize, i128>;

/// The unknowns that the equations fix, by elimination over the rational numbers: nothing of networks here.
fn fixed(mut equations: Vec<Equation>) -> BTreeSet<usize> {
    let gcd = |mut a: i128, mut b: i128| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a.abs().max(1)
    };
    let mut reduced: Vec<(usize, Equation)> = Vec::new();
    while let Some(mut next) = equations.pop() {
        let clear = |row: &mut Equation, pivot: usize, by: &Equation| {
            let Some(factor) = row.get(&pivot).copied() else { return };
            let scale = by[&pivot];
            for value in row.values_mut() {
                *value *= scale;
            }
            for (unknown, value) in by {
                *row.entry(*unknown).or_default() -= factor * value;
            }
            row.retain(|_, value| *value != 0);
            let common = row.values().fold(0, |common, value| gcd(*value, common));
            for value in row.values_mut() {
                *value /= common.max(1);
            }
        };
        for (pivot, by) in &reduced {
            clear(&mut next, *pivot, by);
        }
        if let Some(pivot) = next.keys().next().copied() {
            for (_, row) in &mut reduced {
                clear(row, pivot, &next);
            }
            reduced.push((pivot, next));
        }
    }
    reduced.iter().filter(|(_, row)| row.len() == 1).map(|(pivot, _)| *pivot).collect()
}

/// The figures an outsider can work out exactly although they are suppressed.
fn recomputable(
    tree: &RegionTree,
    tables: &Tables,
    suppressed: &BTreeSet<RegionId>,
) -> BTreeSet<(RegionId, usize)> {
    // Unknown: a suppressed area in a block, or in a published period of several blocks, unless nobody contributes.
    let mut names: BTreeMap<(RegionId, usize), usize> = BTreeMap::new();
    let mut shown: Vec<Table> = tables.blocks.clone();
    shown.extend(tables.periods.iter().map(|(_, blocks)| tables.whole(blocks)));
    for (place, table) in shown.iter().enumerate() {
        for area in table.keys().filter(|area| suppressed.contains(area)) {
            let next = names.len();
            names.insert((*area, place), next);
        }
    }
    let mut equations = Vec::new();
    for (place, _) in shown.iter().enumerate() {
        for region in tree.iter() {
            let children = tree.children(region.id);
            let mut equation = Equation::new();
            equation.extend(names.get(&(region.id, place)).map(|name| (*name, -1)));
            equation.extend(children.iter().filter_map(|child| Some((*names.get(&(*child, place))?, 1))));
            if !children.is_empty() {
                equations.push(equation);
            }
        }
    }
    for (place, (_, blocks)) in tables.periods.iter().enumerate() {
        for region in tree.iter() {
            let mut equation = Equation::new();
            equation.extend(names.get(&(region.id, tables.blocks.len() + place)).map(|name| (*name, -1)));
            for block in blocks {
                equation.extend(names.get(&(region.id, *block)).map(|name| (*name, 1)));
            }
            equations.push(equation);
        }
    }
    let fixed = fixed(equations);
    names.into_iter().filter(|(_, name)| fixed.contains(name)).map(|(cell, _)| cell).collect()
}

/// The bounds an outsider finds by going from sum to part and back until nothing changes: exact on a tree.
fn bounds(
    tree: &RegionTree,
    table: &Table,
    suppressed: &BTreeSet<RegionId>,
) -> BTreeMap<RegionId, (i128, i128)> {
    const ENDLESS: i128 = 1 << 90;
    let mut bounds: BTreeMap<RegionId, (i128, i128)> = BTreeMap::new();
    for region in tree.iter() {
        let cell = table.get(&region.id);
        let value: i128 = cell.into_iter().flatten().map(|(_, value)| value).sum();
        let signed = cell.into_iter().flatten().any(|(_, value)| *value < 0);
        let open = cell.is_some() && suppressed.contains(&region.id);
        let known = if signed { (-ENDLESS, ENDLESS) } else { (0, ENDLESS) };
        bounds.insert(region.id, if open { known } else { (value, value) });
    }
    loop {
        let before = bounds.clone();
        for region in tree.iter() {
            let children = tree.children(region.id);
            if children.is_empty() {
                continue;
            }
            let sum = |bounds: &BTreeMap<RegionId, (i128, i128)>| {
                children.iter().fold((0, 0), |sum, child| (sum.0 + bounds[child].0, sum.1 + bounds[child].1))
            };
            let narrow =
                |bounds: &mut BTreeMap<RegionId, (i128, i128)>, id: RegionId, low: i128, high: i128| {
                    let old = bounds[&id];
                    let low = if low < -(ENDLESS / 2) { old.0 } else { low.max(old.0) };
                    let high = if high > ENDLESS / 2 { old.1 } else { high.min(old.1) };
                    bounds.insert(id, (low, high));
                };
            let all = sum(&bounds);
            narrow(&mut bounds, region.id, all.0, all.1);
            for child in &children {
                let all = sum(&bounds);
                let (parent, own) = (bounds[&region.id], bounds[child]);
                narrow(&mut bounds, *child, parent.0 - (all.1 - own.1), parent.1 - (all.0 - own.0));
            }
        }
        if before == bounds {
            let endless = |value: i128| value.abs() > ENDLESS / 2;
            for (low, high) in bounds.values_mut() {
                *low = if endless(*low) { i128::MIN } else { *low };
                *high = if endless(*high) { i128::MAX } else { *high };
            }
            return bounds;
        }
    }
}

proptest! {
    #![proptest_config(config(150))]

    /// No suppressed figure can be worked out from the published ones; every sensitive one is suppressed; and where a sum
    /// of sensitive figures is left over, that sum is not sensitive.
    #[test]
    fn nothing_suppressed_can_be_worked_out((facts, finest) in facts(), count in prop::bool::weighted(0.2)) {
        let (tree, rules) = (tree(), Disclosure { finest_period: finest, ..Disclosure::default() });
        let tables = tables(&tree, &facts, finest, if count { Kind::Count } else { Kind::Flow });
        let pattern = Pattern::choose(&rules, &tree, &tables);
        let suppressed = pattern.suppressed();
        for (period, blocks) in &tables.periods {
            for (area, cell) in tables.whole(blocks) {
                let sensitive = !rules::of(&rules, tables.kind, cell.values().copied()).is_empty();
                prop_assert_eq!(matches!(pattern.mark(area, *period), Mark::Primary(_)), sensitive);
                prop_assert!(!sensitive || suppressed.contains(&area));
            }
        }
        // All suppressed: nothing is published that could give anything away.
        let everything: BTreeSet<RegionId> = tables.blocks.iter().flat_map(Table::keys).copied().collect();
        if *suppressed == everything {
            return Ok(());
        }
        prop_assert_eq!(recomputable(&tree, &tables, suppressed), BTreeSet::new());
        for table in &tables.blocks {
            let bounds = bounds(&tree, table, suppressed);
            for (area, cell) in table.iter().filter(|(area, _)| suppressed.contains(area)) {
                let (low, high) = bounds[area];
                prop_assert!(low < high, "{:?} is known", area);
                let value: i128 = cell.values().sum();
                let need = (value.abs() * 10 + 99) / 100;
                prop_assert!(high.saturating_sub(low) >= need, "{area:?} {value} is in {low}..{high}");
            }
            for region in tree.iter().filter(|region| !suppressed.contains(&region.id)) {
                let mut left: BTreeMap<EnterpriseCode, i128> = BTreeMap::new();
                for child in tree.children(region.id).iter().filter(|child| suppressed.contains(child)) {
                    for (enterprise, value) in table.get(child).into_iter().flatten() {
                        *left.entry(*enterprise).or_default() += value;
                    }
                }
                prop_assert!(rules::of(&rules, tables.kind, left.values().copied()).is_empty());
            }
        }
    }

    /// The interval of a suppressed figure is the one that bounds find.
    #[test]
    fn doubt_is_exact((facts, _) in facts(), extra in proptest::collection::btree_set(0..20u16, 0..20)) {
        let tree = tree();
        let tables = tables(&tree, &facts, Finest::Year, Kind::Flow);
        let suppressed: BTreeSet<RegionId> = extra.into_iter().map(RegionId).collect();
        let network = networks(&tables.areas(&tree), &tables).remove(0);
        let cells: BTreeSet<usize> = suppressed.iter().map(|area| usize::from(area.0)).collect();
        let bounds = bounds(&tree, &tables.blocks[0], &suppressed);
        for (area, cell) in tables.blocks[0].iter().filter(|(area, _)| suppressed.contains(area)) {
            let value: i128 = cell.values().sum();
            let doubt = network.doubt(&cells, usize::from(area.0));
            let low = doubt.down.map_or(i128::MIN, |down| value - down);
            let high = doubt.up.map_or(i128::MAX, |up| value + up);
            prop_assert_eq!((low, high), bounds[area], "{:?}", area);
        }
    }
}

proptest! {
    #![proptest_config(config(40))]

    /// The contributions of a table add up to the territorial figures, and one enterprise alone is never published.
    #[test]
    fn tables_are_the_figures(steps in history(), finest in prop_oneof![Just(Finest::Year), Just(Finest::Month)]) {
        let mut views = play(&steps).fold;
        views.state.policy.disclosure.finest_period = finest;
        let mut release = Release::of(&views);
        for (code, id) in &views.state.indicator_ids {
            let kind = views.state.indicators[usize::from(id.0)].kind;
            for year in [2024, 2025, 2026] {
                let tables = Tables::of(&views, *id, year);
                for (period, blocks) in &tables.periods {
                    let whole = tables.whole(blocks);
                    for region in views.state.regions.iter() {
                        let row = views.counting.row(&views.state, region.id, *id, *period);
                        let cell = whole.get(&region.id);
                        if kind != Kind::Ratio {
                            let sum: i128 = cell.into_iter().flatten().map(|(_, value)| value).sum();
                            prop_assert_eq!(Some(sum), row.territorial, "{} {} {}", region.code(), code, period);
                        }
                        let mark = release.mark(region.id, *id, *period).unwrap();
                        prop_assert!(cell.is_none() || mark != Mark::Free);
                    }
                }
            }
        }
    }
}

/// Four counties of a city, one of them with a single enterprise: it and the smallest other county are suppressed; the
/// city and all others are published. Were that county all that is suppressed with it, both would be two enterprises' own
/// business: where the second has one enterprise too, a third county goes.
#[test]
fn as_little_as_possible_is_suppressed() {
    let tree = tree();
    let place = |code: &str| tree.find(code.parse().unwrap()).unwrap().id;
    let choose = |facts: &[Fact]| {
        let tables = tables(&tree, facts, Finest::Year, Kind::Flow);
        Pattern::choose(&Disclosure::default(), &tree, &tables).suppressed().clone()
    };
    let county = |county: usize, value: i128| (0..4).map(move |number| (county, number, value, 0));
    let mut facts: Vec<Fact> =
        [(1, 50), (2, 20), (3, 90)].into_iter().flat_map(|(c, v)| county(c, v)).collect();
    assert_eq!(choose(&facts), BTreeSet::new());
    facts.push((0, 7, 30, 0));
    assert_eq!(choose(&facts), BTreeSet::from([place("330101"), place("330103")]));
    facts.retain(|fact| fact.0 != 2);
    facts.push((2, 8, 25, 0));
    assert_eq!(choose(&facts), BTreeSet::from([place("330101"), place("330103"), place("330102")]));
}
