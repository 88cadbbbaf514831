//! Segment files as bytes: the file header, the record and commit frames, and a scanner that survives damage.
//!
//! This is section 6 of `docs/FORMAT.md` and nothing else. It opens no file, verifies no hash or signature, and never
//! allocates while reading; the store and the pure verifier share it, so there is one reading of the format.

mod parse;
mod scanner;

use crate::record::RecordRef;

pub use parse::{Parsed, parse, wanted};
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
