//! Which of two accounts of the same hashes is the true one?

use crate::tree::TreeHash;

/// Mixtures of so many differing hashes are tried: a thousand.
const MIXED: usize = 10;

/// Hashes of a tile after comparison.
pub(in crate::verify) struct Settled {
    /// What is vouched for.
    pub(in crate::verify) hashes: Vec<Option<TreeHash>>,
    pub(in crate::verify) sure: bool,
}

/// Which of two readings of the same hashes leads to what is vouched for; some of both, if it must be.
pub(in crate::verify) fn choose(
    stored: &[Option<TreeHash>],
    below: &[Option<TreeHash>],
    good: &dyn Fn(&[TreeHash]) -> bool,
) -> Settled {
    let all = |hashes: &[Option<TreeHash>]| hashes.iter().copied().collect::<Option<Vec<_>>>();
    let sure = |hashes: Vec<TreeHash>| Settled { hashes: hashes.into_iter().map(Some).collect(), sure: true };
    for reading in [stored, below] {
        if let Some(hashes) = all(reading).filter(|hashes| good(hashes)) {
            return sure(hashes);
        }
    }
    let either: Vec<Option<TreeHash>> = stored.iter().zip(below).map(|(one, other)| one.or(*other)).collect();
    let differ: Vec<usize> = (0..either.len())
        .filter(|at| matches!((stored[*at], below[*at]), (Some(one), Some(other)) if one != other))
        .collect();
    if let Some(base) = all(&either).filter(|_| differ.len() <= MIXED) {
        for mask in 0_u32..1 << differ.len() {
            let mut mixed = base.clone();
            for (bit, at) in differ.iter().enumerate() {
                if mask >> bit & 1 == 1
                    && let Some(other) = below[*at]
                {
                    mixed[*at] = other;
                }
            }
            if good(&mixed) {
                return sure(mixed);
            }
        }
    }
    let agreed = stored
        .iter()
        .zip(below)
        .map(|(one, other)| one.filter(|one| other.is_none_or(|other| other == *one)));
    Settled { hashes: agreed.collect(), sure: false }
}
