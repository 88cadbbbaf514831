//! Two things in each other's place.

use super::super::hands::{SIX, hashes, leaves, swap_lines};
use super::super::world::{ENTRIES, TILE};
use super::{Cell, found};

cells!(
    "swap",
    segment = found(|world| world.frames(|frames| frames.swap(SIX, SIX + 1)), "`swapped` 6, `swapped` 7 → 2"),
    ledgers_tile = found(
        |world| world.kept_tile(|tile| *tile = hashes(tile, |hashes| hashes.swap(6, 7))),
        "note: tile damaged, records intact: tiles/0, record 6, and 1 more → 0"
    ),
    ledgers_checkpoint = found(|world| world.kept_checkpoint(swap_lines), "`checkpoint_forged` (note) → 2"),
    tile = found(
        |world| world.site(TILE, |tile| *tile = hashes(tile, |hashes| hashes.swap(6, 7))),
        "`tile_damaged` 6 (hash), `tile_damaged` 7 (hash) → 2"
    ),
    entry_bundle = found(
        |world| world.site(ENTRIES, |bytes| *bytes = leaves(bytes, |leaves| leaves.swap(6, 7))),
        "`swapped` 6, `swapped` 7 → 2"
    ),
    checkpoint = found(|world| world.site("checkpoint", swap_lines), "`checkpoint_forged` (note) → 2"),
    body = found(
        |world| {
            world.frames(|frames| {
                let body = frames[SIX + 1].record().body.clone();
                frames[SIX + 1].record().body = std::mem::replace(&mut frames[SIX].record().body, body);
            })
        },
        "`body_altered` 6, `body_altered` 7 → 2"
    ),
    command = found(
        |world| {
            world.frames(|frames| {
                let command = frames[SIX + 1].record().command.clone();
                frames[SIX + 1].record().command =
                    std::mem::replace(&mut frames[SIX].record().command, command);
            })
        },
        "`command_altered` 6, `command_altered` 7 → 2"
    ),
    bundle = found(|world| world.lines(true, |lines| lines.swap(7, 8)), "`swapped` 6 → 2"),
    receipt = found(
        |world| world.proof(|lines| lines.swap(3, 4)),
        "the entry is not proven: the proof leads to another root → 2"
    ),
);
