//! `oracle/tax_share_cases.json`, played as commands; and the laws of the division over random receipts.

use hefu_domain::{
    amount::{Money, largest_remainder},
    state::State,
    tax::{
        Cut,
        explain::{Why, carried, steps},
        receipts,
        schedule::{Phase, Unit, units},
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    ledger::{date, noon, project},
    script::{self, Run},
};

fn cases() -> Value {
    serde_json::from_str(include_str!("../golden/tax_share_cases.json")).unwrap()
}

fn money(fen: &Value) -> String {
    Money::from_fen(fen.as_i64().unwrap()).to_string()
}

/// A project of 滨江 that moved to 江山 under these tax terms, and builds and produces there.
fn moved(rates: [u32; 2], terms: &Value, construction: &str, production: &str) -> Run<State> {
    let script = format!(
        "policy {{\"tax_rates\":[{{\"kind\":\"vat\",\"local_bp\":{},\"county_bp\":{},\"name_en\":\"\",\"name_zh\":\"\"}}]}}
        at 2040-01-01
        given P1 in 330108 since 2020-01-01
        given P1 moved 330881 on 2020-02-01 terms {}
        330881 build P1 on {construction} -> ok
        330881 produce P1 on {production} -> ok",
        rates[0],
        rates[1],
        json!({ "tax": terms })
    );
    script::check(&script, |_, _| String::new())
}

fn divided(run: &Run<State>) -> Vec<Unit> {
    let state = run.ledger.state();
    units(&state.regions, &state.projects[&project("P1")], &Cut::until(date("9999-12-31")))
}

#[test]
fn golden_settlements() {
    for case in cases()["settlement"].as_array().unwrap() {
        let plan = &case["plan"];
        let mut terms = json!({
            "construction_bp": plan["build"],
            "production_years_bp": plan["years"],
            "unit": if case["per_event"] == true { "receipt" } else { "phase_year" },
        });
        if let Some(brackets) = plan["brackets"].as_array() {
            let step = |pair: &Value| match &pair[0] {
                Value::Null => json!({"scale_bp": pair[1]}),
                end => json!({"up_to": money(end), "scale_bp": pair[1]}),
            };
            terms["brackets"] = brackets.iter().map(step).collect();
        }
        if !case["cap"].is_null() {
            terms["cap"] = json!(money(&case["cap"]));
            // 3 years, and 2 more while the cap is not reached.
            terms["production_years_bp"] = json!(plan["years"].as_array().unwrap()[..3]);
            terms["extension_years_bp"] = json!(plan["years"].as_array().unwrap()[3..]);
        }
        let day = |name: &str| case[name].as_str().unwrap().to_owned();
        let mut run = moved([10_000, 10_000], &terms, &day("construction_start"), &day("production_start"));
        for event in case["events"].as_array().unwrap() {
            let of = event["of"].as_str().map_or(String::new(), |day| format!(" refund_of {day}"));
            let paid = event["date"].as_str().unwrap();
            let text = format!("tax P1 vat {paid} {}{of}", money(&event["amount"]));
            let command = run.parse(&text);
            run.ledger.submit(&["330881.treasury"], &command).unwrap();
        }
        let last = plan["years"].as_array().unwrap().len();
        let mut told: Vec<Value> = Vec::new();
        for unit in divided(&run) {
            let part = unit.parts[0];
            let period = match part.phase {
                Phase::Before => "PRE".to_owned(),
                Phase::Construction(year) => format!("BUILD {year}"),
                Phase::Year(year) => format!("Y{year}"),
                Phase::After => format!("Y{}", last + 1),
            };
            // In an extension year after the cap was reached, the plan still says its ratio; we say that nothing is shared.
            let planned = match part.phase {
                Phase::Year(year) if year > 3 && !case["cap"].is_null() && part.amount == 0 => {
                    plan["years"][usize::from(year) - 1].as_u64()
                }
                _ => None,
            };
            let bp = planned.map_or(json!(part.bp), |bp| json!(bp));
            let row = json!({"period": period, "base": unit.base, "origin": part.amount,
                "dest": unit.host_part, "origin_bp": bp, "origin_cumulative": part.cumulative});
            match told.last_mut().filter(|row| row["period"] == period) {
                Some(sum) => {
                    for name in ["base", "origin", "dest"] {
                        sum[name] = json!(sum[name].as_i64().unwrap() + row[name].as_i64().unwrap());
                    }
                    sum["origin_cumulative"] = row["origin_cumulative"].clone();
                }
                None => told.push(row),
            }
        }
        assert_eq!(json!(told), case["expected"], "{}", case["name"]);
    }
}

#[test]
fn golden_divisions() {
    for case in cases()["apportion"].as_array().unwrap() {
        let parts = case["parts"].as_array().unwrap();
        let weights: Vec<u64> = parts.iter().map(|part| part[1].as_u64().unwrap()).collect();
        let told = largest_remainder(case["value"].as_i64().unwrap(), &weights, 10_000);
        for (part, amount) in parts.iter().zip(told) {
            assert_eq!(case["expected"][part[0].as_str().unwrap()], amount, "{case}");
        }
    }
}

/// A day of 2023 to 2027 and an amount in fen.
fn receipt() -> impl Strategy<Value = (String, i64)> {
    let day = (2023..2028, 1..13, 1..29).prop_map(|(y, m, d)| format!("{y}-{m:02}-{d:02}"));
    (day, 1..1_000_000i64)
}

fn terms() -> impl Strategy<Value = Value> {
    let years = proptest::collection::vec(0..=7_000u32, 0..4);
    let unit = prop_oneof![Just("phase_year"), Just("receipt")];
    let money = |max: i64| proptest::option::of((1..max).prop_map(|fen| Money::from_fen(fen).to_string()));
    (years, 0..=7_000u32, 0..=3_000u32, unit, money(2_000_000), money(300_000), 0..=10_000u32).prop_map(
        |(years, construction, other, unit, cap, outlay, scale)| {
            json!({"production_years_bp": years, "construction_bp": construction, "unit": unit, "cap": cap, "outlay": outlay,
                "brackets": [{"up_to": "1000.00", "scale_bp": 10_000}, {"scale_bp": scale}],
                "others": [{"region": "330000", "construction_bp": other, "production_years_bp": [other]}]})
        },
    )
}

/// Base 300.00; the first 100.00 count in full, the rest by half; of the outlay of 50.00 nothing was repaid before; half is
/// the origin's, at most 100.00 in all.
#[test]
fn a_part_is_told_step_by_step() {
    let terms = json!({"construction_bp": 5_000, "cap": "100.00", "outlay": "50.00",
        "brackets": [{"up_to": "100.00", "scale_bp": 10_000}, {"scale_bp": 5_000}]});
    let mut run = moved([10_000, 10_000], &terms, "2023-06-01", "2025-01-01");
    for text in ["tax P1 vat 2023-07-01 300.00", "tax P1 vat 2024-07-01 300.01"] {
        let command = run.parse(text);
        run.ledger.submit(&["330881.treasury"], &command).unwrap();
    }
    let told = told(&run);
    assert_eq!(
        told,
        [
            "outlay of 50.00 +50.00; share of 100.00 +50.00; share of 150.00 +37.50; cap of 100.00 -37.50 = 100.00",
            "share of 100.00 +50.00; share of 200.01 +50.00; cap of 0.00 -100.00 = 0.00",
        ]
    );
}

/// Incentives beyond the county's part in March are made up by April; what May has to make up is nothing.
#[test]
fn a_deficit_names_the_receipts_it_comes_from() {
    let terms = json!({"construction_bp": 5_000});
    let mut run = moved([10_000, 10_000], &terms, "2023-01-01", "2025-01-01");
    for text in [
        "tax P1 vat 2023-03-01 10.00 incentives 25.00",
        "tax P1 vat 2023-04-01 20.00",
        "tax P1 vat 2023-05-01 20.00",
    ] {
        let command = run.parse(text);
        run.ledger.submit(&["330881.treasury"], &command).unwrap();
    }
    let project = &run.ledger.state().projects[&project("P1")];
    let receipts = receipts(project, &Cut::until(date("9999-12-31")));
    let carried = carried(project, &receipts);
    let deficits: Vec<i64> = carried.iter().map(|carried| carried.deficit).collect();
    assert_eq!(deficits, [0, 1_500, 0]);
    assert_eq!((&carried[1].positions, carried[2].positions.len()), (&receipts[0].positions, 0));
}

/// Two receipts of a day and kind, and half of both given back: the refund comes off the first as far as it goes.
#[test]
fn each_receipt_of_a_day_bears_its_part_of_a_refund() {
    let mut run = moved([10_000, 10_000], &json!({"construction_bp": 5_000}), "2023-01-01", "2025-01-01");
    for text in [
        "tax P1 vat 2024-09-10 100.00 voucher V1",
        "tax P1 vat 2024-09-10 200.00 voucher V2",
        "tax P1 vat 2024-10-10 -150.00 refund_of 2024-09-10",
    ] {
        let command = run.parse(text);
        run.ledger.submit(&["330881.treasury"], &command).unwrap();
    }
    let receipts = receipts(&run.ledger.state().projects[&project("P1")], &Cut::until(date("9999-12-31")));
    let told: Vec<_> = receipts.iter().map(|one| (one.number, one.county, one.refunded)).collect();
    assert_eq!(told, [(0, 0, -10_000), (1, 15_000, -5_000)]);
}

/// The steps to each part of each unit, in words.
fn told(run: &Run<State>) -> Vec<String> {
    let (units, state) = (divided(run), run.ledger.state());
    let mut lines = Vec::new();
    for (at, unit) in units.iter().enumerate() {
        for (part, steps) in steps(&state.projects[&project("P1")], &units[..at], unit) {
            let words = steps.iter().map(|step| {
                let why = format!("{:?}", step.why).to_lowercase();
                format!(
                    "{why} of {} {}{}",
                    Money::from_fen(step.of),
                    if step.amount < 0 { "" } else { "+" },
                    Money::from_fen(step.amount)
                )
            });
            lines.push(format!(
                "{} = {}",
                words.collect::<Vec<_>>().join("; "),
                Money::from_fen(part.amount)
            ));
        }
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// The parts of every unit sum to its base, nobody's part is negative, nobody gets more than the cap.
    #[test]
    fn parts_sum_to_the_base(terms in terms(), receipts in proptest::collection::vec(receipt(), 1..12)) {
        let mut run = moved([5_000, 8_000], &terms, "2023-06-01", "2024-07-31");
        for (place, (day, fen)) in receipts.iter().enumerate() {
            let text = format!("tax P1 vat {day} {} voucher V{place}", Money::from_fen(*fen));
            let command = run.parse(&text);
            run.ledger.submit(&["330881.treasury"], &command).unwrap();
        }
        let mut origin = 0;
        let all = divided(&run);
        // The steps to a part add up to it, and none of them hides more than fractions of a fen.
        for (at, unit) in all.iter().enumerate() {
            let told = steps(&run.ledger.state().projects[&project("P1")], &all[..at], unit);
            prop_assert_eq!(told.iter().map(|(part, _)| *part).collect::<Vec<_>>(), unit.parts.clone());
            for (part, steps) in told {
                prop_assert_eq!(steps.iter().map(|step| step.amount).sum::<i64>(), part.amount);
                let rounding = steps.iter().filter(|step| step.why == Why::Rounding).map(|step| step.amount.abs());
                prop_assert!(rounding.sum::<i64>() <= 2, "{:?}", steps);
            }
        }
        for unit in all {
            prop_assert_eq!(unit.host_part + unit.parts.iter().map(|part| part.amount).sum::<i64>(), unit.base);
            prop_assert!(unit.host_part >= 0 && unit.parts.iter().all(|part| part.amount >= 0));
            origin += unit.parts.iter().filter(|part| part.party == run.ledger.region("330108")).map(|part| part.amount).sum::<i64>();
        }
        if let Some(cap) = terms["cap"].as_str() {
            prop_assert!(origin <= cap.parse::<Money>().unwrap().fen());
        }
    }

    /// A refund of everything that was paid on a day restores what was due as if the tax had not been, whatever came
    /// after it and in however many parts it is paid back.
    #[test]
    fn a_refund_restores_the_statement(
        terms in terms(),
        receipts in proptest::collection::vec(receipt(), 1..8),
        (day, fen) in receipt(),
        parts in 1..4i64,
    ) {
        prop_assume!(receipts.iter().all(|(other, _)| *other != day));
        let mut run = moved([5_000, 8_000], &terms, "2023-06-01", "2024-07-31");
        let pay = |run: &mut Run<State>, text: &str| {
            let command = run.parse(text);
            run.ledger.submit(&["330881.treasury"], &command).unwrap();
        };
        let (first, rest) = receipts.split_at(receipts.len() / 2);
        for (place, (day, fen)) in first.iter().enumerate() {
            pay(&mut run, &format!("tax P1 vat {day} {} voucher V{place}", Money::from_fen(*fen)));
        }
        let mut with = run.ledger.clone();
        let command = run.parse(&format!("tax P1 vat {day} {}", Money::from_fen(fen)));
        with.submit(&["330881.treasury"], &command).unwrap();
        for (place, (day, fen)) in rest.iter().enumerate() {
            let command = run.parse(&format!("tax P1 vat {day} {} voucher W{place}", Money::from_fen(*fen)));
            with.submit(&["330881.treasury"], &command).unwrap();
            run.ledger.submit(&["330881.treasury"], &command).unwrap();
        }
        with.now = noon(date("2041-01-01"));
        for part in 0..parts {
            let amount = fen * (part + 1) / parts - fen * part / parts;
            if amount > 0 {
                let text = format!("tax P1 vat 2040-05-0{} -{} refund_of {day}", part + 1, Money::from_fen(amount));
                with.submit(&["330881.treasury"], &run.parse(&text)).unwrap();
            }
        }
        let without = divided(&run);
        let due = |units: &[Unit]| {
            let some = units.iter().filter(|unit| unit.base != 0);
            some.map(|unit| (unit.phases.clone(), unit.base, unit.host_part)).collect::<Vec<_>>()
        };
        run.ledger = with;
        prop_assert_eq!(due(&divided(&run)), due(&without));
    }
}
