//! Another history, made and signed by the operator.

use super::super::hands::FORKED;
use super::super::world::{TILE, judge_bundle, judge_ledger, judge_site, say};
use super::{Cell, found, none};

cells!(
    "fork",
    segment = found(
        |world| {
            let mut files = FORKED.ledger.clone();
            // The published checkpoint and the tiles are still those of the first history.
            for kept in ["checkpoint", "tiles/0"] {
                files.insert(kept.to_owned(), world.ledger[kept].clone());
            }
            say(&judge_ledger(files))
        },
        "`fork` 6 (leaf) → 2"
    ),
    ledgers_tile = found(
        |world| world.kept_tile(|tile| *tile = FORKED.ledger["tiles/0"].clone()),
        "note: tile damaged, records intact: tiles/0, record 6, and 5 more → 0"
    ),
    ledgers_checkpoint =
        found(|world| world.kept_checkpoint(|note| *note = FORKED.checkpoint.clone()), "`fork` (root) → 2"),
    tile = found(
        |world| { world.site(TILE, |bytes| *bytes = FORKED.site[TILE].clone()) },
        "`tile_damaged` 6 (hash), `tile_damaged` 7 (hash), `tile_damaged` 8 (hash), `tile_damaged` 9 (hash), and 2 more → 2"
    ),
    entry_bundle = found(
        |world| {
            let mut files = FORKED.site.clone();
            files.insert("checkpoint".to_owned(), world.checkpoint.clone());
            say(&judge_site(files, None))
        },
        "`fork` (root) → 2"
    ),
    checkpoint = found(
        |world| {
            // A whole other site, rightly signed: only a checkpoint that was kept elsewhere tells.
            say(&judge_site(FORKED.site.clone(), Some(&world.checkpoint)))
        },
        "`fork` (root) → 2"
    ),
    body = none("a part of \"segment\": its digest is in the leaf"),
    command = none("a part of \"segment\": its digest is in the leaf"),
    bundle = found(|world| say(&judge_bundle(&FORKED.bundle, Some(&world.checkpoint))), "`fork` (root) → 2"),
    receipt = none(
        "it is true of the history it is of; two checkpoints of one size and two roots are the evidence"
    ),
);
