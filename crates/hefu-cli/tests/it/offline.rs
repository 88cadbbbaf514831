//! Two verifiers that share no code, `hefu audit verify` and `hefu-offline`, on the same good and altered bytes: they must
//! come to the same verdict, and mean the same record or its neighbour.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use hefu_chain::{
    bundle::{Line, decode, encode},
    checkpoint::Checkpoint,
    frame::{self, Commit, Item, Parsed, Scanner},
    key::SecretKey,
    note::Note,
    record::Record,
};
use hefu_offline::{Report, note::LogKey};

use crate::support::{PROJECT, Place, SAMPLE};

const SEGMENT: &str = "L/segments/00000000000000000000.seg";

/// A ledger of several commits, an exported site, a proof and the log's key.
fn published() -> Place {
    let place = Place::new();
    for (number, line) in SAMPLE.lines().enumerate() {
        place.write("line.jsonl", line);
        place.run(&["submit", "line.jsonl"]).exits(0);
        if number == 2 {
            place.run(&["audit", "export", "site"]).exits(0);
        }
    }
    place.run(&["audit", "export", "site", "--vkey", "log.vkey"]).exits(0);
    place.run(&["audit", "prove", "3", "--out", "3.tlog-proof"]).exits(0);
    place
}

impl Place {
    fn key(&self) -> LogKey {
        LogKey::parse(fs::read_to_string(self.path("log.vkey")).unwrap().trim()).unwrap()
    }

    fn offline(&self, what: &str) -> Report {
        hefu_offline::verify(&self.path(what), Some(&self.key())).unwrap()
    }

    /// Both verifiers on the directory as it is; they must agree. `what` tells what was done to it.
    fn agree(&self, what: &str) -> (i32, BTreeSet<u64>) {
        self.agree_at("L", what)
    }

    /// The same on a site or a bundle.
    fn agree_at(&self, place: &str, what: &str) -> (i32, BTreeSet<u64>) {
        let theirs = self.run(&["audit", "verify", place, "--key", "log.vkey"]);
        let ours = self.offline(place);
        let report = theirs.json();
        assert_eq!(theirs.code, ours.verdict as i32, "{what}\n{report}\n{ours:?}");
        let meant = |finding: &serde_json::Value| finding["position"].as_u64();
        let theirs_meant: BTreeSet<u64> =
            report["findings"].as_array().unwrap().iter().filter_map(meant).collect();
        let ours_meant: BTreeSet<u64> = ours.findings.iter().filter_map(|finding| finding.position).collect();
        // Of two neighbours that do not fit, the one may be meant or the other.
        let near = |at: &u64| ours_meant.range(at.saturating_sub(1)..=at + 1).next().is_some();
        let common = theirs_meant.is_empty() || theirs_meant.iter().any(near);
        assert!(common, "{what}: other records\n{report}\n{ours:?}");
        (theirs.code, ours_meant)
    }

    /// Puts other bytes in the place of a file, asks both, and puts the old ones back.
    fn agree_on(&self, file: &str, bytes: &[u8], what: &str) -> (i32, BTreeSet<u64>) {
        let good = fs::read(self.path(file)).unwrap();
        fs::write(self.path(file), bytes).unwrap();
        let agreed = self.agree_at(file.split('/').next().unwrap(), what);
        fs::write(self.path(file), good).unwrap();
        agreed
    }
}

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

fn used(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

#[test]
fn what_is_good_is_proven_by_both() {
    let place = published();
    assert_eq!(place.agree("nothing"), (0, BTreeSet::new()));
    let size = place.size();
    for what in ["L", "site"] {
        let report = place.offline(what);
        assert_eq!((report.verdict as u8, report.size, report.records), (0, size, size), "{report:#?}");
    }
    assert_eq!(place.offline("3.tlog-proof").verdict as u8, 0);
    // Without the key nobody knows who signed.
    assert_eq!(hefu_offline::verify(&place.path("site"), None).unwrap().verdict as u8, 1);
    let other = LogKey { name: None, public: [9; 32] };
    assert_eq!(hefu_offline::verify(&place.path("L"), Some(&other)).unwrap().verdict as u8, 2);
}

#[test]
fn a_flipped_bit_in_a_ledger() {
    let place = published();
    let mut numbers = Numbers(1);
    for file in [SEGMENT, "L/head"] {
        let good = fs::read(place.path(file)).unwrap();
        for _ in 0..40 {
            let (at, bit) = (numbers.below(used(&good)), numbers.below(8));
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            let (code, _) = place.agree_on(file, &bytes, &format!("{file}: byte {at} bit {bit}"));
            assert_ne!(code, 0, "{file}: byte {at} bit {bit}");
        }
    }
}

/// What is wrong with the file `checkpoint` of a ledger: missing, older, a stranger's; and a ledger that has none.
#[test]
fn a_checkpoint_that_was_taken_away_or_put_back_is_missed_by_both() {
    const CHECKPOINT: &str = "L/checkpoint";
    let place = Place::new();
    let mut lines = SAMPLE.lines();
    let mut grow = || {
        place.write("line.jsonl", lines.next().unwrap());
        place.run(&["submit", "line.jsonl"]).exits(0);
    };
    let notes = |what: &str| {
        let theirs = place.run(&["audit", "verify", "L", "--key", "log.vkey"]).json();
        let theirs =
            theirs["notes"].as_array().unwrap().iter().any(|note| note.as_str().unwrap().contains(what));
        theirs && place.offline("L").notes.iter().any(|note| note.contains(what))
    };
    grow();
    place.run(&["audit", "export", "other", "--vkey", "log.vkey"]).exits(0);
    fs::remove_dir_all(place.path("L/tiles")).unwrap();
    let older = fs::read(place.path(CHECKPOINT)).unwrap();
    fs::remove_file(place.path(CHECKPOINT)).unwrap();
    assert_eq!(place.agree("never published").0, 0);
    assert!(notes("nothing is pinned"));
    fs::write(place.path(CHECKPOINT), &older).unwrap();
    grow();
    place.run(&["audit", "checkpoint"]).exits(0);
    assert_eq!(place.agree("published").0, 0);
    assert!(!notes("nothing is pinned"));

    let good = fs::read(place.path(CHECKPOINT)).unwrap();
    assert_eq!(place.agree_on(CHECKPOINT, &older, "an older one").0, 1);
    let said: Checkpoint = Note::parse(&good).unwrap().text().parse().unwrap();
    let stranger = said.sign(&SecretKey::from_seed([9; 32])).unwrap().to_string();
    assert_eq!(place.agree_on(CHECKPOINT, stranger.as_bytes(), "a stranger's").0, 1);
    let renamed = String::from_utf8(good.clone()).unwrap().replace("x.example", "y.example");
    assert_eq!(place.agree_on(CHECKPOINT, renamed.as_bytes(), "of another ledger").0, 2);
    fs::remove_file(place.path(CHECKPOINT)).unwrap();
    assert_eq!(place.agree("taken away").0, 1);
    // One that is signed and not published yet explains the tiles.
    fs::write(place.path("L/checkpoint.signed"), &good).unwrap();
    assert_eq!(place.agree("on its way").0, 0);
    fs::write(place.path(CHECKPOINT), &older).unwrap();
    assert_eq!(place.agree("on its way, after an older one").0, 0);
}

/// A frame, to be put elsewhere or changed.
#[derive(Clone)]
enum Frame {
    Record(Record),
    Commit(Commit),
}

fn take_apart(file: &[u8]) -> Vec<Frame> {
    let (mut at, mut frames) = (frame::HEADER_LEN, Vec::new());
    loop {
        match frame::parse(&file[at..]) {
            Parsed::Record { len, record } => {
                frames.push(Frame::Record(record.to_record()));
                at += len;
            }
            Parsed::Commit { len, commit } => {
                frames.push(Frame::Commit(commit));
                at += len;
            }
            Parsed::Zero | Parsed::More { .. } | Parsed::Bad(_) => return frames,
        }
    }
}

/// The file again, with sound checksums: what one writes who knows the format but not the keys.
fn put_together(file: &[u8], frames: &[Frame]) -> Vec<u8> {
    let mut bytes = file[..frame::HEADER_LEN].to_vec();
    for frame in frames {
        match frame {
            Frame::Record(record) => frame::encode_record(&mut bytes, &record.as_ref()).unwrap(),
            Frame::Commit(commit) => frame::encode_commit(&mut bytes, commit),
        }
    }
    bytes.resize(bytes.len().max(file.len()), 0);
    bytes
}

#[test]
fn a_file_written_anew_with_sound_checksums() {
    let place = published();
    let file = fs::read(place.path(SEGMENT)).unwrap();
    let frames = take_apart(&file);
    assert_eq!(put_together(&file, &frames), file);
    let mut numbers = Numbers(2);
    for round in 0..90 {
        let mut frames = frames.clone();
        let at = numbers.below(frames.len());
        let what = match round % 6 {
            0 => {
                frames.remove(at);
                "dropped"
            }
            1 => {
                frames.insert(at, frames[at].clone());
                "twice"
            }
            2 => {
                let other = numbers.below(frames.len());
                frames.swap(at, other);
                "swapped"
            }
            3 => {
                frames.truncate(at);
                "cut"
            }
            _ => {
                match &mut frames[at] {
                    Frame::Record(record) => {
                        let parts = [&mut record.leaf, &mut record.body, &mut record.command];
                        let parts = parts.into_iter().filter(|part| !part.is_empty());
                        let mut parts: Vec<&mut Vec<u8>> = parts.collect();
                        let part = numbers.below(parts.len());
                        let byte = numbers.below(parts[part].len());
                        parts[part][byte] ^= 1 << numbers.below(7);
                    }
                    Frame::Commit(commit) => commit.head[numbers.below(32)] ^= 1 << numbers.below(8),
                }
                "changed"
            }
        };
        place.agree_on(SEGMENT, &put_together(&file, &frames), &format!("round {round}: frame {at} {what}"));
    }
}

fn files_below(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>, above: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{above}/{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            files_below(&entry.path(), found, &name);
        } else {
            found.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

/// Every file of a site counts, those of earlier checkpoints, too; an altered entry is named.
#[test]
fn a_flipped_bit_in_a_site_or_a_proof() {
    let place = published();
    let mut files = BTreeMap::new();
    files_below(&place.path("site"), &mut files, "site");
    assert!(files.len() >= 5, "{:?}", files.keys());
    files.insert("3.tlog-proof".into(), fs::read(place.path("3.tlog-proof")).unwrap());
    let mut numbers = Numbers(3);
    for (name, good) in &files {
        let path = place.path(name);
        let top = if name.starts_with("site") { "site" } else { name };
        for round in 0..40 {
            let (at, bit) = (numbers.below(good.len()), numbers.below(8));
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            fs::write(&path, &bytes).unwrap();
            let report = place.offline(top);
            assert_ne!(report.verdict as u8, 0, "{name}: byte {at} bit {bit}");
            fs::write(&path, good).unwrap();
            if top == "site" && round < 8 {
                place.agree_on(name, &bytes, &format!("{name}: byte {at} bit {bit}"));
            }
            fs::write(&path, &bytes).unwrap();
            if name.ends_with(".tlog-proof") {
                let theirs = place.run(&["audit", "verify", name, "--key", "log.vkey"]);
                assert_eq!(theirs.code, report.verdict as i32, "{name}: byte {at} bit {bit}\n{report:#?}");
            }
        }
        fs::remove_file(&path).unwrap();
        let gone = hefu_offline::verify(&place.path(top), Some(&place.key()));
        if name.contains("/tile/") && !name.contains(".p/") {
            assert_eq!(gone.unwrap().verdict as u8, 1, "{name} removed");
        }
        fs::write(&path, good).unwrap();
    }
}

#[test]
fn a_redacted_record_is_in_order_for_both_and_one_that_only_says_so_is_not() {
    let place = published();
    let redact =
        ["audit", "redact", "3", "--reason", "商业秘密", "--auditor", "330108/auditor", "--as", "330108"];
    let history = place.run(&["project", "history", PROJECT]).exits(0).json();
    let rows = history["rows"].as_array().unwrap();
    let registered = rows.iter().find(|row| row["type"] == "project.registered").unwrap();
    let at = registered["position"].as_u64().unwrap().to_string();
    let redact = redact.map(|word| if word == "3" { at.as_str() } else { word });
    place.run(&redact).exits(0);
    assert_eq!(place.agree("redacted").0, 0);
    // The redaction altered: what the withheld frame says counts for nothing.
    let file = fs::read(place.path(SEGMENT)).unwrap();
    let mut bytes = file.clone();
    let by = bytes.windows(15).rposition(|window| window == b"record.redacted").unwrap();
    bytes[by] ^= 1;
    assert_eq!(place.agree_on(SEGMENT, &bytes, "the redaction altered").0, 2);
    // A withheld frame that names another record than the one that redacted it.
    let withheld = |file: &[u8]| {
        Scanner::new(file, frame::HEADER_LEN).find_map(|item| match item {
            Item::Record { offset, record } => {
                Some((usize::try_from(offset).unwrap(), record.redacted_by?, !record.body.is_empty()))
            }
            Item::Commit { .. } | Item::Zeros { .. } | Item::Damage { .. } => None,
        })
    };
    let (offset, by, keep_body) = withheld(&file).unwrap();
    let mut bytes = file.clone();
    frame::withhold(&mut bytes[offset..], by - 1, keep_body).unwrap();
    assert_eq!(withheld(&bytes), Some((offset, by - 1, keep_body)));
    assert_eq!(place.agree_on(SEGMENT, &bytes, "another redactor").0, 2);
    // A bundle with the withheld record and the one that redacted it.
    place.run(&["audit", "checkpoint"]).exits(0);
    place.run(&["audit", "bundle", "--project", PROJECT, "--out", "redacted.bundle"]).exits(0);
    assert_eq!(place.agree_at("redacted.bundle", "a bundle").0, 0);
}

const BUNDLES: [(&str, &str); 3] =
    [("--project", PROJECT), ("--range", "2..9"), ("--cell", "330881/INV_FAI/2023")];

#[test]
fn a_bundle_is_proven_by_both_and_a_flipped_bit_in_it_by_none() {
    let place = published();
    let mut numbers = Numbers(4);
    for (asked, value) in BUNDLES {
        place.run(&["audit", "bundle", asked, value, "--out", "some.bundle"]).exits(0);
        assert_eq!(place.agree_at("some.bundle", asked), (0, BTreeSet::new()));
        let good = fs::read(place.path("some.bundle")).unwrap();
        for _ in 0..16 {
            let (at, bit) = (numbers.below(good.len()), numbers.below(8));
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            let what = format!("{asked}: byte {at} bit {bit}");
            assert_ne!(place.agree_on("some.bundle", &bytes, &what).0, 0, "{what}");
        }
    }
}

/// Entries that were taken away are asked for; a site that was made without them says that no record was checked.
#[test]
fn a_site_without_entries_is_not_proven_unless_it_is_public() {
    let place = published();
    place.run(&["audit", "export", "open", "--public"]).exits(0);
    assert_eq!(place.agree_at("open", "a public site"), (0, BTreeSet::new()));
    let said = place.run(&["audit", "verify", "open", "--key", "log.vkey"]).exits(0).json();
    let note = "no entries here, as the site is public: records were not checked";
    assert!(said["notes"].as_array().unwrap().contains(&note.into()), "{said}");
    assert_eq!(said["records"], 0);
    assert!(place.offline("open").notes.contains(&note.to_owned()));

    fs::remove_dir_all(place.path("site/tile/entries")).unwrap();
    assert_eq!(place.agree_at("site", "entries taken away").0, 1);
    let said = place.run(&["audit", "verify", "site", "--key", "log.vkey"]).exits(1).json();
    assert_eq!(said["verdict"], "not_proven");
    assert_eq!(said["findings"][0]["kind"], "tile_missing");
    assert_eq!(said["findings"][0]["segment"], "tile/entries");
    // One that was made without them before that was said: the next export says it.
    fs::remove_file(place.path("open/public")).unwrap();
    assert_eq!(place.agree_at("open", "not marked").0, 1);
    place.run(&["audit", "export", "open", "--public"]).exits(0);
    assert_eq!(place.agree_at("open", "marked again").0, 0);
    // Hashes that are not there are no other history, and nothing to go on from.
    fs::remove_dir_all(place.path("open/tile")).unwrap();
    assert_eq!(place.agree_at("open", "only a checkpoint").0, 1);
    fs::remove_file(place.path("open/public")).unwrap();
    let watch = ["audit", "monitor", "open", "--key", "log.vkey", "--state", "m.json"];
    assert_ne!(place.run(&watch).code, 0);
    assert!(!place.path("m.json").exists());
}

/// A bundle whose last line fits again: what one makes who knows the format.
fn sealed(lines: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = lines.concat();
    let sha256 = hefu_offline::hash::to_hex(&hefu_offline::hash::sha256(&[&bytes]));
    let last = hefu_chain::bundle::Last { lines: lines.len() as u64, sha256 };
    bytes.extend(encode(&last).unwrap());
    bytes
}

#[test]
fn a_bundle_written_anew_with_a_last_line_that_fits() {
    let place = published();
    for (asked, value) in BUNDLES {
        place.run(&["audit", "bundle", asked, value, "--out", "some.bundle"]).exits(0);
        let good = fs::read(place.path("some.bundle")).unwrap();
        let mut lines: Vec<Vec<u8>> =
            good.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        lines.pop();
        assert_eq!(sealed(&lines), good);
        let edit = |what: &str, edit: &dyn Fn(&mut Vec<Vec<u8>>)| {
            let mut lines = lines.clone();
            edit(&mut lines);
            place.agree_on("some.bundle", &sealed(&lines), &format!("{asked}: {what}")).0
        };
        let line = |edit: &dyn Fn(&mut Line)| {
            let (at, line) =
                lines.iter().enumerate().rev().find_map(|(at, bytes)| Some((at, decode::<Line>(bytes)?)))?;
            let mut line = line;
            edit(&mut line);
            Some((at, encode(&line).unwrap()))
        };
        let put = |what: &str, change: &dyn Fn(&mut Line)| {
            let (at, bytes) = line(change).unwrap();
            edit(what, &|lines| lines[at].clone_from(&bytes))
        };
        for at in 1..lines.len() {
            edit("dropped", &|lines| drop(lines.remove(at)));
            assert_eq!(edit("twice", &|lines| lines.insert(at, lines[at].clone())), 2);
        }
        assert_eq!(edit("swapped", &|lines| lines.swap(1, 2)), 2);
        assert_eq!(
            edit("another ledger", &|lines| {
                let text = String::from_utf8(lines[0].clone()).unwrap();
                lines[0] = text.replace("x.example/zj", "y.example/zj").into_bytes();
            }),
            2
        );
        assert_eq!(
            edit("another key", &|lines| {
                let at = lines[0].windows(11).position(|bytes| bytes == b"\"log_key\":\"").unwrap() + 11;
                lines[0][at] = if lines[0][at] == b'0' { b'1' } else { b'0' };
            }),
            2
        );
        assert_eq!(put("without a body", &|line| line.body = None), 1);
        assert_eq!(put("without a command", &|line| line.command = None), 1);
        assert_eq!(put("another place", &|line| line.index += 1), 2);
        assert_eq!(put("a shorter path", &|line| line.path.truncate(line.path.len() - 1)), 2);
        assert_eq!(put("another body", &|line| line.body = Some("{}".into())), 2);
        assert_eq!(put("an empty command", &|line| line.command = Some(String::new())), 2);
        assert_eq!(put("another leaf", &|line| line.leaf = line.leaf.replacen("\"v\":1", "\"v\":2", 1)), 2);
    }
}
