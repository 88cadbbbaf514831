//! Something standing there twice.

use super::super::hands::{SIX, hashes, leaves, signature_line};
use super::super::world::{ENTRIES, TILE};
use super::{Cell, found, none};

cells!(
    "duplicate",
    segment =
        found(|world| world.frames(|frames| frames.insert(SIX, frames[SIX].clone())), "`duplicated` 6 → 2"),
    ledgers_tile = found(
        |world| world.kept_tile(|tile| *tile = hashes(tile, |hashes| hashes.insert(6, hashes[6]))),
        "note: tile damaged, records intact: tiles/0, record 7, and 4 more → 0"
    ),
    ledgers_checkpoint = found(
        |world| world.kept_checkpoint(|note| note.extend_from_within(signature_line(note)..)),
        "`checkpoint_forged` (signature) → 2"
    ),
    tile = found(
        |world| world.site(TILE, |tile| *tile = hashes(tile, |hashes| hashes.insert(6, hashes[6]))),
        "`tile_damaged` (surplus), `tile_damaged` 7 (hash), `tile_damaged` 8 (hash), `tile_damaged` 9 (hash), and 2 more → 2"
    ),
    entry_bundle = found(
        |world| {
            world.site(ENTRIES, |bytes| {
                *bytes = leaves(bytes, |leaves| leaves.insert(6, leaves[6].clone()));
            })
        },
        "`duplicated` 6 → 2"
    ),
    checkpoint = found(
        |world| world.site("checkpoint", |note| note.extend_from_within(signature_line(note)..)),
        "`checkpoint_forged` (signature) → 2"
    ),
    body = none("a record has room for one; another in its place is \"swap\" or \"insert\""),
    command = none("a record has room for one; another in its place is \"swap\" or \"insert\""),
    bundle =
        found(|world| world.lines(true, |lines| lines.insert(7, lines[7].clone())), "`duplicated` 6 → 2"),
    receipt = found(
        |world| world.proof(|lines| lines.insert(3, lines[3].clone())),
        "the entry is not proven: the proof has too many or too few hashes → 2"
    ),
);
