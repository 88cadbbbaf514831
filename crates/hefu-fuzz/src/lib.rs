//! What must hold of every parser of bytes from outside, whatever the bytes are.
//!
//! A target takes any bytes, panics if a property is broken, and tells whether the bytes were accepted. Two drivers call
//! the same functions: `cargo test -p hefu-fuzz` alters the seeds a fixed number of times with fixed numbers, on every
//! machine the same; `fuzz/` has cargo-fuzz look for what nobody thought of (fuzz/README.md).
//!
//! The properties: what is accepted is written back as the very same bytes, so each value has one spelling; and where
//! the auditor's verifier reads the same thing with its own code, the two accept the same. What regions write themselves
//! has many spellings: there what is accepted means the same when it is written plainly.

mod book;

use hefu_chain::add_checkpoint::AddCheckpoint;
use hefu_chain::bundle::{Header, Last, Line, decode, encode};
use hefu_chain::canonical;
use hefu_chain::checkpoint::Checkpoint;
use hefu_chain::command::{CommandRef, SignedCommand};
use hefu_chain::evidence::Evidence;
use hefu_chain::frame::{self, FileHeader, Item, Scanner};
use hefu_chain::leaf::LeafRef;
use hefu_chain::note::{Note, VerifierKey};
use hefu_chain::policy::Policy;
use hefu_chain::proof::TlogProof;
use hefu_chain::receipt::HeadFile;
use hefu_chain::tile::{Kind, Tile, encode_entries, parse_entries};
use hefu_chain::verify::{self, Options, Segment, Verdict};
use hefu_chain::{body, tree};
use hefu_offline::note::LogKey;

pub use book::{amount, book, book_sheet};

/// Takes any bytes; tells whether they were accepted; panics if a property is broken.
pub type Target = fn(&[u8]) -> bool;

/// Every target by its name, which is also the folder of its seeds.
pub const TARGETS: &[(&str, Target)] = &[
    ("add_checkpoint", add_checkpoint),
    ("amount", amount),
    ("body", body),
    ("book", book),
    ("book_sheet", book_sheet),
    ("bundle", bundle),
    ("canonical", canonical),
    ("checkpoint", checkpoint),
    ("command", command),
    ("entries", entries),
    ("evidence", evidence),
    ("head", head),
    ("leaf", leaf),
    ("note", note),
    ("policy", policy),
    ("proof", proof),
    ("segment", segment),
    ("tile_path", tile_path),
    ("vkey", vkey),
];

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// A signed note writes the bytes it was read from.
pub fn note(bytes: &[u8]) -> bool {
    let Ok(note) = Note::parse(bytes) else { return false };
    assert_eq!(note.to_string().as_bytes(), bytes);
    true
}

/// A checkpoint is read by both verifiers or by neither, and its body is written as it was read.
pub fn checkpoint(bytes: &[u8]) -> bool {
    let ours = Note::parse(bytes).ok().and_then(|note| {
        let checkpoint: Checkpoint = note.text().parse().ok()?;
        assert_eq!(checkpoint.to_string(), note.text());
        Some(checkpoint)
    });
    let theirs = hefu_offline::note::read(bytes).ok().map(|(checkpoint, _)| checkpoint);
    let theirs = theirs.map(|checkpoint| (checkpoint.origin, checkpoint.size, checkpoint.root));
    let said = ours.map(|checkpoint| (checkpoint.origin.to_string(), checkpoint.size, checkpoint.root.0));
    assert_eq!(said, theirs);
    theirs.is_some()
}

/// A verifier key writes the text it was read from; the auditor's verifier reads the same keys of logs.
pub fn vkey(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    let Ok(key) = text.parse::<VerifierKey>() else { return false };
    assert_eq!(key.to_string(), text);
    let of_log = key.kind().byte() == 1 && hefu_offline::note::is_origin(key.name().as_str());
    let theirs = LogKey::parse(text);
    assert_eq!(theirs.is_some(), of_log);
    assert!(theirs.is_none_or(|theirs| theirs.public == key.public().0));
    true
}

/// A policy means the same when it is written and read again.
pub fn policy(bytes: &[u8]) -> bool {
    let Ok(policy) = Policy::parse(bytes) else { return false };
    assert_eq!(policy.to_string().parse(), Ok(policy));
    true
}

/// A tile's path is written as it was read, and leads to the same file in both verifiers.
pub fn tile_path(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    let Ok(tile) = text.parse::<Tile>() else { return false };
    assert_eq!(tile.to_string(), text);
    let kind = match tile.kind() {
        Kind::Entries => "entries".to_owned(),
        Kind::Hashes(level) => level.to_string(),
    };
    let full = hefu_offline::tiles::path(&kind, tile.index());
    let partial = format!("{full}.p/{}", tile.width());
    assert_eq!(text, if tile.is_full() { full } else { partial });
    true
}

/// A bundle of entries, behind one byte that says how wide it is, is written as it was read.
pub fn entries(bytes: &[u8]) -> bool {
    let Some((width, bundle)) = bytes.split_first() else { return false };
    let Ok(entries) = parse_entries(bundle, u16::from(*width) + 1) else { return false };
    assert_eq!(encode_entries(entries).as_deref(), Ok(bundle));
    true
}

/// A proof file is written as it was read; what cannot be read proves nothing to the auditor's verifier, either.
pub fn proof(bytes: &[u8]) -> bool {
    let mut report = hefu_offline::Report::default();
    hefu_offline::proof::verify(bytes, None, &mut report);
    let theirs = report.verdict;
    let Ok(proof) = TlogProof::parse(bytes) else {
        assert_eq!(theirs, hefu_offline::Verdict::ProvenBad);
        return false;
    };
    assert_eq!(proof.to_string().as_bytes(), bytes);
    let checkpoint: Option<Checkpoint> = proof.checkpoint().text().parse().ok();
    let leads = checkpoint.zip(proof.extra()).is_some_and(|(checkpoint, leaf)| {
        let leaf_hash = tree::TreeHash::leaf(leaf);
        let Checkpoint { size, root, .. } = checkpoint;
        tree::verify_inclusion(proof.index(), size, &leaf_hash, proof.path(), &root).is_ok()
            && LeafRef::parse(leaf).is_ok_and(|leaf| leaf.seq == proof.index())
    });
    // Without a key the best that can be said is that nobody knows who signed it.
    let absent = theirs == hefu_offline::Verdict::NotProven;
    assert_eq!(
        absent,
        leads || (proof.extra().is_none() && hefu_offline::note::read(note_of(bytes)).is_ok())
    );
    true
}

fn note_of(proof: &[u8]) -> &[u8] {
    let blank = proof.windows(2).position(|two| two == b"\n\n");
    blank.and_then(|at| proof.get(at + 2..)).unwrap_or_default()
}

/// A request to a witness writes the bytes it was read from.
pub fn add_checkpoint(bytes: &[u8]) -> bool {
    let Ok(request) = AddCheckpoint::parse(bytes) else { return false };
    assert_eq!(request.to_string().as_bytes(), bytes);
    true
}

/// Evidence means the same when it is written and read again; without a key it proves nothing.
pub fn evidence(bytes: &[u8]) -> bool {
    let Ok(evidence) = Evidence::parse(bytes) else { return false };
    assert!(evidence.check(&[]).is_err());
    assert_eq!(Evidence::parse(&evidence.to_bytes()), Ok(evidence));
    true
}

/// Each line of a bundle is written as it was read, and both verifiers come to the same verdict.
pub fn bundle(bytes: &[u8]) -> bool {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let header = decode::<Header>(lines.next().unwrap_or_default());
    for line in lines {
        let written = match (decode::<Line>(line), decode::<Last>(line)) {
            (Some(record), _) => encode(&record),
            (_, Some(last)) => encode(&last),
            (None, None) => continue,
        };
        assert_eq!(written.expect("it was read"), line);
    }
    let mut theirs = hefu_offline::Report::default();
    hefu_offline::bundle::verify(bytes, None, &mut theirs);
    let mut input = bytes;
    let ours = verify::bundle(&mut input, &Options::default()).expect("bytes in memory can be read");
    assert_eq!(i32::from(ours.verdict.exit_code()), theirs.verdict as i32, "{ours:?}\n{theirs:?}");
    header.is_some()
}

/// Canonical JSON is written as it was read.
pub fn canonical(bytes: &[u8]) -> bool {
    if canonical::check(bytes).is_err() {
        return false;
    }
    let value: serde_json::Value = serde_json::from_slice(bytes).expect("canonical JSON is JSON");
    assert_eq!(canonical::to_vec(&value).as_deref(), Ok(bytes));
    true
}

/// A leaf is written as it was read, and read by both verifiers or by neither.
pub fn leaf(bytes: &[u8]) -> bool {
    let theirs = hefu_offline::record::Leaf::parse(bytes);
    let Ok(leaf) = LeafRef::parse(bytes) else {
        assert_eq!(theirs, None);
        return false;
    };
    assert_eq!(leaf.encode().as_deref(), Ok(bytes));
    assert!(canonical(bytes));
    assert_eq!(theirs.map(|theirs| (theirs.seq, theirs.stream)), Some((leaf.seq, leaf.stream.to_owned())));
    true
}

/// A body is written as it was read.
pub fn body(bytes: &[u8]) -> bool {
    let Ok(body) = body::parse(bytes) else { return false };
    assert_eq!(body::encode(body.data, body.salt), bytes);
    assert_eq!(body::split(bytes).map(|split| (split.data, split.salt)), Ok((body.data, body.salt)));
    assert!(canonical(bytes));
    true
}

/// A signed command keeps its bytes, which are canonical, and is read by both verifiers or by neither.
pub fn command(bytes: &[u8]) -> bool {
    let accepted = CommandRef::parse(bytes).is_ok();
    assert_eq!(accepted, hefu_offline::record::is_command(bytes));
    if accepted {
        assert!(canonical(bytes));
        let command = SignedCommand::parse(bytes.to_vec()).expect("both read the same");
        assert_eq!(command.bytes(), bytes);
    }
    accepted
}

/// A head file is written as it was read, but for the line feed that may be missing.
pub fn head(bytes: &[u8]) -> bool {
    let Ok(head) = HeadFile::parse(bytes) else { return false };
    let line = [bytes.strip_suffix(b"\n").unwrap_or(bytes), b"\n"].concat();
    assert_eq!(head.encode(), Ok(line));
    true
}

/// Frames are written as they were read, pieces follow one another to the end, and the verifier reports whatever it is.
pub fn segment(bytes: &[u8]) -> bool {
    if let Ok(header) = FileHeader::parse(bytes) {
        assert!(bytes.starts_with(&header.encode()));
    }
    let (mut at, mut sound) = (frame::HEADER_LEN.min(bytes.len()) as u64, true);
    for item in Scanner::new(bytes, frame::HEADER_LEN) {
        let mut written = Vec::new();
        let offset = match item {
            Item::Record { offset, record } => {
                frame::encode_record(&mut written, &record).expect("it fitted a frame before");
                if let Some(by) = record.redacted_by {
                    // Its frame is as long as it was: withholding once more changes nothing.
                    let place = usize::try_from(offset).expect("an offset in memory");
                    let frame::Parsed::Record { len, .. } = frame::parse(&bytes[place..]) else {
                        panic!("a record stands there")
                    };
                    written = bytes[place..place + len].to_vec();
                    frame::withhold(&mut written, by, true).expect("a sound frame");
                }
                offset
            }
            Item::Commit { offset, commit } => {
                frame::encode_commit(&mut written, &commit);
                offset
            }
            Item::Zeros { offset } => offset,
            Item::Damage { offset, len, .. } => {
                sound = false;
                assert_eq!(offset, at);
                at += len;
                continue;
            }
        };
        assert_eq!(offset, at);
        let place = usize::try_from(offset).expect("an offset in memory");
        assert!(bytes[place..].starts_with(&written));
        at = if written.is_empty() { bytes.len() as u64 } else { at + written.len() as u64 };
    }
    assert_eq!(at, bytes.len() as u64);
    let report = verify::verify(&[Segment { name: "fuzz", bytes }], Options::default());
    assert!(sound || report.verdict != Verdict::Proven);
    report.records > 0 && sound
}
