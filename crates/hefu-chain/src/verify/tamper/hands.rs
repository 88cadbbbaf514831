//! What the cells have in common: other histories, and ways to edit files.

use std::sync::LazyLock;

use super::super::testlog::{Frame, chain_anew, log, log_key, origin};
use super::super::tests::redacted;
use super::world::World;
use crate::chain::ChainContext;
use crate::receipt::Receipt;
use crate::tile::{encode_entries, parse_entries};

/// The frame of record 6: three commits stand before it.
pub(super) const SIX: usize = 9;

/// The log as it is; every cell edits a copy of what it needs.
pub(super) static WORLD: LazyLock<World> = LazyLock::new(World::new);
/// [`rechained`], as somebody shows it who has no key: everything is as it should be but the signatures.
pub(super) static RECHAINED: LazyLock<World> = LazyLock::new(|| World::of(rechained()));
/// The same by the operator.
pub(super) static FORKED: LazyLock<World> = LazyLock::new(|| World::of(forked()));
/// The log as it was after its first three batches: six records.
pub(super) static EARLIER: LazyLock<World> =
    LazyLock::new(|| World::of(log().into_iter().take(SIX).collect()));
/// Record 4 withheld by record 11, which says so; its command is that of record 5, too.
pub(super) static REDACTED: LazyLock<World> = LazyLock::new(|| World::of(redacted(|_| ())));

pub(super) fn flip_root(note: &mut [u8]) {
    let root = note.iter().position(|byte| *byte == b'=').unwrap();
    note[root - 10] ^= 1;
}

/// Where the line of the signature begins.
pub(super) fn signature_line(note: &[u8]) -> usize {
    note.iter().position(|byte| *byte == 0xe2).unwrap()
}

pub(super) fn swap_lines(note: &mut Vec<u8>) {
    let text = String::from_utf8(note.clone()).unwrap();
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    lines.swap(0, 1);
    *note = lines.concat().into_bytes();
}

pub(super) fn insert_line(note: &mut Vec<u8>) {
    let end = note.windows(2).position(|bytes| bytes == b"\n\n").unwrap() + 1;
    note.splice(end..end, b"one more line\n".iter().copied());
}

/// What another world's checkpoint says, with the signature of this one.
pub(super) fn with_root_of(other: &World, signed: &[u8]) -> Vec<u8> {
    let mut note = String::from_utf8(other.checkpoint.clone()).unwrap();
    let signed = std::str::from_utf8(signed).unwrap();
    note.truncate(note.find("\n\n").unwrap());
    note.push_str(&signed[signed.find("\n\n").unwrap()..]);
    note.into_bytes()
}

pub(super) fn leaves(entries: &[u8], edit: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let mut leaves: Vec<Vec<u8>> =
        parse_entries(entries, 12).unwrap().into_iter().map(<[u8]>::to_vec).collect();
    edit(&mut leaves);
    encode_entries(leaves.iter().map(Vec::as_slice)).unwrap()
}

pub(super) fn hashes(tile: &[u8], edit: impl FnOnce(&mut Vec<[u8; 32]>)) -> Vec<u8> {
    let mut hashes = tile.as_chunks::<32>().0.to_vec();
    edit(&mut hashes);
    hashes.concat()
}

/// A leaf that says it is record 6.
pub(super) fn alien() -> Vec<u8> {
    let mut frames = log();
    frames[SIX].edit_leaf(|leaf| leaf.ts = "2026-01-01T00:00:05.500000Z".into());
    frames[SIX].record().leaf.clone()
}

fn edit_six(frames: &mut [Frame]) {
    frames[SIX].edit_leaf(|leaf| leaf.ts = "2026-01-01T00:00:06.500000Z".into());
}

/// Record 6 edited and everything after it computed anew, by one who cannot sign.
pub(super) fn rechained() -> Vec<Frame> {
    let mut frames = log();
    edit_six(&mut frames);
    chain_anew(&mut frames, true);
    frames
}

/// The same by one who can.
fn forked() -> Vec<Frame> {
    let mut frames = rechained();
    let (chain, mut last) = (ChainContext::new(&origin()), 0);
    let mut head = chain.start();
    for frame in &mut frames {
        match frame {
            Frame::Record(record) => (head, last) = (chain.link(&record.leaf), record.position),
            Frame::Commit(commit) => commit.signature = Receipt::sign(origin(), last, head, &log_key()).sig.0,
        }
    }
    frames
}

/// The length of a frame in a file.
pub(super) fn len(frame: &Frame) -> usize {
    match frame {
        Frame::Record(record) => crate::frame::record_frame_len(&record.as_ref()),
        Frame::Commit(_) => crate::frame::COMMIT_FRAME_LEN,
    }
}
