//! Making roots and proofs: RFC 6962 sections 2.1, 2.1.1 and 2.1.2, as loops.

use super::frontier::fold;
use super::{HashSource, TreeHash};

/// A proof cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unprovable<E> {
    /// The tree has no leaf with this index.
    #[error("a tree of {size} leaves has no leaf {index}")]
    Index {
        /// The leaf asked for.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The older tree is larger than the newer one.
    #[error("a tree of {old} leaves is not older than one of {new}")]
    Sizes {
        /// The size of the older tree.
        old: u64,
        /// The size of the newer tree.
        new: u64,
    },
    /// A hash could not be had.
    #[error(transparent)]
    Source(#[from] E),
}

/// The root of the tree of the first `size` leaves (RFC 6962 section 2.1). Fails only as the source does.
pub fn root<S: HashSource>(source: &mut S, size: u64) -> Result<TreeHash, S::Error> {
    range(source, 0, size)
}

/// The proof that leaf `index` is in the tree of the first `size` leaves, from the leaf's sibling upwards
/// (RFC 6962 section 2.1.1). Fails if there is no such leaf, or as the source does.
pub fn inclusion<S: HashSource>(
    source: &mut S,
    index: u64,
    size: u64,
) -> Result<Vec<TreeHash>, Unprovable<S::Error>> {
    if index >= size {
        return Err(Unprovable::Index { index, size });
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(range(source, middle, end)?);
            end = middle;
        } else {
            path.push(range(source, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of `new` leaves grew from the tree of `old` leaves (RFC 6962 section 2.1.2).
///
/// Equal sizes, and an empty older tree, need no proof: it is empty. Fails if `old` is larger, or as the source does.
pub fn consistency<S: HashSource>(
    source: &mut S,
    old: u64,
    new: u64,
) -> Result<Vec<TreeHash>, Unprovable<S::Error>> {
    if old > new {
        return Err(Unprovable::Sizes { old, new });
    }
    let mut path = Vec::new();
    if old == 0 {
        return Ok(path);
    }
    let (mut start, mut end) = (0, new);
    while end > old {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(range(source, middle, end)?);
            end = middle;
        } else {
            path.push(range(source, start, middle)?);
            start = middle;
        }
    }
    // The verifier knows the old root; it needs this one only if it is a part of the old tree.
    if start > 0 {
        path.push(range(source, start, end)?);
    }
    path.reverse();
    Ok(path)
}

/// The largest power of two below `len`, which is at least 2.
fn split(len: u64) -> u64 {
    1 << (len - 1).ilog2()
}

/// The hash over the leaves `start..end`, where `start` is a multiple of the largest power of two below the length.
fn range<S: HashSource>(source: &mut S, start: u64, end: u64) -> Result<TreeHash, S::Error> {
    let mut subtrees = Vec::new();
    let mut at = start;
    while at < end {
        let level = (end - at).ilog2();
        subtrees.push(source.hash(level, at >> level)?);
        at += 1 << level;
    }
    Ok(fold(&subtrees))
}
