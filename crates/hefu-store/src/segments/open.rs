//! Opening: which bytes count, which were torn by a crash, and which are damage that must not be written over.
//!
//! Sealed segments are checked at both ends only, the last one whole. A torn tail is moved aside, never cut silently.
//! Whatever is shown afterwards is durable: the last batch is written once more and synced, because the process that
//! wrote it may have died after its sync failed, with the pages still in the cache.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hefu_chain::frame::{self, COMMIT_FRAME_LEN, FileHeader, HEADER_LEN, Item, Parsed, Scanner};

use super::reader::{Segment, SegmentReader, View, commit_ref};
use super::walk::{FIRST_FRAME, Step, Stop, Walk};
use super::{FIRST_STEP, SegmentLog, ZEROS, names};
use crate::disk::{Disk, DiskFile};
use crate::{CommitRef, KnownHead, LogReader, OpenOptions, OpenReport, StoreError};

const CHUNK: usize = 1 << 20;

pub(super) fn open(
    disk: Arc<dyn Disk>,
    dir: &Path,
    options: &OpenOptions,
) -> Result<(SegmentLog, OpenReport), StoreError> {
    let folder = dir.join(names::FOLDER);
    let mut report = OpenReport::default();
    let listed = list(disk.as_ref(), &folder)?;
    let segments = sealed_segments(disk.as_ref(), &folder, &listed)?;

    let (base, path, start) = (segments.last.base, segments.last.path, segments.last.start);
    let file = disk.open(&path).map_err(StoreError::at("open", &path))?;
    let current = Arc::new(Segment::new(base, path.clone(), FIRST_FRAME));
    let Tail { walked: tail, residue } = read_last(file.as_ref(), &current, segments.last_commit)?;
    current.end.store(tail.end, Ordering::Release);

    let view = View {
        segments: segments.sealed.into_iter().chain([current.clone()]).collect(),
        size: tail.size,
        last: tail.commit,
    };
    let reader = Arc::new(SegmentReader::new(disk.clone(), view));
    let head = tail.commit.map_or(start.prev_head, |commit| commit.head);
    if let Some(known) = &options.head {
        hold_against(known, &tail, &residue, &path, reader.as_ref(), segments.origin)?;
    }

    // Nothing was changed so far; from here on the directory is ours to repair.
    for name in listed.iter().filter(|name| names::is_unfinished(name)) {
        let unfinished = folder.join(name);
        disk.remove(&unfinished).map_err(StoreError::at("remove", &unfinished))?;
        report.removed.push(unfinished);
    }
    let mut prepared = file.len().map_err(StoreError::at("read", &path))?;
    if !residue.is_empty() {
        let torn = set_aside(disk.as_ref(), &folder, base, &listed, &residue)?;
        report.torn.push(torn);
        report.torn_bytes = residue.len() as u64;
        file.set_len(tail.end).map_err(StoreError::at("cut", &path))?;
        prepared = tail.end;
    }
    let clean = options.head.is_some_and(|head| head.clean && head.size == tail.size);
    if !clean {
        rewrite(file.as_ref(), &path, tail.batch, tail.end)?;
    }
    file.sync_all().map_err(StoreError::at("sync", &path))?;
    disk.sync_dir(&folder).map_err(StoreError::at("sync", &folder))?;

    let log = SegmentLog {
        disk,
        folder,
        segment_bytes: options.segment_bytes,
        lock: options.lock.clone(),
        reader,
        file,
        current,
        size: tail.size,
        head,
        end: tail.end,
        prepared,
        step: FIRST_STEP,
        buf: Vec::new(),
        poisoned: false,
    };
    Ok((log, report))
}

/// A reader of what is committed now, without a lock and without changing anything: a writer may be at work.
pub(super) fn open_reader(disk: Arc<dyn Disk>, dir: &Path) -> Result<SegmentReader, StoreError> {
    reader_of(disk, &dir.join(names::FOLDER))
}

/// The same, by the folder of segments.
pub(super) fn reader_of(disk: Arc<dyn Disk>, folder: &Path) -> Result<SegmentReader, StoreError> {
    let listed = list(disk.as_ref(), folder)?;
    let Segments { sealed, last, last_commit, .. } = sealed_segments(disk.as_ref(), folder, &listed)?;
    let file = disk.open(&last.path).map_err(StoreError::at("open", &last.path))?;
    let current = Arc::new(Segment::new(last.base, last.path, FIRST_FRAME));
    let walked = walk_last(file.as_ref(), &current, last_commit)?;
    current.end.store(walked.end, Ordering::Release);
    let segments = sealed.into_iter().chain([current]).collect();
    Ok(SegmentReader::new(disk, View { segments, size: walked.size, last: walked.commit }))
}

/// The names in the folder of segments.
pub(super) fn list(disk: &dyn Disk, folder: &Path) -> Result<Vec<String>, StoreError> {
    let listed = disk.list(folder).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => StoreError::Missing { path: folder.to_path_buf() },
        _ => StoreError::at("list", folder)(source),
    })?;
    if listed.iter().any(|name| names::base(name).is_some()) {
        Ok(listed)
    } else {
        Err(StoreError::Missing { path: folder.to_path_buf() })
    }
}

/// The bases of the segments among `listed`, ascending.
pub(super) fn bases(listed: &[String]) -> Vec<u64> {
    let mut bases: Vec<u64> = listed.iter().filter_map(|name| names::base(name)).collect();
    bases.sort_unstable();
    bases
}

/// The header of an open segment.
pub(super) fn header(file: &dyn DiskFile, path: &Path, base: u64) -> Result<FileHeader, StoreError> {
    let mut bytes = [0; HEADER_LEN];
    let got = file.read_at(&mut bytes, 0).map_err(StoreError::at("read", path))?;
    let header = FileHeader::parse(&bytes[..got])
        .map_err(|why| StoreError::damaged(path, 0, base, why.to_string()))?;
    if header.base != base {
        return Err(StoreError::damaged(path, 8, base, "the name and the header say different positions"));
    }
    Ok(header)
}

struct Segments {
    sealed: Vec<Arc<Segment>>,
    last: Last,
    /// The commit the last segment continues from.
    last_commit: Option<CommitRef>,
    /// `C(−1)`.
    origin: [u8; 32],
}

struct Last {
    base: u64,
    path: PathBuf,
    start: FileHeader,
}

/// Checks names and headers, and that each sealed segment ends where the next begins.
fn sealed_segments(disk: &dyn Disk, folder: &Path, listed: &[String]) -> Result<Segments, StoreError> {
    let bases = bases(listed);
    let mut sealed = Vec::with_capacity(bases.len());
    let mut before: Option<CommitRef> = None;
    let mut origin = [0; 32];
    let mut last = None;
    for (n, base) in bases.iter().copied().enumerate() {
        let path = names::segment(folder, base);
        let expected = before.map_or(0, |commit| commit.end());
        if base != expected {
            return Err(StoreError::damaged(
                &path,
                0,
                expected,
                "the records before this segment are missing",
            ));
        }
        let file = disk.open(&path).map_err(StoreError::at("open", &path))?;
        let start = header(file.as_ref(), &path, base)?;
        match before {
            None => origin = start.prev_head,
            Some(commit) if commit.head == start.prev_head => {}
            Some(_) => {
                let why = "the segment does not continue the one before";
                return Err(StoreError::damaged(&path, 16, base, why));
            }
        }
        if n + 1 < bases.len() {
            let (end, commit) = last_frame(file.as_ref(), &path, base)?;
            before = Some(commit);
            sealed.push(Arc::new(Segment::new(base, path, end)));
        } else {
            last = Some(Last { base, path, start });
        }
    }
    let last = last.ok_or_else(|| StoreError::Missing { path: folder.to_path_buf() })?;
    Ok(Segments { sealed, last, last_commit: before, origin })
}

/// The commit a sealed segment ends with, and its length.
fn last_frame(file: &dyn DiskFile, path: &Path, base: u64) -> Result<(u64, CommitRef), StoreError> {
    let len = file.len().map_err(StoreError::at("read", path))?;
    let mut bytes = [0; COMMIT_FRAME_LEN];
    let at = len.saturating_sub(COMMIT_FRAME_LEN as u64).max(FIRST_FRAME);
    let got = file.read_at(&mut bytes, at).map_err(StoreError::at("read", path))?;
    match frame::parse(&bytes[..got]) {
        Parsed::Commit { commit, .. } if commit.first >= base && at % 8 == 0 => {
            Ok((len, commit_ref(&commit)))
        }
        _ => Err(StoreError::damaged(path, at, base, "a sealed segment must end with a commit")),
    }
}

/// The committed part of the last segment.
struct Walked {
    size: u64,
    commit: Option<CommitRef>,
    /// Where the last commit's batch starts and ends; both are the first frame's place if there is none.
    batch: u64,
    end: u64,
    /// Where, at which record and why the walk stopped.
    place: u64,
    position: u64,
    stop: Stop,
}

/// The end of the last segment.
struct Tail {
    walked: Walked,
    /// What follows the last commit, without the zeros at the end.
    residue: Vec<u8>,
}

/// Walks the last segment as far as it is committed.
fn walk_last(
    file: &dyn DiskFile,
    segment: &Segment,
    before: Option<CommitRef>,
) -> Result<Walked, StoreError> {
    let len = file.len().map_err(StoreError::at("read", &segment.path))?;
    let mut sparse = segment.sparse();
    let mut walk = Walk::new(file, &segment.path, (segment.base, FIRST_FRAME), len, CHUNK);
    let (mut size, mut commit) = (segment.base, before);
    let (mut batch, mut end) = (FIRST_FRAME, FIRST_FRAME);
    let mut noted = Vec::new();
    let stop = loop {
        match walk.step()? {
            Step::Record { offset, record } => {
                if !record.command.is_empty() {
                    noted.push((record.position, offset));
                }
            }
            Step::Commit { end: after, commit: closed } => {
                let closed = commit_ref(&closed);
                (batch, end) = (end, after);
                (size, commit) = (closed.end(), Some(closed));
                noted.drain(..).for_each(|(position, offset)| sparse.note(position, offset));
                sparse.reach(size, end);
            }
            Step::Stop(stop) => break stop,
        }
    };
    Ok(Walked { size, commit, batch, end, place: walk.place(), position: walk.position(), stop })
}

/// Walks the last segment and judges what follows its last commit.
fn read_last(file: &dyn DiskFile, segment: &Segment, before: Option<CommitRef>) -> Result<Tail, StoreError> {
    let path = &segment.path;
    let walked = walk_last(file, segment, before)?;
    let Walked { size, end, place, position, stop, .. } = walked;
    let len = file.len().map_err(StoreError::at("read", path))?;
    let residue = read_residue(file, path, end, len)?;
    let damaged =
        |why: &str| Err(StoreError::damaged(path, place, position, format!("{} ({why})", stop.why())));
    if matches!(stop, Stop::Contradiction(_)) {
        return damaged("no crash leaves this");
    }
    // A commit that ends in zeros lost them when the residue was trimmed.
    let mut judged = residue.clone();
    judged.resize(residue.len() + COMMIT_FRAME_LEN, 0);
    for item in Scanner::new(&judged, 0) {
        if let Item::Commit { commit: later, .. } = item
            && (later.first != size || later.batch_offset != end)
        {
            return damaged("a later batch is committed");
        }
    }
    Ok(Tail { walked, residue })
}

/// The bytes from `from` to the last one that is not zero.
fn read_residue(file: &dyn DiskFile, path: &Path, from: u64, len: u64) -> Result<Vec<u8>, StoreError> {
    let mut residue = Vec::new();
    let mut zeros = 0;
    let mut chunk = vec![0; usize::try_from(len.saturating_sub(from)).unwrap_or(CHUNK).min(CHUNK)];
    let mut at = from;
    while at < len {
        let got = file.read_at(&mut chunk, at).map_err(StoreError::at("read", path))?;
        if got == 0 {
            break;
        }
        let used = used_len(&chunk[..got]);
        if used > 0 {
            residue.resize(residue.len() + zeros, 0);
            residue.extend_from_slice(&chunk[..used]);
            zeros = 0;
        }
        zeros += got - used;
        at += got as u64;
    }
    Ok(residue)
}

/// Length of `bytes` without the zeros at the end. Compares blocks: the end is usually megabytes of zeros.
pub(super) fn used_len(bytes: &[u8]) -> usize {
    let mut len = bytes.len();
    while len > 0 {
        let from = len - len.min(ZEROS.len());
        if bytes[from..len] != ZEROS[..len - from] {
            let last = bytes[from..len].iter().rposition(|b| *b != 0);
            return last.map_or(0, |last| from + last + 1);
        }
        len = from;
    }
    0
}

/// Holds what was found against the head the owner stood behind.
fn hold_against(
    known: &KnownHead,
    tail: &Walked,
    residue: &[u8],
    path: &Path,
    reader: &dyn LogReader,
    origin: [u8; 32],
) -> Result<(), StoreError> {
    if !residue.is_empty() {
        if known.size > tail.size {
            let why = format!("{} (the head says it was durable)", tail.stop.why());
            return Err(StoreError::damaged(path, tail.place, tail.size, why));
        }
        if known.clean && known.size == tail.size {
            let why = "bytes after the last commit of a log that was stopped cleanly";
            return Err(StoreError::damaged(path, tail.end, tail.size, why));
        }
    }
    if known.size > tail.size {
        return Err(StoreError::Behind { found: tail.size, expected: known.size });
    }
    let found = match known.size.checked_sub(1) {
        None => Some(origin),
        Some(last) => {
            let commit = reader.commit_at(last)?;
            commit.filter(|commit| commit.end() == known.size).map(|commit| commit.head)
        }
    };
    if found == Some(known.head) {
        return Ok(());
    }
    Err(StoreError::Disagrees { size: known.size, expected: known.head, found })
}

/// Keeps bytes that did not count, durably, before they are cut from the segment.
pub(super) fn set_aside(
    disk: &dyn Disk,
    folder: &Path,
    base: u64,
    listed: &[String],
    bytes: &[u8],
) -> Result<PathBuf, StoreError> {
    let path = names::torn(folder, base, listed);
    let file = disk.create(&path).map_err(StoreError::at("create", &path))?;
    file.write_at(bytes, 0).map_err(StoreError::at("write", &path))?;
    file.sync_all().map_err(StoreError::at("sync", &path))?;
    disk.sync_dir(folder).map_err(StoreError::at("sync", folder))?;
    Ok(path)
}

/// Writes the bytes from `from` to `to` over themselves, so that the next sync brings them to the disk for certain.
fn rewrite(file: &dyn DiskFile, path: &Path, from: u64, to: u64) -> Result<(), StoreError> {
    let mut chunk = vec![0; usize::try_from(to - from).unwrap_or(CHUNK).min(CHUNK)];
    let mut at = from;
    while at < to {
        let len = usize::try_from(to - at).unwrap_or(CHUNK).min(CHUNK);
        let got = file.read_at(&mut chunk[..len], at).map_err(StoreError::at("read", path))?;
        file.write_at(&chunk[..got], at).map_err(StoreError::at("rewrite", path))?;
        at += got.max(1) as u64;
    }
    Ok(())
}
