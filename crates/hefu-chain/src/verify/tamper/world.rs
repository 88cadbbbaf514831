//! A ledger, its site, a bundle and a proof, in memory; and how they are judged.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::testlog::{Frame, file, log, log_key, origin, records};
use super::super::{Options, Report, bundle, ledger, site};
use crate::bundle::{Asked, FORMAT, Header, Line, Reason, Writer};
use crate::chain::ChainContext;
use crate::checkpoint::Checkpoint;
use crate::key::SecretKey;
use crate::note::VerifierKey;
use crate::proof::TlogProof;
use crate::receipt::{HeadFile, Receipt};
use crate::source::MemorySource;
use crate::tile::{Kind, Tile, encode_entries, encode_hashes};
use crate::tree::{self, MemoryTree, TreeHash};

pub(super) const SEGMENT: &str = "segments/00000000000000000000.seg";
pub(super) const TILE: &str = "tile/0/000.p/12";
pub(super) const ENTRIES: &str = "tile/entries/000.p/12";

pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// Everything an auditor may hold.
pub(super) struct World {
    pub(super) frames: Vec<Frame>,
    pub(super) ledger: Files,
    pub(super) site: Files,
    pub(super) bundle: Vec<u8>,
    pub(super) proof: Vec<u8>,
    /// The signed checkpoint, as somebody kept it elsewhere.
    pub(super) checkpoint: Vec<u8>,
}

pub(super) fn options<'a>() -> Options<'a> {
    Options { origin: Some(origin()), log_key: Some(log_key().public()), ..Options::default() }
}

impl World {
    pub(super) fn new() -> Self {
        Self::of(log())
    }

    /// The world in which the operator says that this is the log.
    pub(super) fn of(frames: Vec<Frame>) -> Self {
        Self::signed_by(frames, &[log_key()])
    }

    /// The same, signed by these keys of the log; checkpoints by all of them, everything else by the first.
    pub(super) fn signed_by(frames: Vec<Frame>, keys: &[SecretKey]) -> Self {
        let records = records(&frames);
        let chain = ChainContext::new(&origin());
        let size = records.len() as u64;
        let mut tree: MemoryTree = records.iter().map(|record| TreeHash::leaf(&record.leaf)).collect();
        let root = tree::root(&mut tree, size).unwrap();
        let said = Checkpoint { origin: origin(), size, root };
        let mut note = said.sign(&keys[0]).unwrap();
        for also in &keys[1..] {
            note.add(said.signature(also).unwrap()).unwrap();
        }
        let checkpoint = note.to_string().into_bytes();
        let hashes: Vec<TreeHash> = records.iter().map(|record| TreeHash::leaf(&record.leaf)).collect();
        let head = Receipt::sign(origin(), size - 1, chain.link(&records[records.len() - 1].leaf), &keys[0]);
        let ledger = Files::from([
            (SEGMENT.to_owned(), file(&frames, 0, 64)),
            ("head".to_owned(), HeadFile::new(head, true).encode().unwrap()),
            ("checkpoint".to_owned(), checkpoint.clone()),
            ("tiles/0".to_owned(), encode_hashes(&hashes)),
        ]);
        let leaves: Vec<&[u8]> = records.iter().map(|record| record.leaf.as_slice()).collect();
        let tile = |kind| Tile::at(kind, 0, size).unwrap().to_string();
        let site = Files::from([
            ("checkpoint".to_owned(), checkpoint.clone()),
            (tile(Kind::Hashes(0)), encode_hashes(&hashes)),
            (tile(Kind::Entries), encode_entries(leaves).unwrap()),
        ]);
        let header = Header {
            asked: Asked::Range { end: size, first: 0 },
            checkpoint: note.to_string(),
            format: FORMAT.into(),
            log_key: keys[0].public(),
            origin: origin(),
        };
        let mut writer = Writer::new(Vec::new(), &header).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        for record in &records {
            let some = |bytes: &[u8]| Some(text(bytes)).filter(|text| !text.is_empty());
            let line = Line {
                body: some(&record.body),
                command: some(&record.command),
                index: record.position,
                leaf: text(&record.leaf),
                path: tree::inclusion(&mut tree, record.position, size).unwrap(),
                why: Reason::Asked,
            };
            writer.record(&line).unwrap();
        }
        let bundle = writer.finish().unwrap();
        let path = tree::inclusion(&mut tree, 6.min(size - 1), size).unwrap();
        let proof =
            TlogProof::new(Some(records[6.min(records.len() - 1)].leaf.clone()), 6.min(size - 1), path, note);
        let proof = proof.unwrap().to_string().into_bytes();
        Self { frames, ledger, site, bundle, proof, checkpoint }
    }

    /// The ledger with these frames in its segment.
    pub(super) fn with_frames(&self, frames: &[Frame]) -> String {
        let mut files = self.ledger.clone();
        files.insert(SEGMENT.to_owned(), file(frames, 0, 64));
        say(&judge_ledger(files))
    }

    /// The ledger with the frames edited.
    pub(super) fn frames(&self, edit: impl FnOnce(&mut Vec<Frame>)) -> String {
        let mut frames = self.frames.clone();
        edit(&mut frames);
        self.with_frames(&frames)
    }

    /// The site with one file edited.
    pub(super) fn site(&self, path: &str, edit: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut files = self.site.clone();
        edit(files.get_mut(path).unwrap());
        say(&judge_site(files, None))
    }

    /// The ledger with its tile edited.
    pub(super) fn kept_tile(&self, edit: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut files = self.ledger.clone();
        edit(files.get_mut("tiles/0").unwrap());
        say(&judge_ledger(files))
    }

    /// The ledger with its checkpoint edited.
    pub(super) fn kept_checkpoint(&self, edit: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut files = self.ledger.clone();
        edit(files.get_mut("checkpoint").unwrap());
        say(&judge_ledger(files))
    }

    /// The bundle with its lines edited; its last line is made anew if `mend`.
    pub(super) fn lines(&self, mend: bool, edit: impl FnOnce(&mut Vec<Vec<u8>>)) -> String {
        let mut lines: Vec<Vec<u8>> =
            self.bundle.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        edit(&mut lines);
        if mend {
            use sha2::Digest as _;
            lines.pop();
            let sha256 = hex::encode(sha2::Sha256::digest(lines.concat()));
            let last = crate::bundle::Last { lines: lines.len() as u64, sha256 };
            lines.push(crate::bundle::encode(&last).unwrap());
        }
        say(&judge_bundle(&lines.concat(), None))
    }

    /// The proof with its lines edited.
    pub(super) fn proof(&self, edit: impl FnOnce(&mut Vec<String>)) -> String {
        let text = String::from_utf8(self.proof.clone()).unwrap();
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        edit(&mut lines);
        judge_proof(lines.concat().as_bytes())
    }
}

pub(super) fn judge_ledger(files: Files) -> Report {
    ledger(&MemorySource(files), None, options()).unwrap()
}

pub(super) fn judge_site(files: Files, since: Option<&[u8]>) -> Report {
    site(&MemorySource(files), &Options { since, ..options() }).unwrap()
}

/// Without the signatures of commands: for what is no command, and quicker.
pub(super) fn judge_hashes(files: Files) -> Report {
    ledger(&MemorySource(files), None, Options { hashes_only: true, ..options() }).unwrap()
}

/// The same for a bundle: its digest covers the commands.
pub(super) fn judge_lines(bytes: &[u8]) -> Report {
    bundle(&mut &*bytes, &Options { hashes_only: true, ..options() }).unwrap()
}

pub(super) fn judge_bundle(bytes: &[u8], since: Option<&[u8]>) -> Report {
    bundle(&mut &*bytes, &Options { since, ..options() }).unwrap()
}

/// A proof is judged by the log's key; what it says is the error.
pub(super) fn judge_proof(bytes: &[u8]) -> String {
    let key = VerifierKey::of_log(&origin(), log_key().public()).unwrap();
    match TlogProof::parse(bytes) {
        Err(error) => format!("{error} → 2"),
        Ok(proof) => match proof.verify(None, [&key]) {
            Ok(_) => "proven → 0".to_owned(),
            Err(error) => format!("{error} → 2"),
        },
    }
}

/// A report in one line.
pub(super) fn say(report: &Report) -> String {
    let mut said = String::new();
    for (at, finding) in report.findings.iter().enumerate() {
        if at == 4 {
            let _ = write!(said, ", and {} more", report.findings.len() - at);
            break;
        }
        let kind = serde_json::to_value(finding.kind).unwrap();
        let _ = write!(said, "{}`{}`", if at > 0 { ", " } else { "" }, kind.as_str().unwrap());
        if let Some(position) = finding.position {
            let _ = write!(said, " {position}");
        }
        if let Some(field) = finding.field {
            let _ = write!(said, " ({field})");
        }
    }
    for withheld in &report.withheld {
        let _ = write!(
            said,
            "record {}: withheld (redacted by record {})",
            withheld.position, withheld.redacted_by
        );
    }
    if let Some(note) = report.notes.iter().find(|note| note.starts_with("tile ")) {
        let (note, _) = note.split_once(';').unwrap();
        let _ = write!(said, "{}note: {note}", if said.is_empty() { "" } else { ", " });
    }
    if said.is_empty() {
        said.push_str("nothing");
    }
    let _ = write!(said, " → {}", report.verdict.exit_code());
    said
}
