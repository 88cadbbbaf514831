//! From the bytes of an entry bundle to its leaves, including what can still be read of a damaged one.

use crate::leaf::LeafRef;
use crate::tile::parse_entries;

/// One leaf of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// Where its length stands.
    pub(super) offset: usize,
    pub(super) leaf: &'a [u8],
    /// The length that stands before it, if it has another.
    pub(super) wrong_len: Option<u16>,
}

/// The leaves of a bundle, and where bytes begin that are no whole leaf.
pub(super) fn entries(bytes: &[u8], width: u16) -> (Vec<Entry<'_>>, Option<usize>) {
    if let Ok(leaves) = parse_entries(bytes, width) {
        let mut offset = 0;
        let entry = |leaf: &'_ [u8]| {
            let at = offset;
            offset += 2 + leaf.len();
            at
        };
        let offsets: Vec<usize> = leaves.iter().copied().map(entry).collect();
        let entry = |(leaf, offset)| Entry { offset, leaf, wrong_len: None };
        return (leaves.into_iter().zip(offsets).map(entry).collect(), None);
    }
    salvage(bytes)
}

/// Reads by what leaves look like where the lengths do not tell.
fn salvage(bytes: &[u8]) -> (Vec<Entry<'_>>, Option<usize>) {
    let mut found = Vec::new();
    let mut offset = 0;
    while offset < bytes.len() {
        let Some((len, rest)) = bytes[offset..].split_first_chunk() else { return (found, Some(offset)) };
        let len = u16::from_be_bytes(*len);
        let told = usize::from(len);
        let next_begins = |at: usize| rest.len() == at || rest.get(at + 2..).is_some_and(begins);
        let whole = |leaf: &[u8]| leaf.ends_with(b"}") && (next_begins(told) || LeafRef::parse(leaf).is_ok());
        if rest.get(..told).is_some_and(whole) {
            found.push(Entry { offset, leaf: &rest[..told], wrong_len: None });
            offset += 2 + told;
            continue;
        }
        // The length is wrong, or the leaf is cut off: it goes up to where the next one begins.
        let next = (3..rest.len()).find(|at| begins(&rest[*at..])).map(|at| at - 2);
        let actual = next.unwrap_or(rest.len());
        if next.is_none() && !(begins(rest) && rest.ends_with(b"}")) {
            return (found, Some(offset));
        }
        found.push(Entry { offset, leaf: &rest[..actual], wrong_len: Some(len) });
        offset += 2 + actual;
    }
    (found, None)
}

fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(b"{\"actor\":\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tile::encode_entries;

    #[test]
    fn surplus_bytes_cost_no_leaf() {
        let leaf = crate::verify::testlog::records(&crate::verify::testlog::log())[6].leaf.clone();
        let sound = encode_entries([leaf.as_slice(), &leaf]).unwrap();
        for surplus in [&b"\0"[..], b"}", b"\0\x05surplus }", &[7; 300]] {
            let bytes = [&sound, surplus].concat();
            let (found, rest) = entries(&bytes, 2);
            assert!(found.iter().all(|entry| entry.leaf == leaf && entry.wrong_len.is_none()), "{found:?}");
            assert_eq!((found.len(), rest), (2, Some(sound.len())), "{surplus:?}");
        }
    }

    #[test]
    fn a_wrong_length_costs_no_leaf() {
        let leaves: [&[u8]; 3] = [b"{\"actor\":\"a\"}", b"{\"actor\":\"bb\"}", b"{\"actor\":\"c\"}"];
        let sound = encode_entries(leaves).unwrap();
        assert!(entries(&sound, 3).0.iter().map(|entry| entry.leaf).eq(leaves));
        let second = 2 + leaves[0].len();
        for bit in 0..16 {
            let mut bytes = sound.clone();
            bytes[second + bit / 8] ^= 1 << (bit % 8);
            let (found, rest) = entries(&bytes, 3);
            assert!(found.iter().map(|entry| entry.leaf).eq(leaves), "{bit}: {found:?}");
            assert!(found[1].wrong_len.is_some() && rest.is_none());
        }
        let (found, rest) = entries(&sound[..sound.len() - 1], 3);
        assert_eq!((found.len(), rest), (2, Some(second + 2 + leaves[1].len())));
    }
}
