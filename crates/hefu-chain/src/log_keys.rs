//! The keys a log signed with, one after another, each with the record from which on it signs.
//!
//! A rotation is a record. The commit that closes its batch, and everything the log signs from there on, is signed by
//! the new key: one rule, also when the old key is lost. Who may rotate is not decided here.

use crate::key::PublicKey;

/// The keys of a log by position. Empty: no key is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogKeys(Vec<(u64, PublicKey)>);

impl LogKeys {
    /// A log that signs with one key from its first record on.
    pub fn new(first: PublicKey) -> Self {
        Self(vec![(0, first)])
    }

    /// From the record at `position` on another key signs. Positions ascend; one that does not is not taken.
    pub fn rotate(&mut self, position: u64, public: PublicKey) {
        if self.0.last().is_none_or(|(from, _)| *from < position) {
            self.0.push((position, public));
        }
    }

    /// The key that signs for a log whose last record is at `position`.
    pub fn at(&self, position: u64) -> Option<PublicKey> {
        let after = self.0.partition_point(|(from, _)| *from <= position);
        after.checked_sub(1).map(|at| self.0[at].1)
    }

    /// The key that signs for a log of `size` records.
    pub fn of_size(&self, size: u64) -> Option<PublicKey> {
        self.at(size.saturating_sub(1))
    }

    /// The key that signs now.
    pub fn newest(&self) -> Option<PublicKey> {
        self.0.last().map(|(_, public)| *public)
    }

    /// Every key with the position it signs from, oldest first.
    pub fn all(&self) -> &[(u64, PublicKey)] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_that_rotates_is_signed_by_the_new_key() {
        let key = |byte| PublicKey([byte; 32]);
        let mut keys = LogKeys::new(key(1));
        keys.rotate(7, key(2));
        keys.rotate(7, key(3));
        keys.rotate(9, key(4));
        let at = [0, 6, 7, 8, 9, 100].map(|position| keys.at(position).unwrap().0[0]);
        assert_eq!(at, [1, 1, 2, 2, 4, 4]);
        let of_size = [0, 1, 7, 8, 10].map(|size| keys.of_size(size).unwrap().0[0]);
        assert_eq!(of_size, [1, 1, 1, 2, 4]);
        assert_eq!((keys.newest(), LogKeys::default().at(3)), (Some(key(4)), None));
    }
}
