//! Something added that nobody recorded.

use super::super::hands::{SIX, alien, hashes, insert_line, leaves};
use super::super::world::{ENTRIES, TILE};
use super::{Cell, found};
use crate::bundle::{Line, decode, encode};
use crate::tree::TreeHash;

cells!(
    "insert",
    segment = found(
        |world| {
            world.frames(|frames| {
                let mut other = frames[SIX].clone();
                other.record().leaf = alien();
                frames.insert(SIX, other);
            })
        },
        "`inserted` 6 → 2"
    ),
    ledgers_tile = found(
        |world| world.kept_tile(|tile| *tile = hashes(tile, |hashes| hashes.insert(6, [7; 32]))),
        "note: tile damaged, records intact: tiles/0, record 6, and 5 more → 0"
    ),
    ledgers_checkpoint = found(|world| world.kept_checkpoint(insert_line), "`checkpoint_forged` (note) → 2"),
    tile = found(
        |world| world.site(TILE, |tile| *tile = hashes(tile, |hashes| hashes.insert(6, [7; 32]))),
        "`tile_damaged` (surplus), `tile_damaged` 6 (hash), `tile_damaged` 7 (hash), `tile_damaged` 8 (hash), and 3 more → 2"
    ),
    entry_bundle = found(
        |world| world.site(ENTRIES, |bytes| *bytes = leaves(bytes, |leaves| leaves.insert(6, alien()))),
        "`inserted` 6 → 2"
    ),
    checkpoint = found(|world| world.site("checkpoint", insert_line), "`checkpoint_forged` (note) → 2"),
    body = found(
        |world| world.frames(|frames| frames[SIX].record().body.insert(9, b' ')),
        "`body_altered` 6 → 2"
    ),
    command = found(
        |world| world.frames(|frames| frames[SIX].record().command.insert(12, b' ')),
        "`command_altered` 6 → 2"
    ),
    bundle = found(
        |world| {
            world.lines(true, |lines| {
                let mut line: Line = decode(&lines[7]).unwrap();
                line.leaf = String::from_utf8(alien()).unwrap();
                lines.insert(7, encode(&line).unwrap());
            })
        },
        "`proof_wrong` 6 (path) → 2"
    ),
    receipt = found(
        |world| world.proof(|lines| lines.insert(3, format!("{}\n", TreeHash::EMPTY))),
        "the entry is not proven: the proof has too many or too few hashes → 2"
    ),
);
