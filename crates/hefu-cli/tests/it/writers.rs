//! One writer at a time, snapshot and index that can be thrown away, single commands.

use std::{
    fs,
    io::{Read as _, Write as _},
    process::Stdio,
    thread,
    time::Duration,
};

use serde_json::json;

use crate::support::{PROJECT, Place, SAMPLE, hefu};

#[test]
fn a_second_writer_is_refused_and_readers_are_not() {
    let place = Place::new();
    let mut first = hefu()
        .current_dir(place.path(""))
        .args(["-L", "L", "--format", "json", "submit", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    place.write("j.jsonl", SAMPLE);
    // Looking with another writer could take the lock away from the first; the file names its holder.
    let holder = || fs::read_to_string(place.path("L/lock")).unwrap_or_default();
    let held = (0..500).any(|_| {
        thread::sleep(Duration::from_millis(20));
        holder().trim() == first.id().to_string()
    });
    assert!(held, "the first writer takes the lock before it reads a line");
    let error = place.run(&["tick"]).exits(74).error();
    assert_eq!(error["code"], "ledger_in_use");
    place.run(&["report", "circulation"]).exits(0);
    place.run(&["audit", "verify"]).exits(0);
    first.stdin.take().unwrap().write_all(SAMPLE.as_bytes()).unwrap();
    let mut out = String::new();
    first.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert!(first.wait().unwrap().success(), "{out}");
    place.run(&["submit", "j.jsonl"]).exits(0);
}

#[test]
fn snapshot_and_index_can_be_thrown_away() {
    let place = Place::with_sample();
    let look = |ran: crate::support::Ran| ran.json()["looks"][1]["state"].as_str().unwrap().to_owned();
    assert_eq!(look(place.run(&["check"]).exits(0)), "same");
    place.run(&["check", "--rebuild"]).exits(0);
    assert!(!place.path("L/index").exists());
    assert_eq!(look(place.run(&["check"]).exits(0)), "absent");
    place.run(&["submit", "journal.jsonl"]).exits(0);
    assert_eq!(look(place.run(&["check"]).exits(0)), "same");
    // A damaged index heals: the next writer begins a new one.
    for entry in fs::read_dir(place.path("L/index")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::write(path, b"damaged").unwrap();
        }
    }
    place.run(&["submit", "journal.jsonl"]).exits(0);
    assert_eq!(look(place.run(&["check"]).exits(0)), "same");
    place.run(&["report", "circulation"]).exits(0);
}

#[test]
fn a_transfer_by_single_commands() {
    let place = Place::new();
    place.write("j.jsonl", &SAMPLE.lines().take(2).fold(String::new(), |text, line| text + line + "\n"));
    place.run(&["submit", "j.jsonl"]).exits(0);
    let done = |args: &[&str]| place.run(args).exits(0).json();
    done(&["tier", "exhaust", PROJECT, "original_site", "--reason", "land", "--as", "330108"]);
    done(&["tier", "waive", PROJECT, "local", "--reason", "无地", "--as", "330100"]);
    let tried =
        done(&["tier", "waive", PROJECT, "neighbouring", "--reason", "山区", "--as", "330000", "--dry-run"]);
    assert_eq!(tried["dry_run"], true);
    done(&["tier", "waive", PROJECT, "neighbouring", "--reason", "山区", "--as", "330000"]);
    let by_code = "2501-330108-04-01-123456";
    let propose = ["transfer", "propose", by_code, "--to", "江山市", "--origin-bp", "6000", "--as", "330108"];
    done(&propose);
    done(&["transfer", "decline", by_code, "--reason", "条款待商", "--as", "330881"]);
    done(&propose);
    done(&["transfer", "withdraw", by_code, "--as", "330108"]);
    place.write("terms.json", r#"{"credits":{"investment":{"origin_bp":5000,"destination_bp":5000}}}"#);
    done(&["transfer", "propose", by_code, "--to", "330881", "--terms", "terms.json", "--as", "330108"]);
    let accepted = done(&["transfer", "accept", by_code, "--as", "330881"]);
    assert_eq!(accepted["receipt"]["origin"], "x.example/zj");
    let project = place.run(&["project", "show", by_code]).exits(0).json();
    let outcomes: Vec<_> =
        project["transfers"].as_array().unwrap().iter().map(|one| one["outcome"].clone()).collect();
    assert_eq!(outcomes, [json!("declined"), json!("withdrawn"), json!("accepted")]);
    assert_eq!(project["transfers"][0]["terms"]["credits"]["research"]["origin_bp"], 6000);
    assert_eq!(project["transfers"][2]["terms"]["credits"]["investment"]["destination_bp"], 5000);
    assert_eq!(project["open_tier"], "wider");
    let suggested = place.run(&["project", "suggest", by_code]).exits(0).json();
    assert!(suggested["rows"].as_array().unwrap().len() > 50);
    place.run(&["audit", "replay"]).exits(0);
}

#[test]
fn a_ledger_without_trial_keys() {
    let place = Place::empty();
    let init = [
        "init",
        "L",
        "--origin",
        "x.example/zj",
        "--regions",
        "zhejiang",
        "--roots",
        "2",
        "--threshold",
        "2",
        "--root-person",
        "甲",
        "--root-person",
        "乙",
        "--format",
        "json",
    ];
    place.run_bare(&init).exits(0);
    let mut keys: Vec<_> = fs::read_dir(place.path("L.keys"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    keys.sort();
    assert_eq!(keys, ["log.key", "root-1.key", "root-2.key"]);
    assert!(fs::read_to_string(place.path("L.keys/root-2.key")).unwrap().contains("乙"));
    place.run(&["audit", "verify"]).exits(0);
    place.run(&["audit", "replay"]).exits(0);
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let place = Place::with_sample();
    let mut child = hefu()
        .current_dir(place.path(""))
        .args(["-L", "L", "report", "indicators", "--region", "330000", "--children", "--period", "2023"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let out = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(out.stderr).unwrap(), "");
}
