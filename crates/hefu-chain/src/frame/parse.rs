//! Reads one frame: whole and sound, or what is wrong with it.

use super::{
    COMMIT_PAYLOAD_LEN, Commit, FRAME_HEAD_LEN, FRAME_MAGIC, KIND_COMMIT, KIND_RECORD, KIND_WITHHELD,
    MAX_LEAF_LEN, MAX_PART_LEN, MAX_PAYLOAD_LEN, RECORD_FIXED_LEN, Why, array_at, frame_crc, is_zero, padded,
    u32_at, u64_at,
};
use crate::record::RecordRef;

/// What `parse` found at the start of the bytes it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// A whole, sound record frame of `len` bytes.
    Record {
        /// Length of the frame with its padding.
        len: usize,
        /// What it holds.
        record: RecordRef<'a>,
    },
    /// A whole, sound commit frame of `len` bytes.
    Commit {
        /// Length of the frame with its padding.
        len: usize,
        /// What it holds.
        commit: Commit,
    },
    /// The eight bytes a frame would start with are zero: space prepared ahead, or a hole.
    Zero,
    /// The frame may be sound, but `need` bytes from its start are wanted to tell.
    More {
        /// Bytes wanted from the start of the frame.
        need: usize,
    },
    /// Not a frame.
    Bad(Why),
}

/// Reads the one frame that starts at the beginning of `bytes`.
///
/// For readers that hold a window of a file: on `More` they fetch further bytes and ask again, at the end of the file
/// `More` means `Why::Short`.
pub fn parse(bytes: &[u8]) -> Parsed<'_> {
    let Some(head) = bytes.first_chunk::<FRAME_HEAD_LEN>() else {
        return Parsed::More { need: FRAME_HEAD_LEN };
    };
    if head[..8] == [0; 8] {
        return Parsed::Zero;
    }
    if head[..4] != FRAME_MAGIC {
        return Parsed::Bad(Why::Magic);
    }
    let (kind, end) = match kind_and_end(head) {
        Ok(found) => found,
        Err(why) => return Parsed::Bad(why),
    };
    let len = padded(end);
    let Some(frame) = bytes.get(..len) else {
        return Parsed::More { need: len };
    };
    if u32_at(head, 12) != frame_crc(&frame[..end]) {
        return Parsed::Bad(Why::Crc);
    }
    if !is_zero(&frame[end..]) {
        return Parsed::Bad(Why::Padding);
    }
    let payload = &frame[FRAME_HEAD_LEN..end];
    match kind {
        KIND_COMMIT => parse_commit(len, payload),
        KIND_WITHHELD => parse_withheld(len, payload),
        _ => parse_record(len, payload),
    }
}

/// How many bytes from its start `parse` needs to judge the frame at the start of `bytes`: never `More` with these.
pub fn wanted(bytes: &[u8]) -> usize {
    match bytes.first_chunk::<FRAME_HEAD_LEN>() {
        Some(head) if head[..4] == FRAME_MAGIC => {
            kind_and_end(head).map_or(FRAME_HEAD_LEN, |(_, end)| padded(end))
        }
        _ => FRAME_HEAD_LEN,
    }
}

/// Kind of the frame that `head` opens, and where its payload ends.
fn kind_and_end(head: &[u8; FRAME_HEAD_LEN]) -> Result<(u32, usize), Why> {
    let kind = u32_at(head, 4);
    let payload_len = u32_at(head, 8) as usize;
    let plausible = match kind {
        KIND_RECORD | KIND_WITHHELD => (RECORD_FIXED_LEN..=MAX_PAYLOAD_LEN).contains(&payload_len),
        KIND_COMMIT => payload_len == COMMIT_PAYLOAD_LEN,
        _ => return Err(Why::Kind),
    };
    if plausible { Ok((kind, FRAME_HEAD_LEN + payload_len)) } else { Err(Why::Length) }
}

fn parse_record(len: usize, payload: &[u8]) -> Parsed<'_> {
    let leaf_len = u32_at(payload, 8) as usize;
    let body_len = u32_at(payload, 12) as usize;
    let command_len = u32_at(payload, 16) as usize;
    if leaf_len > MAX_LEAF_LEN || body_len > MAX_PART_LEN || command_len > MAX_PART_LEN {
        return Parsed::Bad(Why::Length);
    }
    if !is_zero(&payload[20..24]) {
        return Parsed::Bad(Why::Padding);
    }
    let parts = &payload[RECORD_FIXED_LEN..];
    if parts.len() != leaf_len + body_len + command_len {
        return Parsed::Bad(Why::Length);
    }
    let (leaf, rest) = parts.split_at(leaf_len);
    let (body, command) = rest.split_at(body_len);
    let position = u64_at(payload, 0);
    Parsed::Record { len, record: RecordRef { position, leaf, body, command, redacted_by: None } }
}

fn parse_withheld(len: usize, payload: &[u8]) -> Parsed<'_> {
    let leaf_len = u32_at(payload, 8) as usize;
    let body_len = u32_at(payload, 12) as usize;
    if leaf_len > MAX_LEAF_LEN || body_len > MAX_PART_LEN {
        return Parsed::Bad(Why::Length);
    }
    let parts = payload[RECORD_FIXED_LEN..].split_at_checked(leaf_len);
    let parts = parts.and_then(|(leaf, rest)| Some((leaf, rest.split_at_checked(body_len)?)));
    let Some((leaf, (body, rest))) = parts else { return Parsed::Bad(Why::Length) };
    if !is_zero(rest) {
        return Parsed::Bad(Why::Padding);
    }
    let (position, by) = (u64_at(payload, 0), u64_at(payload, 16));
    Parsed::Record { len, record: RecordRef { position, leaf, body, command: &[], redacted_by: Some(by) } }
}

fn parse_commit(len: usize, payload: &[u8]) -> Parsed<'_> {
    if !is_zero(&payload[12..16]) {
        return Parsed::Bad(Why::Padding);
    }
    let commit = Commit {
        first: u64_at(payload, 0),
        count: u32_at(payload, 8),
        batch_offset: u64_at(payload, 16),
        head: array_at(payload, 24),
        signature: array_at(payload, 56),
    };
    Parsed::Commit { len, commit }
}
