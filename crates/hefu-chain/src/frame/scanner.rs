//! Walking the frames of a file over damage: what the verifier reports and the store judges a torn tail by.

use super::{Commit, FRAME_HEAD_LEN, FRAME_MAGIC, Parsed, Why, is_zero, padded, parse, u32_at};
use crate::record::RecordRef;

/// Resynchronising may hash at most this many times the bytes given: a file forged to be full of frame heads that
/// each claim megabytes must not make verification quadratic.
const RESYNC_BUDGET: usize = 64;

/// One thing found in a segment file, in file order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// A sound record frame. It counts only if a commit that covers it follows.
    Record {
        /// File offset of the frame.
        offset: u64,
        /// What it holds.
        record: RecordRef<'a>,
    },
    /// A sound commit frame.
    Commit {
        /// File offset of the frame.
        offset: u64,
        /// What it holds.
        commit: Commit,
    },
    /// From here to the end everything is zero; always the last item.
    Zeros {
        /// File offset of the first zero.
        offset: u64,
    },
    /// Bytes that are neither frames nor the zeros at the end.
    Damage {
        /// File offset of the first such byte.
        offset: u64,
        /// How many there are before the next sound frame, or before the zeros at the end.
        len: u64,
        /// What is wrong with the first of them.
        why: Why,
    },
}

/// Walks the frames of a whole segment file held in memory, over damage if need be.
#[derive(Debug, Clone)]
pub struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Bytes that resynchronising may still hash.
    budget: usize,
}

impl<'a> Scanner<'a> {
    /// Scans `bytes`, the file from its very first byte, beginning at file offset `start` (usually `HEADER_LEN`).
    pub fn new(bytes: &'a [u8], start: usize) -> Self {
        Self { bytes, at: start.min(bytes.len()), budget: bytes.len().saturating_mul(RESYNC_BUDGET) }
    }

    /// File offset of the next item.
    pub fn offset(&self) -> u64 {
        self.at as u64
    }

    /// The next offset after `from` where a sound frame starts, at a multiple of 8; `None` if there is none.
    fn resync(&mut self, from: usize) -> Option<usize> {
        let mut at = (from + 8) & !7;
        while let Some(rest) = self.bytes.get(at..).filter(|rest| rest.len() >= FRAME_HEAD_LEN) {
            if rest[..4] == FRAME_MAGIC {
                let claimed = FRAME_HEAD_LEN + u32_at(rest, 8) as usize;
                if claimed <= rest.len() {
                    self.budget = self.budget.checked_sub(claimed)?;
                }
                if matches!(parse(rest), Parsed::Record { .. } | Parsed::Commit { .. }) {
                    return Some(at);
                }
            }
            at += 8;
        }
        None
    }

    fn damage(&mut self, why: Why) -> Item<'a> {
        let start = self.at;
        self.at = self.resync(start).unwrap_or_else(|| {
            let used = self.bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
            padded(used).clamp(start + 1, self.bytes.len())
        });
        Item::Damage { offset: start as u64, len: (self.at - start) as u64, why }
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return None;
        }
        let offset = self.at as u64;
        Some(match parse(rest) {
            Parsed::Record { len, record } => {
                self.at += len;
                Item::Record { offset, record }
            }
            Parsed::Commit { len, commit } => {
                self.at += len;
                Item::Commit { offset, commit }
            }
            Parsed::Zero | Parsed::More { .. } if is_zero(rest) => {
                self.at = self.bytes.len();
                Item::Zeros { offset }
            }
            Parsed::Zero => self.damage(Why::Magic),
            Parsed::More { .. } => self.damage(Why::Short),
            Parsed::Bad(why) => self.damage(why),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        FileHeader, HEADER_LEN, MAX_LEAF_LEN, encode_commit, encode_record, record_frame_len, withhold,
    };
    use super::*;

    fn record(position: u64) -> RecordRef<'static> {
        RecordRef { position, leaf: b"leaf", body: b"bo", command: b"c", redacted_by: None }
    }

    /// A file of one batch with two records, one of them damaged by `damage`, and 64 zeros at the end.
    fn file(damage: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut bytes = FileHeader { base: 5, prev_head: [3; 32] }.encode().to_vec();
        for position in [5, 6] {
            encode_record(&mut bytes, &record(position)).unwrap();
        }
        let commit = Commit { first: 5, count: 2, batch_offset: 64, head: [1; 32], signature: [2; 64] };
        encode_commit(&mut bytes, &commit);
        bytes.resize(bytes.len() + 64, 0);
        damage(&mut bytes);
        bytes
    }

    fn items(bytes: &[u8]) -> String {
        Scanner::new(bytes, HEADER_LEN)
            .map(|item| match item {
                Item::Record { offset, record } => format!("{offset} record {}\n", record.position),
                Item::Commit { offset, commit } => {
                    format!("{offset} commit {}+{}\n", commit.first, commit.count)
                }
                Item::Zeros { offset } => format!("{offset} zeros\n"),
                Item::Damage { offset, len, why } => format!("{offset} damage {len}: {why}\n"),
            })
            .collect()
    }

    #[test]
    fn bytes_are_golden() {
        let bytes = file(|_| {});
        assert_eq!(FileHeader::parse(&bytes), Ok(FileHeader { base: 5, prev_head: [3; 32] }));
        // As Python's zlib.crc32 has it for the bytes FORMAT names.
        let crc: u32 = 0x635b_56fd;
        let golden = [
            b"HFR\x01".as_slice(),
            &[1, 0, 0, 0, 31, 0, 0, 0],
            &crc.to_le_bytes(),
            &[5, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
            b"leafboc\0",
        ]
        .concat();
        assert_eq!(bytes[64..112], *golden.as_slice());
        assert_eq!(record_frame_len(&record(5)), 48);
        assert_eq!(items(&bytes), "64 record 5\n112 record 6\n160 commit 5+2\n296 zeros\n");
    }

    #[test]
    fn a_scan_goes_on_after_damage() {
        let damaged = |at: usize| items(&file(|bytes| bytes[at] ^= 1));
        let sound = "112 record 6\n160 commit 5+2\n296 zeros\n";
        assert_eq!(damaged(64), format!("64 damage 48: no frame starts here\n{sound}"));
        assert_eq!(damaged(68), format!("64 damage 48: unknown kind of frame\n{sound}"));
        assert_eq!(damaged(75), format!("64 damage 48: impossible length\n{sound}"));
        assert_eq!(damaged(74), format!("64 damage 48: cut short\n{sound}"));
        assert_eq!(damaged(105), format!("64 damage 48: checksum mismatch\n{sound}"));
        assert_eq!(damaged(111), format!("64 damage 48: padding or reserved bytes are not zero\n{sound}"));
        let commit = "64 record 5\n112 record 6\n160 damage 136: checksum mismatch\n296 zeros\n";
        assert_eq!(damaged(200), commit);
        let zeros =
            "64 record 5\n112 record 6\n160 commit 5+2\n296 damage 16: no frame starts here\n312 zeros\n";
        assert_eq!(damaged(305), zeros);
        let cut = items(&file(|bytes| bytes.truncate(250)));
        assert_eq!(cut, "64 record 5\n112 record 6\n160 damage 90: cut short\n");
        let hole = items(&file(|bytes| bytes[64..112].fill(0)));
        assert_eq!(hole, format!("64 damage 48: no frame starts here\n{sound}"));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let sound = file(|_| {});
        for at in 0..sound.len() {
            for bit in 0..8 {
                let mut bytes = sound.clone();
                bytes[at] ^= 1 << bit;
                let damaged =
                    Scanner::new(&bytes, HEADER_LEN).any(|item| matches!(item, Item::Damage { .. }));
                assert!(damaged || FileHeader::parse(&bytes).is_err(), "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn a_forged_file_of_frame_heads_does_not_take_forever() {
        let mut bytes = Vec::new();
        while bytes.len() < 1 << 20 {
            bytes.extend_from_slice(b"HFR\x01\x01\0\0\0\xa0\xbb\x0d\0\0\0\0\0");
        }
        assert_eq!(Scanner::new(&bytes, 0).count(), 1);
    }

    #[test]
    fn too_long_parts_are_refused() {
        let mut out = vec![1, 2, 3];
        let leaf = vec![0; MAX_LEAF_LEN + 1];
        let refused = encode_record(&mut out, &RecordRef { leaf: &leaf, ..record(9) }).unwrap_err();
        assert_eq!((refused.part, refused.position, out.len()), ("leaf", 9, 3));
    }

    #[test]
    fn a_withheld_frame_keeps_its_length_and_holds_nothing_of_what_was_taken() {
        let mut out = Vec::new();
        encode_record(&mut out, &record(9)).unwrap();
        let whole = out.clone();
        withhold(&mut out, 12, true).unwrap();
        let Parsed::Record { len, record: kept } = parse(&out) else { panic!() };
        assert_eq!(
            (len, kept.body, kept.command, kept.redacted_by),
            (whole.len(), &b"bo"[..], &b""[..], Some(12))
        );
        withhold(&mut out, 13, false).unwrap();
        let Parsed::Record { len, record: left } = parse(&out) else { panic!() };
        assert_eq!(
            (len, left.leaf, left.body, left.redacted_by),
            (whole.len(), &b"leaf"[..], &b""[..], Some(13))
        );
        assert!(is_zero(&out[FRAME_HEAD_LEN + 24 + left.leaf.len()..]));
        *out.last_mut().unwrap() = 1;
        assert_eq!(parse(&out), Parsed::Bad(Why::Padding));
        assert_eq!(withhold(&mut [0; 8], 1, false), Err(Why::Short));
    }
}
