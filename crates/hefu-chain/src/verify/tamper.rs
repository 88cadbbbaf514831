//! The published tamper matrix: what is done to which file, and the diagnosis. `docs/TAMPER.md` is written from here
//! (`UPDATE=1`), otherwise compared.
//!
//! The log is that of `testlog`: twelve records; the hand is laid on record 6.

mod attacks;
mod flips;
mod rotated;
mod tall;
mod world;

use std::fmt::Write as _;
use std::path::Path;

use attacks::cells;
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

/// To what.
const PARTS: [&str; 10] = [
    "segment",
    "sled index",
    "ledger's tile",
    "tile",
    "entry bundle",
    "checkpoint",
    "body",
    "command",
    "bundle",
    "receipt",
];

/// What comes of it.
enum Outcome {
    /// The verifier says this.
    Found(fn(&World) -> String, &'static str),
    /// It cannot be done, or is no damage; why.
    No(&'static str),
}

/// One cell of the matrix.
struct Cell {
    attack: &'static str,
    part: &'static str,
    outcome: Outcome,
}

#[test]
fn every_cell_has_its_diagnosis() {
    let world = World::new();
    let mut wrong = String::new();
    for Cell { attack, part, outcome } in cells() {
        if let Outcome::Found(act, expected) = outcome {
            let said = act(&world);
            if said != expected {
                let _ = writeln!(wrong, "{attack} × {part}\n  expected {expected}\n  said     {said}");
            }
        }
    }
    for rotated::Cell { what, act, expected } in rotated::cells() {
        let said = act();
        if said != expected {
            let _ = writeln!(wrong, "{what}\n  expected {expected}\n  said     {said}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_matrix_is_whole_and_published() {
    let cells = cells();
    let mut page = String::from(HEAD);
    for attack in ATTACKS {
        let _ = write!(
            page,
            "\n## {}{}\n\n| on | diagnosis |\n|---|---|\n",
            attack[..1].to_uppercase(),
            &attack[1..]
        );
        for part in PARTS {
            let mut of = cells.iter().filter(|cell| cell.attack == attack && cell.part == part);
            let (Some(cell), None) = (of.next(), of.next()) else {
                panic!("{attack} × {part}: not one cell")
            };
            let text = match cell.outcome {
                Outcome::Found(_, expected) => expected.to_owned(),
                Outcome::No(why) => format!("— {why}"),
            };
            let _ = writeln!(page, "| {part} | {text} |");
        }
    }
    assert_eq!(cells.len(), ATTACKS.len() * PARTS.len());
    page.push_str(rotated::HEAD);
    for rotated::Cell { what, expected, .. } in rotated::cells() {
        let _ = writeln!(page, "| {what} | {expected} |");
    }
    page.push_str(&flips_told(&World::new()));
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

What is done to a ledger, and what `hefu audit verify` says. Written by the test `verify::tamper` of `hefu-chain`, which
does each of these to a log of twelve records and compares the whole diagnosis; the hand is laid on record 6 unless a cell
says otherwise. The log's key was given, as an auditor has it. A cell reads: kind, position, (field); then the exit code
(0 proven, 1 not proven, 2 proven bad). Every single-bit flip in every file is tested besides.

Segment, body and command are judged in the ledger's directory, tile, entry bundle and checkpoint in the exported site.
The tiles in the ledger's directory (`ledger's tile`) and its sled index are disposable: damage there is no damage to the
ledger. That opening an index whose files were flipped, cut or swapped ends with the same answers is shown by the test
`opening_heals_what_was_done_to_the_files` of `hefu-store`.
`bundle` is the evidence bundle, `receipt` the `.tlog-proof` of record 6. Fork: the operator, who has the log's key, makes
and signs another history. Re-chain: somebody without the key edits record 6 and computes everything after it anew.
";
