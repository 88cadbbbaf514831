//! Reopening after a write or a sync failed in this process.
//!
//! A page that failed to sync may read back from the cache and yet never reach the disk, so bytes beyond the last
//! durable point are not believed where they are: whole batches among them are copied to a new segment, which is
//! synced under its own name, and the old segment is sealed at the durable point. Then the log is opened as always.

use std::path::Path;

use hefu_chain::frame::{self, COMMIT_FRAME_LEN, Commit, FileHeader};

use super::open::{bases, header, list, set_aside, used_len};
use super::walk::{FIRST_FRAME, Step, Walk};
use super::{finish, names, write_unfinished};
use crate::disk::{Disk, DiskFile};
use crate::{DurablePoint, OpenReport, StoreError};

const CHUNK: usize = 1 << 20;

/// Makes what is readable durable and leaves a directory that opens as after a crash.
pub(super) fn secure(disk: &dyn Disk, dir: &Path, known: &DurablePoint) -> Result<OpenReport, StoreError> {
    let folder = dir.join(names::FOLDER);
    let listed = list(disk, &folder)?;
    let bases = bases(&listed);
    let mut report = OpenReport::default();

    let old_path = names::segment(&folder, known.segment);
    if !bases.contains(&known.segment) {
        return Err(StoreError::Missing { path: old_path });
    }
    let old = disk.open(&old_path).map_err(StoreError::at("open", &old_path))?;
    let start = header(old.as_ref(), &old_path, known.segment)?;
    check_durable(old.as_ref(), &old_path, &start, known)?;

    // A roll may have begun the next segment before the failure; then that is where the bytes beyond are.
    let newest = bases.last().copied().unwrap_or(known.segment);
    if newest != known.segment && newest != known.size {
        let path = names::segment(&folder, newest);
        return Err(StoreError::damaged(&path, 0, known.size, "a segment beyond the durable point"));
    }
    let source_path = names::segment(&folder, newest);
    let source = disk.open(&source_path).map_err(StoreError::at("open", &source_path))?;
    let from = if newest == known.segment { known.offset } else { FIRST_FRAME };
    let beyond = read_beyond(source.as_ref(), &source_path, (known.size, from))?;
    report.recovered = beyond.records;
    if !beyond.residue.is_empty() {
        report.torn.push(set_aside(disk, &folder, newest, &listed, &beyond.residue)?);
        report.torn_bytes = beyond.residue.len() as u64;
    }

    let next = FileHeader { base: known.size, prev_head: known.head };
    write_unfinished(disk, &folder, &next, &beyond.frames)?;
    if known.segment != known.size {
        old.set_len(known.offset).map_err(StoreError::at("seal", &old_path))?;
        old.sync_all().map_err(StoreError::at("sync", &old_path))?;
    }
    finish(disk, &folder, known.size)?;
    Ok(report)
}

/// Checks that the segment still reads as it did up to the durable point.
fn check_durable(
    file: &dyn DiskFile,
    path: &Path,
    start: &FileHeader,
    known: &DurablePoint,
) -> Result<(), StoreError> {
    let mut walk = Walk::new(file, path, (start.base, FIRST_FRAME), known.offset, CHUNK);
    let mut head = start.prev_head;
    let why = loop {
        match walk.step()? {
            Step::Record { .. } => {}
            Step::Commit { commit, .. } => head = commit.head,
            Step::Stop(stop) => break stop.why(),
        }
    };
    if walk.place() == known.offset && walk.position() == known.size && head == known.head {
        return Ok(());
    }
    Err(StoreError::damaged(path, walk.place(), walk.position(), format!("{why} before the durable point")))
}

/// What is readable beyond the durable point.
struct Beyond {
    /// Whole batches, their commits made true for a file that starts with them.
    frames: Vec<u8>,
    records: u64,
    /// What follows them, without the zeros at the end.
    residue: Vec<u8>,
}

fn read_beyond(file: &dyn DiskFile, path: &Path, (position, from): (u64, u64)) -> Result<Beyond, StoreError> {
    let len = file.len().map_err(StoreError::at("read", path))?;
    let mut bytes = vec![0; usize::try_from(len.saturating_sub(from)).unwrap_or(usize::MAX)];
    let got = file.read_at(&mut bytes, from).map_err(StoreError::at("read", path))?;
    bytes.truncate(got);

    let mut walk = Walk::new(file, path, (position, from), len, CHUNK).at_batch();
    let mut beyond = Beyond { frames: Vec::new(), records: 0, residue: Vec::new() };
    let mut done = 0;
    loop {
        match walk.step()? {
            Step::Record { .. } => {}
            Step::Commit { end, commit } => {
                let end = usize::try_from(end - from).unwrap_or(usize::MAX).min(bytes.len());
                let batch_offset = FIRST_FRAME + beyond.frames.len() as u64;
                beyond.frames.extend_from_slice(&bytes[done..end - COMMIT_FRAME_LEN]);
                frame::encode_commit(&mut beyond.frames, &Commit { batch_offset, ..commit });
                beyond.records += u64::from(commit.count);
                done = end;
            }
            Step::Stop(_) => break,
        }
    }
    let used = used_len(&bytes);
    beyond.residue.extend_from_slice(bytes.get(done..used).unwrap_or_default());
    Ok(beyond)
}
