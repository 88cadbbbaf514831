//! Checkpoints, the site of tiles, proofs: what goes out is right, and what does not continue it does not go out.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::support::{Place, Ran, SAMPLE};

/// More projects like the first of the sample, which must be on record.
pub(crate) fn projects(numbers: std::ops::Range<u32>) -> String {
    let first: Value = serde_json::from_str(SAMPLE.lines().nth(1).unwrap()).unwrap();
    let line = |number: u32| {
        let mut line = first.clone();
        line["id"] = format!("0198b2c4-0000-7000-8001-{number:012}").into();
        line["project"] = format!("0198b2c4-7d3e-7000-8001-{number:012}").into();
        line["codes"] = Value::Array(Vec::new());
        format!("{line}\n")
    };
    numbers.map(line).collect()
}

impl Place {
    fn grow(&self, numbers: std::ops::Range<u32>) {
        self.write("more.jsonl", &projects(numbers));
        self.run(&["submit", "more.jsonl"]).exits(0);
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    fn export(&self, more: &[&str]) -> Value {
        self.run(&[&["audit", "export"], more].concat()).exits(0).json()
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

/// A folder with all that is in another, which had better not change.
pub(crate) fn copy(from: &Path, to: &Path) {
    for (name, bytes) in files(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn code(ran: &Ran) -> String {
    ran.error()["code"].as_str().unwrap().to_owned()
}

#[test]
fn a_checkpoint_is_a_note_of_three_lines_and_is_kept() {
    let place = Place::with_sample();
    let first = place.run(&["audit", "checkpoint"]).exits(0).json();
    assert_eq!(first["origin"], "x.example/zj");
    assert_eq!(first["size"], place.size());
    let note = first["note"].as_str().unwrap();
    assert_eq!(place.bytes("L/checkpoint"), note.as_bytes());
    assert!(!place.path("L/checkpoint.part").exists());
    let (body, signatures) = note.split_once("\n\n").unwrap();
    assert_eq!(body.lines().count(), 3);
    assert!(signatures.starts_with("— x.example/zj ") && signatures.lines().count() == 1);
    // The same log, the same note, however much of it is read; people see it as it is.
    assert_eq!(place.run(&["audit", "checkpoint", "--full"]).exits(0).json(), first);
    fs::remove_dir_all(place.path("L/tiles")).unwrap();
    assert_eq!(place.run(&["audit", "checkpoint"]).exits(0).json(), first);
    assert_eq!(place.table("zh", &["audit", "checkpoint"]).exits(0).out, note);
    place.grow(0..3);
    let second = place.run(&["audit", "checkpoint"]).exits(0).json();
    assert_eq!(second["size"].as_u64().unwrap(), first["size"].as_u64().unwrap() + 3);
    assert_ne!(second["root"], first["root"]);
    place.run(&["audit", "verify"]).exits(0);
}

#[test]
fn an_export_that_goes_on_is_the_same_as_a_new_one() {
    let place = Place::with_sample();
    let first = place.export(&["site", "--vkey", "log.vkey"]);
    let old = first["size"].as_u64().unwrap();
    let vkey = first["vkey"].as_str().unwrap();
    assert_eq!(place.bytes("log.vkey"), format!("{vkey}\n").as_bytes());
    assert_eq!((&first["from"], &first["files"]), (&0.into(), &2.into()));
    assert_eq!(place.bytes("site/checkpoint"), place.bytes("L/checkpoint"));

    place.grow(0..300);
    let second = place.export(&["site"]);
    let size = second["size"].as_u64().unwrap();
    assert_eq!((second["from"].as_u64().unwrap(), second["files"].as_u64().unwrap()), (old, 5));
    place.export(&["fresh"]);
    let (mut grown, fresh) = (files(&place.path("site")), files(&place.path("fresh")));
    let names: Vec<&str> = fresh.keys().map(String::as_str).collect();
    let width = size % 256;
    let expected = [
        "checkpoint".to_owned(),
        "tile/0/000".to_owned(),
        format!("tile/0/001.p/{width}"),
        "tile/1/000.p/1".to_owned(),
        "tile/entries/000".to_owned(),
        format!("tile/entries/001.p/{width}"),
    ];
    assert_eq!(names, expected);
    // What was published before stays beside the new.
    assert!(grown.remove(&format!("tile/0/000.p/{old}")).is_some());
    assert!(grown.remove(&format!("tile/entries/000.p/{old}")).is_some());
    assert_eq!(grown, fresh);
    assert_eq!(place.export(&["site"])["files"], 0);

    // A run that was cut short: no checkpoint yet, some tiles whole, one not, one missing.
    fs::remove_file(place.path("fresh/checkpoint")).unwrap();
    fs::remove_file(place.path("fresh/tile/1/000.p/1")).unwrap();
    fs::write(place.path("fresh/tile/0/000"), "half").unwrap();
    fs::write(place.path("fresh/export.part"), "half").unwrap();
    assert_eq!(place.export(&["fresh"])["files"], 2);
    assert_eq!(files(&place.path("fresh")), fresh);
}

#[test]
fn a_public_site_has_no_entries_and_stays_so() {
    let place = Place::with_sample();
    place.export(&["public", "--public"]);
    place.grow(0..2);
    place.export(&["public", "--public"]);
    let public = files(&place.path("public"));
    assert!(
        public
            .keys()
            .all(|name| ["checkpoint", "public"].contains(&name.as_str()) || name.starts_with("tile/0/")),
        "{public:?}"
    );
    place.export(&["site"]);
    let refused = |args: &[&str]| {
        let ran = place.run(&[&["audit", "export"], args].concat()).exits(73);
        assert_eq!(code(&ran), "unfit_site");
        ran.error()["detail"].as_str().unwrap().to_owned()
    };
    assert!(refused(&["public"]).contains("without entries"));
    assert!(refused(&["site", "--public"]).contains("holds entries"));
    assert!(refused(&["site", "--vkey", "site/log.vkey"]).contains("inside the site"));
    assert!(refused(&["new/site", "--vkey", "new/../new/site/tile/key"]).contains("inside the site"));
    assert!(refused(&["L"]).contains("inside the ledger"));
    assert!(refused(&["L/site"]).contains("inside the ledger"));
    assert!(refused(&["L.keys"]).contains("holds no site"));
    assert!(!place.path("new").exists());
}

#[test]
fn a_proof_stands_alone_and_an_altered_one_falls() {
    let place = Place::with_sample();
    assert_eq!(code(&place.run(&["audit", "prove", "3"]).exits(1)), "not_covered");
    place.export(&["site", "--vkey", "log.vkey"]);
    let size = place.size();
    for position in 0..size {
        let out = format!("{position}.tlog-proof");
        place.run(&["audit", "prove", &position.to_string(), "--out", &out]).exits(0);
        let verdict = place.run_bare(&["audit", "verify", &out, "--key", "log.vkey"]).exits(0).json();
        assert_eq!((&verdict["verdict"], &verdict["leaf"]["seq"]), (&"proven".into(), &position.into()));
    }
    place.grow(0..1);
    let ran = place.run(&["audit", "prove", &size.to_string()]).exits(1);
    assert_eq!((code(&ran), &ran.error()["checkpoint_size"]), ("not_covered".to_owned(), &size.into()));
    let beyond = (size + 1).to_string();
    assert_eq!(code(&place.run(&["audit", "prove", &beyond]).exits(1)), "unknown_position");

    let proof = place.bytes("3.tlog-proof");
    let printed = place.run_bare(&["-L", "L", "audit", "prove", "3", "--format", "table"]).exits(0).out;
    assert_eq!(printed.as_bytes(), proof);
    let verify = |more: &[&str]| place.run_bare(&[&["audit", "verify", "3.tlog-proof"], more].concat());
    // Whose key it is matters; without any, nothing is proven.
    let vkey = String::from_utf8(place.bytes("log.vkey")).unwrap();
    verify(&["--key", vkey.trim()]).exits(0);
    verify(&["--key", "L.keys/log.key"]).exits(0);
    assert_eq!(verify(&[]).exits(1).json()["verdict"], "not_proven");
    verify(&["--key", "L.keys/330108.office.key"]).exits(1);
    // The verifier key serves for the ledger, too; for another of that key it does not.
    place.run(&["audit", "verify", "--key", "log.vkey"]).exits(0);

    let said = String::from_utf8(proof.clone()).unwrap();
    // A bit near either end of each line.
    let mut start = 0;
    for line in said.split_inclusive('\n') {
        for at in [1, line.len().saturating_sub(4)].into_iter().filter(|at| *at + 1 < line.len()) {
            let mut altered = proof.clone();
            altered[start + at] ^= 1;
            fs::write(place.path("3.tlog-proof"), &altered).unwrap();
            let ran = verify(&["--key", "log.vkey"]);
            assert!([1, 2, 65].contains(&ran.code), "byte {at} of {line}: {}", ran.out);
        }
        start += line.len();
    }
    // A leaf that tells another story, and a path cut short.
    for (from, to) in
        [("extra e", "extra f"), ("index 3\n", "index 2\n"), ("x.example/zj\n", "y.example/zj\n")]
    {
        let altered = said.replacen(from, to, 1);
        assert_ne!(altered, said);
        place.write("3.tlog-proof", &altered);
        let ran = verify(&["--key", "log.vkey"]);
        assert!([1, 2].contains(&ran.code), "{from:?} → {to:?}: {}", ran.out);
        assert_ne!(ran.json()["verdict"], "proven");
    }
    place.write("3.tlog-proof", "c2sp.org/tlog-proof@v1\n");
    verify(&["--key", "log.vkey"]).exits(2);
    place.write("3.tlog-proof", "hello\n");
    assert_eq!(code(&verify(&["--key", "log.vkey", "--format", "json"]).exits(65)), "not_a_proof");
}

#[test]
fn a_log_that_was_rolled_back_or_rewritten_is_not_signed() {
    let place = Place::with_sample();
    copy(&place.path("L"), &place.path("backup"));
    place.grow(0..5);
    place.export(&["site"]);
    let signed = place.bytes("L/checkpoint");
    let site = files(&place.path("site"));

    // The backup comes back, and with it its own head file; the checkpoint tells.
    for name in ["segments", "snapshot", "index"] {
        let _ = fs::remove_dir_all(place.path("L").join(name));
    }
    copy(&place.path("backup"), &place.path("L"));
    let refused = |args: &[&str], file: &str, why: &str| {
        let ran = place.run(args).exits(1);
        let error = ran.error();
        assert_eq!(code(&ran), "checkpoint_disagrees");
        assert_eq!(error["file"], file);
        assert!(error["detail"].as_str().unwrap().contains(why), "{error}");
    };
    let everything = |why: &str| {
        refused(&["audit", "checkpoint"], "L/checkpoint", why);
        refused(&["audit", "export", "site"], "L/checkpoint", why);
        refused(&["audit", "export", "other"], "L/checkpoint", why);
        refused(&["audit", "prove", "3"], "L/checkpoint", why);
        assert_eq!(place.bytes("L/checkpoint"), signed);
    };
    everything("records are missing");
    // It takes no command either.
    place.write("more.jsonl", &projects(10..20));
    refused(&["submit", "more.jsonl"], "L/checkpoint", "records are missing");
    // Another history grows beyond it.
    fs::rename(place.path("L/checkpoint"), place.path("checkpoint")).unwrap();
    place.grow(10..20);
    fs::rename(place.path("checkpoint"), place.path("L/checkpoint")).unwrap();
    everything("another tree");
    refused(&["submit", "more.jsonl"], "L/checkpoint", "another tree");
    // Without the pinned checkpoint, the site remembers.
    fs::remove_file(place.path("L/checkpoint")).unwrap();
    refused(&["audit", "export", "site"], "site/checkpoint", "another tree");
    assert!(!place.path("L/checkpoint").exists() && !place.path("other").exists());
    assert_eq!(files(&place.path("site")), site);
}

#[test]
fn nothing_damaged_or_foreign_is_signed() {
    let place = Place::with_sample();
    place.run(&["audit", "checkpoint"]).exits(0);
    let signed = place.bytes("L/checkpoint");
    // A checkpoint that the log's key did not sign is none to go on from.
    let mut altered = signed.clone();
    altered[14] ^= 1;
    fs::write(place.path("L/checkpoint"), altered).unwrap();
    assert_eq!(code(&place.run(&["audit", "checkpoint"]).exits(74)), "bad_file");
    fs::write(place.path("L/checkpoint"), &signed).unwrap();
    // Neither is there anything to sign when the head file is gone.
    fs::rename(place.path("L/head"), place.path("head")).unwrap();
    place.run(&["audit", "checkpoint"]).exits(74);
    fs::rename(place.path("head"), place.path("L/head")).unwrap();
    // A changed byte in the log.
    let path = place.path("L/segments/00000000000000000000.seg");
    let whole = fs::read(&path).unwrap();
    let needle = "示例电驱项目".as_bytes();
    let at = whole.windows(needle.len()).position(|window| window == needle).unwrap();
    let mut altered = whole.clone();
    altered[at] ^= 1;
    fs::write(&path, altered).unwrap();
    place.run(&["audit", "checkpoint"]).exits(1);
    place.run(&["audit", "export", "site"]).exits(1);
    // Whoever removes the pinned checkpoint, too, still has the head file against him.
    fs::remove_file(place.path("L/checkpoint")).unwrap();
    assert_eq!(code(&place.run(&["audit", "checkpoint"]).exits(74)), "log_damaged");
    assert_eq!(code(&place.run(&["audit", "export", "site"]).exits(74)), "log_damaged");
    assert!(!place.path("L/checkpoint").exists());
    assert!(!place.path("site").exists());
    fs::write(&path, whole).unwrap();
    fs::write(place.path("L/checkpoint"), &signed).unwrap();
    // The key is needed, and no other will do.
    fs::rename(place.path("L.keys/log.key"), place.path("log.key")).unwrap();
    assert_eq!(code(&place.run(&["audit", "checkpoint"]).exits(77)), "no_key");
    place.run(&["audit", "prove", "0"]).exits(0);
    fs::rename(place.path("log.key"), place.path("L.keys/log.key")).unwrap();
    assert_eq!(
        place.run(&["audit", "checkpoint"]).exits(0).json()["note"].as_str().unwrap().as_bytes(),
        signed
    );
}
