//! `hefu audit verify` of what an auditor may hold: a site, a bundle, an older checkpoint, the ledger's own tiles.

use std::fs;

use serde_json::Value;

use crate::{
    publish::{copy, projects},
    support::{PROJECT, Place, Ran},
};

/// Of some witness who has cosigned nothing here.
const WITNESS: &str = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X";

fn verify(place: &Place, what: &str, more: &[&str]) -> Ran {
    place.run_bare(&[&["audit", "verify", what, "--key", "log.vkey", "--format", "json"], more].concat())
}

fn say(place: &Place, lang: &str, what: &str) -> String {
    let args = ["audit", "verify", what, "--key", "log.vkey", "--format", "table", "--lang", lang];
    place.run_bare(&args).out
}

/// Kinds and positions of the findings.
fn found(ran: &Ran) -> Vec<(String, Option<u64>)> {
    let report = ran.json();
    let kind = |finding: &Value| finding["kind"].as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|finding| (kind(finding), finding["position"].as_u64())).collect()
}

fn notes(ran: &Ran) -> String {
    ran.json()["notes"].to_string()
}

fn flip(place: &Place, file: &str, at: impl FnOnce(&[u8]) -> usize) {
    let mut bytes = fs::read(place.path(file)).unwrap();
    let at = at(&bytes);
    bytes[at] ^= 1;
    fs::write(place.path(file), bytes).unwrap();
}

fn after(bytes: &[u8], needle: &str) -> usize {
    bytes.windows(needle.len()).position(|window| window == needle.as_bytes()).unwrap() + needle.len()
}

fn export(place: &Place, ledger: &str, site: &str, more: &[&str]) -> Value {
    let args = ["-L", ledger, "audit", "export", site, "--format", "json"];
    place.run_bare(&[&args, more].concat()).exits(0).json()
}

fn grow(place: &Place, ledger: &str, numbers: std::ops::Range<u32>) {
    place.write("more.jsonl", &projects(numbers));
    place.run_bare(&["-L", ledger, "submit", "more.jsonl", "--format", "json"]).exits(0);
}

#[test]
fn a_site_is_proven_and_says_what_was_not_checked() {
    let place = Place::with_sample();
    let size = export(&place, "L", "site", &["--vkey", "log.vkey"])["size"].clone();
    export(&place, "L", "public", &["--public"]);
    let ran = verify(&place, "site", &[]).exits(0);
    let report = ran.json();
    assert_eq!((&report["verdict"], &report["findings"]), (&"proven".into(), &Value::Array(vec![])));
    assert_eq!((&report["size"], &report["records"], &report["checkpoint"]["size"]), (&size, &size, &size));
    assert!(notes(&ran).contains("not checked without an older checkpoint (--since): rollback"));
    let ran = verify(&place, "public", &[]).exits(0);
    assert_eq!((&ran.json()["size"], &ran.json()["records"]), (&size, &0.into()));
    assert!(notes(&ran).contains("as the site is public: records were not checked"));

    let said = say(&place, "en", "site");
    assert!(said.contains(&format!("x.example/zj: {size} records, 0 findings; head ")), "{said}");
    let said = say(&place, "zh", "public");
    assert!(said.contains(&format!("x.example/zj:{size} 条记录中的 0 条,0 处问题\n")), "{said}");
    for note in ["未检查是否回滚", "未检查正文、命令及其签名", "仅核验了树"] {
        assert!(said.contains(note), "{note}: {said}");
    }
    // Without a key nobody knows whose checkpoint it is.
    let ran = place.run_bare(&["audit", "verify", "site", "--format", "json"]).exits(1);
    assert_eq!(found(&ran), [("key_unknown".to_owned(), None)]);

    let vkey = fs::read_to_string(place.path("log.vkey")).unwrap();
    place.write("log.policy", &format!("log {}\nquorum none\n", vkey.trim()));
    place.write("witnessed.policy", &format!("log {}\nwitness w {WITNESS}\nquorum w\n", vkey.trim()));
    let by =
        |policy: &str| place.run_bare(&["audit", "verify", "site", "--policy", policy, "--format", "json"]);
    by("log.policy").exits(0);
    assert_eq!(found(&by("witnessed.policy").exits(1)), [("quorum_missing".to_owned(), None)]);
}

#[test]
fn a_site_that_was_rolled_back_or_forked_is_caught_by_an_older_checkpoint() {
    let place = Place::with_sample();
    export(&place, "L", "old", &["--vkey", "log.vkey"]);
    copy(&place.path("L"), &place.path("F"));
    copy(&place.path("L.keys"), &place.path("F.keys"));
    grow(&place, "L", 0..3);
    grow(&place, "F", 10..15);
    export(&place, "L", "new", &[]);
    export(&place, "F", "fork", &[]);
    let ran = verify(&place, "new", &["--since", "old/checkpoint"]).exits(0);
    assert!(notes(&ran).contains("continues the older checkpoint of"), "{}", ran.out);
    verify(&place, "L", &["--since", "old/checkpoint"]).exits(0);
    // Both are true by themselves.
    verify(&place, "old", &[]).exits(0);
    verify(&place, "fork", &[]).exits(0);
    let kinds = |what: &str| {
        let found = found(&verify(&place, what, &["--since", "new/checkpoint"]).exits(2));
        found.into_iter().map(|(kind, _)| kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds("old"), ["rollback"]);
    assert_eq!(kinds("fork"), ["fork"]);
    assert_eq!(kinds("F"), ["fork"]);
}

#[test]
fn damage_to_a_site_is_named_by_record_and_to_the_ledgers_own_tiles_is_only_noted() {
    let place = Place::with_sample();
    grow(&place, "L", 0..260);
    export(&place, "L", "site", &["--vkey", "log.vkey"]);
    let entries = "site/tile/entries/000";
    let whole = fs::read(place.path(entries)).unwrap();
    flip(&place, entries, |bytes| {
        let seq = after(bytes, "\"seq\":117,");
        seq + after(&bytes[seq..], "\"stream\":\"")
    });
    assert_eq!(found(&verify(&place, "site", &[]).exits(2)), [("leaf_altered".to_owned(), Some(117))]);
    fs::remove_file(place.path(entries)).unwrap();
    let absent = found(&verify(&place, "site", &[]).exits(1));
    assert_eq!(absent, [("tile_missing".to_owned(), None), ("missing".to_owned(), Some(0))]);
    fs::write(place.path(entries), whole).unwrap();
    flip(&place, "site/tile/0/000", |_| 117 * 32);
    let ran = verify(&place, "site", &[]).exits(2);
    assert_eq!(found(&ran), [("tile_damaged".to_owned(), Some(117))]);
    assert!(notes(&ran).contains("records intact: only tiles are damaged"));
    assert!(say(&place, "zh", "site").contains("记录完好:仅树片受损"));

    flip(&place, "L/tiles/0", |_| 117 * 32);
    let ran = verify(&place, "L", &[]).exits(0);
    assert_eq!((ran.json()["verdict"].as_str(), found(&ran)), (Some("proven"), vec![]));
    assert!(notes(&ran).contains("tile damaged, records intact: tiles/0, record 117;"), "{}", ran.out);
    assert!(say(&place, "zh", "L").contains("树片受损,记录完好:tiles/0,记录 117;"));
    // What the note tells to do.
    fs::remove_dir_all(place.path("L/tiles")).unwrap();
    place.run(&["audit", "checkpoint"]).exits(0);
    assert!(place.path("L/tiles/0").exists());
    assert!(!notes(&verify(&place, "L", &[]).exits(0)).contains("tile"));
}

#[test]
fn a_bundle_is_proven_alone_and_an_altered_one_is_caught() {
    let place = Place::with_sample();
    export(&place, "L", "site", &["--vkey", "log.vkey"]);
    let asked = [("range", "5..15"), ("project", PROJECT), ("cell", "330108/INV_FAI/2023")];
    for (name, of) in asked {
        let option = format!("--{name}");
        place.run(&["audit", "bundle", &option, of, "--out", name]).exits(0);
        let ran = verify(&place, name, &["--since", "site/checkpoint"]).exits(0);
        assert_eq!((ran.json()["verdict"].as_str(), found(&ran)), (Some("proven"), vec![]), "{name}");
        assert!(ran.json()["records"].as_u64().unwrap() > 0);
        for (lang, absent) in [("en", ["commits", "; head"]), ("zh", ["次提交", "链头"])] {
            let said = say(&place, lang, name);
            assert!(absent.iter().all(|word| !said.contains(word)), "{said}");
        }
    }
    let said = say(&place, "zh", "cell");
    assert!(said.contains("是否另有记录计入该数字,证据包无法说明"), "{said}");
    flip(&place, "range", |bytes| {
        let nine = after(bytes, "\"index\":9,");
        nine + after(&bytes[nine..], "\\\"stream\\\":\\\"")
    });
    let found = found(&verify(&place, "range", &[]).exits(2));
    assert!(found.contains(&("proof_wrong".to_owned(), Some(9))), "{found:?}");
    assert!(found.contains(&("bundle_damaged".to_owned(), None)), "{found:?}");
}
