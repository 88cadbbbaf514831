//! Posting lists: for each name of a space the ascending positions of its records, in blocks.
//!
//! `space, name, 0, first position of the block` is the key, so that blocks lie in order and the one that holds a
//! position is found by the key before it. The value is the rest of the block as differences.

use bincode::{Decode, Encode};

use super::{IndexEntry, IndexError, sled_call};
use crate::codec;

/// Positions in a block. Appending rewrites the newest block of a name, so it must stay small: about a kilobyte.
const BLOCK: usize = 512;

/// What names are names of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Space {
    /// A stream.
    Stream = 2,
    /// A type.
    Type = 3,
    /// A category.
    Category = 4,
}

impl Space {
    pub(super) const ALL: [Self; 3] = [Self::Stream, Self::Type, Self::Category];
}

/// One position in one list, in the order of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Posting<'a> {
    space: Space,
    name: &'a str,
    position: u64,
}

impl<'a> Posting<'a> {
    pub(super) fn of(entry: &IndexEntry<'a>) -> [Self; 3] {
        let IndexEntry { position, stream, kind } = *entry;
        let category = stream.split_once('/').map_or(stream, |(category, _)| category);
        [
            Self { space: Space::Stream, name: stream, position },
            Self { space: Space::Type, name: kind, position },
            Self { space: Space::Category, name: category, position },
        ]
    }

    pub(super) fn same_list(&self, other: &Self) -> bool {
        (self.space, self.name) == (other.space, other.name)
    }
}

/// The positions of a block after the first, which is in its key: each as its difference to the one before, seven
/// bits a byte, the lowest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
struct Block {
    /// Positions in the block, the first included.
    count: u32,
    /// The last of them.
    last: u64,
    differences: Vec<u8>,
}

impl Block {
    fn starting(first: u64) -> Self {
        Self { count: 1, last: first, differences: Vec::new() }
    }

    fn push(&mut self, position: u64) {
        let mut difference = position - self.last;
        while difference >= 0x80 {
            self.differences.push(difference.to_le_bytes()[0] | 0x80);
            difference >>= 7;
        }
        self.differences.push(difference.to_le_bytes()[0]);
        self.last = position;
        self.count += 1;
    }

    /// All positions of the block that starts with `first`, or an error if they contradict the rest of it.
    fn positions(&self, first: u64) -> Result<Vec<u64>, IndexError> {
        let inconsistent = || IndexError::Inconsistent("a block contradicts itself".to_owned());
        let mut positions = vec![first];
        let (mut at, mut difference, mut shift) = (first, 0_u64, 0_u32);
        for byte in &self.differences {
            difference |= u64::from(byte & 0x7f).checked_shl(shift).ok_or_else(inconsistent)?;
            shift += 7;
            if byte & 0x80 == 0 {
                at = at.checked_add(difference).filter(|next| *next > at).ok_or_else(inconsistent)?;
                positions.push(at);
                (difference, shift) = (0, 0);
            }
        }
        let whole = shift == 0 && positions.len() == self.count as usize && at == self.last;
        if whole { Ok(positions) } else { Err(inconsistent()) }
    }
}

/// Adds the postings of one list, ascending, to its newest block and to new ones.
pub(super) fn extend(db: &sled::Db, writes: &mut sled::Batch, run: &[Posting<'_>]) -> Result<(), IndexError> {
    let Some(Posting { space, name, .. }) = run.first().copied() else { return Ok(()) };
    let prefix = prefix(space, name);
    let mut open = match sled_call(|| db.scan_prefix(&prefix).next_back().transpose())? {
        Some((key, value)) => Some((first_of(&key)?, codec::decode::<Block>(&value)?)),
        None => None,
    };
    for posting in run {
        match &mut open {
            Some((_, block)) if (block.count as usize) < BLOCK => block.push(posting.position),
            full => {
                if let Some((first, block)) =
                    full.replace((posting.position, Block::starting(posting.position)))
                {
                    writes.insert(key(&prefix, first), codec::encode(&block)?);
                }
            }
        }
    }
    if let Some((first, block)) = open {
        writes.insert(key(&prefix, first), codec::encode(&block)?);
    }
    Ok(())
}

/// Positions of a list from `from` on, at most `limit`.
pub(super) fn read(
    db: &sled::Db,
    space: Space,
    name: &str,
    from: u64,
    limit: usize,
) -> Result<Vec<u64>, IndexError> {
    let prefix = prefix(space, name);
    let (lowest, highest) = (key(&prefix, 0), key(&prefix, u64::MAX));
    let holding = sled_call(|| db.range(lowest.clone()..=key(&prefix, from)).next_back().transpose())?;
    let start = holding.map_or(lowest, |(key, _)| key.to_vec());
    let mut blocks = db.range(start..=highest);
    let mut found = Vec::new();
    while found.len() < limit {
        let Some((key, value)) = sled_call(|| blocks.next().transpose())? else { break };
        let positions = codec::decode::<Block>(&value)?.positions(first_of(&key)?)?;
        let wanted = positions.into_iter().filter(|position| *position >= from);
        found.extend(wanted.take(limit - found.len()));
    }
    Ok(found)
}

/// Number of postings in a space; every block is read, and must hold positions below `size` only.
pub(super) fn count(db: &sled::Db, space: Space, size: u64) -> Result<u64, IndexError> {
    let mut count = 0;
    let mut blocks = db.scan_prefix([space as u8]);
    while let Some((key, value)) = sled_call(|| blocks.next().transpose())? {
        let block = codec::decode::<Block>(&value)?;
        let positions = block.positions(first_of(&key)?)?;
        if block.last >= size {
            return Err(IndexError::Inconsistent(format!("record {} has not been applied", block.last)));
        }
        count += positions.len() as u64;
    }
    Ok(count)
}

/// What the keys of a list begin with; no name holds a NUL, so no list's keys lie among another's.
fn prefix(space: Space, name: &str) -> Vec<u8> {
    [&[space as u8], name.as_bytes(), &[0]].concat()
}

fn key(prefix: &[u8], first: u64) -> Vec<u8> {
    [prefix, &first.to_be_bytes()].concat()
}

fn first_of(key: &[u8]) -> Result<u64, IndexError> {
    match key.last_chunk() {
        Some(first) => Ok(u64::from_be_bytes(*first)),
        None => Err(IndexError::Inconsistent("a key is too short".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_bytes_are_golden() {
        let mut block = Block::starting(5);
        for position in [6, 134, 70_000] {
            block.push(position);
        }
        let golden = [
            &[1, 4, 0, 0, 0][..],
            &[0x70, 0x11, 1, 0, 0, 0, 0, 0],
            &[6, 0, 0, 0, 0, 0, 0, 0],
            &[1, 0x80, 1, 0xea, 0xa1, 4],
        ]
        .concat();
        assert_eq!(codec::encode(&block).unwrap(), golden);
        assert_eq!(block.positions(5).unwrap(), [5, 6, 134, 70_000]);
        for at in 0..block.differences.len() {
            let mut bad = block.clone();
            bad.differences[at] ^= 1;
            assert!(bad.positions(5).is_err());
        }
    }
}
