//! Segment files as bytes: the file header, the record and commit frames, and a scanner that survives damage.
//!
//! This is section 6 of `docs/FORMAT.md` and nothing else. It opens no file, verifies no hash or signature, and never
//! allocates while reading; the store and the pure verifier share it, so there is one reading of the format.

mod scanner;

use crate::record::RecordRef;

pub use scanner::{Item, Scanner};

/// Length of the header every segment file starts with; also the offset of its first frame.
pub const HEADER_LEN: usize = 64;
/// Length of the fixed part that comes before each payload.
pub const FRAME_HEAD_LEN: usize = 16;
/// Length of a whole commit frame.
pub const COMMIT_FRAME_LEN: usize = FRAME_HEAD_LEN + COMMIT_PAYLOAD_LEN;
/// A leaf is at most this long (FORMAT section 2).
pub const MAX_LEAF_LEN: usize = 65_535;
/// A body or a stored command is canonical JSON, so at most this long (FORMAT section 1).
pub const MAX_PART_LEN: usize = 4 << 20;

const COMMIT_PAYLOAD_LEN: usize = 120;
const RECORD_FIXED_LEN: usize = 24;
const MAX_PAYLOAD_LEN: usize = RECORD_FIXED_LEN + MAX_LEAF_LEN + 2 * MAX_PART_LEN;
const FILE_MAGIC: [u8; 8] = *b"HEFUSEG\x01";
const FRAME_MAGIC: [u8; 4] = *b"HFR\x01";
const KIND_RECORD: u32 = 1;
const KIND_COMMIT: u32 = 2;
const KIND_WITHHELD: u32 = 3;

/// Why bytes are not the frame or header they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Why {
    /// The four or eight bytes that open a frame or a file are others.
    #[error("no frame starts here")]
    Magic,
    /// The kind of frame is unknown.
    #[error("unknown kind of frame")]
    Kind,
    /// Lengths contradict each other or a limit.
    #[error("impossible length")]
    Length,
    /// The frame runs past the end of the bytes.
    #[error("cut short")]
    Short,
    /// The checksum does not fit the bytes.
    #[error("checksum mismatch")]
    Crc,
    /// Bytes that must be zero are not.
    #[error("padding or reserved bytes are not zero")]
    Padding,
}

/// A part of a record is longer than the format allows, so it cannot be framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{part} of record {position} is {len} bytes, more than the {limit} the format allows")]
pub struct TooLong {
    /// The record.
    pub position: u64,
    /// `leaf`, `body` or `command`.
    pub part: &'static str,
    /// Its length.
    pub len: usize,
    /// The limit.
    pub limit: usize,
}

/// The 64 bytes at the start of a segment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileHeader {
    /// Position of the first record of the file.
    pub base: u64,
    /// `C(base − 1)`, what the first record links to.
    pub prev_head: [u8; 32],
}

impl FileHeader {
    /// The header as bytes.
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        out[..8].copy_from_slice(&FILE_MAGIC);
        out[8..16].copy_from_slice(&self.base.to_le_bytes());
        out[16..48].copy_from_slice(&self.prev_head);
        let crc = crc32fast::hash(&out[..60]);
        out[60..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads the header at the start of `bytes`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Why> {
        let head = bytes.first_chunk::<HEADER_LEN>().ok_or(Why::Short)?;
        if head[..8] != FILE_MAGIC {
            return Err(Why::Magic);
        }
        if u32_at(head, 60) != crc32fast::hash(&head[..60]) {
            return Err(Why::Crc);
        }
        if !is_zero(&head[48..60]) {
            return Err(Why::Padding);
        }
        Ok(Self { base: u64_at(head, 8), prev_head: array_at(head, 16) })
    }
}

/// The frame that closes a batch: the records before it count because it is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// Position of the batch's first record.
    pub first: u64,
    /// Number of records in the batch.
    pub count: u32,
    /// File offset of the batch's first frame.
    pub batch_offset: u64,
    /// `C` of the batch's last record.
    pub head: [u8; 32],
    /// Receipt signature for the batch's last record.
    pub signature: [u8; 64],
}

/// Length of the frame `encode_record` writes for `record`.
pub fn record_frame_len(record: &RecordRef<'_>) -> usize {
    padded(FRAME_HEAD_LEN + RECORD_FIXED_LEN + record.leaf.len() + record.body.len() + record.command.len())
}

/// Appends the frame of `record` to `out`, or leaves `out` alone when a part is too long. The command of a record that
/// is redacted is not written.
pub fn encode_record(out: &mut Vec<u8>, record: &RecordRef<'_>) -> Result<(), TooLong> {
    let position = record.position;
    let fit = |part, bytes: &[u8], limit| match u32::try_from(bytes.len()) {
        Ok(len) if bytes.len() <= limit => Ok(len),
        _ => Err(TooLong { position, part, len: bytes.len(), limit }),
    };
    let leaf = fit("leaf", record.leaf, MAX_LEAF_LEN)?;
    let body = fit("body", record.body, MAX_PART_LEN)?;
    let command = fit("command", record.command, MAX_PART_LEN)?;

    let start = out.len();
    out.reserve(record_frame_len(record));
    if let Some(by) = record.redacted_by {
        push_head(out, KIND_WITHHELD, 24 + leaf + body);
        push_withheld(out, record, by);
        seal(out, start);
        return Ok(());
    }
    // The three limits add up to far less than u32::MAX.
    push_head(out, KIND_RECORD, 24 + leaf + body + command);
    out.extend_from_slice(&position.to_le_bytes());
    out.extend_from_slice(&leaf.to_le_bytes());
    out.extend_from_slice(&body.to_le_bytes());
    out.extend_from_slice(&command.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(record.leaf);
    out.extend_from_slice(record.body);
    out.extend_from_slice(record.command);
    seal(out, start);
    Ok(())
}

/// Takes the command, and the body unless it is to be kept, out of the sound record frame that `frame` is. The frame
/// keeps its length, so that nothing else in its file moves: what is taken out is zeros.
pub fn withhold(frame: &mut [u8], by: u64, keep_body: bool) -> Result<(), Why> {
    let (len, record) = match parse(frame) {
        Parsed::Record { len, record } => (len, record.to_record()),
        Parsed::Commit { .. } => return Err(Why::Kind),
        Parsed::Zero | Parsed::More { .. } => return Err(Why::Short),
        Parsed::Bad(why) => return Err(why),
    };
    let payload = u32_at(frame, 8);
    let body = if keep_body { record.body } else { Vec::new() };
    let left = RecordRef {
        position: record.position,
        leaf: &record.leaf,
        body: &body,
        command: &[],
        redacted_by: None,
    };
    let mut out = Vec::with_capacity(len);
    push_head(&mut out, KIND_WITHHELD, payload);
    push_withheld(&mut out, &left, by);
    out.resize(FRAME_HEAD_LEN + payload as usize, 0);
    seal(&mut out, 0);
    frame[..len].copy_from_slice(&out);
    Ok(())
}

fn push_withheld(out: &mut Vec<u8>, record: &RecordRef<'_>, by: u64) {
    // Both lengths were checked when the record was first framed.
    let len = |part: &[u8]| u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes();
    out.extend_from_slice(&record.position.to_le_bytes());
    out.extend_from_slice(&len(record.leaf));
    out.extend_from_slice(&len(record.body));
    out.extend_from_slice(&by.to_le_bytes());
    out.extend_from_slice(record.leaf);
    out.extend_from_slice(record.body);
}

/// Appends the frame of `commit` to `out`.
pub fn encode_commit(out: &mut Vec<u8>, commit: &Commit) {
    let start = out.len();
    push_head(out, KIND_COMMIT, 120);
    out.extend_from_slice(&commit.first.to_le_bytes());
    out.extend_from_slice(&commit.count.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&commit.batch_offset.to_le_bytes());
    out.extend_from_slice(&commit.head);
    out.extend_from_slice(&commit.signature);
    seal(out, start);
}

fn push_head(out: &mut Vec<u8>, kind: u32, payload: u32) {
    out.extend_from_slice(&FRAME_MAGIC);
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&payload.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
}

/// Fills in the checksum of the frame that starts at `start` and pads it to a multiple of 8.
fn seal(out: &mut Vec<u8>, start: usize) {
    let crc = frame_crc(&out[start..]);
    out[start + 12..start + 16].copy_from_slice(&crc.to_le_bytes());
    out.resize(start + padded(out.len() - start), 0);
}

/// CRC-32 of kind, length and payload; `frame` ends with its payload.
fn frame_crc(frame: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&frame[4..12]);
    hasher.update(&frame[FRAME_HEAD_LEN..]);
    hasher.finalize()
}

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

/// Whether every byte is zero; runs at memory speed.
pub fn is_zero(bytes: &[u8]) -> bool {
    let mut chunks = bytes.chunks_exact(64);
    chunks.by_ref().all(|chunk| chunk.iter().fold(0, |acc, b| acc | b) == 0)
        && chunks.remainder().iter().all(|b| *b == 0)
}

fn padded(len: usize) -> usize {
    len.next_multiple_of(8)
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}
