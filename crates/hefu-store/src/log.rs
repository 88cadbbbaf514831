//! The contract every log keeps, and the values it speaks in.

use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{DirLock, Record, RecordRef, StoreError};

/// What closes a batch; the log stores it and does not look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitInfo {
    /// `C` of the batch's last record.
    pub head: [u8; 32],
    /// Receipt signature for the batch's last record.
    pub signature: [u8; 64],
}

/// A commit that is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitRef {
    /// Position of the batch's first record.
    pub first: u64,
    /// Number of records in the batch, never 0.
    pub count: u32,
    /// `C` of the batch's last record.
    pub head: [u8; 32],
    /// Receipt signature for the batch's last record.
    pub signature: [u8; 64],
}

impl CommitRef {
    /// Size of the log once this commit was in it.
    pub fn end(&self) -> u64 {
        self.first + u64::from(self.count)
    }
}

/// What a redaction takes out of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withhold {
    /// The record whose body goes.
    pub position: u64,
    /// All records of its command, itself among them: the command goes from all of them.
    pub siblings: Range<u64>,
    /// The record that redacted it.
    pub by: u64,
}

/// A log of record: one writer, any number of readers.
pub trait Log: Send {
    /// Number of committed records.
    fn size(&self) -> u64;

    /// Appends all of `records` or none, in one commit and one fdatasync. After `Ok` they survive a power cut.
    ///
    /// After `Full`, `Io` or `Sled` the tail is unknown and every further append is `Poisoned`: take `durable_point`,
    /// drop the log and reopen it. `Refused` and `TooLong` wrote nothing and poison nothing. Positions continue from
    /// `size` without gaps, and the first record of a batch carries its command, so that a batch stands alone.
    fn append(&mut self, records: &[Record], commit: &CommitInfo) -> Result<(), StoreError>;

    /// A view that sees later commits too. It outlives the log.
    fn reader(&self) -> Arc<dyn LogReader>;

    /// How far an `Ok` has vouched; what to reopen with after a failure.
    fn durable_point(&self) -> DurablePoint;

    /// Whether [`Log::withhold`] leaves nothing behind.
    fn can_withhold(&self) -> bool;

    /// Takes out what a redaction withholds, and what was set aside of torn writes, which may hold the same.
    ///
    /// Whole or not at all, durable before this returns; repeating it is harmless. Records keep their places, and
    /// readers that are at work go on. After `Err` it is done or not, and the log must be reopened. `Refused` changed
    /// nothing: the log cannot do it, or has no such records.
    fn withhold(&mut self, what: &Withhold) -> Result<(), StoreError>;

    /// Stops cleanly. Dropping without it loses nothing either.
    fn close(self: Box<Self>) -> Result<(), StoreError>;
}

/// Reads what is committed. Every read checks checksums and names the place of damage.
pub trait LogReader: Send + Sync {
    /// Number of committed records.
    fn size(&self) -> u64;

    /// Visits records from position `from` on, oldest first, up to the size at the call, until `visit` breaks.
    ///
    /// A record's `command` is empty when it is the command of the record before, also for the first one visited; or, if
    /// `redacted_by` says so, because it is withheld.
    fn scan(
        &self,
        from: u64,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// The record at `position`, its command filled in even where the log has it once for several records. A command
    /// that is withheld stays empty.
    fn get(&self, position: u64) -> Result<Option<Record>, StoreError>;

    /// The same for a record that may have come since this reader was opened: a redaction names such ones.
    fn get_later(&self, position: u64) -> Result<Option<Record>, StoreError> {
        self.get(position)
    }

    /// The commit that covers `position`.
    fn commit_at(&self, position: u64) -> Result<Option<CommitRef>, StoreError>;

    /// The newest commit.
    fn last_commit(&self) -> Option<CommitRef>;
}

/// A point up to which the log is known to be durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DurablePoint {
    /// Records up to here.
    pub size: u64,
    /// `C` of the last of them, or what the log started from.
    pub head: [u8; 32],
    /// Base of the segment file they end in; 0 for logs without segments.
    pub segment: u64,
    /// Offset in that file where they end; 0 for logs without segments.
    pub offset: u64,
}

/// The newest signed head the owner of the log stood behind, from its own file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownHead {
    /// Size it stands for.
    pub size: u64,
    /// `C(size − 1)`, or what the log started from if `size` is 0.
    pub head: [u8; 32],
    /// Whether it was written by a clean stop: then nothing torn is excused.
    pub clean: bool,
}

/// How to open a log.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The head to hold the log against; without one a lost end cannot be noticed.
    pub head: Option<KnownHead>,
    /// Where a segment file is full. Readers do not care; tests use small ones.
    pub segment_bytes: u64,
    /// The lock of the directory if the caller holds it already; otherwise opening takes it.
    pub lock: Option<Arc<DirLock>>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { head: None, segment_bytes: 64 << 20, lock: None }
    }
}

impl OpenOptions {
    /// The same with the lock of `dir` taken.
    pub(crate) fn locked(&self, dir: &Path) -> Result<Self, StoreError> {
        let lock = match &self.lock {
            Some(lock) => lock.clone(),
            None if dir.is_dir() => Arc::new(DirLock::acquire(dir)?),
            None => return Err(StoreError::Missing { path: dir.to_path_buf() }),
        };
        Ok(Self { lock: Some(lock), ..self.clone() })
    }
}

/// What opening found and did. Say it to the operator when it is not the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Where the uncommitted bytes at the end were moved.
    pub torn: Vec<PathBuf>,
    /// How many bytes that were.
    pub torn_bytes: u64,
    /// Unfinished files that were removed; nothing in them counted.
    pub removed: Vec<PathBuf>,
    /// Records beyond the known durable point that were read back after a failure and made durable.
    pub recovered: u64,
}

/// The rules for a batch that every log checks before it writes anything.
pub(crate) fn check_batch(
    size: u64,
    records: &[Record],
    commit: &CommitInfo,
) -> Result<CommitRef, StoreError> {
    let refused = |why| StoreError::Refused { position: size, why };
    let count = u32::try_from(records.len()).map_err(|_| refused("too many records"))?;
    let first = records.first().ok_or(refused("no records"))?;
    if first.command.is_empty() {
        return Err(refused("the first record of a batch must carry its command"));
    }
    if !records.iter().zip(size..).all(|(record, position)| record.position == position) {
        return Err(refused("positions do not continue the log"));
    }
    Ok(CommitRef { first: size, count, head: commit.head, signature: commit.signature })
}

pub(crate) fn check_withhold(size: u64, what: &Withhold) -> Result<(), StoreError> {
    let Withhold { position, siblings, by } = what;
    if siblings.contains(position) && siblings.end <= size && *by < size {
        return Ok(());
    }
    Err(StoreError::Refused { position: *position, why: "there are no such records to withhold" })
}

pub(crate) fn borrowed(record: &Record) -> RecordRef<'_> {
    record.as_ref()
}

pub(crate) fn owned(record: RecordRef<'_>) -> Record {
    record.to_record()
}

/// The record at `position` with the command of the nearest record before that has one.
pub(crate) fn fill_command(
    position: u64,
    mut at: impl FnMut(u64) -> Result<Option<Record>, StoreError>,
) -> Result<Option<Record>, StoreError> {
    let Some(mut record) = at(position)? else { return Ok(None) };
    let mut before = position;
    while record.command.is_empty() && record.redacted_by.is_none() && before > 0 {
        before -= 1;
        match at(before)? {
            Some(earlier) => record.command = earlier.command,
            None => break,
        }
    }
    Ok(Some(record))
}
