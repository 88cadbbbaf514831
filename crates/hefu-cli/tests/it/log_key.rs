//! Drills with the log's own key: replaced in normal life, lost, stolen.

use std::fs;

use hefu_chain::{
    checkpoint::Checkpoint,
    key::SecretKey,
    note::{Note, VerifierKey},
};
use hefu_offline::note::LogKey;
use serde_json::{Value, json};

use crate::support::{PROJECT, Place, Ran};

fn report(place: &Place, value: u32) {
    let line = json!({"as": "330881", "type": "report_observation", "project": PROJECT, "indicator": "INV_FAI",
        "period": "2023-07", "value": format!("{value}.00")});
    place.write("one.jsonl", &format!("{line}\n"));
    place.run(&["submit", "one.jsonl"]).exits(0);
}

impl Place {
    fn public(&self, file: &str) -> String {
        let key: Value = serde_json::from_slice(&fs::read(self.path(file)).unwrap()).unwrap();
        key["public"].as_str().unwrap().to_owned()
    }

    fn secret(&self, file: &str) -> SecretKey {
        let key: Value = serde_json::from_slice(&fs::read(self.path(file)).unwrap()).unwrap();
        let seed: hefu_chain::key::PublicKey = key["secret"].as_str().unwrap().parse().unwrap();
        SecretKey::from_seed(seed.0)
    }

    /// Both verifiers, with a key or without.
    fn proven(&self, keys: &[&str]) {
        for key in keys {
            self.run(&["audit", "verify", "--key", key]).exits(0);
            let report = hefu_offline::verify(&self.path("L"), LogKey::parse(key).as_ref()).unwrap();
            assert_eq!(report.verdict, hefu_offline::Verdict::Proven, "{report:?}");
        }
        self.run(&["audit", "replay"]).exits(0);
    }

    /// The exit codes of the two verifiers for a file.
    fn both(&self, file: &str, key: &str) -> [i32; 2] {
        let first = self.run_bare(&["audit", "verify", file, "--key", key]).code;
        let report = hefu_offline::verify(&self.path(file), LogKey::parse(key).as_ref()).unwrap();
        let second = match report.verdict {
            hefu_offline::Verdict::Proven => 0,
            hefu_offline::Verdict::NotProven => 1,
            hefu_offline::Verdict::ProvenBad => 2,
        };
        [first, second]
    }

    /// Which of these public keys alone accept the newest checkpoint.
    fn accepted(&self, keys: &[&str]) -> Vec<bool> {
        let note = Note::parse(&fs::read(self.path("L/checkpoint")).unwrap()).unwrap();
        let origin = "x.example/zj".parse().unwrap();
        let key = |key: &&str| VerifierKey::of_log(&origin, key.parse().unwrap()).unwrap();
        keys.iter().map(|one| Checkpoint::open(&note, [&key(one)]).is_ok()).collect()
    }
}

/// The bundle with its checkpoint signed by another key of the log, and its last line made to fit.
fn signed_by_thief(bundle: &str, thief: &SecretKey) -> String {
    let (first, rest) = bundle.split_once('\n').unwrap();
    let (lines, _) = rest.trim_end().rsplit_once('\n').unwrap();
    let mut header: Value = serde_json::from_str(first).unwrap();
    let note = Note::parse(header["checkpoint"].as_str().unwrap().as_bytes()).unwrap();
    let checkpoint: Checkpoint = note.text().parse().unwrap();
    header["checkpoint"] = checkpoint.sign(thief).unwrap().to_string().into();
    header["log_key"] = thief.public().to_string().into();
    let lines = format!("{header}\n{lines}\n");
    let sha256 = hefu_chain::hash::Sha256Digest::of(lines.as_bytes());
    format!("{lines}{{\"lines\":{},\"sha256\":\"{sha256}\"}}\n", lines.lines().count())
}

fn kinds(ran: &Ran) -> Vec<String> {
    let report = ran.json();
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_log_key_is_replaced_in_normal_life() {
    let place = Place::with_sample();
    place.run(&["audit", "checkpoint"]).exits(0);
    fs::copy(place.path("L/checkpoint"), place.path("early")).unwrap();
    let old = place.public("L.keys/log.key");
    let rotated = place.run(&["audit", "rotate-log-key"]).exits(0).json();
    let new = rotated["public"].as_str().unwrap().to_owned();
    assert!(rotated["both_until"].is_string());
    assert_eq!(place.public("L.keys/log.key"), new);
    assert_eq!(place.public(&format!("L.keys/log-{}.key", rotated["old"].as_str().unwrap())), old);

    // Restarts within the window: each key alone accepts the checkpoint, and the ledger.
    report(&place, 1);
    place.run(&["audit", "export", "site"]).exits(0);
    assert_eq!(place.accepted(&[&old, &new]), [true, true]);
    for key in [&old, &new] {
        place.run_bare(&["audit", "verify", "site", "--key", key]).exits(0);
    }
    report(&place, 2);
    place.proven(&[&old, &new]);
    place.run(&["audit", "verify", "--key", &old, "--since", "early"]).exits(0);
    place.run(&["audit", "prove", "3", "--out", "3.tlog-proof"]).exits(0);
    // What is handed out in the window satisfies both verifiers, whichever key one has.
    let size = place.size();
    place.run(&["audit", "checkpoint"]).exits(0);
    place.run(&["audit", "bundle", "--range", &format!("0..{size}"), "--out", "all.bundle"]).exits(0);
    place.run(&["audit", "bundle", "--project", PROJECT, "--out", "project.bundle"]).exits(0);
    for file in ["all.bundle", "project.bundle", "3.tlog-proof"] {
        for key in [&old, &new] {
            assert_eq!(place.both(file, key), [0, 0], "{file} {key}");
        }
    }

    // The old key is destroyed: checkpoints go on with the new one.
    fs::remove_file(place.path(&format!("L.keys/log-{}.key", rotated["old"].as_str().unwrap()))).unwrap();
    report(&place, 4);
    place.run(&["audit", "checkpoint"]).exits(0);
    assert_eq!(place.accepted(&[&old, &new]), [false, true]);
    // From here on a bundle is the new key's word: with the old one it is not proven, and not proven bad.
    place.run(&["audit", "bundle", "--range", &format!("0..{size}"), "--out", "later.bundle"]).exits(0);
    assert_eq!(place.both("later.bundle", &new), [0, 0]);
    assert_eq!(place.both("later.bundle", &old), [1, 1]);
    // And a second time.
    let third =
        place.run(&["audit", "rotate-log-key"]).exits(0).json()["public"].as_str().unwrap().to_owned();
    report(&place, 3);
    place.proven(&[&old, &new, &third]);
    place.run(&["backup", "B", "--keys"]).exits(0);
    place.run_bare(&["audit", "verify", "B", "--key", &old]).exits(0);
}

#[test]
fn a_stop_between_key_store_and_log_loses_nothing() {
    let place = Place::with_sample();
    let old = place.public("L.keys/log.key");
    // The new key was written and the record was not: the old one goes on.
    fs::copy(place.path("L.keys/root-1.key"), place.path("L.keys/log-next.key")).unwrap();
    report(&place, 1);
    assert_eq!(place.public("L.keys/log.key"), old);
    fs::remove_file(place.path("L.keys/log-next.key")).unwrap();
    // The record was written and the files have their old names, or only one of them.
    let rotated = place.run(&["audit", "rotate-log-key"]).exits(0).json();
    let (new, aside) = (rotated["key"].as_str().unwrap(), rotated["old"].as_str().unwrap());
    let name = |id: &str| place.path(&format!("L.keys/log-{id}.key"));
    fs::rename(place.path("L.keys/log.key"), name(new)).unwrap();
    report(&place, 2);
    fs::rename(place.path("L.keys/log.key"), name(new)).unwrap();
    fs::rename(name(aside), place.path("L.keys/log.key")).unwrap();
    report(&place, 3);
    assert_eq!(place.public("L.keys/log.key"), rotated["public"]);
    assert!(name(aside).exists());
    place.proven(&[&old]);
}

#[test]
fn a_lost_log_key_is_replaced_by_the_roots() {
    let place = Place::with_sample();
    place.run(&["audit", "checkpoint"]).exits(0);
    let old = place.public("L.keys/log.key");
    fs::remove_file(place.path("L.keys/log.key")).unwrap();
    let error = place.run(&["submit", "journal.jsonl"]).error();
    assert_eq!(error["code"], "no_key");
    // One of three is not enough, and nothing is left of the attempt.
    let error = place.run(&["audit", "rotate-log-key", "--root", "root-1"]).exits(1).error();
    assert_eq!(error["code"], "endorsement_missing");
    assert!(
        !fs::read_dir(place.path("L.keys"))
            .unwrap()
            .any(|file| { file.unwrap().file_name().to_string_lossy().starts_with("log") })
    );
    let by = ["audit", "rotate-log-key", "--root", "root-1", "--root", "root-2"];
    let rotated = place.run(&by).exits(0).json();
    assert_eq!(rotated["both_until"], Value::Null);
    report(&place, 1);
    place.run(&["audit", "checkpoint"]).exits(0);
    let new = rotated["public"].as_str().unwrap();
    assert_eq!(place.accepted(&[&old, new]), [false, true]);
    place.proven(&[&old, new]);
}

#[test]
fn a_stolen_log_key_is_worth_nothing_once_it_is_replaced() {
    let place = Place::with_sample();
    let thief = place.secret("L.keys/log.key");
    let old = thief.public().to_string();
    place.run(&["audit", "rotate-log-key", "--root", "root-1", "--root", "root-2"]).exits(0);
    report(&place, 1);
    place.run(&["audit", "checkpoint"]).exits(0);
    let good = fs::read_to_string(place.path("L/checkpoint")).unwrap();
    let real: Checkpoint = Note::parse(good.as_bytes()).unwrap().text().parse().unwrap();

    // Another history of the same length, signed with the stolen key.
    let forged = Checkpoint { root: hefu_chain::tree::TreeHash::leaf(b"other"), ..real.clone() };
    place.write("forged", &forged.sign(&thief).unwrap().to_string());
    let ran = place.run(&["audit", "verify", "--key", &old, "--since", "forged"]).exits(2);
    assert_eq!(kinds(&ran), ["checkpoint_forged"]);
    // The true root under the stolen key is not the log's word either; nothing is signed or opened on its account.
    let forged = real.sign(&thief).unwrap().to_string();
    place.write("L/checkpoint", &forged);
    assert_eq!(kinds(&place.run(&["audit", "verify", "--key", &old]).exits(2)), ["checkpoint_forged"]);
    let offline = hefu_offline::verify(&place.path("L"), LogKey::parse(&old).as_ref()).unwrap();
    assert_eq!(offline.verdict, hefu_offline::Verdict::ProvenBad);
    assert_eq!(place.run(&["audit", "checkpoint"]).error()["code"], "bad_file");
    assert_eq!(place.run(&["tick"]).error()["code"], "bad_file");
    place.write("L/checkpoint", &good);
    // A bundle that has the record of the rotation, under the stolen key alone.
    let size = place.size();
    place.run(&["audit", "bundle", "--range", &format!("0..{size}"), "--out", "good.bundle"]).exits(0);
    let bundle = fs::read_to_string(place.path("good.bundle")).unwrap();
    place.write("forged.bundle", &signed_by_thief(&bundle, &thief));
    for key in [&old, &place.public("L.keys/log.key")] {
        assert_eq!(place.both("good.bundle", key), [i32::from(*key == old); 2]);
        assert_eq!(place.both("forged.bundle", key), [2, 2]);
    }
    // The thief's key back under the name of the log's: the log asks for the one in force, whatever the files are called.
    let rotated = place.secret("L.keys/log.key").public();
    let aside = format!("L.keys/log-{}.key", thief.id());
    let (now, before) =
        (fs::read(place.path("L.keys/log.key")).unwrap(), fs::read(place.path(&aside)).unwrap());
    fs::write(place.path("L.keys/log.key"), before).unwrap();
    fs::write(place.path(&aside), now).unwrap();
    report(&place, 2);
    place.run(&["audit", "checkpoint"]).exits(0);
    assert_eq!(place.public("L.keys/log.key"), rotated.to_string());
    assert_eq!(place.accepted(&[&old, &rotated.to_string()]), [false, true]);
    place.proven(&[&old]);
}
