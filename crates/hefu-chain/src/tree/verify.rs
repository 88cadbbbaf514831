//! Checking proofs: RFC 9162 sections 2.1.3.2 and 2.1.4.2, step by step.

use super::TreeHash;

/// A proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadProof {
    /// The tree has no leaf with this index.
    #[error("a tree of {size} leaves has no leaf {index}")]
    Index {
        /// The index claimed.
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
    /// More or fewer hashes than these sizes need.
    #[error("the proof has too many or too few hashes")]
    Length,
    /// The leaf and the proof lead to another root.
    #[error("the proof leads to another root")]
    Root,
    /// The proof leads to another root of the older tree.
    #[error("the proof leads to another root of the older tree")]
    OldRoot,
    /// The proof leads to another root of the newer tree.
    #[error("the proof leads to another root of the newer tree")]
    NewRoot,
}

/// Is the leaf with this hash at `index` in the tree with this size and root? RFC 9162 section 2.1.3.2.
///
/// Fails with the first reason why not. Every length but the right one is refused.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &TreeHash,
    proof: &[TreeHash],
    root: &TreeHash,
) -> Result<(), BadProof> {
    if index >= size {
        return Err(BadProof::Index { index, size });
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(BadProof::Length);
        }
        if is_odd(node) || node == last {
            hash = TreeHash::node(sibling, &hash);
            skip_lone_levels(&mut node, &mut last);
        } else {
            hash = TreeHash::node(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(BadProof::Length);
    }
    if hash == *root { Ok(()) } else { Err(BadProof::Root) }
}

/// Did the tree of `new` leaves grow from the tree of `old` leaves? RFC 9162 section 2.1.4.2.
///
/// Where that section is silent: equal sizes need equal roots and an empty proof; an empty tree has the root
/// [`TreeHash::EMPTY`], every tree grows from it, and the proof is empty. Fails with the first reason why not.
pub fn verify_consistency(
    old: u64,
    old_root: &TreeHash,
    new: u64,
    new_root: &TreeHash,
    proof: &[TreeHash],
) -> Result<(), BadProof> {
    if old > new {
        return Err(BadProof::Sizes { old, new });
    }
    if old == 0 || old == new {
        return match () {
            () if !proof.is_empty() => Err(BadProof::Length),
            () if old == 0 && *old_root != TreeHash::EMPTY => Err(BadProof::OldRoot),
            () if old == new && old_root != new_root => Err(BadProof::NewRoot),
            () => Ok(()),
        };
    }
    // A full old tree is a node of the new one: its root opens the path without being sent.
    let (first, rest) = if old.is_power_of_two() {
        (old_root, proof)
    } else {
        proof.split_first().ok_or(BadProof::Length)?
    };
    let (found_old, found_new) = walk(old, new, first, rest).ok_or(BadProof::Length)?;
    match () {
        () if found_old != *old_root => Err(BadProof::OldRoot),
        () if found_new != *new_root => Err(BadProof::NewRoot),
        () => Ok(()),
    }
}

/// The root that the first `old` leaves of the newer tree have, if this proof leads to the newer tree's root.
///
/// So a proof that was made for another older tree still says what the newer tree began with. Nothing comes of a proof
/// that does not lead to `new_root`, of sizes that need no proof, nor where `old` is a power of two: then the root
/// sought would have to be known first ([`verify_consistency`] decides for a given one).
pub fn prefix_root(old: u64, new: u64, new_root: &TreeHash, proof: &[TreeHash]) -> Option<TreeHash> {
    if old == 0 || old >= new || old.is_power_of_two() {
        return None;
    }
    let (first, rest) = proof.split_first()?;
    let (found_old, found_new) = walk(old, new, first, rest)?;
    (found_new == *new_root).then_some(found_old)
}

/// Both roots that a proof leads to; nothing if it has another length than these sizes need.
fn walk(old: u64, new: u64, first: &TreeHash, rest: &[TreeHash]) -> Option<(TreeHash, TreeHash)> {
    let (mut node, mut last) = (old - 1, new - 1);
    let full = node.trailing_ones();
    node >>= full;
    last >>= full;
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return None;
        }
        if is_odd(node) || node == last {
            old_hash = TreeHash::node(sibling, &old_hash);
            new_hash = TreeHash::node(sibling, &new_hash);
            skip_lone_levels(&mut node, &mut last);
        } else {
            new_hash = TreeHash::node(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some((old_hash, new_hash))
}

fn is_odd(number: u64) -> bool {
    number & 1 == 1
}

/// The last node of a level has no sibling while its number is even: it stands for itself one level up.
fn skip_lone_levels(node: &mut u64, last: &mut u64) {
    while *node != 0 && !is_odd(*node) {
        *node >>= 1;
        *last >>= 1;
    }
}
