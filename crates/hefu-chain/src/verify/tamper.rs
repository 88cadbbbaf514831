//! The published tamper matrix: what is done to which file, and the diagnosis. `docs/TAMPER.md` is written from here
//! (`UPDATE=1`), otherwise compared.
//!
//! The log is that of `testlog`: twelve records; the hand is laid on record 6.

mod cells;
mod flips;
mod hands;
mod pinned;
mod rotated;
mod tall;
mod world;

use std::fmt::Write as _;
use std::path::Path;

use cells::Outcome;
use hands::WORLD;
use world::{ENTRIES, SEGMENT, TILE, World};

/// What is done.
const ATTACKS: [&str; 10] = [
    "flip a bit",
    "drop",
    "duplicate",
    "swap",
    "insert",
    "truncate",
    "re-chain",
    "fork",
    "roll back",
    "redact",
];

/// To what: the name of the cell's test, and what it is called in the table.
const PARTS: [(&str, &str); 11] = [
    ("segment", "segment"),
    ("sled_index", "sled index"),
    ("ledgers_tile", "ledger's tile"),
    ("ledgers_checkpoint", "ledger's checkpoint"),
    ("tile", "tile"),
    ("entry_bundle", "entry bundle"),
    ("checkpoint", "checkpoint"),
    ("body", "body"),
    ("command", "command"),
    ("bundle", "bundle"),
    ("receipt", "receipt"),
];

/// The sled index is tested where it is opened; what its cells say is written there: one line a cell.
const SLED: &str = include_str!("../../../hefu-engine/tests/it/sled_index.tsv");

#[test]
fn the_matrix_is_whole_and_published() {
    let mut page = String::from(HEAD);
    for (attack, cells) in ATTACKS.into_iter().zip(cells::ALL) {
        let _ = write!(
            page,
            "\n## {}{}\n\n| on | diagnosis |\n|---|---|\n",
            attack[..1].to_uppercase(),
            &attack[1..]
        );
        let sled = SLED.lines().find_map(|line| line.strip_prefix(attack)?.strip_prefix('\t'));
        for (name, part) in PARTS {
            let mut of = cells.iter().filter(|cell| cell.part == name);
            let text = match (of.next(), of.next()) {
                (None, None) if name == "sled_index" => sled.map(str::to_owned),
                (Some(cell), None) if cell.attack == attack => Some(match cell.outcome {
                    Outcome::Found(_, expected) => expected.to_owned(),
                    Outcome::No(why) => format!("— {why}"),
                }),
                _ => None,
            };
            let text = text.unwrap_or_else(|| panic!("{attack} × {part}: not one cell"));
            let _ = writeln!(page, "| {part} | {text} |");
        }
        assert_eq!(cells.len() + 1, PARTS.len(), "{attack}");
    }
    page.push_str(rotated::HEAD);
    for rotated::Cell { what, expected, .. } in rotated::CELLS {
        let _ = writeln!(page, "| {what} | {expected} |");
    }
    page.push_str(&flips_told(&WORLD));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/TAMPER.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "docs/TAMPER.md differs; UPDATE=1 cargo test -p hefu-chain tamper writes it anew");
}

/// Which files are flipped bit by bit, and what must come of it: see `flips` and `super::tests::flips`.
fn flips_told(world: &World) -> String {
    let rows = [
        (
            "segment, with the log's key",
            world.ledger[SEGMENT].len(),
            "a finding at the record it is in, and none elsewhere",
        ),
        ("segment, without a key", world.ledger[SEGMENT].len(), "the same"),
        ("ledger's `head`", world.ledger["head"].len(), "a finding in this file, and none elsewhere"),
        (
            "ledger's `checkpoint`",
            world.ledger["checkpoint"].len(),
            "a finding in this file, and none elsewhere",
        ),
        ("ledger's tile", world.ledger["tiles/0"].len(), "proven, with a note that names the record"),
        ("site's `checkpoint`", world.site["checkpoint"].len(), "a finding in this file, and none elsewhere"),
        ("site's tile", world.site[TILE].len(), "a finding in this file at the record it is of"),
        ("entry bundle", world.site[ENTRIES].len(), "a finding in this file, and none elsewhere"),
        (
            "bundle",
            world.bundle.len(),
            "the last line does not fit; in the line of a record, a finding at that line",
        ),
        ("receipt", world.proof.len(), "refused"),
    ];
    let mut told = FLIPS.to_owned();
    for (file, bytes, outcome) in rows {
        let _ = writeln!(told, "| {file} | {bytes} | {} | {outcome} |", bytes * 8);
    }
    let bits: usize = rows.iter().map(|(_, bytes, _)| bytes * 8).sum();
    let _ = writeln!(told, "| together | | {bits} | none may be overlooked |");
    told
}

const FLIPS: &str = "
## Every single bit

The same log; leaves, bodies and commands are in its segment. `cargo test` flips one bit of every byte (of a bundle, of
every seventh); every bit of every byte is flipped, one after another, by
`cargo test --release -p hefu-chain --lib every_flipped_bit -- --ignored`. The sled index is not among them: it is not
read, and healed when it is opened. That opening a log notices every flipped bit of its segments, too, is shown by
`every_flipped_bit_is_noticed` of `hefu-store`.

| file | bytes | flips | what must come of each |
|---|---|---|---|
";

const HEAD: &str = "# Tamper matrix

What is done to a ledger, and what `hefu audit verify` says. Each cell is a test of its own, such as
`verify::tamper::cells::flip::segment` of `hefu-chain`: it does this to a log of twelve records and compares the whole
diagnosis, and from the same declaration this page is written; the hand is laid on record 6 unless a cell
says otherwise. The log's key was given, as an auditor has it. A cell reads: kind, position, (field); then the exit code
(0 proven, 1 not proven, 2 proven bad). Every single-bit flip in every file is tested besides.

Segment, body and command are judged in the ledger's directory, tile, entry bundle and checkpoint in the exported site.
The tiles in the ledger's directory (`ledger's tile`) and its sled index are disposable: damage there is no damage to the
ledger. `ledger's checkpoint` is the file `checkpoint` there. No verifier reads the sled index; what is said of
it is what opening the ledger makes of it, by the tests `sled_index` of `hefu-engine`.
`bundle` is the evidence bundle, `receipt` the `.tlog-proof` of record 6. Fork: the operator, who has the log's key, makes
and signs another history. Re-chain: somebody without the key edits record 6 and computes everything after it anew.
";
