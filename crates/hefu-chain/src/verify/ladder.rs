//! From the signed root down to the leaves: which hashes of the tiles are vouched for, and which are damaged.
//!
//! A tile is right if it leads to a hash that is vouched for. If it does not, what lies below it, the tiles of the level
//! below or the records themselves, may: then the tile is damaged and the records are not. Where neither does, a mixture
//! of both is tried; where that fails too, nothing is said for sure.

mod choice;

use std::io;

use super::finding::{Finding, FindingKind};
use crate::source::Source;
use crate::tile::{FULL, Kind, Tile, TileBuilder, join};
use crate::tree::{HashSource, NoHash, TreeHash};

pub(super) use choice::{Settled, choose};

/// What should stand where surplus bytes begin.
pub(super) const END: &str = "the end of the file";

/// Gives the hash of a full subtree of `256^level` records from the records themselves.
pub(super) type Below<'a> = &'a dyn Fn(u8, u64) -> Option<TreeHash>;

/// The tiles of a log of some size.
pub(super) struct Ladder<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) shelf: Shelf,
    pub(super) size: u64,
}

/// How tiles are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shelf {
    /// A file a tile, as in a site.
    Site,
    /// A file a level, as in a ledger's directory: `tiles/<level>`. Bytes behind the last tile mean nothing.
    Ledger,
}

/// A tile as it lies there.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) path: String,
    /// Where its first hash stands in the file.
    offset: u64,
    /// As many as the tile is wide.
    pub(super) hashes: Vec<Option<TreeHash>>,
    /// How long the file is, if it is there and another length is right.
    len: Option<usize>,
    pub(super) missing: bool,
}

/// What is known of the tiles after the way down.
#[derive(Debug, Default)]
pub(super) struct Climbed {
    /// What each full tile of the lowest level must lead to, where it is vouched for.
    pub(super) parents: Vec<Option<TreeHash>>,
    /// The hashes of the last leaves, which no full tile has.
    pub(super) edge: Vec<Option<TreeHash>>,
    /// The tile whose file holds the last leaves' hashes, if that is another's.
    pub(super) edge_at: Option<u64>,
    /// The tiles, or the records where tiles are damaged, lead to the root.
    pub(super) sure: bool,
    /// Tiles and records agree with each other, but not with the root.
    pub(super) other_root: Option<TreeHash>,
    pub(super) findings: Vec<Finding>,
}

impl Stored {
    fn new(path: String, offset: u64, found: Option<Vec<u8>>, width: usize) -> Self {
        let missing = found.is_none();
        let bytes = found.unwrap_or_default();
        let len = (!missing && bytes.len() != 32 * width).then_some(bytes.len());
        let mut hashes: Vec<Option<TreeHash>> =
            bytes.as_chunks().0.iter().take(width).map(|hash| Some(TreeHash(*hash))).collect();
        hashes.resize(width, None);
        Self { path, offset, hashes, len, missing }
    }

    /// Takes the hashes that lie in another file.
    pub(super) fn put(&mut self, hashes: Vec<TreeHash>) {
        self.len = None;
        self.hashes = hashes.into_iter().map(Some).collect();
    }

    /// It is as long as it should be.
    pub(super) fn fits(&self) -> bool {
        self.len.is_none()
    }

    /// The hash in this place is not the right one.
    pub(super) fn damaged(&self, tile: Tile, at: usize) -> Finding {
        let finding = Finding::new(FindingKind::TileDamaged, &self.path).field("hash");
        let finding = finding.offset(self.offset + 32 * at as u64);
        match level_of(tile) {
            0 => finding.position(tile.leaves().start + at as u64),
            _ => finding,
        }
    }
}

impl Ladder<'_> {
    /// Reads a tile. A partial tile that is gone may be had from the full one.
    pub(super) fn read(&self, tile: Tile) -> io::Result<Stored> {
        let width = usize::from(tile.width());
        if self.shelf == Shelf::Ledger {
            let path = format!("tiles/{}", level_of(tile));
            let offset = tile.index() * 256 * 32;
            let found = self.source.read_range(&path, offset, 32 * width)?;
            return Ok(Stored::new(path, offset, found, width));
        }
        let mut path = tile.to_string();
        let mut found = self.source.read(&path)?;
        let whole =
            Tile::new(tile.kind(), tile.index(), FULL).ok().filter(|_| found.is_none() && !tile.is_full());
        if let Some(whole) = whole.map(|whole| whole.to_string())
            && let Some(mut bytes) = self.source.read(&whole)?
            // No more than the partial one under another name is no full tile.
            && bytes.len() > 32 * width
        {
            bytes.truncate(32 * width);
            (path, found) = (whole, Some(bytes));
        }
        Ok(Stored::new(path, 0, found, width))
    }

    /// The highest level that has a hash.
    fn top(&self) -> u8 {
        (0..8).rev().find(|level| self.size >> (8 * u32::from(*level)) > 0).unwrap_or(0)
    }

    /// Goes down from the root to the level above the leaves. Without a root the tiles are compared with each other.
    pub(super) fn climb(&self, root: Option<TreeHash>, below: Below<'_>) -> io::Result<Climbed> {
        let mut climbed = Climbed { sure: true, ..Climbed::default() };
        if self.size == 0 {
            return Ok(climbed);
        }
        let top = self.top();
        let mut edges = Vec::new();
        for level in 0..=top {
            let items = self.size >> (8 * u32::from(level));
            if let Some(tile) = Tile::at(Kind::Hashes(level), items / 256, self.size) {
                edges.push((tile, self.read(tile)?));
            }
        }
        let stored: Vec<Option<TreeHash>> =
            edges.iter().flat_map(|(_, stored)| stored.hashes.iter().copied()).collect();
        let places: Vec<(u8, u64)> = edges
            .iter()
            .flat_map(|(tile, stored)| {
                let first = tile.index() * 256;
                (first..first + stored.hashes.len() as u64).map(|place| (level_of(*tile), place))
            })
            .collect();
        let widths: Vec<(u8, usize)> =
            edges.iter().map(|(tile, stored)| (level_of(*tile), stored.hashes.len())).collect();
        let root_of = |flat: &[TreeHash]| {
            let mut levels = vec![Vec::new(); usize::from(top) + 1];
            let mut rest = flat;
            for (level, width) in &widths {
                let (these, after) = rest.split_at(*width);
                levels[usize::from(*level)] = these.to_vec();
                rest = after;
            }
            TileBuilder::of(self.size, levels).root()
        };
        let good = |flat: &[TreeHash]| root.is_none_or(|root| root_of(flat) == root);
        let mut settled = self.settle(&stored, &places, below, &good)?;
        if let (false, Some((edge, _))) =
            ((settled.sure && settled.hashes == stored) || root.is_none(), edges.first())
            && let Some((index, hashes)) = self.edge_elsewhere(*edge, &stored, &good)?
        {
            settled = Settled { hashes: hashes.into_iter().map(Some).collect(), sure: true };
            climbed.edge_at = Some(index);
        }
        climbed.sure = settled.sure;
        let mut known = settled.hashes;
        if !settled.sure
            && let Some(all) = known.iter().copied().collect::<Option<Vec<_>>>()
        {
            climbed.other_root = Some(root_of(&all));
        }
        let mut expected: Vec<(u8, u64, Option<TreeHash>)> = Vec::new();
        for (tile, stored) in edges {
            let rest = known.split_off(stored.hashes.len());
            if level_of(tile) > 0 || climbed.edge_at.is_none() {
                Self::tell(tile, &stored, &known, &mut climbed.findings);
            }
            if level_of(tile) > 0 {
                self.older(tile, &known, &mut climbed.findings)?;
            }
            self.keep(tile, &known, &mut expected, &mut climbed);
            known = rest;
        }
        // Upper tiles first, as each names the ones below.
        while let Some((level, index, hash)) = expected.pop() {
            let Ok(tile) = Tile::new(Kind::Hashes(level), index, FULL) else { continue };
            let stored = self.read(tile)?;
            let places: Vec<(u8, u64)> = (0..256).map(|at| (level, index * 256 + at)).collect();
            let good = |flat: &[TreeHash]| hash.is_some() && join(flat.to_vec()) == hash;
            let settled = self.settle(&stored.hashes, &places, below, &good)?;
            Self::tell(tile, &stored, &settled.hashes, &mut climbed.findings);
            self.older(tile, &settled.hashes, &mut climbed.findings)?;
            self.keep(tile, &settled.hashes, &mut expected, &mut climbed);
        }
        Ok(climbed)
    }

    /// The hashes of the edges with those of the lowest from the file of a full tile, which has another length.
    fn edge_elsewhere(
        &self,
        edge: Tile,
        stored: &[Option<TreeHash>],
        good: &dyn Fn(&[TreeHash]) -> bool,
    ) -> io::Result<Option<(u64, Vec<TreeHash>)>> {
        let width = usize::from(edge.width());
        let Some(upper) =
            stored.get(width..).and_then(|upper| upper.iter().copied().collect::<Option<Vec<_>>>())
        else {
            return Ok(None);
        };
        if self.shelf == Shelf::Ledger || level_of(edge) > 0 {
            return Ok(None);
        }
        for index in 0..edge.index() {
            let Ok(tile) = Tile::new(edge.kind(), index, FULL) else { continue };
            let bytes = self.source.read(&tile.to_string())?.filter(|bytes| bytes.len() == 32 * width);
            let Some(bytes) = bytes else { continue };
            let lower = bytes.as_chunks().0.iter().map(|hash| TreeHash(*hash));
            let all: Vec<TreeHash> = lower.chain(upper.iter().copied()).collect();
            if good(&all) {
                return Ok(Some((index, all)));
            }
        }
        Ok(None)
    }

    /// Notes what the hashes of a tile say of the tiles below it.
    fn keep(
        &self,
        tile: Tile,
        known: &[Option<TreeHash>],
        expected: &mut Vec<(u8, u64, Option<TreeHash>)>,
        climbed: &mut Climbed,
    ) {
        let level = level_of(tile);
        let first = tile.index() * 256;
        match level {
            0 => climbed.edge = known.to_vec(),
            1 => {
                let full = usize::try_from(self.size / 256).unwrap_or(usize::MAX);
                climbed.parents.resize(full, None);
                for (hash, at) in known.iter().zip(first..) {
                    if let Some(parent) = usize::try_from(at).ok().and_then(|at| climbed.parents.get_mut(at))
                    {
                        *parent = *hash;
                    }
                }
            }
            _ => expected.extend(known.iter().zip(first..).map(|(hash, at)| (level - 1, at, *hash))),
        }
    }

    /// Which hashes are right: the stored ones, those from below, or a mixture.
    fn settle(
        &self,
        stored: &[Option<TreeHash>],
        places: &[(u8, u64)],
        below: Below<'_>,
        good: &dyn Fn(&[TreeHash]) -> bool,
    ) -> io::Result<Settled> {
        if let Some(all) = stored.iter().copied().collect::<Option<Vec<_>>>()
            && good(&all)
        {
            return Ok(Settled { hashes: stored.to_vec(), sure: true });
        }
        let mut from_tiles = Vec::new();
        for (level, at) in places {
            from_tiles.push(match level.checked_sub(1) {
                None => below(0, *at),
                Some(level) => match Tile::new(Kind::Hashes(level), *at, FULL) {
                    Ok(tile) => {
                        self.read(tile)?.hashes.into_iter().collect::<Option<Vec<_>>>().and_then(join)
                    }
                    Err(_) => None,
                },
            });
        }
        let settled = choose(stored, &from_tiles, good);
        if settled.sure || places.iter().all(|(level, _)| *level == 0) {
            return Ok(settled);
        }
        let from_records: Vec<_> = places.iter().map(|(level, at)| below(*level, *at)).collect();
        let again = choose(stored, &from_records, good);
        Ok(if again.sure { again } else { settled })
    }

    /// Partial tiles of checkpoints before this one must be the beginning of the newer tile. Sources that cannot list
    /// are not asked.
    pub(super) fn older(
        &self,
        tile: Tile,
        known: &[Option<TreeHash>],
        findings: &mut Vec<Finding>,
    ) -> io::Result<()> {
        let Ok(full) = Tile::new(tile.kind(), tile.index(), FULL) else { return Ok(()) };
        if self.shelf == Shelf::Ledger {
            return Ok(());
        }
        let folder = format!("{full}.p");
        for name in self.source.list(&folder)?.unwrap_or_default() {
            let width = name.parse().ok().filter(|width: &u16| *width < tile.width());
            let Some(older) = width.and_then(|width| Tile::new(tile.kind(), tile.index(), width).ok()) else {
                continue;
            };
            let stored = self.read(older)?;
            Self::tell(older, &stored, known, findings);
        }
        Ok(())
    }

    /// Reports what of a tile is not what is known.
    pub(super) fn tell(tile: Tile, stored: &Stored, known: &[Option<TreeHash>], findings: &mut Vec<Finding>) {
        let finding = |kind| Finding::new(kind, &stored.path);
        if stored.missing {
            let leaves = tile.leaves();
            let range = format!("hashes over the records {} to {}", leaves.start, leaves.end - 1);
            findings.push(finding(FindingKind::TileMissing).expected(range));
            return;
        }
        let right = 32 * usize::from(tile.width());
        match stored.len {
            Some(len) if len > right => {
                let finding = finding(FindingKind::TileDamaged).field("surplus").offset(right as u64);
                findings.push(finding.stored(format!("{} bytes", len - right)).expected(END));
            }
            Some(len) => {
                let finding = finding(FindingKind::TileDamaged).field("length");
                findings.push(finding.stored(len).expected(right));
            }
            None => {}
        }
        for (at, (there, known)) in stored.hashes.iter().zip(known).enumerate() {
            if let (Some(there), Some(known)) = (there, known)
                && there != known
            {
                findings.push(stored.damaged(tile, at).stored(there).expected(known));
            }
        }
    }
}

/// Hashes of any height from hashes of tile levels.
pub(super) struct Subtrees<'a> {
    pub(super) hash: &'a mut dyn FnMut(u8, u64) -> Option<TreeHash>,
}

impl HashSource for Subtrees<'_> {
    type Error = NoHash;

    fn hash(&mut self, level: u32, index: u64) -> Result<TreeHash, NoHash> {
        let none = NoHash { level, index };
        let tile_level = u8::try_from(level / 8).map_err(|_| none)?;
        let count = 1_u64 << (level % 8);
        let first = index.checked_mul(count).ok_or(none)?;
        let hashes: Option<Vec<_>> = (first..first + count).map(|at| (self.hash)(tile_level, at)).collect();
        hashes.and_then(join).ok_or(none)
    }
}

fn level_of(tile: Tile) -> u8 {
    match tile.kind() {
        Kind::Entries => 0,
        Kind::Hashes(level) => level,
    }
}
