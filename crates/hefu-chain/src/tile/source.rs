//! Hashes of subtrees, answered from tiles.

use super::{BadBytes, Kind, Tile, parse_hashes};
use crate::tree::{HashSource, TreeHash};

/// Reads tiles through a function and answers with the hashes in and above them.
///
/// The newest tile of each level is kept, which is all that one proof reads twice. Tiles are not trusted: a wrong one
/// gives a proof that does not verify.
#[derive(Debug)]
pub struct TileSource<R> {
    size: u64,
    read: R,
    kept: [Option<(Tile, Vec<TreeHash>)>; 8],
}

/// A hash cannot be had from tiles.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoTile<E> {
    /// The subtree is not full in a log of this size.
    #[error("the full subtree {index} of height {level} is not in a tree of {size} leaves")]
    Outside {
        /// Its height.
        level: u32,
        /// Which of that height.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The tile cannot be read.
    #[error("{tile}: {error}")]
    Read {
        /// Which tile.
        tile: Tile,
        /// Why.
        error: E,
    },
    /// What was read is no such tile.
    #[error("{tile}: {error}")]
    Bytes {
        /// Which tile.
        tile: Tile,
        /// Why.
        error: BadBytes,
    },
}

impl<R, E> TileSource<R>
where
    R: FnMut(Tile) -> Result<Vec<u8>, E>,
{
    /// A source over the tiles of a log of `size` leaves.
    ///
    /// `read` is asked for tiles as wide as they are at that size. If only a wider one is left, it gives the first
    /// `32 * width` bytes of that.
    pub fn new(size: u64, read: R) -> Self {
        Self { size, read, kept: Default::default() }
    }

    /// The size of the log.
    pub fn size(&self) -> u64 {
        self.size
    }

    fn tile(&mut self, level: u8, index: u64) -> Option<Result<&[TreeHash], NoTile<E>>> {
        let tile = Tile::at(Kind::Hashes(level), index, self.size)?;
        let kept = self.kept.get_mut(usize::from(level))?;
        if kept.as_ref().is_none_or(|(name, _)| *name != tile) {
            *kept = None;
            let hashes = (self.read)(tile).map_err(|error| NoTile::Read { tile, error }).and_then(|bytes| {
                parse_hashes(&bytes, tile.width()).map_err(|error| NoTile::Bytes { tile, error })
            });
            match hashes {
                Ok(hashes) => *kept = Some((tile, hashes)),
                Err(error) => return Some(Err(error)),
            }
        }
        kept.as_ref().map(|(_, hashes)| Ok(hashes.as_slice()))
    }
}

impl<R, E> HashSource for TileSource<R>
where
    R: FnMut(Tile) -> Result<Vec<u8>, E>,
{
    type Error = NoTile<E>;

    fn hash(&mut self, level: u32, index: u64) -> Result<TreeHash, NoTile<E>> {
        let outside = NoTile::Outside { level, index, size: self.size };
        let inside = level < u64::BITS && self.size >> level > index;
        let Some(tile_level) = u8::try_from(level / 8).ok().filter(|_| inside) else { return Err(outside) };
        // 2^(level mod 8) hashes of the tile level make up the subtree; they never cross a tile.
        let count = 1_u64 << (level % 8);
        let Some(first) = index.checked_mul(count) else { return Err(outside) };
        let Some(tile) = self.tile(tile_level, first / 256) else { return Err(outside) };
        let from = usize::try_from(first % 256).unwrap_or(usize::MAX);
        let hashes = tile?.iter().skip(from).take(1 << (level % 8));
        join(hashes.copied().collect()).ok_or(outside)
    }
}

/// The root over a power of two of hashes.
pub(crate) fn join(mut hashes: Vec<TreeHash>) -> Option<TreeHash> {
    while hashes.len() > 1 {
        hashes = hashes.chunks_exact(2).map(|pair| TreeHash::node(&pair[0], &pair[1])).collect();
    }
    hashes.pop()
}
