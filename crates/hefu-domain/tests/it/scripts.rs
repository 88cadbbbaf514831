//! The rules as scripts: one file a subject, one line a command and its outcome.

use std::collections::BTreeSet;

use hefu_domain::{rejection::Rejection, state::State};

use super::script;

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
    genesis regions policy keys registration tiers tier_days proposals no_expiry life consents claims observations restructure disputes rulings redaction
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
