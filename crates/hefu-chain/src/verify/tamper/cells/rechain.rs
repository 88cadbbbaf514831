//! Record 6 edited and everything after it computed anew, by one who cannot sign.

use super::super::super::testlog::records;
use super::super::hands::{RECHAINED, with_root_of};
use super::super::world::{ENTRIES, TILE};
use super::{Cell, found, none};
use crate::bundle::{Line, decode, encode};
use crate::tile::{encode_entries, encode_hashes};
use crate::tree::TreeHash;

cells!(
    "re-chain",
    segment = found(
        |world| world.with_frames(&RECHAINED.frames),
        "`commit_signature_wrong` 9 (signature), `commit_signature_wrong` 11 (signature), `head_disagrees` 11 (head), `fork` 6 (leaf) → 2"
    ),
    ledgers_tile = found(
        |world| world.kept_tile(|tile| *tile = RECHAINED.ledger["tiles/0"].clone()),
        "note: tile damaged, records intact: tiles/0, record 6, and 5 more → 0"
    ),
    ledgers_checkpoint = found(
        |world| world.kept_checkpoint(|note| *note = with_root_of(&RECHAINED, note)),
        "`checkpoint_forged` (signature) → 2"
    ),
    tile = found(
        |world| {
            let leaves = records(&RECHAINED.frames);
            let tile: Vec<_> = leaves.iter().map(|record| TreeHash::leaf(&record.leaf)).collect();
            world.site(TILE, |bytes| *bytes = encode_hashes(&tile))
        },
        "`tile_damaged` 6 (hash), `tile_damaged` 7 (hash), `tile_damaged` 8 (hash), `tile_damaged` 9 (hash), and 2 more → 2"
    ),
    entry_bundle = found(
        |world| {
            let records = records(&RECHAINED.frames);
            let entries = encode_entries(records.iter().map(|record| record.leaf.as_slice())).unwrap();
            world.site(ENTRIES, |bytes| *bytes = entries)
        },
        "`leaf_altered` 6, `leaf_altered` 7, `leaf_altered` 8, `leaf_altered` 9, and 2 more → 2"
    ),
    checkpoint = found(
        |world| world.site("checkpoint", |note| *note = with_root_of(&RECHAINED, note)),
        "`checkpoint_forged` (signature) → 2"
    ),
    body = none("its digest is in the leaf: with the leaf it is \"segment\", without it \"flip a bit\""),
    command = none("its digest is in the leaf: with the leaf it is \"segment\", without it \"flip a bit\""),
    bundle = found(
        |world| {
            let records = records(&RECHAINED.frames);
            world.lines(true, |lines| {
                for record in &records {
                    let line = &mut lines[usize::try_from(record.position).unwrap() + 1];
                    let mut edited: Line = decode(line).unwrap();
                    edited.leaf = String::from_utf8(record.leaf.clone()).unwrap();
                    *line = encode(&edited).unwrap();
                }
            })
        },
        "`proof_wrong` 6 (path), `proof_wrong` 7 (path), `proof_wrong` 8 (path), `proof_wrong` 9 (path), and 2 more → 2"
    ),
    receipt = found(
        |world| {
            let text = String::from_utf8(RECHAINED.proof.clone()).unwrap();
            world.proof(|lines| lines[1] = text.split_inclusive('\n').nth(1).unwrap().to_owned())
        },
        "the entry is not proven: the proof leads to another root → 2"
    ),
);
