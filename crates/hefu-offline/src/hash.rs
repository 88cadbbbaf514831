//! Hashes, the tree over the records, and signatures. Nothing here knows what is hashed or signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_zebra::{Signature, VerificationKey};
use sha2::{Digest as _, Sha256};

/// 32 bytes of SHA-256 or BLAKE3.
pub type Hash = [u8; 32];

/// SHA-256 of the parts, one after another.
pub fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The chain value of some bytes in the ledger of this name: `C(i)` for leaf i, `C(-1)` for the name itself.
pub fn chain(origin: &str, bytes: &[u8]) -> Hash {
    blake3::derive_key(&format!("{origin} record-chain v1"), bytes)
}

/// The tree's hash of one leaf (RFC 6962 section 2.1).
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    sha256(&[&[0], leaf])
}

/// The tree's hash of two subtrees.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// The root over these hashes: the tree splits at the largest power of two below its size, again and again.
pub fn root(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => sha256(&[]),
        [hash] => *hash,
        _ => {
            let split = hashes.len().next_power_of_two() / 2;
            node_hash(&root(&hashes[..split]), &root(&hashes[split..]))
        }
    }
}

/// Follows an inclusion proof from a leaf's hash upwards; the result must be the root. RFC 9162 section 2.1.3.2.
pub fn climb(index: u64, size: u64, leaf: Hash, path: &[Hash]) -> Option<Hash> {
    let (mut index, mut last, mut hash) = (index, size.checked_sub(1)?, leaf);
    if index > last {
        return None;
    }
    for sibling in path {
        if last == 0 {
            return None;
        }
        if index % 2 == 1 || index == last {
            hash = node_hash(sibling, &hash);
            // A node without a right sibling is its own parent, until it is a right child itself.
            while index.is_multiple_of(2) && index != 0 {
                index /= 2;
                last /= 2;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        index /= 2;
        last /= 2;
    }
    (last == 0).then_some(hash)
}

/// Did this key sign this message? Ed25519 under the rules of ZIP-215, because implementations differ on crafted
/// signatures, and a verifier that differs from the ledger's would call an honest ledger bad.
pub fn signed(public: &Hash, message: &[u8], signature: &[u8]) -> bool {
    let Ok(signature) = <[u8; 64]>::try_from(signature) else { return false };
    VerificationKey::try_from(*public)
        .is_ok_and(|key| key.verify(&Signature::from_bytes(&signature), message).is_ok())
}

/// Bytes as lower-case hex.
pub fn to_hex(bytes: &[u8]) -> String {
    let digit = |four: u8| char::from_digit(four.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// 32 bytes from 64 lower-case hex digits, and from nothing else.
pub fn from_hex(text: &str) -> Option<Hash> {
    if !is_hex(text, 64) {
        return None;
    }
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(hash)
}

/// Exactly so many lower-case hex digits.
pub fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Standard base64 with padding, in its one spelling.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Standard base64 with padding.
pub fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
