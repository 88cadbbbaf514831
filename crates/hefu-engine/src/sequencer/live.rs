//! Looking at a ledger while it is written: where its log is, how far it has come, how it was.

use std::sync::{Arc, PoisonError, RwLock};

use hefu_chain::{chain::ChainContext, hash::ChainHash, leaf::LeafRef};
use hefu_domain::time::Timestamp;
use hefu_store::LogReader;

use super::Engine;
use crate::{
    answer::EngineError,
    indexer::current,
    reader::{self, Reader},
};

type Listener = Box<dyn Fn(u64) + Send + Sync>;

/// Who is told how many records are published.
#[derive(Default)]
pub(super) struct Listeners(RwLock<Vec<Listener>>);

impl Listeners {
    /// So many are.
    pub(super) fn tell(&self, size: u64) {
        for listener in self.0.read().unwrap_or_else(PoisonError::into_inner).iter() {
            listener(size);
        }
    }
}

impl Engine {
    /// Tells how many records are published, now and after each commit, on the writer's thread: what is told must be
    /// taken in a moment. Those who submitted are answered afterwards.
    pub fn on_growth(&self, listener: impl Fn(u64) + Send + Sync + 'static) {
        let mut listeners = self.listeners.0.write().unwrap_or_else(PoisonError::into_inner);
        listener(self.log().size());
        listeners.push(Box::new(listener));
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

    /// The chain head after the first `size` records, and the instant of the last of them.
    pub fn known_at(&self, size: u64) -> Result<(ChainHash, Timestamp), EngineError> {
        let last = size.saturating_sub(1);
        let bad = EngineError::bad_record(last);
        let record = self.log().get(last)?;
        let record = record.ok_or_else(|| bad("it is missing".to_owned()))?;
        let leaf = LeafRef::parse(&record.leaf).map_err(|error| bad(error.to_string()))?;
        let ts = leaf.ts.parse().map_err(|_| bad("its instant cannot be read".to_owned()))?;
        Ok((ChainContext::new(&self.origin).link(&record.leaf), ts))
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
