//! Hash tiles that grow with the log.

use super::source::join;
use super::{FULL, Kind, NoTile, Tile, parse_hashes};
use crate::tree::{Frontier, MAX_SIZE, TreeHash};

/// The partial tile of every level, which is all that is needed to append leaves: at most 8 x 255 hashes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TileBuilder {
    size: u64,
    levels: Vec<Vec<TreeHash>>,
}

impl TileBuilder {
    /// The tiles of a log without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// The partial tiles of a log of `size` leaves, lowest level first, taken at their word.
    pub(crate) fn of(size: u64, levels: Vec<Vec<TreeHash>>) -> Self {
        Self { size, levels }
    }

    /// Goes on from the stored partial tiles of a log of `size` leaves; `read` gives a tile's bytes.
    ///
    /// Fails if one cannot be read or has another length. Whether the hashes are right shows in [`TileBuilder::root`].
    pub fn resume<E>(size: u64, mut read: impl FnMut(Tile) -> Result<Vec<u8>, E>) -> Result<Self, NoTile<E>> {
        let mut builder = Self { size: size.min(MAX_SIZE), levels: Vec::new() };
        for level in 0..=super::TOP_LEVEL {
            let items = builder.size >> (8 * u32::from(level));
            if items == 0 {
                break;
            }
            let hashes = match Tile::at(Kind::Hashes(level), items / u64::from(FULL), builder.size) {
                None => Vec::new(),
                Some(tile) => {
                    let bytes = read(tile).map_err(|error| NoTile::Read { tile, error })?;
                    parse_hashes(&bytes, tile.width()).map_err(|error| NoTile::Bytes { tile, error })?
                }
            };
            builder.levels.push(hashes);
        }
        Ok(builder)
    }

    /// Adds the next leaf by its hash and gives the tiles that became full by it, lowest level first: mostly none.
    #[must_use = "full tiles are given once"]
    pub fn push(&mut self, leaf: TreeHash) -> Vec<(Tile, Vec<TreeHash>)> {
        self.size += 1;
        let mut done = Vec::new();
        let mut hash = leaf;
        for level in 0..=super::TOP_LEVEL {
            let at = usize::from(level);
            if self.levels.len() == at {
                self.levels.push(Vec::new());
            }
            self.levels[at].push(hash);
            if self.levels[at].len() < usize::from(FULL) {
                break;
            }
            let hashes = std::mem::take(&mut self.levels[at]);
            let index = (self.size >> (8 * (u32::from(level) + 1))) - 1;
            let Some(root) = join(hashes.clone()) else { break };
            hash = root;
            done.push((Tile { kind: Kind::Hashes(level), index, width: FULL }, hashes));
        }
        done
    }

    /// How many leaves the log has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The partial tiles at this size, lowest level first.
    pub fn partials(&self) -> impl Iterator<Item = (Tile, &[TreeHash])> {
        self.levels.iter().zip(0_u8..).filter(|(hashes, _)| !hashes.is_empty()).filter_map(
            |(hashes, level)| {
                let index = (self.size >> (8 * u32::from(level))) / u64::from(FULL);
                let width = u16::try_from(hashes.len()).ok()?;
                Some((Tile { kind: Kind::Hashes(level), index, width }, hashes.as_slice()))
            },
        )
    }

    /// The right edge of the tree at this size.
    pub fn frontier(&self) -> Frontier {
        let mut subtrees = Vec::new();
        for hashes in self.levels.iter().rev() {
            let mut rest = hashes.as_slice();
            while !rest.is_empty() {
                let (subtree, after) = rest.split_at(1 << rest.len().ilog2());
                subtrees.extend(join(subtree.to_vec()));
                rest = after;
            }
        }
        Frontier::of(self.size, subtrees)
    }

    /// The root of the tree at this size.
    pub fn root(&self) -> TreeHash {
        self.frontier().root()
    }
}
