//! A text leaves the ledger by the word of an office and an auditor; everything that was proven stays proven.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{PROJECT, Place};

/// The name of the sample's project.
const NAME: &str = "示例电驱项目";

/// Files below a folder that hold a text.
pub(crate) fn holding(dir: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if fs::read(&path).unwrap().windows(text.len()).any(|window| window == text.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// Position of the record of this type in the project's history.
fn position(place: &Place, kind: &str) -> u64 {
    let history = place.run(&["project", "history", PROJECT]).exits(0).json();
    let rows = history["rows"].as_array().unwrap();
    rows.iter().find(|row| row["type"] == kind).unwrap()["position"].as_u64().unwrap()
}

#[test]
fn a_name_goes_and_every_figure_and_proof_stays() {
    let place = Place::with_sample();
    let at = position(&place, "project.registered").to_string();
    place.run(&["audit", "export", "site", "--vkey", "log.vkey"]).exits(0);
    place.run(&["audit", "prove", &at, "--out", "before.tlog-proof"]).exits(0);
    let figures = || {
        let all = ["report", "indicators", "--region", "330000", "--children", "--period", "2023"];
        let explained =
            ["report", "explain", "--region", "330000", "--indicator", "INV_FAI", "--period", "2023"];
        [&all[..], &explained].map(|args| place.run(args).exits(0).json()["rows"].clone())
    };
    let before = figures();

    let redact = |more: &[&str]| {
        place.run(
            &[&["audit", "redact", &at, "--reason", "商业秘密", "--auditor", "330108/auditor"], more]
                .concat(),
        )
    };
    // Tried first: it says what would go, and nothing does.
    let tried = redact(&["--as", "330108", "--dry-run"]).exits(0);
    assert!(tried.err.contains(NAME) && tried.err.contains("■■■"), "{}", tried.err);
    assert!(!holding(&place.path("L"), NAME).is_empty());
    let by = redact(&["--as", "330108"]).exits(0).json()["position"].as_u64().unwrap();
    assert_eq!(holding(&place.path("L"), NAME), Vec::<String>::new());
    assert_eq!(redact(&["--as", "330108"]).exits(1).error()["code"], "already_redacted");

    assert_eq!(figures(), before);
    assert_eq!(place.run(&["project", "show", PROJECT]).exits(0).json()["name"], "■■■");
    let history = place.run(&["project", "history", PROJECT]).exits(0).out;
    assert!(history.contains(&format!("redacted_by={by}")));
    let verified = place.run(&["audit", "verify", "--key", "log.vkey"]).exits(0).json();
    let at: u64 = at.parse().unwrap();
    assert_eq!(verified["withheld"], json!([{"position": at, "redacted_by": by}]));
    let note = format!("record {at}: withheld (redacted by record {by})");
    assert!(verified["notes"].as_array().unwrap().contains(&Value::from(note.clone())));
    assert!(place.table("zh", &["audit", "verify"]).exits(0).out.contains("内容已遮盖"));
    let replayed = place.run(&["audit", "replay"]).exits(0).json();
    assert_eq!(replayed["not_redecidable"], json!([{"position": at, "redacted_by": by}]));
    assert_eq!(replayed["verdict"], "proven");
    place.run(&["check"]).exits(0);
    // The verifier that shares no code says the same.
    let second = hefu_offline::verify(&place.path("L"), None).unwrap();
    assert!(second.findings.is_empty(), "{:?}", second.findings);
    assert!(second.notes.contains(&note));

    // The proof of before holds, the record can still be proven, and the site goes on from where it was.
    place.run_bare(&["audit", "verify", "before.tlog-proof", "--key", "log.vkey"]).exits(0);
    place.run(&["audit", "export", "site"]).exits(0);
    place.run(&["audit", "prove", &at.to_string(), "--out", "after.tlog-proof"]).exits(0);
    place.run_bare(&["audit", "verify", "after.tlog-proof", "--key", "log.vkey"]).exits(0);
}

#[test]
fn office_and_auditor_sign_at_two_machines() {
    let place = Place::with_sample();
    let at = position(&place, "project.registered").to_string();
    // The auditor has a copy of the ledger and his own key.
    let line =
        place.run(&["audit", "redact", &at, "--reason", "商业秘密", "--auditor", "330108/auditor"]).exits(0);
    let command = line.json();
    assert_eq!(
        (&command["type"], &command["residue"]["data"]["name"]),
        (&json!("redact_record"), &json!("■■■"))
    );
    fs::rename(place.path("L.keys/330108.auditor.key"), place.path("auditor.key")).unwrap();
    place.write("line.jsonl", &format!("{command}\n"));
    place.run(&["submit", "line.jsonl", "--as", "330881"]).exits(77);
    place.run(&["submit", "line.jsonl", "--as", "330108"]).exits(0);
    assert_eq!(holding(&place.path("L"), NAME), Vec::<String>::new());
    let alone = place.run(&["audit", "redact", "0", "--reason", "x", "--as", "330108"]).exits(1);
    assert_eq!(alone.error()["code"], "not_redactable");
    let beyond = place.run(&["audit", "redact", "9999", "--reason", "x", "--as", "330108"]).exits(1);
    assert_eq!(beyond.error()["code"], "no_such_record");
}
