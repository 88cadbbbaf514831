//! What can go wrong with a log, each with the place where it went wrong.

use std::io;
use std::path::{Path, PathBuf};

use hefu_chain::frame::TooLong;

/// Why a log refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk has no space left. Open again when there is some; nothing acknowledged is lost.
    #[error("no space left for {}", path.display())]
    Full {
        /// The file that could not grow.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Any other failure of the disk or the system.
    #[error("cannot {op} {}", path.display())]
    Io {
        /// What was tried: `read`, `write`, `sync`…
        op: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another writer holds the directory.
    #[error("{} is in use by another writer{}", path.display(), pid.map(|p| format!(" (process {p})")).unwrap_or_default())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// The process that wrote its id there, if it can be read.
        pid: Option<u32>,
    },
    /// There is no log in the directory.
    #[error("there is no log at {}", path.display())]
    Missing {
        /// Where it was expected.
        path: PathBuf,
    },
    /// A log exists where one was to be created.
    #[error("there is a log at {} already", path.display())]
    Exists {
        /// Where it is.
        path: PathBuf,
    },
    /// Bytes that were durable once are no longer what was written.
    #[error("{} is damaged at byte {offset} (record {position}): {why}", segment.display())]
    Damaged {
        /// The file.
        segment: PathBuf,
        /// Offset of the first bad byte or frame.
        offset: u64,
        /// Position of the first record that is affected.
        position: u64,
        /// What is wrong.
        why: String,
    },
    /// The log holds fewer records than its signed head.
    #[error("the log holds {found} records, its head {expected}: the end is missing")]
    Behind {
        /// Records found.
        found: u64,
        /// Records the head stands for.
        expected: u64,
    },
    /// The log holds another history than its signed head.
    #[error("the log disagrees with its head at size {size}")]
    Disagrees {
        /// Size of the head.
        size: u64,
        /// Hash of the head.
        expected: [u8; 32],
        /// Hash of the log at that size; `None` if no batch ends there.
        found: Option<[u8; 32]>,
    },
    /// An append failed before, so the tail is unknown. Drop the log and reopen it.
    #[error("an earlier append failed; the log must be reopened")]
    Poisoned,
    /// A part of a record is longer than the format allows; nothing was written.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// The batch is not what the log can append; nothing was written.
    #[error("the batch cannot be appended at {position}: {why}")]
    Refused {
        /// Size of the log.
        position: u64,
        /// The rule that was broken.
        why: &'static str,
    },
    /// sled failed or panicked.
    #[error("sled failed to {op} {}: {why}", path.display())]
    Sled {
        /// What was tried.
        op: &'static str,
        /// The folder.
        path: PathBuf,
        /// What sled said.
        why: String,
    },
}

impl StoreError {
    /// Places an error of the system; no space left becomes `Full`.
    pub(crate) fn at(op: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| {
            let path = path.to_path_buf();
            match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path, source },
                _ => Self::Io { op, path, source },
            }
        }
    }

    /// Damage in `segment`.
    pub(crate) fn damaged(segment: &Path, offset: u64, position: u64, why: impl Into<String>) -> Self {
        Self::Damaged { segment: segment.to_path_buf(), offset, position, why: why.into() }
    }
}
