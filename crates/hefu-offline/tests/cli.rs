//! The binary: exit codes, and what it prints.

#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

use std::fs;
use std::process::Command;

/// Worked example A of the verifiable-logs survey with its entry inside. The entry is no leaf of ours.
const PROOF: &str = "\
c2sp.org/tlog-proof@v1
extra bW92ZS0yCg==
index 1
PHRGKvNC1CcB2feKjD+o0kfIfxtiJWBHvTRFKUBUC3c=
29b+09pthQjhJvxvz2QkoEmzqL0tqp+8VblmsxXcYgE=

ledger.example/moves
3
qrpqqdpjWHpPP0LHy4VBQZt1hj/HpdUy3oPXUqDBTWQ=

— ledger.example/moves CsI88sEwcuniDTTwAiOOkVENgc5MsPNkSM33ddo2AtahjjiU+n6NEPYtsyM9irr1NJpRl23m3/AbZDqPhdbLyn2WRQg=
";
const KEY: &str = "ledger.example/moves+0ac23cf2+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";

fn run(args: &[&str]) -> (i32, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_hefu-offline-verify")).args(args).output().unwrap();
    (ran.status.code().unwrap(), String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap())
}

#[test]
fn a_strangers_proof_is_followed_but_its_entry_is_no_record_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("2.tlog-proof");
    fs::write(&file, PROOF).unwrap();
    let path = file.to_str().unwrap();
    let (code, text) = run(&["--key", KEY, path]);
    let reason = "wrong   record 1  proof: the record is not a leaf in its one spelling\n";
    assert_eq!((code, text.lines().count()), (2, 3), "{text}");
    assert!(text.starts_with(reason), "{text}");

    fs::write(&file, PROOF.replace("29b+", "39b+")).unwrap();
    let (code, text) = run(&["--json", "--key", KEY, path]);
    assert_eq!(code, 2);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["verdict"], "proven_bad");
    let finding = &report["findings"][0];
    assert_eq!(finding["reason"], "the path does not lead from the record to the signed root");
    assert_eq!(finding["position"], 1);

    let other = KEY.replace("+0ac23cf2+AQOh", "+0ac23cf2+AQOi");
    assert_eq!(run(&["--key", &other, path]).0, 65, "a key whose id does not fit is none");
}

#[test]
fn what_cannot_be_judged() {
    assert_eq!(run(&[]).0, 64);
    assert_eq!(run(&["--keys", "x"]).0, 64);
    assert_eq!(run(&["one", "two"]).0, 64);
    assert_eq!(run(&["/nowhere/at/all"]).0, 74);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x");
    fs::write(&file, "x").unwrap();
    let (code, text) = run(&[file.to_str().unwrap()]);
    assert_eq!(code, 65, "{text}");
    assert!(text.contains("neither a ledger's directory"), "{text}");
}
