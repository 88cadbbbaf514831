//! A ledger that keeps its witnesses is held to what they saw whenever it opens for writing.

#![cfg(unix)]

use std::{fs, process::Command};

use serde_json::Value;

use crate::{
    support::{Place, Ran, SAMPLE},
    witness::{COSIGN, REGIONS, Serving, copy, grow, signatures, watched, write_policy},
};

fn code(ran: &Ran) -> String {
    ran.error()["code"].as_str().unwrap().to_owned()
}

/// Every byte below a folder.
fn bytes(place: &Place, folder: &str) -> Vec<u8> {
    let mut tar = Command::new("tar");
    tar.args(["-cf", "-", "--sort=name", "--mtime=@0", folder]).current_dir(place.path(""));
    let packed = tar.output().unwrap();
    assert!(packed.status.success());
    packed.stdout
}

fn put_back(place: &Place, backup: &str) {
    fs::remove_dir_all(place.path("L")).unwrap();
    copy(place, backup, "L");
}

#[test]
fn an_older_ledger_does_not_open_once_its_witnesses_are_kept() {
    let (place, _serving) = watched();
    assert_eq!(code(&place.run(&["audit", "witness", "use"]).exits(1)), "no_witnesses");
    place.run(&["audit", "witness", "use", "policy"]).exits(0);
    let kept = place.run(&["audit", "witness", "use"]).exits(0).json();
    assert_eq!(kept["fail"], "closed");
    assert!(kept["policy"].as_str().unwrap().contains("quorum regions"));
    // Nothing more is named: they are asked.
    let first = place.run(&["audit", "checkpoint"]).exits(0).json();
    assert_eq!(signatures(first["note"].as_str().unwrap()), 4);
    place.run(&["audit", "witness", "check"]).exits(0);
    copy(&place, "L", "older");
    grow(&place, 1);
    place.run(&["audit", "checkpoint"]).exits(0);

    put_back(&place, "older");
    let before = bytes(&place, "L/segments");
    for write in [&["submit", "one.jsonl"][..], &["tick"], &["audit", "rotate-log-key"]] {
        let refused = place.run(write).exits(2);
        assert_eq!(code(&refused), "witness_contradicts", "{write:?}");
    }
    for publish in [&["audit", "checkpoint"][..], &["audit", "export", "site"]] {
        assert_eq!(code(&place.run(publish).exits(2)), "witness_contradicts");
    }
    assert_eq!(code(&place.run(&["audit", "witness", "use", "policy"]).exits(2)), "witness_contradicts");
    assert_eq!(bytes(&place, "L/segments"), before, "nothing was written");
    // Who only looks is not kept from it, and sees what it is.
    place.run(&["audit", "verify"]).exits(0);
    assert_eq!(
        place.run(&["audit", "witness", "check"]).exits(2).json()["witnesses"][0]["standing"],
        "ahead"
    );
    // The operator may stop asking; then it is his word alone.
    place.run(&["audit", "witness", "use", "--none"]).exits(0);
    place.run(&["submit", "one.jsonl"]).exits(0);
}

#[test]
fn witnesses_that_are_away_close_the_ledger_or_are_named() {
    let (place, mut serving) = watched();
    place.run(&["audit", "witness", "use", "policy"]).exits(0);
    place.run(&["audit", "checkpoint"]).exits(0);
    copy(&place, "L", "older");
    grow(&place, 1);
    place.run(&["audit", "checkpoint"]).exits(0);
    // One of three may be away, and is named.
    drop(serving.remove(0));
    let ran = place.run(&["tick"]).exits(1);
    assert_eq!(code(&ran), "nothing_due", "the ledger was open");
    assert!(ran.err.contains("w330100"), "{}", ran.err);
    drop(serving.remove(0));
    let closed = place.run(&["submit", "one.jsonl"]).exits(1);
    assert_eq!(code(&closed), "witnesses_silent");
    let why = closed.error()["detail"].as_str().unwrap_or_default().to_owned();
    assert!(why.contains("w330100") && why.contains("w330200"), "{}", closed.err);
    place.run(&["audit", "witness", "use", "policy", "--fail-open"]).exits(0);
    assert_eq!(place.run(&["audit", "witness", "use"]).exits(0).json()["fail"], "open");
    let open = place.run(&["submit", "one.jsonl"]).exits(0);
    assert!(open.err.contains("w330200"), "{}", open.err);
    place.run(&["audit", "checkpoint"]).exits(0);
    // The one that is left saw more: that stops the ledger in either mode.
    put_back(&place, "older");
    assert_eq!(code(&place.run(&["submit", "one.jsonl"]).exits(2)), "witness_contradicts");
    // A file that cannot be read is not a ledger without witnesses.
    fs::write(place.path("L.keys/witnesses.json"), "{}").unwrap();
    assert_eq!(code(&place.run(&["tick"]).exits(74)), "bad_file");
}

#[test]
fn receipts_carry_the_cosignatures() {
    let (place, _serving) = watched();
    place.run(&["audit", "witness", "use", "policy"]).exits(0);
    let line = SAMPLE.lines().nth(2).unwrap().replace("000000000003", "0000000000aa");
    place.write("more.jsonl", &line.replace("2023-03", "2023-04"));
    place.run(&["submit", "more.jsonl", "--receipts", "receipts"]).exits(0);
    let mut proof = fs::read_dir(place.path("receipts")).unwrap().map(|entry| entry.unwrap().path());
    let proof = proof.find(|path| path.extension().is_some_and(|e| e == "tlog-proof")).unwrap();
    place.run_bare(&["audit", "verify", proof.to_str().unwrap(), "--policy", "policy"]).exits(0);
}

#[test]
fn a_log_in_sled_is_held_to_its_witnesses_too() {
    let place = Place::empty();
    let init =
        ["init", "L", "--origin", "s.example/zj", "--regions", "zhejiang", "--dev-keys", "--log", "sled"];
    place.run_bare(&[&init[..], &["-q"]].concat()).exits(0);
    place.run(&["audit", "export", "site", "--vkey", "log.vkey"]).exits(0);
    let serving: Vec<Serving> = REGIONS.iter().map(|region| witness(&place, region)).collect();
    write_policy(&place, &serving);
    for _ in 0..2 {
        let note = place.run(&COSIGN).exits(0).json()["note"].as_str().unwrap().to_owned();
        assert_eq!(signatures(&note), 4);
    }
    place.run(&["audit", "witness", "check", "--witnesses", "policy"]).exits(0);
    place.run(&["audit", "witness", "use", "policy"]).exits(0);
    copy(&place, "L", "older");
    place.write("journal.jsonl", SAMPLE);
    place.run(&["submit", "journal.jsonl"]).exits(0);
    place.run(&["audit", "export", "site"]).exits(0);
    put_back(&place, "older");
    assert_eq!(code(&place.run(&["submit", "journal.jsonl"]).exits(2)), "witness_contradicts");
    assert_eq!(code(&place.run(&["audit", "checkpoint"]).exits(2)), "witness_contradicts");
}

fn witness(place: &Place, region: &str) -> Serving {
    let name = format!("witness.example/{region}");
    let init = ["audit", "witness", "init", region, "--name", &name, "--format", "json"];
    place.write(&format!("{region}.json"), &place.run_bare(&init).exits(0).out);
    place.run_bare(&["audit", "witness", "add-log", region, "log.vkey"]).exits(0);
    Serving::start(place, &["audit", "witness", "serve", region])
}

#[test]
fn a_restore_asks_for_the_quorum_and_the_witnesses() {
    let (place, serving) = watched();
    place.run(&["audit", "witness", "use", "policy"]).exits(0);
    place.run(&["audit", "checkpoint"]).exits(0);
    fs::copy(place.path("L/checkpoint"), place.path("cosigned.note")).unwrap();
    place.run(&["backup", "B", "--keys"]).exits(0);
    assert!(place.path("B.keys/witnesses.json").exists(), "who the witnesses are goes with the keys");
    let note = fs::read_to_string(place.path("cosigned.note")).unwrap();
    let alone: Vec<&str> = note.lines().filter(|line| !line.contains("witness.example")).collect();
    place.write("alone.note", &format!("{}\n", alone.join("\n")));

    // Another machine: nothing but the backup with its keys.
    let elsewhere = Place::empty();
    for what in ["B", "B.keys", "alone.note", "cosigned.note", "policy"] {
        let from = place.path(what).display().to_string();
        assert!(Command::new("cp").args(["-r", &from]).arg(elsewhere.path(what)).status().unwrap().success());
    }
    for policy in [&["--policy", "policy"][..], &[]] {
        let with = |note| [&["restore", "B", "--preview", "--checkpoint", note], policy].concat();
        let refused = elsewhere.run(&with("alone.note")).exits(1);
        assert_eq!(code(&refused), "no_quorum");
        assert!(refused.error()["detail"].as_str().unwrap().contains("w330200"), "{}", refused.err);
        assert_eq!(elsewhere.run(&with("cosigned.note")).exits(0).json()["pins"], 1);
    }
    let ran = elsewhere.run(&["restore", "B"]).exits(0);
    assert!(!ran.err.contains("nothing outside the backup"), "the witnesses were asked: {}", ran.err);
    assert!(elsewhere.path("L.keys/witnesses.json").exists());
    grow(&elsewhere, 9);

    // They have seen more meanwhile: the same backup is refused.
    grow(&place, 1);
    place.run(&["audit", "checkpoint"]).exits(0);
    fs::remove_dir_all(elsewhere.path("L")).unwrap();
    assert_eq!(code(&elsewhere.run(&["restore", "B"]).exits(2)), "witness_contradicts");
    assert!(!elsewhere.path("L").exists());
    // Nobody can be asked: it is said, and opening asks again.
    drop(serving);
    let ran = elsewhere.run(&["restore", "B"]).exits(0);
    assert!(ran.err.contains("too few witnesses can be asked"), "{}", ran.err);
    assert_eq!(code(&elsewhere.run(&["tick"]).exits(1)), "witnesses_silent");
}

#[test]
fn witnesses_follow_the_rotation_of_the_log_key() {
    let (place, mut serving) = watched();
    place.run(&["audit", "witness", "use", "policy"]).exits(0);
    place.run(&["audit", "checkpoint"]).exits(0);
    // They know the old key only: within the window that is enough, for them and for the policy.
    let rotated = place.run(&["audit", "rotate-log-key"]).exits(0).json();
    let note = place.run(&["audit", "checkpoint"]).exits(0).json()["note"].as_str().unwrap().to_owned();
    assert_eq!(signatures(&note), 5, "two keys of the log and three witnesses: {note}");
    place.run(&["audit", "witness", "check"]).exits(0);
    let policy = ["audit", "verify", "--policy", "policy"];
    let report = place.run(&policy).exits(0);
    assert!(report.out.contains("cosigned by w330100, w330200, w330800"), "{}", report.out);

    // The window is closed: who knows the old key only cosigns no more.
    let old = place.path(&format!("L.keys/log-{}.key", rotated["old"].as_str().unwrap()));
    fs::remove_file(old).unwrap();
    grow(&place, 1);
    assert_eq!(code(&place.run(&["audit", "checkpoint"]).exits(1)), "no_quorum");
    // They are told of the new key, and so is the policy.
    place.run(&["audit", "export", "fresh", "--vkey", "new.vkey", "--fail-open"]).exits(0);
    let first = fs::read_to_string(place.path("log.vkey")).unwrap();
    let second = fs::read_to_string(place.path("new.vkey")).unwrap();
    assert_ne!(first, second);
    for (region, serving) in REGIONS.iter().zip(serving.drain(..)) {
        serving.stop();
        place.run_bare(&["audit", "witness", "add-log", region, "new.vkey"]).exits(0);
    }
    serving
        .extend(REGIONS.iter().map(|region| Serving::start(&place, &["audit", "witness", "serve", region])));
    write_policy(&place, &serving);
    let text = fs::read_to_string(place.path("policy")).unwrap();
    place.write("policy", &format!("log {second}{text}"));
    place.run(&["audit", "witness", "use", "policy"]).exits(0);
    let note: Value = place.run(&["audit", "checkpoint"]).exits(0).json();
    assert_eq!(signatures(note["note"].as_str().unwrap()), 4);
    place.run(&["audit", "witness", "check"]).exits(0);
    grow(&place, 2);
}
