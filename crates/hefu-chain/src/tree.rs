//! The Merkle tree over the leaves: RFC 6962 section 2.1 with SHA-256.
//!
//! What a record means is not asked; a leaf is bytes. Proofs are made from any [`HashSource`] and checked by the
//! algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2, literally.

#[cfg(test)]
mod conformance;
mod frontier;
mod prove;
mod source;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod tests;
mod verify;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::c2sp;
use crate::hash::NotHex;

pub use frontier::{BadFrontier, Frontier};
pub use prove::{Unprovable, consistency, inclusion, root};
pub use source::{HashSource, MemoryTree, NoHash};
pub use verify::{BadProof, prefix_root, verify_consistency, verify_inclusion};

/// No tree is larger: 2^63 - 1 leaves, the limit other implementations have too.
pub const MAX_SIZE: u64 = (1 << 63) - 1;

/// The hash of a leaf, a node or a whole tree. Written in standard base64, as all C2SP formats do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeHash(pub [u8; 32]);

/// Text is not the standard base64 of a tree hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tree hash is 44 characters of standard base64 with padding")]
pub struct NotTreeHash;

impl TreeHash {
    /// The root of a tree without leaves: SHA-256 of nothing (RFC 6962 section 2.1).
    pub const EMPTY: Self = Self([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
        0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ]);

    /// The hash of a leaf: SHA-256 of a zero byte and the data (RFC 6962 section 2.1).
    pub fn leaf(data: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update([0]);
        hasher.update(data);
        Self(hasher.finalize().into())
    }

    /// The hash of a node: SHA-256 of a one byte and both children (RFC 6962 section 2.1).
    pub fn node(left: &Self, right: &Self) -> Self {
        let mut bytes = [1; 65];
        bytes[1..33].copy_from_slice(&left.0);
        bytes[33..].copy_from_slice(&right.0);
        Self(Sha256::digest(bytes).into())
    }

    /// The hash as lower-case hex, for reports.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// Reads what [`TreeHash::to_hex`] writes.
    pub fn from_hex(text: &str) -> Result<Self, NotHex> {
        crate::text::hex(text.as_bytes()).map(Self).ok_or(NotHex { digits: 64 })
    }
}

impl fmt::Display for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&c2sp::to_base64(&self.0))
    }
}

impl fmt::Debug for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreeHash({self})")
    }
}

impl FromStr for TreeHash {
    type Err = NotTreeHash;

    fn from_str(text: &str) -> Result<Self, NotTreeHash> {
        let bytes = c2sp::base64(text).ok_or(NotTreeHash)?;
        bytes.try_into().map(Self).map_err(|_| NotTreeHash)
    }
}

impl Serialize for TreeHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TreeHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl AsRef<[u8]> for TreeHash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
