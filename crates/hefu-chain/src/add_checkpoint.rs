//! What a log asks of a witness: cosign this checkpoint, which grew from the one you saw (c2sp.org/tlog-witness,
//! add-checkpoint).
//!
//! Here are the bytes only. Whether a request is granted is the witness's business.

use std::fmt;

use crate::c2sp;
use crate::note::{BadNote, Note};
use crate::tree::TreeHash;

/// A request has at most this many lines of proof.
pub const MAX_PROOF: usize = 63;

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// How large the log was when the witness last cosigned, 0 if never.
    pub old: u64,
    /// Why the checkpoint grew from that; empty if `old` is 0 or the checkpoint's own size.
    pub proof: Vec<TreeHash>,
    /// The checkpoint.
    pub checkpoint: Note,
}

/// Bytes are no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// The first line is not `old` and a size.
    #[error("the first line should be `old`, a space and a size without leading zeros")]
    Old,
    /// A line of the proof is no hash, or there are too many.
    #[error("at most {MAX_PROOF} lines of 44 characters of base64 are expected before the empty line")]
    Proof,
    /// What follows the empty line is no signed note.
    #[error(transparent)]
    Note(#[from] BadNote),
}

impl AddCheckpoint {
    /// Reads a request. It writes the very bytes it was read from.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadRequest> {
        let text = std::str::from_utf8(bytes).map_err(|_| BadNote::NotUtf8)?;
        let (head, note) = text.split_once("\n\n").ok_or(BadRequest::Proof)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(c2sp::decimal);
        let old = old.ok_or(BadRequest::Old)?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == MAX_PROOF {
                return Err(BadRequest::Proof);
            }
            proof.push(line.parse().map_err(|_| BadRequest::Proof)?);
        }
        Ok(Self { old, proof, checkpoint: Note::parse(note.as_bytes())? })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    /// Worked example A: from 2 to 3 records.
    fn example() -> String {
        let note = vectors::checkpoint().sign(&vectors::key(0x00)).unwrap();
        format!("old 2\n29b+09pthQjhJvxvz2QkoEmzqL0tqp+8VblmsxXcYgE=\n\n{note}")
    }

    #[test]
    fn a_request_writes_what_was_read() {
        let request = AddCheckpoint::parse(example().as_bytes()).unwrap();
        assert_eq!((request.old, request.proof.as_slice()), (2, &vectors::leaves()[2..]));
        assert_eq!(request.to_string(), example());
    }

    #[test]
    fn other_spellings_are_refused() {
        let altered = |from: &str, to: &str| {
            let text = example();
            assert!(text.contains(from));
            AddCheckpoint::parse(text.replacen(from, to, 1).as_bytes())
        };
        for old in ["old 02", "old", "old -1", "2", "Old 2", " old 2", "old 2 ", "old 2\r"] {
            assert_eq!(altered("old 2", old), Err(BadRequest::Old), "{old}");
        }
        assert_eq!(altered("29b+", "29b-"), Err(BadRequest::Proof));
        assert_eq!(altered("YgE=\n", "YgE=\r\n"), Err(BadRequest::Proof));
        assert_eq!(altered("\n\n", "\n"), Err(BadRequest::Proof));
        let line = "29b+09pthQjhJvxvz2QkoEmzqL0tqp+8VblmsxXcYgE=\n";
        assert!(altered(line, &line.repeat(MAX_PROOF)).is_ok());
        assert_eq!(altered(line, &line.repeat(MAX_PROOF + 1)), Err(BadRequest::Proof));
        assert!(matches!(AddCheckpoint::parse(b"old 2\n\n"), Err(BadRequest::Note(_))));
        assert!(matches!(AddCheckpoint::parse(b"old 2\n\n\xff"), Err(BadRequest::Note(BadNote::NotUtf8))));
    }
}
