//! The eventstore face over the log: which positions a stream, a type and a category have, and named cursors, in sled.
//!
//! Everything here can be deleted and is rebuilt from the log; nothing waits for it and nothing trusts it: with what it
//! holds it keeps the size and head of the log it has applied, for the owner to compare. After an unclean stop it
//! counts itself; on any doubt the folder is moved aside and a new one is begun.
//!
//! A key holds a block of many positions, and a batch touches each of its keys once, in key order: an event costs a
//! few bytes in three blocks rather than three random inserts.

mod postings;

use std::fs;
use std::path::{Path, PathBuf};

use bincode::{Decode, Encode};

use crate::codec::{self, CodecError};
use crate::sled_guard::{guarded, open as open_sled};
use postings::{Posting, Space};

/// sled's own default is a gibibyte.
const CACHE_BYTES: u64 = 64 << 20;
const APPLIED: &[u8] = &[0, 0];
/// Present only between a clean stop and the next opening.
const STOPPED: &[u8] = &[0, 1];
const CURSOR: u8 = 1;

/// A record to index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexEntry<'a> {
    /// Position of the record.
    pub position: u64,
    /// Its stream; what stands before the slash is the category.
    pub stream: &'a str,
    /// Its type.
    pub kind: &'a str,
}

/// What is wrong with the index. The cure is always the same: move it aside and rebuild.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// sled failed or panicked.
    #[error("sled failed: {0}")]
    Sled(String),
    /// A value is not what was written.
    #[error("an index value is unreadable")]
    Codec(#[from] CodecError),
    /// The contents contradict themselves.
    #[error("the index is inconsistent: {0}")]
    Inconsistent(String),
    /// The entries do not continue what has been applied; nothing was written.
    #[error("the index has applied {applied} records and cannot take {offered}")]
    OutOfOrder {
        /// Records applied.
        applied: u64,
        /// The position or size that was offered.
        offered: u64,
    },
    /// A name holds a NUL byte; nothing was written.
    #[error("a name with a NUL byte cannot be indexed")]
    Name,
    /// The folder could not be moved, made or removed.
    #[error("cannot move or make {}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Why the index was begun anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuildReason {
    /// What was wrong.
    pub why: String,
    /// Where the bad folder is now.
    pub moved_to: PathBuf,
}

/// How far the index follows the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
struct Applied {
    size: u64,
    head: [u8; 32],
}

/// The index. One writer; sled lets any number of threads read through `&self`.
#[derive(Debug)]
pub struct Index {
    db: sled::Db,
    applied: Applied,
}

impl Index {
    /// Opens or creates the index in the folder `dir`. After an unclean stop every block is read and counted.
    pub fn open(dir: &Path) -> Result<Self, IndexError> {
        let config = sled::Config::new().path(dir).cache_capacity(CACHE_BYTES).flush_every_ms(Some(1000));
        let db = sled_call(|| open_sled(&config))?;
        let applied = match sled_call(|| db.get(APPLIED))? {
            Some(bytes) => codec::decode(&bytes)?,
            None => Applied::default(),
        };
        let index = Self { db, applied };
        if sled_call(|| index.db.remove(STOPPED))?.is_none() {
            index.check()?;
        }
        Ok(index)
    }

    /// Opens the index in the folder `dir`, or moves the folder to `<dir>.bad-<n>` and begins an empty one.
    ///
    /// Only the newest bad folder is kept: it is for looking at, and disks are finite.
    pub fn open_or_rebuild(dir: &Path) -> Result<(Self, Option<RebuildReason>), IndexError> {
        let why = match Self::open(dir) {
            Ok(index) => return Ok((index, None)),
            Err(error) => error.to_string(),
        };
        let moved_to = set_aside(dir)?;
        tracing::warn!(%why, moved_to = %moved_to.display(), "the index is rebuilt");
        Ok((Self::open(dir)?, Some(RebuildReason { why, moved_to })))
    }

    /// Size and head of the log that has been applied; zeros at the start.
    pub fn applied(&self) -> (u64, [u8; 32]) {
        (self.applied.size, self.applied.head)
    }

    /// Applies records, all of those from the applied size up to `size`, in one sled batch.
    pub fn apply(&mut self, batch: &[IndexEntry<'_>], size: u64, head: [u8; 32]) -> Result<(), IndexError> {
        let applied = self.applied.size;
        let out_of_order = |offered| IndexError::OutOfOrder { applied, offered };
        if size.checked_sub(applied) != Some(batch.len() as u64) {
            return Err(out_of_order(size));
        }
        if let Some((entry, _)) = batch.iter().zip(applied..).find(|(entry, next)| entry.position != *next) {
            return Err(out_of_order(entry.position));
        }
        if batch.iter().any(|entry| entry.stream.contains('\0') || entry.kind.contains('\0')) {
            return Err(IndexError::Name);
        }
        let mut postings: Vec<Posting<'_>> = batch.iter().flat_map(Posting::of).collect();
        postings.sort_unstable();

        let applied = Applied { size, head };
        let mut writes = sled::Batch::default();
        for run in postings.chunk_by(Posting::same_list) {
            postings::extend(&self.db, &mut writes, run)?;
        }
        writes.insert(APPLIED, codec::encode(&applied)?);
        sled_call(|| self.db.apply_batch(writes))?;
        self.applied = applied;
        Ok(())
    }

    /// Positions of `stream` from `from` on, at most `limit`, ascending.
    pub fn stream(&self, stream: &str, from: u64, limit: usize) -> Result<Vec<u64>, IndexError> {
        postings::read(&self.db, Space::Stream, stream, from, limit)
    }

    /// Positions of records of type `kind` from `from` on, at most `limit`, ascending.
    pub fn by_type(&self, kind: &str, from: u64, limit: usize) -> Result<Vec<u64>, IndexError> {
        postings::read(&self.db, Space::Type, kind, from, limit)
    }

    /// Positions of records in streams of `category` from `from` on, at most `limit`, ascending.
    pub fn by_category(&self, category: &str, from: u64, limit: usize) -> Result<Vec<u64>, IndexError> {
        postings::read(&self.db, Space::Category, category, from, limit)
    }

    /// How far the reader called `name` has come, if it ever said so.
    pub fn cursor(&self, name: &str) -> Result<Option<u64>, IndexError> {
        match sled_call(|| self.db.get(cursor_key(name)))? {
            Some(bytes) => Ok(Some(codec::decode(&bytes)?)),
            None => Ok(None),
        }
    }

    /// Notes how far the reader called `name` has come. Not durable at once, and gone with the index.
    pub fn set_cursor(&self, name: &str, position: u64) -> Result<(), IndexError> {
        let value = codec::encode(&position)?;
        sled_call(|| self.db.insert(cursor_key(name), value))?;
        Ok(())
    }

    /// Reads every block and compares the count of each space with the applied size: every record is in each once.
    pub fn check(&self) -> Result<(), IndexError> {
        for space in Space::ALL {
            let count = postings::count(&self.db, space, self.applied.size)?;
            if count != self.applied.size {
                let why = format!("{count} of {} records are in {space:?}", self.applied.size);
                return Err(IndexError::Inconsistent(why));
            }
        }
        Ok(())
    }

    /// Stops cleanly, so that the next opening need not count.
    pub fn close(self) -> Result<(), IndexError> {
        sled_call(|| self.db.flush())?;
        sled_call(|| self.db.insert(STOPPED, &[1]))?;
        sled_call(|| self.db.flush())?;
        Ok(())
    }
}

fn cursor_key(name: &str) -> Vec<u8> {
    [&[CURSOR], b"cursor/".as_slice(), name.as_bytes()].concat()
}

fn sled_call<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, IndexError> {
    guarded(call).map_err(IndexError::Sled)
}

/// Moves `dir` to the next `<dir>.bad-<n>` and removes the ones before.
fn set_aside(dir: &Path) -> Result<PathBuf, IndexError> {
    let io = |path: &Path| {
        let path = path.to_path_buf();
        move |source| IndexError::Io { path, source }
    };
    let name = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let prefix = format!("{name}.bad-");
    let outer = dir.parent().filter(|outer| !outer.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut earlier = Vec::new();
    for entry in fs::read_dir(outer).map_err(io(outer))? {
        let found = entry.map_err(io(outer))?.file_name().to_string_lossy().into_owned();
        if let Some(n) = found.strip_prefix(&prefix).and_then(|n| n.parse::<u64>().ok()) {
            earlier.push((n, outer.join(found)));
        }
    }
    let next = earlier.iter().map(|(n, _)| n + 1).max().unwrap_or(0);
    let moved_to = outer.join(format!("{prefix}{next}"));
    fs::rename(dir, &moved_to).map_err(io(dir))?;
    for (_, old) in earlier {
        fs::remove_dir_all(&old).map_err(io(&old))?;
    }
    Ok(moved_to)
}
