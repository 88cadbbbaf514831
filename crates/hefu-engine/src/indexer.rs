//! Keeps the sled index behind the log: streams, types and categories. A commit never waits for it, opening neither;
//! whatever happens to it, it is moved aside and built again from the log.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use hefu_chain::{chain::ChainContext, leaf::LeafRef, origin::Origin};
use hefu_store::{
    LogReader,
    index::{Index, IndexEntry, IndexError},
};

use crate::{answer::EngineError, open::index_folder};

/// Records in one step: a stream that has many of them is touched once.
const STEP: usize = 65_536;
/// How often the log is looked at.
const PAUSE: Duration = Duration::from_millis(250);
/// At a stop, at most this much is still indexed; the rest waits for the next opening.
const LAST_STEP: u64 = 200_000;

/// The log's reader, replaced when the writer had to open the log again.
pub(crate) type SharedReader = Arc<RwLock<Arc<dyn LogReader>>>;

pub(crate) fn current(log: &SharedReader) -> Arc<dyn LogReader> {
    log.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The thread that feeds the index.
pub(crate) struct Indexer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Indexer {
    pub(crate) fn start(dir: &Path, log: SharedReader, origin: &Origin) -> Result<Indexer, EngineError> {
        let stop = Arc::new(AtomicBool::new(false));
        let (flag, folder, chain) = (stop.clone(), index_folder(dir), ChainContext::new(origin));
        let thread = thread::Builder::new().name("hefu-index".to_owned()).spawn(move || {
            if let Err(error) = run(&folder, &log, &chain, &flag) {
                tracing::warn!(%error, "the index is not kept up; it is rebuilt at the next start");
            }
        });
        Ok(Indexer { stop, thread: thread.map_err(EngineError::file("start a thread for", dir))? })
    }

    /// Lets it finish what is left, within bounds.
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        let _ = self.thread.join();
    }
}

fn run(folder: &Path, log: &SharedReader, chain: &ChainContext, stop: &AtomicBool) -> Result<(), IndexError> {
    let mut index = open_index(folder, &*current(log), chain)?;
    loop {
        let stopping = stop.load(Ordering::Acquire);
        let log = current(log);
        let behind = log.size().saturating_sub(index.applied().0);
        if behind == 0 || (stopping && behind > LAST_STEP) {
            if stopping {
                return index.close();
            }
            thread::park_timeout(PAUSE);
        } else if !catch_up(&mut index, &*log, chain)? {
            return index.close();
        }
    }
}

/// The index of this very log, or an empty one.
pub(crate) fn open_index(
    folder: &Path,
    log: &dyn LogReader,
    chain: &ChainContext,
) -> Result<Index, IndexError> {
    let (index, rebuilt) = Index::open_or_rebuild(folder)?;
    if let Some(reason) = rebuilt {
        tracing::warn!(?reason, "the index was unusable and is rebuilt from the log");
    }
    let (size, head) = index.applied();
    if size == 0 || log_head(log, chain, size) == Some(head) {
        return Ok(index);
    }
    tracing::warn!(size, "the index belongs to another history and is rebuilt from the log");
    index.close()?;
    let aside = PathBuf::from(format!("{}.other", folder.display()));
    let _ = std::fs::remove_dir_all(&aside);
    let _ = std::fs::rename(folder, &aside);
    Index::open_or_rebuild(folder).map(|(index, _)| index)
}

fn log_head(log: &dyn LogReader, chain: &ChainContext, size: u64) -> Option<[u8; 32]> {
    let last = log.get(size.checked_sub(1)?).ok().flatten()?;
    Some(chain.link(&last.leaf).0)
}

/// One step. `false` if the log cannot be read on.
pub(crate) fn catch_up(
    index: &mut Index,
    log: &dyn LogReader,
    chain: &ChainContext,
) -> Result<bool, IndexError> {
    let from = index.applied().0;
    let mut leaves: Vec<Vec<u8>> = Vec::new();
    let read = log.scan(from, &mut |record| {
        leaves.push(record.leaf.to_vec());
        if leaves.len() < STEP { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let Some(last) = leaves.last() else { return Ok(false) };
    if read.is_err() {
        return Ok(false);
    }
    let head = chain.link(last).0;
    let parsed: Vec<LeafRef<'_>> = leaves.iter().filter_map(|leaf| LeafRef::parse(leaf).ok()).collect();
    let entries: Vec<IndexEntry<'_>> = parsed
        .iter()
        .map(|leaf| IndexEntry { position: leaf.seq, stream: leaf.stream, kind: leaf.kind })
        .collect();
    index.apply(&entries, from + leaves.len() as u64, head)?;
    Ok(true)
}
