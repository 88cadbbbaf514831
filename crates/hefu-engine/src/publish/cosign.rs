//! Who else stands behind a log: the place where witnesses are asked.
//!
//! The log's own signature says that it has such a tree. Cosignatures say that others saw it grow from what they saw
//! before. They are asked for after the log has signed and before anybody else is shown the checkpoint. What they saw
//! before is asked for earlier: when the ledger opens for writing, and before the log signs. This module asks nobody
//! itself: how a witness is reached, and how many are enough, is the cosigner's business.

use std::fmt::Debug;

use hefu_chain::{
    note::{Note, NoteSignature},
    tree::TreeHash,
};

use super::{PublishError, Published, Shown};

/// Gives the proof that the tree of the checkpoint to be cosigned grew from the tree of so many records
/// (RFC 6962 section 2.1.2). Fails if that is more than the checkpoint has. May be called from several threads.
pub type GrowthProof<'a> = dyn Fn(u64) -> Result<Vec<TreeHash>, PublishError> + Sync + 'a;

/// Asks others what they saw of a log, and to stand behind a checkpoint.
///
/// Everything is on disk when it is called: the records, the tiles, and the log's signed note (`checkpoint.signed`). A
/// cosigner may take its time; commits do not wait for it, other publishers do.
pub trait Cosigner: Debug + Send + Sync {
    /// Holds the log to what they saw before. Called when the ledger opens for writing, and before each checkpoint that
    /// [`cosign`](Cosigner::cosign) is asked about.
    ///
    /// Too few answers are told only by those who would rather stand still; when a checkpoint is signed they do not
    /// count, since then all are asked again.
    fn hold(&self, log: &Shown) -> Result<(), Unheld> {
        let _ = log;
        Ok(())
    }

    /// Signature lines to add to the note, which may be none; or why the checkpoint must not be published.
    ///
    /// After a refusal the newest published checkpoint stays what it was. The next attempt covers more records, or
    /// offers the very same note again.
    fn cosign(&self, signed: &Published, growth: &GrowthProof<'_>)
    -> Result<Vec<NoteSignature>, NotCosigned>;

    /// Nothing more is wanted for a checkpoint that is already published. Otherwise the next publisher asks again for
    /// the same note, and adds the lines it has not.
    fn is_enough(&self, published: &Published) -> bool {
        let _ = published;
        true
    }
}

/// A checkpoint that must not be published, because too few stand behind it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the checkpoint is not published: {why}")]
pub struct NotCosigned {
    /// What is missing, for the operator.
    pub why: String,
}

/// The log cannot be held to what its witnesses saw.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unheld {
    /// A witness holds a checkpoint, signed by the log, that the log does not continue: records were lost or changed, or
    /// the ledger was restored from an older backup.
    #[error(
        "witness {witness} holds a checkpoint of {size} records, signed by this log, that the log does not continue"
    )]
    Contradicted {
        /// As the policy of witnesses calls it.
        witness: String,
        /// How many records its checkpoint stands for.
        size: u64,
        /// The checkpoint.
        note: Box<Note>,
    },
    /// Too few can be asked, and the ledger is not to go on without them.
    #[error("too few witnesses can be asked what they saw: {}", .missing.join("; "))]
    TooFew {
        /// Each that is missing, and why.
        missing: Vec<String>,
    },
}
