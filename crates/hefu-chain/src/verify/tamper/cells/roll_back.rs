//! An older state, genuine, in the place of the newer one.

use super::super::hands::EARLIER;
use super::super::world::{ENTRIES, TILE, judge_ledger, judge_site, say};
use super::{Cell, found, none};

cells!(
    "roll back",
    segment = found(
        |world| {
            let mut files = EARLIER.ledger.clone();
            files.insert("checkpoint".to_owned(), world.checkpoint.clone());
            say(&judge_ledger(files))
        },
        "`rollback` 6 (size), note: tile damaged: tiles/0, length → 2"
    ),
    ledgers_tile = found(
        |world| world.kept_tile(|tile| *tile = EARLIER.ledger["tiles/0"].clone()),
        "note: tile damaged, records intact: tiles/0, length → 0"
    ),
    ledgers_checkpoint = found(
        |world| world.kept_checkpoint(|note| *note = EARLIER.checkpoint.clone()),
        "`checkpoint_behind` (size) → 1"
    ),
    tile = found(
        |world| {
            let mut files = world.site.clone();
            let old = EARLIER.site["tile/0/000.p/6"].clone();
            files.insert(TILE.to_owned(), old);
            say(&judge_site(files, None))
        },
        "`tile_damaged` (length) → 2"
    ),
    entry_bundle = found(
        |world| {
            let mut files = world.site.clone();
            let old = EARLIER.site["tile/entries/000.p/6"].clone();
            files.insert(ENTRIES.to_owned(), old);
            say(&judge_site(files, None))
        },
        "`missing` 6 → 1"
    ),
    checkpoint = found(
        |world| say(&judge_site(EARLIER.site.clone(), Some(&world.checkpoint))),
        "`rollback` 6 (size) → 2"
    ),
    body = none("a part of \"segment\""),
    command = none("a part of \"segment\""),
    bundle = none("an older bundle stays true: it says which checkpoint it is of"),
    receipt = none("an older receipt stays true: it says which checkpoint it is of"),
);
