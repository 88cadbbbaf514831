//! Where the hashes of full subtrees come from.

use super::TreeHash;

/// Answers with hashes of full subtrees: from tiles, from memory, from anywhere.
///
/// A source is not trusted: what is made from wrong hashes does not verify.
pub trait HashSource {
    /// Why a hash cannot be had.
    type Error;

    /// The hash of the full subtree over the leaves `index * 2^level .. (index + 1) * 2^level`.
    ///
    /// Fails if the source does not have it, above all if the subtree reaches beyond the tree.
    fn hash(&mut self, level: u32, index: u64) -> Result<TreeHash, Self::Error>;
}

impl<S: HashSource + ?Sized> HashSource for &mut S {
    type Error = S::Error;

    fn hash(&mut self, level: u32, index: u64) -> Result<TreeHash, S::Error> {
        (**self).hash(level, index)
    }
}

/// A whole tree in memory: 64 bytes a leaf. For evidence files, small logs and tests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemoryTree {
    levels: Vec<Vec<TreeHash>>,
}

/// A source has no hash of this subtree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no full subtree {index} of height {level}")]
pub struct NoHash {
    /// The height: the subtree has `2^level` leaves.
    pub level: u32,
    /// Which of that height.
    pub index: u64,
}

impl MemoryTree {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next leaf by its hash ([`TreeHash::leaf`]).
    pub fn push(&mut self, leaf: TreeHash) {
        let mut hash = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let hashes = &mut self.levels[level];
            hashes.push(hash);
            match hashes.as_slice() {
                [.., left, right] if hashes.len().is_multiple_of(2) => hash = TreeHash::node(left, right),
                _ => return,
            }
        }
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }
}

impl FromIterator<TreeHash> for MemoryTree {
    fn from_iter<I: IntoIterator<Item = TreeHash>>(leaves: I) -> Self {
        let mut tree = Self::new();
        for leaf in leaves {
            tree.push(leaf);
        }
        tree
    }
}

impl HashSource for MemoryTree {
    type Error = NoHash;

    fn hash(&mut self, level: u32, index: u64) -> Result<TreeHash, NoHash> {
        (&*self).hash(level, index)
    }
}

impl HashSource for &MemoryTree {
    type Error = NoHash;

    fn hash(&mut self, level: u32, index: u64) -> Result<TreeHash, NoHash> {
        let at = |level, index| Some((usize::try_from(level).ok()?, usize::try_from(index).ok()?));
        at(level, index)
            .and_then(|(level, index)| self.levels.get(level)?.get(index).copied())
            .ok_or(NoHash { level, index })
    }
}
