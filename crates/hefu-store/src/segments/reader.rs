//! Reading committed records out of segments, beside the writer and after it.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::sparse::{SPACING, Sparse};
use super::walk::{FIRST_FRAME, Step, Stop, Walk};
use crate::disk::{Disk, DiskFile};
use crate::log::owned;
use crate::{CommitRef, LogReader, Record, RecordRef, StoreError};

/// Bytes read at a time when everything is wanted, and when one record is.
const SCAN_CHUNK: usize = 1 << 20;
const GET_CHUNK: usize = 32 << 10;

/// A segment as readers know it.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) base: u64,
    pub(super) path: PathBuf,
    /// Where its last commit ends. Raised by the writer only, before the size that makes it visible.
    pub(super) end: AtomicU64,
    /// A lock because any reader may extend the notes; held while it walks, so that two do not walk the same.
    sparse: Mutex<Sparse>,
}

impl Segment {
    pub(super) fn new(base: u64, path: PathBuf, end: u64) -> Self {
        let sparse = Mutex::new(Sparse::new(base, FIRST_FRAME));
        Self { base, path, end: AtomicU64::new(end), sparse }
    }

    pub(super) fn sparse(&self) -> MutexGuard<'_, Sparse> {
        self.sparse.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// A place at or before `position`, near to it; the notes are extended as far as needed.
    fn near(&self, file: &dyn DiskFile, position: u64) -> Result<(u64, u64), StoreError> {
        let mut sparse = self.sparse();
        if sparse.reached().0 <= position {
            let mut walk = Walk::new(file, &self.path, sparse.reached(), self.end(), SCAN_CHUNK);
            loop {
                match walk.step()? {
                    Step::Record { offset, record } => {
                        if !record.command.is_empty() {
                            sparse.note(record.position, offset);
                        }
                        if record.position > position {
                            sparse.reach(record.position, offset);
                            break;
                        }
                    }
                    Step::Commit { .. } => {}
                    // Damage is for the read that meets it: what lies before can still be read.
                    Step::Stop(_) => {
                        sparse.reach(walk.position(), walk.place());
                        break;
                    }
                }
            }
        }
        Ok(sparse.nearest(position))
    }
}

/// What is committed at one moment.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// Oldest first, never empty.
    pub(super) segments: Arc<[Arc<Segment>]>,
    pub(super) size: u64,
    pub(super) last: Option<CommitRef>,
}

/// The reader. The lock is held for copying a few words only, never during a read or a sync.
#[derive(Debug)]
pub(super) struct SegmentReader {
    disk: Arc<dyn Disk>,
    view: RwLock<View>,
}

impl SegmentReader {
    pub(super) fn new(disk: Arc<dyn Disk>, view: View) -> Self {
        Self { disk, view: RwLock::new(view) }
    }

    pub(super) fn view(&self) -> View {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shows the next state; called by the writer once it is durable.
    pub(super) fn publish(&self, change: impl FnOnce(&mut View)) {
        change(&mut self.view.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// The base of the segment that holds `position`, which is below the size.
    pub(super) fn base_of(&self, position: u64) -> u64 {
        Self::holding(&self.view(), position).1.base
    }

    fn open(&self, path: &Path) -> Result<Box<dyn DiskFile>, StoreError> {
        self.disk.open(path).map_err(StoreError::at("open", path))
    }

    /// The segment that holds `position`, which is below the size.
    fn holding(view: &View, position: u64) -> (usize, &Arc<Segment>) {
        let after = view.segments.partition_point(|segment| segment.base <= position);
        let at = after.saturating_sub(1);
        (at, &view.segments[at])
    }

    /// The record at `wanted` of `segment`, and where the nearest command at or before it is.
    fn find(
        segment: &Segment,
        file: &dyn DiskFile,
        from: (u64, u64),
        wanted: u64,
    ) -> Result<(Record, (u64, u64)), StoreError> {
        let mut walk = Walk::new(file, &segment.path, from, segment.end(), GET_CHUNK);
        let mut command_at = from;
        loop {
            match walk.step()? {
                Step::Record { offset, record } => {
                    if !record.command.is_empty() {
                        command_at = (record.position, offset);
                    }
                    if record.position == wanted {
                        return Ok((owned(record), command_at));
                    }
                }
                Step::Commit { .. } => {}
                Step::Stop(stop) => return Err(located(segment, &walk, stop)),
            }
        }
    }
}

impl LogReader for SegmentReader {
    fn size(&self) -> u64 {
        self.view().size
    }

    fn scan(
        &self,
        from: u64,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let view = self.view();
        if from >= view.size {
            return Ok(());
        }
        let (at, _) = Self::holding(&view, from);
        for (n, segment) in view.segments.iter().enumerate().skip(at) {
            // The end may have moved on since the view was taken; the size says where to stop.
            let next = view.segments.get(n + 1).map_or(view.size, |next| next.base);
            if next == segment.base {
                continue;
            }
            let file = self.open(&segment.path)?;
            let start = if from <= segment.base {
                (segment.base, FIRST_FRAME)
            } else {
                segment.near(file.as_ref(), from)?
            };
            let mut walk = Walk::new(file.as_ref(), &segment.path, start, segment.end(), SCAN_CHUNK);
            let (mut seen, mut noted) = (Vec::new(), start.1);
            loop {
                match walk.step()? {
                    Step::Record { offset, record } => {
                        let place = (record.position, offset);
                        if !record.command.is_empty() && offset >= noted + SPACING {
                            seen.push(place);
                            noted = offset;
                        }
                        if record.position >= from && visit(record).is_break() {
                            // Whoever reads in steps finds the next one without walking here again.
                            segment.sparse().follow(start.0, &seen, place);
                            return Ok(());
                        }
                    }
                    Step::Commit { commit, .. } if commit.first + u64::from(commit.count) == next => break,
                    Step::Commit { .. } => {}
                    Step::Stop(stop) => return Err(located(segment, &walk, stop)),
                }
            }
        }
        Ok(())
    }

    fn get(&self, position: u64) -> Result<Option<Record>, StoreError> {
        let view = self.view();
        if position >= view.size {
            return Ok(None);
        }
        let (_, segment) = Self::holding(&view, position);
        let file = self.open(&segment.path)?;
        let near = segment.near(file.as_ref(), position)?;
        let (mut record, command_at) = Self::find(segment, file.as_ref(), near, position)?;
        if record.command.is_empty() && record.redacted_by.is_none() && command_at.0 < position {
            record.command = Self::find(segment, file.as_ref(), command_at, command_at.0)?.0.command;
        }
        Ok(Some(record))
    }

    fn get_later(&self, position: u64) -> Result<Option<Record>, StoreError> {
        let view = self.view();
        let folder = view.segments[0].path.parent().filter(|_| position >= view.size);
        match folder {
            Some(folder) => super::open::reader_of(self.disk.clone(), folder)?.get(position),
            None => self.get(position),
        }
    }

    fn commit_at(&self, position: u64) -> Result<Option<CommitRef>, StoreError> {
        let view = self.view();
        if position >= view.size {
            return Ok(None);
        }
        if let Some(last) = view.last.filter(|last| last.first <= position) {
            return Ok(Some(last));
        }
        let (_, segment) = Self::holding(&view, position);
        let file = self.open(&segment.path)?;
        let near = segment.near(file.as_ref(), position)?;
        let mut walk = Walk::new(file.as_ref(), &segment.path, near, segment.end(), GET_CHUNK);
        loop {
            match walk.step()? {
                Step::Commit { commit, .. } => {
                    let commit = commit_ref(&commit);
                    if commit.end() > position {
                        return Ok(Some(commit));
                    }
                }
                Step::Record { .. } => {}
                Step::Stop(stop) => return Err(located(segment, &walk, stop)),
            }
        }
    }

    fn last_commit(&self) -> Option<CommitRef> {
        self.view().last
    }
}

pub(super) fn commit_ref(commit: &hefu_chain::frame::Commit) -> CommitRef {
    CommitRef { first: commit.first, count: commit.count, head: commit.head, signature: commit.signature }
}

fn located(segment: &Segment, walk: &Walk<'_>, stop: Stop) -> StoreError {
    StoreError::damaged(&segment.path, walk.place(), walk.position(), stop.why())
}
