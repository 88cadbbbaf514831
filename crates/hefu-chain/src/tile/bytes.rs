//! What is in a tile: hashes one after another, or entries that each follow their length.

use super::FULL;
use crate::tree::TreeHash;

/// An entry is at most this long: its length has 16 bits.
pub const MAX_ENTRY_LEN: usize = 65_535;

/// Bytes are not the content of a tile, or content does not fit a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadBytes {
    /// An entry is longer than [`MAX_ENTRY_LEN`].
    #[error("entry {0} of the bundle is longer than 65535 bytes")]
    Entry(usize),
    /// The bytes end inside an entry, or before it.
    #[error("the bundle ends before the end of its entry {0}")]
    Short(usize),
    /// There is more than the width allows.
    #[error("the tile holds more than its width of {0}")]
    Width(u16),
    /// Hashes of another number than the width.
    #[error("a tile of width {width} has {} bytes of hashes, not {len}", 32 * usize::from(*.width))]
    Length {
        /// The width expected.
        width: u16,
        /// The bytes there are.
        len: usize,
    },
}

/// The bytes of an entry bundle: for every entry its length (16 bits, big-endian) and its bytes.
///
/// Fails if there are more than 256, or one is longer than 65,535 bytes.
pub fn encode_entries<'e>(entries: impl IntoIterator<Item = &'e [u8]>) -> Result<Vec<u8>, BadBytes> {
    let mut bytes = Vec::new();
    for (at, entry) in entries.into_iter().enumerate() {
        if at >= usize::from(FULL) {
            return Err(BadBytes::Width(FULL));
        }
        let len = u16::try_from(entry.len()).map_err(|_| BadBytes::Entry(at))?;
        bytes.extend_from_slice(&len.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// The entries of a bundle of this width. Fails if it has more, fewer, or ends inside one.
pub fn parse_entries(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, BadBytes> {
    let mut rest = bytes;
    let mut entries = Vec::with_capacity(width.into());
    for at in 0..width.into() {
        let (len, after) = rest.split_first_chunk().ok_or(BadBytes::Short(at))?;
        let len = usize::from(u16::from_be_bytes(*len));
        let (entry, after) = after.split_at_checked(len).ok_or(BadBytes::Short(at))?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() { Ok(entries) } else { Err(BadBytes::Width(width)) }
}

/// The bytes of a hash tile.
pub fn encode_hashes(hashes: &[TreeHash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The hashes of a tile of this width. Fails on any other length.
pub fn parse_hashes(bytes: &[u8], width: u16) -> Result<Vec<TreeHash>, BadBytes> {
    let (hashes, rest) = bytes.as_chunks();
    if hashes.len() != usize::from(width) || !rest.is_empty() {
        return Err(BadBytes::Length { width, len: bytes.len() });
    }
    Ok(hashes.iter().map(|hash| TreeHash(*hash)).collect())
}
