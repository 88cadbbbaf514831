//! Which log a directory holds, for owners that do not care.

use std::path::Path;

use crate::segments::SegmentLog;
use crate::sled_log::{self, SledLog};
use crate::{DurablePoint, Log, OpenOptions, OpenReport, StoreError};

/// The back-ends a ledger directory can be made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    /// Segment files, the default.
    #[default]
    Segments,
    /// The log inside sled.
    Sled,
}

impl Backend {
    /// The back-end `dir` was made with. A directory without a log counts as segments and will be `Missing`.
    pub fn of(dir: &Path) -> Self {
        if dir.join(sled_log::FOLDER).is_dir() { Self::Sled } else { Self::Segments }
    }

    /// Creates an empty log in `dir` that starts from `prev_head_start`, `C(−1)`.
    pub fn create(
        self,
        dir: &Path,
        prev_head_start: [u8; 32],
        options: &OpenOptions,
    ) -> Result<Box<dyn Log>, StoreError> {
        Ok(match self {
            Self::Segments => Box::new(SegmentLog::create(dir, prev_head_start, options)?),
            Self::Sled => Box::new(SledLog::create(dir, prev_head_start, options)?),
        })
    }

    /// Opens the log in `dir`.
    pub fn open(self, dir: &Path, options: &OpenOptions) -> Result<(Box<dyn Log>, OpenReport), StoreError> {
        Ok(match self {
            Self::Segments => boxed(SegmentLog::open(dir, options)?),
            Self::Sled => boxed(SledLog::open(dir, options)?),
        })
    }

    /// Opens the log in `dir` after an append failed in this process and the log was dropped.
    pub fn reopen_after_failure(
        self,
        dir: &Path,
        options: &OpenOptions,
        known_durable: &DurablePoint,
    ) -> Result<(Box<dyn Log>, OpenReport), StoreError> {
        Ok(match self {
            Self::Segments => boxed(SegmentLog::reopen_after_failure(dir, options, known_durable)?),
            Self::Sled => boxed(SledLog::reopen_after_failure(dir, options, known_durable)?),
        })
    }
}

fn boxed<L: Log + 'static>((log, report): (L, OpenReport)) -> (Box<dyn Log>, OpenReport) {
    (Box::new(log), report)
}
