//! Something taken away.

use super::super::hands::{SIX, hashes, leaves};
use super::super::world::{ENTRIES, TILE, judge_ledger, judge_site, say};
use super::{Cell, found};

cells!(
    "drop",
    segment = found(|world| world.frames(|frames| drop(frames.remove(SIX))), "`missing` 6 → 1"),
    ledgers_tile = found(
        |world| world.kept_tile(|tile| *tile = hashes(tile, |hashes| _ = hashes.remove(6))),
        "note: tile damaged, records intact: tiles/0, length, and 5 more → 0"
    ),
    ledgers_checkpoint = found(
        |world| {
            let mut files = world.ledger.clone();
            files.remove("checkpoint");
            say(&judge_ledger(files))
        },
        "`checkpoint_missing` (size) → 1"
    ),
    tile = found(
        |world| world.site(TILE, |tile| *tile = hashes(tile, |hashes| _ = hashes.remove(6))),
        "`tile_damaged` (length), `tile_damaged` 6 (hash), `tile_damaged` 7 (hash), `tile_damaged` 8 (hash), and 2 more → 2"
    ),
    entry_bundle = found(
        |world| world.site(ENTRIES, |bytes| *bytes = leaves(bytes, |leaves| drop(leaves.remove(6)))),
        "`missing` 6 → 1"
    ),
    checkpoint = found(
        |world| {
            let mut files = world.site.clone();
            files.remove("checkpoint");
            say(&judge_site(files, None))
        },
        "`checkpoint_missing` → 1"
    ),
    body = found(|world| world.frames(|frames| frames[SIX].record().body.clear()), "`body_withheld` 6 → 1"),
    command =
        found(|world| world.frames(|frames| frames[SIX].record().command.clear()), "`command_missing` 6 → 1"),
    bundle = found(|world| world.lines(true, |lines| drop(lines.remove(7))), "`missing` 6 → 1"),
    receipt = found(
        |world| world.proof(|lines| drop(lines.remove(3))),
        "the entry is not proven: the proof has too many or too few hashes → 2"
    ),
);
