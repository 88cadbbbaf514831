//! Was a newer checkpoint made of this ledger than the one that lies there?
//!
//! Taking the file `checkpoint` away, or putting an older one in its place, changes nothing that is signed. Two things
//! tell all the same: a checkpoint that was kept elsewhere (`--since`), and the tiles, which grow before a checkpoint is
//! signed and never shrink. Tiles are disposable, so without them nothing is known; and tiles that go further may also be
//! of a publication that was cut short or is under way. So the newer checkpoint is asked for, and nothing is proven bad.

use std::io;

use super::finding::{Finding, FindingKind, Report};
use super::grown::Claim;
use crate::source::Source;
use crate::tree::TreeHash;

const TILES: &str = "tiles/0";
const CHECKPOINT: &str = "checkpoint";

/// How far the tiles go.
pub(super) struct Pinned {
    /// How many hashes of leaves they hold.
    held: u64,
    /// The file `checkpoint` as it was then.
    seen: Option<Vec<u8>>,
    /// The last record that they cover.
    last: Option<(u64, TreeHash)>,
}

impl Pinned {
    pub(super) fn new(source: &dyn Source) -> io::Result<Self> {
        Ok(Self { held: held(source)?, seen: source.read(CHECKPOINT)?, last: None })
    }

    /// The log has this many records now, the last with this hash.
    pub(super) fn pass(&mut self, size: u64, leaf: Option<TreeHash>) {
        if size <= self.held {
            self.last = leaf.map(|leaf| (size, leaf));
        }
    }

    /// Says that there is a newer checkpoint, that there is none at all, or nothing.
    pub(super) fn compare(
        &self,
        source: &dyn Source,
        claims: &[Claim],
        report: &mut Report,
    ) -> io::Result<()> {
        let there = |claim: &&Claim| claim.name != "since";
        if claims.iter().filter(there).any(|claim| !claim.word.trusted) {
            // What is wrong with it is told; which one should be there nobody knows.
            return Ok(());
        }
        let size = |claim: &Claim| claim.word.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size);
        let pinned = claims.iter().filter(there).map(size).max();
        let signed =
            claims.iter().filter(|claim| claim.name == "since" && claim.word.trusted).map(size).max();
        // A log that is shorter than what was signed is a rollback, which is told.
        let signed = signed.filter(|signed| *signed <= report.size && Some(*signed) > pinned);
        let tiles = Some(self.held).filter(|held| *held > 0 && Some(*held) > pinned);
        let tiles = if tiles.is_some() && self.sound(source, report)? { tiles } else { None };
        let Some(newer) = signed.max(tiles) else {
            if pinned.is_none() {
                let why = "no checkpoint is here, and nothing shows that one was ever made";
                report.notes.push(format!("nothing is pinned: {why}"));
            }
            return Ok(());
        };
        if source.read(CHECKPOINT)? != self.seen {
            report.notes.push("the checkpoint was replaced while this was verified".into());
            return Ok(());
        }
        let kind =
            if self.seen.is_none() { FindingKind::CheckpointMissing } else { FindingKind::CheckpointBehind };
        let why = if signed == Some(newer) {
            "the log signed one"
        } else if newer > report.size {
            "the tiles go so far, past the log; if they are damaged, delete tiles/"
        } else {
            "the tiles go so far; if its publication was cut short, publish again"
        };
        let finding = Finding::new(kind, CHECKPOINT).field("size").stored_opt(pinned);
        report.findings.push(finding.expected(format!("a checkpoint of {newer} records: {why}")));
        Ok(())
    }

    /// The tiles are of these records: what they hold of the last one that they cover is its hash.
    fn sound(&self, source: &dyn Source, report: &Report) -> io::Result<bool> {
        let Some((size, leaf)) = self.last else { return Ok(false) };
        let stored = source.read_range(TILES, (size - 1) * 32, 32)?;
        let damaged = report.findings.iter().any(|finding| {
            let cut_off = matches!(finding.kind, FindingKind::TruncatedTail | FindingKind::Rollback);
            finding.is_of_tiles() || (cut_off && self.held > report.size)
        });
        Ok(stored.is_some_and(|stored| stored == leaf.0) && !damaged)
    }
}

/// How many hashes the lowest tiles hold. A source tells no lengths, but whether there is a byte in some place.
fn held(source: &dyn Source) -> io::Result<u64> {
    let holds = |count: u64| -> io::Result<bool> {
        Ok(source.read_range(TILES, count * 32 - 1, 1)?.is_some_and(|byte| !byte.is_empty()))
    };
    let mut above = 1;
    while holds(above)? {
        above *= 2;
    }
    let mut below = above / 2;
    while below + 1 < above {
        let middle = u64::midpoint(below, above);
        if holds(middle)? {
            below = middle;
        } else {
            above = middle;
        }
    }
    Ok(below)
}
