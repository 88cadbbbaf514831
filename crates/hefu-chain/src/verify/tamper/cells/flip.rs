//! One bit flipped.

use super::super::super::testlog::records;
use super::super::hands::{SIX, flip_root, leaves};
use super::super::world::{ENTRIES, SEGMENT, TILE, judge_ledger, judge_proof, say};
use super::{Cell, found};

cells!(
    "flip a bit",
    segment = found(
        |world| {
            let mut files = world.ledger.clone();
            let segment = files.get_mut(SEGMENT).unwrap();
            let leaf = records(&world.frames)[6].leaf.clone();
            let at = segment.windows(leaf.len()).position(|bytes| bytes == leaf).unwrap();
            segment[at + 20] ^= 1;
            say(&judge_ledger(files))
        },
        "`frame_damaged` 6, `leaf_altered` 6 (actor) → 2"
    ),
    ledgers_tile = found(
        |world| world.kept_tile(|tile| tile[6 * 32] ^= 1),
        "note: tile damaged, records intact: tiles/0, record 6 → 0"
    ),
    ledgers_checkpoint =
        found(|world| world.kept_checkpoint(|note| flip_root(note)), "`checkpoint_forged` (signature) → 2"),
    tile = found(|world| world.site(TILE, |tile| tile[6 * 32] ^= 1), "`tile_damaged` 6 (hash) → 2"),
    entry_bundle = found(
        |world| world.site(ENTRIES, |bytes| *bytes = leaves(bytes, |leaves| leaves[6][20] ^= 1)),
        "`leaf_altered` 6 → 2"
    ),
    checkpoint = found(
        |world| world.site("checkpoint", |note| flip_root(note)),
        "`checkpoint_forged` (signature) → 2"
    ),
    body = found(|world| world.frames(|frames| frames[SIX].record().body[12] ^= 1), "`body_altered` 6 → 2"),
    command = found(
        |world| world.frames(|frames| frames[SIX].record().command[30] ^= 1),
        "`command_altered` 6 → 2"
    ),
    bundle = found(
        |world| {
            world.lines(false, |lines| {
                let at = lines[7].windows(5).position(|bytes| bytes == b"\"leaf").unwrap();
                lines[7][at + 40] ^= 1;
            })
        },
        "`proof_wrong` 6 (path), `command_altered` 6 (key), `bundle_damaged` (sha256) → 2"
    ),
    receipt = found(
        |world| {
            let mut bytes = world.proof.clone();
            bytes[60] ^= 1;
            judge_proof(&bytes)
        },
        "the entry is not proven: the proof leads to another root → 2"
    ),
);
