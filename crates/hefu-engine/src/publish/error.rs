//! Why nothing was published.

use std::path::PathBuf;

use hefu_store::StoreError;

use super::{NotCosigned, SiteProblem};
use crate::answer::EngineError;

/// Why nothing was signed, written or proven.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The log, a key or a file failed; or the log does not continue a checkpoint.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Too few stand behind the checkpoint.
    #[error(transparent)]
    NotCosigned(#[from] NotCosigned),
    /// The place of an export is not fit for it.
    #[error("{}: {why}", path.display())]
    Site {
        /// The place.
        path: PathBuf,
        /// Why not.
        why: SiteProblem,
    },
    /// Nothing has been published.
    #[error("there is no checkpoint yet")]
    NoCheckpoint,
    /// The newest checkpoint does not reach the record.
    #[error("no checkpoint covers record {position}")]
    Uncovered {
        /// The record.
        position: u64,
        /// How many records the newest checkpoint stands for; 0 without one.
        size: u64,
    },
    /// The log has no such record.
    #[error("the log has {size} records and none at {position}")]
    NoRecord {
        /// The position.
        position: u64,
        /// How many records there are.
        size: u64,
    },
    /// A proof from a larger tree to a smaller one, or beyond the checkpoint.
    #[error("under a checkpoint of {size} records no tree of {new} grew from one of {old}")]
    Sizes {
        /// The size of the older tree.
        old: u64,
        /// The size of the newer tree.
        new: u64,
        /// How many records the checkpoint stands for.
        size: u64,
    },
}

impl PublishError {
    /// As the engine says it, where only the engine's own errors can come.
    pub(super) fn into_engine(self) -> EngineError {
        match self {
            PublishError::Engine(error) => error,
            other => EngineError::Internal(other.to_string()),
        }
    }
}

impl From<StoreError> for PublishError {
    fn from(error: StoreError) -> PublishError {
        PublishError::Engine(error.into())
    }
}
