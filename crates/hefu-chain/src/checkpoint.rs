//! Checkpoints: the log's word on size and root of its tree, as c2sp.org/tlog-checkpoint says.
//!
//! A body has exactly three lines. Extension lines, which the specification allows but advises against, are refused:
//! no witness vouches for them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::c2sp;
use crate::key::SecretKey;
use crate::note::{BadNote, BadVerifierKey, Distrust, KeyKind, Note, NoteSignature, Verified, VerifierKey};
use crate::origin::Origin;
use crate::tree::{MAX_SIZE, TreeHash};

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Which log.
    pub origin: Origin,
    /// How many leaves it has.
    pub size: u64,
    /// The root of the tree over them.
    pub root: TreeHash,
}

/// Text is no body of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCheckpoint {
    /// Not three lines that each end in a line feed; extension lines are refused, too.
    #[error("checkpoint: exactly three lines are expected: origin, size, root")]
    Lines,
    /// The first line is no origin.
    #[error("checkpoint: the first line is no origin")]
    Origin,
    /// The second line is no size.
    #[error("checkpoint: the size is a decimal number without leading zeros, at most 2^63 - 1")]
    Size,
    /// The third line is no hash, or not the one that a log without records has.
    #[error("checkpoint: the root is 44 characters of base64; that of an empty log is the hash of nothing")]
    Root,
}

/// A signed note is not the word of the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// A signature is wrong, or none is of a known key.
    #[error("checkpoint: {0}")]
    Note(#[from] Distrust),
    /// The signed text is no checkpoint.
    #[error(transparent)]
    Body(#[from] BadCheckpoint),
    /// No given key of the log that the body names has signed.
    #[error("checkpoint: not signed by a trusted key of {0}")]
    NotTheLog(Origin),
}

/// A checkpoint cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsignable {
    /// It would not be read back: an empty log with another root than it has, or a size out of range.
    #[error(transparent)]
    Body(#[from] BadCheckpoint),
    /// The key is unfit.
    #[error(transparent)]
    Key(#[from] BadVerifierKey),
    /// The note is impossible.
    #[error(transparent)]
    Note(#[from] BadNote),
}

/// A checkpoint that a trusted key of its log signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// Every valid signature of a given key: the log's and cosigners'.
    pub signatures: Vec<Verified>,
}

impl Checkpoint {
    /// The signature line of the log's key over this checkpoint, for a note of its own or one more on it: while a key
    /// is being replaced, old and new one sign.
    pub fn signature(&self, key: &SecretKey) -> Result<NoteSignature, Unsignable> {
        self.check()?;
        Ok(NoteSignature::ed25519(&(&self.origin).into(), key, &self.to_string())?)
    }

    /// The signed note. Fails if it would not be read back.
    pub fn sign(&self, key: &SecretKey) -> Result<Note, Unsignable> {
        Ok(Note::new(self.to_string(), self.signature(key)?)?)
    }

    /// Reads and trusts a note that one of these keys signed as a key of the log (type 0x01, called as the origin).
    ///
    /// Keys of cosigners may be among them; their signatures are told, not required. Fails as [`Note::verify`] does.
    pub fn open<'k>(
        note: &Note,
        keys: impl IntoIterator<Item = &'k VerifierKey>,
    ) -> Result<Opened, Untrusted> {
        let signatures = note.verify(keys)?;
        let checkpoint: Self = note.text().parse()?;
        let by_log = |key: &VerifierKey| {
            key.kind() == KeyKind::Ed25519 && key.name().as_str() == checkpoint.origin.as_str()
        };
        if signatures.iter().any(|signature| by_log(&signature.key)) {
            Ok(Opened { checkpoint, signatures })
        } else {
            Err(Untrusted::NotTheLog(checkpoint.origin))
        }
    }

    fn check(&self) -> Result<(), BadCheckpoint> {
        match () {
            () if self.size > MAX_SIZE => Err(BadCheckpoint::Size),
            () if self.size == 0 && self.root != TreeHash::EMPTY => Err(BadCheckpoint::Root),
            () => Ok(()),
        }
    }
}

impl fmt::Display for Checkpoint {
    /// The body: three lines, each with its line feed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root)
    }
}

impl FromStr for Checkpoint {
    type Err = BadCheckpoint;

    fn from_str(body: &str) -> Result<Self, BadCheckpoint> {
        let lines = body.strip_suffix('\n').ok_or(BadCheckpoint::Lines)?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(BadCheckpoint::Lines);
        };
        let checkpoint = Self {
            origin: origin.parse().map_err(|_| BadCheckpoint::Origin)?,
            size: c2sp::decimal(size).ok_or(BadCheckpoint::Size)?,
            root: root.parse().map_err(|_| BadCheckpoint::Root)?,
        };
        checkpoint.check()?;
        Ok(checkpoint)
    }
}
