//! Looking at a ledger while it is written: where its log is, how far it has come, how it was.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use hefu_chain::hash::ChainHash;
use hefu_domain::time::Timestamp;
use hefu_store::LogReader;

use super::Engine;
use crate::{
    answer::EngineError,
    indexer::current,
    reader::{self, Reader},
};

/// How many records are published, for those who wait for more.
#[derive(Debug, Default)]
pub struct Progress {
    size: Mutex<u64>,
    grown: Condvar,
}

impl Progress {
    /// So many are.
    pub(super) fn note(&self, size: u64) {
        let mut known = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != size {
            *known = size;
            self.grown.notify_all();
        }
    }

    /// Waits until there are more than `known`, at most so long; gives how many there are.
    pub fn wait(&self, known: u64, at_most: Duration) -> u64 {
        let size = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.grown.wait_timeout_while(size, at_most, |size| *size <= known);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Engine {
    /// How far it has come.
    pub fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }

    /// The log as it is read now. Ask again after a while: the writer may have had to open it anew.
    pub fn log(&self) -> Arc<dyn LogReader> {
        current(&self.desk.log)
    }

    /// The chain head after the first `size` records, where a commit ends.
    pub fn head(&self, size: u64) -> Result<ChainHash, EngineError> {
        let last = size
            .checked_sub(1)
            .ok_or_else(|| EngineError::Internal("an empty log has no head".to_owned()))?;
        let commit = self.log().commit_at(last)?;
        let commit = commit.filter(|commit| commit.end() == size);
        commit
            .map(|commit| ChainHash(commit.head))
            .ok_or_else(|| EngineError::bad_record(last)("no commit ends with it".to_owned()))
    }

    /// The ledger as known after its first `size` records: a fold of its own, from a snapshot where one serves.
    pub fn as_of_size(&self, size: u64) -> Result<Reader, EngineError> {
        Reader::at(&self.desk.dir, self.log(), Some(size))
    }

    /// How many records were known at an instant.
    pub fn size_at(&self, instant: Timestamp) -> Result<u64, EngineError> {
        reader::size_at(&*self.log(), instant)
    }
}
