//! Why a witness cannot work.

use std::{
    io,
    path::{Path, PathBuf},
};

use hefu_chain::{cosignature::BadCosignature, note::BadVerifierKey, origin::Origin};

/// A witness cannot be made, opened, changed, or go on.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// A file or folder failed.
    #[error("cannot {op} {}: {error}", path.display())]
    File {
        /// What was tried.
        op: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file of the witness is not what it should be.
    #[error("{} cannot be used: {why}", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The folder holds a witness already.
    #[error("{} already holds a witness", .0.display())]
    Exists(PathBuf),
    /// Another process works with the folder.
    #[error("{} is in use by another process", .0.display())]
    Busy(PathBuf),
    /// A log is watched, but what was cosigned for it is lost: such a witness could be made to cosign a second history.
    #[error(
        "the memory of {origin} is lost ({} is missing): this witness must not cosign for it again; retire its key",
        path.display()
    )]
    Forgotten {
        /// The log.
        origin: Origin,
        /// The missing file.
        path: PathBuf,
    },
    /// The key is not one that a log of this name signs with.
    #[error("the key of a log is of type 0x01 and called as the log")]
    NotALogKey,
    /// A key is unfit.
    #[error(transparent)]
    Key(#[from] BadVerifierKey),
    /// A cosignature cannot be made.
    #[error(transparent)]
    Cosignature(#[from] BadCosignature),
    /// A write failed before. Nothing is cosigned until the witness is opened again.
    #[error("a write failed earlier; nothing is cosigned until the witness is started again")]
    Stopped,
}

impl WitnessError {
    /// A failed operation on a file.
    pub(crate) fn file(op: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WitnessError {
        let path = path.to_owned();
        move |error| WitnessError::File { op, path, error }
    }

    /// A file that is not what it should be.
    pub(crate) fn bad(path: &Path, why: &impl ToString) -> WitnessError {
        WitnessError::BadFile { path: path.to_owned(), why: why.to_string() }
    }
}
