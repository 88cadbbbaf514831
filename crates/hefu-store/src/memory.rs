//! A log that lives in memory: the contract without a disk, for tests. Nothing survives the process.

use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::log::{borrowed, check_batch, check_withhold, fill_command};
use crate::{CommitInfo, CommitRef, DurablePoint, Log, LogReader, Record, RecordRef, StoreError, Withhold};

/// See the module.
#[derive(Debug)]
pub struct MemoryLog {
    start: [u8; 32],
    shared: Arc<Shared>,
}

/// Written by the log only; a lock because a reader may scan while the writer appends.
#[derive(Debug, Default)]
struct Shared(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    records: Vec<Record>,
    commits: Vec<CommitRef>,
}

impl MemoryLog {
    /// An empty log that starts from `prev_head_start`.
    pub fn new(prev_head_start: [u8; 32]) -> Self {
        Self { start: prev_head_start, shared: Arc::default() }
    }
}

impl Shared {
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log for MemoryLog {
    fn size(&self) -> u64 {
        self.shared.size()
    }

    fn append(&mut self, records: &[Record], commit: &CommitInfo) -> Result<(), StoreError> {
        let commit = check_batch(self.size(), records, commit)?;
        let mut state = self.shared.0.write().unwrap_or_else(PoisonError::into_inner);
        state.records.extend_from_slice(records);
        state.commits.push(commit);
        Ok(())
    }

    fn reader(&self) -> Arc<dyn LogReader> {
        self.shared.clone()
    }

    fn durable_point(&self) -> DurablePoint {
        let head = self.shared.last_commit().map_or(self.start, |commit| commit.head);
        DurablePoint { size: self.size(), head, segment: 0, offset: 0 }
    }

    fn can_withhold(&self) -> bool {
        true
    }

    fn withhold(&mut self, what: &Withhold) -> Result<(), StoreError> {
        check_withhold(self.size(), what)?;
        let mut state = self.shared.0.write().unwrap_or_else(PoisonError::into_inner);
        for record in state.records.iter_mut().filter(|record| what.siblings.contains(&record.position)) {
            if record.position == what.position {
                record.body.clear();
            } else if record.redacted_by.is_some() {
                continue;
            }
            record.command.clear();
            record.redacted_by = Some(what.by);
        }
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

impl LogReader for Shared {
    fn size(&self) -> u64 {
        self.read().records.len() as u64
    }

    fn scan(
        &self,
        from: u64,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let state = self.read();
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        for record in state.records.iter().skip(from) {
            if visit(borrowed(record)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn get(&self, position: u64) -> Result<Option<Record>, StoreError> {
        let state = self.read();
        let at = |position: u64| usize::try_from(position).ok().and_then(|at| state.records.get(at)).cloned();
        fill_command(position, |position| Ok(at(position)))
    }

    fn commit_at(&self, position: u64) -> Result<Option<CommitRef>, StoreError> {
        let state = self.read();
        let after = state.commits.partition_point(|commit| commit.end() <= position);
        Ok(state.commits.get(after).copied())
    }

    fn last_commit(&self) -> Option<CommitRef> {
        self.read().commits.last().copied()
    }
}
