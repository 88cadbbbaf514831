//! Figures are frozen, corrected, frozen again; what was published stays, and the difference has its reasons.

use serde_json::{Value, json};

use crate::{
    golden::same,
    support::{PROJECT, Place},
};

pub(crate) fn report(place: &Place, indicator: &str, period: &str, value: &str) {
    let line = json!({"as": "330881", "type": "report_observation", "project": PROJECT, "indicator": indicator,
        "period": period, "value": value});
    place.write("line.jsonl", &format!("{line}\n"));
    place.run(&["submit", "line.jsonl"]).exits(0);
}

pub(crate) fn freeze<'a>(name: &'a str, kind: &'a str) -> [&'a str; 11] {
    [
        "vintage",
        "freeze",
        name,
        "--kind",
        kind,
        "--period",
        "2023",
        "--indicator",
        "INV_FAI",
        "--as",
        "330000/statistics",
    ]
}

const LIVE: [&str; 8] =
    ["report", "indicators", "--region", "330000", "--period", "2023", "--indicator", "INV_FAI"];

/// Two vintages with a correction and a late report between them.
fn twice_frozen() -> Place {
    let place = Place::with_sample();
    place.run(&freeze("2023 flash", "flash")).exits(0);
    report(&place, "INV_FAI", "2023-07", "36000000.50");
    report(&place, "INV_FAI", "2023-08", "10.00");
    place.run(&freeze("2023 final", "final")).exits(0);
    place
}

fn territorial(place: &Place, more: &[&str]) -> Value {
    place.run(&[&LIVE[..], more].concat()).exits(0).json()["rows"][0]["territorial"].clone()
}

#[test]
fn what_was_frozen_is_answered_for_ever() {
    let place = twice_frozen();
    report(&place, "INV_FAI", "2023-08", "5.00");
    assert_eq!(territorial(&place, &[]), "46000005.50");
    assert_eq!(territorial(&place, &["--vintage", "2023 flash"]), "45000000.50");
    assert_eq!(territorial(&place, &["--vintage", "2023 final"]), "46000010.50");

    let list = place.run(&["vintage", "list"]).exits(0).json();
    let flash = &list["rows"][0];
    assert_eq!((&flash["name"], &flash["kind"]), (&json!("2023 flash"), &json!("flash")));
    assert_eq!(flash["policy_version"], 1);
    let answered = place.run(&[&LIVE[..], &["--vintage", "2023 flash"]].concat()).exits(0).json();
    assert_eq!(answered["position"], flash["position"]);
    assert_eq!(answered["vintage"]["digest"], flash["digest"]);
    // Asked before the second freeze, there was only one.
    let then = flash["record"].to_string();
    let list = place.run(&["vintage", "list", "--as-of", &then]).exits(0).json();
    assert_eq!(list["rows"].as_array().unwrap().len(), 1);
    let explained = ["report", "explain", "--region", "330881", "--period", "2023", "--indicator", "INV_FAI"];
    let explained = place.run(&[&explained[..], &["--vintage", "2023 flash"]].concat()).exits(0).json();
    assert_eq!(explained["territorial"], "35000000.50");
}

#[test]
fn a_freeze_of_the_past_is_the_same_freeze() {
    let place = twice_frozen();
    let flash = place.run(&["vintage", "list"]).exits(0).json()["rows"][0].clone();
    let position = flash["position"].to_string();
    place.run(&[&freeze("again", "flash")[..], &["--at", &position]].concat()).exits(0);
    let rows = place.run(&["vintage", "list"]).exits(0).json()["rows"].clone();
    let again = rows.as_array().unwrap().iter().find(|row| row["name"] == "again").unwrap().clone();
    assert_eq!(again["digest"], flash["digest"]);
}

#[test]
fn revisions_have_reasons_that_add_up() {
    let place = twice_frozen();
    let args = ["report", "revisions", "--region", "330000"];
    let told = place.run(&args).exits(0).json();
    let row = |basis: &str, vintage: &str| {
        let rows = told["rows"].as_array().unwrap();
        rows.iter().find(|row| row["basis"] == basis && row["vintage"] == vintage).unwrap().clone()
    };
    assert_eq!(row("territorial", "2023 flash")["revision"], Value::Null);
    let last = row("territorial", "2023 final");
    assert_eq!((&last["value"], &last["revision"]), (&json!("46000010.50"), &json!("1000010.00")));
    assert_eq!(last["reasons"], json!({"correction": "1000000.00", "late_report": "10.00"}));
    // 60 % of it is the origin's as well, but the province counts each value once.
    assert_eq!(row("shared", "2023 final")["revision"], "1000010.00");
    assert_eq!(told["summary"][0]["difference"], "1000010.00");
    assert_eq!(told["reliability"][0]["mean_revision"], "1000010");
    for lang in ["zh", "en"] {
        same(&format!("revisions.{lang}.txt"), &place.table(lang, &args).exits(0).out);
    }
    let diff = ["vintage", "diff", "2023 flash", "2023 final", "--children", "--basis", "as_origin"];
    let told = place.run(&diff).exits(0).json();
    let origin: Vec<_> = told["rows"].as_array().unwrap().iter().map(|row| &row["region"]).collect();
    assert_eq!(origin, ["330100", "330108"], "only what left shows as origin");
    assert_eq!(told["rows"][1]["difference"], "600006.00");
    assert_eq!(told["rows"][1]["reasons"], json!({"correction": "600000.00", "late_report": "6.00"}));
    // The words may come in any order.
    let turned = place.run(&["vintage", "diff", "2023 final", "2023 flash"]).exits(0).json();
    assert_eq!((&turned["before"], &turned["after"]), (&json!("2023 flash"), &json!("2023 final")));
}

#[test]
fn nothing_is_answered_that_was_not_frozen() {
    let place = Place::with_sample();
    let none = place.run(&["report", "revisions", "--region", "330000"]).exits(1).error();
    assert_eq!(none["code"], "no_vintage");
    place.run(&freeze("V", "final")).exits(0);
    assert_eq!(place.run(&freeze("V", "final")).exits(1).error()["code"], "vintage_known");
    let vintage = ["report", "indicators", "--region", "330000", "--vintage", "V"];
    let code = |more: &[&str]| place.run(&[&vintage[..], more].concat()).exits(1).error()["code"].clone();
    assert_eq!(code(&["--period", "2024"]), "not_in_vintage");
    assert_eq!(code(&["--period", "2023", "--indicator", "EMP"]), "not_in_vintage");
    let other = ["report", "indicators", "--region", "330000", "--period", "2023", "--vintage", "W"];
    assert_eq!(place.run(&other).exits(1).error()["code"], "unknown_vintage");

    // A digest that is not that of the answers: on record, and never answered from.
    let line = json!({"as": "330000/statistics", "type": "freeze_vintage", "name": "false", "kind": "final",
        "indicators": ["INV_FAI"], "periods": ["2023"], "position": 7, "digest": "0".repeat(64)});
    place.write("false.jsonl", &format!("{line}\n"));
    place.run(&["submit", "false.jsonl"]).exits(0);
    let told = place.run(&[&LIVE[..], &["--vintage", "false"]].concat()).exits(1).error();
    assert_eq!(told["code"], "vintage_mismatch");
    assert_eq!(
        place.run(&["report", "revisions", "--region", "330000"]).exits(1).error()["code"],
        "vintage_mismatch"
    );
}
