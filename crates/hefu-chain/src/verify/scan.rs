//! From the bytes of a segment to its pieces, including what can still be read of damaged frames.
//!
//! A frame with a wrong checksum is damage whatever it holds. It is still read, because what it holds tells which field
//! was hit and which record it was.

use crate::frame::{COMMIT_FRAME_LEN, Commit, FRAME_HEAD_LEN, HEADER_LEN, Item, Scanner, Why};
use crate::record::RecordRef;

/// One piece of a segment, in file order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece<'a> {
    /// A record; `damage` tells what is wrong with its frame.
    Record { offset: u64, record: RecordRef<'a>, damage: Option<Why> },
    /// A commit; `damage` tells what is wrong with its frame.
    Commit { offset: u64, commit: Commit, damage: Option<Why> },
    /// Bytes of which nothing can be read.
    Damage { offset: u64, why: Why },
    /// Zeros to the end of the file.
    Zeros { offset: u64 },
}

/// Every piece of a segment.
pub(super) fn pieces(bytes: &[u8]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    for item in Scanner::new(bytes, HEADER_LEN) {
        match item {
            Item::Record { offset, record } => pieces.push(Piece::Record { offset, record, damage: None }),
            Item::Commit { offset, commit } => pieces.push(Piece::Commit { offset, commit, damage: None }),
            Item::Zeros { offset } => pieces.push(Piece::Zeros { offset }),
            Item::Damage { offset, len, why } => salvage(bytes, offset, len, why, &mut pieces),
        }
    }
    pieces
}

/// Reads what can be read of `len` damaged bytes.
fn salvage<'a>(bytes: &'a [u8], offset: u64, len: u64, why: Why, pieces: &mut Vec<Piece<'a>>) {
    let range = usize::try_from(offset).ok().zip(usize::try_from(offset + len).ok());
    let mut rest = range.and_then(|(start, end)| bytes.get(start..end)).unwrap_or_default();
    let mut offset = offset;
    while !rest.is_empty() {
        let record = record(rest)
            .or_else(|| withheld(rest))
            .map(|(record, len)| (Piece::Record { offset, record, damage: Some(why) }, len));
        let commit = || {
            commit(rest).map(|commit| (Piece::Commit { offset, commit, damage: Some(why) }, COMMIT_FRAME_LEN))
        };
        let Some((piece, len)) = record.or_else(commit) else {
            // A length or a magic number of its own is gone: go on at the next eight bytes that open a frame.
            pieces.push(Piece::Damage { offset, why });
            let next = (8..rest.len()).step_by(8).find(|at| rest[*at..].starts_with(b"HFR\x01"));
            let Some(next) = next else { return };
            offset += next as u64;
            rest = &rest[next..];
            continue;
        };
        pieces.push(piece);
        offset += len as u64;
        rest = &rest[len..];
    }
}

/// The record that these bytes hold if its lengths add up to what the frame says, or to all there is.
fn record(bytes: &[u8]) -> Option<(RecordRef<'_>, usize)> {
    let payload = bytes.get(FRAME_HEAD_LEN..)?;
    let claimed = u32_at(bytes, 8)?;
    let lens @ [leaf, body, command] = [u32_at(payload, 8)?, u32_at(payload, 12)?, u32_at(payload, 16)?];
    // If one length is wrong, the frame's own length tells what it was; what the parts look like tells which one.
    let total = claimed.checked_sub(24);
    let left = |one: usize, other: usize| total?.checked_sub(one)?.checked_sub(other);
    let repaired = [
        left(body, command).map(|leaf| [leaf, body, command]),
        left(leaf, command).map(|body| [leaf, body, command]),
        left(leaf, body).map(|command| [leaf, body, command]),
    ];
    let (position, parts) = (u64_at(payload, 0)?, payload.get(24..)?);
    std::iter::once(lens).chain(repaired.into_iter().flatten()).find_map(|lens| {
        let record = split(position, parts, lens)?;
        let len = lens.iter().sum::<usize>();
        let frame = (FRAME_HEAD_LEN + 24 + len).next_multiple_of(8);
        let fits = frame <= bytes.len() && (total == Some(len) || frame == bytes.len());
        fits.then_some((record, frame))
    })
}

/// The record that these bytes hold if they are the frame of one that is withheld.
fn withheld(bytes: &[u8]) -> Option<(RecordRef<'_>, usize)> {
    let payload = bytes.get(FRAME_HEAD_LEN..)?;
    let frame = (FRAME_HEAD_LEN + u32_at(bytes, 8)?).next_multiple_of(8);
    let parts = payload.get(24..frame.checked_sub(FRAME_HEAD_LEN)?)?;
    let record = split(u64_at(payload, 0)?, parts, [u32_at(payload, 8)?, u32_at(payload, 12)?, 0])?;
    Some((RecordRef { redacted_by: Some(u64_at(payload, 16)?), ..record }, frame))
}

/// Three parts of these lengths, if they begin as such parts do.
fn split(position: u64, parts: &[u8], [leaf, body, command]: [usize; 3]) -> Option<RecordRef<'_>> {
    let (leaf, rest) = parts.split_at_checked(leaf)?;
    let (body, rest) = rest.split_at_checked(body)?;
    let (command, _) = rest.split_at_checked(command)?;
    // One byte may be damaged itself.
    let like = |part: &[u8], start: &[u8; 8]| {
        let same = part.iter().zip(start).filter(|(byte, start)| byte == start).count();
        same + usize::from(part.last() == Some(&b'}')) >= 8
    };
    let looks = like(leaf, b"{\"actor\"")
        && (body.is_empty() || like(body, b"{\"data\":"))
        && (command.is_empty() || like(command, b"{\"envelo"));
    looks.then_some(RecordRef { position, leaf, body, command, redacted_by: None })
}

/// The commit that these bytes hold if their length says that they are one.
fn commit(bytes: &[u8]) -> Option<Commit> {
    let payload = bytes.get(FRAME_HEAD_LEN..COMMIT_FRAME_LEN)?;
    let fits = u32_at(bytes, 8)? == payload.len() || bytes.len() == COMMIT_FRAME_LEN;
    let commit = Commit {
        first: u64_at(payload, 0)?,
        count: u32::try_from(u32_at(payload, 8)?).ok()?,
        batch_offset: u64_at(payload, 16)?,
        head: payload[24..56].try_into().ok()?,
        signature: payload[56..].try_into().ok()?,
    };
    fits.then_some(commit)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?)).ok()
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
