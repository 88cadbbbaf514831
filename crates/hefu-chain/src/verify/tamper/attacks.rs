//! The cells: one hand on one part each, and what is said of it.

use super::super::testlog::{Frame, chain_anew, log, log_key, origin, records};
use super::super::tests::redacted;
use super::Cell;
use super::Outcome::{self, Found, No};
use super::world::{ENTRIES, TILE, World, judge_bundle, judge_ledger, judge_proof, judge_site, say};
use crate::bundle::{Line, decode, encode};
use crate::chain::ChainContext;
use crate::frame::HEADER_LEN;
use crate::receipt::Receipt;
use crate::tile::{encode_entries, encode_hashes, parse_entries};
use crate::tree::TreeHash;

/// The frame of record 6: three commits stand before it.
const SIX: usize = 9;
const SLED: &str = "not read: nothing rests on it; opening compares it with the log and makes it anew";
pub(super) fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    let mut row = |attack: &'static str, outcomes: [Outcome; 8]| {
        let [segment, tile, entries, checkpoint, body, command, bundle, receipt] = outcomes;
        let all =
            [segment, No(SLED), kept_tile(attack), tile, entries, checkpoint, body, command, bundle, receipt];
        cells.extend(super::PARTS.into_iter().zip(all).map(|(part, outcome)| Cell { attack, part, outcome }));
    };
    row("flip a bit", flip());
    row("drop", drop_it());
    row("duplicate", duplicate());
    row("swap", swap());
    row("insert", insert());
    row("truncate", truncate());
    row("re-chain", rechain());
    row("fork", fork());
    row("roll back", roll_back());
    row("redact", redact());
    cells
}

/// The tile in the ledger's directory, which anybody may delete.
fn kept_tile(attack: &str) -> Outcome {
    match attack {
        "flip a bit" => Found(
            |world| world.kept_tile(|tile| tile[6 * 32] ^= 1),
            "note: tile damaged, records intact: tiles/0, record 6 → 0",
        ),
        "drop" => Found(
            |world| world.kept_tile(|tile| *tile = hashes(tile, |hashes| _ = hashes.remove(6))),
            "note: tile damaged, records intact: tiles/0, length, and 5 more → 0",
        ),
        "duplicate" => Found(
            |world| world.kept_tile(|tile| *tile = hashes(tile, |hashes| hashes.insert(6, hashes[6]))),
            "note: tile damaged, records intact: tiles/0, record 7, and 4 more → 0",
        ),
        "swap" => Found(
            |world| world.kept_tile(|tile| *tile = hashes(tile, |hashes| hashes.swap(6, 7))),
            "note: tile damaged, records intact: tiles/0, record 6, and 1 more → 0",
        ),
        "insert" => Found(
            |world| world.kept_tile(|tile| *tile = hashes(tile, |hashes| hashes.insert(6, [7; 32]))),
            "note: tile damaged, records intact: tiles/0, record 6, and 5 more → 0",
        ),
        "truncate" => Found(
            |world| world.kept_tile(|tile| tile.truncate(6 * 32 + 5)),
            "note: tile damaged, records intact: tiles/0, length → 0",
        ),
        "re-chain" => Found(
            |world| world.kept_tile(|tile| *tile = World::of(rechained()).ledger["tiles/0"].clone()),
            "note: tile damaged, records intact: tiles/0, record 6, and 5 more → 0",
        ),
        "fork" => Found(
            |world| world.kept_tile(|tile| *tile = World::of(forked()).ledger["tiles/0"].clone()),
            "note: tile damaged, records intact: tiles/0, record 6, and 5 more → 0",
        ),
        "roll back" => Found(
            |world| world.kept_tile(|tile| *tile = earlier().ledger["tiles/0"].clone()),
            "note: tile damaged, records intact: tiles/0, length → 0",
        ),
        _ => No("it has hashes of leaves only, and no leaf changes"),
    }
}

fn leaves(entries: &[u8], edit: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let mut leaves: Vec<Vec<u8>> =
        parse_entries(entries, 12).unwrap().into_iter().map(<[u8]>::to_vec).collect();
    edit(&mut leaves);
    encode_entries(leaves.iter().map(Vec::as_slice)).unwrap()
}

fn hashes(tile: &[u8], edit: impl FnOnce(&mut Vec<[u8; 32]>)) -> Vec<u8> {
    let mut hashes = tile.as_chunks::<32>().0.to_vec();
    edit(&mut hashes);
    hashes.concat()
}

/// A leaf that says it is record 6.
fn alien() -> Vec<u8> {
    let mut frames = log();
    frames[SIX].edit_leaf(|leaf| leaf.ts = "2026-01-01T00:00:05.500000Z".into());
    frames[SIX].record().leaf.clone()
}

fn edit_six(frames: &mut [Frame]) {
    frames[SIX].edit_leaf(|leaf| leaf.ts = "2026-01-01T00:00:06.500000Z".into());
}

/// Record 6 edited and everything after it computed anew, by one who cannot sign.
fn rechained() -> Vec<Frame> {
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

/// The log as it was after its first three batches: six records.
fn earlier() -> World {
    World::of(log().into_iter().take(SIX).collect())
}

fn flip() -> [Outcome; 8] {
    [
        Found(
            |world| {
                let mut files = world.ledger.clone();
                let segment = files.get_mut(super::world::SEGMENT).unwrap();
                let leaf = records(&world.frames)[6].leaf.clone();
                let at = segment.windows(leaf.len()).position(|bytes| bytes == leaf).unwrap();
                segment[at + 20] ^= 1;
                say(&judge_ledger(files))
            },
            "`frame_damaged` 6, `leaf_altered` 6 (actor) → 2",
        ),
        Found(|world| world.site(TILE, |tile| tile[6 * 32] ^= 1), "`tile_damaged` 6 (hash) → 2"),
        Found(
            |world| world.site(ENTRIES, |bytes| *bytes = leaves(bytes, |leaves| leaves[6][20] ^= 1)),
            "`leaf_altered` 6 → 2",
        ),
        Found(
            |world| {
                world.site("checkpoint", |note| {
                    let root = note.iter().position(|byte| *byte == b'=').unwrap();
                    note[root - 10] ^= 1;
                })
            },
            "`checkpoint_forged` (signature) → 2",
        ),
        Found(|world| world.frames(|frames| frames[SIX].record().body[12] ^= 1), "`body_altered` 6 → 2"),
        Found(
            |world| world.frames(|frames| frames[SIX].record().command[30] ^= 1),
            "`command_altered` 6 → 2",
        ),
        Found(
            |world| {
                world.lines(false, |lines| {
                    let at = lines[7].windows(5).position(|bytes| bytes == b"\"leaf").unwrap();
                    lines[7][at + 40] ^= 1;
                })
            },
            "`proof_wrong` 6 (path), `command_altered` 6 (key), `bundle_damaged` (sha256) → 2",
        ),
        Found(
            |world| {
                let mut bytes = world.proof.clone();
                bytes[60] ^= 1;
                judge_proof(&bytes)
            },
            "the entry is not proven: the proof leads to another root → 2",
        ),
    ]
}

fn drop_it() -> [Outcome; 8] {
    [
        Found(|world| world.frames(|frames| drop(frames.remove(SIX))), "`missing` 6 → 1"),
        Found(
            |world| world.site(TILE, |tile| *tile = hashes(tile, |hashes| _ = hashes.remove(6))),
            "`tile_damaged` (length), `tile_damaged` 6 (hash), `tile_damaged` 7 (hash), `tile_damaged` 8 (hash), and 2 more → 2",
        ),
        Found(
            |world| world.site(ENTRIES, |bytes| *bytes = leaves(bytes, |leaves| drop(leaves.remove(6)))),
            "`missing` 6 → 1",
        ),
        Found(
            |world| {
                let mut files = world.site.clone();
                files.remove("checkpoint");
                say(&judge_site(files, None))
            },
            "`checkpoint_missing` → 1",
        ),
        Found(|world| world.frames(|frames| frames[SIX].record().body.clear()), "`body_withheld` 6 → 1"),
        Found(|world| world.frames(|frames| frames[SIX].record().command.clear()), "`command_missing` 6 → 1"),
        Found(|world| world.lines(true, |lines| drop(lines.remove(7))), "`missing` 6 → 1"),
        Found(
            |world| world.proof(|lines| drop(lines.remove(3))),
            "the entry is not proven: the proof has too many or too few hashes → 2",
        ),
    ]
}

fn duplicate() -> [Outcome; 8] {
    const ONE: &str = "a record has room for one; another in its place is \"swap\" or \"insert\"";
    [
        Found(|world| world.frames(|frames| frames.insert(SIX, frames[SIX].clone())), "`duplicated` 6 → 2"),
        Found(
            |world| world.site(TILE, |tile| *tile = hashes(tile, |hashes| hashes.insert(6, hashes[6]))),
            "`tile_damaged` (length), `tile_damaged` 7 (hash), `tile_damaged` 8 (hash), `tile_damaged` 9 (hash), and 2 more → 2",
        ),
        Found(
            |world| {
                world.site(ENTRIES, |bytes| {
                    *bytes = leaves(bytes, |leaves| leaves.insert(6, leaves[6].clone()));
                })
            },
            "`duplicated` 6 → 2",
        ),
        Found(
            |world| {
                world.site("checkpoint", |note| {
                    let line = note.iter().position(|byte| *byte == 0xe2).unwrap();
                    note.extend_from_within(line..);
                })
            },
            "`checkpoint_forged` (signature) → 2",
        ),
        No(ONE),
        No(ONE),
        Found(|world| world.lines(true, |lines| lines.insert(7, lines[7].clone())), "`duplicated` 6 → 2"),
        Found(
            |world| world.proof(|lines| lines.insert(3, lines[3].clone())),
            "the entry is not proven: the proof has too many or too few hashes → 2",
        ),
    ]
}

fn swap() -> [Outcome; 8] {
    [
        Found(|world| world.frames(|frames| frames.swap(SIX, SIX + 1)), "`swapped` 6, `swapped` 7 → 2"),
        Found(
            |world| world.site(TILE, |tile| *tile = hashes(tile, |hashes| hashes.swap(6, 7))),
            "`tile_damaged` 6 (hash), `tile_damaged` 7 (hash) → 2",
        ),
        Found(
            |world| world.site(ENTRIES, |bytes| *bytes = leaves(bytes, |leaves| leaves.swap(6, 7))),
            "`swapped` 6, `swapped` 7 → 2",
        ),
        Found(
            |world| {
                world.site("checkpoint", |note| {
                    let text = String::from_utf8(note.clone()).unwrap();
                    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
                    lines.swap(0, 1);
                    *note = lines.concat().into_bytes();
                })
            },
            "`checkpoint_forged` (note) → 2",
        ),
        Found(
            |world| {
                world.frames(|frames| {
                    let body = frames[SIX + 1].record().body.clone();
                    frames[SIX + 1].record().body = std::mem::replace(&mut frames[SIX].record().body, body);
                })
            },
            "`body_altered` 6, `body_altered` 7 → 2",
        ),
        Found(
            |world| {
                world.frames(|frames| {
                    let command = frames[SIX + 1].record().command.clone();
                    frames[SIX + 1].record().command =
                        std::mem::replace(&mut frames[SIX].record().command, command);
                })
            },
            "`command_altered` 6, `command_altered` 7 → 2",
        ),
        Found(|world| world.lines(true, |lines| lines.swap(7, 8)), "`swapped` 6 → 2"),
        Found(
            |world| world.proof(|lines| lines.swap(3, 4)),
            "the entry is not proven: the proof leads to another root → 2",
        ),
    ]
}

fn insert() -> [Outcome; 8] {
    [
        Found(
            |world| {
                world.frames(|frames| {
                    let mut other = frames[SIX].clone();
                    other.record().leaf = alien();
                    frames.insert(SIX, other);
                })
            },
            "`inserted` 6 → 2",
        ),
        Found(
            |world| world.site(TILE, |tile| *tile = hashes(tile, |hashes| hashes.insert(6, [7; 32]))),
            "`tile_damaged` (length), `tile_damaged` 6 (hash), `tile_damaged` 7 (hash), `tile_damaged` 8 (hash), and 3 more → 2",
        ),
        Found(
            |world| world.site(ENTRIES, |bytes| *bytes = leaves(bytes, |leaves| leaves.insert(6, alien()))),
            "`inserted` 6 → 2",
        ),
        Found(
            |world| {
                world.site("checkpoint", |note| {
                    let end = note.windows(2).position(|bytes| bytes == b"\n\n").unwrap() + 1;
                    note.splice(end..end, b"one more line\n".iter().copied());
                })
            },
            "`checkpoint_forged` (note) → 2",
        ),
        Found(
            |world| world.frames(|frames| frames[SIX].record().body.insert(9, b' ')),
            "`body_altered` 6 → 2",
        ),
        Found(
            |world| world.frames(|frames| frames[SIX].record().command.insert(12, b' ')),
            "`command_altered` 6 → 2",
        ),
        Found(
            |world| {
                world.lines(true, |lines| {
                    let mut line: Line = decode(&lines[7]).unwrap();
                    line.leaf = String::from_utf8(alien()).unwrap();
                    lines.insert(7, encode(&line).unwrap());
                })
            },
            "`proof_wrong` 6 (path) → 2",
        ),
        Found(
            |world| world.proof(|lines| lines.insert(3, format!("{}\n", TreeHash::EMPTY))),
            "the entry is not proven: the proof has too many or too few hashes → 2",
        ),
    ]
}

fn truncate() -> [Outcome; 8] {
    [
        Found(
            |world| {
                let mut files = world.ledger.clone();
                let six: usize = world.frames[..SIX].iter().map(len).sum();
                files.get_mut(super::world::SEGMENT).unwrap().truncate(HEADER_LEN + six + 100);
                say(&judge_ledger(files))
            },
            "`torn_tail` 6, `truncated_tail` 6 (size) → 2",
        ),
        Found(|world| world.site(TILE, |tile| tile.truncate(6 * 32 + 5)), "`tile_damaged` (length) → 2"),
        Found(
            |world| {
                world.site(ENTRIES, |bytes| {
                    let six = leaves(bytes, |leaves| leaves.truncate(6)).len();
                    bytes.truncate(six + 50);
                })
            },
            "`missing` 6, `frame_damaged` 6 (length) → 2",
        ),
        Found(
            |world| world.site("checkpoint", |note| note.truncate(note.len() - 8)),
            "`checkpoint_forged` (note) → 2",
        ),
        Found(|world| world.frames(|frames| _ = frames[SIX].record().body.pop()), "`body_altered` 6 → 2"),
        Found(
            |world| world.frames(|frames| _ = frames[SIX].record().command.pop()),
            "`command_altered` 6 → 2",
        ),
        Found(|world| world.lines(false, |lines| lines.truncate(7)), "`truncated_tail` (line) → 2"),
        Found(
            |world| world.proof(|lines| lines.truncate(4)),
            "proof: at most 63 lines of 44 characters of base64 are expected before the empty line → 2",
        ),
    ]
}

/// The length of a frame in a file.
fn len(frame: &Frame) -> usize {
    match frame {
        Frame::Record(record) => crate::frame::record_frame_len(&record.as_ref()),
        Frame::Commit(_) => crate::frame::COMMIT_FRAME_LEN,
    }
}

fn rechain() -> [Outcome; 8] {
    const LEAF: &str =
        "its digest is in the leaf: with the leaf it is \"segment\", without it \"flip a bit\"";
    [
        Found(
            |world| world.with_frames(&rechained()),
            "`commit_signature_wrong` 9 (signature), `commit_signature_wrong` 11 (signature), `head_disagrees` 11 (head), `fork` 6 (leaf) → 2",
        ),
        Found(
            |world| {
                let leaves = records(&rechained());
                let tile: Vec<_> = leaves.iter().map(|record| TreeHash::leaf(&record.leaf)).collect();
                world.site(TILE, |bytes| *bytes = encode_hashes(&tile))
            },
            "`tile_damaged` 6 (hash), `tile_damaged` 7 (hash), `tile_damaged` 8 (hash), `tile_damaged` 9 (hash), and 2 more → 2",
        ),
        Found(
            |world| {
                let records = records(&rechained());
                let entries = encode_entries(records.iter().map(|record| record.leaf.as_slice())).unwrap();
                world.site(ENTRIES, |bytes| *bytes = entries)
            },
            "`leaf_altered` 6, `leaf_altered` 7, `leaf_altered` 8, `leaf_altered` 9, and 2 more → 2",
        ),
        Found(
            |world| {
                let other = World::of(rechained());
                let mut note = String::from_utf8(other.checkpoint).unwrap();
                let signed = String::from_utf8(world.checkpoint.clone()).unwrap();
                note.truncate(note.find("\n\n").unwrap());
                note.push_str(&signed[signed.find("\n\n").unwrap()..]);
                world.site("checkpoint", |bytes| *bytes = note.into_bytes())
            },
            "`checkpoint_forged` (signature) → 2",
        ),
        No(LEAF),
        No(LEAF),
        Found(
            |world| {
                let records = records(&rechained());
                world.lines(true, |lines| {
                    for record in &records {
                        let line = &mut lines[usize::try_from(record.position).unwrap() + 1];
                        let mut edited: Line = decode(line).unwrap();
                        edited.leaf = String::from_utf8(record.leaf.clone()).unwrap();
                        *line = encode(&edited).unwrap();
                    }
                })
            },
            "`proof_wrong` 6 (path), `proof_wrong` 7 (path), `proof_wrong` 8 (path), `proof_wrong` 9 (path), and 2 more → 2",
        ),
        Found(
            |world| {
                let text = String::from_utf8(World::of(rechained()).proof).unwrap();
                world.proof(|lines| lines[1] = text.split_inclusive('\n').nth(1).unwrap().to_owned())
            },
            "the entry is not proven: the proof leads to another root → 2",
        ),
    ]
}

fn fork() -> [Outcome; 8] {
    const PART: &str = "a part of \"segment\": its digest is in the leaf";
    [
        Found(
            |world| {
                let mut files = World::of(forked()).ledger;
                // The published checkpoint and the tiles are still those of the first history.
                for kept in ["checkpoint", "tiles/0"] {
                    files.insert(kept.to_owned(), world.ledger[kept].clone());
                }
                say(&judge_ledger(files))
            },
            "`fork` 6 (leaf) → 2",
        ),
        Found(
            |world| {
                let other = World::of(forked());
                world.site(TILE, |bytes| *bytes = other.site[TILE].clone())
            },
            "`tile_damaged` 6 (hash), `tile_damaged` 7 (hash), `tile_damaged` 8 (hash), `tile_damaged` 9 (hash), and 2 more → 2",
        ),
        Found(
            |world| {
                let mut files = World::of(forked()).site;
                files.insert("checkpoint".to_owned(), world.checkpoint.clone());
                say(&judge_site(files, None))
            },
            "`fork` (root) → 2",
        ),
        Found(
            |world| {
                // A whole other site, rightly signed: only a checkpoint that was kept elsewhere tells.
                say(&judge_site(World::of(forked()).site, Some(&world.checkpoint)))
            },
            "`fork` (root) → 2",
        ),
        No(PART),
        No(PART),
        Found(
            |world| say(&judge_bundle(&World::of(forked()).bundle, Some(&world.checkpoint))),
            "`fork` (root) → 2",
        ),
        No("it is true of the history it is of; two checkpoints of one size and two roots are the evidence"),
    ]
}

fn roll_back() -> [Outcome; 8] {
    const PART: &str = "a part of \"segment\"";
    [
        Found(
            |world| {
                let mut files = earlier().ledger;
                files.insert("checkpoint".to_owned(), world.checkpoint.clone());
                say(&judge_ledger(files))
            },
            "`rollback` 6 (size), note: tile damaged: tiles/0, length → 2",
        ),
        Found(
            |world| {
                let mut files = world.site.clone();
                let old = earlier().site["tile/0/000.p/6"].clone();
                files.insert(TILE.to_owned(), old);
                say(&judge_site(files, None))
            },
            "`tile_damaged` (length) → 2",
        ),
        Found(
            |world| {
                let mut files = world.site.clone();
                let old = earlier().site["tile/entries/000.p/6"].clone();
                files.insert(ENTRIES.to_owned(), old);
                say(&judge_site(files, None))
            },
            "`missing` 6 → 1",
        ),
        Found(|world| say(&judge_site(earlier().site, Some(&world.checkpoint))), "`rollback` 6 (size) → 2"),
        No(PART),
        No(PART),
        No("an older bundle stays true: it says which checkpoint it is of"),
        No("an older receipt stays true: it says which checkpoint it is of"),
    ]
}

/// Record 4 withheld by record 11, which says so; its command is that of record 5, too.
fn redact() -> [Outcome; 8] {
    const HASHES: &str = "it has hashes of leaves only, and no leaf changes";
    [
        Found(
            |_| say(&judge_ledger(World::of(redacted(|_| ())).ledger)),
            "record 4: withheld (redacted by record 11) → 0",
        ),
        No(HASHES),
        Found(|_| say(&judge_site(World::of(redacted(|_| ())).site, None)), "nothing → 0"),
        No(HASHES),
        // Withheld without a redaction on record.
        Found(
            |world| {
                world.frames(|frames| {
                    let record = frames[SIX].record();
                    (record.redacted_by, record.body) = (Some(11), Vec::new());
                    record.command.clear();
                })
            },
            "`body_withheld` 6 (redacted_by), `command_missing` 6 → 1",
        ),
        Found(
            |world| {
                world.frames(|frames| {
                    let record = frames[SIX].record();
                    record.redacted_by = Some(11);
                    record.command.clear();
                })
            },
            "`command_missing` 6 → 1",
        ),
        Found(
            |_| say(&judge_bundle(&World::of(redacted(|_| ())).bundle, None)),
            "record 4: withheld (redacted by record 11) → 0",
        ),
        No(HASHES),
    ]
}
