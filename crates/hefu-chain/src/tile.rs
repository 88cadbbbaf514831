//! Tiles: the tree and the entries as immutable files of 256 each, as c2sp.org/tlog-tiles says.
//!
//! This module knows names and bytes of the files, not where they lie. [`Tile::all`] and [`Tile::fresh`] say which
//! files a log of some size has; [`TileBuilder`] makes the hash tiles, [`TileSource`] proves from them.

mod builder;
mod bytes;
mod path;
mod source;
#[cfg(test)]
mod tests;

use crate::tree::MAX_SIZE;

pub use builder::TileBuilder;
pub use bytes::{BadBytes, MAX_ENTRY_LEN, encode_entries, encode_hashes, parse_entries, parse_hashes};
pub use path::BadPath;
pub(crate) use source::join;
pub use source::{NoTile, TileSource};

/// A full tile is this wide.
pub const FULL: u16 = 256;
/// Levels above this cannot exist below 2^63 leaves.
const TOP_LEVEL: u8 = 7;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Entries: the leaves themselves.
    Entries,
    /// Hashes of full subtrees of `256^level` leaves; level 0 has the leaf hashes.
    Hashes(u8),
}

impl Kind {
    /// The level whose shape such tiles have; entries lie as leaf hashes do.
    fn level(self) -> u8 {
        match self {
            Self::Entries => 0,
            Self::Hashes(level) => level,
        }
    }
}

/// The name of one tile. As text it is its path, such as `tile/0/x001/x234/067` or `tile/entries/273.p/112`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    kind: Kind,
    index: u64,
    width: u16,
}

/// No log can have such a tile: its width is not 1 to 256, or it ends beyond 2^63 - 1 leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no log has such a tile: the width is 1 to 256 and the end at most leaf 2^63 - 1")]
pub struct BadTile;

impl Tile {
    /// The tile with this place and width.
    pub fn new(kind: Kind, index: u64, width: u16) -> Result<Self, BadTile> {
        let tile = Self { kind, index, width };
        let fits = index
            .checked_mul(u64::from(FULL))
            .and_then(|first| first.checked_add(width.into()))
            .and_then(|items| items.checked_mul(span(kind.level())?))
            .is_some_and(|end| end <= MAX_SIZE);
        if fits && (1..=FULL).contains(&width) { Ok(tile) } else { Err(BadTile) }
    }

    /// The tile at this place in a log of `size` leaves, as wide as it is then; nothing if it is not begun.
    pub fn at(kind: Kind, index: u64, size: u64) -> Option<Self> {
        let items = size.min(MAX_SIZE) / span(kind.level())?;
        let first = index.checked_mul(u64::from(FULL))?;
        let width = items.checked_sub(first)?.min(u64::from(FULL));
        let width = u16::try_from(width).ok().filter(|width| *width > 0)?;
        Some(Self { kind, index, width })
    }

    /// Every tile of a log of `size` leaves.
    pub fn all(size: u64) -> impl Iterator<Item = Self> {
        Self::fresh(0, size)
    }

    /// The tiles that a log of `new` leaves has and one of `old` leaves had not: first the entries, then the levels
    /// upwards. A site that writes them in this order, then the checkpoint, is never seen unfinished.
    pub fn fresh(old: u64, new: u64) -> impl Iterator<Item = Self> {
        let kinds = std::iter::once(Kind::Entries).chain((0..=TOP_LEVEL).map(Kind::Hashes));
        kinds.flat_map(move |kind| {
            let shift = 8 * u32::from(kind.level());
            let full = |size: u64| (size.min(MAX_SIZE) >> shift) / u64::from(FULL);
            let partial = |size: u64| Self::at(kind, full(size), size);
            let whole = (full(old)..full(new)).map(move |index| Self { kind, index, width: FULL });
            whole.chain(partial(new).filter(|tile| partial(old) != Some(*tile)))
        })
    }

    /// What it holds.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its place in its level.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it has, 1 to 256.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// It is as wide as a tile gets; only such tiles are hashed into the level above.
    pub fn is_full(&self) -> bool {
        self.width == FULL
    }

    /// The leaves it speaks of.
    pub fn leaves(&self) -> std::ops::Range<u64> {
        let span = span(self.kind.level()).unwrap_or(0);
        let first = self.index * u64::from(FULL);
        first * span..(first + u64::from(self.width)) * span
    }

    /// Everything it holds belongs to a log of `size` leaves: what a server may give away once that size is signed.
    pub fn is_within(&self, size: u64) -> bool {
        self.leaves().end <= size
    }
}

/// How many leaves are below one hash of this level.
fn span(level: u8) -> Option<u64> {
    (level <= TOP_LEVEL).then(|| 1 << (8 * u32::from(level)))
}
