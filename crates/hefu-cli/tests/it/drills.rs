//! Drills: what a person does when a disk, a key or a secret is lost, from the first command to a proven ledger.

use std::{fs, process::Stdio, thread};

use serde_json::{Value, json};

use crate::{
    redaction::holding,
    support::{PROJECT, Place, Ran, SAMPLE, hefu},
};

fn code(ran: &Ran) -> String {
    ran.error()["code"].as_str().unwrap().to_owned()
}

/// One observation more.
fn report(place: &Place, value: u32) {
    let line = json!({"as": "330881", "type": "report_observation", "project": PROJECT, "indicator": "INV_FAI",
        "period": "2023-07", "value": format!("{value}.00")});
    place.write("one.jsonl", &format!("{line}\n"));
    place.run(&["submit", "one.jsonl"]).exits(0);
}

fn lose(place: &Place) {
    fs::rename(place.path("L"), place.path("lost")).unwrap();
}

fn figures(place: &Place) -> Value {
    let args = ["report", "indicators", "--region", "330000", "--children", "--period", "2023"];
    place.run(&args).exits(0).json()["rows"].clone()
}

#[test]
fn a_lost_disk_is_replaced_by_the_backup_and_the_ledger_goes_on() {
    let place = Place::with_sample();
    let first = place.run(&["backup", "B"]).exits(0).json();
    assert_eq!((&first["size"], &first["before"]), (&place.size().into(), &0.into()));
    report(&place, 1);
    place.run(&["audit", "checkpoint"]).exits(0);
    // What is there is not written again.
    let second = place.run(&["backup", "B", "--keys"]).exits(0).json();
    assert_eq!((&second["before"], &second["files"]), (&first["size"], &1.into()));
    assert!(second["keys"].as_u64().unwrap() > 10);
    assert_eq!(place.run(&["backup", "B"]).exits(0).json()["files"], 0);
    place.run_bare(&["audit", "verify", "B", "--key", "L.keys/log.key"]).exits(0);
    let before = figures(&place);

    lose(&place);
    fs::rename(place.path("L.keys"), place.path("lost.keys")).unwrap();
    let preview = place.run(&["restore", "B", "--preview"]).exits(0);
    let shown = preview.json();
    assert_eq!((&shown["state"], &shown["size"]), (&"preview".into(), &second["size"]));
    assert_eq!((&shown["checkpoint"], &shown["pins"]), (&second["size"], &0.into()));
    assert!(preview.err.contains("nothing outside the backup"), "{}", preview.err);
    assert!(!place.path("L").exists());
    let restored = place.run(&["restore", "B", "--checkpoint", "lost/checkpoint", "--old", "lost"]).exits(0);
    assert_eq!(restored.json()["pins"], 3);
    assert_eq!(figures(&place), before);
    report(&place, 2);
    assert_eq!(place.size(), second["size"].as_u64().unwrap() + 1);
    place.run(&["audit", "verify", "--key", "lost.keys/log.key"]).exits(0);
    place.run(&["audit", "replay"]).exits(0);
    place.run(&["audit", "checkpoint"]).exits(0);
    assert_eq!(code(&place.run(&["restore", "B"]).exits(73)), "unfit_backup");
}

#[test]
fn a_backup_is_taken_while_a_writer_is_at_work() {
    let place = Place::with_sample();
    let first: Value = serde_json::from_str(SAMPLE.lines().nth(1).unwrap()).unwrap();
    let line = |number: u32| {
        let mut line = first.clone();
        line["id"] = format!("0198b2c4-0000-7000-8002-{number:012}").into();
        line["project"] = format!("0198b2c4-7d3e-7000-8002-{number:012}").into();
        line["codes"] = json!([]);
        format!("{line}\n")
    };
    place.write("load.jsonl", &(0..3000).map(line).collect::<String>());
    let mut writer = hefu()
        .current_dir(place.path(""))
        .args(["-L", "L", "submit", "load.jsonl"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut sizes = Vec::new();
    while writer.try_wait().unwrap().is_none() {
        sizes.push(place.run(&["backup", "B"]).exits(0).json()["size"].as_u64().unwrap());
        thread::yield_now();
    }
    assert!(writer.wait().unwrap().success());
    assert!(sizes.is_sorted() && !sizes.is_empty());
    place.run_bare(&["audit", "verify", "B"]).exits(0);
    let last = place.run(&["backup", "B"]).exits(0).json();
    assert_eq!(last["size"], place.size());
    let before = figures(&place);
    lose(&place);
    place.run(&["restore", "B", "--old", "lost"]).exits(0);
    assert_eq!(figures(&place), before);
    report(&place, 3);
}

#[test]
fn a_backup_older_than_what_was_seen_is_refused_or_becomes_an_archive() {
    let place = Place::with_sample();
    let old = place.run(&["backup", "B"]).exits(0).json();
    report(&place, 1);
    place.run(&["audit", "checkpoint"]).exits(0);
    fs::copy(place.path("L/checkpoint"), place.path("witness.note")).unwrap();
    lose(&place);
    let pinned = place.run(&["restore", "B", "--checkpoint", "witness.note"]).exits(1);
    assert_eq!(code(&pinned), "backup_older");
    assert_eq!((&pinned.error()["size"], &pinned.error()["file"]), (&old["size"], &"witness.note".into()));
    assert_eq!(code(&place.run(&["restore", "B", "--old", "lost"]).exits(1)), "backup_older");
    assert!(!place.path("L").exists());
    // A checkpoint that is not this log's is no pin.
    let text = fs::read_to_string(place.path("witness.note")).unwrap().replacen("x.example", "y.example", 1);
    place.write("foreign.note", &text);
    place.run(&["restore", "B", "--checkpoint", "foreign.note"]).exits(74);

    // Nobody has a newer one: a new ledger, which says what it goes on from.
    fs::rename(place.path("L.keys"), place.path("B.keys")).unwrap();
    let ran = place.run(&["restore", "B", "--new-origin", "x.example/zj-2"]).exits(0);
    assert_eq!(ran.json()["state"], "continued");
    let verified = place.run(&["audit", "verify"]).exits(0).json();
    assert_eq!(verified["origin"], "x.example/zj-2");
    let note = format!(
        "continues x.example/zj after {} records, head {}",
        old["size"],
        old["head"].as_str().unwrap()
    );
    assert!(verified["notes"].as_array().unwrap().contains(&note.clone().into()), "{verified}");
    assert!(place.table("zh", &["audit", "verify"]).exits(0).out.contains("接续账本 x.example/zj"));
    place.run(&["audit", "replay"]).exits(0);
    place.run_bare(&["audit", "verify", "B"]).exits(0);
    // Regions, policy and the offices' keys are there; projects are the offices' to register again.
    place.run(&["submit", "journal.jsonl"]).exits(0);
    let same = ["restore", "B", "--new-origin", "x.example/zj"];
    fs::rename(place.path("L"), place.path("second")).unwrap();
    fs::rename(place.path("L.keys"), place.path("second.keys")).unwrap();
    assert_eq!(code(&place.run(&same)), "unfit_backup");
}

#[test]
fn a_backup_goes_only_forward_and_only_where_it_belongs() {
    let place = Place::with_sample();
    place.run(&["backup", "early"]).exits(0);
    report(&place, 1);
    place.run(&["backup", "B"]).exits(0);
    let kept = fs::read(place.path("B/head")).unwrap();
    // A ledger that fell behind must not replace what the backup still has.
    lose(&place);
    place.run(&["restore", "early"]).exits(0);
    assert_eq!(code(&place.run(&["backup", "B"]).exits(1)), "backup_older");
    report(&place, 2);
    assert_eq!(code(&place.run(&["backup", "B"]).exits(1)), "backup_forked");
    assert_eq!(fs::read(place.path("B/head")).unwrap(), kept);
    place.run_bare(&["audit", "verify", "B"]).exits(0);
    // The fork is found from a backup's side, too.
    fs::rename(place.path("L"), place.path("fork")).unwrap();
    assert_eq!(code(&place.run(&["restore", "B", "--old", "fork"]).exits(1)), "backup_forked");
    fs::rename(place.path("fork"), place.path("L")).unwrap();
    for bad in ["L/backup", "L", "journal.jsonl/x", "L.keys"] {
        assert_ne!(place.run(&["backup", bad]).code, 0, "{bad}");
    }
    // Damage is not copied over a good backup, and a damaged backup is not restored.
    let path = place.path("L/segments/00000000000000000000.seg");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(6).position(|window| window == "示例".as_bytes()).unwrap();
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(code(&place.run(&["backup", "early"]).exits(74)), "log_damaged");
    lose_again(&place);
    let path = place.path("B/segments/00000000000000000000.seg");
    let mut bytes = fs::read(&path).unwrap();
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(code(&place.run(&["restore", "B"]).exits(74)), "log_damaged");
    place.run(&["restore", "early"]).exits(0);
}

#[test]
fn a_log_in_sled_has_no_backup() {
    let place = Place::empty();
    let init = [
        "init",
        "S",
        "--origin",
        "s.example/x",
        "--regions",
        "zhejiang",
        "--dev-keys",
        "--log",
        "sled",
        "-q",
    ];
    place.run_bare(&init).exits(0);
    let ran = place.run_bare(&["-L", "S", "backup", "B", "--format", "json"]).exits(1);
    assert_eq!(code(&ran), "backup_needs_segments");
}

fn lose_again(place: &Place) {
    fs::rename(place.path("L"), place.path("lost-again")).unwrap();
}

#[test]
fn a_redaction_reaches_the_backup_with_the_next_run() {
    let place = Place::with_sample();
    place.run(&["backup", "B"]).exits(0);
    assert!(!holding(&place.path("B"), "示例电驱项目").is_empty());
    let history = place.run(&["project", "history", PROJECT]).exits(0).json();
    let at = history["rows"][0]["position"].to_string();
    place
        .run(&[
            "audit",
            "redact",
            &at,
            "--reason",
            "商业秘密",
            "--as",
            "330108",
            "--auditor",
            "330108/auditor",
        ])
        .exits(0);
    place.run(&["backup", "B"]).exits(0);
    assert_eq!(holding(&place.path("B"), "示例电驱项目"), Vec::<String>::new());
    lose(&place);
    place.run(&["restore", "B", "--old", "lost"]).exits(0);
    assert_eq!(place.run(&["audit", "verify"]).exits(0).json()["withheld"].as_array().unwrap().len(), 1);
    assert_eq!(place.run(&["project", "show", PROJECT]).exits(0).json()["name"], "■■■");
}

#[test]
fn a_stolen_key_is_revoked_and_what_it_signed_since_is_listed() {
    let place = Place::with_sample();
    let size = place.size();
    report(&place, 666);
    let key = |place: &Place, more: &[&str]| {
        place.run(&[&["audit", "key", "330881"], more].concat()).exits(0).json()
    };
    let before = key(&place, &[]);
    assert_eq!(before["suspect"], 0);
    let stolen = before["keys"][0]["key"].as_str().unwrap().to_owned();
    let line = json!({"as": "330800/coordinator", "type": "revoke_key", "key": stolen, "reason": "stolen",
        "compromised_since": size});
    place.write("revoke.jsonl", &format!("{line}\n"));
    place.run(&["submit", "revoke.jsonl"]).exits(0);
    let after = key(&place, &["--suspect"]);
    let rows = after["rows"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["position"], &after["suspect"]), (1, &size.into(), &1.into()));
    assert_eq!(key(&place, &[])["rows"].as_array().unwrap().len(), before["rows"].as_array().unwrap().len());
    assert_eq!(place.run(&["audit", "key", &stolen, "--suspect"]).exits(0).json()["rows"], after["rows"]);
    assert_eq!(place.run(&["audit", "replay"]).exits(0).json()["suspect"], json!([size]));
    assert_eq!(code(&place.run(&["audit", "key", "999999"]).exits(1)), "unknown_key");
    // The thief signs no more.
    let refused = place.run(&["submit", "one.jsonl"]);
    assert_eq!(code(&refused), "key_ended");
}
