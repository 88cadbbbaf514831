//! What is withheld: record 4 by record 11, which says so; or without anybody saying so.

use super::super::hands::{REDACTED, SIX};
use super::super::world::{judge_bundle, judge_ledger, judge_site, say};
use super::{Cell, found, none};

cells!(
    "redact",
    segment = found(
        |_| say(&judge_ledger(REDACTED.ledger.clone())),
        "record 4: withheld (redacted by record 11) → 0"
    ),
    ledgers_tile = none("it has hashes of leaves only, and no leaf changes"),
    ledgers_checkpoint = none("it has a hash of leaves only, and no leaf changes"),
    tile = none("it has hashes of leaves only, and no leaf changes"),
    entry_bundle = found(|_| say(&judge_site(REDACTED.site.clone(), None)), "nothing → 0"),
    checkpoint = none("it has hashes of leaves only, and no leaf changes"),
    // Withheld without a redaction on record.
    body = found(
        |world| {
            world.frames(|frames| {
                let record = frames[SIX].record();
                (record.redacted_by, record.body) = (Some(11), Vec::new());
                record.command.clear();
            })
        },
        "`body_withheld` 6 (redacted_by), `command_missing` 6 → 1"
    ),
    command = found(
        |world| {
            world.frames(|frames| {
                let record = frames[SIX].record();
                record.redacted_by = Some(11);
                record.command.clear();
            })
        },
        "`command_missing` 6 → 1"
    ),
    bundle = found(
        |_| say(&judge_bundle(&REDACTED.bundle, None)),
        "record 4: withheld (redacted by record 11) → 0"
    ),
    receipt = none("it has hashes of leaves only, and no leaf changes"),
);
