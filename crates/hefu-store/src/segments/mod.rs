//! The log of record: zero-filled files of checksummed frames, closed by a commit frame, one fdatasync per commit.
//!
//! The bytes are those of `docs/FORMAT.md`, section 6. What survives a crash: everything up to the last `Ok` of
//! `append`, and of the batch after it all or nothing. The writer refuses to go on after a failure: what a failed
//! sync left behind is only known after reopening. It verifies no hash; that is the owner's and the verifier's task.

mod names;
mod open;
mod reader;
mod reopen;
mod sparse;
mod walk;
mod window;
mod withhold;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hefu_chain::frame::{self, COMMIT_FRAME_LEN, Commit, FileHeader};

use crate::disk::{Disk, DiskFile, RealDisk};
use crate::log::{borrowed, check_batch, check_withhold};
use crate::{
    CommitInfo, CommitRef, DirLock, DurablePoint, Log, LogReader, OpenOptions, OpenReport, Record,
    StoreError, Withhold,
};
use reader::{Segment, SegmentReader};
use walk::FIRST_FRAME;

/// Space prepared ahead: the first step, then doubling up to the last. A tiny ledger stays tiny, and a busy one pays
/// for journalling its extents once in hundreds of commits. A last step of 8 MiB is no faster (`examples/log_speed`),
/// but whoever extends then waits 25 ms instead of 4.
const FIRST_STEP: u64 = 64 << 10;
const LAST_STEP: u64 = 1 << 20;
/// A batch as large as this prepares nothing ahead: its sync costs more than the extents, and writing every byte
/// twice would cost most of all.
const LARGE_BATCH: u64 = 64 << 10;
/// A buffer larger than this is given back after the append.
const KEPT_BUFFER: usize = 8 << 20;
static ZEROS: [u8; 16 << 10] = [0; 16 << 10];

/// A segment file as far as it is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedFile {
    /// Its name in `segments/`.
    pub name: String,
    /// Where its last commit ends; what follows does not count.
    pub len: u64,
}

/// The writer of the log of record.
#[derive(Debug)]
pub struct SegmentLog {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    segment_bytes: u64,
    lock: Option<Arc<DirLock>>,
    reader: Arc<SegmentReader>,
    file: Box<dyn DiskFile>,
    current: Arc<Segment>,
    size: u64,
    head: [u8; 32],
    /// Where the last commit ends in the current file.
    end: u64,
    /// Length of the current file; from `end` on it is zeros that are durable.
    prepared: u64,
    step: u64,
    buf: Vec<u8>,
    poisoned: bool,
}

impl SegmentLog {
    /// Creates an empty log in `dir` that starts from `prev_head_start`, `C(−1)`.
    pub fn create(dir: &Path, prev_head_start: [u8; 32], options: &OpenOptions) -> Result<Self, StoreError> {
        let disk = RealDisk;
        disk.create_dir(dir).map_err(StoreError::at("create", dir))?;
        let options = options.locked(dir)?;
        Self::create_on(Arc::new(disk), dir, prev_head_start, &options)
    }

    /// Opens the log in `dir`; what it finds is durable before it is shown.
    pub fn open(dir: &Path, options: &OpenOptions) -> Result<(Self, OpenReport), StoreError> {
        let options = options.locked(dir)?;
        Self::open_on(Arc::new(RealDisk), dir, &options)
    }

    /// Opens the log in `dir` after an append failed in this process and the log was dropped.
    ///
    /// A page that failed to sync may still read back from the cache, so what is beyond `known_durable` is copied to
    /// a new segment and synced there before it counts.
    pub fn reopen_after_failure(
        dir: &Path,
        options: &OpenOptions,
        known_durable: &DurablePoint,
    ) -> Result<(Self, OpenReport), StoreError> {
        let options = options.locked(dir)?;
        Self::reopen_after_failure_on(Arc::new(RealDisk), dir, &options, known_durable)
    }

    /// A reader of what is committed in `dir` now. Takes no lock and changes nothing, so a writer may be at work; what
    /// follows the last whole batch is not judged.
    pub fn open_reader(dir: &Path) -> Result<Arc<dyn LogReader>, StoreError> {
        Ok(Arc::new(open::open_reader(Arc::new(RealDisk), dir)?))
    }

    /// What is committed in `dir` now: a reader of it, and the files it is in, oldest first. For copying beside a writer.
    pub fn committed(dir: &Path) -> Result<(Arc<dyn LogReader>, Vec<CommittedFile>), StoreError> {
        let reader = open::open_reader(Arc::new(RealDisk), dir)?;
        let file = |segment: &Arc<Segment>| CommittedFile {
            name: segment.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            len: segment.end(),
        };
        let files = reader.view().segments.iter().map(file).collect();
        let log: Arc<dyn LogReader> = Arc::new(reader);
        Ok((log, files))
    }

    /// `create` on any disk; takes no lock.
    pub fn create_on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        prev_head_start: [u8; 32],
        options: &OpenOptions,
    ) -> Result<Self, StoreError> {
        let folder = dir.join(names::FOLDER);
        disk.create_dir(&folder).map_err(StoreError::at("create", &folder))?;
        let found = disk.list(&folder).map_err(StoreError::at("list", &folder))?;
        if found.iter().any(|name| names::base(name).is_some()) {
            return Err(StoreError::Exists { path: folder });
        }
        let header = FileHeader { base: 0, prev_head: prev_head_start };
        new_segment(disk.as_ref(), &folder, &header, &[])?;
        // The directory itself may be new too: its name and that of the folder must last as long as the file.
        for outer in [Some(dir), dir.parent()].into_iter().flatten() {
            let outer = if outer.as_os_str().is_empty() { Path::new(".") } else { outer };
            disk.sync_dir(outer).map_err(StoreError::at("sync", outer))?;
        }
        Ok(Self::open_on(disk, dir, options)?.0)
    }

    /// `open` on any disk; takes no lock.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: &OpenOptions,
    ) -> Result<(Self, OpenReport), StoreError> {
        open::open(disk, dir, options)
    }

    /// `reopen_after_failure` on any disk; takes no lock.
    pub fn reopen_after_failure_on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: &OpenOptions,
        known_durable: &DurablePoint,
    ) -> Result<(Self, OpenReport), StoreError> {
        let mut report = reopen::secure(disk.as_ref(), dir, known_durable)?;
        let (log, opened) = open::open(disk, dir, options)?;
        report.torn.extend(opened.torn);
        report.torn_bytes += opened.torn_bytes;
        report.removed.extend(opened.removed);
        Ok((log, report))
    }

    /// The lock of the directory, to keep it over a reopening.
    pub fn lock(&self) -> Option<Arc<DirLock>> {
        self.lock.clone()
    }

    /// Encodes the batch into `buf`, all but its commit, whose offset is not known yet.
    fn encode(&mut self, records: &[Record]) -> Result<(), StoreError> {
        self.buf.clear();
        for record in records {
            frame::encode_record(&mut self.buf, &borrowed(record))?;
        }
        Ok(())
    }

    /// Writes and syncs the batch in `buf`. After an error the tail is unknown.
    fn write(&mut self, commit: &CommitRef) -> Result<(), StoreError> {
        let len = (self.buf.len() + COMMIT_FRAME_LEN) as u64;
        if self.end > FIRST_FRAME && self.end + len > self.segment_bytes {
            self.roll()?;
        }
        let CommitRef { first, count, head, signature } = *commit;
        frame::encode_commit(
            &mut self.buf,
            &Commit { first, count, batch_offset: self.end, head, signature },
        );
        let place = |op| StoreError::at(op, &self.current.path);
        self.file.write_at(&self.buf, self.end).map_err(place("write"))?;
        let end = self.end + len;
        if end > self.prepared {
            self.prepared = end;
            if len < LARGE_BATCH {
                let ahead = (end + self.step).next_multiple_of(4096).min(self.segment_bytes.max(end));
                write_zeros(self.file.as_ref(), end, ahead).map_err(place("extend"))?;
                self.prepared = ahead;
                self.step = (self.step * 2).min(LAST_STEP);
            }
        }
        self.file.sync_data().map_err(place("sync"))?;
        self.end = end;
        Ok(())
    }

    /// Seals the current segment at its last commit and begins the next. Nothing counts less if this stops midway.
    fn roll(&mut self) -> Result<(), StoreError> {
        let place = |op| StoreError::at(op, &self.current.path);
        self.file.set_len(self.end).map_err(place("seal"))?;
        self.file.sync_all().map_err(place("sync"))?;
        let header = FileHeader { base: self.size, prev_head: self.head };
        let (path, len) = new_segment(self.disk.as_ref(), &self.folder, &header, &[])?;
        self.file = self.disk.open(&path).map_err(StoreError::at("open", &path))?;
        self.current = Arc::new(Segment::new(self.size, path, FIRST_FRAME));
        self.end = FIRST_FRAME;
        self.prepared = len;
        self.reader.publish(|view| {
            view.segments = view.segments.iter().cloned().chain([self.current.clone()]).collect();
        });
        Ok(())
    }

    /// Notes where the records of the batch are and lets readers see them.
    fn publish(&mut self, records: &[Record], commit: CommitRef) {
        let mut offset = self.end - self.buf.len() as u64;
        let mut sparse = self.current.sparse();
        for record in records {
            if !record.command.is_empty() {
                sparse.note(record.position, offset);
            }
            offset += frame::record_frame_len(&borrowed(record)) as u64;
        }
        sparse.reach(commit.end(), self.end);
        drop(sparse);
        self.size = commit.end();
        self.head = commit.head;
        self.current.end.store(self.end, Ordering::Release);
        self.reader.publish(|view| {
            view.size = commit.end();
            view.last = Some(commit);
        });
        if self.buf.capacity() > KEPT_BUFFER {
            self.buf = Vec::new();
        }
    }
}

impl Log for SegmentLog {
    fn size(&self) -> u64 {
        self.size
    }

    fn append(&mut self, records: &[Record], commit: &CommitInfo) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        let commit = check_batch(self.size, records, commit)?;
        self.encode(records)?;
        self.poisoned = true;
        self.write(&commit)?;
        self.poisoned = false;
        self.publish(records, commit);
        Ok(())
    }

    fn reader(&self) -> Arc<dyn LogReader> {
        self.reader.clone()
    }

    fn durable_point(&self) -> DurablePoint {
        DurablePoint { size: self.size, head: self.head, segment: self.current.base, offset: self.end }
    }

    fn can_withhold(&self) -> bool {
        true
    }

    fn withhold(&mut self, what: &Withhold) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        check_withhold(self.size, what)?;
        self.poisoned = true;
        // Only a sealed file is written anew as a whole: nothing is appended to it meanwhile.
        if what.position >= self.current.base {
            self.roll()?;
        }
        let base = self.reader.base_of(what.position);
        withhold::rewrite(self.disk.as_ref(), &self.folder, base, what)?;
        self.poisoned = false;
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        self.file.sync_all().map_err(StoreError::at("sync", &self.current.path))
    }
}

/// Makes the segment of `header` with `frames` in it, durable under its name before this returns, over an old one of
/// that name if there is one. Returns its path and length.
fn new_segment(
    disk: &dyn Disk,
    folder: &Path,
    header: &FileHeader,
    frames: &[u8],
) -> Result<(PathBuf, u64), StoreError> {
    let (path, len) = write_unfinished(disk, folder, header, frames)?;
    finish(disk, folder, header.base)?;
    Ok((path, len))
}

/// The first half of `new_segment`: whole and durable, under a name that does not count.
fn write_unfinished(
    disk: &dyn Disk,
    folder: &Path,
    header: &FileHeader,
    frames: &[u8],
) -> Result<(PathBuf, u64), StoreError> {
    let path = names::unfinished(folder, header.base);
    let file = disk.create(&path).map_err(StoreError::at("create", &path))?;
    let mut bytes = header.encode().to_vec();
    bytes.extend_from_slice(frames);
    let len = (bytes.len() as u64).next_multiple_of(FIRST_STEP);
    file.write_at(&bytes, 0).map_err(StoreError::at("write", &path))?;
    write_zeros(file.as_ref(), bytes.len() as u64, len).map_err(StoreError::at("extend", &path))?;
    file.sync_all().map_err(StoreError::at("sync", &path))?;
    Ok((names::segment(folder, header.base), len))
}

/// The second half: the name that counts.
fn finish(disk: &dyn Disk, folder: &Path, base: u64) -> Result<(), StoreError> {
    let (from, to) = (names::unfinished(folder, base), names::segment(folder, base));
    disk.rename(&from, &to).map_err(StoreError::at("rename", &from))?;
    disk.sync_dir(folder).map_err(StoreError::at("sync", folder))
}

/// Zeros from `from` to `to`, really written: a hole would cost a journal commit when it is filled.
fn write_zeros(file: &dyn DiskFile, from: u64, to: u64) -> std::io::Result<()> {
    let mut at = from;
    while at < to {
        let len = usize::try_from(to - at).unwrap_or(ZEROS.len()).min(ZEROS.len());
        file.write_at(&ZEROS[..len], at)?;
        at += len as u64;
    }
    Ok(())
}
