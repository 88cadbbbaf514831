//! Disputes through the binary: their whole life, what figures show meanwhile, and the files behind them.

use std::fs;

use serde_json::{Value, json};

use crate::support::{PROJECT, Place, Ran};

const D: [&str; 3] = [
    "0198b2c4-0000-7000-9000-000000000001",
    "0198b2c4-0000-7000-9000-000000000002",
    "0198b2c4-0000-7000-9000-000000000003",
];
/// SHA-256 of `abc`.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn dispute(place: &Place, args: &[&str]) -> Ran {
    place.run(&[&["dispute"][..], args].concat())
}

/// The row of one region for the year 2023.
fn row(place: &Place, region: &str) -> Value {
    let report = ["report", "indicators", "--region", region, "--period", "2023", "--indicator", "INV_FAI"];
    place.run(&report).exits(0).json()["rows"][0].clone()
}

fn observation<'a>(id: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let matter = ["open", PROJECT, "--kind", "observation", "--indicator", "INV_FAI", "--period", "2023-07"];
    [&matter[..], &["--reason", "value_wrong", "--id", id], more].concat()
}

fn stage(place: &Place, id: &str) -> Value {
    dispute(place, &["show", id]).exits(0).json()["stage"].clone()
}

/// Nothing was changed, every ruling follows from what was on record, and the snapshot is what a replay gives.
fn proven(place: &Place) {
    assert_eq!(place.run(&["audit", "verify"]).exits(0).json()["verdict"], "proven");
    assert_eq!(place.run(&["audit", "replay"]).exits(0).json()["findings"], json!([]));
    place.run(&["check"]).exits(0);
    let before = row(place, "330108");
    place.run(&["check", "--rebuild"]).exits(0);
    assert_eq!(row(place, "330108"), before);
}

#[test]
fn from_the_opening_to_a_ruling_that_supersedes_another() {
    let place = Place::with_sample();
    place.write("c.pdf", "abc");
    let (origin, destination) = (row(&place, "330108"), row(&place, "330881"));
    let open = observation(D[0], &["--amount", "40000000.50", "--evidence", "c.pdf:合同", "--as", "330108"]);
    dispute(&place, &open).exits(0);

    // Nothing moves; what may come stands beside it.
    let open = row(&place, "330881");
    assert_eq!((&open["territorial"], &open["status"]), (&destination["territorial"], &json!("V")));
    assert_eq!(open["if_refused"]["territorial"], "40000000.50");
    assert_eq!(open["if_confirmed"]["shared"], destination["shared"]);
    assert_eq!(
        (&open["lower"]["shared"], &open["upper"]["shared"]),
        (&json!("35000000.50"), &json!("40000000.50"))
    );
    let share = row(&place, "330108");
    assert_eq!(
        (&share["shared"], &share["if_refused"]["shared"]),
        (&origin["shared"], &json!("34000000.30"))
    );
    assert_eq!(row(&place, "330102").get("if_refused"), None);

    let shown = dispute(&place, &["show", D[0]]).exits(0).json();
    assert_eq!((&shown["ruler"], &shown["next"]["act"]), (&json!("330000"), &json!("answer")));
    assert_eq!(shown["next"]["regions"], json!(["330881"]));
    assert_eq!(shown["evidence"][0]["file"], "whole");
    assert_eq!(shown["records"].as_array().unwrap().len(), 1);
    let report = place.run(&["report", "disputes", "--region", "330100"]).exits(0).json();
    assert_eq!((&report["rows"][0]["dispute"], &report["rows"][0]["age_days"]), (&json!(D[0]), &json!(0)));
    assert_eq!(place.run(&["report", "disputes", "--region", "331100"]).exits(0).json()["rows"], json!([]));

    dispute(&place, &["answer", D[0], "--statement", "如数上报", "--as", "330108"]).exits(77);
    dispute(&place, &["answer", D[0], "--statement", "如数上报", "--as", "330881"]).exits(0);

    // Four eyes.
    let rule = |value: &'static str, by: &'static str| {
        let rule =
            ["rule", D[0], "--remedy", "correct_value", "--value", value, "--reasons", "据合同", "--as", by];
        dispute(&place, &rule)
    };
    rule("38000000.50", "330100").exits(77);
    rule("38000000.50", "330000").exits(0);
    let same = dispute(&place, &["approve", D[0], "--as", "330000"]).exits(1).error();
    assert_eq!(same["code"], "same_person");
    dispute(&place, &["decline", D[0], "--reason", "理由不足", "--as", "330000/coordinator"]).exits(0);
    rule("38000000.50", "330000").exits(0);
    dispute(&place, &["approve", D[0], "--as", "330000/coordinator"]).exits(0);
    assert_eq!(stage(&place, D[0]), "ruled");
    assert_eq!(row(&place, "330881")["territorial"], destination["territorial"]);

    // Appealed: the next level rules, and its ruling is in force at once.
    dispute(&place, &["appeal", D[0], "--statement", "不服", "--as", "330881"]).exits(0);
    rule("36000000.50", "000000").exits(0);
    dispute(&place, &["approve", D[0], "--as", "000000/coordinator"]).exits(0);
    let shown = dispute(&place, &["show", D[0]]).exits(0).json();
    assert_eq!((&shown["stage"], &shown["next"]), (&json!("final"), &Value::Null));
    let after = row(&place, "330881");
    assert_eq!((&after["territorial"], &after["status"]), (&json!("36000000.50"), &json!("A")));
    assert_eq!(row(&place, "330108")["shared"], "31600000.30", "60 % of the ruled million more");
    let explain = ["report", "explain", "--region", "330881", "--indicator", "INV_FAI", "--period", "2023"];
    let line = place.run(&explain).exits(0).json()["rows"][0].clone();
    assert_eq!((&line["value"], &line["ruled_by"]), (&json!("36000000.50"), &json!(D[0])));
    let summary = shown["records"].as_array().unwrap().last().unwrap()["summary"].clone();
    assert!(summary.as_str().unwrap().contains("difference=1000000.00"), "{summary}");

    // What it changed is taken back by a ruling that supersedes it.
    let back = ["rule", D[0], "--remedy", "dismiss", "--reasons", "撤销", "--as", "000000"];
    dispute(&place, &back).exits(0);
    dispute(&place, &["approve", D[0], "--as", "000000/coordinator"]).exits(0);
    for (region, before) in [("330108", &origin), ("330881", &destination)] {
        assert_eq!(row(&place, region), *before);
    }
    proven(&place);
}

#[test]
fn an_agreement_is_signed_by_both_at_one_machine_or_two() {
    let place = Place::with_sample();
    dispute(&place, &observation(D[0], &["--as", "330108"])).exits(0);
    let settle = ["settle", D[0], "--remedy", "correct_value", "--value", "36000000.50"];
    let alone = dispute(&place, &[&settle[..], &["--as", "330108"]].concat()).exits(1).error();
    assert_eq!(alone["code"], "endorsement_missing");
    dispute(&place, &[&settle[..], &["--with", "330881", "--as", "330108"]].concat()).exits(0);
    assert_eq!(stage(&place, D[0]), "settled");
    assert_eq!(row(&place, "330881")["territorial"], "36000000.50");

    dispute(&place, &observation(D[1], &["--as", "330108"])).exits(0);
    let line = dispute(
        &place,
        &["settle", D[1], "--remedy", "correct_value", "--value", "37000000.50", "--with", "330881"],
    );
    place.write("agreed.json", &line.exits(0).out);
    let forged = fs::read_to_string(place.path("agreed.json")).unwrap().replace("37000000", "57000000");
    place.write("forged.json", &forged);
    let refused = dispute(&place, &["settle", "--line", "forged.json", "--as", "330108"]).exits(1).error();
    assert_eq!(refused["code"], "bad_endorsement");
    dispute(&place, &["settle", "--line", "agreed.json", "--as", "330108"]).exits(0);
    assert_eq!(row(&place, "330881")["territorial"], "37000000.50");
    dispute(&place, &["settle", "--line", "agreed.json", "--as", "330108"]).exits(1);
    dispute(&place, &["settle", D[1], "--as", "330108"]).exits(64);
    proven(&place);
}

#[test]
fn evidence_goes_without_touching_the_chain() {
    let place = Place::with_sample();
    place.write("c.pdf", "abc");
    place.write("d.csv", "a,b\n");
    dispute(&place, &observation(D[0], &["--evidence", "c.pdf:合同", "--as", "330108"])).exits(0);
    dispute(&place, &["evidence", "add", D[0], "d.csv", "--as", "330881/statistics"]).exits(0);
    dispute(&place, &["evidence", "add", D[0], "none.pdf", "--as", "330881"]).exits(65);
    let status = || {
        let rows = dispute(&place, &["evidence", "check"]).json()["rows"].clone();
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| row["status"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(status(), ["whole", "whole"]);
    let shown = dispute(&place, &["show", D[0]]).exits(0).json();
    assert_eq!(shown["evidence"][1]["media_type"], "text/csv");
    assert_eq!(
        (&shown["evidence"][0]["holder"], &shown["evidence"][1]["holder"]),
        (&json!("330108"), &json!("330881"))
    );

    dispute(&place, &["evidence", "get", ABC, "--out", "copy.pdf"]).exits(0);
    assert_eq!(fs::read(place.path("copy.pdf")).unwrap(), b"abc");
    dispute(&place, &["evidence", "get", ABC, "--out", "copy.pdf"]).exits(73);
    let kept = place.path("L.evidence").join(ABC);
    fs::write(&kept, "abd").unwrap();
    assert_eq!(
        dispute(&place, &["evidence", "get", ABC, "--out", "x"]).exits(1).error()["code"],
        "evidence_altered"
    );
    dispute(&place, &["evidence", "check"]).exits(1);
    assert_eq!(status(), ["altered", "whole"]);

    let withdraw =
        |by| dispute(&place, &["evidence", "withdraw", D[0], ABC, "--reason", "商业秘密", "--as", by]);
    withdraw("330881").exits(77);
    withdraw("330108").exits(0);
    assert!(!kept.exists());
    assert_eq!(status(), ["withdrawn", "whole"]);
    // A crash between record and file, or a copy that came back: named, and removed on demand.
    fs::write(&kept, "abc").unwrap();
    assert_eq!(status(), ["withdrawn_but_here", "whole"]);
    dispute(&place, &["evidence", "check", "--remove-withdrawn"]).exits(0);
    assert!(!kept.exists());
    proven(&place);
}

#[test]
fn a_region_that_disputes_and_appeals_everything_moves_nobody() {
    let place = Place::with_sample();
    let regions = ["000000", "330000", "330100", "330108", "330800", "330881"];
    let figures = |place: &Place| {
        regions.map(|region| {
            let row = row(place, region);
            ["territorial", "shared", "as_origin", "as_destination", "elimination"]
                .map(|key| row[key].clone())
        })
    };
    let before = figures(&place);
    dispute(&place, &observation(D[0], &["--amount", "99000000", "--as", "330108"])).exits(0);
    let claim =
        ["open", PROJECT, "--kind", "claim", "--reason", "terms_misapplied", "--as", "330108", "--id"];
    dispute(&place, &[&claim[..], &[D[1]]].concat()).exits(0);
    let transfer = ["open", PROJECT, "--kind", "transfer", "--reason", "other", "--as", "330108", "--id"];
    dispute(&place, &[&transfer[..], &[D[2]]].concat()).exits(0);
    let again = dispute(&place, &observation("0198b2c4-0000-7000-9000-000000000004", &["--as", "330108"]));
    assert_eq!(again.exits(1).error()["code"], "already_disputed");
    for id in D {
        dispute(&place, &["answer", id, "--statement", "不同意", "--as", "330881"]).exits(0);
        let rule = ["rule", id, "--remedy", "dismiss", "--reasons", "无据", "--as", "330000"];
        dispute(&place, &rule).exits(0);
        dispute(&place, &["approve", id, "--as", "330000/coordinator"]).exits(0);
        dispute(&place, &["appeal", id, "--statement", "不服", "--as", "330108"]).exits(0);
    }
    assert_eq!(figures(&place), before);
    let mine = dispute(&place, &["list", "--region", "330108", "--open"]).exits(0).json();
    assert_eq!(mine["rows"].as_array().unwrap().len(), 3);
    assert_eq!(dispute(&place, &["list", "--region", "330102"]).exits(0).json()["rows"], json!([]));
    assert_eq!(dispute(&place, &["list", "--due", "2020-01-01"]).exits(0).json()["rows"], json!([]));
    for id in D {
        dispute(&place, &["rule", id, "--remedy", "dismiss", "--reasons", "无据", "--as", "000000"]).exits(0);
        dispute(&place, &["approve", id, "--as", "000000/coordinator"]).exits(0);
    }
    assert_eq!(figures(&place), before);
    assert_eq!(row(&place, "330108").get("if_refused"), None);
    proven(&place);
}

/// A journal written by hand says no subject: it is filled in from what waits.
#[test]
fn a_journal_carries_a_whole_dispute() {
    let place = Place::with_sample();
    let id = D[0];
    let matter =
        json!({"kind": "observation", "project": PROJECT, "indicator": "INV_FAI", "period": "2023-07"});
    let lines = [
        json!({"as": "330108", "type": "open_dispute", "dispute": id, "matter": matter, "reason": "value_wrong"}),
        json!({"as": "330881", "type": "answer_dispute", "dispute": id, "statement": "属实"}),
        json!({"as": "330000", "type": "propose_ruling", "dispute": id, "reasons": "核实",
            "remedy": {"kind": "correct_value", "value": "1.00"}}),
        json!({"as": "330000/coordinator", "type": "approve_ruling", "dispute": id}),
        json!({"as": "330108", "type": "waive_appeal", "dispute": id}),
        json!({"as": "330881", "type": "waive_appeal", "dispute": id}),
    ];
    let lines = lines.map(|line| line.to_string());
    place.write("dispute.jsonl", &lines.join("\n"));
    place.run(&["submit", "dispute.jsonl"]).exits(0);
    assert_eq!(stage(&place, id), "final");
    assert_eq!(row(&place, "330881")["territorial"], "1.00");
    proven(&place);
}
