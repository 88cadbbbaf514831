//! The end cut off.

use super::super::hands::{SIX, leaves, len};
use super::super::world::{ENTRIES, SEGMENT, TILE, judge_ledger, say};
use super::{Cell, found};
use crate::frame::HEADER_LEN;

cells!(
    "truncate",
    segment = found(
        |world| {
            let mut files = world.ledger.clone();
            let six: usize = world.frames[..SIX].iter().map(len).sum();
            files.get_mut(SEGMENT).unwrap().truncate(HEADER_LEN + six + 100);
            say(&judge_ledger(files))
        },
        "`torn_tail` 6, `truncated_tail` 6 (size) → 2"
    ),
    ledgers_tile = found(
        |world| world.kept_tile(|tile| tile.truncate(6 * 32 + 5)),
        "note: tile damaged, records intact: tiles/0, length → 0"
    ),
    ledgers_checkpoint = found(
        |world| world.kept_checkpoint(|note| note.truncate(note.len() - 8)),
        "`checkpoint_forged` (note) → 2"
    ),
    tile = found(|world| world.site(TILE, |tile| tile.truncate(6 * 32 + 5)), "`tile_damaged` (length) → 2"),
    entry_bundle = found(
        |world| {
            world.site(ENTRIES, |bytes| {
                let six = leaves(bytes, |leaves| leaves.truncate(6)).len();
                bytes.truncate(six + 50);
            })
        },
        "`missing` 6, `frame_damaged` 6 (length) → 2"
    ),
    checkpoint = found(
        |world| world.site("checkpoint", |note| note.truncate(note.len() - 8)),
        "`checkpoint_forged` (note) → 2"
    ),
    body = found(|world| world.frames(|frames| _ = frames[SIX].record().body.pop()), "`body_altered` 6 → 2"),
    command = found(
        |world| world.frames(|frames| _ = frames[SIX].record().command.pop()),
        "`command_altered` 6 → 2"
    ),
    bundle = found(|world| world.lines(false, |lines| lines.truncate(7)), "`truncated_tail` (line) → 2"),
    receipt = found(
        |world| world.proof(|lines| lines.truncate(4)),
        "proof: at most 63 lines of 44 characters of base64 are expected before the empty line → 2"
    ),
);
