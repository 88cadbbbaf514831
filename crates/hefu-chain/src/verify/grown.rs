//! The tree over the records of a ledger, against its checkpoints and its tiles.
//!
//! The records are hashed anyway; this keeps 32 bytes per 256 of them, and the tiles that differ until it is known why.

use std::collections::BTreeMap;
use std::io;

use super::Options;
use super::finding::{Finding, FindingKind, Report};
use super::ladder::{Ladder, Shelf, Stored, choose};
use super::pinned::Pinned;
use super::word::Word;
use crate::checkpoint::Checkpoint;
use crate::source::Source;
use crate::tile::{Kind, Tile, join};
use crate::tree::{Frontier, TreeHash};

/// A checkpoint to compare with, and the file it is from.
pub(super) struct Claim {
    pub(super) name: &'static str,
    pub(super) word: Word,
}

impl Claim {
    /// What a reader calls it.
    fn title(&self) -> &'static str {
        if self.name == "since" { "older checkpoint" } else { self.name }
    }
}

/// The tree so far.
pub(super) struct Grown<'a> {
    source: &'a dyn Source,
    claims: Vec<Claim>,
    /// The size that the tiles are compared at; nothing where there are none.
    tiles: Option<u64>,
    roots: BTreeMap<u64, Option<TreeHash>>,
    frontier: Frontier,
    /// A record is missing, so roots are not known.
    broken: bool,
    /// Of each 256 records the hash, where none is missing.
    upper: Vec<Option<TreeHash>>,
    block: Vec<Option<TreeHash>>,
    /// The block that the last partial tile is of.
    edge: Vec<Option<TreeHash>>,
    differing: Vec<(Tile, Stored, Vec<Option<TreeHash>>)>,
    pinned: Pinned,
    failed: Option<io::Error>,
}

impl<'a> Grown<'a> {
    /// Watches for these checkpoints; the first is the ledger's own, which its tiles belong to.
    pub(super) fn new(source: &'a dyn Source, claims: Vec<Claim>, pinned: Pinned) -> io::Result<Self> {
        let size = |claim: &Claim| claim.word.checkpoint.as_ref().map(|checkpoint| checkpoint.size);
        let roots = claims.iter().filter_map(size).map(|size| (size, None)).collect();
        let first = claims.iter().find(|claim| claim.name == "checkpoint").and_then(size);
        // A size that nobody signed says nothing about the tiles.
        let trusted = claims.iter().any(|claim| claim.name == "checkpoint" && claim.word.trusted);
        let kept = source.read_range("tiles/0", 0, 1)?.is_some();
        let mut grown = Self {
            source,
            claims,
            tiles: first.filter(|_| kept && trusted),
            roots,
            frontier: Frontier::new(),
            broken: false,
            upper: Vec::new(),
            block: Vec::new(),
            edge: Vec::new(),
            differing: Vec::new(),
            pinned,
            failed: None,
        };
        grown.mark();
        Ok(grown)
    }

    fn mark(&mut self) {
        if let Some(root) = self.roots.get_mut(&self.frontier.size()) {
            *root = (!self.broken).then(|| self.frontier.root());
        }
    }

    fn ladder(&self, size: u64) -> Ladder<'a> {
        Ladder { source: self.source, shelf: Shelf::Ledger, size }
    }

    /// Takes the next leaves.
    pub(super) fn push(&mut self, leaves: &mut Vec<Option<TreeHash>>) {
        for leaf in leaves.drain(..) {
            self.broken |= leaf.is_none();
            self.frontier.append(leaf.unwrap_or(TreeHash::EMPTY));
            self.pinned.pass(self.frontier.size(), leaf);
            self.mark();
            self.block.push(leaf);
            if self.block.len() == 256 {
                self.full();
            }
        }
    }

    fn full(&mut self) {
        let block = std::mem::take(&mut self.block);
        let index = self.upper.len() as u64;
        let all: Option<Vec<TreeHash>> = block.iter().copied().collect();
        self.upper.push(all.and_then(join));
        let Some(size) = self.tiles else { return };
        if index == size / 256 {
            self.edge = block;
        } else if let Some(tile) = Tile::at(Kind::Hashes(0), index, size) {
            match self.ladder(size).read(tile) {
                Ok(stored) if stored.hashes == block => {}
                Ok(stored) => self.differing.push((tile, stored, block)),
                Err(error) => self.failed = Some(error),
            }
        }
    }

    /// What of tiles and checkpoints does not fit the records.
    pub(super) fn compare(mut self, options: &Options<'_>, report: &mut Report) {
        if self.edge.is_empty() {
            self.edge = std::mem::take(&mut self.block);
        }
        let forked = self.compare_tiles(report);
        for claim in &self.claims {
            report.findings.extend(claim.word.findings.iter().cloned());
            report.notes.extend(claim.word.notes.iter().cloned());
            if let Some(checkpoint) = &claim.word.checkpoint {
                self.compare_claim(claim, checkpoint, forked, report);
            }
        }
        if let Some(error) = self.failed.take() {
            report.findings.push(Finding::new(FindingKind::TileMissing, "tiles").stored(error));
        }
        let own = self.claims.iter().find(|claim| claim.name == "checkpoint");
        report.checkpoint = own.and_then(|claim| claim.word.checkpoint.clone());
        if let Err(error) = self.pinned.compare(self.source, &self.claims, report) {
            report.findings.push(Finding::new(FindingKind::TileMissing, "tiles").stored(error));
        }
        let told = report.findings.iter().any(|finding| finding.kind == FindingKind::CheckpointMissing);
        if own.is_none() && options.policy.is_some() && !told {
            let finding = Finding::new(FindingKind::CheckpointMissing, "checkpoint");
            report.findings.push(finding.expected("a checkpoint that the policy can be held against"));
        }
    }

    fn compare_claim(&self, claim: &Claim, checkpoint: &Checkpoint, forked: bool, report: &mut Report) {
        let cut_off = |finding: &Finding| finding.kind == FindingKind::TruncatedTail;
        let damaged = report.findings.iter().any(|finding| {
            let leaf = matches!(
                finding.kind,
                FindingKind::LeafAltered
                    | FindingKind::LinkBroken
                    | FindingKind::Missing
                    | FindingKind::FrameDamaged
            );
            leaf && finding.position.is_some_and(|position| position < checkpoint.size)
        });
        let finding = |kind| Finding::new(kind, claim.name);
        if !claim.word.trusted {
            // What is wrong with it is told; what it says was never signed.
            return;
        }
        match self.roots.get(&checkpoint.size).copied().flatten() {
            None if checkpoint.size > report.size && report.findings.iter().any(cut_off) => {}
            None if checkpoint.size > report.size => {
                let kind = FindingKind::Rollback;
                let finding = finding(kind).position(report.size).field("size").stored(report.size);
                report.findings.push(finding.expected(checkpoint.size));
            }
            Some(root) if root == checkpoint.root => {
                report.notes.push(format!("the {} of {} records holds", claim.title(), checkpoint.size));
            }
            Some(_) if forked => {}
            Some(root) if !damaged => {
                let finding = finding(FindingKind::Fork).field("root").stored(root);
                report.findings.push(finding.expected(checkpoint.root));
            }
            None | Some(_) => {
                report.notes.push(format!("the {} was not compared: records are damaged", claim.title()));
            }
        }
    }

    /// Compares the tiles; true if they prove that records were replaced.
    fn compare_tiles(&mut self, report: &mut Report) -> bool {
        let Some(size) = self.tiles else { return false };
        let ladder = self.ladder(size);
        let own = self.claims.iter().find(|claim| claim.name == "checkpoint");
        let signed = own.filter(|claim| claim.word.trusted).and_then(|claim| claim.word.checkpoint.as_ref());
        let below = |level: u8, index: u64| self.hash_of_records(size, level, index);
        let mut climbed = match ladder.climb(signed.map(|checkpoint| checkpoint.root), &below) {
            Ok(climbed) => climbed,
            Err(error) => {
                report.findings.push(Finding::new(FindingKind::TileMissing, "tiles").stored(error));
                return false;
            }
        };
        report.findings.append(&mut climbed.findings);
        let mut forked: Vec<u64> = Vec::new();
        let differing = std::mem::take(&mut self.differing);
        for (tile, stored, leaves) in &differing {
            let at = usize::try_from(tile.index()).unwrap_or(usize::MAX);
            let parent = climbed.parents.get(at).copied().flatten();
            let good = |hashes: &[TreeHash]| parent.is_some() && join(hashes.to_vec()) == parent;
            let settled = choose(&stored.hashes, leaves, &good);
            let known = if settled.sure { settled.hashes } else { leaves.clone() };
            Ladder::tell(*tile, stored, &known, &mut report.findings);
            forked.extend(other(leaves, &known, tile.index() * 256));
        }
        let edge = self.edge.iter().take(climbed.edge.len()).copied().collect::<Vec<_>>();
        forked.extend(other(&edge, &climbed.edge, size - size % 256));
        // What is known to be damaged is no other history.
        let known: std::collections::HashSet<u64> = report
            .findings
            .iter()
            .filter(|f| f.kind != FindingKind::TileDamaged)
            .filter_map(|f| f.position)
            .collect();
        let damaged = |at: &u64| known.contains(at);
        let fork = forked.iter().any(|at| !damaged(at));
        if fork {
            for (from, to) in ranges(&forked) {
                let finding = Finding::new(FindingKind::Fork, "checkpoint").position(from).field("leaf");
                let range = if from == to {
                    format!("another record {from}")
                } else {
                    format!("other records {from} to {to}")
                };
                report.findings.push(finding.expected(range));
            }
        }
        fork
    }

    /// The hash over a full subtree as the records give it.
    fn hash_of_records(&self, size: u64, level: u8, index: u64) -> Option<TreeHash> {
        match level {
            0 => {
                let at = index.checked_sub(size - size % 256)?;
                self.edge.get(usize::try_from(at).ok()?).copied()?
            }
            1 => self.upper.get(usize::try_from(index).ok()?).copied()?,
            _ => {
                let hashes: Option<Vec<_>> =
                    (0..256).map(|at| self.hash_of_records(size, level - 1, index * 256 + at)).collect();
                join(hashes?)
            }
        }
    }
}

/// Places where both are there and differ.
fn other(leaves: &[Option<TreeHash>], known: &[Option<TreeHash>], first: u64) -> Vec<u64> {
    let differ = |(one, other): (&Option<TreeHash>, &Option<TreeHash>)| matches!((one, other), (Some(one), Some(other)) if one != other);
    leaves.iter().zip(known).zip(first..).filter(|(pair, _)| differ(*pair)).map(|(_, at)| at).collect()
}

/// Runs of neighbours.
fn ranges(places: &[u64]) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for at in places {
        match ranges.last_mut() {
            Some((_, to)) if *to + 1 == *at => *to = *at,
            _ => ranges.push((*at, *at)),
        }
    }
    ranges
}
