//! The frames of a segment file: records, and the commits that close each batch of them (section 6).

use crate::hash::Hash;

/// Where the first frame starts.
pub(crate) const HEADER: usize = 64;
const MAX_LEAF: usize = 65_535;
const MAX_PART: usize = 4 << 20;

/// A frame. `damage` tells what is wrong with it; it is read all the same where its lengths allow, because what it holds
/// tells which record was hit.
pub(crate) struct Frame<'a> {
    pub(crate) offset: usize,
    pub(crate) len: usize,
    pub(crate) damage: Option<&'static str>,
    pub(crate) content: Content<'a>,
}

/// What a frame holds.
pub(crate) enum Content<'a> {
    Record(Record<'a>),
    Commit(Commit<'a>),
    Unreadable,
}

/// A record. Without a body if that is withheld; without a command if that stands with the record before.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) position: u64,
    pub(crate) leaf: &'a [u8],
    pub(crate) body: &'a [u8],
    pub(crate) command: &'a [u8],
    /// The record that is said to have redacted this one.
    pub(crate) claimed: Option<u64>,
}

/// What the log signed about the records before it.
#[derive(Clone, Copy)]
pub(crate) struct Commit<'a> {
    pub(crate) first: u64,
    pub(crate) count: u32,
    pub(crate) batch_offset: u64,
    pub(crate) head: Hash,
    pub(crate) signature: &'a [u8],
}

impl Commit<'_> {
    /// The place of its last record.
    pub(crate) fn last(&self) -> Option<u64> {
        self.first.checked_add(self.count.into())?.checked_sub(1)
    }
}

/// Reads the frame that starts at `offset`.
pub(crate) fn frame(file: &[u8], offset: usize) -> Frame<'_> {
    let unreadable = |why| Frame { offset, len: 8, damage: Some(why), content: Content::Unreadable };
    let bytes = &file[offset..];
    if bytes.len() < 16 || bytes[..4] != *b"HFR\x01" {
        return unreadable("no frame starts here");
    }
    let (kind, n) = (u32_at(bytes, 4), u32_at(bytes, 8) as usize);
    let len = (16 + n).next_multiple_of(8);
    let Some(payload) = bytes.get(16..16 + n).filter(|_| len <= bytes.len()) else {
        return unreadable("the frame is cut short");
    };
    let (content, reserved): (_, &[u8]) = match kind {
        // Kind 3 is a record whose command was redacted: what is left of it, zeros, and whom it names.
        1 | 3 if n >= 24 => {
            let [leaf, body, command] = [8, 12, 16].map(|at| u32_at(payload, at) as usize);
            let command = if kind == 1 { command } else { n.saturating_sub(24 + leaf + body) };
            let too_long = leaf > MAX_LEAF || body > MAX_PART || (kind == 1 && command > MAX_PART);
            if leaf + body + command + 24 != n || too_long {
                return unreadable("the lengths in the frame do not add up");
            }
            let (leaf, rest) = payload[24..].split_at(leaf);
            let (body, command) = rest.split_at(body);
            if kind == 3 && command.iter().any(|byte| *byte != 0) {
                return unreadable("bytes of the frame that must be zero are not");
            }
            let claimed = (kind == 3).then(|| u64_at(payload, 16));
            let command = if kind == 1 { command } else { &[] };
            let record = Record { position: u64_at(payload, 0), leaf, body, command, claimed };
            (Content::Record(record), if kind == 1 { &payload[20..24] } else { &[] })
        }
        2 if n == 120 => {
            let commit = Commit {
                first: u64_at(payload, 0),
                count: u32_at(payload, 8),
                batch_offset: u64_at(payload, 16),
                head: payload[24..56].try_into().unwrap_or_default(),
                signature: &payload[56..],
            };
            (Content::Commit(commit), &payload[12..16])
        }
        _ => return unreadable("unknown kind or length of frame"),
    };
    let damage = if u32_at(bytes, 12) != crc32fast::hash(&[&bytes[4..12], payload].concat()) {
        Some("the frame's checksum is wrong")
    } else if bytes[16 + n..len].iter().chain(reserved).any(|byte| *byte != 0) {
        Some("bytes of the frame that must be zero are not")
    } else {
        None
    };
    Frame { offset, len, damage, content }
}

/// Every frame of a file, over damage if need be; and where the zeros begin that fill the file to its end.
pub(crate) fn frames(file: &[u8]) -> (Vec<Frame<'_>>, usize) {
    let used = file.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let (mut frames, mut at) = (Vec::new(), HEADER);
    while at < used {
        let mut next = frame(file, at);
        if next.damage.is_some() {
            // Damage reaches at most to the next whole frame.
            let sound = (at + 8..used).step_by(8).find(|at| frame(file, *at).damage.is_none());
            next.len = sound.unwrap_or(used) - at;
        }
        at += next.len;
        frames.push(next);
    }
    (frames, at)
}

/// A number of four bytes, the lowest first.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// A number of eight bytes, the lowest first.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
