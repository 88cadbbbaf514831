//! The right edge of a growing tree: all that is needed to append leaves and to know the root.

use super::{MAX_SIZE, TreeHash};

/// The hashes of the full subtrees a tree consists of, from left to right; their sizes are the powers of two that
/// make up the tree's size, falling. At most 63 hashes, whatever the size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    hashes: Vec<TreeHash>,
}

/// Stored hashes cannot be the right edge of a tree of the stored size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the right edge of a tree with {size} leaves is not {hashes} hashes")]
pub struct BadFrontier {
    /// The size it should have.
    pub size: u64,
    /// How many hashes were given.
    pub hashes: usize,
}

impl Frontier {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes up a stored frontier. Only the number of hashes is checked: whether they are right shows in the root.
    pub fn from_parts(size: u64, hashes: Vec<TreeHash>) -> Result<Self, BadFrontier> {
        if size > MAX_SIZE || u32::try_from(hashes.len()) != Ok(size.count_ones()) {
            return Err(BadFrontier { size, hashes: hashes.len() });
        }
        Ok(Self { size, hashes })
    }

    /// The frontier with these hashes, which are as many as the size has ones.
    pub(crate) fn of(size: u64, hashes: Vec<TreeHash>) -> Self {
        Self { size, hashes }
    }

    /// Adds the next leaf by its hash ([`TreeHash::leaf`]).
    pub fn append(&mut self, leaf: TreeHash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            // As many hashes as the size has ones: there is always a left neighbour here.
            let Some(left) = self.hashes.pop() else { break };
            hash = TreeHash::node(&left, &hash);
        }
        self.hashes.push(hash);
        self.size += 1;
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hashes, for storing.
    pub fn hashes(&self) -> &[TreeHash] {
        &self.hashes
    }

    /// The root of the tree.
    pub fn root(&self) -> TreeHash {
        fold(&self.hashes)
    }
}

/// The root over full subtrees of falling size: RFC 6962 splits at the largest power of two, so they join from the
/// right.
pub(super) fn fold(subtrees: &[TreeHash]) -> TreeHash {
    let joined = subtrees.iter().rev().copied().reduce(|right, left| TreeHash::node(&left, &right));
    joined.unwrap_or(TreeHash::EMPTY)
}
