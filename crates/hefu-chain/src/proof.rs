//! A receipt that proves itself: entry, path and checkpoint in one file, as c2sp.org/tlog-proof says (version 1).
//!
//! The extra data is not signed. Here it is the entry, so that the file needs nothing beside it; it is trusted only
//! after the path led from it to the signed root.

use std::fmt;
use std::str::FromStr;

use crate::c2sp;
use crate::checkpoint::{Checkpoint, Opened, Untrusted};
use crate::note::{BadNote, Note, VerifierKey};
use crate::policy::{Judgement, Policy, Rejected};
use crate::tree::{BadProof, TreeHash, verify_inclusion};

/// The first line of a proof file, without its line feed.
pub const MAGIC: &str = "c2sp.org/tlog-proof@v1";
/// A tree of 2^63 - 1 leaves has no longer path.
const MAX_PATH: usize = 63;
/// Extra data may be this long; a leaf is far shorter.
const MAX_EXTRA: usize = 1 << 20;

/// The content of a `.tlog-proof` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    extra: Option<Vec<u8>>,
    index: u64,
    path: Vec<TreeHash>,
    checkpoint: Note,
}

/// Bytes are no proof file, or cannot become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTlogProof {
    /// The first line is another.
    #[error("proof: the first line is not `{MAGIC}`")]
    Magic,
    /// The extra data is empty, too long, or no base64.
    #[error("proof: extra data is 1 byte to 1 MiB in base64")]
    Extra,
    /// The index is missing or no number.
    #[error("proof: `index` and a decimal number without leading zeros are expected")]
    Index,
    /// A line of the path is no hash, or there are too many.
    #[error("proof: at most {MAX_PATH} lines of 44 characters of base64 are expected before the empty line")]
    Path,
    /// What follows the empty line is no signed note.
    #[error("proof: {0}")]
    Checkpoint(#[from] BadNote),
}

/// A proof file does not prove what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// The checkpoint is not the log's word.
    #[error(transparent)]
    Checkpoint(#[from] Untrusted),
    /// The policy is not met.
    #[error(transparent)]
    Policy(#[from] Rejected),
    /// The entry is not in the tree.
    #[error("the entry is not proven: {0}")]
    Inclusion(#[from] BadProof),
    /// The file has no extra data that could be the entry.
    #[error("the proof does not carry its entry")]
    NoEntry,
}

impl TlogProof {
    /// A proof for the entry at `index`. Give the entry as extra data to make the file stand alone.
    ///
    /// Fails on empty or overlong extra data, a path longer than any, or an index beyond 2^63 - 1; whether it proves
    /// anything is for [`TlogProof::verify`].
    pub fn new(
        extra: Option<Vec<u8>>,
        index: u64,
        path: Vec<TreeHash>,
        checkpoint: Note,
    ) -> Result<Self, BadTlogProof> {
        match () {
            () if extra.as_ref().is_some_and(|extra| !(1..=MAX_EXTRA).contains(&extra.len())) => {
                Err(BadTlogProof::Extra)
            }
            () if index > crate::tree::MAX_SIZE => Err(BadTlogProof::Index),
            () if path.len() > MAX_PATH => Err(BadTlogProof::Path),
            () => Ok(Self { extra, index, path, checkpoint }),
        }
    }

    /// Reads a proof file. It writes the very bytes it was read from.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadTlogProof> {
        let text = std::str::from_utf8(bytes).map_err(|_| BadNote::NotUtf8)?;
        let rest =
            text.strip_prefix(MAGIC).and_then(|rest| rest.strip_prefix('\n')).ok_or(BadTlogProof::Magic)?;
        let (mut head, note) = rest.split_once("\n\n").ok_or(BadTlogProof::Path)?;
        let mut extra = None;
        if let Some(after) = head.strip_prefix("extra ") {
            let (line, below) = after.split_once('\n').ok_or(BadTlogProof::Index)?;
            // Base64 is a third longer than what it says.
            if line.len() > MAX_EXTRA / 3 * 4 + 4 {
                return Err(BadTlogProof::Extra);
            }
            extra = Some(c2sp::base64(line).ok_or(BadTlogProof::Extra)?);
            head = below;
        }
        let mut lines = head.split('\n');
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(c2sp::decimal);
        let index = index.ok_or(BadTlogProof::Index)?;
        let mut path = Vec::new();
        for line in lines {
            if path.len() == MAX_PATH {
                return Err(BadTlogProof::Path);
            }
            path.push(line.parse().map_err(|_| BadTlogProof::Path)?);
        }
        Self::new(extra, index, path, Note::parse(note.as_bytes())?)
    }

    /// The data that came along, of which nothing is proven before [`TlogProof::verify`].
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// The position of the entry.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The hashes from the entry's sibling upwards.
    pub fn path(&self) -> &[TreeHash] {
        &self.path
    }

    /// The signed checkpoint.
    pub fn checkpoint(&self) -> &Note {
        &self.checkpoint
    }

    /// Is the entry at its index in the tree of a checkpoint that one of these keys signed as the log?
    ///
    /// `entry` is what the caller holds; without it the extra data is taken. Fails with the first reason why not.
    pub fn verify<'k>(
        &self,
        entry: Option<&[u8]>,
        keys: impl IntoIterator<Item = &'k VerifierKey>,
    ) -> Result<Opened, Unproven> {
        let opened = Checkpoint::open(&self.checkpoint, keys)?;
        self.check_path(entry, &opened.checkpoint)?;
        Ok(opened)
    }

    /// As [`TlogProof::verify`], with the logs, witnesses and quorum of a policy. A missed quorum is an error here.
    pub fn verify_under(&self, entry: Option<&[u8]>, policy: &Policy) -> Result<Judgement, Unproven> {
        let judgement = policy.judge(&self.checkpoint, [])?;
        self.check_path(entry, &judgement.checkpoint)?;
        judgement.require_quorum()?;
        Ok(judgement)
    }

    fn check_path(&self, entry: Option<&[u8]>, checkpoint: &Checkpoint) -> Result<(), Unproven> {
        let entry = entry.or(self.extra()).ok_or(Unproven::NoEntry)?;
        let leaf = TreeHash::leaf(entry);
        Ok(verify_inclusion(self.index, checkpoint.size, &leaf, &self.path, &checkpoint.root)?)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{MAGIC}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", c2sp::to_base64(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for TlogProof {
    type Err = BadTlogProof;

    fn from_str(text: &str) -> Result<Self, BadTlogProof> {
        Self::parse(text.as_bytes())
    }
}
