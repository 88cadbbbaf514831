//! Who else stands behind a checkpoint: the place where witnesses are asked.
//!
//! The log's own signature says that it has such a tree. Cosignatures say that others saw it grow from what they saw
//! before. They are asked for after the log has signed and before anybody else is shown the checkpoint. This module
//! asks nobody itself: how a witness is reached, and how many are enough, is the cosigner's business.

use std::fmt::Debug;

use hefu_chain::{note::NoteSignature, tree::TreeHash};

use super::{PublishError, Published};

/// Gives the proof that the tree of the checkpoint to be cosigned grew from the tree of so many records
/// (RFC 6962 section 2.1.2). Fails if that is more than the checkpoint has. May be called from several threads.
pub type GrowthProof<'a> = dyn Fn(u64) -> Result<Vec<TreeHash>, PublishError> + Sync + 'a;

/// Asks others to stand behind a checkpoint.
///
/// Everything is on disk when it is called: the records, the tiles, and the log's signed note (`checkpoint.signed`). A
/// cosigner may take its time; commits do not wait for it, other publishers do.
pub trait Cosigner: Debug + Send + Sync {
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
