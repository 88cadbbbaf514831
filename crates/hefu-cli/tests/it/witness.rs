//! Witnesses, monitor and server as people run them: processes on loopback, found by the address they print.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use hefu_chain::{add_checkpoint::AddCheckpoint, tree::TreeHash};
use hefu_client::Http;
use serde_json::Value;

use crate::support::{Place, SAMPLE, hefu};

/// A server process, killed at the end.
pub(crate) struct Serving {
    child: Child,
    pub(crate) url: String,
}

impl Serving {
    pub(crate) fn start(place: &Place, args: &[&str]) -> Serving {
        let mut command = hefu();
        command.current_dir(place.path("")).args(args).args(["--listen", "127.0.0.1:0", "-q"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        Serving { child, url: said["url"].as_str().unwrap().to_owned() }
    }

    /// Stops it as an operator does; it ends well.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const CHECK: [&str; 5] = ["audit", "witness", "check", "--witnesses", "policy"];
pub(crate) const COSIGN: [&str; 4] = ["audit", "checkpoint", "--witnesses", "policy"];
pub(crate) const REGIONS: [&str; 3] = ["330100", "330200", "330800"];

/// A ledger whose key is known, and three regions' witnesses that watch it. Two are a quorum.
pub(crate) fn watched() -> (Place, Vec<Serving>) {
    let place = Place::with_sample();
    // The key is all that is taken from this copy: the ledger itself has published nothing.
    copy(&place, "L", "once");
    copy(&place, "L.keys", "once.keys");
    place.run_bare(&["-L", "once", "audit", "export", "once.site", "--vkey", "log.vkey"]).exits(0);
    let mut serving = Vec::new();
    for region in REGIONS {
        let name = format!("witness.example/{region}");
        let init = ["audit", "witness", "init", region, "--name", &name, "--format", "json"];
        place.write(&format!("{region}.json"), &place.run_bare(&init).exits(0).out);
        place.run_bare(&["audit", "witness", "add-log", region, "log.vkey"]).exits(0);
        serving.push(Serving::start(&place, &["audit", "witness", "serve", region]));
    }
    write_policy(&place, &serving);
    (place, serving)
}

pub(crate) fn write_policy(place: &Place, serving: &[Serving]) {
    let mut policy = format!("log {}", fs::read_to_string(place.path("log.vkey")).unwrap());
    for (region, Serving { url, .. }) in REGIONS.iter().zip(serving) {
        let made = fs::read_to_string(place.path(&format!("{region}.json"))).unwrap();
        let made: Value = serde_json::from_str(&made).unwrap();
        policy = format!("{policy}witness w{region} {} {url}\n", made["vkey"].as_str().unwrap());
    }
    place.write("policy", &format!("{policy}group regions 2 w330100 w330200 w330800\nquorum regions\n"));
}

pub(crate) fn copy(place: &Place, from: &str, to: &str) {
    assert!(
        Command::new("cp").args(["-r", from, to]).current_dir(place.path("")).status().unwrap().success()
    );
}

/// How many stand behind a checkpoint, the log among them.
pub(crate) fn signatures(note: &str) -> usize {
    note.matches("\n— ").count()
}

/// One more record.
pub(crate) fn grow(place: &Place, number: u32) {
    grow_at(place, "L", number);
}

pub(crate) fn grow_at(place: &Place, ledger: &str, number: u32) {
    let mut line: Value = serde_json::from_str(SAMPLE.lines().nth(1).unwrap()).unwrap();
    line["id"] = format!("0198b2c4-0000-7000-8001-{number:012}").into();
    line["project"] = format!("0198b2c4-7d3e-7000-8001-{number:012}").into();
    line["codes"] = Value::Array(Vec::new());
    place.write("one.jsonl", &format!("{line}\n"));
    place.run_bare(&["-L", ledger, "submit", "one.jsonl"]).exits(0);
}

#[test]
#[cfg(unix)]
fn regions_cosign_and_a_restored_backup_is_refused() {
    let (place, mut serving) = watched();
    place.run(&CHECK).exits(0);
    let first = place.run(&COSIGN).exits(0).json();
    let note = first["note"].as_str().unwrap();
    assert_eq!(signatures(note), 4, "{note}");
    assert_eq!(fs::read_to_string(place.path("L/checkpoint")).unwrap(), note);
    // A site that is exported now carries the cosignatures, and an auditor counts them.
    place.run(&["audit", "export", "site"]).exits(0);
    assert_eq!(fs::read_to_string(place.path("site/checkpoint")).unwrap(), note);
    for what in ["L", "site"] {
        let report = place.run(&["audit", "verify", what, "--policy", "policy"]).exits(0);
        assert!(report.out.contains("cosigned by w330100, w330200, w330800"), "{}", report.out);
    }

    // A backup, then more records that the witnesses see, then the backup again.
    copy(&place, "L", "backup");
    grow(&place, 1);
    place.run(&COSIGN).exits(0);
    fs::remove_dir_all(place.path("L")).unwrap();
    fs::rename(place.path("backup"), place.path("L")).unwrap();
    for (step, number) in [("older", 2), ("grown to the same size with another history", 3)] {
        let found = place.run(&CHECK).exits(2).json();
        let standing = if step == "older" { "ahead" } else { "differs" };
        assert_eq!(found["witnesses"][0]["standing"], standing, "{step}");
        for publish in [&COSIGN[..], &["audit", "export", "site", "--witnesses", "policy"]] {
            let refused = place.run(&[publish, &["--fail-open"]].concat()).exits(2);
            assert_eq!(refused.error()["code"], "witness_contradicts");
        }
        for kept in ["L/checkpoint", "site/checkpoint"] {
            assert_eq!(fs::read_to_string(place.path(kept)).unwrap(), note, "{step}: nothing went out");
        }
        assert!(!place.path("L/checkpoint.signed").exists(), "{step}: nothing was signed");
        grow(&place, number);
    }

    serving.remove(0).stop();
    let status =
        place.run_bare(&["audit", "witness", "status", "330100", "--format", "json"]).exits(0).json();
    assert_eq!(status["logs"][0]["size"], first["size"].as_u64().unwrap() + 1);
    let missing = place.run(&CHECK).exits(2).json();
    assert_eq!(missing["witnesses"][0]["standing"], "silent");
}

#[test]
fn two_histories_are_evidence_for_anybody_who_has_the_key() {
    let (place, serving) = watched();
    place.run(&COSIGN).exits(0);
    copy(&place, "L", "M");
    copy(&place, "L.keys", "M.keys");
    grow(&place, 1);
    let honest = place.run(&COSIGN).exits(0).json();
    let size = honest["size"].as_u64().unwrap();

    // An operator who asks nobody before he signs, and hands the second history to a witness himself.
    let offer = |old: u64, proof: Vec<TreeHash>| {
        let checkpoint = fs::read_to_string(place.path("M/checkpoint")).unwrap().parse().unwrap();
        let request = AddCheckpoint { old, proof, checkpoint }.to_string();
        let url = format!("{}/add-checkpoint", serving[0].url);
        let http = Http::new(Duration::from_mins(1));
        http.post(&url, "text/plain", request.as_bytes(), 1 << 16).unwrap().status
    };
    let second = |number: u32| {
        grow_at(&place, "M", number);
        place.run_bare(&["-L", "M", "audit", "export", "M.site"]).exits(0);
    };
    second(2);
    assert_eq!(offer(size, Vec::new()), 422);
    let evidence = |place: &Place| {
        let found = fs::read_dir(place.path("330100/evidence")).unwrap();
        let mut found: Vec<_> = found.map(|entry| entry.unwrap().path()).collect();
        found.sort();
        found
    };
    let [file] = &evidence(&place)[..] else { panic!("one file was expected") };

    // A third party, elsewhere, with nothing but the file and the key.
    let elsewhere = Place::empty();
    fs::copy(file, elsewhere.path("evidence.json")).unwrap();
    fs::copy(place.path("log.vkey"), elsewhere.path("log.vkey")).unwrap();
    let verify = ["audit", "verify", "evidence.json", "--format", "json"];
    let proven = elsewhere.run_bare(&[&verify[..], &["--key", "log.vkey"]].concat()).exits(2).json();
    assert_eq!(proven[0]["finding"], "proven");
    assert_eq!(elsewhere.run_bare(&verify).exits(64).error()["code"], "usage");
    let key = "00".repeat(31) + "01";
    for key in [&key[..], "evidence.json"] {
        elsewhere.run_bare(&[&verify[..], &["--key", key]].concat()).exits(65);
    }
    // Whoever turns a record into another size turns the evidence into none.
    let text = fs::read_to_string(elsewhere.path("evidence.json")).unwrap();
    let forged = text.replacen(&format!("\\n{size}\\n"), &format!("\\n{}\\n", size + 1), 1);
    assert_ne!(forged, text);
    elsewhere.write("evidence.json", &forged);
    let refused = elsewhere.run_bare(&[&verify[..], &["--key", "log.vkey"]].concat()).exits(65);
    assert_eq!(refused.error()["code"], "not_evidence");

    // A larger second history is only a suspicion until the log's own tiles decide; then the file convinces alone.
    second(3);
    assert_eq!(offer(size, vec![TreeHash::leaf(b"a guess")]), 422);
    let suspicion = evidence(&place).into_iter().find(|other| other != file).unwrap();
    let suspicion = suspicion.to_str().unwrap();
    let judge = ["audit", "witness", "evidence", suspicion, "--key", "log.vkey"];
    assert_eq!(place.run(&judge).exits(1).json()[0]["finding"], "open");
    let site = Serving::start(&place, &["audit", "serve-tiles", "M.site"]);
    let asked = place.run(&[&judge[..], &["--site", &site.url, "--out", "whole.json"]].concat());
    assert_eq!(asked.exits(2).json()[0]["finding"], "proven");
    let alone = ["audit", "verify", "whole.json", "--policy", "policy"];
    assert_eq!(place.run(&alone).exits(2).json()[0]["finding"], "proven");
    place.run(&["audit", "witness", "evidence", "330100", "--key", "log.vkey"]).exits(2);
}

#[test]
fn too_few_witnesses_close_or_open() {
    let (place, mut serving) = watched();
    // One of three may be away.
    drop(serving.remove(0));
    assert_eq!(signatures(place.run(&COSIGN).exits(0).json()["note"].as_str().unwrap()), 3);
    let before = fs::read(place.path("L/checkpoint")).unwrap();

    drop(serving.remove(0));
    grow(&place, 1);
    for publish in [&COSIGN[..], &["audit", "export", "site", "--witnesses", "policy"]] {
        let closed = place.run(publish).exits(1);
        assert_eq!(closed.error()["code"], "no_quorum");
        assert!(closed.error()["title"].as_str().unwrap().contains("w330100, w330200"), "{}", closed.err);
    }
    assert_eq!(fs::read(place.path("L/checkpoint")).unwrap(), before, "the older one stands");
    assert!(!place.path("site/checkpoint").exists());
    let signed = fs::read_to_string(place.path("L/checkpoint.signed")).unwrap();

    let open = place.run(&[&COSIGN[..], &["--fail-open"]].concat()).exits(0);
    assert!(open.err.contains("w330200"), "{}", open.err);
    let note = open.json()["note"].as_str().unwrap().to_owned();
    assert_eq!(signatures(&note), 2);
    assert!(note.starts_with(&signed), "it is the very note that was signed before");

    // They come back, elsewhere: the lines that are missing are added to the same note.
    drop(serving);
    let serving: Vec<Serving> =
        REGIONS.iter().map(|region| Serving::start(&place, &["audit", "witness", "serve", region])).collect();
    write_policy(&place, &serving);
    let whole = place.run(&COSIGN).exits(0).json()["note"].as_str().unwrap().to_owned();
    assert!(whole.starts_with(&note));
    assert_eq!(signatures(&whole), 4);
}

#[test]
fn what_cannot_be_served_is_said() {
    let place = Place::new();
    let code = |args: &[&str], exit| place.run(args).exits(exit).error()["code"].as_str().unwrap().to_owned();
    assert_eq!(code(&["audit", "serve-tiles", "L"], 74), "no_site");
    place.run(&["audit", "export", "site", "--vkey", "log.vkey"]).exits(0);
    assert_eq!(code(&["audit", "serve-tiles", "site", "--listen", "0.0.0.0:0"], 64), "exposed");
    place.run(&["audit", "witness", "init", "w", "--name", "w.example"]).exits(0);
    assert_eq!(code(&["audit", "witness", "init", "w", "--name", "w.example"], 73), "witness_exists");
    assert_eq!(code(&["audit", "witness", "serve", "nowhere"], 74), "io");
    // A ledger's directory is no site.
    assert_eq!(code(&["audit", "serve-tiles", "L"], 74), "no_site");
    for policy in ["quorum nobody\n", "quorum none\n"] {
        place.write("bad", policy);
        assert_eq!(code(&["audit", "checkpoint", "--witnesses", "bad"], 65), "bad_policy_file");
        assert_eq!(code(&["audit", "witness", "check", "--witnesses", "bad"], 65), "bad_policy_file");
    }
}
