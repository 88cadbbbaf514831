//! What a log signed and should not have, in a file that convinces others.
//!
//! A file proves that a log has two histories in two cases, each from the file and the log's public key alone:
//!
//! 1. two checkpoints of one size with different roots;
//! 2. two checkpoints of different sizes, and a proof that the larger one began with another root than the smaller
//!    one has ([`Prefix`]).
//!
//! Two checkpoints of different sizes alone prove nothing, and neither does a proof that fails: anybody can send a
//! wrong proof, or an old checkpoint, in a log's name. Such files are kept as suspicions; [`Evidence::ask`] clears them
//! or makes them proofs with the log's own tiles. A log that gives nobody the tiles it signed has no excuse, but that
//! is seen by asking, not in a file.

use serde::{Deserialize, Serialize};

use crate::checkpoint::{Checkpoint, Untrusted};
use crate::note::{Note, VerifierKey};
use crate::source::{Source, read_hash_tile};
use crate::tile::{Tile, TileSource};
use crate::tree::{self, TreeHash, verify_consistency};

/// The form of the file, its first field.
const FORM: &str = "hefu-evidence-v1";

/// What a witness saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Two checkpoints of one size.
    Fork,
    /// A larger checkpoint whose proof does not start from the one seen.
    Inconsistent,
    /// A smaller checkpoint than the one seen, which the witness had not seen before.
    Rollback,
}

/// How the larger tree began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefix {
    /// The consistency proof from `root`, at the smaller size, to the larger checkpoint.
    pub proof: Vec<TreeHash>,
    /// The root that the larger tree has at the smaller size.
    pub root: TreeHash,
}

/// The content of an evidence file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What the witness saw.
    pub kind: Kind,
    /// What the witness had seen before, signed by the log.
    pub seen: Note,
    /// What it was offered then, signed by the log.
    pub offered: Note,
    /// How the larger of both began, if that is known.
    pub prefix: Option<Prefix>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    form: String,
    kind: Kind,
    offered: String,
    prefix: Option<Prefix>,
    seen: String,
}

/// What evidence amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The log signed two histories, and the file proves it to anybody who has its public key.
    Proven {
        /// One of both.
        one: Checkpoint,
        /// The other.
        other: Checkpoint,
        /// The size at which they differ.
        size: u64,
    },
    /// The file alone does not show it: the log's tiles are needed.
    Open {
        /// The smaller checkpoint.
        smaller: Checkpoint,
        /// The larger one.
        larger: Checkpoint,
    },
    /// Both checkpoints belong to one history.
    Cleared,
}

/// A file that is no evidence against this log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEvidence {
    /// Not such a file.
    #[error("no evidence file: {0}")]
    Form(String),
    /// A checkpoint is not the log's word.
    #[error("{0}: whoever made the file, the log of this key did not sign it")]
    Unsigned(#[from] Untrusted),
    /// Two logs.
    #[error("the two checkpoints are of different logs")]
    TwoLogs,
    /// The prefix proves nothing.
    #[error("the proof in the file leads elsewhere")]
    Prefix,
    /// The tiles could not be had, or do not lead to the root that was signed.
    #[error("the tiles of the log do not lead to its signed root: {0}")]
    Tiles(String),
}

impl Evidence {
    /// As a file: one line of JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        let file = File {
            form: FORM.to_owned(),
            kind: self.kind,
            offered: self.offered.to_string(),
            prefix: self.prefix.clone(),
            seen: self.seen.to_string(),
        };
        format!("{}\n", serde_json::json!(file)).into_bytes()
    }

    /// Reads a file. Nothing in it is believed before [`Evidence::check`].
    pub fn parse(bytes: &[u8]) -> Result<Evidence, BadEvidence> {
        let bad = |why: String| BadEvidence::Form(why);
        let file: File = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        if file.form != FORM {
            return Err(bad(format!("its form is not `{FORM}`")));
        }
        let note = |text: &str| text.parse::<Note>().map_err(|error| bad(error.to_string()));
        let (seen, offered) = (note(&file.seen)?, note(&file.offered)?);
        Ok(Evidence { kind: file.kind, seen, offered, prefix: file.prefix })
    }

    /// What does the file prove to somebody who has nothing but the log's keys?
    pub fn check(&self, keys: &[VerifierKey]) -> Result<Finding, BadEvidence> {
        let (smaller, larger) = self.both(keys)?;
        if smaller.size == larger.size {
            let size = smaller.size;
            let same = smaller.root == larger.root;
            return Ok(if same {
                Finding::Cleared
            } else {
                Finding::Proven { one: smaller, other: larger, size }
            });
        }
        let Some(Prefix { proof, root }) = &self.prefix else {
            return Ok(Finding::Open { smaller, larger });
        };
        verify_consistency(smaller.size, root, larger.size, &larger.root, proof)
            .map_err(|_| BadEvidence::Prefix)?;
        let size = smaller.size;
        Ok(if *root == smaller.root {
            Finding::Cleared
        } else {
            Finding::Proven { one: smaller, other: larger, size }
        })
    }

    /// Completes the file with the log's own tiles, so that [`Evidence::check`] decides.
    ///
    /// Fails if the tiles are absent or are not those of the larger checkpoint. A log can refuse them; that is not in
    /// the file.
    pub fn ask(&mut self, keys: &[VerifierKey], site: &dyn Source) -> Result<(), BadEvidence> {
        let (smaller, larger) = self.both(keys)?;
        if smaller.size == larger.size {
            return Ok(());
        }
        let bad = |why: String| BadEvidence::Tiles(why);
        let mut tiles = TileSource::new(larger.size, |tile: Tile| read_hash_tile(site, tile));
        let proof = tree::consistency(&mut tiles, smaller.size, larger.size)
            .map_err(|error| bad(format!("{error}")))?;
        let root = tree::root(&mut tiles, smaller.size).map_err(|error| bad(error.to_string()))?;
        verify_consistency(smaller.size, &root, larger.size, &larger.root, &proof)
            .map_err(|error| bad(error.to_string()))?;
        self.prefix = Some(Prefix { proof, root });
        Ok(())
    }

    fn both(&self, keys: &[VerifierKey]) -> Result<(Checkpoint, Checkpoint), BadEvidence> {
        let seen = Checkpoint::open(&self.seen, keys)?.checkpoint;
        let offered = Checkpoint::open(&self.offered, keys)?.checkpoint;
        match () {
            () if seen.origin != offered.origin => Err(BadEvidence::TwoLogs),
            () if seen.size <= offered.size => Ok((seen, offered)),
            () => Ok((offered, seen)),
        }
    }
}
