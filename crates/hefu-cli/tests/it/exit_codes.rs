//! Every exit code of the contract, by what leads to it.

use std::fs;

use serde_json::json;

use crate::support::{PROJECT, Place};

#[test]
fn usage_is_64() {
    let place = Place::new();
    for args in [
        &["frobnicate"][..],
        &["submit"],
        &["report", "indicators", "--region", "330000", "--period", "2023-13"],
        &["report", "indicators", "--region", "330000"],
        &["--format", "xml", "check"],
        &[],
    ] {
        place.run_bare(args).exits(64);
    }
    let error = place.run(&["report", "indicators", "--region", "330000"]).exits(64).error();
    assert_eq!((&error["code"], &error["exit"]), (&json!("usage"), &json!(64)));
    for args in [&["--help"][..], &["submit", "--help"], &["--version"], &["-V"]] {
        place.run_bare(args).exits(0);
    }
}

#[test]
fn a_refusal_is_1_and_a_missing_right_77() {
    let place = Place::with_sample();
    let code = |ran: crate::support::Ran| ran.error()["code"].as_str().unwrap().to_owned();
    let propose = |key| {
        let args = ["transfer", "propose", PROJECT, "--to", "330108", "--as", key];
        place.run(&args)
    };
    assert_eq!(code(propose("330881").exits(1)), "tier_not_open");
    assert_eq!(code(propose("330108").exits(77)), "foreign_office");
    assert_eq!(code(propose("330881/treasury").exits(77)), "wrong_role");
    assert_eq!(code(propose("999999").exits(77)), "no_key");
    assert_eq!(code(place.run(&["tick"]).exits(1)), "nothing_due");
    assert_eq!(code(place.run(&["project", "show", "nothing"]).exits(1)), "unknown_project");
    let unknown = ["report", "indicators", "--region", "339999", "--period", "2023"];
    assert_eq!(code(place.run(&unknown).exits(1)), "unknown_region");
}

#[test]
fn the_first_line_that_is_wrong_decides_for_a_journal() {
    let place = Place::with_sample();
    let line = |key: &str, period: &str| {
        format!(
            "{{\"as\":\"{key}\",\"type\":\"report_observation\",\"project\":\"{PROJECT}\",\"indicator\":\"INV_FAI\",\"period\":\"{period}\",\"value\":\"1.00\"}}\n"
        )
    };
    let (foreign, rule) = (line("330108", "2023-09"), line("330881", "2099-01"));
    let broken = "{\n".to_owned();
    for (lines, code) in [([&foreign, &rule], 77), ([&rule, &foreign], 1), ([&broken, &foreign], 65)] {
        place.write("j.jsonl", &lines.map(String::as_str).concat());
        for more in [&[][..], &["--atomic"], &["--keep-going"], &["--dry-run"]] {
            place.run(&[&["submit", "j.jsonl"][..], more].concat()).exits(code);
        }
    }
    // Going on, the errors come in the order of the lines, whoever found them.
    place.write("j.jsonl", &[foreign.as_str(), &broken, &rule].concat());
    let result = place.run(&["submit", "j.jsonl", "--keep-going"]).exits(77);
    let lines: Vec<u64> =
        result.json()["refusals"].as_array().unwrap().iter().map(|r| r["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [1, 2, 3]);
    let said: Vec<serde_json::Value> =
        result.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(said.iter().map(|error| error["line"].as_u64().unwrap()).collect::<Vec<_>>(), lines);
}

#[test]
fn a_line_that_is_not_there_is_wrong_usage() {
    let place = Place::with_sample();
    let error = place.run(&["submit", "journal.jsonl", "--from-line", "20"]).exits(64).error();
    assert_eq!((&error["code"], &error["line"]), (&json!("no_such_line"), &json!(20)));
    place.run(&["submit", "journal.jsonl", "--from-line", "19"]).exits(0);
    place.run(&["submit", "journal.jsonl", "--from-line", "0"]).exits(64);
}

#[test]
fn bad_input_is_65() {
    let place = Place::new();
    assert_eq!(place.run(&["submit", "L"]).exits(65).error()["code"], "not_a_file");
    place.run(&["submit", "missing.jsonl"]).exits(65);
    place.write("bad.jsonl", "{\n");
    let error = place.run(&["submit", "bad.jsonl"]).exits(65).error();
    assert_eq!((&error["code"], &error["line"]), (&json!("bad_json"), &json!(1)));
}

#[test]
fn what_cannot_be_created_is_73() {
    let place = Place::new();
    let init = ["init", "L", "--origin", "x.example/zj", "--regions", "zhejiang", "--format", "json"];
    let error = place.run_bare(&init).exits(73).error();
    assert_eq!(error["code"], "exists");
    place.write("j.jsonl", "");
    place.run(&["submit", "j.jsonl", "--receipts", "j.jsonl"]).exits(73);
}

#[test]
fn no_ledger_is_74() {
    let place = Place::empty();
    let error = place.run(&["check"]).exits(74).error();
    assert_eq!(error["code"], "no_ledger");
    place.run(&["report", "circulation"]).exits(74);
    place.run(&["audit", "verify"]).exits(74);
}

#[test]
fn a_bad_policy_or_region_table_is_78() {
    let place = Place::empty();
    let init = |more: &[&str]| {
        let mut args = vec!["init", "L", "--origin", "x.example/zj", "--dev-keys", "--format", "json"];
        args.extend(more);
        place.run_bare(&args)
    };
    let missing = init(&["--regions", "zhejiang", "--policy", "none.toml"]).exits(78).error();
    assert_eq!(missing["file"], "none.toml");
    let missing = init(&["--regions", "jiangsu"]).exits(78).error();
    assert!(missing["hint"].as_str().unwrap().contains("only `zhejiang` is built in"), "{missing}");
    place.write("policy.toml", "multi_hop = \"sometimes\"\n");
    let error = init(&["--regions", "zhejiang", "--policy", "policy.toml"]).exits(78).error();
    assert_eq!((&error["file"], &error["row"]), (&json!("policy.toml"), &json!(1)));
    place.write(
        "regions.csv",
        "code,name_zh,level,parent\n330000,浙江省,province,\n330100,杭州市,city,110000\n",
    );
    init(&["--regions", "regions.csv"]).exits(78);
    assert!(!place.path("L").exists() && !place.path("L.keys").exists());
}

#[test]
fn a_changed_byte_is_2_and_a_torn_tail_1() {
    let place = Place::with_sample();
    let path = place.path("L/segments/00000000000000000000.seg");
    let whole = fs::read(&path).unwrap();
    let needle = "示例电驱项目".as_bytes();
    let at = whole.windows(needle.len()).position(|window| window == needle).unwrap();
    let mut altered = whole.clone();
    altered[at] ^= 1;
    fs::write(&path, &altered).unwrap();
    let report = place.run(&["audit", "verify"]).exits(2).json();
    assert_eq!(report["verdict"], "proven_bad");
    assert!(!report["findings"].as_array().unwrap().is_empty());
    let shown = place.table("zh", &["audit", "verify"]).exits(2).out;
    assert!(shown.contains("结论:已证实有误"), "{shown}");

    let end = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut torn = whole;
    torn.truncate(end.next_multiple_of(8));
    torn.extend_from_slice(b"HFR\x01\x01\0\0\0");
    fs::write(&path, &torn).unwrap();
    let report = place.run(&["audit", "verify"]).exits(1).json();
    assert_eq!(report["verdict"], "not_proven");
}

#[test]
fn a_head_that_is_gone_proves_nothing_and_a_damaged_one_is_bad() {
    let place = Place::with_sample();
    let head = fs::read(place.path("L/head")).unwrap();
    fs::remove_file(place.path("L/head")).unwrap();
    assert_eq!(place.run(&["audit", "verify"]).exits(1).json()["verdict"], "not_proven");
    for place_of_bit in [1, 10, 40, 150, head.len() - 4] {
        let mut altered = head.clone();
        altered[place_of_bit] ^= 1;
        fs::write(place.path("L/head"), &altered).unwrap();
        place.run(&["audit", "verify"]).exits(2);
    }
}

#[test]
fn the_log_key_can_be_given() {
    let place = Place::with_sample();
    let notes = |ran: crate::support::Ran| {
        let json = ran.json();
        let anchored = |note: &&serde_json::Value| note.as_str().unwrap().starts_with("self-consistent");
        json["notes"].as_array().unwrap().iter().filter(anchored).count()
    };
    assert_eq!(notes(place.run(&["audit", "verify"]).exits(0)), 1);
    assert_eq!(notes(place.run(&["audit", "verify", "--key", "L.keys/log.key"]).exits(0)), 0);
    let public = place.run(&["audit", "verify"]).exits(0).json()["log_key"].as_str().unwrap().to_owned();
    assert_eq!(notes(place.run(&["audit", "verify", "L", "--key", &public]).exits(0)), 0);
    place.run(&["audit", "verify", "--key", "L.keys/330108.office.key"]).exits(2);
    place.write("junk", "no key");
    place.run(&["audit", "verify", "--key", "junk"]).exits(65);
}
