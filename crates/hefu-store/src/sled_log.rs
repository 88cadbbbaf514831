//! The log inside sled: the same contract, position keys only, a value is the record's frame; the last record of a
//! batch carries the commit frame too.
//!
//! sled's flush does not reach the disk on Linux, so every append also syncs sled's file through a second descriptor.
//! sled opens a cut file as an empty store without an error: give the newest head when opening, or the end can be
//! missing unnoticed. Its readers keep sled's own lock: they must be gone before the log is opened again. A damaged
//! file is refused, never repaired; it has no sealed parts and no place for `verify`.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use hefu_chain::frame::{self, Commit, Parsed};

use crate::log::{borrowed, check_batch, fill_command};
use crate::sled_guard::{guarded, open as open_sled};
use crate::{
    CommitInfo, CommitRef, DirLock, DurablePoint, Log, LogReader, OpenOptions, OpenReport, Record, RecordRef,
    StoreError, Withhold,
};

/// The folder of a ledger directory that the log lives in.
pub const FOLDER: &str = "log.sled";

/// sled's own default is a gibibyte; the log is read in order, so little helps.
const CACHE_BYTES: u64 = 64 << 20;
/// The tree and key of `C(−1)`; records are in the default tree.
const META: &[u8] = b"meta";
const ORIGIN: &[u8] = b"origin";

/// The writer of a log inside sled.
#[derive(Debug)]
pub struct SledLog {
    reader: Arc<SledReader>,
    /// sled's file, for the sync that sled does not make.
    file: File,
    origin: [u8; 32],
    poisoned: bool,
    _lock: Option<Arc<DirLock>>,
}

#[derive(Debug)]
struct SledReader {
    db: sled::Db,
    folder: PathBuf,
    /// The newest durable commit. Written by the log only; held for a copy.
    last: RwLock<Option<CommitRef>>,
}

impl SledLog {
    /// Creates an empty log in `dir` that starts from `prev_head_start`, `C(−1)`.
    pub fn create(dir: &Path, prev_head_start: [u8; 32], options: &OpenOptions) -> Result<Self, StoreError> {
        std::fs::create_dir_all(dir).map_err(StoreError::at("create", dir))?;
        let options = options.locked(dir)?;
        let folder = dir.join(FOLDER);
        if folder.exists() {
            return Err(StoreError::Exists { path: folder });
        }
        let (db, file) = open_db(&folder)?;
        sled_call("write", &folder, || db.open_tree(META)?.insert(ORIGIN, &prev_head_start))?;
        sled_call("flush", &folder, || db.flush())?;
        file.sync_all().map_err(StoreError::at("sync", &folder))?;
        for made in [folder.as_path(), dir] {
            let synced = File::open(made).and_then(|opened| opened.sync_all());
            synced.map_err(StoreError::at("sync", made))?;
        }
        drop((db, file));
        Ok(Self::open(dir, &options)?.0)
    }

    /// Opens the log in `dir`.
    pub fn open(dir: &Path, options: &OpenOptions) -> Result<(Self, OpenReport), StoreError> {
        let options = options.locked(dir)?;
        let folder = dir.join(FOLDER);
        if !folder.is_dir() {
            return Err(StoreError::Missing { path: folder });
        }
        let (db, file) = open_db(&folder)?;
        let origin = sled_call("read", &folder, || db.open_tree(META)?.get(ORIGIN))?;
        let origin: [u8; 32] = origin
            .and_then(|bytes| bytes.as_ref().try_into().ok())
            .ok_or_else(|| StoreError::damaged(&folder, 0, 0, "sled has lost what the log started from"))?;
        let reader = SledReader { db, folder, last: RwLock::new(None) };
        let last = reader.newest()?;
        *reader.last.write().unwrap_or_else(PoisonError::into_inner) = last;
        reader.hold_against(&options, origin)?;
        sled_call("flush", &reader.folder, || reader.db.flush())?;
        file.sync_data().map_err(StoreError::at("sync", &reader.folder))?;
        let log = Self { reader: Arc::new(reader), file, origin, poisoned: false, _lock: options.lock };
        Ok((log, OpenReport::default()))
    }

    /// Opens the log in `dir` after an append failed. sled rewrites nothing it believes to be written, so a batch
    /// beyond `known_durable` cannot be made durable for certain and is refused as damage.
    pub fn reopen_after_failure(
        dir: &Path,
        options: &OpenOptions,
        known_durable: &DurablePoint,
    ) -> Result<(Self, OpenReport), StoreError> {
        let (log, report) = Self::open(dir, options)?;
        if log.size() > known_durable.size {
            let why =
                "a batch whose sync failed reads back; only a restart of the machine shows what the disk has";
            return Err(StoreError::damaged(&log.reader.folder, 0, known_durable.size, why));
        }
        Ok((log, report))
    }

    fn write(&mut self, records: &[Record], commit: CommitRef) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for record in records {
            let mut value = Vec::new();
            frame::encode_record(&mut value, &borrowed(record))?;
            if record.position + 1 == commit.end() {
                let CommitRef { first, count, head, signature } = commit;
                frame::encode_commit(&mut value, &Commit { first, count, batch_offset: 0, head, signature });
            }
            batch.insert(&record.position.to_be_bytes(), value);
        }
        let reader = &self.reader;
        self.poisoned = true;
        sled_call("write", &reader.folder, || reader.db.apply_batch(batch))?;
        sled_call("flush", &reader.folder, || reader.db.flush())?;
        self.file.sync_data().map_err(StoreError::at("sync", &reader.folder))?;
        self.poisoned = false;
        Ok(())
    }
}

impl Log for SledLog {
    fn size(&self) -> u64 {
        self.reader.size()
    }

    fn append(&mut self, records: &[Record], commit: &CommitInfo) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        let commit = check_batch(self.size(), records, commit)?;
        self.write(records, commit)?;
        *self.reader.last.write().unwrap_or_else(PoisonError::into_inner) = Some(commit);
        Ok(())
    }

    fn reader(&self) -> Arc<dyn LogReader> {
        self.reader.clone()
    }

    fn durable_point(&self) -> DurablePoint {
        let head = self.reader.last_commit().map_or(self.origin, |commit| commit.head);
        DurablePoint { size: self.size(), head, segment: 0, offset: 0 }
    }

    fn can_withhold(&self) -> bool {
        false
    }

    /// Refused: sled keeps old versions of a value in its file for as long as it pleases.
    fn withhold(&mut self, what: &Withhold) -> Result<(), StoreError> {
        Err(StoreError::Refused { position: what.position, why: "a log in sled cannot forget" })
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        sled_call("flush", &self.reader.folder, || self.reader.db.flush())?;
        self.file.sync_all().map_err(StoreError::at("sync", &self.reader.folder))
    }
}

impl SledReader {
    /// The commit the last record carries. A batch goes into sled as one, so a last record without one is damage.
    fn newest(&self) -> Result<Option<CommitRef>, StoreError> {
        let Some((key, value)) = sled_call("read", &self.folder, || self.db.last())? else { return Ok(None) };
        let (record, commit) = self.parse(&key, &value)?;
        match commit {
            Some(commit) if commit.end() == record.position + 1 => Ok(Some(commit)),
            _ => Err(StoreError::damaged(&self.folder, 0, record.position, "the last batch is not whole")),
        }
    }

    fn hold_against(&self, options: &OpenOptions, origin: [u8; 32]) -> Result<(), StoreError> {
        let Some(known) = options.head else { return Ok(()) };
        if known.size > self.size() {
            return Err(StoreError::Behind { found: self.size(), expected: known.size });
        }
        let found = match known.size.checked_sub(1) {
            None => Some(origin),
            Some(last) => {
                self.commit_at(last)?.filter(|commit| commit.end() == known.size).map(|commit| commit.head)
            }
        };
        if found == Some(known.head) {
            return Ok(());
        }
        Err(StoreError::Disagrees { size: known.size, expected: known.head, found })
    }

    /// The frames in a value. The offset of damage is that within the value: sled has no places in a file.
    fn parse<'a>(
        &self,
        key: &[u8],
        value: &'a [u8],
    ) -> Result<(RecordRef<'a>, Option<CommitRef>), StoreError> {
        let position = key.try_into().map_or(u64::MAX, u64::from_be_bytes);
        let damaged =
            |at: usize| StoreError::damaged(&self.folder, at as u64, position, "not a sound record");
        let (len, record) = match frame::parse(value) {
            Parsed::Record { len, record } if record.position == position => (len, record),
            _ => return Err(damaged(0)),
        };
        match frame::parse(&value[len..]) {
            _ if len == value.len() => Ok((record, None)),
            Parsed::Commit { len: rest, commit } if len + rest == value.len() => {
                let Commit { first, count, head, signature, .. } = commit;
                Ok((record, Some(CommitRef { first, count, head, signature })))
            }
            _ => Err(damaged(len)),
        }
    }

    /// Visits the records from `from` on, each with its commit if it is the last of a batch.
    fn walk(
        &self,
        from: u64,
        mut visit: impl FnMut(RecordRef<'_>, Option<CommitRef>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let size = self.size();
        let mut values = self.db.range(from.to_be_bytes()..size.to_be_bytes());
        for position in from..size {
            let (key, value) = sled_call("read", &self.folder, || values.next().transpose())?
                .filter(|(key, _)| key.as_ref() == position.to_be_bytes())
                .ok_or_else(|| StoreError::damaged(&self.folder, 0, position, "the record is missing"))?;
            let (record, commit) = self.parse(&key, &value)?;
            if visit(record, commit).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl LogReader for SledReader {
    fn size(&self) -> u64 {
        self.last_commit().map_or(0, |commit| commit.end())
    }

    fn scan(
        &self,
        from: u64,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.walk(from, |record, _| visit(record))
    }

    fn get(&self, position: u64) -> Result<Option<Record>, StoreError> {
        if position >= self.size() {
            return Ok(None);
        }
        fill_command(position, |position| {
            let mut found = None;
            self.walk(position, |record, _| {
                found = Some(crate::log::owned(record));
                ControlFlow::Break(())
            })?;
            Ok(found)
        })
    }

    fn commit_at(&self, position: u64) -> Result<Option<CommitRef>, StoreError> {
        let mut found = None;
        self.walk(position, |_, commit| {
            found = commit;
            if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(found)
    }

    fn last_commit(&self) -> Option<CommitRef> {
        *self.last.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens sled and its file a second time.
fn open_db(folder: &Path) -> Result<(sled::Db, File), StoreError> {
    let config = sled::Config::new().path(folder).cache_capacity(CACHE_BYTES).flush_every_ms(None);
    let db = sled_call("open", folder, || open_sled(&config))?;
    let path = folder.join("db");
    let file = File::open(&path).map_err(StoreError::at("open", &path))?;
    Ok((db, file))
}

fn sled_call<T>(
    op: &'static str,
    folder: &Path,
    call: impl FnOnce() -> sled::Result<T>,
) -> Result<T, StoreError> {
    guarded(call).map_err(|why| StoreError::Sled { op, path: folder.to_path_buf(), why })
}
