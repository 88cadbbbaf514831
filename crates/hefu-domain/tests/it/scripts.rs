//! The rules as scripts: one file a subject, one line a command and its outcome.

use std::collections::BTreeSet;

use hefu_domain::{command::Tick, rejection::Rejection, state::State};
use serde_json::{Value, json};

use super::{
    ledger::{date, noon},
    script,
};

macro_rules! scripts {
    ($($name:ident)*) => {
        $(#[test] fn $name() {
            check(include_str!(concat!("../scripts/", stringify!($name), ".txt")));
        })*

        const ALL: &[(&str, &str)] =
            &[$((stringify!($name), include_str!(concat!("../scripts/", stringify!($name), ".txt"))),)*];
    };
}

scripts! {
    genesis regions areas area_money policy keys registration tiers tier_days proposals no_expiry life consents claims observations restructure disputes rulings redaction
    taxes chains templates closing settlement vintages lines
}

fn check(script: &str) {
    script::check::<State>(script, |_, _| panic!("figures are shown by the projections"));
}

#[test]
fn every_script_is_run() {
    let listed: BTreeSet<String> = ALL.iter().map(|(name, _)| format!("{name}.txt")).collect();
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scripts")).unwrap();
    let files: BTreeSet<String> =
        files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(files, listed);
}

#[test]
fn every_refusal_has_a_line() {
    let lines = ALL.iter().flat_map(|(_, script)| script.lines());
    let lines = lines.map(str::trim).filter(|line| !line.starts_with('#'));
    let told: BTreeSet<&str> = lines.filter_map(|line| Some(line.split_once(" -> ")?.1.trim())).collect();
    let missing: Vec<&&str> = Rejection::CODES.iter().filter(|code| !told.contains(*code)).collect();
    assert_eq!(missing, Vec::<&&str>::new(), "refusals without a line in any script");
    let codes: BTreeSet<&&str> = Rejection::CODES.iter().collect();
    assert_eq!(codes.len(), Rejection::CODES.len(), "codes are distinct");
}

/// No command takes a value away under an approved ruling. If one ever does, the record says why nothing was booked.
#[test]
fn a_ruling_with_nothing_left_to_rule_on_says_why_it_lapsed() {
    let script = "given P1 in 330108 since 2023-01-10
        given P1 moved 330122 on 2023-06-01
        330122 report P1 INV_FAI 2023-08 500.00 -> ok
        330108 dispute D1 observation P1 INV_FAI 2023-08 -> ok
        330122 answer D1 -> ok
        330100 rule D1 correct_value value 800.00 -> ok
        330100.coordinator approve D1 -> ok";
    let mut ledger = script::check::<State>(script, |_, _| String::new()).ledger;
    for project in ledger.fold.projects.values_mut() {
        project.reported.clear();
    }
    ledger.now = noon(date("2026-12-31"));
    let events = ledger.decide(&["log"], &Tick {}.into()).unwrap();
    let last = events.last().unwrap().to_value().unwrap();
    assert_eq!((&last["difference"], &last["lapsed"]), (&Value::Null, &json!("nothing_to_dispute")));
}
